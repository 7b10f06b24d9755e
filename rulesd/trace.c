/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace.c - why the evaluator decides as it does: the guard, who the other side is, the rules
 * tried, the nearest miss.
 */
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "rulesd/eval.h"
#include "rulesd/names.h"

#define STEPS_OF_RULES 20 /* rules that are listed one by one */

/* The lower, the nearer: another type is a smaller step than another peer or protocol. */
enum dimension { TYPE = 1u << 0, PORT = 1u << 1, PEER = 1u << 2, PROTOCOL = 1u << 3 };

static const struct {
	enum dimension dimension;
	const char *name;
} dimensions[] = {{PROTOCOL, "protocol"}, {PORT, "port"}, {TYPE, "type"}, {PEER, "peer"}};

struct tracer {
	const struct model *model;
	const struct image *image;
	const struct numbers *numbers;
	const struct eval_packet *packet;
	const struct image_iface *iface;
	const struct model_interface *written; /* as the policy has it */
	const struct model_network *network;
	const struct sg_addr *remote;
	GArray *peers; /* of uint32_t: what the remote address stands for, any included */
	struct trace *trace;
};

G_GNUC_PRINTF(2, 3) static void step(struct tracer *tracer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(tracer->trace->steps, g_strdup_vprintf(format, args));
	va_end(args);
}

static char *join(const GPtrArray *words)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < words->len; i++)
		g_string_append_printf(text, "%s%s", i ? ", " : "",
				       (char *)g_ptr_array_index(words, i));
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* ---------------------------------------------------------------- the other side */

static void add_peers(GArray *peers, const struct image *image, uint32_t set)
{
	const struct image_set *several = image_set_by_number(image, set);
	uint32_t single = set & ~SG_SET_SINGLE;

	if (set & SG_SET_SINGLE)
		g_array_append_val(peers, single);
	else if (several)
		g_array_append_vals(peers, several->peers->data, several->peers->len);
}

static bool stands_for(const struct tracer *tracer, uint32_t peer)
{
	for (guint i = 0; peer && i < tracer->peers->len; i++)
		if (g_array_index(tracer->peers, uint32_t, i) == peer)
			return true;
	return false;
}

/* "default:sg-web" is "sg-web" to whoever reads about the network default. */
static const char *shown_peer(const struct tracer *tracer, uint32_t peer)
{
	const char *name = numbers_name(tracer->numbers, NUMBER_PEER, peer);
	size_t length = strlen(tracer->network->name);

	if (!name)
		return "?";
	if (strncmp(name, tracer->network->name, length) == 0 && name[length] == ':')
		return name + length + 1;
	return name;
}

static void step_other_side(struct tracer *tracer)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *list = NULL;
	char text[ADDR_TEXT_SIZE];

	for (guint i = 0; i < tracer->peers->len; i++) {
		uint32_t peer = g_array_index(tracer->peers, uint32_t, i);

		if (peer != SG_PEER_ANY)
			g_ptr_array_add(names, (gpointer)(uintptr_t)shown_peer(tracer, peer));
	}
	list = join(names);
	addr_format(tracer->remote, text);
	if (names->len)
		step(tracer, "other side: %s is in %s", text, list);
	else
		step(tracer,
		     "other side: %s is in no group, CIDR or prefix list that rules of network %s refer to",
		     text, tracer->network->name);
}

/* ---------------------------------------------------------------- rules against the packet */

static bool in_ports(const GArray *ports, uint16_t port)
{
	for (guint i = 0; ports && i < ports->len; i++) {
		const struct model_ports *range = &g_array_index(ports, struct model_ports, i);

		if (port >= range->first && port <= range->last)
			return true;
	}
	return !ports || !ports->len;
}

