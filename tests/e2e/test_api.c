/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_api.c - the API of the real rulesd, as a client without sgctl sees it: every route, every
 * kind of refusal, generations and If-Match.
 */
#include <glib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rulesd/api_request.h"
#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/http.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

static const char policy[] =
	"{ \"version\": 1,"
	"  \"groups\": { \"sg-web\": { \"ingress\": [ { \"id\": \"https\", \"protocol\": \"tcp\","
	"    \"ports\": [443], \"from\": [\"any\", \"pl-office\"] } ] } },"
	"  \"prefix_lists\": { \"pl-office\": { \"entries\": [\"203.0.113.0/24\"] } },"
	"  \"interfaces\": { \"web\": { \"device\": \"tap0\", \"addresses\": [\"10.0.0.5\"],"
	"    \"groups\": [\"sg-web\"] } } }";

#define HAND "{ \"device\": \"tap1\", \"addresses\": [\"10.0.0.9\"], \"groups\": [\"sg-web\"] }"

struct stage {
	struct tap *web, *outside;
	struct daemon *daemon;
	const char *socket;
};

static struct stage open_stage(const char *const *options)
{
	struct stage stage = {.web = scene_tap("tap0"), .outside = scene_tap("tap1")};

	stage.daemon = daemon_start("api", options);
	stage.socket = stage.daemon->socket;
	return stage;
}

static void put_policy(const struct stage *stage, const char *text)
{
	AUTO_HTTP struct http_answer answer =
		http_expect(stage->socket, 200, "PUT", "/v1/policy", text, NULL);
}

static json_int_t number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		fail_msg("%s is no integer", key);
	return json_integer_value(value);
}

