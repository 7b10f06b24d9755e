/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_privilege.c - a running rulesd, taken over: which capabilities it has left, and what becomes
 * of it when it is made to call what it never calls. It is taken over as a debugger does, from
 * outside: ptrace(2) puts a system call of ours where its loop waits in one.
 *
 * It is long because calls and files are tried in the same rulesd, taken over in the same way.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <grp.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/daemon.h"
#include "tests/lib/http.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"

#define RULESD ".build/rulesd"
#define GROUP  "daemon" /* every Debian has it */

#define BIT(capability) (1ull << (capability))
#define KEPT		(BIT(CAP_BPF) | BIT(CAP_NET_ADMIN) | BIT(CAP_PERFMON))
#define TO_START	(KEPT | BIT(CAP_SYS_ADMIN)) /* where taps are filtered already */

/* One for all tests, so that the verifier looks at its programs once. */
static struct daemon *confined;

static void start_with(const char *const *options)
{
	if (confined && confined->pid)
		daemon_stop(confined);
	if (confined)
		daemon_restart(confined, options);
	else
		confined = daemon_start("confined", options);
}

/* ------------------------------------------------------------------ status */

static char *status_field(const char *status, const char *name)
{
	const char *line = strstr(status, name);

	if (!line)
		fail_msg("no %s in /proc/PID/status", name);
	assert_non_null(line);
	line += strlen(name);
	return g_strstrip(g_strndup(line, strcspn(line, "\n")));
}

static void assert_field(const char *status, const char *name, guint64 value, guint base)
{
	g_autofree char *text = status_field(status, name);

	if (g_ascii_strtoull(text, NULL, base) != value)
		fail_msg("%s is %s, not %" G_GINT64_MODIFIER "x", name, text, value);
}

/* Every thread of it; returns how many there are. bound: what nothing it could become may have. */
static unsigned int assert_bounded(guint64 kept, guint64 bound)
{
	g_autofree char *tasks = g_strdup_printf("/proc/%d/task", (int)confined->pid);
	g_autoptr(GDir) dir = g_dir_open(tasks, 0, NULL);
	unsigned int threads = 0;
	const char *name;

	assert_non_null(dir);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_strdup_printf("%s/%s/status", tasks, name);
		g_autofree char *status = NULL;

		if (!g_file_get_contents(path, &status, NULL, NULL))
			continue; /* it has ended */
		assert_field(status, "CapInh:", 0, 16);
		assert_field(status, "CapPrm:", kept, 16);
		assert_field(status, "CapEff:", kept, 16);
		assert_field(status, "CapBnd:", bound, 16);
		assert_field(status, "CapAmb:", 0, 16);
		assert_field(status, "NoNewPrivs:", 1, 10);
		assert_field(status, "Seccomp:", 2, 10);
		threads++;
	}
	return threads;
}

static unsigned int assert_confined(guint64 kept)
{
	return assert_bounded(kept, kept);
}

static void only_what_is_needed_is_kept(void **state)
{
	(void)state;
	start_with(NULL);
	assert_true(assert_confined(KEPT) >= 2);
}

static void a_low_port_needs_one_more(void **state)
{
	static const char *const options[] = {"--metrics", "127.0.0.1:80", NULL};
	(void)state;
	start_with(options);
	assert_confined(KEPT | BIT(CAP_NET_BIND_SERVICE));
}

/* Files of a policy, and what is above them, may be readable by their owner only. */
static void a_policy_directory_is_read_whatever_its_modes(void **state)
{
	g_autofree char *dir = g_strdup_printf("%s/policy.d", netns_workdir());
	g_autofree char *file = g_strdup_printf("%s/web.json", dir);
	const char *const options[] = {"--policy-dir", dir, NULL};
	AUTO_JSON json_t *status = NULL;

	(void)state;
	assert_int_equal(g_mkdir_with_parents(dir, 0700), 0);
	assert_true(
		g_file_set_contents(file, "{\"version\":1,\"groups\":{\"sg-a\":{}}}", -1, NULL));
	assert_int_equal(chmod(file, 0), 0);
	assert_int_equal(chmod(dir, 0), 0);
	start_with(options);
	assert_confined(KEPT | BIT(CAP_DAC_READ_SEARCH));
	status = sgctl_json(confined, "show", "status", NULL);
	assert_int_equal(json_integer_value(json_object_get(status, "groups")), 1);
	netns_remove_tree(dir);
}

