/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_redundancy.c - SG101 to SG105: rules and peers that change no verdict.
 *
 * All that is found may be removed at once: what was found is no longer counted on to cover the
 * rest. A rule within a single other one goes first, so that the widest stand; then, from the last
 * rule of the file, what several cover together; then peers, the narrowest first; then what other
 * groups of the same interfaces have.
 */
#include "ctl/lint_internal.h"
#include "rulesd/cleanup.h"

#define NONE (~0u)

/* The rules of one direction of a group. */
struct pass {
	struct lint *lint;
	const struct model_group *group;
	const GPtrArray *rules;
	struct cover *cover;
	GArray *by;	       /* guint of each rule: a single one that covers it, or NONE */
	GHashTable *redundant; /* of the run: struct model_rule and struct model_peer found */
};

static const struct model_rule *rule_at(const struct pass *pass, guint i)
{
	return g_ptr_array_index(pass->rules, i);
}

/* Whether it is a prefix list that holds nothing, which other checks say. A group without members
 * has some tomorrow. */
static bool is_vacuous(const struct pass *pass, const struct model_peer *peer)
{
	return peer->kind == MODEL_PEER_PREFIX_LIST && lint_peer_is_empty(pass->lint, peer);
}

static bool is_subject(const struct pass *pass, guint i)
{
	const struct model_rule *rule = rule_at(pass, i);

	if (rule->implied || g_hash_table_contains(pass->redundant, rule))
		return false;
	for (guint j = 0; j < rule->peers->len; j++)
		if (!is_vacuous(pass, g_ptr_array_index(rule->peers, j)))
			return true;
	return false;
}

static char *rule_name(const struct pass *pass, guint i)
{
	return g_strdup_printf("%s/%s", pass->group->id, rule_at(pass, i)->id);
}

/* "sg-web/https, line 12": ids that were derived say little. */
static char *rule_text(const struct pass *pass, guint i)
{
	const struct model_rule *rule = rule_at(pass, i);
	g_autofree char *name = rule_name(pass, i);

	if (!rule->derived)
		return TAKE_PTR(name);
	return g_strdup_printf("%s (line %u)", name, rule->place.line);
}

static guint *by_of(const struct pass *pass, guint i)
{
	return &g_array_index(pass->by, guint, i);
}

static void found(struct pass *pass, guint i)
{
	g_hash_table_add(pass->redundant, g_ptr_array_index(pass->rules, i));
	cover_remove(pass->cover, i, COVER_EVERY_PEER);
}

/* ------------------------------------------------------------------ one rule by another */

static void find_single(struct pass *pass, guint i)
{
	g_autoptr(GArray) candidates = NULL;

	if (!is_subject(pass, i) || !cover_holds(pass->cover, i, COVER_EVERY_PEER, NULL))
		return;
	candidates = g_array_new(FALSE, FALSE, sizeof(guint));
	cover_candidates(pass->cover, i, candidates);
	for (guint k = 0; k < candidates->len && *by_of(pass, i) == NONE; k++) {
		guint j = g_array_index(candidates, guint, k);

		if (!cover_by_one(pass->cover, i, j))
			continue;
		/* Of two equal ones the first stays. */
		if (j < i || !is_subject(pass, j) || !cover_by_one(pass->cover, j, i))
			*by_of(pass, i) = j;
	}
}

static void report_single(struct pass *pass, guint i)
{
	const struct model_rule *rule = rule_at(pass, i);
	struct lint_at at = lint_at_rule(pass->group, rule, i);
	guint by = *by_of(pass, i);
	g_autofree char *other = NULL;

	/* The widest of a chain is the one that stays. */
	while (*by_of(pass, by) != NONE)
		by = *by_of(pass, by);
	other = rule_text(pass, by);
	if (cover_by_one(pass->cover, by, i))
		lint_add(pass->lint->findings, LINT_DUPLICATE_RULE, &at, NULL, "remove it",
			 "allows exactly what %s allows", other);
	else
		lint_add(pass->lint->findings, LINT_SUBSUMED_RULE, &at, NULL,
			 "remove it, or narrow the other one", "%s allows all of it, and more",
			 other);
}

/* ------------------------------------------------------------------ one rule by several */

#define MINIMIZE_MAX 32 /* each one costs a question */

