/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_conformance.c - the 18 states of tests/data/conformance on real taps, probe by probe: what
 * arrives, and whether sgctl says the same of both ends and names the rule that the kernel named.
 *
 * The states follow each other on one rulesd, so that updates are tested too. Every probe is a
 * frame that opens a flow, from a port of its own.
 */
#include <glib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/conformance.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

static struct {
	GHashTable *taps; /* device -> struct tap, borrowed */
	struct daemon *daemon;
} stage;

static int open_stage(void **state)
{
	netns_group_setup(state);
	scene_setup(state);
	stage.taps = g_hash_table_new(g_str_hash, g_str_equal);
	stage.daemon = daemon_start("conformance", NULL);
	return 0;
}

static int close_stage(void **state)
{
	g_hash_table_destroy(stage.taps);
	return scene_teardown(state);
}

static const struct tap *tap_of(const struct conformance_interface *iface)
{
	return g_hash_table_lookup(stage.taps, iface->device);
}

static void make_taps(const struct conformance_state *state)
{
	for (unsigned int i = 0; i < state->interfaces->len; i++) {
		const struct conformance_interface *iface = g_ptr_array_index(state->interfaces, i);

		if (!tap_of(iface))
			g_hash_table_insert(stage.taps, (gpointer)(uintptr_t)iface->device,
					    scene_tap(iface->device));
	}
}

/* The frame of a probe; the number makes it a flow of its own. */
static void make_probe(const struct conformance_probe *probe, unsigned int number,
		       struct frame *frame)
{
	frame_make(frame, "%s %s:%u > %s:%u %s smac=%s dmac=%s",
		   probe->protocol == IPPROTO_TCP ? "tcp" : "udp", probe->source->address,
		   10000 + number, probe->destination->address, probe->port,
		   probe->protocol == IPPROTO_TCP ? "S" : "len=1", probe->source->mac,
		   probe->destination->mac);
}

static void check_on_taps(const struct conformance_state *state)
{
	for (unsigned int i = 0; i < state->probes->len; i++) {
		const struct conformance_probe *probe =
			&g_array_index(state->probes, struct conformance_probe, i);
		struct frame frame;
		bool arrives;

		if (probe->source == probe->destination)
			continue; /* a VM does not send to itself over the wire */
		make_probe(probe, i, &frame);
		arrives = scene_arrives(tap_of(probe->source), tap_of(probe->destination), &frame,
					probe->both);
		if (arrives != probe->both)
			fail_msg("%s: %s to %s, %s %u: %s; egress %s, ingress %s expected",
				 state->id, probe->source->id, probe->destination->id,
				 probe->protocol == IPPROTO_TCP ? "tcp" : "udp", probe->port,
				 arrives ? "arrives" : "does not arrive",
				 probe->egress ? "allowed" : "denied",
				 probe->ingress ? "allowed" : "denied");
	}
}

/* Which rule the kernel named: "INTERFACE DIRECTION PROTOCOL PORT" of the opener -> "sg-web/https".
 */
static GHashTable *rules_of_flows(void)
{
	AUTO_JSON json_t *flows = sgctl_json(stage.daemon, "flows", NULL);
	GHashTable *rules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	size_t index;
	json_t *flow;

	json_array_foreach (flows, index, flow) {
		const char *interface, *direction, *protocol, *rule;
		int port;

		assert_int_equal(json_unpack(flow, "{s:s, s:s, s:s, s:i, s:s}", "interface",
					     &interface, "direction", &direction, "protocol",
					     &protocol, "sport", &port, "rule", &rule),
				 0);
		g_hash_table_insert(
			rules, g_strdup_printf("%s %s %s %d", interface, direction, protocol, port),
			g_strdup(rule));
	}
	return rules;
}

/* One end of a probe as an assertion of sgctl test, with the rule that the kernel named. */
static json_t *assertion(const struct conformance_probe *probe, unsigned int number, bool egress,
			 GHashTable *rules)
{
	const char *interface = egress ? probe->source->id : probe->destination->id;
	const char *direction = egress ? "egress" : "ingress";
	const char *protocol = probe->protocol == IPPROTO_TCP ? "tcp" : "udp";
	bool allowed = egress ? probe->egress : probe->ingress;
	g_autofree char *dst = g_strdup_printf("%s:%u", probe->destination->address, probe->port);
	g_autofree char *src = g_strdup_printf("%s:%u", probe->source->address, 10000 + number);
	g_autofree char *key =
		g_strdup_printf("%s %s %s %u", interface, direction, protocol, 10000 + number);
	const char *rule = g_hash_table_lookup(rules, key);
	json_t *made = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "interface", interface,
				 "direction", direction, "protocol", protocol, "src", src, "dst",
				 dst, "expect", allowed ? "allow" : "deny");

	/* What the source did not let out never reached the destination. */
	if (rule)
		json_object_set_new(made, "rule", json_string(rule));
	else if (allowed && (egress || probe->egress))
		fail_msg("no flow of %s", key);
	return made;
}

/* All probes in one run of sgctl test, which asks what sgctl trace asks. */
static void check_trace(const struct conformance_state *state)
{
	g_autoptr(GHashTable) rules = rules_of_flows();
	AUTO_JSON json_t *tests = json_array();
	g_autofree char *text = NULL;

	for (unsigned int i = 0; i < state->probes->len; i++) {
		const struct conformance_probe *probe =
			&g_array_index(state->probes, struct conformance_probe, i);

		if (probe->source == probe->destination)
			continue;
		json_array_append_new(tests, assertion(probe, i, true, rules));
		json_array_append_new(tests, assertion(probe, i, false, rules));
	}
	text = json_dumps(tests, JSON_INDENT(1));
	sgctl_check(stage.daemon, "test", policy_file("probes.json", text), NULL);
}

static void run_state(void **initial)
{
	const struct conformance_state *state = *initial;

	make_taps(state);
	daemon_apply(stage.daemon, state->policy);
	sgctl_check(stage.daemon, "flush", "flows", NULL);
	check_on_taps(state);
	check_trace(state);
}

int main(void)
{
	g_autoptr(GArray) tests = g_array_new(FALSE, TRUE, sizeof(struct CMUnitTest));
	g_autofree char *error = NULL;
	GPtrArray *states = conformance_load(CONFORMANCE_FILE, &error);
	int failed;

	if (!states) {
		print_error("%s\n", error);
		return 1;
	}
	for (unsigned int i = 0; i < states->len; i++) {
		struct conformance_state *state = g_ptr_array_index(states, i);
		struct CMUnitTest test = {
			.test_func = run_state,
			.initial_state = state,
			.name = g_strdup_printf("%s: %s", state->id, state->description),
		};

		g_array_append_val(tests, test);
	}
	failed = _cmocka_run_group_tests("conformance",
					 (const struct CMUnitTest *)(void *)tests->data, tests->len,
					 open_stage, close_stage);
	g_ptr_array_unref(states);
	return failed;
}
