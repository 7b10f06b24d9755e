/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_rule.c - the rules of a group in one direction, and their ids.
 */
#include "rulesd/load_internal.h"

#include <string.h>

#include "rulesd/names.h"

/* What stands in a rule; nodes, 0 when missing. */
struct rule_object {
	uint32_t id, service, from, to;
	struct load_match match;
	char *description;
};

#define RULE_FIELD(field)                                                                        \
	{                                                                                        \
		.name = #field, .read = load_keep, .offset = offsetof(struct rule_object, field) \
	}
#define MATCH_FIELD(field)                                          \
	{                                                           \
		.name = #field, .read = load_keep,                  \
		.offset = offsetof(struct rule_object, match.field) \
	}

static const struct load_field rule_fields[] = {
	RULE_FIELD(id),
	MATCH_FIELD(protocol),
	MATCH_FIELD(ports),
	MATCH_FIELD(icmp),
	RULE_FIELD(service),
	RULE_FIELD(from),
	RULE_FIELD(to),
	{.name = "description",
	 .read = load_text,
	 .offset = offsetof(struct rule_object, description)},
	{0},
};

static void read_service(struct load *load, const struct rule_object *object,
			 struct model_rule *rule)
{
	if (object->match.protocol)
		load_error_at_key(load, object->match.protocol, "conflict", "use one of them",
				  "both \"protocol\" and \"service\"");
	else if (object->match.ports)
		load_error_at_key(load, object->match.ports, "conflict",
				  "use \"protocol\", or a service without \"ports\"",
				  "a service has its own ports");
	else if (object->match.icmp)
		load_error_at_key(load, object->match.icmp, "conflict",
				  "use \"protocol\", or a service without \"icmp\"",
				  "a service has its own protocols");
	rule->service = load_string(load, object->service, "the name of a service, as \"ssh\"");
	if (rule->service)
		load_service_matches(load, object->service, rule->service, rule->matches);
}

static void read_matches(struct load *load, uint32_t node, const struct rule_object *object,
			 struct model_rule *rule)
{
	struct model_match *match;

	if (object->service) {
		read_service(load, object, rule);
		return;
	}
	if (!object->match.protocol)
		load_error(load, node, "missing", "for everything write \"protocol\": \"all\"",
			   "neither \"protocol\" nor \"service\"");
	match = load_match(load, &object->match);
	if (match)
		g_ptr_array_add(rule->matches, match);
}

static void read_peers(struct load *load, uint32_t node, const struct rule_object *object,
		       struct model_rule *rule)
{
	bool ingress = rule->direction == SG_INGRESS;
	uint32_t peers = ingress ? object->from : object->to;
	uint32_t wrong = ingress ? object->to : object->from;
	const char *name = ingress ? "from" : "to";
	const char *fix = ingress ? "peers look like \"from\": [\"any\"]"
				  : "peers look like \"to\": [\"any\"]";

	if (wrong) {
		g_autofree char *use = g_strdup_printf("use \"%s\"", name);

		load_error_at_key(load, wrong, "unknown-field", use, "\"%s\" in an %s rule",
				  ingress ? "to" : "from", dir_name(rule->direction));
	}
	if (!peers) {
		if (!wrong)
			load_error(load, node, "missing", fix, "\"%s\" is missing", name);
		return;
	}
	if (!load_expect(load, peers, JDOC_ARRAY, fix))
		return;
	if (!jdoc_first(load->doc, peers))
		load_error(load, peers, "empty", fix, "no peer is listed");
	for (uint32_t item = jdoc_first(load->doc, peers); item; item = jdoc_next(load->doc, item))
		g_ptr_array_add(rule->peers, load_peer(load, item));
}

static void read_id(struct load *load, uint32_t node, struct model_rule *rule)
{
	g_autofree char *id = load_string(load, node, "an id, as \"https\"");

	if (!id || !load_id(load, node, id, "rule", ""))
		return;
	if (strcmp(id, MODEL_DEFAULT_EGRESS_RULE) == 0)
		load_error(load, node, "reserved", "use another id",
			   "the id \"%s\" is reserved for the rule of groups without \"egress\"",
			   id);
	rule->id = g_steal_pointer(&id);
}

static struct model_rule *read_rule(struct load *load, uint32_t node, enum sg_dir direction)
{
	struct model_rule *rule = model_rule_new(direction);
	struct rule_object object = {0};

	rule->place = jdoc_place(load->doc, node);
	if (!load_expect(load, node, JDOC_OBJECT, NULL))
		return rule;
	load_object(load, node, rule_fields, &object);
	rule->description = object.description;
	if (object.id)
		read_id(load, object.id, rule);
	read_matches(load, node, &object, rule);
	read_peers(load, node, &object, rule);
	return rule;
}

/* Given ids first: a derived one gives way to them. */
static void check_ids(struct load *load, GPtrArray *rules, GHashTable *taken)
{
	for (guint i = 0; i < rules->len; i++) {
		struct model_rule *rule = rules->pdata[i];
		const struct model_rule *first =
			rule->id ? g_hash_table_lookup(taken, rule->id) : NULL;
		uint32_t node;

		if (first) {
			node = jdoc_find(load->doc, rule->place, NULL);
			node = jdoc_member(load->doc, node, "id");
			load_error(load, node, "duplicate-id", "give it another id",
				   "the rule of line %u, column %u has the id \"%s\" already",
				   first->place.line, first->place.column, rule->id);
		} else if (rule->id) {
			g_hash_table_insert(taken, rule->id, rule);
		}
	}
}

static void derive_id(struct model_group *group, struct model_rule *rule, GHashTable *taken)
{
	g_autofree char *content = model_rule_content_id(rule, group->network);

	rule->derived = true;
	rule->id = g_strdup(content);
	for (unsigned int repeat = 2; g_hash_table_contains(taken, rule->id); repeat++) {
		g_free(rule->id);
		rule->id = g_strdup_printf("%s-%u", content, repeat);
	}
	g_hash_table_insert(taken, rule->id, rule);
}

void load_derive_ids(struct model_group *group, enum sg_dir direction)
{
	g_autoptr(GHashTable) taken = g_hash_table_new(g_str_hash, g_str_equal);
	const GPtrArray *rules = group->rules[direction];

	for (guint i = 0; i < rules->len; i++) {
		struct model_rule *rule = rules->pdata[i];

		if (rule->derived)
			g_clear_pointer(&rule->id, g_free);
		else if (rule->id)
			g_hash_table_insert(taken, rule->id, rule);
	}
	for (guint i = 0; i < rules->len; i++) {
		struct model_rule *rule = rules->pdata[i];

		if (!rule->id)
			derive_id(group, rule, taken);
	}
}

void load_rules(struct load *load, uint32_t node, enum sg_dir direction, struct model_group *group)
{
	g_autoptr(GHashTable) taken = g_hash_table_new(g_str_hash, g_str_equal);
	GPtrArray *rules = group->rules[direction];

	if (!load_expect(load, node, JDOC_ARRAY, "rules are an array of objects"))
		return;
	for (uint32_t item = jdoc_first(load->doc, node); item; item = jdoc_next(load->doc, item)) {
		uint32_t before = load->remarks;

		g_ptr_array_add(rules, read_rule(load, item, direction));
		/* The same remark on another rule is another remark. */
		load->remarks = before + (load->remarks - before) * (2 * rules->len + 1);
	}
	check_ids(load, rules, taken);
	load_derive_ids(group, direction);
}
