/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics.c - the Prometheus text. Rules are not in it: their counters take a walk over every live
 * flow, which is for whoever asks /v1/rules, not for a scraper every few seconds.
 */
#include "rulesd/metrics.h"

#include <string.h>

#include "rulesd/api_request.h"
#include "rulesd/guard.h"
#include "rulesd/names.h"
#include "rulesd/sorted.h"
#include "rulesd/totals.h"

static void head(GString *text, const char *name, const char *type, const char *help)
{
	g_string_append_printf(text, "# HELP tapguard_%s %s\n# TYPE tapguard_%s %s\n", name, help,
			       name, type);
}

static void gauge(GString *text, const char *name, const char *help, uint64_t value)
{
	head(text, name, "gauge", help);
	g_string_append_printf(text, "tapguard_%s %" G_GUINT64_FORMAT "\n", name, value);
}

static void add_totals(GString *text, const struct engine *engine)
{
	const struct totals totals = totals_of(engine);
	const struct {
		enum engine_iface_state state;
		unsigned int count;
	} states[] = {
		{ENGINE_FILTERING, totals.states.filtering},
		{ENGINE_WAITING, totals.states.waiting},
		{ENGINE_FAILED, totals.states.failed},
		{ENGINE_REMOTE, totals.states.remote},
	};

	head(text, "build_info", "gauge", "The version that runs.");
	g_string_append_printf(text, "tapguard_build_info{version=\"%s\",dataplane=\"%s\"} 1\n",
			       TAPGUARD_VERSION, dataplane_name(engine->dataplane));
	gauge(text, "generation", "Generation of the policy that holds.",
	      engine_generation(engine));
	gauge(text, "policy_error", "1 when the policy directory holds a policy that was refused.",
	      engine->policy_error != NULL);
	gauge(text, "state_error", "1 when part of the state directory was damaged or missing.",
	      engine->state->lost != NULL);
	gauge(text, "interfaces_kept",
	      "Interfaces that are filtered as pinned, because nobody knows them any more.",
	      g_hash_table_size(engine->kept));
	head(text, "repairs_total", "counter",
	     "What somebody else took away of what rulesd holds in the kernel, and was put back.");
	g_string_append_printf(text,
			       "tapguard_repairs_total{kind=\"program\"} %" G_GUINT64_FORMAT
			       "\ntapguard_repairs_total{kind=\"pin\"} %" G_GUINT64_FORMAT
			       "\ntapguard_repairs_total{kind=\"entry\"} %" G_GUINT64_FORMAT "\n",
			       engine->repairs.programs, engine->repairs.pins,
			       engine->repairs.entries);
	head(text, "interfaces", "gauge", "Interfaces by state.");
	for (unsigned int i = 0; i < G_N_ELEMENTS(states); i++)
		g_string_append_printf(text, "tapguard_interfaces{state=\"%s\"} %u\n",
				       engine_state_name(states[i].state), states[i].count);
	gauge(text, "groups", "Groups that the policy defines.", totals.groups);
	gauge(text, "members", "Addresses of interfaces.", totals.members);
	gauge(text, "flows", "Confirmed flows in the table.", totals.flows);
	gauge(text, "flows_reserved", "Flow entries reserved by filtered interfaces.",
	      totals.reserved_flows);
	gauge(text, "flows_max", "Flow entries of the host.", engine->options->max_flows);
}

static void counter(GString *text, const char *name, const char *help, uint64_t value)
{
	head(text, name, "counter", help);
	g_string_append_printf(text, "tapguard_%s %" G_GUINT64_FORMAT "\n", name, value);
}

static void add_guard(GString *text, const struct engine *engine)
{
	struct guard_status status;

	if (!engine->guard)
		return;
	status = guard_status(engine->guard);
	gauge(text, "guard_in_place", "1 when the nftables table of --guard is as it shall be.",
	      status.in_place);
	counter(text, "guard_repairs_total", "How often somebody changed that table.",
		status.repairs);
	counter(text, "guard_group_repairs_total",
		"How often somebody changed the device group of a tap.", engine->guard_groups);
	counter(text, "guard_dropped_packets_total",
		"Frames of taps that were not filtered, since the table was written.",
		status.packets);
	counter(text, "guard_dropped_bytes_total", "Their bytes.", status.bytes);
}