static unsigned int differs_from_match(const struct model_match *match,
				       const struct eval_packet *packet)
{
	unsigned int differs = 0;

	if (match->protocol == SG_PROTO_ALL)
		return 0;
	if (match->protocol != packet->protocol)
		differs |= PROTOCOL;
	if (protocol_has_ports(match->protocol) && protocol_has_ports(packet->protocol) &&
	    !in_ports(match->ports, packet->dport))
		differs |= PORT;
	if (protocol_is_icmp(match->protocol) && match->protocol == packet->protocol &&
	    match->icmp_type >= 0 &&
	    (match->icmp_type != packet->icmp_type ||
	     (match->icmp_code >= 0 && match->icmp_code != packet->icmp_code)))
		differs |= TYPE;
	return differs;
}

static bool is_peer_of(const struct tracer *tracer, const struct model_rule *rule)
{
	for (guint i = 0; i < rule->peers->len; i++) {
		g_autofree char *name = compile_peer_name(tracer->model, tracer->network,
							  g_ptr_array_index(rule->peers, i));

		if (name && stands_for(tracer, numbers_find(tracer->numbers, NUMBER_PEER, name)))
			return true;
	}
	return false;
}

/* The match that differs least, and the peer. */
static unsigned int differs_from_rule(const struct tracer *tracer, const struct model_rule *rule)
{
	unsigned int least = ~0u;

	for (guint i = 0; i < rule->matches->len; i++) {
		unsigned int differs =
			differs_from_match(g_ptr_array_index(rule->matches, i), tracer->packet);

		if (__builtin_popcount(differs) < __builtin_popcount(least))
			least = differs;
	}
	return is_peer_of(tracer, rule) ? least : least | PEER;
}

static void name_dimensions(unsigned int differs, GPtrArray *names)
{
	for (guint i = 0; i < G_N_ELEMENTS(dimensions); i++)
		if (differs & dimensions[i].dimension)
			g_ptr_array_add(names, (gpointer)(uintptr_t)dimensions[i].name);
}

static void step_rule(struct tracer *tracer, const char *rule, unsigned int differs)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *list = NULL;

	name_dimensions(differs, names);
	list = join(names);
	if (names->len)
		step(tracer, "rule %s: another %s", rule, list);
	else
		step(tracer, "rule %s: matches", rule);
}

/* Whether a rule with these differences is nearer than the nearest so far. */
static bool is_nearer(unsigned int differs, unsigned int nearest)
{
	int count = __builtin_popcount(differs), least = __builtin_popcount(nearest);

	return count != least ? count < least : differs < nearest;
}

/* Lists the rules in order and finds the nearest; the first of equals wins. */
static void try_rules(struct tracer *tracer)
{
	enum sg_dir dir = tracer->packet->direction;
	unsigned int nearest = ~0u, left_out = 0, tried = 0;
	g_autofree char *nearest_name = NULL;

	for (uint32_t i = 0; i < tracer->written->groups->count; i++) {
		const struct model_group *group = g_hash_table_lookup(
			tracer->network->groups, tracer->written->groups->ids[i]);

		for (guint j = 0; group && !group->external && j < group->rules[dir]->len; j++) {
			const struct model_rule *rule = g_ptr_array_index(group->rules[dir], j);
			unsigned int differs = differs_from_rule(tracer, rule);
			g_autofree char *name = g_strdup_printf("%s/%s", group->id, rule->id);

			if (tried++ < STEPS_OF_RULES || !differs)
				step_rule(tracer, name, differs);
			else
				left_out++;
			if (is_nearer(differs, nearest)) {
				nearest = differs;
				g_free(nearest_name);
				nearest_name = TAKE_PTR(name);
			}
		}
	}
	if (left_out)
		step(tracer, "%u more rules do not match", left_out);
	if (!tried)
		step(tracer, "rules: the groups have no %s rule", dir_name(dir));
	if (!sg_reason_is_drop(tracer->trace->verdict.reason) || !nearest_name)
		return;
	tracer->trace->nearest = TAKE_PTR(nearest_name);
	name_dimensions(nearest, tracer->trace->differs);
}

/* ---------------------------------------------------------------- steps before and after */