/* ------------------------------------------------------------------ taken over */

struct call {
	const char *name;
	long number;
	unsigned long long arguments[4];
};

static void wait_stopped(pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
		fail_msg("rulesd does not stop: status %x", (unsigned int)status);
}

/* Of the kernel, for calls that are interrupted and begin again; no program sees them. */
#define ERESTARTNOHAND	      514
#define ERESTART_RESTARTBLOCK 516

/* Whether what was interrupted is the wait of the loop, which may end with EINTR: what another call
 * has done already would be lost. */
static bool is_waiting(const struct user_regs_struct *held)
{
	const long result = (long)held->rax, call = (long)held->orig_rax;

	return (result == -ERESTARTNOHAND || result == -ERESTART_RESTARTBLOCK) &&
	       (call == SYS_poll || call == SYS_ppoll || call == SYS_restart_syscall);
}

/* Stops the first thread where its loop waits: the two bytes before are the instruction for a
 * system call. */
static struct user_regs_struct stop_in_call(void)
{
	const gint64 began = g_get_monotonic_time();
	struct user_regs_struct held;

	for (;;) {
		if (ptrace(PTRACE_SEIZE, confined->pid, 0, 0) < 0 ||
		    ptrace(PTRACE_INTERRUPT, confined->pid, 0, 0) < 0)
			fail_msg("ptrace: %s", strerror(errno));
		wait_stopped(confined->pid);
		if (ptrace(PTRACE_GETREGS, confined->pid, 0, &held) < 0)
			fail_msg("ptrace: %s", strerror(errno));
		if (is_waiting(&held) &&
		    (ptrace(PTRACE_PEEKTEXT, confined->pid, held.rip - 2, 0) & 0xffff) == 0x050f)
			return held;
		if (patience_over(began, GIVE_UP_MS))
			fail_msg("rulesd's loop never waits");
		assert_int_equal(ptrace(PTRACE_DETACH, confined->pid, 0, 0), 0);
		g_usleep(10000);
	}
}

/*
 * Makes the first thread of the daemon call it; what the kernel returned. When that killed it, the
 * daemon's pid is 0 afterwards and the number of the signal is what is returned.
 */
static long call_in(const struct call *call)
{
	struct user_regs_struct held = stop_in_call(), ours = held;
	int status = 0;
	long result;

	ours.rip -= 2;
	ours.rax = (unsigned long long)call->number;
	ours.orig_rax = (unsigned long long)-1; /* nothing to restart */
	ours.rdi = call->arguments[0];
	ours.rsi = call->arguments[1];
	ours.rdx = call->arguments[2];
	ours.r10 = call->arguments[3];
	if (ptrace(PTRACE_SETREGS, confined->pid, 0, &ours) < 0 ||
	    ptrace(PTRACE_SINGLESTEP, confined->pid, 0, 0) < 0 ||
	    waitpid(confined->pid, &status, __WALL) != confined->pid)
		fail_msg("ptrace: %s", strerror(errno));
	if (WIFSIGNALED(status)) {
		confined->pid = 0;
		return WTERMSIG(status);
	}
	if (ptrace(PTRACE_GETREGS, confined->pid, 0, &ours) < 0)
		fail_msg("ptrace: %s", strerror(errno));
	result = (long)ours.rax;
	held.rax = (unsigned long long)-EINTR; /* its poll starts again */
	held.orig_rax = (unsigned long long)-1;
	if (ptrace(PTRACE_SETREGS, confined->pid, 0, &held) < 0 ||
	    ptrace(PTRACE_DETACH, confined->pid, 0, 0) < 0)
		fail_msg("ptrace: %s", strerror(errno));
	return result;
}

