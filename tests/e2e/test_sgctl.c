/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sgctl.c - every online command of sgctl against a real rulesd on real taps. */
#include <bpf/bpf.h>
#include <jansson.h>
#include <linux/bpf.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/daemon.h"
#include "tests/lib/netns.h"
#include "tests/lib/tap.h"

#define POLICY                                                                                              \
	"{\"version\":1,\"groups\":{"                                                                       \
	"\"sg-web\":{\"description\":\"web \\u001b[31mred\",\"ingress\":["                                  \
	"{\"id\":\"https\",\"protocol\":\"tcp\",\"ports\":[443],\"from\":[\"any\"]},"                       \
	"{\"id\":\"ssh\",\"service\":\"ssh\",\"from\":[\"sg-db\"]}]},"                                      \
	"\"sg-db\":{\"ingress\":[{\"id\":\"pg\",\"protocol\":\"tcp\",\"ports\":[5432],"                     \
	"\"from\":[\"sg-web\"]}]}},"                                                                        \
	"\"interfaces\":{"                                                                                  \
	"\"web-1\":{\"device\":\"tap0\",\"addresses\":[\"10.0.0.5\",\"fd00::5\"],\"groups\":[\"sg-web\"]}," \
	"\"db-1\":{\"device\":\"tap7\",\"addresses\":[\"10.0.0.7\"],\"groups\":[\"sg-db\"]}}}"

static struct daemon *rulesd;
static struct tap *tap0;

static int setup(void **state)
{
	(void)state;
	netns_new();
	tap0 = tap_new("tap0", false);
	rulesd = daemon_start("sgctl", NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	daemon_delete_all();
	tap_delete_all();
	netns_leave();
	return 0;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in: %s", part, text);
}

static void assert_says(struct command said, int status, const char *out, const char *err)
{
	AUTO_COMMAND struct command command = said;

	if (command.status != status)
		fail_msg("exit %d, not %d: %s%s", command.status, status, command.out, command.err);
	assert_has(command.out, out);
	assert_has(command.err, err);
}

static size_t count_flows(const char *filter, const char *value)
{
	AUTO_JSON json_t *flows = filter ? sgctl_json(rulesd, "flows", filter, value, NULL)
					 : sgctl_json(rulesd, "flows", NULL);

	return json_array_size(flows);
}

static void vm_sends(const char *text)
{
	struct frame frame;

	frame_make_text(&frame, text);
	assert_int_equal(tap_write(tap0, &frame), 0);
}

static void apply_says_the_generation_and_who_waits(void **state)
{
	const char *path = policy_file("policy.json", POLICY);

	(void)state;
	assert_says(sgctl_run(rulesd, "apply", path, NULL), 0, "generation 1: changed (",
		    "db-1 waits for tap7, which does not exist yet");
	assert_says(sgctl_run(rulesd, "apply", path, NULL), 0,
		    "generation 1: nothing changed; 1 interface filtering, 1 waiting\n", "");
}

static void a_refused_policy_names_every_mistake_and_changes_nothing(void **state)
{
	const char *path;
	AUTO_JSON json_t *status = NULL;

	(void)state;
	daemon_apply(rulesd, POLICY);
	path = policy_file("bad.json",
			   "{\"version\":1,\n\"groups\":{\"sg-a\":{\"colour\":1}},\n"
			   "\"interfaces\":{\"web-1\":{\"addresses\":[\"10.0.0.300\"]}}}");
	assert_says(sgctl_run(rulesd, "apply", path, NULL), 1, "",
		    "bad.json:2:19: /groups/sg-a/colour: ");
	assert_says(sgctl_run(rulesd, "apply", path, NULL), 1, "",
		    "bad.json:3:37: /interfaces/web-1/addresses/0: ");
	assert_says(sgctl_run(rulesd, "apply", path, "--json", NULL), 1, "\"errors\"",
		    "bad.json:2:19");
	status = sgctl_json(rulesd, "show", "status", NULL);
	assert_int_equal(json_integer_value(json_object_get(status, "generation")), 1);
}

static void apply_fails_when_a_device_that_is_there_cannot_be_filtered(void **state)
{
	/* r0 = XDP_PASS; exit: somebody else's program, so that ours has no place. */
	static const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	AUTO_FD int program =
		bpf_prog_load(BPF_PROG_TYPE_XDP, "others", "GPL", pass, G_N_ELEMENTS(pass), NULL);
	AUTO_FD int link = bpf_link_create(program, (int)tap0->ifindex, BPF_XDP, NULL);
	const char *path = policy_file("xdp.json",
				       "{\"version\":1,\"interfaces\":{\"vm\":{\"device\":\"tap0\","
				       "\"addresses\":[\"10.0.0.5\"],\"hook\":\"xdp\"}}}");

	(void)state;
	assert_true(link >= 0);
	assert_says(sgctl_run(rulesd, "apply", path, NULL), 1, "1 failed", "vm is not filtered: ");
}

static void what_is_not_utf8_is_refused_with_its_place(void **state)
{
	const char *path =
		policy_file("latin1.json", "{\"version\":1,\n\"description\":\"gr\xfcn\"}");

	(void)state;
	assert_says(sgctl_run(rulesd, "apply", path, NULL), 1, "", "latin1.json:2:");
}

static void attach_changes_waits_and_refuses(void **state)
{
	(void)state;
	daemon_apply(rulesd, "{\"version\":1,\"groups\":{\"sg-web\":{}}}");
	assert_says(sgctl_run(rulesd, "attach", "tap0", "--id", "vm-1", "--address",
			      "10.0.0.5,fd00::5", "--group", "sg-web", NULL),
		    0, "vm-1: filtering tap0 (", "");
	assert_says(
		sgctl_run(rulesd, "attach", "tap0", "--id", "vm-1", "--address", "10.0.0.6", NULL),
		0, " with sg-default\n", "");
	assert_says(
		sgctl_run(rulesd, "attach", "tap9", "--id", "vm-2", "--address", "10.0.0.9", NULL),
		1, "", "device tap9 does not exist");
	assert_says(sgctl_run(rulesd, "attach", "tap9", "--id", "vm-2", "--address", "10.0.0.9",
			      "--wait", NULL),
		    0, "vm-2: waiting for tap9", "");
	assert_says(sgctl_run(rulesd, "attach", "tap9", "--id", "vm-3", "--address", "10.0.0.8",
			      "--wait", "--group", "sg-wbe", NULL),
		    1, "", "did you mean \"sg-web\"?");
}

static void detach_takes_an_id_before_a_device(void **state)
{
	AUTO_JSON json_t *left = NULL;

	(void)state;
	sgctl_check(rulesd, "attach", "tap0", "--id", "tap9", "--address", "10.0.0.5", NULL);
	sgctl_check(rulesd, "attach", "tap9", "--id", "other", "--address", "10.0.0.6", "--wait",
		    NULL);
	assert_says(sgctl_run(rulesd, "detach", "othr", NULL), 1, "", "did you mean other?");
	assert_says(sgctl_run(rulesd, "detach", "tap9", NULL), 0, "tap9: detached\n", "");
	left = sgctl_json(rulesd, "show", "interfaces", NULL);
	assert_int_equal(json_array_size(left), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(left, 0), "id")),
			    "other");
	assert_says(sgctl_run(rulesd, "detach", "tap9", NULL), 0, "other: detached\n", "");
}

