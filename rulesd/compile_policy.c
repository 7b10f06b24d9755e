/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile_policy.c - a list of groups to sorted, disjoint port intervals by direction, peer and
 * protocol.
 */
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile_parts.h"

/* The first interval that does not end before port. */
static guint interval_at(const GArray *intervals, unsigned int port)
{
	guint low = 0, high = intervals->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;

		if (g_array_index(intervals, struct sg_interval, middle).last < port)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Adds [first, last] where nothing is yet: what was added before owns the overlap. */
static void add_interval(GArray *intervals, unsigned int first, unsigned int last, uint32_t rule)
{
	guint at = interval_at(intervals, first);

	while (first <= last) {
		const struct sg_interval *next =
			at < intervals->len ? &g_array_index(intervals, struct sg_interval, at)
					    : NULL;
		unsigned int next_first = next ? next->first : last + 1;
		unsigned int next_last = next ? next->last : last;

		if (first < next_first) {
			struct sg_interval gap = {.first = (uint16_t)first,
						  .last = (uint16_t)(MIN(last + 1, next_first) - 1),
						  .rule = rule};

			g_array_insert_val(intervals, at, gap);
			at++;
		}
		first = next_last + 1;
		at++;
	}
}

static void merge_intervals(GArray *intervals)
{
	guint kept = 0;

	for (guint i = 1; i < intervals->len; i++) {
		struct sg_interval *last = &g_array_index(intervals, struct sg_interval, kept);
		const struct sg_interval *next = &g_array_index(intervals, struct sg_interval, i);

		if (next->rule == last->rule && next->first == last->last + 1)
			last->last = next->last;
		else
			g_array_index(intervals, struct sg_interval, ++kept) = *next;
	}
	g_array_set_size(intervals, kept + 1);
}

/* ---------------------------------------------------------------- one policy */

/*
 * What decides the order of entries in one word, and where the range stands, so that sorting keeps
 * the order of groups and rules within an entry: the first owns an overlap.
 */
struct sortable {
	uint64_t key; /* dir, peer, proto */
	uint32_t at;
	const struct rule_range *range;
};

static uint64_t sort_key(const struct rule_range *range)
{
	return (uint64_t)range->dir << 48 | (uint64_t)range->peer << 16 | range->proto;
}

static int compare_sortable(gconstpointer a, gconstpointer b)
{
	const struct sortable *left = a, *right = b;

	if (left->key != right->key)
		return left->key < right->key ? -1 : 1;
	return (left->at > right->at) - (left->at < right->at);
}

static void gather(const struct range_list *list, GArray *sortable, uint8_t has[SG_DIRS])
{
	if (!list)
		return;
	for (int dir = 0; dir < SG_DIRS; dir++)
		has[dir] |= list->has[dir];
	for (guint i = 0; i < list->ranges->len; i++) {
		const struct rule_range *range = &g_array_index(list->ranges, struct rule_range, i);
		struct sortable one = {.key = sort_key(range), .at = sortable->len, .range = range};

		g_array_append_val(sortable, one);
	}
}

/*
 * Canonical bytes: for each entry in order its key (with policy 0), the number of its intervals,
 * and them. Numbers of peers and rules are never reused, so equal bytes mean the same rules.
 */
static void add_entry(GByteArray *content, GArray *entries, const struct rule_range *range,
		      GArray *intervals)
{
	struct image_ports ports = {
		.key = {.peer = range->peer, .proto = range->proto, .dir = range->dir}};

	merge_intervals(intervals);
	ports.count = intervals->len;
	g_byte_array_append(content, (const guint8 *)&ports.key, sizeof(ports.key));
	g_byte_array_append(content, (const guint8 *)&ports.count, sizeof(ports.count));
	g_byte_array_append(content, (const guint8 *)intervals->data,
			    intervals->len * (guint)sizeof(struct sg_interval));
	g_array_append_val(entries, ports);
	g_array_set_size(intervals, 0);
}

static struct image_policy *policy_of(const GArray *sortable)
{
	struct image_policy *policy = g_new0(struct image_policy, 1);
	g_autoptr(GArray) intervals = g_array_new(FALSE, FALSE, sizeof(struct sg_interval));
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(struct image_ports));
	g_autoptr(GByteArray) content = g_byte_array_new();
	const char *at;

	for (guint i = 0; i < sortable->len; i++) {
		const struct sortable *one = &g_array_index(sortable, struct sortable, i);

		add_interval(intervals, one->range->first, one->range->last, one->range->rule);
		if (i + 1 == sortable->len || one[1].key != one->key)
			add_entry(content, entries, one->range, intervals);
	}
	/* Copies of the right size; g_malloc(0) is NULL, which memcmp() may not be given. */
	policy->content_length = content->len;
	policy->content = g_malloc(content->len + 1);
	if (content->len)
		memcpy(policy->content, content->data, content->len);
	policy->entry_count = entries->len;
	policy->entries = g_new(struct image_ports, entries->len);
	at = policy->content;
	for (guint i = 0; i < entries->len; i++) {
		struct image_ports *ports = &policy->entries[i];

		*ports = g_array_index(entries, struct image_ports, i);
		at += sizeof(ports->key) + sizeof(ports->count);
		ports->intervals = (const void *)at;
		at += ports->count * sizeof(struct sg_interval);
	}
	return policy;
}