static bool is_decided_by_policy(enum sg_reason reason)
{
	return reason == SG_ALLOW_RULE || reason == SG_ALLOW_EXEMPT || reason == SG_DROP_NO_RULE ||
	       reason == SG_DROP_ICMP_UNRELATED;
}

static void step_guard(struct tracer *tracer)
{
	enum sg_reason reason = tracer->trace->verdict.reason;
	bool egress = tracer->packet->direction == SG_EGRESS;
	char src[ADDR_TEXT_SIZE], dst[ADDR_TEXT_SIZE];

	addr_format(&tracer->packet->src, src);
	addr_format(&tracer->packet->dst, dst);
	if (sg_reason_is_drop(reason) && !is_decided_by_policy(reason))
		step(tracer, "guard: refuses %s from %s to %s", egress ? "sending" : "receiving",
		     src, dst);
	else if (!(tracer->iface->flags & SG_IF_SPOOF_GUARD))
		step(tracer, "guard: off for %s (spoof_guard), only impossible sources are refused",
		     tracer->iface->id);
	else if (egress)
		step(tracer, "guard: %s may send from %s", tracer->iface->id, src);
	else
		step(tracer, "guard: %s may be reached at %s", tracer->iface->id, dst);
}

static void step_groups(struct tracer *tracer)
{
	g_autoptr(GPtrArray) ids = g_ptr_array_new();
	g_autofree char *groups = NULL;

	for (uint32_t i = 0; i < tracer->written->groups->count; i++)
		g_ptr_array_add(ids, (gpointer)(uintptr_t)tracer->written->groups->ids[i]);
	groups = join(ids);

	step(tracer, "interface: %s of network %s carries %s", tracer->iface->id,
	     tracer->network->name, groups);
}

static void step_decision(struct tracer *tracer)
{
	const struct trace *trace = tracer->trace;
	const char *what = sg_reason_is_drop(trace->verdict.reason) ? "denied" : "allowed";

	if (trace->rule)
		step(tracer, "%s: by rule %s, peer %s", what, trace->rule,
		     shown_peer(tracer, trace->verdict.peer));
	else
		step(tracer, "%s: %s", what, reason_description(trace->verdict.reason));
}

struct trace *trace_packet(const struct model *model, const struct image *image,
			   const struct numbers *numbers, const char *interface_id,
			   const struct eval_packet *packet)
{
	struct tracer tracer = {
		.model = model,
		.image = image,
		.numbers = numbers,
		.packet = packet,
		.iface = image_iface(image, interface_id),
		.written = model_interface(model, interface_id),
		.remote = packet->direction == SG_EGRESS ? &packet->dst : &packet->src,
	};
	g_autoptr(GArray) peers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	uint32_t any = SG_PEER_ANY;

	if (!tracer.iface || !tracer.written)
		return NULL;
	tracer.network = model_network(model, tracer.written->network);
	tracer.peers = peers;
	g_array_append_val(peers, any);
	add_peers(peers, image, image_find_member(image, tracer.iface->zone, tracer.remote));
	add_peers(peers, image, image_find_prefix(image, tracer.iface->zone, tracer.remote));

	tracer.trace = g_new0(struct trace, 1);
	tracer.trace->differs = g_ptr_array_new();
	tracer.trace->steps = g_ptr_array_new_with_free_func(g_free);
	tracer.trace->verdict = eval_packet(image, tracer.iface, packet);
	tracer.trace->rule = image_rule_name(image, tracer.trace->verdict.rule);
	step_groups(&tracer);
	step_guard(&tracer);
	if (is_decided_by_policy(tracer.trace->verdict.reason)) {
		step_other_side(&tracer);
		try_rules(&tracer);
	}
	step_decision(&tracer);
	return tracer.trace;
}

void trace_free(struct trace **trace)
{
	if (!*trace)
		return;
	g_free((*trace)->nearest);
	g_ptr_array_unref((*trace)->differs);
	g_ptr_array_unref((*trace)->steps);
	g_clear_pointer(trace, g_free);
}
