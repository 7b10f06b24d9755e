/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_stage.c - see policy_stage.h.
 */
#include "tests/lib/policy_stage.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/http.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"

#define POLL_MS 10

void policy_stage_write(const struct policy_stage *stage, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(stage->dir, name, NULL);

	assert_true(g_file_set_contents(path, text, -1, NULL));
	assert_int_equal(chmod(path, 0644), 0);
}

void policy_stage_remove(const struct policy_stage *stage, const char *name)
{
	g_autofree char *path = g_build_filename(stage->dir, name, NULL);

	assert_int_equal(g_unlink(path), 0);
}

struct policy_stage policy_stage_open(void (*prepare)(const char *dir))
{
	struct policy_stage stage = {.web = scene_tap("tap0"), .outside = scene_tap("tap1")};
	const char *options[] = {"--policy-dir", NULL, NULL};

	stage.dir = g_strdup_printf("%s/policy.d", netns_workdir());
	netns_remove_tree(stage.dir);
	assert_int_equal(g_mkdir(stage.dir, 0755), 0);
	if (prepare)
		prepare(stage.dir);
	else
		policy_stage_write(&stage, "a.json", POLICY_STAGE("443"));
	options[1] = stage.dir;
	stage.daemon = daemon_start("policydir", options);
	return stage;
}

static json_t *status_of(const struct policy_stage *stage)
{
	AUTO_HTTP struct http_answer answer =
		http_expect(stage->daemon->socket, 200, "GET", "/v1/status", NULL, NULL);

	return json_incref(answer.json);
}

json_int_t policy_stage_generation(const struct policy_stage *stage)
{
	AUTO_JSON json_t *status = status_of(stage);

	return json_integer_value(json_object_get(status, "generation"));
}

void policy_stage_wait_error(const struct policy_stage *stage, const char *words)
{
	for (gint64 began = g_get_monotonic_time(); !patience_over(began, GIVE_UP_MS);) {
		AUTO_JSON json_t *status = status_of(stage);
		const char *error = json_string_value(json_object_get(status, "policy_error"));

		if (words ? error && strstr(error, words) : !error)
			return;
		g_usleep(POLL_MS * 1000);
	}
	fail_msg("policy_error never says %s", words ? words : "that all is well");
}

void policy_stage_wait_after(const struct policy_stage *stage, json_int_t generation)
{
	for (gint64 began = g_get_monotonic_time(); !patience_over(began, GIVE_UP_MS);) {
		if (policy_stage_generation(stage) > generation)
			return;
		g_usleep(POLL_MS * 1000);
	}
	fail_msg("the change of the directory never took effect");
}

void policy_stage_assert(const struct policy_stage *stage, bool https, bool http)
{
	if (https)
		assert_passes(stage->outside, stage->web, "tcp 10.0.0.9:4000 > 10.0.0.5:443 S");
	else
		assert_drops(stage->outside, stage->web, "tcp 10.0.0.9:4000 > 10.0.0.5:443 S");
	if (http)
		assert_passes(stage->outside, stage->web, "tcp 10.0.0.9:4000 > 10.0.0.5:80 S");
	else
		assert_drops(stage->outside, stage->web, "tcp 10.0.0.9:4000 > 10.0.0.5:80 S");
}

static bool passes(const struct policy_stage *stage, const char *text)
{
	struct frame frame;

	frame_make_text(&frame, text);
	return scene_passes(stage->outside, stage->web, &frame);
}

void policy_stage_wait_open(const struct policy_stage *stage, bool https, bool http)
{
	for (gint64 began = g_get_monotonic_time(); !patience_over(began, GIVE_UP_MS);) {
		bool now_https = passes(stage, "tcp 10.0.0.9:4000 > 10.0.0.5:443 S");
		bool now_http = passes(stage, "tcp 10.0.0.9:4001 > 10.0.0.5:80 S");

		if (passes(stage, "tcp 10.0.0.9:4002 > 10.0.0.5:22 S"))
			fail_msg("tcp/22 is open, which no policy says");
		if (now_https == https && now_http == http) {
			policy_stage_wait_error(stage, NULL);
			policy_stage_assert(stage, https, http);
			return;
		}
		g_usleep(POLL_MS * 1000);
	}
	fail_msg("the change of the directory never took effect");
}
