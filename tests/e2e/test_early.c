/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_early.c - XDP while a VM floods: it comes and goes with the flood, decides nothing that the
 * tc program would not, counts every frame once, and is gone when it must be.
 */
#include <glib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/http.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"
#include "tests/lib/scene.h"

#define POLICY(hook, ports)                                                                     \
	"{ \"version\": 1, \"groups\": { \"sg-client\": { \"egress\": [ { \"id\": \"web\","     \
	"  \"protocol\": \"tcp\", \"ports\": [" ports "], \"to\": [\"any\"] } ] } },"           \
	" \"interfaces\": { \"vm\": { \"device\": \"tap0\", \"addresses\": [\"10.0.0.5\"],"     \
	"  \"mac\": \"52:54:00:00:00:05\", \"hook\": \"" hook "\", \"groups\": [\"sg-client\"]" \
	" } } }"

#define BURST 20000u /* frames between two questions */

struct stage {
	struct tap *vm, *outside;
	struct daemon *daemon;
	struct scene_connection connection;
	uint64_t sent; /* by the VM, all of it */
};

static struct stage open_stage(void)
{
	struct stage stage = {.vm = tap_new("tap0", true), .outside = scene_tap("tap1")};

	bridge_add("br0", stage.vm);
	stage.daemon = daemon_start("early", NULL);
	daemon_apply(stage.daemon, POLICY("auto", "443"));
	stage.connection = (struct scene_connection){.client = stage.vm,
						     .server = stage.outside,
						     .client_address = "10.0.0.5",
						     .server_address = "10.0.0.9",
						     .client_port = 4000,
						     .server_port = 443};
	scene_connect(&stage.connection);
	stage.sent = 2; /* SYN and ACK */
	return stage;
}

static bool is_flooded(const struct stage *stage)
{
	AUTO_HTTP struct http_answer answer =
		http_expect(stage->daemon->socket, 200, "GET", "/v1/interfaces/vm", NULL, NULL);

	return json_boolean_value(json_object_get(answer.json, "flooded"));
}

static void exchange(struct stage *stage)
{
	assert_true(scene_exchange(&stage->connection));
	stage->sent += 2; /* its data, and the acknowledgement of the other's */
}

/* Until XDP is there; false when it never came. */
static bool flood(struct stage *stage)
{
	const gint64 began = g_get_monotonic_time();
	struct frame frame;
	bool flooded = false;

	frame_make(&frame, "tcp 10.0.0.5:4001 > 10.0.0.9:444 S");
	/* A flood is so many frames a second, which a busy machine would not let it be. */
	patience_real_time(true);
	while (!flooded && !patience_over(began, GIVE_UP_MS)) {
		for (unsigned int i = 0; i < BURST; i++)
			assert_int_equal(tap_write(stage->vm, &frame), 0);
		stage->sent += BURST;
		exchange(stage);
		flooded = is_flooded(stage);
	}
	patience_real_time(false);
	return flooded;
}

static uint64_t counted(const struct stage *stage)
{
	AUTO_HTTP struct http_answer answer = http_expect(stage->daemon->socket, 200, "GET",
							  "/v1/stats?interface=vm", NULL, NULL);
	json_t *stats = json_array_get(answer.json, 0);
	uint64_t frames = 0;

	for (unsigned int i = 0; i < 2; i++) {
		json_t *outcome = json_object_get(stats, i ? "dropped" : "allowed");
		json_t *packets = json_object_get(json_object_get(outcome, "egress"), "packets");

		assert_true(json_is_integer(packets));
		frames += (uint64_t)json_integer_value(packets);
	}
	return frames;
}

