/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon.c - see daemon.h.
 */
#include "tests/lib/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"

#define RULESD	     ".build/rulesd"
#define SGCTL	     ".build/sgctl"
#define POLL_MS	     5
#define SGCTL_SOCKET "--socket"

static GPtrArray *daemons;

/* ------------------------------------------------------------------ sgctl */

static struct command run_words(const struct daemon *daemon, bool json, const char *first,
				va_list words)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();

	g_ptr_array_add(argv, (gpointer)(uintptr_t)SGCTL);
	if (daemon) {
		g_ptr_array_add(argv, (gpointer)(uintptr_t)SGCTL_SOCKET);
		g_ptr_array_add(argv, daemon->socket);
	}
	if (json)
		g_ptr_array_add(argv, (gpointer)(uintptr_t) "--json");
	for (const char *word = first; word; word = va_arg(words, const char *))
		g_ptr_array_add(argv, (gpointer)(uintptr_t)word);
	g_ptr_array_add(argv, NULL);
	return command_run((const char *const *)argv->pdata);
}

struct command sgctl_run(const struct daemon *daemon, const char *first, ...)
{
	struct command command;
	va_list words;

	va_start(words, first);
	command = run_words(daemon, false, first, words);
	va_end(words);
	return command;
}

void sgctl_check(const struct daemon *daemon, const char *first, ...)
{
	AUTO_COMMAND struct command command = {0};
	va_list words;

	va_start(words, first);
	command = run_words(daemon, false, first, words);
	va_end(words);
	if (command.status != 0)
		fail_msg("sgctl %s: exit %d: %s", first, command.status, command.err);
}

json_t *sgctl_json(const struct daemon *daemon, const char *first, ...)
{
	AUTO_COMMAND struct command command = {0};
	json_error_t error;
	json_t *document;
	va_list words;

	va_start(words, first);
	command = run_words(daemon, true, first, words);
	va_end(words);
	if (command.status != 0)
		fail_msg("sgctl %s --json: exit %d: %s", first, command.status, command.err);
	document = json_loads(command.out, JSON_DECODE_ANY, &error);
	if (!document)
		fail_msg("sgctl %s --json: not JSON: %s: %s", first, error.text, command.out);
	return document;
}

/* ------------------------------------------------------------------ rulesd */

char *daemon_log(const struct daemon *daemon)
{
	char *text = NULL;

	if (!g_file_get_contents(daemon->log, &text, NULL, NULL))
		return g_strdup("");
	return text;
}

void daemon_wait_log(const struct daemon *daemon, const char *text)
{
	const gint64 since = g_get_monotonic_time();

	for (;;) {
		g_autofree char *log = daemon_log(daemon);

		if (strstr(log, text))
			return;
		if (patience_over(since, GIVE_UP_MS))
			fail_msg("the log of rulesd \"%s\" never says \"%s\":\n%s", daemon->name,
				 text, log);
		g_usleep(5000);
	}
}

bool daemon_has_tcx(const struct daemon *daemon)
{
	g_autofree char *path = g_build_filename(daemon->bpffs, "links", "1-ingress", NULL);

	return access(path, F_OK) == 0;
}

/* Waits for the process's end, at most limit_ms; -1 when it still runs, else its wait status. */
static int wait_end(pid_t pid, int limit_ms)
{
	const gint64 began = g_get_monotonic_time();
	int status = 0;

	for (;;) {
		pid_t ended = waitpid(pid, &status, WNOHANG);

		if (ended == pid || (ended < 0 && errno == ECHILD))
			return status;
		if (limit_ms == 0 || patience_over(began, limit_ms))
			return -1;
		g_usleep(POLL_MS * 1000);
	}
}

static void fail_with_log(struct daemon *daemon, const char *what)
{
	g_autofree char *log = daemon_log(daemon);

	fail_msg("rulesd \"%s\" %s; its log:\n%s", daemon->name, what, log);
}

static void wait_ready(struct daemon *daemon, const char *shown)
{
	const gint64 began = g_get_monotonic_time();

	while (!patience_over(began, GIVE_UP_MS)) {
		if (wait_end(daemon->pid, 0) >= 0) {
			daemon->pid = 0;
			fail_with_log(daemon, "ended before it was ready");
		}
		if (access(daemon->socket, F_OK) == 0) {
			AUTO_COMMAND struct command status = sgctl_run(daemon, "show", shown, NULL);

			if (status.status == 0)
				return;
		}
		g_usleep(POLL_MS * 1000);
	}
	fail_with_log(daemon, "did not answer in time");
}

