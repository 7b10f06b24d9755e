/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * numbers.c - the registry of persistent numbers: two tables a kind, a counter that only grows, and
 * its JSON.
 */
#include "rulesd/numbers.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "bpf/abi.h"
#include "rulesd/cleanup.h"

#define ANY_NAME "any"

/* What the file calls a kind and which numbers it may give, first and last included. */
struct kind {
	const char *name;
	uint32_t first;
	uint32_t last;
};

static const struct kind kinds[NUMBER_KINDS] = {
	/* SG_SPACE() shifts a zone left by one. */
	[NUMBER_ZONE] = {"zones", 1, 0x7fffffffu},
	/* A set number with SG_SET_SINGLE carries a peer in the other bits. */
	[NUMBER_PEER] = {"peers", SG_PEER_ANY + 1, SG_SET_SINGLE - 1},
	[NUMBER_RULE] = {"rules", 1, SG_RULE_EXEMPT - 1},
	[NUMBER_EXEMPT] = {"exempt", SG_RULE_EXEMPT | 1u, 0xffffffffu},
	[NUMBER_SLOT] = {"slots", 1, SG_MAX_SLOTS},
};

/* next is 64 bits wide so that it can stand behind the last number of a 32-bit range. */
struct registry {
	GHashTable *by_name;   /* char * (owned) -> GUINT_TO_POINTER(number) */
	GHashTable *by_number; /* GUINT_TO_POINTER(number) -> the same char * */
	uint64_t next;
};

struct numbers {
	struct registry kinds[NUMBER_KINDS];
	uint64_t next_policy;
	uint64_t next_set;
};

struct numbers *numbers_new(void)
{
	struct numbers *numbers = g_new0(struct numbers, 1);

	for (int kind = 0; kind < NUMBER_KINDS; kind++) {
		struct registry *registry = &numbers->kinds[kind];

		registry->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		registry->by_number = g_hash_table_new(NULL, NULL);
		registry->next = kinds[kind].first;
	}
	numbers->next_policy = 1;
	numbers->next_set = 1;
	return numbers;
}

void numbers_free(struct numbers **numbers)
{
	if (!*numbers)
		return;
	for (int kind = 0; kind < NUMBER_KINDS; kind++) {
		g_hash_table_destroy((*numbers)->kinds[kind].by_number);
		g_hash_table_destroy((*numbers)->kinds[kind].by_name);
	}
	g_clear_pointer(numbers, g_free);
}

static void registry_add(struct registry *registry, const char *name, uint32_t number)
{
	char *owned = g_strdup(name);

	g_hash_table_insert(registry->by_name, owned, GUINT_TO_POINTER(number));
	g_hash_table_insert(registry->by_number, GUINT_TO_POINTER(number), owned);
}

struct numbers *numbers_copy(const struct numbers *numbers)
{
	struct numbers *copy = numbers_new();

	for (int kind = 0; kind < NUMBER_KINDS; kind++) {
		GHashTableIter iter;
		gpointer name, number;

		g_hash_table_iter_init(&iter, numbers->kinds[kind].by_name);
		while (g_hash_table_iter_next(&iter, &name, &number))
			registry_add(&copy->kinds[kind], name, GPOINTER_TO_UINT(number));
		copy->kinds[kind].next = numbers->kinds[kind].next;
	}
	copy->next_policy = numbers->next_policy;
	copy->next_set = numbers->next_set;
	return copy;
}

static bool is_any(enum number_kind kind, const char *name)
{
	return kind == NUMBER_PEER && strcmp(name, ANY_NAME) == 0;
}

/*
 * Slots go round: the one released last is given again last, so that whatever still names it has
 * the longest time to notice.
 */
static uint32_t free_slot(struct registry *slots)
{
	const struct kind *kind = &kinds[NUMBER_SLOT];
	uint32_t count = kind->last - kind->first + 1;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t slot = kind->first + (uint32_t)((slots->next - kind->first + i) % count);

		if (g_hash_table_contains(slots->by_number, GUINT_TO_POINTER(slot)))
			continue;
		slots->next = slot == kind->last ? kind->first : slot + 1;
		return slot;
	}
	return 0;
}

uint32_t numbers_get(struct numbers *numbers, enum number_kind kind, const char *name)
{
	struct registry *registry = &numbers->kinds[kind];
	uint32_t number = numbers_find(numbers, kind, name);

	if (number)
		return number;
	if (kind == NUMBER_SLOT)
		number = free_slot(registry);
	else if (registry->next <= kinds[kind].last)
		number = (uint32_t)registry->next++;
	if (number)
		registry_add(registry, name, number);
	return number;
}