static struct image_policy *build(struct compile *compile, struct image_list *list)
{
	g_autoptr(GArray) sortable = g_array_new(FALSE, FALSE, sizeof(struct sortable));
	struct image_policy *policy;
	uint8_t has[SG_DIRS] = {0};

	gather(compile_exempt_ranges(compile, list->home), sortable, has);
	for (uint32_t i = 0; i < list->groups->count; i++)
		gather(compile_group_ranges(compile, list->group[i]), sortable, has);
	g_array_sort(sortable, compare_sortable);
	policy = policy_of(sortable);
	memcpy(policy->has, has, sizeof(has));
	return policy;
}

/* ---------------------------------------------------------------- numbers */

static struct image_policy *publish(struct compile *compile, struct image_policy *policy)
{
	struct image *image = compile->image;
	const struct image_policy *before =
		compile->previous ? image_find_policy(compile->previous, policy->content,
						      policy->content_length)
				  : NULL;
	struct image_policy *same =
		image_find_policy(image, policy->content, policy->content_length);

	if (same) {
		image_policy_free(policy);
		return same;
	}
	policy->number = before ? before->number : numbers_next_policy(compile->numbers);
	if (!policy->number) {
		compile_exhausted(compile, "policy", "of an interface");
		image_policy_free(policy);
		return NULL;
	}
	for (uint32_t i = 0; i < policy->entry_count; i++)
		policy->entries[i].key.policy = policy->number;
	policy->fresh = true;
	journal_made(compile->journal, policy, image_policy_free);
	journal_insert(compile->journal, image->policies, policy, policy);
	journal_insert(compile->journal, image->policies_by_number,
		       GUINT_TO_POINTER(policy->number), policy);
	g_ptr_array_add(compile->fresh_policies, policy);
	return policy;
}

static void use(struct compile *compile, struct image_list *list, struct image_policy *policy)
{
	struct image_policy *before = list->policy;

	if (before == policy)
		return;
	journal_pointer(compile->journal, &list->policy);
	list->policy = policy;
	if (policy) {
		journal_u32(compile->journal, &policy->users);
		policy->users++;
	}
	if (before) {
		journal_u32(compile->journal, &before->users);
		if (!--before->users)
			g_ptr_array_add(compile->idle_policies, before);
	}
	for (uint32_t i = 0; !before && i < list->groups->count; i++)
		journal_append(compile->journal, &list->group[i]->compiled, list);
	for (uint32_t i = 0; !policy && i < list->groups->count; i++)
		journal_drop(compile->journal, &list->group[i]->compiled, list);
}

struct image_policy *compile_policy(struct compile *compile, struct image_list *list)
{
	struct image_policy *policy;

	if (list->policy && !list->dirty)
		return list->policy;
	policy = publish(compile, build(compile, list));
	if (!policy)
		return NULL;
	for (guint i = 0; i < list->here.len; i++) {
		struct image_iface *iface = list->here.at[i];

		if (iface->policy == policy)
			continue;
		compile_iface_changes(compile, iface);
		journal_pointer(compile->journal, &iface->policy);
		iface->policy = policy;
	}
	use(compile, list, policy);
	list->dirty = false;
	return policy;
}

/* ---------------------------------------------------------------- what a change touches */

void compile_dirty_list(struct compile *compile, struct image_list *list)
{
	if (list->dirty)
		return;
	list->dirty = true;
	g_ptr_array_add(compile->dirty_lists, list);
}

void compile_dirty_group(struct compile *compile, struct image_group *group)
{
	compile_drop_ranges(compile, &group->rules);
	for (guint i = 0; i < group->compiled.len; i++)
		compile_dirty_list(compile, group->compiled.at[i]);
}

void compile_dirty_zone(struct compile *compile, struct image_zone *zone)
{
	GHashTableIter iter;
	gpointer value;

	compile_drop_ranges(compile, &zone->exempt);
	g_hash_table_iter_init(&iter, zone->lists);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		if (((struct image_list *)value)->policy)
			compile_dirty_list(compile, value);
}

/* Policies of lists that interfaces here carry still; the others' go. */
void compile_policies(struct compile *compile)
{
	for (guint i = 0; i < compile->dirty_lists->len; i++) {
		struct image_list *list = compile->dirty_lists->pdata[i];

		list->dirty = list->dirty && list->here.len;
		if (list->dirty)
			compile_policy(compile, list);
		else if (!list->here.len)
			use(compile, list, NULL);
	}
}
