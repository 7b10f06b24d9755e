/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_trace.c - sgctl trace and the kernel say the same, verdict and rule, for every kind of
 * packet that opens a flow; online, and offline from the policy file.
 */
#include <glib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

static const char policy[] =
	"{ \"version\": 1,"
	"  \"groups\": { \"sg-mixed\": {"
	"    \"ingress\": ["
	"      { \"id\": \"web\", \"protocol\": \"tcp\", \"ports\": [80, \"8000-8080\"],"
	"        \"from\": [\"any\"] },"
	"      { \"id\": \"dns\", \"service\": \"dns\", \"from\": [\"pl-office\"] },"
	"      { \"id\": \"peers\", \"protocol\": \"all\", \"from\": [\"sg-mixed\"] },"
	"      { \"id\": \"ping\", \"protocol\": \"icmp\", \"icmp\": { \"type\": 8 },"
	"        \"from\": [\"10.0.0.0/8\"] },"
	"      { \"id\": \"ping6\", \"protocol\": \"icmpv6\", \"icmp\": { \"type\": 128 },"
	"        \"from\": [\"any\"] },"
	"      { \"id\": \"gre\", \"protocol\": \"gre\", \"from\": [\"10.0.0.9\"] } ],"
	"    \"egress\": ["
	"      { \"id\": \"ntp\", \"protocol\": \"udp\", \"ports\": [123], \"to\": [\"any\"] },"
	"      { \"id\": \"office\", \"protocol\": \"tcp\", \"to\": [\"pl-office\"] } ] } },"
	"  \"prefix_lists\": { \"pl-office\": { \"entries\": [\"10.0.0.8/29\", \"fd00::/64\"] } },"
	"  \"interfaces\": {"
	"    \"vm\": { \"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\","
	"      \"addresses\": [\"10.0.0.5\", \"fd00::5\"], \"groups\": [\"sg-mixed\"] },"
	"    \"peer\": { \"addresses\": [\"10.0.0.6\", \"fd01::6\"],"
	"      \"groups\": [\"sg-mixed\"] } } }";

/* The frame, and the same as sgctl asks for it. */
static const struct probe {
	bool egress;
	const char *protocol, *src, *dst; /* as in sgctl trace */
	const char *kind;		  /* of frame.h; NULL: the protocol */
	const char *rest;		  /* of the frame */
} probes[] = {
	{false, "tcp", "192.0.2.1:4000", "10.0.0.5:80", NULL, "S"},
	{false, "tcp", "192.0.2.1:4000", "10.0.0.5:81", NULL, "S"},
	{false, "tcp", "192.0.2.1:4000", "10.0.0.5:8080", NULL, "S"},
	{false, "tcp", "192.0.2.1:4000", "10.0.0.5:8081", NULL, "S"},
	{false, "tcp", "[2001:db8::1]:4000", "[fd00::5]:80", NULL, "S"},
	{false, "tcp", "10.0.0.9:4001", "10.0.0.5:53", NULL, "S"},
	{false, "udp", "10.0.0.9:4000", "10.0.0.5:53", NULL, ""},
	{false, "udp", "10.0.0.7:4000", "10.0.0.5:53", NULL, ""},
	{false, "udp", "[fd00::9]:4000", "[fd00::5]:53", NULL, ""},
	{false, "udp", "10.0.0.6:4000", "10.0.0.5:999", NULL, ""},
	{false, "udp", "[fd01::6]:4000", "[fd00::5]:999", NULL, ""},
	{false, "udp", "[fd01::7]:4000", "[fd00::5]:999", NULL, ""},
	{false, "sctp", "10.0.0.6:4000", "10.0.0.5:999", NULL, ""},
	{false, "icmp", "10.0.0.9", "10.0.0.5", NULL, "id=1"},
	{false, "icmp", "192.0.2.1", "10.0.0.5", NULL, "id=1"},
	{false, "icmpv6", "2001:db8::1", "fd00::5", "icmp6", "id=1"},
	{false, "gre", "10.0.0.9", "10.0.0.5", "ip/47", "len=8"},
	{false, "gre", "10.0.0.8", "10.0.0.5", "ip/47", "len=8"},
	{false, "tcp", "10.0.0.5:4000", "10.0.0.5:80", NULL, "S"},
	{false, "tcp", "127.0.0.1:4000", "10.0.0.5:80", NULL, "S"},
	{false, "tcp", "10.0.0.9:4000", "10.0.0.77:80", NULL, "S dmac=5"},
	{true, "udp", "10.0.0.5:4000", "192.0.2.1:123", NULL, ""},
	{true, "udp", "10.0.0.5:4000", "192.0.2.1:124", NULL, ""},
	{true, "udp", "[fd00::5]:4000", "[2001:db8::1]:123", NULL, ""},
	{true, "tcp", "10.0.0.5:4000", "10.0.0.9:25", NULL, "S"},
	{true, "tcp", "10.0.0.5:4000", "10.0.0.16:25", NULL, "S"},
	{true, "tcp", "[fd00::5]:4000", "[fd00::77]:25", NULL, "S"},
	{true, "icmp", "10.0.0.5", "10.0.0.9", NULL, "id=2"},
	{true, "udp", "10.0.0.77:4000", "192.0.2.1:123", NULL, "smac=5"},
	{true, "udp", "[fe80::77]:4000", "[fd00::9]:123", NULL, "smac=5"},
	{true, "udp", "10.0.0.5:68", "10.0.0.1:67", NULL, ""},
};