uint32_t numbers_find(const struct numbers *numbers, enum number_kind kind, const char *name)
{
	if (is_any(kind, name))
		return SG_PEER_ANY;
	return GPOINTER_TO_UINT(g_hash_table_lookup(numbers->kinds[kind].by_name, name));
}

const char *numbers_name(const struct numbers *numbers, enum number_kind kind, uint32_t number)
{
	if (kind == NUMBER_PEER && number == SG_PEER_ANY)
		return ANY_NAME;
	return g_hash_table_lookup(numbers->kinds[kind].by_number, GUINT_TO_POINTER(number));
}

void numbers_release_slot(struct numbers *numbers, const char *interface_id)
{
	struct registry *slots = &numbers->kinds[NUMBER_SLOT];
	uint32_t slot = numbers_find(numbers, NUMBER_SLOT, interface_id);

	if (!slot)
		return;
	g_hash_table_remove(slots->by_number, GUINT_TO_POINTER(slot));
	g_hash_table_remove(slots->by_name, interface_id);
}

uint32_t numbers_next_policy(struct numbers *numbers)
{
	return numbers->next_policy <= UINT32_MAX ? (uint32_t)numbers->next_policy++ : 0;
}

uint32_t numbers_next_set(struct numbers *numbers)
{
	return numbers->next_set < SG_SET_SINGLE ? (uint32_t)numbers->next_set++ : 0;
}

json_t *numbers_to_json(const struct numbers *numbers)
{
	json_t *json = json_pack("{s:i, s:I, s:I}", "version", 1, "next_policy",
				 (json_int_t)numbers->next_policy, "next_set",
				 (json_int_t)numbers->next_set);

	for (int kind = 0; kind < NUMBER_KINDS; kind++) {
		const struct registry *registry = &numbers->kinds[kind];
		json_t *names = json_object();
		GHashTableIter iter;
		gpointer name, number;

		g_hash_table_iter_init(&iter, registry->by_name);
		while (g_hash_table_iter_next(&iter, &name, &number))
			json_object_set_new(names, name, json_integer(GPOINTER_TO_UINT(number)));
		json_object_set_new(json, kinds[kind].name,
				    json_pack("{s:I, s:o}", "next", (json_int_t)registry->next,
					      "names", names));
	}
	return json;
}

/* A number that the counter has not passed yet could be given twice, so it is refused. */
static int registry_from_json(struct registry *registry, enum number_kind kind, const json_t *json)
{
	const struct kind *range = &kinds[kind];
	const json_t *names = json_object_get(json, "names");
	json_int_t next = json_integer_value(json_object_get(json, "next"));
	const char *name;
	json_t *value;

	if (!json_is_object(names) || next < range->first || next > (json_int_t)range->last + 1)
		return -EINVAL;
	registry->next = (uint64_t)next;
	/* jansson's iterators take a mutable object although they do not change it. */
	json_object_foreach (json_object_get(json, "names"), name, value) {
		json_int_t number = json_integer_value(value);

		if (!json_is_integer(value) || number < range->first || number > range->last ||
		    is_any(kind, name))
			return -EINVAL;
		if (kind != NUMBER_SLOT && number >= next)
			return -EINVAL;
		if (g_hash_table_contains(registry->by_number, GUINT_TO_POINTER((guint)number)))
			return -EINVAL;
		registry_add(registry, name, (uint32_t)number);
	}
	return 0;
}

static void cleanup_numbers(struct numbers **numbers)
{
	numbers_free(numbers);
}

int numbers_from_json(struct numbers **numbers, const json_t *json)
{
	CLEANUP(cleanup_numbers) struct numbers *read = numbers_new();
	json_int_t policy = json_integer_value(json_object_get(json, "next_policy"));
	json_int_t set = json_integer_value(json_object_get(json, "next_set"));

	if (json_integer_value(json_object_get(json, "version")) != 1 || policy < 1 ||
	    policy > (json_int_t)UINT32_MAX + 1 || set < 1 || set > (json_int_t)SG_SET_SINGLE)
		return -EINVAL;
	read->next_policy = (uint64_t)policy;
	read->next_set = (uint64_t)set;
	for (int kind = 0; kind < NUMBER_KINDS; kind++)
		if (registry_from_json(&read->kinds[kind], kind,
				       json_object_get(json, kinds[kind].name)) < 0)
			return -EINVAL;
	*numbers = TAKE_PTR(read);
	return 0;
}
