/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_repeats.c - the rules of one group, each permission once: a group's list and its rules by
 * themselves say the same, and strangers' files repeat themselves.
 */
#include <string.h>

#include "ctl/import_policy.h"
#include "rulesd/cleanup.h"

static char *permission_key(const struct import_rule *rule, const struct import_peer *peer)
{
	return g_strdup_printf("%u %d %d %d %d %s", rule->protocol, rule->first, rule->last,
			       rule->family, peer->kind, peer->value);
}

static void report_repeat(struct import *import, const struct import_group *group,
			  const struct import_rule *rule, const struct import_peer *peer)
{
	import_report_add_at(import->report, IMPORT_SAME, "duplicate", group->id, rule->place.file,
			     rule->place.pointer, "the permission for %s is there before",
			     peer->value);
}

/* Takes away the peers of the rule that others have before it. */
static void drop_repeats(struct import *import, const struct import_group *group,
			 struct import_rule *rule, GHashTable *seen)
{
	for (guint i = 0; i < rule->peers->len;) {
		struct import_peer *peer = rule->peers->pdata[i];
		g_autofree char *key = permission_key(rule, peer);
		const struct import_rule *first = g_hash_table_lookup(seen, key);

		if (!first) {
			g_hash_table_insert(seen, g_steal_pointer(&key), rule);
			i++;
			continue;
		}
		/* A group's list and the rule by itself say the same; so do two listings of it. */
		if (first->detail == rule->detail &&
		    !(rule->detail && !g_strcmp0(first->id, rule->id)))
			report_repeat(import, group, rule, peer);
		g_ptr_array_remove_index(rule->peers, i);
	}
}

static void drop_empty(GPtrArray *rules)
{
	for (guint i = 0; i < rules->len;) {
		const struct import_rule *rule = rules->pdata[i];

		if (rule->peers->len)
			i++;
		else
			g_ptr_array_remove_index(rules, i);
	}
}

/* A second rule of one id gets another. */
static void drop_ids(struct import *import, const struct import_group *group, GPtrArray *rules)
{
	g_autoptr(GHashTable) taken = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < rules->len; i++) {
		struct import_rule *rule = rules->pdata[i];

		if (!rule->id || g_hash_table_add(taken, rule->id))
			continue;
		import_report_add_at(import->report, IMPORT_LEFT_OUT, "duplicate-id", group->id,
				     rule->place.file, rule->place.pointer,
				     "a second rule has the id %s: it gets one from its content",
				     rule->id);
		g_free(TAKE_PTR(rule->id));
	}
}

static bool is_world(const struct import_peer *peer, const char *cidr)
{
	return peer->kind == IMPORT_PEER_CIDR && !strcmp(peer->value, cidr) && !peer->description &&
	       !peer->extra;
}

/* A description that all peers share is the rule's. */
static void lift_description(struct import_rule *rule)
{
	const struct import_peer *first = rule->peers->pdata[0];

	if (rule->description || !first->description)
		return;
	for (guint i = 1; i < rule->peers->len; i++) {
		const struct import_peer *peer = rule->peers->pdata[i];

		if (g_strcmp0(first->description, peer->description) != 0)
			return;
	}
	rule->description = g_strdup(first->description);
	for (guint i = 0; i < rule->peers->len; i++)
		g_free(TAKE_PTR(((struct import_peer *)rule->peers->pdata[i])->description));
}

/* Both families' every address is "any". */
static void join_world(struct import_rule *rule)
{
	guint v4 = rule->peers->len, v6 = v4;

	for (guint i = 0; i < rule->peers->len; i++) {
		const struct import_peer *peer = rule->peers->pdata[i];

		if (is_world(peer, "0.0.0.0/0"))
			v4 = i;
		else if (is_world(peer, "::/0"))
			v6 = i;
	}
	if (v4 == rule->peers->len || v6 == rule->peers->len)
		return;
	import_set(&((struct import_peer *)rule->peers->pdata[v4])->value, "any");
	g_ptr_array_remove_index(rule->peers, v6);
}

void import_settle_rules(struct import *import, struct import_group *group)
{
	for (unsigned int dir = 0; dir < 2; dir++) {
		g_autoptr(GHashTable) seen =
			g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		GPtrArray *rules = group->rules[dir];

		/* Rules by themselves first: they know more. */
		for (int detail = 1; detail >= 0; detail--)
			for (guint i = 0; i < rules->len; i++) {
				struct import_rule *rule = rules->pdata[i];

				if (rule->detail == (bool)detail)
					drop_repeats(import, group, rule, seen);
			}
		drop_empty(rules);
		drop_ids(import, group, rules);
		for (guint i = 0; i < rules->len; i++) {
			lift_description(rules->pdata[i]);
			join_world(rules->pdata[i]);
		}
	}
}