static void flows_are_filtered_and_flushed(void **state)
{
	(void)state;
	daemon_apply(rulesd, POLICY);
	vm_sends("udp 10.0.0.5:5353 > 192.0.2.53:53");
	vm_sends("udp 10.0.0.5:53 > 192.0.2.1:1000");
	vm_sends("tcp 10.0.0.5:4000 > 192.0.2.9:80 S");
	assert_int_equal(count_flows(NULL, NULL), 3);
	assert_int_equal(count_flows("--port", "53"), 2);
	assert_int_equal(count_flows("--sport", "53"), 1);
	assert_int_equal(count_flows("--dst", "192.0.2.9:80"), 1);
	assert_int_equal(count_flows("--dst", "192.0.2.9:81"), 0);
	assert_int_equal(count_flows("--protocol", "17"), 2);
	assert_int_equal(count_flows("--state", "syn_sent"), 1);
	assert_int_equal(count_flows("--direction", "out"), 3);
	assert_int_equal(count_flows("--direction", "ingress"), 0);
	assert_int_equal(count_flows("--rule", "sg-web/default-egress"), 3);
	assert_int_equal(count_flows("--interface", "web-1"), 3);
	assert_says(sgctl_run(rulesd, "flows", NULL), 0, "10.0.0.5:5353 > 192.0.2.53:53", "");
	assert_says(sgctl_run(rulesd, "flows", "--interface", "web1", NULL), 1, "",
		    "did you mean web-1?");
	assert_says(sgctl_run(rulesd, "flush", "flows", "--port", "53", NULL), 0,
		    "2 flows flushed\n", "");
	assert_int_equal(count_flows(NULL, NULL), 1);
	assert_says(sgctl_run(rulesd, "flush", "flows", NULL), 0, "1 flow flushed\n", "");
	assert_int_equal(count_flows(NULL, NULL), 0);
}

static void stats_count_and_name_the_reason(void **state)
{
	(void)state;
	daemon_apply(rulesd, POLICY);
	vm_sends("udp 10.0.0.5:5353 > 192.0.2.53:53");
	vm_sends("udp 10.0.0.66:5353 > 192.0.2.53:53");
	assert_says(sgctl_run(rulesd, "stats", "--interface", "web-1", NULL), 0, "spoofed_source=1",
		    "");
	assert_says(sgctl_run(rulesd, "stats", "--interface", "web-2", NULL), 1, "",
		    "did you mean web-1?");
}

