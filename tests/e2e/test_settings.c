/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_settings.c - conntrack settings of an interface that changes while it filters: live flows
 * and new ones obey the new ones, nothing is cut.
 */
#include <glib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/http.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

#define POLICY(settings)                                                                     \
	"{ \"version\": 1, \"groups\": { \"sg-web\": { \"ingress\": [ { \"id\": \"all\","    \
	"  \"protocol\": \"all\", \"from\": [\"any\"] } ] } },"                              \
	" \"interfaces\": { \"web\": { \"device\": \"tap0\", \"addresses\": [\"10.0.0.5\"]," \
	"  \"groups\": [\"sg-web\"], \"conntrack\": {" settings "} } } }"

struct stage {
	struct tap *web, *outside;
	struct daemon *daemon;
	struct scene_connection connection;
};

static struct stage open_stage(const char *policy)
{
	struct stage stage = {.web = scene_tap("tap0"), .outside = scene_tap("tap1")};

	stage.daemon = daemon_start("settings", NULL);
	daemon_apply(stage.daemon, policy);
	stage.connection = (struct scene_connection){.client = stage.outside,
						     .server = stage.web,
						     .client_address = "10.0.0.9",
						     .server_address = "10.0.0.5",
						     .client_port = 4000,
						     .server_port = 443};
	return stage;
}

static double expires(const struct stage *stage, const char *protocol)
{
	g_autofree char *path = g_strconcat("/v1/flows?protocol=", protocol, NULL);
	AUTO_HTTP struct http_answer answer =
		http_expect(stage->daemon->socket, 200, "GET", path, NULL, NULL);

	assert_int_equal(json_array_size(answer.json), 1);
	return json_number_value(json_object_get(json_array_get(answer.json, 0), "expires"));
}

static json_int_t stat_of(const struct stage *stage, const char *name)
{
	AUTO_HTTP struct http_answer answer = http_expect(stage->daemon->socket, 200, "GET",
							  "/v1/stats?interface=web", NULL, NULL);

	return json_integer_value(json_object_get(json_array_get(answer.json, 0), name));
}

static void new_timeouts_hold_for_live_flows(void **state)
{
	struct stage stage = open_stage(POLICY("\"tcp_established\": 432000, \"icmp\": 80000"));

	(void)state;
	scene_connect(&stage.connection);
	assert_passes(stage.outside, stage.web, "icmp 10.0.0.9 > 10.0.0.5");
	assert_true(expires(&stage, "tcp") > 400000);
	assert_true(expires(&stage, "icmp") > 70000);
	daemon_apply(stage.daemon, POLICY("\"tcp_established\": 3600, \"icmp\": 500"));
	assert_true(expires(&stage, "tcp") <= 3600);
	assert_true(expires(&stage, "icmp") <= 500);
	assert_true(scene_exchange(&stage.connection));
	daemon_apply(stage.daemon, POLICY("\"tcp_established\": 432000, \"icmp\": 80000"));
	assert_true(expires(&stage, "tcp") > 400000);
	assert_true(scene_exchange(&stage.connection));
}

/* A third handshake; true when every segment of it arrived. */
static bool third_connects(const struct stage *stage, unsigned int port, bool expected)
{
	struct frame syn, reply, ack;

	frame_make(&syn, "tcp 10.0.0.9:%u > 10.0.0.5:443 S seq=1000", port);
	frame_make(&reply, "tcp 10.0.0.5:443 > 10.0.0.9:%u SA seq=5000 ack=1001", port);
	frame_make(&ack, "tcp 10.0.0.9:%u > 10.0.0.5:443 A seq=1001 ack=5001", port);
	return scene_arrives(stage->outside, stage->web, &syn, expected) &&
	       scene_arrives(stage->web, stage->outside, &reply, expected) &&
	       scene_arrives(stage->outside, stage->web, &ack, expected);
}

static void a_new_allowance_holds_at_once(void **state)
{
	struct stage stage = open_stage(POLICY("\"max_flows\": 2"));

	(void)state;
	scene_connect(&stage.connection);
	stage.connection.client_port++;
	scene_connect(&stage.connection);
	assert_int_equal(stat_of(&stage, "max_flows"), 2);
	assert_int_equal(stat_of(&stage, "allowance_available"), 0);
	assert_false(third_connects(&stage, 5000, false));
	assert_true(stat_of(&stage, "allowance_exceeded") > 0);
	daemon_apply(stage.daemon, POLICY("\"max_flows\": 3"));
	assert_true(third_connects(&stage, 5001, true));
	assert_int_equal(stat_of(&stage, "flows"), 3);
	/* Fewer than there are: nothing is cut, nothing new begins. */
	daemon_apply(stage.daemon, POLICY("\"max_flows\": 1"));
	assert_true(scene_exchange(&stage.connection));
	assert_false(third_connects(&stage, 5002, false));
	assert_int_equal(stat_of(&stage, "flows"), 3);
}

static json_int_t reserved(const struct stage *stage)
{
	AUTO_JSON json_t *status = sgctl_json(stage->daemon, "show", "status", NULL);

	return json_integer_value(json_object_get(status, "reserved_flows"));
}

static void reservations_follow_the_allowance(void **state)
{
	struct stage stage = open_stage(POLICY("\"max_flows\": 1000"));

	(void)state;
	assert_int_equal(reserved(&stage), 1000);
	daemon_apply(stage.daemon, POLICY("\"max_flows\": 60000"));
	assert_int_equal(reserved(&stage), 60000);
	daemon_apply(stage.daemon, POLICY("\"max_flows\": 500"));
	assert_int_equal(reserved(&stage), 500);
}

/* Live flows stay in their shard of the table: what does not fit there needs a new attachment. */
static void an_allowance_that_its_shard_cannot_hold_is_refused_and_changes_nothing(void **state)
{
	struct stage stage = open_stage(POLICY("\"max_flows\": 1000"));

	(void)state;
	scene_connect(&stage.connection);
	http_refuses(stage.daemon->socket, 422, "dataplane", "PUT", "/v1/policy",
		     POLICY("\"max_flows\": 300000, \"icmp\": 500"));
	assert_int_equal(reserved(&stage), 1000);
	assert_int_equal(stat_of(&stage, "max_flows"), 1000);
	assert_true(scene_exchange(&stage.connection));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		TEST(new_timeouts_hold_for_live_flows),
		TEST(a_new_allowance_holds_at_once),
		TEST(reservations_follow_the_allowance),
		TEST(an_allowance_that_its_shard_cannot_hold_is_refused_and_changes_nothing),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
