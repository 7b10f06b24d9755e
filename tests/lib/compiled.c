/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compiled.c - images as text, and their making.
 */
#include "tests/lib/compiled.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/build.h"

int compiled_setup(void **state)
{
	struct compiled *compiled = g_new0(struct compiled, 1);

	compiled->model = model_new();
	compiled->numbers = numbers_new();
	compiled->diag = diag_new();
	*state = compiled;
	return 0;
}

int compiled_teardown(void **state)
{
	struct compiled *compiled = *state;

	image_free(&compiled->image);
	diag_free(&compiled->diag);
	numbers_free(&compiled->numbers);
	model_free(&compiled->model);
	g_free(compiled);
	return 0;
}

void compiled_again(struct compiled *compiled)
{
	struct image *next = NULL;

	if (compile_image(compiled->model, compiled->numbers, compiled->image, COMPILED_HOST, &next,
			  compiled->diag) < 0)
		fail_msg("%s", ((struct diag_entry *)g_ptr_array_index(compiled->diag->entries, 0))
				       ->message);
	image_free(&compiled->image);
	compiled->image = next;
}

static void dump_set(const struct compiled *f, const struct image *image, uint32_t set,
		     GString *text)
{
	const struct image_set *several = image_set_by_number(image, set);

	if (set & SG_SET_SINGLE) {
		g_string_append(text, numbers_name(f->numbers, NUMBER_PEER, set & ~SG_SET_SINGLE));
		return;
	}
	assert_non_null(several);
	assert_in_range(several->peers->len, 2, SG_SET_PEERS);
	for (guint i = 0; i < several->peers->len; i++) {
		uint32_t peer = g_array_index(several->peers, uint32_t, i);

		if (i)
			assert_true(peer > g_array_index(several->peers, uint32_t, i - 1));
		g_string_append_printf(text, "%s%s", i ? " " : "",
				       numbers_name(f->numbers, NUMBER_PEER, peer));
	}
}

static char *show_set(const struct compiled *f, uint32_t set)
{
	GString *text = g_string_new(NULL);

	if (set)
		dump_set(f, f->image, set, text);
	return g_string_free(text, FALSE);
}

char *compiled_member(const struct compiled *compiled, const char *network, const char *address)
{
	struct sg_addr addr = build_addr(address);
	uint32_t zone = numbers_find(compiled->numbers, NUMBER_ZONE, network);

	return show_set(compiled, image_find_member(compiled->image, zone, &addr));
}

char *compiled_prefix(const struct compiled *compiled, const char *network, const char *address)
{
	struct sg_addr addr = build_addr(address);
	uint32_t zone = numbers_find(compiled->numbers, NUMBER_ZONE, network);

	return show_set(compiled, image_find_prefix(compiled->image, zone, &addr));
}

char *compiled_intervals(const struct compiled *compiled, const char *iface, enum sg_dir dir,
			 const char *peer, uint16_t proto)
{
	const struct image_ports *ports =
		image_policy_ports(image_iface(compiled->image, iface)->policy, dir,
				   numbers_find(compiled->numbers, NUMBER_PEER, peer), proto);
	GString *text = g_string_new(NULL);

	for (guint i = 0; ports && i < ports->count; i++) {
		const struct sg_interval *at = &ports->intervals[i];
		const char *name = at->rule & SG_RULE_EXEMPT
					   ? "exempt"
					   : image_rule_name(compiled->image, at->rule);

		g_string_append_printf(text, "%s%u-%u %s", i ? ", " : "", at->first, at->last,
				       name);
	}
	return g_string_free(text, FALSE);
}

static gint compare_lines(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void count_member(const struct sg_member_key *key, uint32_t set, void *count)
{
	assert_true(key->zone && set);
	++*(unsigned int *)count;
}

static void count_prefix(const struct sg_prefix_key *key, uint32_t set, void *count)
{
	assert_true(key->prefixlen >= 32 && set);
	++*(unsigned int *)count;
}

unsigned int compiled_members(const struct image *image)
{
	unsigned int count = 0;

	image_each_member(image, count_member, &count);
	return count;
}

unsigned int compiled_prefixes(const struct image *image)
{
	unsigned int count = 0;

	image_each_prefix(image, count_prefix, &count);
	return count;
}

static void dump_member(const struct sg_member_key *key, uint32_t set, void *lines)
{
	char text[ADDR_TEXT_SIZE];

	g_ptr_array_add(lines, g_strdup_printf("member %u %s %x", key->zone,
					       addr_format(&key->addr, text), set));
}

static void dump_prefix(const struct sg_prefix_key *key, uint32_t set, void *lines)
{
	struct sg_addr addr;
	char text[ADDR_TEXT_SIZE];

	memcpy(addr.b, key->addr, sizeof(addr.b));
	g_ptr_array_add(lines, g_strdup_printf("prefix %u %s/%u %x", key->space,
					       addr_format(&addr, text), key->prefixlen, set));
}

char *compiled_dump(const struct image *image)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	GHashTableIter iter;
	gpointer key, value;

	image_each_member(image, dump_member, lines);
	image_each_prefix(image, dump_prefix, lines);
	g_hash_table_iter_init(&iter, image->sets);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct image_set *set = value;
		GString *line = g_string_new(NULL);

		g_string_printf(line, "set %u", set->number);
		for (guint i = 0; i < set->peers->len; i++)
			g_string_append_printf(line, " %u", g_array_index(set->peers, uint32_t, i));
		g_ptr_array_add(lines, g_string_free(line, FALSE));
	}
	g_hash_table_iter_init(&iter, image->policies);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct image_policy *policy = value;
		g_autofree char *content = g_compute_checksum_for_data(
			G_CHECKSUM_SHA256, (const guchar *)policy->content, policy->content_length);

		g_ptr_array_add(lines, g_strdup_printf("policy %u %x %x %s", policy->number,
						       policy->has[0], policy->has[1], content));
	}
	g_hash_table_iter_init(&iter, image->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct image_iface *iface = value;

		g_ptr_array_add(
			lines,
			g_strdup_printf("iface %s slot %u zone %u policy %u flags %x guards %u",
					iface->id, iface->slot, iface->zone, iface->policy->number,
					iface->flags, iface->guards->len));
	}
	g_hash_table_iter_init(&iter, image->rule_names);
	while (g_hash_table_iter_next(&iter, &key, &value))
		g_ptr_array_add(
			lines, g_strdup_printf("rule %u %s", GPOINTER_TO_UINT(key), (char *)value));
	g_ptr_array_sort(lines, compare_lines);
	g_ptr_array_add(lines, NULL);
	return g_strjoinv("\n", (char **)lines->pdata);
}