static void what_only_an_attacker_calls_kills_it(void **state)
{
	static const struct call calls[] = {
		{"execve", SYS_execve, {0}},
		{"vfork", SYS_vfork, {0}},
		{"ptrace", SYS_ptrace, {PTRACE_TRACEME}},
		{"process_vm_writev", SYS_process_vm_writev, {1}},
		{"mount", SYS_mount, {0}},
		{"umount2", SYS_umount2, {0}},
		{"setns", SYS_setns, {0}},
		{"unshare", SYS_unshare, {CLONE_NEWNS}},
		{"finit_module", SYS_finit_module, {0}},
		{"capset", SYS_capset, {0}},
		{"memfd_create", SYS_memfd_create, {0}},
		{"io_uring_setup", SYS_io_uring_setup, {1}},
		/* The 32-bit way in of the same architecture. */
		{"x32 execve", 0x40000000 + 520, {0}},
	};
	(void)state;
	start_with(NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
		long end = call_in(&calls[i]);

		if (confined->pid || end != SIGSYS)
			fail_msg("%s: rulesd lives on: %ld", calls[i].name, end);
		daemon_restart(confined, NULL);
	}
}

static void what_is_not_needed_does_not_exist(void **state)
{
	const struct call calls[] = {
		{"clone of a process", SYS_clone, {SIGCHLD}},
		{"clone3", SYS_clone3, {0}},
		{"executable memory", SYS_mmap, {0, 4096, PROT_READ | PROT_EXEC}},
		{"executable memory", SYS_mprotect, {0, 4096, PROT_READ | PROT_EXEC}},
		{"packet socket", SYS_socket, {AF_PACKET, SOCK_RAW}},
		{"vsock", SYS_socket, {AF_VSOCK, SOCK_STREAM}},
		{"signal to init", SYS_kill, {1, 0}},
		{"signal to the test",
		 SYS_tgkill,
		 {(unsigned long long)getpid(), (unsigned long long)getpid(), 0}},
		{"BPF_PROG_ATTACH", SYS_bpf, {BPF_PROG_ATTACH}},
		{"BPF_MAP_GET_NEXT_ID", SYS_bpf, {BPF_MAP_GET_NEXT_ID}},
		{"BPF_MAP_GET_FD_BY_ID", SYS_bpf, {BPF_MAP_GET_FD_BY_ID}},
		{"BPF_PROG_GET_FD_BY_ID", SYS_bpf, {BPF_PROG_GET_FD_BY_ID}},
		{"another filter", SYS_seccomp, {1}},
		{"no_new_privs", SYS_prctl, {PR_SET_SECCOMP}},
		{"chdir", SYS_chdir, {0}},
	};
	(void)state;
	start_with(NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
		long result = call_in(&calls[i]);

		if (result != -ENOSYS)
			fail_msg("%s: %ld instead of ENOSYS", calls[i].name, result);
	}
	sgctl_check(confined, "show", "status", NULL);
}

/* ------------------------------------------------------------------ files */

/* Writes below the stack's end, and below what a function may keep there. */
static unsigned long long lend(const char *text, unsigned int at)
{
	const struct user_regs_struct registers = stop_in_call();
	unsigned long long address = ((registers.rsp - 4096) & ~7ull) + at * 256;
	char words[256] = "";

	assert_true(g_strlcpy(words, text, sizeof(words)) < sizeof(words));
	for (size_t i = 0; i < sizeof(words); i += sizeof(long)) {
		long word;

		memcpy(&word, words + i, sizeof(word));
		assert_int_equal(ptrace(PTRACE_POKEDATA, confined->pid, address + i, word), 0);
	}
	assert_int_equal(ptrace(PTRACE_DETACH, confined->pid, 0, 0), 0);
	return address;
}

/* A call with one path, or two. */
static long call_on(const char *name, long number, const char *path, unsigned long long next,
		    const char *other)
{
	const struct call call = {
		name, number, {lend(path, 0), other ? lend(other, 1) : next, 0600}};

	return call_in(&call);
}

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1 /* its version */) >= 2;
}

