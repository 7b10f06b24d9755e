/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan_changes.c - which objects and rules a policy would change. See plan.h. */
#include <string.h>

#include "ctl/plan.h"
#include "ctl/rule_text.h"
#include "rulesd/addr.h"
#include "rulesd/names.h"

static json_t *change_of(const char *kind, const char *action, const char *network,
			 const char *name)
{
	return json_pack("{ss ss ss? ss s[]}", "kind", kind, "action", action, "network", network,
			 "name", name, "details");
}

static const char *action_of(const struct model_change *changed)
{
	if (!changed->old.any)
		return "add";
	if (!changed->new.any)
		return "remove";
	return changed->enforced ? "change" : "text";
}

G_GNUC_PRINTF(2, 3) static void detail(json_t *change, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	json_array_append_new(json_object_get(change, "details"), json_string(text));
}

/* ---------------------------------------------------------------- sets of words */

/* "+sg-b -sg-a": what the second has more and less than the first; NULL when nothing. */
static char *difference(const GPtrArray *old, const GPtrArray *new)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < new->len; i++)
		if (!g_ptr_array_find_with_equal_func((GPtrArray *)(uintptr_t)old, new->pdata[i],
						      g_str_equal, NULL))
			g_string_append_printf(text, "%s+%s", text->len ? " " : "",
					       (char *)new->pdata[i]);
	for (guint i = 0; i < old->len; i++)
		if (!g_ptr_array_find_with_equal_func((GPtrArray *)(uintptr_t) new, old->pdata[i],
						      g_str_equal, NULL))
			g_string_append_printf(text, "%s-%s", text->len ? " " : "",
					       (char *)old->pdata[i]);
	if (text->len)
		return g_string_free(text, FALSE);
	g_string_free(text, TRUE);
	return NULL;
}

static GPtrArray *words(void)
{
	return g_ptr_array_new_with_free_func(g_free);
}

static void compare(json_t *change, const char *what, const GPtrArray *old, const GPtrArray *new)
{
	g_autofree char *text = difference(old, new);

	if (text)
		detail(change, "%s %s", what, text);
}

static void compare_text(json_t *change, const char *what, const char *old, const char *new)
{
	if (g_strcmp0(old, new) != 0)
		detail(change, "%s %s -> %s", what, old ? old : "none", new ? new : "none");
}

/* ---------------------------------------------------------------- rules */

static GPtrArray *peer_words(const struct model_rule *rule, const char *network)
{
	GPtrArray *texts = words();

	for (guint i = 0; i < rule->peers->len; i++)
		g_ptr_array_add(texts, rule_peer_text(rule->peers->pdata[i], network));
	return texts;
}

static char *rule_sentence(const struct model_rule *rule, const char *network)
{
	g_autofree char *what = rule_what_text(rule);
	g_autoptr(GPtrArray) peers = peer_words(rule, network);
	g_autofree char *list = NULL;

	g_ptr_array_add(peers, NULL);
	list = g_strjoinv(", ", (char **)peers->pdata);
	return g_strdup_printf("%s %s %s", what, rule->direction == SG_INGRESS ? "from" : "to",
			       list);
}

static char *rule_name(const struct model_group *group, const struct model_rule *rule)
{
	return g_strdup_printf("%s/%s", group->id, rule->id);
}

static json_t *rule_change(json_t *changes, const char *action, const struct model_group *group,
			   const struct model_rule *rule)
{
	g_autofree char *name = rule_name(group, rule);
	json_t *change = change_of("rule", action, group->network, name);

	json_object_set_new(change, "direction", json_string(dir_name(rule->direction)));
	json_array_append_new(changes, change);
	return change;
}

static void whole_rule(json_t *changes, const char *action, const struct model_group *group,
		       const struct model_rule *rule)
{
	g_autofree char *sentence = rule_sentence(rule, group->network);

	detail(rule_change(changes, action, group, rule), "%s", sentence);
}

static char *matches_text(const struct model_rule *rule)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < rule->matches->len; i++) {
		g_autofree char *match = rule_match_text(rule->matches->pdata[i]);

		g_string_append_printf(text, "%s%s", i ? "; " : "", match);
	}
	return g_string_free(text, FALSE);
}

/* Both have the same id. */
static void compare_rules(json_t *changes, const struct model_group *group,
			  const struct model_rule *old, const struct model_rule *new)
{
	g_autofree char *before = matches_text(old), *after = matches_text(new);
	g_autoptr(GPtrArray) old_peers = peer_words(old, group->network);
	g_autoptr(GPtrArray) new_peers = peer_words(new, group->network);
	g_autofree char *peers = difference(old_peers, new_peers);
	bool same_texts = !g_strcmp0(old->description, new->description);
	json_t *change;

	if (!strcmp(before, after) && !peers) {
		if (!same_texts)
			detail(rule_change(changes, "text", group, new), "description");
		return;
	}
	change = rule_change(changes, "change", group, new);
	if (strcmp(before, after) != 0)
		detail(change, "%s -> %s", before, after);
	if (peers)
		detail(change, "%s %s", new->direction == SG_INGRESS ? "from" : "to", peers);
}

