/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_hostile_input.c - files that no program should be given, to every command that reads one,
 * and bodies to the API: one clear error, at once, and without memory for it.
 */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/http.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"
#include "tests/lib/scene.h"

#define SGCTL	   ".build/sgctl"
#define MOST_MS	   (100 * patience() * patience_slowness()) /* of CPU */
#define MOST_KIB   (64 * 1024)
#define PATIENCE_S 20

static char *folder;

static char *in_folder(const char *name)
{
	return g_build_filename(folder, name, NULL);
}

/* ---------------------------------------------------------------- what is bad */

static void write_bytes(const char *path, const char *bytes, size_t length)
{
	assert_true(g_file_set_contents(path, bytes, (gssize)length, NULL));
}

/* before, then so many times the unit, then after. */
static void write_many(const char *path, const char *before, const char *unit, size_t count,
		       const char *after)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(before, file);
	for (size_t i = 0; i < count; i++)
		fputs(unit, file);
	fputs(after, file);
	assert_int_equal(fclose(file), 0);
}

static void make_sparse(const char *path, off_t size)
{
	write_bytes(path, "", 0);
	assert_int_equal(truncate(path, size), 0);
}

static void make_duplicate(const char *path)
{
	write_bytes(path, "{\"version\":1,\"version\":1}", 25);
}

static void make_nul(const char *path)
{
	write_bytes(path, "{\"version\":1,\0\"groups\":{}}", 27);
}

static void make_bad_utf8(const char *path)
{
	write_bytes(path, "{\"version\":1,\"x-a\":\"\xff\xfe\"}", 24);
}

static void make_infinite(const char *path)
{
	write_bytes(path, "{\"version\":1e999}", 17);
}

static void make_long_number(const char *path)
{
	write_many(path, "{\"version\":", "99999999999999999999999999999999", 3125, "}");
}

static void make_longer_number(const char *path)
{
	write_many(path, "{\"version\":", "99999999999999999999999999999999", 1000000, "}");
}

static void make_deep(const char *path)
{
	write_many(path, "", "[", 100000, "");
}

static void make_deep_objects(const char *path)
{
	write_many(path, "{\"version\":1,\"x-a\":", "{\"a\":", 100000, "");
}

static void make_deeper(const char *path)
{
	write_many(path, "", "[[[[[[[[[[[[[[[[", 2000000, "");
}

static void make_2_gib(const char *path)
{
	make_sparse(path, 1l << 31);
}

/* Below the limit of a policy. */
static void make_200_mib(const char *path)
{
	make_sparse(path, 200l << 20);
}

static void make_spaces(const char *path)
{
	write_many(path, "", "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n", 8 << 20, "");
}

static void make_long_string(const char *path)
{
	write_many(path, "{\"version\":1,\"x-a\":\"", "aaaaaaaaaaaaaaaa", 8 << 20, "\"}");
}

static void make_long_key(const char *path)
{
	write_many(path, "{\"version\":1,\"", "aaaaaaaaaaaaaaaa", 4 << 20, "\":1}");
}

static void make_noise(const char *path)
{
	g_autofree char *noise = g_malloc(32 << 20);
	GRand *rand = g_rand_new_with_seed(1);

	for (size_t i = 0; i < 32 << 20; i += 4) {
		const guint32 word = g_rand_int(rand) | 0x01010101;

		memcpy(noise + i, &word, 4);
	}
	g_rand_free(rand);
	write_bytes(path, noise, 32 << 20);
}

static void make_fifo(const char *path)
{
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void make_folder(const char *path)
{
	assert_int_equal(g_mkdir(path, 0755), 0);
}

static void make_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
}

static void link_to(const char *path, const char *target)
{
	assert_int_equal(symlink(target, path), 0);
}

static void make_zero(const char *path)
{
	link_to(path, "/dev/zero");
}

static void make_full(const char *path)
{
	link_to(path, "/dev/full");
}

static void make_random(const char *path)
{
	link_to(path, "/dev/urandom");
}

static void make_null(const char *path)
{
	link_to(path, "/dev/null");
}

static void make_loop(const char *path)
{
	link_to(path, path);
}

static void make_dangling(const char *path)
{
	link_to(path, "/nonexistent/a.json");
}

static const struct bad {
	const char *name;
	void (*make)(const char *path);
} bad_files[] = {
	{"duplicate keys", make_duplicate},
	{"a NUL byte", make_nul},
	{"invalid UTF-8", make_bad_utf8},
	{"1e999", make_infinite},
	{"a number of 100,000 digits", make_long_number},
	{"a number of 32,000,000 digits", make_longer_number},
	{"100,000 arrays", make_deep},
	{"100,000 objects", make_deep_objects},
	{"32,000,000 arrays", make_deeper},
	{"2 GiB, sparse", make_2_gib},
	{"200 MiB, sparse", make_200_mib},
	{"128 MiB of empty lines", make_spaces},
	{"a string of 128 MiB", make_long_string},
	{"a key of 64 MiB", make_long_key},
	{"32 MiB of noise", make_noise},
	{"a FIFO", make_fifo},
	{"an empty directory", make_folder},
	{"a socket", make_socket},
	{"/dev/zero", make_zero},
	{"/dev/full", make_full},
	{"/dev/urandom", make_random},
	{"/dev/null", make_null},
	{"a link to itself", make_loop},
	{"a link to nothing", make_dangling},
};

