/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_conformance.c - the 18 states of tests/data/conformance on real taps, probe by probe: what
 * arrives, and what sgctl trace says of both ends.
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
		arrives = scene_passes(tap_of(probe->source), tap_of(probe->destination), &frame);
		if (arrives != probe->both)
			fail_msg("%s: %s to %s, %s %u: %s; egress %s, ingress %s expected",
				 state->id, probe->source->id, probe->destination->id,
				 probe->protocol == IPPROTO_TCP ? "tcp" : "udp", probe->port,
				 arrives ? "arrives" : "does not arrive",
				 probe->egress ? "allowed" : "denied",
				 probe->ingress ? "allowed" : "denied");
	}
}

/* One end of a probe as an assertion of sgctl test. */
static json_t *assertion(const struct conformance_probe *probe, bool egress)
{
	g_autofree char *dst = g_strdup_printf("%s:%u", probe->destination->address, probe->port);
	g_autofree char *src = g_strdup_printf("%s:10000", probe->source->address);

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "interface",
			 egress ? probe->source->id : probe->destination->id, "direction",
			 egress ? "egress" : "ingress", "protocol",
			 probe->protocol == IPPROTO_TCP ? "tcp" : "udp", "src", src, "dst", dst,
			 "expect", (egress ? probe->egress : probe->ingress) ? "allow" : "deny");
}

/* All probes in one run of sgctl test, which asks what sgctl trace asks. */
static void check_trace(const struct conformance_state *state)
{
	AUTO_JSON json_t *tests = json_array();
	g_autofree char *text = NULL;

	for (unsigned int i = 0; i < state->probes->len; i++) {
		const struct conformance_probe *probe =
			&g_array_index(state->probes, struct conformance_probe, i);

		if (probe->source == probe->destination)
			continue;
		json_array_append_new(tests, assertion(probe, true));
		json_array_append_new(tests, assertion(probe, false));
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