static const char *word(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* ---------------------------------------------------------------- routes */

static void every_get_answers_and_has_the_generation_as_its_etag(void **state)
{
	struct stage stage = open_stage(NULL);
	g_autofree char *etag = NULL;
	unsigned int routes = 0;

	(void)state;
	put_policy(&stage, policy);
	for (const struct api_route *route = api_routes; route->method; route++) {
		g_autofree char *path = g_strdup(route->path);
		AUTO_HTTP struct http_answer answer = {0};
		char *mark = strstr(path, "{id}");

		if (strcmp(route->method, "GET") != 0 || strcmp(path, "/v1/events") == 0)
			continue;
		if (mark)
			memcpy(mark, "web", 4);
		if (strcmp(path, "/v1/members") == 0) {
			g_free(path);
			path = g_strdup("/v1/members?group=sg-web");
		}
		answer = http_expect(stage.socket, 200, "GET", path, NULL, NULL);
		if (strcmp(path, "/metrics") != 0 && !answer.json)
			fail_msg("GET %s: no JSON: %s", path, answer.text);
		assert_non_null(answer.etag);
		if (!etag)
			etag = g_strdup(answer.etag);
		assert_string_equal(answer.etag, etag);
		routes++;
	}
	assert_true(routes >= 14);
}

static void every_resource_refuses_other_methods_and_names_its_own(void **state)
{
	struct stage stage = open_stage(NULL);

	(void)state;
	for (const struct api_route *route = api_routes; route->method; route++) {
		g_autofree char *path = g_strdup(route->path);
		char *mark = strstr(path, "{id}");
		AUTO_HTTP struct http_answer answer = {0};

		if (mark)
			memcpy(mark, "web", 4);
		answer = http_expect(stage.socket, 405, "TRACE", path, NULL, NULL);
		assert_non_null(answer.allow);
		if (!strstr(answer.allow, route->method))
			fail_msg("%s: Allow is %s", path, answer.allow);
	}
	http_refuses(stage.socket, 405, "method", "POST", "/v1/status", "{}");
	http_refuses(stage.socket, 404, "not-found", "GET", "/v2/status", NULL);
	http_refuses(stage.socket, 404, "not-found", "GET", "/v1/interfaces/", NULL);
	http_refuses(stage.socket, 404, "not-found", "GET", "/v1/interfaces/a%2fb", NULL);
}

static void what_is_not_there_yet_says_so(void **state)
{
	struct stage stage = open_stage(NULL);

	(void)state;
	http_refuses(stage.socket, 501, "not-supported", "POST", "/v1/flows", "[]");
}

static void head_is_a_get_without_a_body(void **state)
{
	struct stage stage = open_stage(NULL);
	AUTO_HTTP struct http_answer answer =
		http_expect(stage.socket, 200, "HEAD", "/v1/status", NULL, NULL);

	(void)state;
	assert_string_equal(answer.text, "");
	assert_non_null(answer.etag);
}

/* ---------------------------------------------------------------- the policy */

static void a_policy_that_is_refused_changes_nothing(void **state)
{
	struct stage stage = open_stage(NULL);
	AUTO_HTTP struct http_answer before = {0};
	AUTO_HTTP struct http_answer after = {0};

	(void)state;
	put_policy(&stage, policy);
	before = http_expect(stage.socket, 200, "GET", "/v1/policy", NULL, NULL);
	http_refuses(stage.socket, 400, "syntax", "PUT", "/v1/policy", "{\"version\":1,}");
	http_refuses(stage.socket, 400, "syntax", "PUT", "/v1/policy", NULL);
	http_refuses(stage.socket, 400, "type", "PUT", "/v1/policy", "{\"files\":[]}");
	http_refuses(stage.socket, 400, "type", "PUT", "/v1/policy", "{\"files\":[{\"name\":1}]}");
	http_refuses(stage.socket, 422, "version", "PUT", "/v1/policy", "{\"version\":2}");
	http_refuses(stage.socket, 422, "unknown-field", "PUT", "/v1/policy",
		     "{\"version\":1,\"rules\":[]}");
	http_refuses(stage.socket, 400, "parameter", "PUT", "/v1/policy?existing=maybe", policy);
	http_refuses(stage.socket, 400, "parameter", "PUT", "/v1/policy?dry_run=2", policy);
	http_refuses(stage.socket, 400, "unknown-parameter", "PUT", "/v1/policy?dryrun=1", policy);
	after = http_expect(stage.socket, 200, "GET", "/v1/policy", NULL, NULL);
	assert_string_equal(after.text, before.text);
	assert_string_equal(after.etag, before.etag);
	assert_passes(stage.outside, stage.web, "tcp 10.0.0.9:4000 > 10.0.0.5:443 S");
	assert_drops(stage.outside, stage.web, "tcp 10.0.0.9:4000 > 10.0.0.5:444 S");
}

/* Files keep their places. */
static void mistakes_are_named_with_file_line_and_pointer(void **state)
{
	struct stage stage = open_stage(NULL);
	AUTO_HTTP struct http_answer answer = http_expect(
		stage.socket, 422, "PUT", "/v1/policy",
		"{\"files\":[{\"name\":\"ok.json\",\"text\":\"{\\\"version\\\":1}\"},"
		"{\"name\":\"bad.json\",\"text\":\"{\\\"version\\\":1,\\n \\\"groups\\\":7}\"}]}",
		NULL);
	const json_t *error = json_array_get(json_object_get(answer.json, "errors"), 0);

	(void)state;
	assert_string_equal(word(error, "file"), "bad.json");
	assert_int_equal(number(error, "line"), 2);
	assert_string_equal(word(error, "pointer"), "/groups");
}

static void the_same_policy_twice_writes_nothing(void **state)
{
	struct stage stage = open_stage(NULL);
	AUTO_HTTP struct http_answer first =
		http_expect(stage.socket, 200, "PUT", "/v1/policy", policy, NULL);
	AUTO_HTTP struct http_answer second =
		http_expect(stage.socket, 200, "PUT", "/v1/policy", policy, NULL);
	g_autofree char *spaced = g_strconcat("\n\n", policy, "\n", NULL);
	AUTO_HTTP struct http_answer third =
		http_expect(stage.socket, 200, "PUT", "/v1/policy", spaced, NULL);

	(void)state;
	assert_true(json_is_true(json_object_get(first.json, "changed")));
	assert_true(number(first.json, "writes") > 0);
	assert_true(json_is_false(json_object_get(second.json, "changed")));
	assert_int_equal(number(second.json, "writes"), 0);
	assert_int_equal(number(second.json, "generation"), number(first.json, "generation"));
	assert_int_equal(number(third.json, "writes"), 0);
	assert_string_equal(third.etag, first.etag);
}

static void a_dry_run_changes_nothing(void **state)
{
	struct stage stage = open_stage(NULL);
	AUTO_HTTP struct http_answer answer =
		http_expect(stage.socket, 200, "PUT", "/v1/policy?dry_run=1", policy, NULL);
	AUTO_HTTP struct http_answer status =
		http_expect(stage.socket, 200, "GET", "/v1/status", NULL, NULL);

	(void)state;
	assert_true(json_is_true(json_object_get(answer.json, "changed")));
	assert_int_equal(number(json_object_get(answer.json, "interfaces"), "filtering"), 1);
	assert_string_equal(word(status.json, "source"), "none");
	assert_int_equal(number(status.json, "interfaces"), 0);
	assert_passes(stage.outside, stage.web, "tcp 10.0.0.9:4000 > 10.0.0.5:444 S");
	http_refuses(stage.socket, 422, "version", "PUT", "/v1/policy?dry_run=1",
		     "{\"version\":2}");
}

static void rollback_goes_back_and_knows_its_limits(void **state)
{
	struct stage stage = open_stage(NULL);
	AUTO_HTTP struct http_answer first = {0};
	AUTO_HTTP struct http_answer back = {0};
	g_autofree char *body = NULL;

	(void)state;
	http_refuses(stage.socket, 404, "not-found", "POST", "/v1/rollback", "{}");
	first = http_expect(stage.socket, 200, "PUT", "/v1/policy", policy, NULL);
	put_policy(&stage, "{\"version\":1}");
	assert_passes(stage.outside, stage.web, "tcp 10.0.0.9:4000 > 10.0.0.5:444 S");
	body = g_strdup_printf("{\"generation\":%d}", (int)number(first.json, "generation"));
	back = http_expect(stage.socket, 200, "POST", "/v1/rollback", body, NULL);
	assert_true(number(back.json, "generation") > number(first.json, "generation"));
	assert_drops(stage.outside, stage.web, "tcp 10.0.0.9:4000 > 10.0.0.5:444 S");
	http_refuses(stage.socket, 404, "not-found", "POST", "/v1/rollback",
		     "{\"generation\":999}");
	http_refuses(stage.socket, 400, "type", "POST", "/v1/rollback", "{\"generation\":\"1\"}");
	http_refuses(stage.socket, 400, "syntax", "POST", "/v1/rollback", "{");
}

static void if_match_guards_every_writer(void **state)
{
	static const char *const writers[][3] = {
		{"PUT", "/v1/policy", policy},
		{"POST", "/v1/rollback", "{}"},
		{"PUT", "/v1/interfaces/hand", HAND},
		{"DELETE", "/v1/interfaces/hand", NULL},
	};
	struct stage stage = open_stage(NULL);
	AUTO_HTTP struct http_answer applied =
		http_expect(stage.socket, 200, "PUT", "/v1/policy", policy, "If-Match: *");
	g_autofree char *match = g_strconcat("If-Match: ", applied.etag, NULL);

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(writers); i++) {
		AUTO_HTTP struct http_answer answer =
			http_expect(stage.socket, 412, writers[i][0], writers[i][1], writers[i][2],
				    "If-Match: \"999\"");

		assert_true(json_is_array(json_object_get(answer.json, "errors")));
	}
	{
		AUTO_HTTP struct http_answer answer = http_expect(
			stage.socket, 200, "PUT", "/v1/policy", "{\"version\":1}", match);
	}
	{
		AUTO_HTTP struct http_answer answer =
			http_expect(stage.socket, 412, "PUT", "/v1/policy", policy, match);
	}
}