static void files_are_changed_where_they_are_its_own_only(void **state)
{
	const unsigned long long make = O_WRONLY | O_CREAT | O_CLOEXEC;
	g_autofree char *victim = g_strdup_printf("%s/victim", netns_workdir());
	g_autofree char *made = g_strdup_printf("%s/made", netns_workdir());
	g_autofree char *elsewhere = NULL;
	g_autofree char *swapped = NULL;
	g_autofree char *own = NULL;
	g_autofree char *moved = NULL;
	g_autofree char *text = NULL;

	(void)state;
	if (!has_landlock()) {
		print_message("skip: no Landlock in this kernel\n");
		skip();
	}
	start_with(NULL);
	own = g_strdup_printf("%s/own", confined->state_dir);
	moved = g_strdup_printf("%s/attached/own", confined->state_dir);
	swapped = g_strdup_printf("%s/link", confined->state_dir);
	assert_true(g_file_set_contents(victim, "whole", -1, NULL));
	assert_int_equal(symlink(victim, swapped), 0);
	assert_int_equal(call_on("write", SYS_open, victim, O_WRONLY, NULL), -EACCES);
	assert_int_equal(call_on("truncate", SYS_open, victim, O_RDWR | O_TRUNC, NULL), -EACCES);
	assert_int_equal(call_on("through a link", SYS_open, swapped, O_WRONLY, NULL), -EACCES);
	assert_int_equal(call_on("make", SYS_open, made, make, NULL), -EACCES);
	assert_int_equal(call_on("make below /etc", SYS_open, "/etc/tapguard-made", make, NULL),
			 -EACCES);
	assert_int_equal(call_on("mkdir", SYS_mkdir, made, 0700, NULL), -EACCES);
	/* EXDEV: so that a program copies instead, which it may not either. */
	assert_int_equal(call_on("move there", SYS_rename, victim, 0, own), -EXDEV);
	/* rulesd's socket is in that directory, so others may go, but nothing else may come. */
	close(g_file_open_tmp("tapguard-elsewhere-XXXXXX", &elsewhere, NULL));
	assert_int_equal(call_on("unlink", SYS_unlink, elsewhere, 0, NULL), -EACCES);
	assert_int_equal(unlink(elsewhere), 0);
	assert_true(call_on("read", SYS_open, victim, O_RDONLY | O_CLOEXEC, NULL) >= 0);
	assert_true(call_on("make its own", SYS_open, own, make, NULL) >= 0);
	assert_int_equal(call_on("move its own", SYS_rename, own, 0, moved), 0);
	assert_int_equal(call_on("remove its own", SYS_unlink, moved, 0, NULL), 0);
	assert_true(g_file_get_contents(victim, &text, NULL, NULL));
	assert_string_equal(text, "whole");
	unlink(victim);
	unlink(swapped);
	daemon_apply(confined, "{\"version\":1}");
}

/* ------------------------------------------------------------------ systemd's side */

static int notify_socket(char **path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval limit = {.tv_sec = GIVE_UP_MS / 1000};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*path = g_strdup_printf("%s/notify", netns_workdir());
	g_strlcpy(address.sun_path, *path, sizeof(address.sun_path));
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	return fd;
}

static void assert_notified(int fd, const char *wanted)
{
	char text[256];

	for (;;) {
		ssize_t length = recv(fd, text, sizeof(text) - 1, 0);

		if (length < 0)
			fail_msg("%s does not come", wanted);
		text[MAX(length, 0)] = '\0';
		if (strcmp(text, wanted) == 0)
			return;
	}
}

