/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_verify_policies.c - compiled policies with their intervals, the counters of rules, and the
 * peers that lost a member.
 */
#include "rulesd/bpf_verify.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"

#define POLICIES_A_STEP 8u

static char *key_text(const struct sg_policy_key *key)
{
	return g_strdup_printf("policy %u, %s, peer %u, protocol %u", key->policy,
			       key->dir == SG_DIR_EXEMPT ? "exempt"
			       : key->dir == SG_EGRESS	 ? "egress"
							 : "ingress",
			       key->peer, key->proto);
}

static char *ports_text(const struct sg_policy_ports *ports)
{
	return g_strdup_printf("%u port ranges from %u-%u, rule %u", SG_PORTS_COUNT(ports->count),
			       ports->one.first, ports->one.last, ports->one.rule);
}

/* ------------------------------------------------------------------ what is held is there */

static void check_intervals(struct verification *v, const struct sg_policy_key *key, uint32_t start,
			    uint32_t count, const struct sg_interval *intervals)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t index = start + i;
		struct sg_interval found = {};
		char *object, *error = NULL;

		if (!table_lookup(v->dataplane, TABLE_INTERVALS, &index, &found) &&
		    !memcmp(&found, &intervals[i], sizeof(found)))
			continue;
		object = g_strdup_printf("interval %u of policy %u", index, key->policy);
		if (!verify_differs(v, VERIFY_POLICY, 0, object,
				    g_strdup_printf("ports %u-%u, rule %u", intervals[i].first,
						    intervals[i].last, intervals[i].rule),
				    g_strdup_printf("ports %u-%u, rule %u", found.first, found.last,
						    found.rule)))
			continue;
		v->revoke = true;
		verify_repaired(v,
				table_update(v->dataplane, TABLE_INTERVALS, &index, &intervals[i],
					     BPF_ANY, &error),
				error);
	}
}

/* Whether an entry that has a second version says, from a generation that came on, what is held. */
static bool says(const struct dataplane *dataplane, const struct sg_policy_ports *found,
		 const struct sg_policy_ports *expected)
{
	if (!(found->count & SG_PORTS_SINCE))
		return !memcmp(found, expected, sizeof(*found));
	if (!SG_PORTS_HOLD(found->start, dataplane_generation(dataplane)) ||
	    SG_PORTS_COUNT(found->count) != expected->count)
		return false;
	return expected->count == 1 ? !memcmp(&found->one, &expected->one, sizeof(found->one))
				    : found->one.rule == expected->start;
}

static void check_key(struct verification *v, const struct held_policy *policy,
		      const struct held_ports *ports, const struct sg_interval *intervals,
		      uint32_t start)
{
	struct sg_policy_key key = held_key(policy->number, ports);
	struct sg_policy_ports found = {}, expected = held_value(ports, start);
	int code = table_lookup(v->dataplane, TABLE_POLICY, &key, &found);
	char *error = NULL;

	v->result.checked[VERIFY_POLICY]++;
	/* Before the key that leads to them. */
	if (ports->count > 1)
		check_intervals(v, &key, start, ports->count, intervals);
	if (!code && says(v->dataplane, &found, &expected))
		return;
	if (!verify_differs(v, VERIFY_POLICY, 0, key_text(&key), ports_text(&expected),
			    code ? g_strdup("nothing") : ports_text(&found)))
		return;
	v->revoke |= !code;
	verify_repaired(v,
			table_update(v->dataplane, TABLE_POLICY, &key, &expected, BPF_ANY, &error),
			error);
}

static void check_policy(struct verification *v, const struct held_policy *policy)
{
	struct held_cursor cursor = held_cursor_of(policy->content);
	const struct sg_interval *intervals;
	const struct held_ports *ports;

	for (guint i = 0;
	     i < policy->starts->len && (ports = held_cursor_next(&cursor, &intervals)); i++)
		check_key(v, policy, ports, intervals, g_array_index(policy->starts, uint32_t, i));
}