/* The counters of one interface, read once for all metrics. */
struct sample {
	const char *id;
	uint32_t max_flows;
	struct sg_stats stats;
	struct sg_slot exact;
};

static GArray *take_samples(const struct engine *engine)
{
	GArray *samples = g_array_new(FALSE, TRUE, sizeof(struct sample));
	g_autoptr(GPtrArray) all = sorted_values(engine->ifaces);

	for (guint i = 0; i < all->len; i++) {
		const struct engine_iface *iface = all->pdata[i];
		const struct image_iface *compiled = image_iface(engine->image, iface->id);
		struct sample sample = {.id = iface->id};

		if (!iface->ifindex || !compiled ||
		    dataplane_stats(engine->dataplane, iface->slot, &sample.stats, &sample.exact) <
			    0)
			continue;
		sample.max_flows = compiled->conntrack.max_flows;
		g_array_append_val(samples, sample);
	}
	return samples;
}

static void add_traffic(GString *text, const GArray *samples, bool bytes)
{
	static const char *const verdicts[] = {[SG_ALLOWED] = "allowed", [SG_DROPPED] = "dropped"};
	const char *name = bytes ? "bytes_total" : "packets_total";

	head(text, name, "counter", bytes ? "Bytes of frames by verdict." : "Packets by verdict.");
	for (guint i = 0; i < samples->len; i++) {
		const struct sample *sample = &g_array_index(samples, struct sample, i);

		for (int dir = 0; dir < SG_DIRS; dir++) {
			for (int verdict = 0; verdict < SG_OUTCOMES; verdict++)
				g_string_append_printf(
					text,
					"tapguard_%s{interface=\"%s\",direction=\"%s\",verdict="
					"\"%s\"} %" G_GUINT64_FORMAT "\n",
					name, sample->id, dir_name((enum sg_dir)dir),
					verdicts[verdict],
					(guint64)(bytes ? sample->stats.bytes[dir][verdict]
							: sample->stats.packets[dir][verdict]));
		}
	}
}

static void add_drops(GString *text, const GArray *samples)
{
	head(text, "drops_total", "counter", "Dropped packets by reason.");
	for (guint i = 0; i < samples->len; i++) {
		const struct sample *sample = &g_array_index(samples, struct sample, i);

		for (uint32_t reason = SG_DROP_FIRST; reason < SG_REASONS; reason++) {
			if (sample->stats.reasons[reason])
				g_string_append_printf(
					text,
					"tapguard_drops_total{interface=\"%s\",reason=\"%s\"} "
					"%" G_GUINT64_FORMAT "\n",
					sample->id, reason_name(reason),
					(guint64)sample->stats.reasons[reason]);
		}
	}
}

static void add_flows(GString *text, const GArray *samples)
{
	static const struct {
		const char *name, *type, *help;
	} columns[] = {
		{"interface_flows", "gauge", "Confirmed flows of an interface."},
		{"interface_flows_max", "gauge", "Flows that an interface may have."},
		{"allowance_exceeded_total", "counter",
		 "New flows refused because the interface had as many as it may."},
	};

	for (unsigned int column = 0; column < G_N_ELEMENTS(columns); column++) {
		head(text, columns[column].name, columns[column].type, columns[column].help);
		for (guint i = 0; i < samples->len; i++) {
			const struct sample *sample = &g_array_index(samples, struct sample, i);
			const uint64_t values[] = {sample->exact.flows, sample->max_flows,
						   sample->exact.allowance_exceeded};

			g_string_append_printf(
				text, "tapguard_%s{interface=\"%s\"} %" G_GUINT64_FORMAT "\n",
				columns[column].name, sample->id, values[column]);
		}
	}
}

char *metrics_text(const struct engine *engine)
{
	GString *text = g_string_new(NULL);
	g_autoptr(GArray) samples = take_samples(engine);

	add_totals(text, engine);
	add_guard(text, engine);
	add_traffic(text, samples, false);
	add_traffic(text, samples, true);
	add_drops(text, samples);
	add_flows(text, samples);
	return g_string_free(text, FALSE);
}

void api_get_metrics(struct api_request *request)
{
	api_reply_text(request, MHD_HTTP_OK, METRICS_TYPE, metrics_text(request->engine));
}
