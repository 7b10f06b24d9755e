/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_edit.c - a compiled policy that changes where it is: which entries differ, how they are
 * written beside what holds, taken back, and cleaned up.
 *
 * Most changes of rules are of one rule, which is an entry or two of a policy that has hundreds and
 * is on a thousand interfaces. So when all interfaces of a policy get the same other one, and few
 * entries differ, those are given a second version (SG_PORTS_SINCE in abi.h) and the generation
 * flips them, as it flips members: the interfaces keep their policy's number. The image's number
 * for it becomes an alias of the kernel's.
 *
 * Order, and why nobody reads a mixture:
 *   1. the outline is widened to what either policy may allow: it says yes too often, never no
 *   2. intervals at places that nothing refers to; counters of new rules
 *   3. of each entry, what it says now, under a key that nobody reads yet
 *   4. the entry itself, which from now on sends everybody there who is not of the next generation
 *   5. the flip; flows that the old policy allowed are evaluated again because their peer lost
 *      something (sg_peergone), whatever interface they are of
 *   6. when nobody needs the old version any more: entries without SG_PORTS_SINCE, the other keys
 *      deleted, the outline narrowed; an entry without rules stays until its policy goes
 * What is written again before step 6 is a second version for packets of two generations;
 * settle_conflicts() knows when that could show one of them a mixture. A killed daemon's successor
 * goes on at step 6, or takes back what no flip has published (bpf_image_read.c).
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"

void edit_free(gpointer pointer)
{
	struct policy_edit *edit = pointer;

	g_clear_pointer(&edit->content, g_bytes_unref);
	g_clear_pointer(&edit->starts, g_array_unref);
	g_array_unref(edit->entries);
	g_free(edit);
}

GPtrArray *edits_new(void)
{
	return g_ptr_array_new_with_free_func(edit_free);
}

static void edited_clear(gpointer pointer)
{
	struct edited *edited = pointer;

	g_array_unref(edited->keys);
	g_clear_pointer(&edited->rules, g_bytes_unref);
}

void edits_init(struct dataplane *dataplane)
{
	dataplane->undo_ports = g_array_new(FALSE, FALSE, sizeof(struct ports_undo));
	dataplane->settling.edited = g_array_new(FALSE, TRUE, sizeof(struct edited));
	g_array_set_clear_func(dataplane->settling.edited, edited_clear);
}

void edits_free(struct dataplane *dataplane)
{
	g_array_unref(dataplane->undo_ports);
	g_array_unref(dataplane->settling.edited);
}

const uint8_t *edit_touched_key(const struct sg_policy_key *key, uint8_t touched[24])
{
	memset(touched, 0, 24);
	memcpy(touched, key, sizeof(*key));
	return touched;
}

/* ------------------------------------------------------------------ write */

static const struct sg_policy_ports nothing;

/* *stored: whether there was such an entry, and with these first 8 bytes if flags ask for them. */
static int store(struct dataplane *dataplane, struct sg_policy_store *store,
		 enum sg_policy_stored *stored, char **error)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = store, .ctx_size_in = sizeof(*store));
	int code = bpf_fault(CALL_TEST_RUN, "store");

	if (!code)
		code = bpf_prog_test_run_opts(dataplane->program[PROGRAM_POLICY_STORE], &run);
	if (code)
		return bpf_fail(error, code, "map %s: storing policy %u: bpf(PROG_TEST_RUN)",
				SG_MAP_POLICY, store->key.policy);
	*stored = run.retval;
	return 0;
}

/* The value from generation epoch on; before it what has that tag. */
static struct sg_policy_ports since(struct sg_policy_ports value, uint8_t tag, uint64_t epoch)
{
	if (value.count != 1)
		value.one = (struct sg_interval){.rule = value.start};
	value.start = (uint32_t)epoch;
	value.count |= SG_PORTS_SINCE | (uint32_t)tag << 24;
	return value;
}

int edits_take_back(struct dataplane *dataplane, struct edited_key *key,
		    const struct sg_policy_ports *before, char **error)
{
	/* Everybody reads the one before, so member one is nobody's. The first 8 bytes do not
	 * become what they were: a packet that stopped between its reads is to look again. */
	struct sg_policy_store wanted = {
		.key = key->key,
		.flags = SG_STORE_IF | SG_STORE_ONE_FIRST,
		.expected = key->word,
		.value = since(*before, key->tag, dataplane_generation(dataplane))};
	enum sg_policy_stored stored = SG_STORE_DIFFERS;
	int code = store(dataplane, &wanted, &stored, error);

	if (!code)
		key->word = stored == SG_STORED ? ports_word(&wanted.value) : 0;
	return code;
}

/* The entry itself, or a new one. */
static int write_key(struct dataplane *dataplane, const struct sg_policy_key *key,
		     const struct sg_policy_ports *value, unsigned int *writes, char **error)
{
	struct sg_policy_store wanted = {.key = *key, .value = *value};
	enum sg_policy_stored stored = SG_STORE_DIFFERS;
	int code = store(dataplane, &wanted, &stored, error);

	if (code)
		return code;
	if (stored == SG_STORE_MISSING)
		return held_write_key(dataplane, key, value, writes, error);
	++*writes;
	return held_read_back(dataplane, key, value, error);
}

