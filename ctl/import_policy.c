/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import_policy.c - see import_policy.h. */
#include "ctl/import_policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/model.h"

void import_set(char **field, const char *text)
{
	char *copy = g_strdup(text);

	g_free(*field);
	*field = copy;
}

void import_place_set(struct import_place *place, const struct import_node *node)
{
	g_free(place->pointer);
	place->file = node->file;
	place->pointer = import_pointer(node);
}

static void free_peer(void *data)
{
	struct import_peer *peer = data;

	g_free(peer->value);
	g_free(peer->description);
	json_decref(peer->extra);
	g_free(peer);
}

void import_add_once(GPtrArray *texts, const char *text)
{
	if (!g_ptr_array_find_with_equal_func(texts, text, g_str_equal, NULL))
		g_ptr_array_add(texts, g_strdup(text));
}

void import_set_network(struct import *import, char **field, const struct import_node *node,
			const char *key)
{
	const char *name = import_string(node, key);
	char *id = name ? import_id(import, name, "", node) : NULL;

	if (!id)
		return;
	g_free(*field);
	*field = id;
}

struct import_rule *import_rule_new(const struct import_node *node)
{
	struct import_rule *rule = g_new0(struct import_rule, 1);

	rule->peers = g_ptr_array_new_with_free_func(free_peer);
	rule->first = rule->last = IMPORT_EVERY;
	import_place_set(&rule->place, node);
	return rule;
}

void import_rule_free(struct import_rule *rule)
{
	if (!rule)
		return;
	g_free(rule->id);
	g_free(rule->description);
	g_ptr_array_unref(rule->peers);
	json_decref(rule->labels);
	json_decref(rule->extra);
	g_free(rule->place.pointer);
	g_free(rule);
}

void import_rule_add(struct import *import, struct import_group *group, unsigned int dir,
		     struct import_rule *rule, const char *object, unsigned int before)
{
	if (rule->peers->len) {
		g_ptr_array_add(group->rules[dir], rule);
		return;
	}
	if (import_report_count(import->report) == before)
		import_report_add_at(import->report, IMPORT_LEFT_OUT, "empty", object,
				     rule->place.file, rule->place.pointer,
				     "a rule without peers allows nothing");
	import_rule_free(rule);
}

static void free_rule(void *rule)
{
	import_rule_free(rule);
}

static void free_group(void *data)
{
	struct import_group *group = data;

	g_free(group->id);
	g_free(group->name);
	g_free(group->network);
	g_free(group->owner);
	g_free(group->description);
	json_decref(group->labels);
	json_decref(group->extra);
	for (unsigned int dir = 0; dir < 2; dir++)
		g_ptr_array_unref(group->rules[dir]);
	g_free(group->place.pointer);
	g_free(group);
}

static void free_list(void *data)
{
	struct import_list *list = data;

	g_free(list->id);
	g_free(list->name);
	g_free(list->description);
	json_decref(list->labels);
	json_decref(list->extra);
	if (list->entries)
		g_ptr_array_unref(list->entries);
	json_decref(list->entry_descriptions);
	g_free(list->place.pointer);
	g_free(list);
}

static void free_interface(void *data)
{
	struct import_interface *iface = data;

	g_free(iface->id);
	g_free(iface->network);
	g_free(iface->description);
	json_decref(iface->labels);
	json_decref(iface->extra);
	g_free(iface->device);
	g_free(iface->host);
	g_ptr_array_unref(iface->addresses);
	g_ptr_array_unref(iface->allowed);
	g_ptr_array_unref(iface->groups);
	json_decref(iface->conntrack);
	g_free(iface->place.pointer);
	g_free(iface);
}

static void free_document(void *document)
{
	json_decref(document);
}

struct import *import_new(const char *format, const struct import_options *options,
			  struct diag *diag)
{
	struct import *import = g_new0(struct import, 1);

