/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image_text.c - see image_text.h.
 */
#include "tests/lib/image_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rulesd/addr.h"
#include "rulesd/cleanup.h"

struct writer {
	const struct image *image;
	GPtrArray *lines;
	bool numbers;
};

static gint compare_lines(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static char *join(GPtrArray *lines)
{
	char *text;

	g_ptr_array_sort(lines, compare_lines);
	g_ptr_array_add(lines, NULL);
	text = g_strjoinv("\n", (char **)lines->pdata);
	g_ptr_array_unref(lines);
	return text;
}

/* ---------------------------------------------------------------- parts */

static char *set_text(const struct image *image, uint32_t number, bool numbers)
{
	const struct image_set *set;
	GString *text = g_string_new(NULL);

	if (numbers)
		g_string_printf(text, "%x ", number);
	if (number & SG_SET_SINGLE || !number) {
		g_string_append_printf(text, "{%u}", number & ~SG_SET_SINGLE);
		return g_string_free(text, FALSE);
	}
	set = image_set_by_number(image, number);
	assert_non_null(set);
	assert_true(set->users > 0);
	assert_false(set->fresh);
	assert_in_range(set->peers->len, 2, SG_SET_PEERS);
	for (guint i = 0; i < set->peers->len; i++)
		g_string_append_printf(text, "%s%u", i ? "," : "{",
				       g_array_index(set->peers, uint32_t, i));
	g_string_append(text, "}");
	return g_string_free(text, FALSE);
}

static char *checksum(const void *data, size_t size)
{
	return g_compute_checksum_for_data(G_CHECKSUM_SHA1, data, size);
}

static char *policy_text(const struct image_policy *policy, bool numbers)
{
	g_autofree char *sum = checksum(policy->content, policy->content_length);

	return g_strdup_printf("%u %x/%x %s", numbers ? policy->number : 0, policy->has[0],
			       policy->has[1], sum);
}

static char *iface_text(const struct image_iface *iface, bool numbers)
{
	g_autofree char *policy = policy_text(iface->policy, numbers);
	g_autofree char *vlans = checksum(iface->vlans->data, iface->vlans->len * 2);
	g_autofree char *conntrack = checksum(&iface->conntrack, sizeof(iface->conntrack));
	char v4[ADDR_TEXT_SIZE], v6[ADDR_TEXT_SIZE], mac[MAC_TEXT_SIZE], cidr[CIDR_TEXT_SIZE];
	g_autoptr(GString) text = g_string_new(NULL);

	g_string_printf(text, "%s %s slot %u zone %u flags %x hook %d %s %s %s %s %s policy %s",
			iface->id, iface->device, iface->slot, iface->zone, iface->flags,
			iface->hook, mac_format(iface->mac, mac), addr_format(&iface->addr4, v4),
			addr_format(&iface->addr6, v6), vlans, conntrack, policy);
	for (guint i = 0; i < iface->guards->len; i++) {
		const struct image_guard *guard =
			&g_array_index(iface->guards, struct image_guard, i);

		g_string_append_printf(text, " %s=%x", cidr_format(&guard->cidr, cidr),
				       guard->bits);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static char *prefix_text(const struct sg_prefix_key *key)
{
	struct sg_addr addr;
	char text[ADDR_TEXT_SIZE];

	memcpy(addr.b, key->addr, sizeof(addr.b));
	return g_strdup_printf("%u %s/%u", key->space, addr_format(&addr, text), key->prefixlen);
}

static char *member_text(const struct sg_member_key *key)
{
	char text[ADDR_TEXT_SIZE];

	return g_strdup_printf("%u %s", key->zone, addr_format(&key->addr, text));
}

/* ---------------------------------------------------------------- an image */

static void write_member(const struct sg_member_key *key, uint32_t set, void *arg)
{
	const struct writer *writer = arg;
	g_autofree char *address = member_text(key);
	g_autofree char *peers = set_text(writer->image, set, writer->numbers);

	assert_int_equal(image_find_member(writer->image, key->zone, &key->addr), set);
	g_ptr_array_add(writer->lines, g_strdup_printf("member %s %s", address, peers));
}

static void write_prefix(const struct sg_prefix_key *key, uint32_t set, void *arg)
{
	const struct writer *writer = arg;
	g_autofree char *prefix = prefix_text(key);
	g_autofree char *peers = set_text(writer->image, set, writer->numbers);

	assert_int_equal(image_prefix_set(writer->image, key), set);
	g_ptr_array_add(writer->lines, g_strdup_printf("prefix %s %s", prefix, peers));
}

static char *write_image(const struct image *image, bool numbers)
{
	struct writer writer = {image, g_ptr_array_new_with_free_func(g_free), numbers};
	GHashTableIter iter;
	gpointer value;

	image_each_member(image, write_member, &writer);
	image_each_prefix(image, write_prefix, &writer);
	g_hash_table_iter_init(&iter, image->sets);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct image_set *set = value;
		g_autofree char *peers = set_text(image, set->number, numbers);

		g_ptr_array_add(writer.lines, g_strdup_printf("set %s", peers));
	}
	g_hash_table_iter_init(&iter, image->policies);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct image_policy *policy = value;
		g_autofree char *content = policy_text(policy, numbers);

		assert_true(policy->users > 0);
		assert_ptr_equal(image_policy_by_number(image, policy->number), policy);
		g_ptr_array_add(writer.lines, g_strdup_printf("policy %s", content));
	}
	g_hash_table_iter_init(&iter, image->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		g_autofree char *iface = iface_text(value, numbers);

		g_ptr_array_add(writer.lines, g_strdup_printf("iface %s", iface));
	}
	assert_int_equal(g_hash_table_size(image->sets), g_hash_table_size(image->sets_by_number));
	return join(writer.lines);
}

char *image_text(const struct image *image)
{
	return write_image(image, true);
}

char *image_text_content(const struct image *image)
{
	return write_image(image, false);
}

/* ---------------------------------------------------------------- tables */

static void keep_member(const struct sg_member_key *key, uint32_t set, void *arg)
{
	struct image_tables *tables = arg;
	char *text = member_text(key);

	assert_false(g_hash_table_contains(tables->members, text));
	g_hash_table_insert(tables->members, text, GUINT_TO_POINTER(set));
}

static void keep_prefix(const struct sg_prefix_key *key, uint32_t set, void *arg)
{
	struct image_tables *tables = arg;
	struct image_prefix_entry entry = {*key, set};

	g_array_append_val(tables->prefixes, entry);
}

struct image_tables *image_tables_new(const struct image *image)
{
	struct image_tables *tables = g_new0(struct image_tables, 1);
	GHashTableIter iter;
	gpointer key, value;

	tables->members = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	tables->prefixes = g_array_new(FALSE, FALSE, sizeof(struct image_prefix_entry));
	tables->ifaces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	tables->policies = g_hash_table_new(NULL, NULL);
	tables->sets = g_hash_table_new(NULL, NULL);
	image_each_member(image, keep_member, tables);
	image_each_prefix(image, keep_prefix, tables);
	g_hash_table_iter_init(&iter, image->ifaces);
	while (g_hash_table_iter_next(&iter, &key, &value))
		g_hash_table_insert(tables->ifaces, g_strdup(key), iface_text(value, true));
	g_hash_table_iter_init(&iter, image->policies_by_number);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		g_hash_table_add(tables->policies, key);
	g_hash_table_iter_init(&iter, image->sets_by_number);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		g_hash_table_add(tables->sets, key);
	return tables;
}

void image_tables_free(struct image_tables **tables)
{
	struct image_tables *freed = TAKE_PTR(*tables);

	if (!freed)
		return;
	g_hash_table_destroy(freed->members);
	g_array_unref(freed->prefixes);
	g_hash_table_destroy(freed->ifaces);
	g_hash_table_destroy(freed->policies);
	g_hash_table_destroy(freed->sets);
	g_free(freed);
}

/* ---------------------------------------------------------------- differences */

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	for (unsigned int i = 0; i < bits; i++)
		if ((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1)
			return false;
	return true;
}

/* By looking at each: its set, or with outer that of the nearest prefix around it. */
static uint32_t find_prefix(const struct image_tables *tables, const struct sg_prefix_key *key,
			    bool outer)
{
	uint32_t best = 0, set = 0;

	for (guint i = 0; i < tables->prefixes->len; i++) {
		const struct image_prefix_entry *entry =
			&g_array_index(tables->prefixes, struct image_prefix_entry, i);
		bool same = entry->key.prefixlen == key->prefixlen;

		if (entry->key.space != key->space || entry->key.prefixlen > key->prefixlen ||
		    same == outer || (!outer && !same) || entry->key.prefixlen < best ||
		    !bits_equal(entry->key.addr, key->addr, entry->key.prefixlen - 32))
			continue;
		best = entry->key.prefixlen;
		set = entry->set;
	}
	return set;
}

static void add_prefix(GPtrArray *lines, const struct image_prefix_change *change)
{
	g_autofree char *prefix = prefix_text(&change->key);

	g_ptr_array_add(lines, g_strdup_printf("prefix %s %x %x%s%s", prefix, change->before,
					       change->after, change->created ? " created" : "",
					       change->removed ? " removed" : ""));
}

static void differ_prefixes(GPtrArray *lines, const struct image_tables *before,
			    const struct image_tables *after)
{
	for (int pass = 0; pass < 2; pass++) {
		const GArray *all = pass ? before->prefixes : after->prefixes;

		for (guint i = 0; i < all->len; i++) {
			const struct sg_prefix_key *key =
				&g_array_index(all, struct image_prefix_entry, i).key;
			struct image_prefix_change change = {
				.key = *key,
				.before = find_prefix(before, key, false),
				.after = find_prefix(after, key, false),
			};

			if (change.before == change.after || (pass && change.after))
				continue;
			change.created = !change.before;
			change.removed = !change.after;
			if (change.created)
				change.before = find_prefix(before, key, true);
			if (change.removed)
				change.after = find_prefix(after, key, true);
			add_prefix(lines, &change);
		}
	}
}

static void differ_members(GPtrArray *lines, GHashTable *before, GHashTable *after)
{
	g_autoptr(GHashTable) keys = g_hash_table_new(g_str_hash, g_str_equal);
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, before);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		g_hash_table_add(keys, key);
	g_hash_table_iter_init(&iter, after);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		g_hash_table_add(keys, key);
	g_hash_table_iter_init(&iter, keys);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		guint old = GPOINTER_TO_UINT(g_hash_table_lookup(before, key));
		guint new = GPOINTER_TO_UINT(g_hash_table_lookup(after, key));

		if (old != new)
			g_ptr_array_add(lines,
					g_strdup_printf("member %s %x %x", (char *)key, old, new));
	}
}