static void the_watchdog_is_fed_from_the_loop(void **state)
{
	g_autofree char *path = NULL;
	AUTO_FD int fd = notify_socket(&path);
	char text[256];
	int status = 0;

	(void)state;
	g_setenv("NOTIFY_SOCKET", path, TRUE);
	g_setenv("WATCHDOG_USEC", "150000", TRUE);
	start_with(NULL);
	g_unsetenv("NOTIFY_SOCKET");
	g_unsetenv("WATCHDOG_USEC");
	assert_notified(fd, "READY=1");
	for (unsigned int i = 0; i < 5; i++)
		assert_notified(fd, "WATCHDOG=1");
	/* A loop that does not run feeds nothing: this is what systemd kills it for. */
	kill(confined->pid, SIGSTOP);
	assert_int_equal(waitpid(confined->pid, &status, WUNTRACED), confined->pid);
	assert_true(WIFSTOPPED(status));
	while (recv(fd, text, sizeof(text), MSG_DONTWAIT) > 0)
		continue;
	g_usleep(300 * 1000);
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), -1);
	kill(confined->pid, SIGCONT);
	assert_notified(fd, "WATCHDOG=1");
	assert_int_equal(daemon_stop(confined), 0);
	assert_notified(fd, "STOPPING=1");
	unlink(path);
}

/* One of the two last: what starts afterwards has no more than the unit gives, as
 * CapabilityBoundingSet. */
static void the_capabilities_of_the_unit_suffice(void **state)
{
	static const char *const options[] = {"--socket-group", GROUP, NULL};
	const struct group *group = getgrnam(GROUP);
	struct http_peer member = {.uid = 65534, .gid = 65534};
	struct stat st;

	(void)state;
	assert_non_null(group);
	member.group = group->gr_gid;
	for (unsigned long value = 0; prctl(PR_CAPBSET_READ, value, 0, 0, 0) >= 0; value++)
		if (!(TO_START & BIT(value)))
			assert_int_equal(prctl(PR_CAPBSET_DROP, value, 0, 0, 0), 0);
	chmod(netns_workdir(), 0755); /* so that others reach the socket */
	start_with(options);
	assert_bounded(KEPT, TO_START);
	daemon_apply(confined, "{\"version\":1}");
	/* Nothing may give the socket to the group: the access control list does. */
	assert_int_equal(stat(confined->socket, &st), 0);
	assert_int_equal(st.st_gid, 0);
	assert_int_equal(http_status_as(&member, confined->socket, "GET", "/v1/status", NULL), 200);
	member.group = member.gid;
	assert_int_equal(http_status_as(&member, confined->socket, "GET", "/v1/status", NULL), 0);
}

/* The last. CAP_SYS_ADMIN opens maps by id, at the start only: where nothing is pinned it is not
 * needed, and where something is, rulesd does not start without, and says so. */
static void without_sys_admin_it_starts_from_nothing_only(void **state)
{
	static const char *const none[] = {NULL};
	struct daemon *bare;

	(void)state;
	if (confined->pid)
		daemon_stop(confined);
	assert_int_equal(prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0), 0);
	bare = daemon_start("bare", none);
	daemon_apply(bare, "{\"version\":1}");
	assert_int_equal(daemon_stop(bare), 0);
	{
		const char *const again[] = {
			RULESD,		 "--socket", bare->socket, "--state-dir",
			bare->state_dir, "--bpffs",  bare->bpffs,  NULL};
		AUTO_COMMAND struct command command = command_run(again);

		if (command.status != 1 ||
		    !strstr(command.err, "needs CAP_SYS_ADMIN while rulesd starts"))
			fail_msg("exit %d: %s", command.status, command.err);
	}
}

/* In a namespace of its own: the host's port 80 may be taken. */
static int setup(void **state)
{
	if (netns_group_setup(state) < 0)
		return -1;
	netns_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	daemon_delete_all();
	return 0;
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_what_is_needed_is_kept),
		TEST(a_low_port_needs_one_more),
		TEST(a_policy_directory_is_read_whatever_its_modes),
		TEST(what_only_an_attacker_calls_kills_it),
		TEST(what_is_not_needed_does_not_exist),
		TEST(files_are_changed_where_they_are_its_own_only),
		TEST(the_watchdog_is_fed_from_the_loop),
		TEST(the_capabilities_of_the_unit_suffice),
		TEST(without_sys_admin_it_starts_from_nothing_only),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