	import->options = *options;
	import->format = format;
	import->groups = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_group);
	import->lists = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_list);
	import->interfaces = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_interface);
	import->orphans = g_ptr_array_new_with_free_func(free_list);
	import->documents = g_ptr_array_new_with_free_func(free_document);
	import->renamed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	import->captured = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	import->report = import_report_new();
	import->diag = diag;
	return import;
}

void import_free(struct import **import)
{
	struct import *freed = *import;

	if (!freed)
		return;
	*import = NULL;
	g_hash_table_unref(freed->groups);
	g_hash_table_unref(freed->lists);
	g_hash_table_unref(freed->interfaces);
	g_ptr_array_unref(freed->orphans);
	g_ptr_array_unref(freed->documents);
	g_hash_table_unref(freed->renamed);
	g_hash_table_unref(freed->captured);
	import_report_free(&freed->report);
	g_free(freed);
}

struct import_group *import_group(struct import *import, const char *id)
{
	struct import_group *group = g_hash_table_lookup(import->groups, id);

	import->found++;
	if (group)
		return group;
	group = g_new0(struct import_group, 1);
	group->id = g_strdup(id);
	for (unsigned int dir = 0; dir < 2; dir++)
		group->rules[dir] = g_ptr_array_new_with_free_func(free_rule);
	g_hash_table_insert(import->groups, group->id, group);
	return group;
}

struct import_list *import_list_new(const char *id)
{
	struct import_list *list = g_new0(struct import_list, 1);

	list->id = g_strdup(id);
	list->entry_descriptions = json_object();
	return list;
}

struct import_list *import_list(struct import *import, const char *id)
{
	struct import_list *list = g_hash_table_lookup(import->lists, id);

	import->found++;
	if (list)
		return list;
	list = import_list_new(id);
	g_hash_table_insert(import->lists, list->id, list);
	return list;
}

struct import_interface *import_interface(struct import *import, const char *id)
{
	struct import_interface *iface = g_hash_table_lookup(import->interfaces, id);

	import->found++;
	if (iface)
		return iface;
	iface = g_new0(struct import_interface, 1);
	iface->id = g_strdup(id);
	iface->addresses = g_ptr_array_new_with_free_func(g_free);
	iface->allowed = g_ptr_array_new_with_free_func(g_free);
	iface->groups = g_ptr_array_new_with_free_func(g_free);
	g_hash_table_insert(import->interfaces, iface->id, iface);
	return iface;
}

/* Letters, digits, '.', '_' and '-': what stands in an id (INTERFACES: "Ids"). */
static bool is_id_character(char c)
{
	return g_ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
}

static char *spell_id(const char *id, const char *prefix)
{
	GString *out = g_string_new(g_str_has_prefix(id, prefix) ? "" : prefix);

	for (const char *c = id; *c && out->len < MODEL_MAX_ID; c++)
		g_string_append_c(out, is_id_character(*c) ? *c : '-');
	/* "x-" begins a remark there, "sg-" alone is no id. */
	if (!*prefix && g_str_has_prefix(out->str, "x-"))
		g_string_prepend_c(out, 'i');
	if (out->len == strlen(prefix))
		g_string_append(out, "unnamed");
	g_string_truncate(out, MIN(out->len, MODEL_MAX_ID));
	return g_string_free(out, FALSE);
}

bool import_is_id(const char *id)
{
	g_autofree char *spelled = spell_id(id, "");

	return !strcmp(spelled, id);
}

char *import_id(struct import *import, const char *id, const char *prefix,
		const struct import_node *node)
{
	g_autofree char *spelled = spell_id(id, prefix);
	g_autofree char *tried = g_strdup(spelled);
	g_autofree char *quoted = NULL;
	const char *owner;

	for (unsigned int n = 2;
	     (owner = g_hash_table_lookup(import->renamed, tried)) && strcmp(owner, id) != 0; n++) {
		g_autofree char *suffix = g_strdup_printf("-%u", n);

		g_free(tried);
		tried = g_strdup_printf("%.*s%s", (int)(MODEL_MAX_ID - strlen(suffix)), spelled,
					suffix);
	}
	if (owner)
		return g_steal_pointer(&tried);
	g_hash_table_insert(import->renamed, g_strdup(tried), g_strdup(id));
	/* Neutron's ids are bare UUIDs: the prefix alone is no news. */
	if (strcmp(tried, id) != 0 &&
	    !(g_str_has_prefix(tried, prefix) && !strcmp(tried + strlen(prefix), id))) {
		quoted = diag_quote(id);
		import_report_add(import->report, IMPORT_SAME, "id", tried, node,
				  "%s is no id here: it is called %s", quoted, tried);
	}
	return g_steal_pointer(&tried);
}