static void a_trace_is_the_same_online_and_offline(void **state)
{
	const char *path;

	(void)state;
	daemon_apply(rulesd, POLICY);
	path = policy_file("policy.json", POLICY);
	for (int port = 442; port <= 444; port++) {
		g_autofree char *dst = g_strdup_printf("10.0.0.5:%d", port);
		AUTO_JSON json_t *online = sgctl_json(rulesd, "trace", "--interface", "web-1",
						      "--direction", "ingress", "--protocol", "tcp",
						      "--src", "192.0.2.1", "--dst", dst, NULL);
		AUTO_JSON json_t *offline =
			sgctl_json(NULL, "trace", "--interface", "web-1", "--direction", "ingress",
				   "--protocol", "tcp", "--src", "192.0.2.1", "--dst", dst,
				   "--policy", path, NULL);

		assert_true(json_equal(online, offline));
		assert_string_equal(json_string_value(json_object_get(online, "verdict")),
				    port == 443 ? "allow" : "deny");
	}
	assert_says(sgctl_run(rulesd, "trace", "--interface", "web1", "--direction", "in",
			      "--protocol", "tcp", "--src", "192.0.2.1", "--dst", "10.0.0.5:443",
			      NULL),
		    1, "", "did you mean web-1?");
}

static void show_has_a_table_and_a_document_for_every_subject(void **state)
{
	static const struct {
		const char *subject;
		const char *part;
	} cases[] = {
		{"status", "generation  1\n"},
		{"groups", "web \\u001b[31mred"}, /* not the escape sequence itself */
		{"rules", "sg-web/https"},
		{"interfaces", "web-1 tap0   filtering"},
		{"prefix-lists", "PREFIX-LIST"},
		{"services", "postgresql"},
		{"generations", "GENERATION"},
	};

	(void)state;
	daemon_apply(rulesd, POLICY);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		AUTO_JSON json_t *document = sgctl_json(rulesd, "show", cases[i].subject, NULL);

		assert_true(json_is_array(document) || json_is_object(document));
		assert_says(sgctl_run(rulesd, "show", cases[i].subject, NULL), 0, cases[i].part,
			    "");
	}
	assert_says(sgctl_run(rulesd, "show", "members", "sg-web", NULL), 0, "fd00::5", "");
	assert_says(sgctl_run(rulesd, "show", "members", "sg-wbe", NULL), 1, "",
		    "did you mean sg-web?");
	assert_says(sgctl_run(rulesd, "show", "rules", "sg-db", NULL), 0, "sg-db/pg", "");
}

static void the_digest_is_the_one_of_fmt(void **state)
{
	AUTO_JSON json_t *status = NULL;
	const char *path;

	(void)state;
	daemon_apply(rulesd, POLICY);
	status = sgctl_json(rulesd, "show", "status", NULL);
	path = policy_file("policy.json", POLICY);
	assert_says(sgctl_run(NULL, "fmt", "--sha256", path, NULL), 0,
		    json_string_value(json_object_get(status, "policy_sha256")), "");
}

static void rollback_returns_to_the_policy_before(void **state)
{
	(void)state;
	assert_says(sgctl_run(rulesd, "rollback", NULL), 1, "", "no earlier policy");
	daemon_apply(rulesd, POLICY);
	daemon_apply(rulesd, "{\"version\":1}");
	assert_says(sgctl_run(rulesd, "rollback", NULL), 0, "generation 3: changed", "db-1 waits");
	assert_says(sgctl_run(rulesd, "show", "members", "sg-web", NULL), 0, "10.0.0.5", "");
	assert_says(sgctl_run(rulesd, "rollback", "77", NULL), 1, "", "77");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(apply_says_the_generation_and_who_waits, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_refused_policy_names_every_mistake_and_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			apply_fails_when_a_device_that_is_there_cannot_be_filtered, setup,
			teardown),
		cmocka_unit_test_setup_teardown(what_is_not_utf8_is_refused_with_its_place, setup,
						teardown),
		cmocka_unit_test_setup_teardown(attach_changes_waits_and_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(detach_takes_an_id_before_a_device, setup,
						teardown),
		cmocka_unit_test_setup_teardown(flows_are_filtered_and_flushed, setup, teardown),
		cmocka_unit_test_setup_teardown(stats_count_and_name_the_reason, setup, teardown),
		cmocka_unit_test_setup_teardown(a_trace_is_the_same_online_and_offline, setup,
						teardown),
		cmocka_unit_test_setup_teardown(show_has_a_table_and_a_document_for_every_subject,
						setup, teardown),
		cmocka_unit_test_setup_teardown(the_digest_is_the_one_of_fmt, setup, teardown),
		cmocka_unit_test_setup_teardown(rollback_returns_to_the_policy_before, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
