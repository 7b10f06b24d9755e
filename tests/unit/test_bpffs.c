/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_bpffs.c - several rulesd at once where no bpffs is mounted yet: one of them mounts it. A
 * second mount would cover the first, with all that is pinned there.
 */
#include <glib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rulesd/bpffs.h"
#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"

#define ROUNDS	 20
#define STARTERS 16u

static unsigned int count_mounts(const char *path)
{
	g_autofree char *text = NULL;
	g_autofree char *words = g_strdup_printf(" %s ", path);
	unsigned int count = 0;

	assert_true(g_file_get_contents("/proc/self/mountinfo", &text, NULL, NULL));
	for (const char *at = text; (at = strstr(at, words)); at++)
		count++;
	return count;
}

/* Waits until nobody has the pipe's other end, so that all go at once. */
static void start_one(const char *path, int ends[2])
{
	g_autofree char *error = NULL;
	char none;
	int code;

	close(ends[1]);
	if (read(ends[0], &none, 1) != 0)
		_exit(2);
	code = bpffs_mount(path, &error);
	if (code)
		fprintf(stderr, "%s\n", error);
	_exit(code != 0);
}

static void start_many(const char *path)
{
	int ends[2], failed = 0, status;

	assert_int_equal(pipe(ends), 0);
	for (unsigned int i = 0; i < STARTERS; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			start_one(path, ends);
	}
	close(ends[0]);
	close(ends[1]);
	for (unsigned int i = 0; i < STARTERS; i++) {
		assert_true(wait(&status) > 0);
		failed += status != 0;
	}
	assert_int_equal(failed, 0);
}

static void many_that_start_at_once_mount_it_once(void **state)
{
	g_autofree char *path = g_build_filename(netns_workdir(), "bpffs", NULL);

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		unsigned int mounts;

		start_many(path);
		mounts = count_mounts(path);
		assert_true(bpffs_exists(path));
		while (umount(path) == 0)
			;
		if (mounts != 1)
			fail_msg("round %u: it is mounted %u times", round, mounts);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_that_start_at_once_mount_it_once),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