static const struct model_rule *find_rule(const GPtrArray *rules, const char *id)
{
	for (guint i = 0; i < rules->len; i++) {
		const struct model_rule *rule = rules->pdata[i];

		if (!strcmp(rule->id, id))
			return rule;
	}
	return NULL;
}

/* A rule of the same content, under an id that the other list does not have. */
static const struct model_rule *find_moved(const GPtrArray *rules, const GPtrArray *others,
					   const struct model_rule *rule, const char *network)
{
	g_autofree char *content = model_rule_content_id(rule, network);

	for (guint i = 0; i < rules->len; i++) {
		const struct model_rule *other = rules->pdata[i];
		g_autofree char *same = model_rule_content_id(other, network);

		if (!strcmp(content, same) && !find_rule(others, other->id))
			return other;
	}
	return NULL;
}

static void rename_rule(json_t *changes, const struct model_group *group,
			const struct model_rule *old, const struct model_rule *new)
{
	g_autofree char *sentence = rule_sentence(new, group->network);
	json_t *change = rule_change(changes, "move", group, new);
	g_autofree char *before = rule_name(group, old);

	detail(change, "was %s", before);
	detail(change, "%s", sentence);
}

static void diff_rules(json_t *changes, const struct model_group *group, const GPtrArray *old,
		       const GPtrArray *new)
{
	for (guint i = 0; i < new->len; i++) {
		const struct model_rule *rule = new->pdata[i];
		const struct model_rule *before = find_rule(old, rule->id);
		const struct model_rule *moved =
			before ? NULL : find_moved(old, new, rule, group->network);

		if (before)
			compare_rules(changes, group, before, rule);
		else if (moved)
			rename_rule(changes, group, moved, rule);
		else
			whole_rule(changes, "add", group, rule);
	}
	for (guint i = 0; i < old->len; i++) {
		const struct model_rule *rule = old->pdata[i];

		if (!find_rule(new, rule->id) && !find_moved(new, old, rule, group->network))
			whole_rule(changes, "remove", group, rule);
	}
}

/* ---------------------------------------------------------------- groups, lists, interfaces */

static void group_change(json_t *changes, const struct model_change *changed)
{
	static const enum sg_dir order[] = {SG_INGRESS, SG_EGRESS};
	const struct model_group *old = changed->old.group, *new = changed->new.group;
	g_autoptr(GPtrArray) none = g_ptr_array_new();
	json_t *change = NULL;

	if (!old || old->implied)
		change = change_of("group", "add", changed->network, changed->id);
	else if (!new || new->implied)
		change = change_of("group", "remove", changed->network, changed->id);
	else if (old->external != new->external)
		change = change_of("group", "change", changed->network, changed->id);
	else if (g_strcmp0(old->description, new->description) != 0)
		change = change_of("group", "text", changed->network, changed->id);
	if (change) {
		if (old && new && old->external != new->external)
			detail(change, new->external ? "becomes external" : "is external no more");
		if (old && new &&g_strcmp0(old->description, new->description) != 0)
			detail(change, "description");
		json_array_append_new(changes, change);
	}
	for (guint i = 0; i < G_N_ELEMENTS(order); i++)
		diff_rules(changes, new ? new : old, old ? old->rules[order[i]] : none,
			   new ? new->rules[order[i]] : none);
}

static GPtrArray *entry_words(const struct model_prefix_list *list)
{
	GPtrArray *texts = words();

	for (guint i = 0; list && i < list->entries->len; i++) {
		char text[CIDR_TEXT_SIZE];

		g_ptr_array_add(
			texts,
			g_strdup(cidr_format(&g_array_index(list->entries, struct cidr, i), text)));
	}
	return texts;
}

/* Lists of ten thousand entries differ in few: sets, not every pair. */
static void list_change(json_t *changes, const struct model_change *changed)
{
	const struct model_prefix_list *old = changed->old.list, *new = changed->new.list;
	json_t *change =
		change_of("prefix_list", action_of(changed), changed->network, changed->id);
	g_autoptr(GHashTable) before = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) after = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) old_words = entry_words(old);
	g_autoptr(GPtrArray) new_words = entry_words(new);

	for (guint i = 0; i < old_words->len; i++)
		g_hash_table_add(before, old_words->pdata[i]);
	for (guint i = 0; i < new_words->len; i++)
		g_hash_table_add(after, new_words->pdata[i]);
	for (guint i = 0; i < new_words->len; i++)
		if (!g_hash_table_contains(before, new_words->pdata[i]))
			detail(change, "+%s", (char *)new_words->pdata[i]);
	for (guint i = 0; i < old_words->len; i++)
		if (!g_hash_table_contains(after, old_words->pdata[i]))
			detail(change, "-%s", (char *)old_words->pdata[i]);
	if (old && new && !json_array_size(json_object_get(change, "details"))) {
		json_object_set_new(change, "action", json_string("text"));
		detail(change, "description or labels");
	}
	json_array_append_new(changes, change);
}