bool verify_policies(struct verification *v, int *code, char **error)
{
	(void)code;
	(void)error;
	/* Those that go between two steps are not there any more, those that come were just
	 * written. */
	if (!v->list) {
		GHashTableIter iter;
		gpointer number;

		v->list = g_ptr_array_new();
		g_hash_table_iter_init(&iter, v->dataplane->policies);
		while (g_hash_table_iter_next(&iter, &number, NULL))
			g_ptr_array_add(v->list, number);
	}
	for (uint32_t i = 0; i < POLICIES_A_STEP && v->next < v->list->len; i++) {
		const struct held_policy *policy =
			held_policy_at(v->dataplane, GPOINTER_TO_UINT(v->list->pdata[v->next++]));

		/* One that is not complete is on its way out. */
		if (policy && policy->complete)
			check_policy(v, policy);
	}
	return v->next < v->list->len;
}

/* ------------------------------------------------------------------ and nothing else */

static bool check_policy_key(const void *key, const void *value, void *arg)
{
	struct verification *v = arg;
	const struct sg_policy_key *own = key;
	const struct held_policy *policy = held_policy_at(v->dataplane, own->policy);
	struct sg_policy_key copy = *own;
	struct sg_policy_ports held;
	char *error = NULL;

	if ((policy && held_find(policy, own, &held)) || edits_pending(v->dataplane, own))
		return true;
	if (policy && held_is_empty(policy, own) && !((const struct sg_policy_ports *)value)->count)
		return true;
	if (!verify_differs(v, VERIFY_POLICY, 0, key_text(own), g_strdup("nothing"),
			    ports_text(value)))
		return true;
	v->revoke |= policy != NULL;
	verify_repaired(v, table_delete(v->dataplane, TABLE_POLICY, &copy, &error), error);
	return true;
}

bool verify_policy_keys(struct verification *v, int *code, char **error)
{
	return verify_walk(v, TABLE_POLICY, check_policy_key, code, error);
}

/* ------------------------------------------------------------------ rules, peers */

static bool check_rule(const void *key, const void *value, void *arg)
{
	struct verification *v = arg;
	uint32_t rule = *(const uint32_t *)key;
	char *error = NULL;

	(void)value;
	v->result.checked[VERIFY_RULE]++;
	if (g_hash_table_contains(v->dataplane->rules, GUINT_TO_POINTER(rule)))
		return true;
	if (verify_differs(v, VERIFY_RULE, 0, g_strdup_printf("counters of rule %u", rule),
			   g_strdup("nothing"), g_strdup("counters")))
		verify_repaired(v, table_delete(v->dataplane, TABLE_RULES, &rule, &error), error);
	return true;
}

static void find_missing_rules(struct verification *v)
{
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, v->dataplane->rules);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		uint32_t rule = GPOINTER_TO_UINT(key);
		struct sg_rule_stats stats, none = {};
		char *error = NULL;

		if (table_lookup(v->dataplane, TABLE_RULES, &rule, &stats) != -ENOENT)
			continue;
		if (verify_differs(v, VERIFY_RULE, 0, g_strdup_printf("counters of rule %u", rule),
				   g_strdup("counters"), g_strdup("nothing")))
			verify_repaired(v,
					table_update(v->dataplane, TABLE_RULES, &rule, &none,
						     BPF_NOEXIST, &error),
					error);
	}
}

bool verify_rules(struct verification *v, int *code, char **error)
{
	if (verify_walk(v, TABLE_RULES, check_rule, code, error))
		return true;
	if (!*code)
		find_missing_rules(v);
	return false;
}

/* What rulesd does not keep is when a peer lost somebody; only that it was not in the future. */
static bool check_peer(const void *key, const void *value, void *arg)
{
	struct verification *v = arg;
	uint32_t peer = *(const uint32_t *)key;
	uint64_t lost = *(const uint64_t *)value, now = dataplane_generation(v->dataplane);
	char *error = NULL;

	v->result.checked[VERIFY_PEER]++;
	/* A change that failed leaves the generation that would have been. */
	if (lost <= now + 1)
		return true;
	if (verify_differs(v, VERIFY_PEER, 0, g_strdup_printf("peer %u", peer),
			   g_strdup_printf("at most generation %" G_GUINT64_FORMAT, now),
			   g_strdup_printf("generation %" G_GUINT64_FORMAT, lost)))
		verify_repaired(
			v, table_update(v->dataplane, TABLE_PEERGONE, &peer, &now, BPF_ANY, &error),
			error);
	return true;
}

bool verify_peers(struct verification *v, int *code, char **error)
{
	return verify_walk(v, TABLE_PEERGONE, check_peer, code, error);
}