/* ---------------------------------------------------------------- interfaces */

static void an_interface_comes_changes_and_goes(void **state)
{
	struct stage stage = open_stage(NULL);
	AUTO_HTTP struct http_answer new = {0};
	AUTO_HTTP struct http_answer changed = {0};
	AUTO_HTTP struct http_answer gone = {0};

	(void)state;
	put_policy(&stage, policy);
	new = http_expect(stage.socket, 201, "PUT", "/v1/interfaces/hand", HAND, NULL);
	assert_string_equal(word(new.json, "state"), "filtering");
	assert_string_equal(word(new.json, "source"), "attached");
	changed = http_expect(stage.socket, 200, "PUT", "/v1/interfaces/hand",
			      "{\"device\":\"tap1\",\"addresses\":[\"10.0.0.8\"]}", NULL);
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(changed.json, "addresses"), 0)),
		"10.0.0.8");
	gone = http_expect(stage.socket, 200, "DELETE", "/v1/interfaces/hand", NULL, NULL);
	assert_true(number(gone.json, "generation") >= 1);
	http_refuses(stage.socket, 404, "not-found", "DELETE", "/v1/interfaces/hand", NULL);
	http_refuses(stage.socket, 404, "not-found", "GET", "/v1/interfaces/hand", NULL);
}