/* Leaves out of used, which covers the rule or the peer, what is not needed for it. */
static void minimize(struct cover *cover, guint i, guint peer, GArray *used)
{
	for (guint j = used->len; j-- > 0 && used->len > 1 && used->len <= MINIMIZE_MAX;) {
		guint left_out = g_array_index(used, guint, j);

		g_array_remove_index(used, j);
		if (!cover_by_some(cover, i, peer, used))
			g_array_insert_val(used, j, left_out);
	}
}

static char *rules_text(const struct pass *pass, const GArray *used)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < used->len; i++)
		g_ptr_array_add(names, rule_text(pass, g_array_index(used, guint, i)));
	return lint_join(names);
}

static void find_shadowed(struct pass *pass, guint i)
{
	g_autoptr(GArray) used = g_array_new(FALSE, FALSE, sizeof(guint));
	g_autofree char *names = NULL;
	struct lint_at at;

	if (!is_subject(pass, i) || !cover_holds(pass->cover, i, COVER_EVERY_PEER, used))
		return;
	minimize(pass->cover, i, COVER_EVERY_PEER, used);
	names = rules_text(pass, used);
	at = lint_at_rule(pass->group, rule_at(pass, i), i);
	lint_add(pass->lint->findings, LINT_SHADOWED_RULE, &at, NULL, "remove it",
		 "%s together allow all of it", names);
	found(pass, i);
}

/* ------------------------------------------------------------------ peers */

struct sized_peer {
	unsigned __int128 size;
	guint index;
};

/* The narrowest first, and of equal ones the last. */
static int compare_peers(gconstpointer a, gconstpointer b)
{
	const struct sized_peer *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return x->index > y->index ? -1 : x->index < y->index;
}

static void report_peer(struct pass *pass, guint i, guint peer, const GArray *used)
{
	const struct model_rule *rule = rule_at(pass, i);
	struct lint_at at = lint_at_peer(pass->group, rule, i, peer);
	g_autofree char *text =
		lint_peer_text(g_ptr_array_index(rule->peers, peer), pass->group->network);
	g_autofree char *names = NULL;

	if (used->len == 1 && g_array_index(used, guint, 0) == i)
		names = g_strdup("other peers of the rule");
	else
		names = rules_text(pass, used);
	lint_add(pass->lint->findings, LINT_REDUNDANT_PEER, &at, text, "remove the peer",
		 "%s is allowed already by %s", text, names);
	g_hash_table_add(pass->redundant, g_ptr_array_index(rule->peers, peer));
	cover_remove(pass->cover, i, peer);
}

static void find_peers(struct pass *pass, guint i)
{
	const struct model_rule *rule = rule_at(pass, i);
	g_autoptr(GArray) peers = g_array_new(FALSE, FALSE, sizeof(struct sized_peer));
	g_autoptr(GArray) used = g_array_new(FALSE, FALSE, sizeof(guint));

	if (rule->peers->len < 2 || !is_subject(pass, i))
		return;
	for (guint j = 0; j < rule->peers->len; j++) {
		const struct model_peer *peer = g_ptr_array_index(rule->peers, j);
		const struct sized_peer sized = {cover_peer_size(pass->lint->peers, peer), j};

		if (!is_vacuous(pass, peer))
			g_array_append_val(peers, sized);
	}
	g_array_sort(peers, compare_peers);
	for (guint j = 0; j < peers->len; j++) {
		guint peer = g_array_index(peers, struct sized_peer, j).index;

		g_array_set_size(used, 0);
		if (!cover_holds(pass->cover, i, peer, used))
			continue;
		minimize(pass->cover, i, peer, used);
		report_peer(pass, i, peer, used);
	}
}

/* ------------------------------------------------------------------ a direction of a group */