static void differ_ifaces(GPtrArray *lines, GHashTable *before, GHashTable *after)
{
	GHashTableIter iter;
	gpointer key, value;

	g_hash_table_iter_init(&iter, before);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		const char *now = g_hash_table_lookup(after, key);

		if (!now || strcmp(now, value) != 0)
			g_ptr_array_add(lines, g_strdup_printf("iface %s -> %s", (char *)value,
							       now ? now : "gone"));
	}
	g_hash_table_iter_init(&iter, after);
	while (g_hash_table_iter_next(&iter, &key, &value))
		if (!g_hash_table_contains(before, key))
			g_ptr_array_add(lines, g_strdup_printf("iface new -> %s", (char *)value));
}

static void differ_numbers(GPtrArray *lines, const char *what, GHashTable *from, GHashTable *than)
{
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, from);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		if (!g_hash_table_contains(than, key))
			g_ptr_array_add(lines,
					g_strdup_printf("%s %u", what, GPOINTER_TO_UINT(key)));
}

char *image_tables_difference(const struct image_tables *before, const struct image_tables *after)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

	differ_members(lines, before->members, after->members);
	differ_prefixes(lines, before, after);
	differ_ifaces(lines, before->ifaces, after->ifaces);
	differ_numbers(lines, "policy new", after->policies, before->policies);
	differ_numbers(lines, "policy gone", before->policies, after->policies);
	differ_numbers(lines, "set new", after->sets, before->sets);
	differ_numbers(lines, "set gone", before->sets, after->sets);
	return join(lines);
}