static void interfaces_that_cannot_be_are_refused_and_leave_no_trace(void **state)
{
	struct stage stage = open_stage(NULL);
	AUTO_HTTP struct http_answer list = {0};

	(void)state;
	put_policy(&stage, policy);
	http_refuses(stage.socket, 404, "no-device", "PUT", "/v1/interfaces/x",
		     "{\"device\":\"tap9\",\"addresses\":[\"10.0.0.8\"]}");
	http_refuses(stage.socket, 409, "in-policy", "PUT", "/v1/interfaces/web", HAND);
	http_refuses(stage.socket, 409, "in-policy", "DELETE", "/v1/interfaces/web", NULL);
	http_refuses(stage.socket, 422, "unknown-network", "PUT", "/v1/interfaces/x",
		     "{\"device\":\"tap1\",\"addresses\":[\"10.0.0.8\"],\"network\":\"blue\"}");
	http_refuses(stage.socket, 422, "unknown-group", "PUT", "/v1/interfaces/x",
		     "{\"device\":\"tap1\",\"addresses\":[\"10.0.0.8\"],\"groups\":[\"sg-no\"]}");
	http_refuses(stage.socket, 400, "syntax", "PUT", "/v1/interfaces/x", "{");
	http_refuses(stage.socket, 400, "parameter", "PUT", "/v1/interfaces/x?wait=301", HAND);
	http_refuses(stage.socket, 400, "parameter", "PUT", "/v1/interfaces/x?adopt_flows=0", HAND);
	list = http_expect(stage.socket, 200, "GET", "/v1/interfaces", NULL, NULL);
	assert_int_equal(json_array_size(list.json), 1);
	assert_passes(stage.outside, stage.web, "tcp 10.0.0.9:4000 > 10.0.0.5:443 S");
}

static void a_device_may_be_waited_for(void **state)
{
	static const char late[] = "{\"device\":\"tap2\",\"addresses\":[\"10.0.0.8\"]}";
	struct stage stage = open_stage(NULL);
	AUTO_HTTP struct http_answer recorded = http_expect(
		stage.socket, 202, "PUT", "/v1/interfaces/late?allow_waiting=1", late, NULL);
	AUTO_HTTP struct http_answer waited =
		http_expect(stage.socket, 202, "PUT", "/v1/interfaces/late?wait=1", late, NULL);
	AUTO_HTTP struct http_answer filtering = {0};
	int status = 0;
	pid_t pid;

	(void)state;
	assert_string_equal(word(recorded.json, "state"), "waiting");
	assert_string_equal(word(waited.json, "state"), "waiting");
	pid = fork();
	if (pid == 0) {
		AUTO_HTTP struct http_answer answer = http_request(
			stage.socket, "PUT", "/v1/interfaces/late?wait=20", late, NULL);

		_exit(answer.status == 200 && strstr(answer.text, "\"filtering\"") ? 0 : 1);
	}
	g_usleep(100 * 1000);
	scene_tap("tap2");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	filtering =
		http_expect(stage.socket, 200, "PUT", "/v1/interfaces/late?wait=20", late, NULL);
	assert_string_equal(word(filtering.json, "state"), "filtering");
}

static void reservations_that_do_not_fit_are_refused(void **state)
{
	static const char *const options[] = {"--max-flows", "1000", NULL};
	struct stage stage = open_stage(options);

	(void)state;
	http_refuses(stage.socket, 422, "max-flows", "PUT", "/v1/policy", policy);
	http_refuses(stage.socket, 422, "max-flows", "PUT", "/v1/interfaces/x",
		     "{\"device\":\"tap1\",\"addresses\":[\"10.0.0.8\"]}");
	{
		AUTO_HTTP struct http_answer answer =
			http_expect(stage.socket, 201, "PUT", "/v1/interfaces/x",
				    "{\"device\":\"tap1\",\"addresses\":[\"10.0.0.8\"],"
				    "\"conntrack\":{\"max_flows\":1000}}",
				    NULL);

		assert_int_equal(number(answer.json, "max_flows"), 1000);
	}
}

/* ---------------------------------------------------------------- questions */