static bool same_entry(const struct sg_policy_key *a, const struct sg_policy_key *b)
{
	return a->policy == b->policy && a->peer == b->peer && a->proto == b->proto &&
	       a->dir == b->dir;
}

uint8_t edit_free_tag(const struct dataplane *dataplane, const struct sg_policy_key *key)
{
	const GArray *list = dataplane->settling.edited;
	bool taken[SG_PORTS_TAGS + 1] = {true};
	uint8_t tag = 1;

	for (guint i = 0; i < list->len; i++) {
		const GArray *keys = g_array_index(list, struct edited, i).keys;

		for (guint k = 0; k < keys->len; k++) {
			const struct edited_key *own = &g_array_index(keys, struct edited_key, k);

			if (same_entry(&own->key, key))
				taken[own->tag & SG_PORTS_TAGS] = true;
		}
	}
	while (tag <= SG_PORTS_TAGS && taken[tag])
		tag++;
	return tag <= SG_PORTS_TAGS ? tag : 0;
}

static int write_entry(struct dataplane *dataplane, const struct policy_edit *edit,
		       const struct ports_edit *entry, uint64_t epoch, unsigned int *writes,
		       char **error)
{
	uint8_t tag = edit_free_tag(dataplane, &entry->key);
	struct ports_undo undo = {.written = {.key = entry->key, .tag = tag}};
	struct sg_policy_key before = entry->key;
	struct sg_policy_ports value;
	uint32_t start = 0;
	int code = 0;

	if (entry->new) {
		code = held_write_ports(dataplane, entry->new, &start, writes, error);
		if (code)
			return code;
		g_array_index(edit->starts, uint32_t, entry->at) = start;
		if (entry->new->count > 1)
			undo.extent = (struct extent){start, entry->new->count};
	}
	value = since(entry->new ? held_value(entry->new, start) : nothing, tag, epoch);
	undo.written.word = ports_word(&value);
	if (entry->old)
		undo.value = held_value(entry->old, entry->old_start);
	g_array_append_val(dataplane->undo_ports, undo);
	before.pad = tag;
	if (entry->old)
		code = held_write_key(dataplane, &before, &undo.value, writes, error);
	return code ? code : write_key(dataplane, &entry->key, &value, writes, error);
}

int edits_write(struct dataplane *dataplane, const struct plan *plan, uint64_t epoch,
		unsigned int *writes, char **error)
{
	for (guint i = 0; i < plan->edits->len; i++) {
		const struct policy_edit *edit = plan->edits->pdata[i];
		int code = outline_widen(dataplane, edit->policy, edit->content, writes, error);

		for (guint k = 0; !code && k < edit->entries->len; k++)
			code = write_entry(dataplane, edit,
					   &g_array_index(edit->entries, struct ports_edit, k),
					   epoch, writes, error);
		if (code)
			return code;
	}
	return 0;
}

/* ------------------------------------------------------------------ take back, or keep */

static GArray *remember(struct dataplane *dataplane, uint32_t number, GBytes *rules,
			uint64_t generation)
{
	struct edited edited = {.number = number,
				.rules = rules,
				.since = generation,
				.keys = g_array_new(FALSE, FALSE, sizeof(struct edited_key))};

	g_array_append_val(dataplane->settling.edited, edited);
	return edited.keys;
}

int edits_undo(struct dataplane *dataplane, char **error)
{
	GArray *list = dataplane->undo_ports;

	while (list->len) {
		const struct ports_undo *undo =
			&g_array_index(list, struct ports_undo, list->len - 1);
		struct held_policy *held = held_policy_at(dataplane, undo->written.key.policy);
		struct edited_key key = undo->written;
		uint8_t touched[24];
		int code = edits_take_back(dataplane, &key, &undo->value, error);

		if (code)
			return code;
		if (undo->extent.count)
			intervals_give(dataplane->free_intervals, undo->extent.start,
				       undo->extent.count);
		if (held && !undo->value.count)
			held_add_empty(held, &key.key);
		settle_undone(dataplane, TABLE_POLICY, edit_touched_key(&key.key, touched));
		/* A packet that found the entry before it was taken back goes on to the other
		 * one: that stays until the next flip is settled. */
		g_array_append_val(remember(dataplane, key.key.policy, NULL,
					    dataplane_generation(dataplane) + 1),
				   key);
		g_array_set_size(list, list->len - 1);
	}
	return 0;
}