static void it_comes_with_a_flood_and_goes_after_it(void **state)
{
	struct stage stage = open_stage();
	gint64 began;

	(void)state;
	assert_false(is_flooded(&stage));
	exchange(&stage);
	assert_true(flood(&stage));
	/* Both programs look at each of these. */
	for (unsigned int i = 0; i < 100; i++)
		exchange(&stage);
	stage.connection.client_port++;
	scene_connect(&stage.connection);
	stage.sent += 2;
	assert_passes(stage.vm, stage.outside, "arp 10.0.0.5 > 10.0.0.9 op=1");
	assert_drops(stage.vm, stage.outside, "tcp 10.0.0.5:4002 > 10.0.0.9:445 S");
	assert_drops(stage.vm, stage.outside, "tcp 10.0.0.6:4002 > 10.0.0.9:443 S");
	assert_drops(stage.vm, stage.outside, "tcp 10.0.0.5:4003 > 10.0.0.9:443 A");
	assert_drops(stage.vm, stage.outside, "tcp 10.0.0.5:4003 > 10.0.0.9:443 cut=20");
	stage.sent += 5;
	assert_int_equal(counted(&stage), stage.sent);
	began = g_get_monotonic_time();
	while (is_flooded(&stage) && !patience_over(began, GIVE_UP_MS))
		exchange(&stage);
	assert_false(is_flooded(&stage));
	exchange(&stage);
	assert_int_equal(counted(&stage), stage.sent);
}

static void a_change_of_policy_holds_at_once(void **state)
{
	struct stage stage = open_stage();

	(void)state;
	assert_true(flood(&stage));
	assert_drops(stage.vm, stage.outside, "tcp 10.0.0.5:4001 > 10.0.0.9:444 S");
	daemon_apply(stage.daemon, POLICY("auto", "443, 444"));
	assert_passes(stage.vm, stage.outside, "tcp 10.0.0.5:4001 > 10.0.0.9:444 S");
	daemon_apply(stage.daemon, POLICY("auto", "443"));
	assert_drops(stage.vm, stage.outside, "tcp 10.0.0.5:4001 > 10.0.0.9:444 S");
	assert_true(scene_exchange(&stage.connection));
}

static const char *hook(const struct stage *stage)
{
	AUTO_HTTP struct http_answer answer =
		http_expect(stage->daemon->socket, 200, "GET", "/v1/interfaces/vm", NULL, NULL);

	return g_intern_string(json_string_value(json_object_get(answer.json, "hook")));
}

static void a_hook_that_the_user_names_takes_its_place(void **state)
{
	struct stage stage = open_stage();

	(void)state;
	assert_string_not_equal(hook(&stage), "xdp");
	assert_true(flood(&stage));
	assert_string_not_equal(hook(&stage), "xdp");
	daemon_apply(stage.daemon, POLICY("xdp", "443"));
	assert_string_equal(hook(&stage), "xdp");
	assert_drops(stage.vm, stage.outside, "tcp 10.0.0.5:4001 > 10.0.0.9:444 S");
	assert_true(scene_exchange(&stage.connection));
	daemon_apply(stage.daemon, POLICY("auto", "443"));
	assert_string_not_equal(hook(&stage), "xdp");
	assert_true(flood(&stage));
}

static void it_survives_a_killed_rulesd_and_leaves_with_the_next(void **state)
{
	struct stage stage = open_stage();

	(void)state;
	assert_true(flood(&stage));
	daemon_kill(stage.daemon);
	assert_drops(stage.vm, stage.outside, "tcp 10.0.0.5:4001 > 10.0.0.9:444 S");
	assert_true(scene_exchange(&stage.connection));
	daemon_restart(stage.daemon, NULL);
	assert_false(is_flooded(&stage));
	assert_drops(stage.vm, stage.outside, "tcp 10.0.0.5:4001 > 10.0.0.9:444 S");
	assert_true(scene_exchange(&stage.connection));
	assert_true(flood(&stage));
}

static void it_goes_when_the_interface_is_detached(void **state)
{
	struct stage stage = open_stage();

	(void)state;
	assert_true(flood(&stage));
	daemon_apply(stage.daemon, "{ \"version\": 1 }");
	assert_passes(stage.vm, stage.outside, "tcp 10.0.0.5:4001 > 10.0.0.9:444 S");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		TEST(it_comes_with_a_flood_and_goes_after_it),
		TEST(a_change_of_policy_holds_at_once),
		TEST(a_hook_that_the_user_names_takes_its_place),
		TEST(it_survives_a_killed_rulesd_and_leaves_with_the_next),
		TEST(it_goes_when_the_interface_is_detached),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