static void check_direction(struct lint *lint, const struct model_group *group, enum sg_dir dir,
			    GHashTable *redundant)
{
	const GPtrArray *rules = group->rules[dir];
	CLEANUP(cover_free) struct cover *cover = cover_new(lint->peers);
	g_autoptr(GArray) by = g_array_new(FALSE, FALSE, sizeof(guint));
	const guint none = NONE;
	struct pass pass = {.lint = lint,
			    .group = group,
			    .rules = rules,
			    .cover = cover,
			    .by = by,
			    .redundant = redundant};

	for (guint i = 0; i < rules->len; i++) {
		cover_add(cover, g_ptr_array_index(rules, i), NULL);
		g_array_append_val(by, none);
	}
	for (guint i = 0; i < rules->len; i++)
		find_single(&pass, i);
	for (guint i = 0; i < rules->len; i++) {
		if (*by_of(&pass, i) == NONE)
			continue;
		report_single(&pass, i);
		found(&pass, i);
	}
	for (guint i = rules->len; i-- > 0;)
		find_shadowed(&pass, i);
	for (guint i = 0; i < rules->len; i++)
		find_peers(&pass, i);
}

/* ------------------------------------------------------------------ across groups */

static void add_rules(struct cover *cover, const struct model_group *group, enum sg_dir dir,
		      const GHashTable *redundant, GPtrArray *owners)
{
	for (guint i = 0; i < group->rules[dir]->len; i++) {
		struct model_rule *rule = g_ptr_array_index(group->rules[dir], i);

		if (g_hash_table_contains((GHashTable *)(uintptr_t)redundant, rule))
			continue;
		cover_add(cover, rule, redundant);
		g_ptr_array_add(owners, (gpointer)(uintptr_t)group);
	}
}

static char *owners_text(const GArray *used, const GPtrArray *owners, const struct model_group *own)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (guint i = 0; i < used->len; i++) {
		const struct model_group *owner =
			g_ptr_array_index(owners, g_array_index(used, guint, i));

		if (owner != own && !g_ptr_array_find(names, owner->id, NULL))
			g_ptr_array_add(names, owner->id);
	}
	return lint_join(names);
}

static void report_with_group(struct pass *pass, guint i, const GArray *used,
			      const GPtrArray *owners)
{
	struct lint_at at = lint_at_rule(pass->group, rule_at(pass, i), i);
	g_autofree char *names = owners_text(used, owners, pass->group);

	lint_add(pass->lint->findings, LINT_REDUNDANT_WITH_GROUP, &at, NULL,
		 "remove it, or remove it there",
		 "every interface with %s also carries %s, which allows it already",
		 pass->group->id, names);
}

static void check_with_groups(struct lint *lint, const struct lint_group *entry, enum sg_dir dir,
			      GHashTable *redundant)
{
	const GPtrArray *rules = entry->group->rules[dir];
	CLEANUP(cover_free) struct cover *cover = cover_new(lint->peers);
	g_autoptr(GPtrArray) owners = g_ptr_array_new();
	struct pass pass = {.lint = lint,
			    .group = entry->group,
			    .rules = rules,
			    .cover = cover,
			    .redundant = redundant};
	g_autoptr(GArray) used = g_array_new(FALSE, FALSE, sizeof(guint));
	guint number = 0;

	add_rules(cover, entry->group, dir, redundant, owners);
	for (guint i = 0; i < entry->with->len; i++)
		add_rules(cover, g_ptr_array_index(entry->with, i), dir, redundant, owners);
	for (guint i = 0; i < rules->len; i++) {
		struct model_rule *rule = g_ptr_array_index(rules, i);

		if (g_hash_table_contains(redundant, rule))
			continue;
		g_array_set_size(used, 0);
		if (is_subject(&pass, i) && cover_holds(cover, number, COVER_EVERY_PEER, used)) {
			minimize(cover, number, COVER_EVERY_PEER, used);
			report_with_group(&pass, i, used, owners);
			g_hash_table_add(redundant, rule);
			cover_remove(cover, number, COVER_EVERY_PEER);
		}
		number++;
	}
}

void lint_check_redundancy(struct lint *lint)
{
	g_autoptr(GHashTable) redundant = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < lint->in_order->len; i++) {
		const struct lint_group *entry = g_ptr_array_index(lint->in_order, i);

		for (int dir = 0; dir < SG_DIRS; dir++)
			if (entry->group->rules[dir]->len)
				check_direction(lint, entry->group, (enum sg_dir)dir, redundant);
	}
	for (guint i = 0; i < lint->in_order->len; i++) {
		const struct lint_group *entry = g_ptr_array_index(lint->in_order, i);

		for (int dir = 0; entry->with && entry->with->len && dir < SG_DIRS; dir++)
			check_with_groups(lint, entry, (enum sg_dir)dir, redundant);
	}
}
