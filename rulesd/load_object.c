/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_object.c - the sections of a document: services, networks, groups, prefix lists.
 */
#include "rulesd/load_internal.h"

#include <string.h>

#include "rulesd/names.h"

/* ------------------------------------------------------------------ services */

static const struct load_field match_fields[] = {
	{.name = "protocol", .read = load_keep, .offset = offsetof(struct load_match, protocol)},
	{.name = "ports", .read = load_keep, .offset = offsetof(struct load_match, ports)},
	{.name = "icmp", .read = load_keep, .offset = offsetof(struct load_match, icmp)},
	{0},
};

static void read_service_rule(struct load *load, uint32_t node, GPtrArray *matches)
{
	struct load_match nodes = {0};
	struct model_match *match;

	if (!load_expect(load, node, JDOC_OBJECT, "as {\"protocol\": \"tcp\", \"ports\": [8080]}"))
		return;
	load_object(load, node, match_fields, &nodes);
	if (!nodes.protocol)
		load_error(load, node, "missing", "as {\"protocol\": \"tcp\", \"ports\": [8080]}",
			   "\"protocol\" is missing");
	match = load_match(load, &nodes);
	if (match)
		g_ptr_array_add(matches, match);
}

static const struct load_field service_fields[] = {
	{.name = "rules", .read = load_keep},
	{0},
};

static void read_service(struct load *load, uint32_t node, const char *id)
{
	static const char shape[] = "as \"rules\": [{\"protocol\": \"tcp\", \"ports\": [8080]}]";
	const struct model_service *first = g_hash_table_lookup(load->services, id);
	struct model_service *service;
	uint32_t rules = 0;

	if (first) {
		load_defined_twice(load, node, "service", id, first->place);
		return;
	}
	load->remarks = 0;
	service = model_service_new(id);
	service->place = jdoc_key_place(load->doc, node);
	g_hash_table_insert(load->services, service->name, service);
	if (!load_expect(load, node, JDOC_OBJECT, NULL))
		return;
	load_object(load, node, service_fields, &rules);
	if (!rules)
		load_error(load, node, "missing", shape, "\"rules\" is missing");
	if (!rules || !load_expect(load, rules, JDOC_ARRAY, shape))
		return;
	if (!jdoc_first(load->doc, rules))
		load_error(load, rules, "empty", shape, "a service without rules");
	for (uint32_t item = jdoc_first(load->doc, rules); item; item = jdoc_next(load->doc, item))
		read_service_rule(load, item, service->matches);
	service->remarks = load->remarks;
}

const struct load_section load_services = {
	.kind = MODEL_KIND_SERVICE,
	.what = "service",
	.name = "services",
	.prefix = "",
	.read = read_service,
};

/* ------------------------------------------------------------------ networks */

struct exempt_object {
	uint32_t address;
	struct load_match match;
};

static const struct load_field exempt_fields[] = {
	{.name = "address", .read = load_keep, .offset = offsetof(struct exempt_object, address)},
	{.name = "protocol",
	 .read = load_keep,
	 .offset = offsetof(struct exempt_object, match.protocol)},
	{.name = "ports", .read = load_keep, .offset = offsetof(struct exempt_object, match.ports)},
	{0},
};

static void read_exempt(struct load *load, uint32_t node, struct model_network *network)
{
	static const char shape[] =
		"as {\"address\": \"169.254.169.254\", \"protocol\": \"tcp\", \"ports\": [80]}";
	struct model_exempt *exempt = g_new0(struct model_exempt, 1);
	struct exempt_object object = {0};
	struct model_match *match;

	exempt->place = jdoc_place(load->doc, node);
	g_ptr_array_add(network->exempt, exempt);
	if (!load_expect(load, node, JDOC_OBJECT, shape))
		return;
	load_object(load, node, exempt_fields, &object);
	if (!object.address)
		load_error(load, node, "missing", shape, "\"address\" is missing");
	else
		load_address(load, object.address, &exempt->address);
	if (!object.match.protocol)
		load_error(load, node, "missing", shape, "\"protocol\" is missing");
	match = load_match(load, &object.match);
	if (!match)
		return;
	exempt->protocol = match->protocol;
	if (match->ports && match->ports->len)
		exempt->ports = g_array_ref(match->ports);
	model_match_free(match);
}

static void read_exempts(struct load *load, const struct load_field *field, uint32_t node,
			 void *out)
{
	(void)field;
	if (!load_expect(load, node, JDOC_ARRAY, "exempt endpoints are an array"))
		return;
	for (uint32_t item = jdoc_first(load->doc, node); item; item = jdoc_next(load->doc, item))
		read_exempt(load, item, out);
}

