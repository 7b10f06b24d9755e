/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_policy_dir_swaps.c - a policy directory in the hands of editors, Kubernetes, git and
 * accidents: what is half written, half replaced or gone changes nothing, what is whole takes
 * effect, also where inotify is deaf.
 *
 * It is long because it holds one small test for each way in which directories are changed.
 */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/http.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"
#include "tests/lib/policy_stage.h"

#define NOBODY	      65534
#define SETTLE_MS     100 /* rulesd's QUIET_MS */
#define QUEUED_EVENTS "/proc/sys/fs/inotify/max_queued_events"
#define GROUPS_OF_A   "{\"version\":1,\"groups\":{\"sg-a\":{}}}"

static char *in_dir(const struct policy_stage *stage, const char *name)
{
	return g_build_filename(stage->dir, name, NULL);
}

/* Nothing of what happened has any effect, now and in a while. */
static void assert_unmoved(const struct policy_stage *stage, json_int_t generation)
{
	g_usleep(POLICY_STAGE_QUIET_MS * 1000);
	assert_int_equal(policy_stage_generation(stage), generation);
	policy_stage_assert(stage, true, false);
}

static void put_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0644), 0);
}

/* ---------------------------------------------------------------- the writer's own pace */

/*
 * What a writer does within SETTLE_MS, rulesd takes as one change. On a busy machine the writer
 * itself may be held up longer: then a try says nothing, and is made again. It is made a real-time
 * task, so that this is rare.
 */
#define TRIES 10

struct pace {
	gint64 last_us, longest_us; /* 0: nothing is written yet */
};

static void pace_step(struct pace *pace)
{
	const gint64 now = g_get_monotonic_time();

	if (pace->last_us)
		pace->longest_us = MAX(pace->longest_us, now - pace->last_us);
	pace->last_us = now;
}

static bool was_swift(const struct pace *pace)
{
	return pace->longest_us < SETTLE_MS * 1000 * 9 / 10;
}

static int never_swift(void)
{
	print_message("skip: this machine kept the writer waiting for more than %d ms, %d times\n",
		      SETTLE_MS, TRIES);
	skip();
	return -1;
}

/* ---------------------------------------------------------------- writers */

/* Pauses that are shorter and longer than rulesd waits, in the midst of the text. */
static void a_file_that_is_half_written_changes_nothing(void **state)
{
	struct policy_stage stage = policy_stage_open(NULL);
	const json_int_t before = policy_stage_generation(&stage);
	static const char text[] = POLICY_STAGE("80");
	g_autofree char *path = in_dir(&stage, "a.json");
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof(text) - 1; i += 60) {
		const size_t length = MIN(60, sizeof(text) - 1 - i);

		assert_int_equal(write(fd, text + i, length), length);
		g_usleep((i == 120 ? 3 * SETTLE_MS : SETTLE_MS / 3) * 1000);
		if (i + length < sizeof(text) - 1) {
			assert_int_equal(policy_stage_generation(&stage), before);
			policy_stage_assert(&stage, true, false);
		}
	}
	close(fd);
	policy_stage_wait_open(&stage, false, true);
	g_free(stage.dir);
}

/* vim: backup by renaming, 4913, write, remove; emacs: lock link, rename of a temporary file. */
static void editors_save_in_their_ways(void **state)
{
	struct policy_stage stage = policy_stage_open(NULL);
	g_autofree char *file = in_dir(&stage, "a.json"), *backup = in_dir(&stage, "a.json~");
	g_autofree char *swap = in_dir(&stage, ".a.json.swp"), *probe = in_dir(&stage, "4913");
	g_autofree char *lock = in_dir(&stage, ".#a.json"), *copy = in_dir(&stage, "#a.json#");
	g_autofree char *temp = in_dir(&stage, ".a.json.Xy12");

	(void)state;
	put_text(swap, "b0VIM 8.2");
	put_text(probe, "");
	assert_int_equal(g_unlink(probe), 0);
	assert_int_equal(g_rename(file, backup), 0);
	put_text(file, POLICY_STAGE("80"));
	assert_int_equal(g_unlink(backup), 0);
	assert_int_equal(g_unlink(swap), 0);
	policy_stage_wait_open(&stage, false, true);

	assert_int_equal(symlink("user@host.1234:1", lock), 0);
	put_text(copy, "half of something");
	put_text(temp, POLICY_STAGE("443"));
	assert_int_equal(g_rename(temp, file), 0);
	assert_int_equal(g_unlink(lock), 0);
	assert_int_equal(g_unlink(copy), 0);
	policy_stage_wait_open(&stage, true, false);
	g_free(stage.dir);
}