/* ---------------------------------------------------------------- commands */

struct outcome {
	int status; /* exit status, or 128 + the signal */
	long cpu_ms, rss_kib;
	char *err;
};

/* Standard output and input are nothing. */
static struct outcome run(const char *const *argv)
{
	g_autofree char *path = in_folder("stderr");
	struct outcome outcome = {0};
	struct rusage usage;
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		const struct rlimit cpu = {PATIENCE_S, PATIENCE_S};
		const struct rlimit memory = {1l << 30, 1l << 30};
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		int err = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		setrlimit(RLIMIT_CPU, &cpu);
		if (MEMORY_COUNTS)
			setrlimit(RLIMIT_AS, &memory);
		alarm(PATIENCE_S);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	outcome.cpu_ms = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
			 (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
	outcome.rss_kib = usage.ru_maxrss;
	assert_true(g_file_get_contents(path, &outcome.err, NULL, NULL));
	return outcome;
}

/* FILE is the bad file, GOOD a policy, NOWHERE a socket that is not there. */
static const struct {
	const char *words[12];
} commands[] = {
	{{"validate", "FILE"}},
	{{"lint", "FILE"}},
	{{"lint", "GOOD", "--baseline", "FILE"}},
	{{"fmt", "--check", "FILE"}},
	{{"fmt", "FILE"}},
	{{"graph", "FILE"}},
	{{"export", "aws", "FILE"}},
	{{"export", "nft", "FILE"}},
	{{"import", "aws", "FILE"}},
	{{"import", "terraform", "FILE"}},
	{{"import", "neutron", "FILE"}},
	{{"import", "aws", "GOOD", "--map", "FILE"}},
	{{"test", "FILE", "--policy", "GOOD"}},
	{{"test", "TESTS", "--policy", "FILE"}},
	{{"plan", "FILE", "--socket", "NOWHERE"}},
	{{"apply", "FILE", "--socket", "NOWHERE"}},
	{{"trace", "--interface", "web", "--pcap", "FILE", "--policy", "GOOD"}},
	{{"trace", "--interface", "web", "--direction", "egress", "--frame", "00", "--policy",
	  "FILE"}},
};

static struct {
	long cpu_ms, rss_kib;
} worst;

/* The least of three: what another process did to the caches is not its fault. */
static struct outcome run_fairly(const char *const *argv)
{
	struct outcome outcome = run(argv);

	for (unsigned int i = 0; i < 2 && outcome.cpu_ms > MOST_MS; i++) {
		struct outcome again = run(argv);

		if (again.cpu_ms >= outcome.cpu_ms) {
			g_free(again.err);
			continue;
		}
		g_free(outcome.err);
		outcome = again;
	}
	worst.cpu_ms = MAX(worst.cpu_ms, outcome.cpu_ms);
	worst.rss_kib = MAX(worst.rss_kib, outcome.rss_kib);
	return outcome;
}

static void judge(const struct bad *bad, const char *const *argv, const char *file)
{
	struct outcome outcome = run_fairly(argv);
	g_autofree char *line = g_strjoinv(" ", (char **)(uintptr_t)argv);
	g_autofree char *err = outcome.err;
	struct stat st;

	if (outcome.status != 1 && outcome.status != 2)
		fail_msg("%s: %s: exit %d: %.200s", bad->name, line, outcome.status, err);
	if (!*err || strstr(err, "Out of memory") || strlen(err) > 1000)
		fail_msg("%s: %s: no clear error: %.200s", bad->name, line, err);
	if (MEMORY_COUNTS && outcome.rss_kib > MOST_KIB)
		fail_msg("%s: %s: %ld KiB", bad->name, line, outcome.rss_kib);
	if (outcome.cpu_ms > MOST_MS)
		fail_msg("%s: %s: %ld ms of CPU", bad->name, line, outcome.cpu_ms);
	assert_int_equal(lstat(file, &st), 0);
}

static void no_command_takes_a_bad_file(void **state)
{
	g_autofree char *file = in_folder("bad.json"), *good = in_folder("good.json");
	g_autofree char *tests = in_folder("tests.json"), *nowhere = in_folder("socket");

	(void)state;
	assert_true(g_file_set_contents(
		good, "{\"version\":1,\"interfaces\":{\"web\":{\"device\":\"tap0\"}}}", -1, NULL));
	write_bytes(tests, "[]", 2);
	for (size_t i = 0; i < G_N_ELEMENTS(bad_files); i++) {
		bad_files[i].make(file);
		for (size_t c = 0; c < G_N_ELEMENTS(commands); c++) {
			const char *argv[G_N_ELEMENTS(commands[c].words) + 2] = {SGCTL};

			for (size_t w = 0; commands[c].words[w]; w++) {
				const char *word = commands[c].words[w];

				argv[w + 1] = strcmp(word, "FILE") == 0	     ? file
					      : strcmp(word, "GOOD") == 0    ? good
					      : strcmp(word, "TESTS") == 0   ? tests
					      : strcmp(word, "NOWHERE") == 0 ? nowhere
									     : word;
			}
			judge(&bad_files[i], argv, file);
		}
		assert_int_equal(g_remove(file), 0);
	}
	print_message("at most %ld ms of CPU, %ld KiB\n", worst.cpu_ms, worst.rss_kib);
}

/* ---------------------------------------------------------------- the API */

struct use {
	long cpu_ms, peak_kib;
};

static struct use use_of(const struct daemon *daemon)
{
	g_autofree char *stat_path = g_strdup_printf("/proc/%d/stat", (int)daemon->pid);
	g_autofree char *status_path = g_strdup_printf("/proc/%d/status", (int)daemon->pid);
	g_autofree char *text = NULL, *status = NULL;
	unsigned long user = 0, system = 0;
	struct use use;

