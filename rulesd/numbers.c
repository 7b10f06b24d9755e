/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * numbers.c - the registry of persistent numbers: names to numbers and back, counters that only
 * grow. How it is written is numbers_json.c's.
 */
#include "rulesd/numbers.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "bpf/abi.h"
#include "rulesd/cleanup.h"
#include "rulesd/numbers_registry.h"

#define ANY_NAME "any"

const struct number_range number_ranges[NUMBER_KINDS] = {
	/* SG_SPACE() shifts a zone left by one. */
	[NUMBER_ZONE] = {"zones", 1, 0x7fffffffu},
	/* A set number with SG_SET_SINGLE carries a peer in the other bits. */
	[NUMBER_PEER] = {"peers", SG_PEER_ANY + 1, SG_SET_SINGLE - 1},
	[NUMBER_RULE] = {"rules", 1, SG_RULE_EXEMPT - 1},
	[NUMBER_EXEMPT] = {"exempt", SG_RULE_EXEMPT | 1u, 0xffffffffu},
	[NUMBER_SLOT] = {"slots", 1, SG_MAX_SLOTS},
};

struct numbers *numbers_new(void)
{
	struct numbers *numbers = g_new0(struct numbers, 1);

	for (int kind = 0; kind < NUMBER_KINDS; kind++) {
		struct registry *registry = &numbers->kinds[kind];

		registry->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		registry->by_number = g_array_new(FALSE, FALSE, sizeof(struct numbered));
		registry->next = number_ranges[kind].first;
		registry->written = registry->next;
	}
	numbers->slots_changed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	numbers->next_policy = 1;
	numbers->next_set = 1;
	return numbers;
}

void numbers_free(struct numbers **numbers)
{
	if (!*numbers)
		return;
	for (int kind = 0; kind < NUMBER_KINDS; kind++) {
		g_array_unref((*numbers)->kinds[kind].by_number);
		g_hash_table_destroy((*numbers)->kinds[kind].by_name);
	}
	g_hash_table_destroy((*numbers)->slots_changed);
	g_clear_pointer(numbers, g_free);
}

/* The first whose number is not lower. */
static guint position(const struct registry *registry, uint32_t number)
{
	guint low = 0, high = registry->by_number->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;

		if (g_array_index(registry->by_number, struct numbered, middle).number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct numbered *registry_from(const struct registry *registry, uint32_t number)
{
	guint at = position(registry, number);

	return at < registry->by_number->len
		       ? &g_array_index(registry->by_number, struct numbered, at)
		       : NULL;
}

const char *registry_name(const struct registry *registry, uint32_t number)
{
	const struct numbered *found = registry_from(registry, number);

	return found && found->number == number ? found->name : NULL;
}

void registry_add(struct registry *registry, const char *name, uint32_t number)
{
	struct numbered numbered = {.name = g_strdup(name), .number = number};
	guint count = registry->by_number->len;

	g_hash_table_insert(registry->by_name, numbered.name, GUINT_TO_POINTER(number));
	/* Numbers that only grow come at the end. */
	if (!count ||
	    g_array_index(registry->by_number, struct numbered, count - 1).number < number)
		g_array_append_val(registry->by_number, numbered);
	else
		g_array_insert_val(registry->by_number, position(registry, number), numbered);
}

void registry_remove(struct registry *registry, const char *name, uint32_t number)
{
	g_array_remove_index(registry->by_number, position(registry, number));
	g_hash_table_remove(registry->by_name, name);
}

bool number_is_any(enum number_kind kind, const char *name)
{
	return kind == NUMBER_PEER && strcmp(name, ANY_NAME) == 0;
}

/*
 * Slots go round: the one released last is given again last, so that whatever still names it has
 * the longest time to notice.
 */
static uint32_t free_slot(struct registry *slots)
{
	const struct number_range *kind = &number_ranges[NUMBER_SLOT];
	uint32_t count = kind->last - kind->first + 1;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t slot = kind->first + (uint32_t)((slots->next - kind->first + i) % count);

		if (registry_name(slots, slot))
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
	else if (registry->next <= number_ranges[kind].last)
		number = (uint32_t)registry->next++;
	if (number)
		registry_add(registry, name, number);
	if (number && kind == NUMBER_SLOT)
		g_hash_table_add(numbers->slots_changed, g_strdup(name));
	return number;
}

uint32_t numbers_find(const struct numbers *numbers, enum number_kind kind, const char *name)
{
	if (number_is_any(kind, name))
		return SG_PEER_ANY;
	return GPOINTER_TO_UINT(g_hash_table_lookup(numbers->kinds[kind].by_name, name));
}

const char *numbers_name(const struct numbers *numbers, enum number_kind kind, uint32_t number)
{
	if (kind == NUMBER_PEER && number == SG_PEER_ANY)
		return ANY_NAME;
	return registry_name(&numbers->kinds[kind], number);
}

void numbers_release_slot(struct numbers *numbers, const char *interface_id)
{
	uint32_t slot = numbers_find(numbers, NUMBER_SLOT, interface_id);

	if (!slot)
		return;
	g_hash_table_add(numbers->slots_changed, g_strdup(interface_id));
	registry_remove(&numbers->kinds[NUMBER_SLOT], interface_id, slot);
}

void numbers_set_slot(struct numbers *numbers, const char *interface_id, uint32_t slot)
{
	struct registry *slots = &numbers->kinds[NUMBER_SLOT];
	g_autofree char *holder = g_strdup(registry_name(slots, slot));

	if (g_strcmp0(holder, interface_id) == 0)
		return;
	if (holder)
		numbers_release_slot(numbers, holder);
	numbers_release_slot(numbers, interface_id);
	registry_add(slots, interface_id, slot);
	g_hash_table_add(numbers->slots_changed, g_strdup(interface_id));
}

uint32_t numbers_slots_left(const struct numbers *numbers)
{
	return SG_MAX_SLOTS - numbers->kinds[NUMBER_SLOT].by_number->len;
}

uint32_t numbers_next_policy(struct numbers *numbers)
{
	return numbers->next_policy <= UINT32_MAX ? (uint32_t)numbers->next_policy++ : 0;
}

uint32_t numbers_next_set(struct numbers *numbers)
{
	return numbers->next_set < SG_SET_SINGLE ? (uint32_t)numbers->next_set++ : 0;
}