static void assert_restless(const struct policy_stage *stage)
{
	AUTO_HTTP struct http_answer status =
		http_expect(stage->daemon->socket, 200, "GET", "/v1/status", NULL, NULL);
	const char *error = json_string_value(json_object_get(status.json, "policy_error"));

	assert_non_null(error);
	assert_non_null(strstr(error, "it keeps changing"));
}

/* false: it was too slow for that to say anything. */
static bool busy_for_long(const struct policy_stage *stage)
{
	const json_int_t before = policy_stage_generation(stage);
	struct pace pace = {0};
	json_int_t after;

	patience_real_time(true);
	for (unsigned int i = 0; i < 130; i++) { /* 6.5 s */
		g_autofree char *name = g_strdup_printf("b%u.json", i % 7);

		policy_stage_write(stage, name, GROUPS_OF_A);
		pace_step(&pace);
		g_usleep(SETTLE_MS / 2 * 1000);
		policy_stage_remove(stage, name);
		pace_step(&pace);
		if (!was_swift(&pace))
			break;
	}
	patience_real_time(false);
	after = policy_stage_generation(stage);
	if (!was_swift(&pace)) {
		policy_stage_wait_error(stage, NULL);
		return false;
	}
	assert_int_equal(after, before);
	assert_restless(stage);
	return true;
}

/* Two files that say together what neither says alone; a writer that takes its time. */
static void nothing_is_applied_while_the_writer_is_busy(void **state)
{
	struct policy_stage stage = policy_stage_open(NULL);
	unsigned int tries = 0;

	(void)state;
	while (!busy_for_long(&stage))
		if (++tries == TRIES)
			never_swift();
	policy_stage_write(&stage, "a.json", POLICY_STAGE("80"));
	policy_stage_wait_open(&stage, false, true);
	g_free(stage.dir);
}

/* ---------------------------------------------------------------- symbolic links */

static void kubelet_version(const char *dir, const char *version, const char *port)
{
	g_autofree char *folder = g_build_filename(dir, version, NULL);
	g_autofree char *web = g_build_filename(folder, "web.json", NULL);
	g_autofree char *more = g_build_filename(folder, "more.json", NULL);
	g_autofree char *text =
		g_strdup_printf("{\"version\":1,\"interfaces\":{\"web\":{\"device\":\"tap0\","
				"\"addresses\":[\"10.0.0.5\"],\"groups\":[\"sg-%s\"]}}}",
				port);
	g_autofree char *groups = g_strdup_printf(
		"{\"version\":1,\"groups\":{\"sg-%s\":{\"ingress\":[{\"protocol\":\"tcp\","
		"\"ports\":[%s],\"from\":[\"any\"]}]}}}",
		port, port);

	assert_int_equal(g_mkdir(folder, 0755), 0);
	assert_int_equal(chmod(folder, 0755), 0);
	put_text(web, text);
	put_text(more, groups);
}

static void kubelet_start(const char *dir)
{
	g_autofree char *data = g_build_filename(dir, "..data", NULL);
	g_autofree char *web = g_build_filename(dir, "web.json", NULL);
	g_autofree char *more = g_build_filename(dir, "more.json", NULL);

	kubelet_version(dir, "..2024_01_01_00_00_00.1", "443");
	assert_int_equal(symlink("..2024_01_01_00_00_00.1", data), 0);
	assert_int_equal(symlink("..data/web.json", web), 0);
	assert_int_equal(symlink("..data/more.json", more), 0);
}

/* As kubelet's atomic writer: a new directory, ..data_tmp renamed over ..data, the old one removed.
 * The interface of one version with the group of the other would be refused. */
static void a_config_map_is_swapped_as_a_whole(void **state)
{
	struct policy_stage stage = policy_stage_open(kubelet_start);
	g_autofree char *data = in_dir(&stage, "..data"), *temp = in_dir(&stage, "..data_tmp");
	g_autofree char *log = NULL;
	const char *old = "..2024_01_01_00_00_00.1";
	json_int_t generation;

	(void)state;
	policy_stage_assert(&stage, true, false);
	for (unsigned int i = 2; i < 8; i++) {
		g_autofree char *version = g_strdup_printf("..2024_01_01_00_00_00.%u", i);
		g_autofree char *gone = in_dir(&stage, old);

		generation = policy_stage_generation(&stage);
		kubelet_version(stage.dir, version, i % 2 ? "443" : "80");
		assert_int_equal(symlink(version, temp), 0);
		assert_int_equal(g_rename(temp, data), 0);
		netns_remove_tree(gone);
		policy_stage_wait_open(&stage, i % 2, !(i % 2));
		assert_int_equal(policy_stage_generation(&stage), generation + 1);
		old = g_intern_string(version);
	}
	log = daemon_log(stage.daemon);
	assert_null(strstr(log, "was refused"));
	g_free(stage.dir);
}