	assert_true(g_file_get_contents(stat_path, &text, NULL, NULL));
	assert_true(g_file_get_contents(status_path, &status, NULL, NULL));
	assert_int_equal(sscanf(strrchr(text, ')'),
				") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
				&system),
			 2);
	use.cpu_ms = (long)((user + system) * 1000 / (unsigned long)sysconf(_SC_CLK_TCK));
	use.peak_kib = strtol(strstr(status, "VmHWM:") + 6, NULL, 10);
	return use;
}

/* Regular files up to this size go to the API as they are; the test itself has to read them. */
#define MOST_BODY (200l << 20)

static void put(const struct daemon *daemon, const struct bad *bad, const char *method,
		const char *path, const char *file)
{
	const struct use before = use_of(daemon);
	g_autofree char *head = NULL;
	g_autofree char *body = NULL;
	struct use after;
	gsize length = 0, sent;
	char answer[64] = "";
	int fd;

	assert_true(g_file_get_contents(file, &body, &length, NULL));
	head = g_strdup_printf("%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", method,
			       path, length);
	fd = http_send_bytes(daemon->socket, head, strlen(head));
	for (sent = 0; sent < length;) {
		ssize_t took = send(fd, body + sent, MIN(length - sent, 1 << 16), MSG_NOSIGNAL);

		if (took <= 0)
			break; /* rulesd has read enough */
		sent += (size_t)took;
	}
	if (recv(fd, answer, sizeof(answer) - 1, 0) > 0 && answer[9] != '4')
		fail_msg("%s: %s %s: %s", bad->name, method, path, answer);
	close(fd);
	after = use_of(daemon);
	if (after.cpu_ms - before.cpu_ms > MOST_MS)
		fail_msg("%s: %s %s: %ld ms of CPU", bad->name, method, path,
			 after.cpu_ms - before.cpu_ms);
	if (MEMORY_COUNTS && after.peak_kib - before.peak_kib > MOST_KIB)
		fail_msg("%s: %s %s: %ld KiB", bad->name, method, path,
			 after.peak_kib - before.peak_kib);
}

static void no_resource_takes_a_bad_body(void **state)
{
	g_autofree char *file = in_folder("bad.json");
	struct daemon *daemon;
	AUTO_HTTP struct http_answer before = {0};
	AUTO_HTTP struct http_answer after = {0};

	(void)state;
	scene_tap("tap0");
	daemon = daemon_start("hostile", NULL);
	daemon_apply(daemon, "{\"version\":1,\"groups\":{\"sg-a\":{}}}");
	before = http_expect(daemon->socket, 200, "GET", "/v1/policy", NULL, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(bad_files); i++) {
		struct stat st;

		bad_files[i].make(file);
		if (lstat(file, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= MOST_BODY) {
			put(daemon, &bad_files[i], "PUT", "/v1/policy", file);
			put(daemon, &bad_files[i], "PATCH", "/v1/policy", file);
			put(daemon, &bad_files[i], "PUT", "/v1/interfaces/x", file);
			put(daemon, &bad_files[i], "POST", "/v1/trace", file);
		}
		assert_int_equal(g_remove(file), 0);
	}
	after = http_expect(daemon->socket, 200, "GET", "/v1/policy", NULL, NULL);
	assert_string_equal(after.text, before.text);
	assert_string_equal(after.etag, before.etag);
}

static int setup(void **state)
{
	folder = g_strdup_printf("%s/hostile", netns_workdir());
	netns_remove_tree(folder);
	assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
	return scene_setup(state);
}

static int teardown(void **state)
{
	netns_remove_tree(folder);
	g_clear_pointer(&folder, g_free);
	return scene_teardown(state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(no_command_takes_a_bad_file),
		TEST(no_resource_takes_a_bad_body),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
