/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_digest.c - policy_sha256 of a large policy: worked out beside everything else, for the
 * policy that holds and no other one.
 */
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/daemon.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"

#define MEMBERS 30000u /* 2 MB: more than what is worked out at once */
#define POLL_MS 20

static const char *large_policy(void)
{
	g_autoptr(GString) text = g_string_new("{\"version\":1,\"interfaces\":{");

	for (unsigned int i = 0; i < MEMBERS; i++)
		g_string_append_printf(
			text, "%s\"m%u\":{\"addresses\":[\"10.%u.%u.%u\"],\"description\":\"%s\"}",
			i ? "," : "", i, i >> 16, i >> 8 & 255, i & 255, "a member like others");
	g_string_append(text, "}}");
	return policy_file("large.json", text->str);
}

/* "" while it is null. */
static char *digest_now(const struct daemon *daemon)
{
	AUTO_JSON json_t *status = sgctl_json(daemon, "show", "status", NULL);
	const json_t *digest = json_object_get(status, "policy_sha256");

	assert_non_null(digest);
	assert_true(json_is_string(digest) || json_is_null(digest));
	return g_strdup(json_is_string(digest) ? json_string_value(digest) : "");
}

static char *digest_in_time(const struct daemon *daemon)
{
	char *digest = digest_now(daemon);
	const gint64 began = g_get_monotonic_time();

	while (!*digest && !patience_over(began, GIVE_UP_MS)) {
		g_usleep(POLL_MS * 1000);
		g_free(digest);
		digest = digest_now(daemon);
	}
	return digest;
}

static char *digest_of(const char *path)
{
	AUTO_COMMAND struct command command = sgctl_run(NULL, "fmt", "--sha256", path, NULL);

	assert_int_equal(command.status, 0);
	return g_strndup(command.out, 64);
}

static void a_large_policy_gets_its_digest_and_keeps_it_through_a_restart(void **state)
{
	struct daemon *daemon;
	const char *path;
	g_autofree char *digest = NULL, *wanted = NULL, *again = NULL;

	(void)state;
	netns_new();
	daemon = daemon_start("digest", NULL);
	path = large_policy();
	wanted = digest_of(path);
	sgctl_check(daemon, "apply", path, NULL);
	/* The answer waits for it. */
	digest = digest_now(daemon);
	assert_string_equal(digest, wanted);
	daemon_stop(daemon);
	daemon_restart(daemon, NULL);
	again = digest_now(daemon);
	assert_string_equal(again, wanted);
}

static void the_digest_of_a_policy_that_is_changed_meanwhile_is_not_its_own(void **state)
{
	const struct daemon *daemon;
	const char *path, *patch;
	g_autofree char *before = NULL, *first = NULL, *after = NULL;

	(void)state;
	netns_new();
	daemon = daemon_start("digest", NULL);
	path = large_policy();
	before = digest_of(path);
	sgctl_check(daemon, "apply", path, NULL);
	first = digest_now(daemon);
	assert_non_null(first);
	patch = policy_file("patch.json", "{\"version\":1,\"interfaces\":{\"m7\":null}}");
	sgctl_check(daemon, "patch", patch, NULL);
	after = digest_in_time(daemon);
	assert_int_equal(strlen(after), 64);
	assert_string_not_equal(after, before);
}

static void stopping_does_not_wait_for_it(void **state)
{
	struct daemon *daemon;
	g_autofree char *digest = NULL;

	(void)state;
	netns_new();
	daemon = daemon_start("digest", NULL);
	sgctl_check(daemon, "apply", large_policy(), NULL);
	digest = digest_now(daemon);
	assert_non_null(digest);
	daemon_stop(daemon);
}

static int end(void **state)
{
	(void)state;
	daemon_delete_all();
	netns_leave();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			a_large_policy_gets_its_digest_and_keeps_it_through_a_restart, end),
		cmocka_unit_test_teardown(
			the_digest_of_a_policy_that_is_changed_meanwhile_is_not_its_own, end),
		cmocka_unit_test_teardown(stopping_does_not_wait_for_it, end),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