static void list_policies(GPtrArray *lines, const char *what, const GPtrArray *policies)
{
	for (guint i = 0; i < policies->len; i++) {
		const struct image_policy *policy = policies->pdata[i];
		g_autofree char *readable = policy_text(policy, true);

		assert_non_null(readable);
		g_ptr_array_add(lines, g_strdup_printf("policy %s %u", what, policy->number));
	}
}

static void list_sets(GPtrArray *lines, const char *what, const GPtrArray *sets)
{
	for (guint i = 0; i < sets->len; i++) {
		const struct image_set *set = sets->pdata[i];

		assert_true(set->peers->len > 1);
		g_ptr_array_add(lines, g_strdup_printf("set %s %u", what, set->number));
	}
}

char *image_delta_text(const struct image_delta *delta)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < delta->members->len; i++) {
		const struct image_member_change *change =
			&g_array_index(delta->members, struct image_member_change, i);
		g_autofree char *address = member_text(&change->key);

		g_ptr_array_add(lines, g_strdup_printf("member %s %x %x", address, change->before,
						       change->after));
	}
	for (guint i = 0; i < delta->prefixes->len; i++)
		add_prefix(lines, &g_array_index(delta->prefixes, struct image_prefix_change, i));
	for (guint i = 0; i < delta->ifaces->len; i++) {
		const struct image_iface_change *change =
			&g_array_index(delta->ifaces, struct image_iface_change, i);
		g_autofree char *before =
			change->before ? iface_text(change->before, true) : g_strdup("new");
		g_autofree char *after =
			change->after ? iface_text(change->after, true) : g_strdup("gone");

		g_ptr_array_add(lines, g_strdup_printf("iface %s -> %s", before, after));
	}
	list_policies(lines, "new", delta->policies_new);
	list_policies(lines, "gone", delta->policies_gone);
	list_sets(lines, "new", delta->sets_new);
	list_sets(lines, "gone", delta->sets_gone);
	return join(lines);
}