static GPtrArray *address_words(const struct model_interface *iface)
{
	GPtrArray *texts = words();

	for (uint32_t i = 0; i < iface->address_count; i++) {
		char text[ADDR_TEXT_SIZE];

		g_ptr_array_add(texts, g_strdup(addr_format(&iface->addresses[i], text)));
	}
	return texts;
}

static GPtrArray *allowed_words(const struct model_interface *iface)
{
	GPtrArray *texts = words();

	for (uint32_t i = 0; i < iface->settings->allowed_count; i++) {
		char text[CIDR_TEXT_SIZE];

		g_ptr_array_add(texts, g_strdup(cidr_format(&iface->settings->allowed[i], text)));
	}
	return texts;
}

static GPtrArray *group_words(const struct model_interface *iface)
{
	GPtrArray *texts = words();

	for (uint32_t i = 0; i < iface->groups->count; i++)
		g_ptr_array_add(texts, g_strdup(iface->groups->ids[i]));
	return texts;
}

static void join_detail(json_t *change, const char *what, GPtrArray *texts)
{
	g_autofree char *list = NULL;

	g_ptr_array_add(texts, NULL);
	list = g_strjoinv(", ", (char **)texts->pdata);
	g_ptr_array_remove_index(texts, texts->len - 1);
	detail(change, "%s %s", what, *list ? list : "none");
}

static void compare_settings(json_t *change, const struct model_settings *old,
			     const struct model_settings *new)
{
	char before[MAC_TEXT_SIZE], after[MAC_TEXT_SIZE];

	compare_text(change, "device", old->device, new->device);
	compare_text(change, "host", old->host, new->host);
	compare_text(change, "mac", old->has_mac ? mac_format(old->mac, before) : NULL,
		     new->has_mac ? mac_format(new->mac, after) : NULL);
	compare_text(change, "hook", hook_name(old->hook), hook_name(new->hook));
	if (old->spoof_guard != new->spoof_guard)
		detail(change, "spoof_guard %s", new->spoof_guard ? "on" : "off");
	if (old->vlan_count != new->vlan_count ||
	    (old->vlan_count &&
	     memcmp(old->vlans, new->vlans, old->vlan_count * sizeof(*old->vlans)) != 0))
		detail(change, "vlans");
	if (memcmp(&old->conntrack, &new->conntrack, sizeof(old->conntrack)) != 0)
		detail(change, "conntrack");
}

static void interface_change(json_t *changes, const struct model_change *changed)
{
	const struct model_interface *old = changed->old.iface, *new = changed->new.iface;
	json_t *change = change_of("interface", action_of(changed), changed->network, changed->id);
	g_autoptr(GPtrArray) groups = group_words(new ? new : old);
	g_autoptr(GPtrArray) addresses = address_words(new ? new : old);

	json_array_append_new(changes, change);
	if (!old || !new) {
		join_detail(change, "groups", groups);
		join_detail(change, "addresses", addresses);
		return;
	}
	g_autoptr(GPtrArray) old_groups = group_words(old);
	g_autoptr(GPtrArray) old_addresses = address_words(old);
	g_autoptr(GPtrArray) allowed = allowed_words(new);
	g_autoptr(GPtrArray) old_allowed = allowed_words(old);

	compare(change, "groups", old_groups, groups);
	compare(change, "addresses", old_addresses, addresses);
	compare(change, "allowed_addresses", old_allowed, allowed);
	compare_settings(change, old->settings, new->settings);
	if (!json_array_size(json_object_get(change, "details")))
		detail(change,
		       changed->enforced ? "the order of its groups" : "description or labels");
}

static void plain_change(json_t *changes, const char *kind, const struct model_change *changed)
{
	json_array_append_new(changes, change_of(kind, action_of(changed), NULL, changed->id));
}

void plan_changes(const struct model_edit *edit, json_t *changes)
{
	for (guint i = 0; i < edit->changes->len; i++) {
		const struct model_change *change = model_edit_at(edit, i);

		switch (change->kind) {
		case MODEL_KIND_SERVICE:
			plain_change(changes, "service", change);
			break;
		case MODEL_KIND_NETWORK:
			plain_change(changes, "network", change);
			break;
		case MODEL_KIND_PREFIX_LIST:
			list_change(changes, change);
			break;
		case MODEL_KIND_GROUP:
			group_change(changes, change);
			break;
		case MODEL_KIND_INTERFACE:
			interface_change(changes, change);
			break;
		}
	}
}