static char *releases; /* with two directories that a link chooses from */

static void make_release(const char *name, const char *port)
{
	g_autofree char *folder = g_build_filename(releases, name, NULL);
	g_autofree char *file = g_build_filename(folder, "a.json", NULL);
	g_autofree char *text = g_strdup_printf(POLICY_STAGE("%s"), port);

	assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
	put_text(file, text);
}

/* The directory itself is a link, as deployments switch between releases. */
static void link_instead(const char *dir)
{
	releases = g_strconcat(dir, ".releases", NULL);
	netns_remove_tree(releases);
	make_release("1", "443");
	make_release("2", "80");
	assert_int_equal(g_rmdir(dir), 0);
	assert_int_equal(symlink("policy.d.releases/1", dir), 0);
}

static void the_directory_may_be_a_link_that_is_swapped(void **state)
{
	struct policy_stage stage = policy_stage_open(link_instead);
	g_autofree char *temp = g_strconcat(stage.dir, ".tmp", NULL);

	(void)state;
	policy_stage_assert(&stage, true, false);
	g_unlink(temp);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(
			symlink(i % 2 ? "policy.d.releases/1" : "policy.d.releases/2", temp), 0);
		assert_int_equal(g_rename(temp, stage.dir), 0);
		policy_stage_wait_open(&stage, i % 2, !(i % 2));
	}
	/* And the one that it leads to now is watched. */
	make_release("1", "80");
	policy_stage_wait_open(&stage, false, true);
	assert_int_equal(g_unlink(stage.dir), 0);
	netns_remove_tree(releases);
	g_clear_pointer(&releases, g_free);
	g_free(stage.dir);
}

/* Of what a link leads to outside of the directory, inotify hears nothing. */
static void what_a_link_leads_to_is_looked_at(void **state)
{
	struct policy_stage stage = policy_stage_open(NULL);
	g_autofree char *elsewhere = g_strconcat(stage.dir, ".elsewhere.json", NULL);
	g_autofree char *file = in_dir(&stage, "a.json");

	(void)state;
	put_text(elsewhere, POLICY_STAGE("80"));
	assert_int_equal(g_unlink(file), 0);
	assert_int_equal(symlink(elsewhere, file), 0);
	policy_stage_wait_open(&stage, false, true);
	put_text(elsewhere, POLICY_STAGE("443"));
	policy_stage_wait_open(&stage, true, false);
	g_unlink(elsewhere);
	policy_stage_wait_error(&stage, "cannot open it");
	policy_stage_assert(&stage, true, false);
	g_free(stage.dir);
}

#define BRANCH_FILES 200

/* git checkout of another branch: each file unlinked and made anew, one after the other. */
static void check_out(const struct policy_stage *stage, const char *branch, const char *port,
		      struct pace *pace)
{
	g_autofree char *policy = g_strdup_printf(POLICY_STAGE("%s"), port);

	for (unsigned int i = 0; i < BRANCH_FILES; i++) {
		g_autofree char *name = g_strdup_printf("g%03u.json", i);
		g_autofree char *text = g_strdup_printf(
			"{\"version\":1,\"groups\":{\"sg-%u\":{\"description\":\"%s\"}}}", i,
			branch);

		if (!pace) {
			policy_stage_write(stage, name, text);
			continue;
		}
		policy_stage_remove(stage, name);
		if (i == BRANCH_FILES / 2) {
			policy_stage_remove(stage, "a.json");
			pace_step(pace);
			g_usleep(SETTLE_MS / 2 * 1000);
			policy_stage_write(stage, "a.json", policy);
		}
		policy_stage_write(stage, name, text);
		pace_step(pace);
		g_usleep(2000);
	}
}

/* Until what is there now is applied, whatever of it was before. */
static void wait_settled(const struct policy_stage *stage)
{
	json_int_t before, now = policy_stage_generation(stage);

	do {
		before = now;
		g_usleep(POLICY_STAGE_QUIET_MS * 1000);
		now = policy_stage_generation(stage);
	} while (now != before);
}