static void read_network_peers(struct load *load, const struct load_field *field, uint32_t node,
			       void *out)
{
	struct model_network *network = out;

	(void)field;
	if (!load_expect(load, node, JDOC_ARRAY, "peers of a network look like [\"blue\"]"))
		return;
	for (uint32_t item = jdoc_first(load->doc, node); item; item = jdoc_next(load->doc, item)) {
		char *name = load_string(load, item, "the name of a network");

		if (name)
			load_id(load, item, name, "network", "");
		g_ptr_array_add(network->peers, name ? name : g_strdup(""));
	}
}

static const struct load_field conntrack_fields[] = {
	{.name = "max_flows",
	 .read = load_number,
	 .offset = offsetof(struct model_conntrack, max_flows),
	 .low = 1,
	 .high = 1048576},
	{.name = "tcp_established",
	 .read = load_number,
	 .offset = offsetof(struct model_conntrack, tcp_established),
	 .low = 60,
	 .high = 432000},
	{.name = "udp",
	 .read = load_number,
	 .offset = offsetof(struct model_conntrack, udp),
	 .low = 30,
	 .high = 60},
	{.name = "udp_stream",
	 .read = load_number,
	 .offset = offsetof(struct model_conntrack, udp_stream),
	 .low = 60,
	 .high = 180},
	{.name = "icmp",
	 .read = load_number,
	 .offset = offsetof(struct model_conntrack, icmp),
	 .low = 1,
	 .high = 86400},
	{.name = "other",
	 .read = load_number,
	 .offset = offsetof(struct model_conntrack, other),
	 .low = 1,
	 .high = 86400},
	{0},
};

void load_conntrack(struct load *load, const struct load_field *field, uint32_t node, void *out)
{
	(void)field;
	load_object(load, node, conntrack_fields, out);
}

static const struct load_field network_fields[] = {
	{.name = "exempt", .read = read_exempts},
	{.name = "peers", .read = read_network_peers},
	{.name = "conntrack",
	 .read = load_conntrack,
	 .offset = offsetof(struct model_network, conntrack)},
	{.name = "description",
	 .read = load_text,
	 .offset = offsetof(struct model_network, description)},
	{0},
};

static void read_network(struct load *load, uint32_t node, const char *id)
{
	const struct place *first = g_hash_table_lookup(load->network_places, id);
	struct model_network *network = model_network_ensure(load->model, id);
	struct place place = jdoc_key_place(load->doc, node);

	if (!load_expect(load, node, JDOC_OBJECT, NULL) ||
	    (!jdoc_first(load->doc, node) && !load->removals)) {
		if (!network->place.file)
			network->place = place;
		return;
	}
	if (first) {
		load_defined_twice(load, node, "network", id, *first);
		return;
	}
	g_hash_table_insert(load->network_places, g_strdup(id), g_memdup2(&place, sizeof(place)));
	network->place = place;
	load->remarks = 0;
	load_object(load, node, network_fields, network);
	network->remarks = load->remarks;
}

const struct load_section load_networks = {
	.kind = MODEL_KIND_NETWORK,
	.what = "network",
	.name = "networks",
	.prefix = "",
	.read = read_network,
};

/* ------------------------------------------------------------------ groups and prefix lists */

struct group_object {
	uint32_t rules[SG_DIRS];
	struct model_group *group;
};

static void read_group_text(struct load *load, const struct load_field *field, uint32_t node,
			    void *out)
{
	load_text(load, field, node, &((struct group_object *)out)->group->description);
}

static void read_group_external(struct load *load, const struct load_field *field, uint32_t node,
				void *out)
{
	load_flag(load, field, node, &((struct group_object *)out)->group->external);
}

static const struct load_field group_fields[] = {
	{.name = "ingress",
	 .read = load_keep,
	 .offset = offsetof(struct group_object, rules[SG_INGRESS])},
	{.name = "egress",
	 .read = load_keep,
	 .offset = offsetof(struct group_object, rules[SG_EGRESS])},
	{.name = "external", .read = read_group_external},
	{.name = "description", .read = read_group_text},
	{0},
};

static void read_directions(struct load *load, const struct group_object *object)
{
	struct model_group *group = object->group;

	for (int dir = 0; dir < SG_DIRS; dir++) {
		if (!object->rules[dir])
			continue;
		if (group->external)
			load_error_at_key(load, object->rules[dir], "conflict",
					  "remove the rules or \"external\"",
					  "an external group has no rules");
		load_rules(load, object->rules[dir], (enum sg_dir)dir, group);
	}
	if (!object->rules[SG_EGRESS] && !group->external)
		g_ptr_array_add(group->rules[SG_EGRESS], model_default_egress_new());
}