static void keep_edit(struct dataplane *dataplane, struct policy_edit *edit, const GArray *written,
		      guint *at, uint64_t generation)
{
	GArray *keys = g_array_new(FALSE, FALSE, sizeof(struct edited_key));
	GBytes *rules;

	for (guint k = 0; k < edit->entries->len; k++, ++*at) {
		const struct ports_edit *entry =
			&g_array_index(edit->entries, struct ports_edit, k);
		struct edited_key key = g_array_index(written, struct ports_undo, *at).written;

		if (entry->old && entry->old->count > 1)
			key.extent = (struct extent){entry->old_start, entry->old->count};
		if (!entry->new)
			held_add_empty(edit->policy, &key.key);
		g_array_append_val(keys, key);
	}
	/* entries point into it. */
	rules = held_replace(dataplane, edit->policy, edit->old, edit->new, TAKE_PTR(edit->content),
			     TAKE_PTR(edit->starts));
	g_array_append_vals(remember(dataplane, edit->policy->number, rules, generation),
			    keys->data, keys->len);
	g_array_unref(keys);
}

void edits_keep(struct dataplane *dataplane, const struct plan *plan, uint64_t generation)
{
	guint at = 0;

	for (guint i = 0; i < plan->edits->len; i++)
		keep_edit(dataplane, plan->edits->pdata[i], dataplane->undo_ports, &at, generation);
	g_array_set_size(dataplane->undo_ports, 0);
}

/* ------------------------------------------------------------------ clean up */

/* Nothing where a later change has written it again. */
static int finish_entry(struct dataplane *dataplane, const struct held_policy *held,
			const struct edited_key *key, char **error)
{
	struct sg_policy_store wanted = {
		.key = key->key, .flags = SG_STORE_IF, .expected = key->word};
	enum sg_policy_stored stored = SG_STORE_DIFFERS;

	if (!key->word)
		return 0;
	if (!held_find(held, &key->key, &wanted.value))
		wanted.value = nothing;
	/* Its intervals, then where they are: whoever reads one of these words reads the other
	 * one, too, and looks again. */
	if (SG_PORTS_COUNT((uint32_t)key->word) != wanted.value.count)
		return 0;
	return store(dataplane, &wanted, &stored, error);
}

static int finish_key(struct dataplane *dataplane, const struct held_policy *held,
		      const struct edited_key *key, char **error)
{
	struct sg_policy_key before = key->key;
	/* Of a policy that is on its way out all keys are deleted. */
	int code = held && held->complete ? finish_entry(dataplane, held, key, error) : 0;

	before.pad = key->tag;
	if (!code && key->tag)
		code = table_delete(dataplane, TABLE_POLICY, &before, error);
	if (!code && key->extent.count)
		intervals_give(dataplane->free_intervals, key->extent.start, key->extent.count);
	return code;
}

/* Packets that run may need its outline as wide as it is. */
static bool changes_again(const struct dataplane *dataplane, guint at, uint32_t number)
{
	const GArray *list = dataplane->settling.edited;

	for (guint i = at + 1; i < list->len; i++)
		if (g_array_index(list, struct edited, i).number == number)
			return true;
	return false;
}

static int finish(struct dataplane *dataplane, guint at, char **error)
{
	struct edited *edited = &g_array_index(dataplane->settling.edited, struct edited, at);
	struct held_policy *held = held_policy_at(dataplane, edited->number);

	while (edited->keys->len) {
		guint last = edited->keys->len - 1;
		int code = finish_key(dataplane, held,
				      &g_array_index(edited->keys, struct edited_key, last), error);

		if (code)
			return code;
		g_array_set_size(edited->keys, last);
	}
	if (edited->rules)
		held_drop_rules_of(dataplane, edited->rules);
	if (!held || !held->complete || changes_again(dataplane, at, edited->number))
		return 0;
	return outline_narrow(dataplane, held, error);
}

int edits_finish(struct dataplane *dataplane, uint64_t settled, char **error)
{
	GArray *list = dataplane->settling.edited;
	guint done = 0;
	int code = 0;

	while (!code && done < list->len &&
	       g_array_index(list, struct edited, done).since <= settled) {
		code = finish(dataplane, done, error);
		done += !code;
	}
	if (done)
		g_array_remove_range(list, 0, done);
	return code;
}

bool edits_due(const struct dataplane *dataplane)
{
	const GArray *list = dataplane->settling.edited;

	return list->len &&
	       g_array_index(list, struct edited, 0).since <= dataplane_generation(dataplane);
}

bool edits_pending(const struct dataplane *dataplane, const struct sg_policy_key *key)
{
	const GArray *list = dataplane->settling.edited;

	for (guint i = 0; i < list->len; i++) {
		const GArray *keys = g_array_index(list, struct edited, i).keys;

		for (guint k = 0; k < keys->len; k++) {
			const struct edited_key *own = &g_array_index(keys, struct edited_key, k);

			if (same_entry(&own->key, key) && (!key->pad || own->tag == key->pad))
				return true;
		}
	}
	return false;
}

/* ------------------------------------------------------------------ at opening */

void edits_adopt(struct dataplane *dataplane, const struct edited_key *key)
{
	g_array_append_vals(
		remember(dataplane, key->key.policy, NULL, dataplane_generation(dataplane)), key,
		1);
}