static void a_checkout_in_place_takes_effect_at_its_end(void **state)
{
	struct policy_stage stage = policy_stage_open(NULL);
	bool swift = false;

	(void)state;
	check_out(&stage, "main", "443", NULL);
	policy_stage_wait_open(&stage, true, false);
	for (unsigned int i = 0; i < TRIES && !swift; i++) {
		const bool other = i % 2 == 0;
		json_int_t generation;
		struct pace pace = {0};

		wait_settled(&stage);
		generation = policy_stage_generation(&stage);
		patience_real_time(true);
		check_out(&stage, other ? "topic" : "main", other ? "80" : "443", &pace);
		patience_real_time(false);
		swift = was_swift(&pace);
		policy_stage_wait_open(&stage, !other, other);
		if (swift)
			assert_int_equal(policy_stage_generation(&stage), generation + 1);
	}
	if (!swift)
		never_swift();
	g_free(stage.dir);
}

/* ---------------------------------------------------------------- accidents */

static void a_directory_that_is_emptied_or_removed_keeps_its_policy(void **state)
{
	struct policy_stage stage = policy_stage_open(NULL);
	const json_int_t before = policy_stage_generation(&stage);
	g_autofree char *log = NULL;

	(void)state;
	policy_stage_remove(&stage, "a.json");
	policy_stage_wait_error(&stage, "no *.json");
	assert_unmoved(&stage, before);
	assert_int_equal(g_rmdir(stage.dir), 0);
	policy_stage_wait_error(&stage, "No such file");
	assert_unmoved(&stage, before);
	{
		AUTO_HTTP struct http_answer metrics =
			http_expect(stage.daemon->socket, 200, "GET", "/metrics", NULL, NULL);

		assert_non_null(strstr(metrics.text, "policy_error 1"));
	}
	log = daemon_log(stage.daemon);
	assert_non_null(strstr(log, "the policy that held goes on holding"));
	assert_int_equal(g_mkdir(stage.dir, 0755), 0);
	policy_stage_wait_error(&stage, "no *.json");
	policy_stage_write(&stage, "a.json", POLICY_STAGE("80"));
	policy_stage_wait_open(&stage, false, true);
	g_free(stage.dir);
}

static void another_directory_takes_its_place(void **state)
{
	struct policy_stage stage = policy_stage_open(NULL);
	g_autofree char *other = g_strconcat(stage.dir, ".other", NULL);
	g_autofree char *aside = g_strconcat(stage.dir, ".aside", NULL);
	g_autofree char *file = g_build_filename(other, "a.json", NULL);
	g_autofree char *old = g_build_filename(aside, "a.json", NULL);

	(void)state;
	netns_remove_tree(other);
	netns_remove_tree(aside);
	assert_int_equal(g_mkdir(other, 0755), 0);
	put_text(file, POLICY_STAGE("80"));
	assert_int_equal(g_rename(stage.dir, aside), 0);
	assert_int_equal(g_rename(other, stage.dir), 0);
	policy_stage_wait_open(&stage, false, true);
	/* What was moved away means nothing any more. */
	put_text(old, POLICY_STAGE("22"));
	g_usleep(POLICY_STAGE_QUIET_MS * 1000);
	policy_stage_wait_open(&stage, false, true);
	policy_stage_write(&stage, "a.json", POLICY_STAGE("443"));
	policy_stage_wait_open(&stage, true, false);
	g_free(stage.dir);
}

static void make_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
}

static void what_is_no_file_changes_nothing_and_blocks_nobody(void **state)
{
	static const struct {
		mode_t type;
		const char *link, *words;
	} things[] = {
		{S_IFIFO, NULL, "neither a regular file"},
		{S_IFDIR, NULL, "a directory inside a directory"},
		{S_IFSOCK, NULL, "neither a regular file"},
		{0, "/dev/zero", "neither a regular file"},
		{0, "/dev/full", "neither a regular file"},
		{0, "a.json", "Too many levels"},
		{0, "/nonexistent/a.json", "cannot open it"},
	};
	struct policy_stage stage = policy_stage_open(NULL);
	const json_int_t before = policy_stage_generation(&stage);
	g_autofree char *path = in_dir(&stage, "a.json");

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(things); i++) {
		assert_int_equal(g_unlink(path), 0);
		if (things[i].type == S_IFIFO)
			assert_int_equal(mkfifo(path, 0600), 0);
		else if (things[i].type == S_IFDIR)
			assert_int_equal(g_mkdir(path, 0755), 0);
		else if (things[i].type == S_IFSOCK)
			make_socket(path);
		else
			assert_int_equal(symlink(things[i].link, path), 0);
		policy_stage_wait_error(&stage, things[i].words);
		policy_stage_assert(&stage, true, false);
		assert_int_equal(g_remove(path), 0);
		policy_stage_write(&stage, "a.json", POLICY_STAGE("443"));
		policy_stage_wait_error(&stage, NULL);
	}
	assert_int_equal(policy_stage_generation(&stage), before);
	g_free(stage.dir);
}

