/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_content.c - the rules of a policy as one canonical run of bytes: to tell equal ones apart, to
 * walk them, to see whether a new one takes anything away.
 */
#include "rulesd/bpf_internal.h"

#include "rulesd/cleanup.h"

int held_ports_compare(const void *a, const void *b)
{
	const struct held_ports *x = a, *y = b;

	if (x->dir != y->dir)
		return x->dir < y->dir ? -1 : 1;
	if (x->peer != y->peer)
		return x->peer < y->peer ? -1 : 1;
	return x->proto < y->proto ? -1 : x->proto > y->proto;
}

static struct held_ports ports_of_key(const struct sg_policy_key *key, uint32_t count)
{
	return (struct held_ports){
		.peer = key->peer, .proto = key->proto, .dir = key->dir, .count = count};
}

/* An image's entries have this order, too (image_ports_compare()). */
GBytes *held_policy_content(const struct image_policy *policy)
{
	GByteArray *content = g_byte_array_new();

	for (uint32_t i = 0; i < policy->entry_count; i++) {
		const struct image_ports *entry = &policy->entries[i];
		struct held_ports ports = ports_of_key(&entry->key, entry->count);

		g_byte_array_append(content, (const guint8 *)&ports, sizeof(ports));
		g_byte_array_append(content, (const guint8 *)entry->intervals,
				    entry->count * (guint)sizeof(struct sg_interval));
	}
	return g_byte_array_free_to_bytes(content);
}

struct sg_policy_key held_key(uint32_t policy, const struct held_ports *ports)
{
	return (struct sg_policy_key){
		.policy = policy, .peer = ports->peer, .proto = ports->proto, .dir = ports->dir};
}

struct sg_policy_ports held_value(const struct held_ports *ports, uint32_t start)
{
	const struct sg_interval *intervals = (const void *)(ports + 1);

	return (struct sg_policy_ports){
		.count = ports->count, .start = ports->count > 1 ? start : 0, .one = intervals[0]};
}

struct held_cursor held_cursor_of(GBytes *content)
{
	gsize size = 0;
	const char *data = content ? g_bytes_get_data(content, &size) : NULL;

	return (struct held_cursor){data, data ? data + size : NULL};
}

const struct held_ports *held_cursor_next(struct held_cursor *cursor,
					  const struct sg_interval **intervals)
{
	const struct held_ports *ports;

	if (cursor->at == cursor->end)
		return NULL;
	ports = (const void *)cursor->at;
	*intervals = (const void *)(ports + 1);
	cursor->at = (const void *)(*intervals + ports->count);
	return ports;
}

/* Whether every port of old is also in new; both are sorted and disjoint. */
static bool intervals_cover(const struct sg_interval *old, uint32_t old_count,
			    const struct sg_interval *new, uint32_t new_count)
{
	uint32_t n = 0;

	for (uint32_t o = 0; o < old_count; o++) {
		uint32_t first = old[o].first;

		while (first <= old[o].last) {
			while (n < new_count && new[n].last < first)
				n++;
			if (n == new_count || new[n].first > first)
				return false;
			first = (uint32_t) new[n].last + 1;
		}
	}
	return true;
}

bool held_ports_cover(const struct held_ports *old, const struct held_ports *new)
{
	return intervals_cover((const void *)(old + 1), old->count, (const void *)(new + 1),
			       new->count);
}

/*
 * Compared key by key: what moved from one peer or protocol to a wider one counts as removed, which
 * costs its flows one evaluation and cuts none of them.
 */
bool held_policy_shrinks(const struct held_policy *old, GBytes *new_content)
{
	struct held_cursor left = held_cursor_of(old ? old->content : NULL),
			   right = held_cursor_of(new_content);
	const struct sg_interval *a, *b = NULL;
	const struct held_ports *x, *y = held_cursor_next(&right, &b);

	while ((x = held_cursor_next(&left, &a))) {
		while (y && held_ports_compare(y, x) < 0)
			y = held_cursor_next(&right, &b);
		if (!y || held_ports_compare(y, x) || !intervals_cover(a, x->count, b, y->count))
			return true;
	}
	return false;
}