char *import_rule_id(struct import *import, const char *id, const struct import_node *node)
{
	g_autofree char *spelled = NULL;
	g_autofree char *quoted = NULL;

	if (!id)
		return NULL;
	spelled = spell_id(id, "");
	if (!strcmp(spelled, id) && strcmp(id, MODEL_DEFAULT_EGRESS_RULE) != 0)
		return g_steal_pointer(&spelled);
	quoted = diag_quote(id);
	import_report_add(import->report, IMPORT_LEFT_OUT, "id", NULL, node,
			  "%s is no id of a rule here: the rule gets one from its content", quoted);
	return NULL;
}

struct import_peer *import_rule_peer(struct import_rule *rule, enum import_peer_kind kind,
				     const char *value, const char *description)
{
	struct import_peer *peer = g_new0(struct import_peer, 1);

	peer->kind = kind;
	peer->value = g_strdup(value);
	peer->description = description && *description ? g_strdup(description) : NULL;
	g_ptr_array_add(rule->peers, peer);
	return peer;
}

char *import_cidr(struct import *import, const char *object, const struct import_node *node)
{
	const char *text = import_text(node);
	g_autofree char *shown = import_shown(node);
	char canonical[CIDR_TEXT_SIZE];
	struct cidr cidr = {0};
	int error = text ? cidr_parse(text, &cidr) : -EINVAL;

	if (error && error != -ERANGE) {
		import_report_add(import->report, IMPORT_LEFT_OUT, "cidr", object, node,
				  "%s is no CIDR", shown);
		return NULL;
	}
	cidr_format(&cidr, canonical);
	if (error == -ERANGE)
		import_report_add(import->report, IMPORT_SAME, "host-bits", object, node,
				  "%s has host bits: it is %s", shown, canonical);
	return g_strdup(canonical);
}

struct import_peer *import_rule_cidr(struct import *import, struct import_rule *rule,
				     const char *object, const struct import_node *node,
				     const char *description)
{
	g_autofree char *cidr = import_cidr(import, object, node);

	return cidr ? import_rule_peer(rule, IMPORT_PEER_CIDR, cidr, description) : NULL;
}

void import_set_extra(json_t **extra, const char *key, const char *text)
{
	if (!text)
		return;
	if (!*extra)
		*extra = json_object();
	json_object_set_new(*extra, key, json_string(text));
}

bool import_listed(const char *key, const char *names)
{
	g_auto(GStrv) words = g_strsplit(names, " ", -1);

	for (char **word = words; *word; word++)
		if (import_same_key(key, *word))
			return true;
	return false;
}

void import_unknown(struct import *import, const struct import_node *node, const char *object,
		    const char *known, const char *ignored)
{
	void *members = (void *)(uintptr_t)node->value; /* jansson's iterator is not const */
	const char *key;
	json_t *value;

	json_object_foreach (members, key, value) {
		struct import_node member;
		g_autofree char *shown = NULL;
		g_autofree char *quoted = NULL;

		if (import_says_nothing(value) || import_listed(key, known) ||
		    import_listed(key, ignored))
			continue;
		member = import_get(node, key);
		shown = import_shown(&member);
		quoted = diag_quote(key);
		import_report_add(import->report, IMPORT_LEFT_OUT, "unknown-field", object, &member,
				  "the field %s (%s) has no meaning here", quoted, shown);
	}
}

char *import_extra_key(const struct import *import)
{
	return g_strconcat("x-", import->format, NULL);
}