static json_t *trace(const struct daemon *daemon, const struct probe *probe, const char *path)
{
	const char *direction = probe->egress ? "egress" : "ingress";

	if (path)
		return sgctl_json(NULL, "trace", "--interface", "vm", "--direction", direction,
				  "--protocol", probe->protocol, "--src", probe->src, "--dst",
				  probe->dst, "--policy", path, NULL);
	return sgctl_json(daemon, "trace", "--interface", "vm", "--direction", direction,
			  "--protocol", probe->protocol, "--src", probe->src, "--dst", probe->dst,
			  NULL);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "(none)";
}

/* The rule of the only flow, "(none)" when there is no flow or no rule. */
static char *kernel_rule(const struct daemon *daemon)
{
	AUTO_JSON json_t *flows = sgctl_json(daemon, "flows", NULL);

	return g_strdup(text_of(json_array_get(flows, 0), "rule"));
}

static void trace_and_the_kernel_agree(void **state)
{
	struct tap *vm = scene_tap("tap0");
	struct tap *outside = scene_tap("tap1");
	struct daemon *daemon = daemon_start("trace", NULL);
	g_autofree char *path = g_strdup(policy_file("trace.json", policy));

	(void)state;
	sgctl_check(daemon, "apply", path, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(probes); i++) {
		const struct probe *probe = &probes[i];
		AUTO_JSON json_t *online = trace(daemon, probe, NULL);
		AUTO_JSON json_t *offline = trace(NULL, probe, path);
		g_autofree char *rule = NULL;
		struct frame frame;
		bool passes;

		sgctl_check(daemon, "flush", "flows", NULL);
		frame_make(&frame, "%s %s > %s %s", probe->kind ? probe->kind : probe->protocol,
			   probe->src, probe->dst, probe->rest);
		passes = scene_arrives(probe->egress ? vm : outside, probe->egress ? outside : vm,
				       &frame, strcmp(text_of(online, "verdict"), "allow") == 0);
		rule = kernel_rule(daemon);
		if (passes != (strcmp(text_of(online, "verdict"), "allow") == 0) ||
		    strcmp(rule, text_of(online, "rule")) != 0)
			fail_msg("%s %s > %s: kernel %s by %s, trace %s by %s (%s)",
				 probe->protocol, probe->src, probe->dst, passes ? "allow" : "deny",
				 rule, text_of(online, "verdict"), text_of(online, "rule"),
				 text_of(online, "reason"));
		if (!json_equal(json_object_get(online, "verdict"),
				json_object_get(offline, "verdict")) ||
		    !json_equal(json_object_get(online, "rule"),
				json_object_get(offline, "rule")) ||
		    !json_equal(json_object_get(online, "reason"),
				json_object_get(offline, "reason")))
			fail_msg("%s %s > %s: online %s by %s, offline %s by %s", probe->protocol,
				 probe->src, probe->dst, text_of(online, "verdict"),
				 text_of(online, "reason"), text_of(offline, "verdict"),
				 text_of(offline, "reason"));
	}
}

static void the_exit_status_follows_expect(void **state)
{
	struct daemon *daemon = daemon_start("expect", NULL);
	AUTO_COMMAND struct command expected = {0};
	AUTO_COMMAND struct command unexpected = {0};
	AUTO_COMMAND struct command wrong = {0};

	(void)state;
	daemon_apply(daemon, policy);
	expected = sgctl_run(daemon, "trace", "--interface", "vm", "--direction", "ingress",
			     "--protocol", "tcp", "--src", "192.0.2.1:1", "--dst", "10.0.0.5:81",
			     "--expect", "deny", NULL);
	assert_int_equal(expected.status, 0);
	unexpected = sgctl_run(daemon, "trace", "--interface", "vm", "--direction", "ingress",
			       "--protocol", "tcp", "--src", "192.0.2.1:1", "--dst", "10.0.0.5:81",
			       "--expect", "allow", NULL);
	assert_int_equal(unexpected.status, 1);
	wrong = sgctl_run(daemon, "trace", "--interface", "nobody", "--direction", "ingress",
			  "--protocol", "tcp", "--src", "192.0.2.1:1", "--dst", "10.0.0.5:81",
			  NULL);
	assert_int_equal(wrong.status, 1);
	assert_non_null(strstr(wrong.err, "nobody"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(trace_and_the_kernel_agree, scene_setup,
						scene_teardown),
		cmocka_unit_test_setup_teardown(the_exit_status_follows_expect, scene_setup,
						scene_teardown),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