static void spawn(struct daemon *daemon, const char *const *extra)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	const char *const own[] = {RULESD,	  "--socket",	     daemon->socket,
				   "--state-dir", daemon->state_dir, "--bpffs",
				   daemon->bpffs};

	for (size_t i = 0; i < G_N_ELEMENTS(own); i++)
		g_ptr_array_add(argv, (gpointer)(uintptr_t)own[i]);
	for (; extra && *extra; extra++)
		g_ptr_array_add(argv, (gpointer)(uintptr_t)*extra);
	g_ptr_array_add(argv, NULL);
	daemon->pid = fork();
	if (daemon->pid < 0)
		fail_msg("fork: %s", strerror(errno));
	if (daemon->pid == 0) {
		int log = open(daemon->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (log < 0 || dup2(log, STDERR_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0)
			_exit(126);
		execv(RULESD, (char *const *)argv->pdata);
		_exit(127);
	}
}

struct daemon *daemon_start(const char *name, const char *const *extra)
{
	struct daemon *daemon = g_new0(struct daemon, 1);

	daemon->name = g_strdup(name);
	daemon->socket = g_strdup_printf("%s/%s.sock", netns_workdir(), name);
	daemon->state_dir = g_strdup_printf("%s/%s.state", netns_workdir(), name);
	daemon->log = g_strdup_printf("%s/%s.log", netns_workdir(), name);
	daemon->bpffs = g_strdup_printf("%s/%s", netns_bpffs(), name);
	if (!daemons)
		daemons = g_ptr_array_new();
	g_ptr_array_add(daemons, daemon);
	daemon_restart(daemon, extra);
	return daemon;
}

static void start_again(struct daemon *daemon, const char *const *extra, const char *shown)
{
	assert_int_equal(daemon->pid, 0);
	spawn(daemon, extra);
	wait_ready(daemon, shown);
}

void daemon_restart(struct daemon *daemon, const char *const *extra)
{
	start_again(daemon, extra, "status");
}

void daemon_restart_until(struct daemon *daemon, const char *shown)
{
	start_again(daemon, NULL, shown);
}

void daemon_kill(struct daemon *daemon)
{
	kill(daemon->pid, SIGKILL);
	waitpid(daemon->pid, NULL, 0);
	daemon->pid = 0;
}

int daemon_stop(struct daemon *daemon)
{
	int status;

	kill(daemon->pid, SIGTERM);
	status = wait_end(daemon->pid, GIVE_UP_MS);
	if (status < 0)
		fail_with_log(daemon, "did not end on SIGTERM");
	daemon->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void delete_one(struct daemon *daemon)
{
	if (daemon->pid > 0)
		daemon_kill(daemon);
	if (access(daemon->bpffs, F_OK) == 0) {
		const char *const flush[] = {RULESD,	    "--flush",	    "--bpffs",
					     daemon->bpffs, "--state-dir",  daemon->state_dir,
					     "--socket",    daemon->socket, NULL};
		AUTO_COMMAND struct command command = command_run(flush);

		if (command.status != 0)
			print_error("rulesd --flush: exit %d: %s\n", command.status, command.err);
	}
	netns_remove_tree(daemon->state_dir);
	if (access(daemon->bpffs, F_OK) == 0)
		netns_remove_tree(daemon->bpffs);
	unlink(daemon->log);
	unlink(daemon->socket);
	g_free(daemon->name);
	g_free(daemon->socket);
	g_free(daemon->state_dir);
	g_free(daemon->bpffs);
	g_free(daemon->log);
	g_free(daemon);
}

void daemon_delete(struct daemon *daemon)
{
	g_ptr_array_remove(daemons, daemon);
	delete_one(daemon);
}

void daemon_delete_all(void)
{
	while (daemons && daemons->len > 0)
		delete_one(g_ptr_array_remove_index(daemons, daemons->len - 1));
}

/* ------------------------------------------------------------------ policies */

const char *policy_file(const char *name, const char *text)
{
	static char path[256];
	g_autoptr(GError) error = NULL;

	g_snprintf(path, sizeof(path), "%s/%s", netns_workdir(), name);
	if (!g_file_set_contents(path, text, -1, &error))
		fail_msg("%s", error->message);
	return path;
}

void daemon_apply(const struct daemon *daemon, const char *policy)
{
	sgctl_check(daemon, "apply", policy_file("policy.json", policy), NULL);
}