static void a_file_in_the_place_of_the_directory_is_refused(void **state)
{
	struct policy_stage stage = policy_stage_open(NULL);
	const json_int_t before = policy_stage_generation(&stage);

	(void)state;
	netns_remove_tree(stage.dir);
	put_text(stage.dir, POLICY_STAGE("80"));
	policy_stage_wait_error(&stage, "it is no directory");
	assert_unmoved(&stage, before);
	assert_int_equal(g_unlink(stage.dir), 0);
	assert_int_equal(mkfifo(stage.dir, 0600), 0);
	assert_unmoved(&stage, before);
	policy_stage_wait_error(&stage, "it is no directory");
	assert_int_equal(g_unlink(stage.dir), 0);
	g_free(stage.dir);
}

/* A link into a place where others write is as good as a file of theirs. */
static void what_others_could_replace_is_refused(void **state)
{
	struct policy_stage stage = policy_stage_open(NULL);
	const json_int_t before = policy_stage_generation(&stage);
	g_autofree char *open = g_strconcat(stage.dir, ".open", NULL);
	g_autofree char *target = g_build_filename(open, "a.json", NULL);
	g_autofree char *file = in_dir(&stage, "a.json");

	(void)state;
	netns_remove_tree(open);
	assert_int_equal(g_mkdir(open, 0777), 0);
	assert_int_equal(chmod(open, 0777), 0);
	put_text(target, POLICY_STAGE("80"));
	assert_int_equal(g_unlink(file), 0);
	assert_int_equal(symlink(target, file), 0);
	policy_stage_wait_error(&stage, "others than root and its owner can write the directory");
	assert_unmoved(&stage, before);
	assert_int_equal(chmod(open, 0755), 0);
	assert_int_equal(lchown(file, NOBODY, NOBODY), 0);
	policy_stage_wait_error(&stage, "symbolic link");
	assert_int_equal(lchown(file, 0, 0), 0);
	assert_int_equal(chown(target, NOBODY, NOBODY), 0);
	policy_stage_wait_error(&stage, "belongs to neither root");
	assert_unmoved(&stage, before);
	assert_int_equal(chown(target, 0, 0), 0);
	policy_stage_wait_open(&stage, false, true);
	netns_remove_tree(open);
	g_free(stage.dir);
}

static unsigned int queue_length(void)
{
	g_autofree char *text = NULL;

	assert_true(g_file_get_contents(QUEUED_EVENTS, &text, NULL, NULL));
	return (unsigned int)strtoul(text, NULL, 10);
}

/* More happens than the kernel's queue holds: the last change is in what was lost. */
static void lost_events_are_made_up_for(void **state)
{
	struct policy_stage stage = policy_stage_open(NULL);
	g_autofree char *noise = in_dir(&stage, "noise"), *other = in_dir(&stage, "other");
	const unsigned int events = queue_length();
	g_autofree char *log = NULL;

	(void)state;
	assert_int_equal(kill(stage.daemon->pid, SIGSTOP), 0);
	put_text(noise, "");
	for (unsigned int i = 0; i < events / 2 + 10; i++)
		assert_int_equal(i % 2 ? g_rename(other, noise) : g_rename(noise, other), 0);
	policy_stage_write(&stage, "a.json", POLICY_STAGE("80"));
	assert_int_equal(kill(stage.daemon->pid, SIGCONT), 0);
	policy_stage_wait_open(&stage, false, true);
	log = daemon_log(stage.daemon);
	assert_non_null(strstr(log, "events were lost"));
	g_free(stage.dir);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_file_that_is_half_written_changes_nothing),
		TEST(editors_save_in_their_ways),
		TEST(nothing_is_applied_while_the_writer_is_busy),
		TEST(a_config_map_is_swapped_as_a_whole),
		TEST(the_directory_may_be_a_link_that_is_swapped),
		TEST(what_a_link_leads_to_is_looked_at),
		TEST(a_checkout_in_place_takes_effect_at_its_end),
		TEST(a_directory_that_is_emptied_or_removed_keeps_its_policy),
		TEST(another_directory_takes_its_place),
		TEST(what_is_no_file_changes_nothing_and_blocks_nobody),
		TEST(a_file_in_the_place_of_the_directory_is_refused),
		TEST(what_others_could_replace_is_refused),
		TEST(lost_events_are_made_up_for),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