static void questions_about_what_is_not_there_are_refused(void **state)
{
	struct stage stage = open_stage(NULL);
	AUTO_HTTP struct http_answer bad_text = {0};

	(void)state;
	put_policy(&stage, policy);
	http_refuses(stage.socket, 400, "parameter", "GET", "/v1/members", NULL);
	http_refuses(stage.socket, 404, "not-found", "GET", "/v1/members?group=sg-no", NULL);
	http_refuses(stage.socket, 404, "not-found", "GET", "/v1/stats?interface=no", NULL);
	http_refuses(stage.socket, 404, "not-found", "GET", "/v1/flows?interface=no", NULL);
	http_refuses(stage.socket, 400, "parameter", "GET", "/v1/flows?sport=99999", NULL);
	http_refuses(stage.socket, 400, "parameter", "GET", "/v1/flows?src=10.0.0.1/8", NULL);
	http_refuses(stage.socket, 400, "parameter", "DELETE", "/v1/flows?protocol=nope", NULL);
	bad_text = http_expect(stage.socket, 404, "GET", "/v1/interfaces/%ff%fe", NULL, NULL);
	assert_non_null(
		word(json_array_get(json_object_get(bad_text.json, "errors"), 0), "message"));
	http_refuses(stage.socket, 404, "not-found", "POST", "/v1/trace",
		     "{\"interface\":\"no\",\"direction\":\"ingress\",\"protocol\":\"tcp\","
		     "\"src\":\"10.0.0.9\",\"dst\":\"10.0.0.5\",\"dport\":443}");
	http_refuses(stage.socket, 422, "trace", "POST", "/v1/trace", "{}");
	http_refuses(stage.socket, 400, "syntax", "POST", "/v1/trace", NULL);
}

/* As if it were not there, it would mean every flow, or a change for good. */
static void a_parameter_without_its_value_is_refused(void **state)
{
	static const char *const flows[] = {"protocol", "direction", "sport",
					    "dport",	"src",	     "dst"};
	struct stage stage = open_stage(NULL);
	AUTO_HTTP struct http_answer status = {0};

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(flows); i++) {
		g_autofree char *path = g_strconcat("/v1/flows?", flows[i], NULL);

		http_refuses(stage.socket, 400, "parameter", "DELETE", path, NULL);
	}
	http_refuses(stage.socket, 404, "not-found", "DELETE", "/v1/flows?interface", NULL);
	http_refuses(stage.socket, 400, "parameter", "PUT", "/v1/policy?confirm", policy);
	http_refuses(stage.socket, 400, "parameter", "DELETE", "/v1/flows?sport=1&dport=2&sport=3",
		     NULL);
	http_refuses(stage.socket, 400, "parameter", "DELETE", "/v1/flows?sport&sport=3", NULL);
	status = http_expect(stage.socket, 200, "GET", "/v1/status", NULL, NULL);
	assert_int_equal(number(status.json, "generation"), 0);
}

static void flows_are_listed_and_flushed_by_the_same_filters(void **state)
{
	struct stage stage = open_stage(NULL);
	AUTO_HTTP struct http_answer listed = {0};
	AUTO_HTTP struct http_answer flushed = {0};
	AUTO_HTTP struct http_answer left = {0};
	struct scene_connection connection = {.client_address = "10.0.0.9",
					      .server_address = "10.0.0.5",
					      .client_port = 4000,
					      .server_port = 443};

	(void)state;
	put_policy(&stage, policy);
	connection.client = stage.outside;
	connection.server = stage.web;
	scene_connect(&connection);
	connection.client_port = 4001;
	scene_connect(&connection);
	listed = http_expect(stage.socket, 200, "GET", "/v1/flows?sport=4001", NULL, NULL);
	assert_int_equal(json_array_size(listed.json), 1);
	assert_string_equal(word(json_array_get(listed.json, 0), "rule"), "sg-web/https");
	flushed = http_expect(stage.socket, 200, "DELETE", "/v1/flows?sport=4001", NULL, NULL);
	assert_int_equal(number(flushed.json, "flushed"), 1);
	assert_true(scene_is_cut(&connection));
	left = http_expect(stage.socket, 200, "GET", "/v1/flows", NULL, NULL);
	assert_int_equal(json_array_size(left.json), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_get_answers_and_has_the_generation_as_its_etag),
		TEST(every_resource_refuses_other_methods_and_names_its_own),
		TEST(what_is_not_there_yet_says_so),
		TEST(head_is_a_get_without_a_body),
		TEST(a_policy_that_is_refused_changes_nothing),
		TEST(mistakes_are_named_with_file_line_and_pointer),
		TEST(the_same_policy_twice_writes_nothing),
		TEST(a_dry_run_changes_nothing),
		TEST(rollback_goes_back_and_knows_its_limits),
		TEST(if_match_guards_every_writer),
		TEST(an_interface_comes_changes_and_goes),
		TEST(interfaces_that_cannot_be_are_refused_and_leave_no_trace),
		TEST(a_device_may_be_waited_for),
		TEST(reservations_that_do_not_fit_are_refused),
		TEST(questions_about_what_is_not_there_are_refused),
		TEST(a_parameter_without_its_value_is_refused),
		TEST(flows_are_listed_and_flushed_by_the_same_filters),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