static void *make_group(struct load *load, uint32_t node, const char *id)
{
	struct group_object object = {0};

	load->remarks = 0;
	object.group = model_group_new(load->network, id);
	object.group->place = jdoc_key_place(load->doc, node);
	if (load_expect(load, node, JDOC_OBJECT, NULL)) {
		load_object(load, node, group_fields, &object);
		read_directions(load, &object);
	}
	object.group->remarks = load->remarks;
	return object.group;
}

static void take_group(struct load *load, uint32_t node, struct model_group *group)
{
	struct model_network *network = model_network_ensure(load->model, load->network);
	const struct model_group *first = g_hash_table_lookup(network->groups, group->id);

	if (!first || first->implied) {
		g_hash_table_replace(network->groups, group->id, group);
		return;
	}
	load_defined_twice(load, node, "group", group->id, first->place);
	model_group_free(group);
}

static void read_group(struct load *load, uint32_t node, const char *id)
{
	take_group(load, node, make_group(load, node, id));
}

static void take_groups(struct load *load, const struct load_made *made, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		take_group(load, made[i].node, made[i].object);
}

static void discard_group(void *group)
{
	model_group_free(group);
}

const struct load_section load_groups = {
	.kind = MODEL_KIND_GROUP,
	.what = "group",
	.name = "groups",
	.prefix = "sg-",
	.read = read_group,
	.make = make_group,
	.take = take_groups,
	.discard = discard_group,
	.large = 256,
};

static void read_entries(struct load *load, const struct load_field *field, uint32_t node,
			 void *out)
{
	struct model_prefix_list *list = out;

	(void)field;
	if (!load_expect(load, node, JDOC_ARRAY, "entries look like [\"203.0.113.0/24\"]"))
		return;
	for (uint32_t item = jdoc_first(load->doc, node); item; item = jdoc_next(load->doc, item)) {
		struct cidr cidr = {0};

		load_cidr(load, item, &cidr);
		g_array_append_val(list->entries, cidr);
	}
}

static const struct load_field prefix_list_fields[] = {
	{.name = "entries", .read = read_entries},
	{.name = "external",
	 .read = load_flag,
	 .offset = offsetof(struct model_prefix_list, external)},
	{.name = "description",
	 .read = load_text,
	 .offset = offsetof(struct model_prefix_list, description)},
	{0},
};

static int compare_cidrs(gconstpointer a, gconstpointer b)
{
	return cidr_compare(a, b);
}

static void sort_entries(GArray *entries)
{
	guint kept = 0;

	g_array_sort(entries, compare_cidrs);
	for (guint i = 0; i < entries->len; i++) {
		struct cidr next = g_array_index(entries, struct cidr, i);

		if (kept &&
		    cidr_compare(&g_array_index(entries, struct cidr, kept - 1), &next) == 0)
			continue;
		g_array_index(entries, struct cidr, kept) = next;
		kept++;
	}
	g_array_set_size(entries, kept);
}

static void check_entries(struct load *load, uint32_t node, const struct model_prefix_list *list)
{
	uint32_t entries = jdoc_member(load->doc, node, "entries");

	if (list->external && entries)
		load_error_at_key(load, entries, "conflict", "remove the entries or \"external\"",
				  "an external prefix list has no entries");
	if (!list->external && !entries)
		load_error(load, node, "missing", "as \"entries\": [\"203.0.113.0/24\"]",
			   "\"entries\" is missing");
}

static void read_prefix_list(struct load *load, uint32_t node, const char *id)
{
	struct model_network *network = model_network_ensure(load->model, load->network);
	const struct model_prefix_list *first = g_hash_table_lookup(network->prefix_lists, id);
	struct model_prefix_list *list = model_prefix_list_new(load->network, id);

	if (first)
		load_defined_twice(load, node, "prefix list", id, first->place);
	load->remarks = 0;
	list->place = jdoc_key_place(load->doc, node);
	if (load_expect(load, node, JDOC_OBJECT, NULL)) {
		load_object(load, node, prefix_list_fields, list);
		check_entries(load, node, list);
	}
	list->remarks = load->remarks;
	sort_entries(list->entries);
	if (first)
		model_prefix_list_free(list);
	else
		g_hash_table_insert(network->prefix_lists, list->id, list);
}

const struct load_section load_prefix_lists = {
	.kind = MODEL_KIND_PREFIX_LIST,
	.what = "prefix list",
	.name = "prefix_lists",
	.prefix = "pl-",
	.read = read_prefix_list,
};
