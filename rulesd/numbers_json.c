/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * numbers_json.c - the registry as JSON: all of it, what is new in it, and how far it may count.
 */
#include <errno.h>
#include <string.h>

#include "bpf/abi.h"
#include "rulesd/cleanup.h"
#include "rulesd/numbers_registry.h"

/* ------------------------------------------------------------------ all of it */

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
		json_object_set_new(json, number_ranges[kind].name,
				    json_pack("{s:I, s:o}", "next", (json_int_t)registry->next,
					      "names", names));
	}
	return json;
}

/* A number that the counter has not passed yet could be given twice, so it is refused. */
static int registry_from_json(struct registry *registry, enum number_kind kind, const json_t *json)
{
	const struct number_range *range = &number_ranges[kind];
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
		    number_is_any(kind, name))
			return -EINVAL;
		if (kind != NUMBER_SLOT && number >= next)
			return -EINVAL;
		if (registry_name(registry, (uint32_t)number))
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
				       json_object_get(json, number_ranges[kind].name)) < 0)
			return -EINVAL;
	numbers_news_written(read);
	*numbers = TAKE_PTR(read);
	return 0;
}

/* ------------------------------------------------------------------ what is new */

static json_t *new_names(const struct registry *registry)
{
	const struct numbered *at = registry_from(registry, (uint32_t)registry->written);
	const struct numbered *end;
	json_t *names;

	if (!at || registry->written == registry->next)
		return NULL;
	end = (const struct numbered *)registry->by_number->data + registry->by_number->len;
	names = json_object();
	for (; at < end; at++)
		json_object_set_new(names, at->name, json_integer(at->number));
	return names;
}

static json_t *new_slots(const struct numbers *numbers)
{
	json_t *slots;
	GHashTableIter iter;
	gpointer id;

	if (!g_hash_table_size(numbers->slots_changed))
		return NULL;
	slots = json_object();
	g_hash_table_iter_init(&iter, numbers->slots_changed);
	while (g_hash_table_iter_next(&iter, &id, NULL)) {
		uint32_t slot = numbers_find(numbers, NUMBER_SLOT, id);

		json_object_set_new(slots, id, slot ? json_integer(slot) : json_null());
	}
	return slots;
}

json_t *numbers_news(const struct numbers *numbers)
{
	json_t *news = NULL;

	for (enum number_kind kind = 0; kind < NUMBER_KINDS; kind++) {
		json_t *names =
			kind == NUMBER_SLOT ? new_slots(numbers) : new_names(&numbers->kinds[kind]);

		if (names && !news)
			news = json_object();
		if (names)
			json_object_set_new(news, number_ranges[kind].name, names);
	}
	return news;
}

void numbers_news_written(struct numbers *numbers)
{
	for (int kind = 0; kind < NUMBER_KINDS; kind++)
		numbers->kinds[kind].written = numbers->kinds[kind].next;
	g_hash_table_remove_all(numbers->slots_changed);
}

/* Slots that are released first: another interface may have got one of them. */
static void release_slots(struct numbers *numbers, const json_t *slots)
{
	const char *id;
	json_t *value;
	union {
		const json_t *given;
		json_t *walked; /* jansson's iterators take a mutable object */
	} object = {slots};

	json_object_foreach (object.walked, id, value)
		if (numbers_find(numbers, NUMBER_SLOT, id) != json_integer_value(value))
			numbers_release_slot(numbers, id);
}

static int add_name(struct registry *registry, enum number_kind kind, const char *name,
		    const json_t *value)
{
	const struct number_range *range = &number_ranges[kind];
	json_int_t number = json_integer_value(value);
	const char *holder;
	uint32_t known;

	if (kind == NUMBER_SLOT && json_is_null(value))
		return 0;
	if (!json_is_integer(value) || number < range->first || number > range->last ||
	    number_is_any(kind, name))
		return -EINVAL;
	known = GPOINTER_TO_UINT(g_hash_table_lookup(registry->by_name, name));
	holder = registry_name(registry, (uint32_t)number);
	if (known || holder) /* what a snapshot knows already */
		return known == number && holder && strcmp(holder, name) == 0 ? 0 : -EINVAL;
	registry_add(registry, name, (uint32_t)number);
	if (kind != NUMBER_SLOT)
		registry->next = MAX(registry->next, (uint64_t)number + 1);
	return 0;
}

int numbers_add_news(struct numbers *numbers, const json_t *news)
{
	int code = json_is_object(news) ? 0 : -EINVAL;

	release_slots(numbers, json_object_get(news, number_ranges[NUMBER_SLOT].name));
	for (enum number_kind kind = 0; kind < NUMBER_KINDS; kind++) {
		json_t *names = json_object_get(news, number_ranges[kind].name), *value;
		const char *name;

		if (names && !json_is_object(names))
			code = -EINVAL;
		json_object_foreach (names, name, value)
			if (!code)
				code = add_name(&numbers->kinds[kind], kind, name, value);
	}
	numbers_news_written(numbers);
	return code;
}

/* ------------------------------------------------------------------ how far it may count */

/* Everything that counts: slots go round and are found by their names. */
struct counter {
	const char *name;
	uint64_t *next, *mark;
	uint64_t end; /* where next stands when nothing is left */
};

#define COUNTERS (NUMBER_KINDS + 1) /* but slots; policies and sets */

static void counters_of(struct numbers *numbers, struct counter counters[COUNTERS])
{
	unsigned int count = 0;

	for (int kind = 0; kind < NUMBER_KINDS; kind++)
		if (kind != NUMBER_SLOT)
			counters[count++] = (struct counter){
				.name = number_ranges[kind].name,
				.next = &numbers->kinds[kind].next,
				.mark = &numbers->kinds[kind].mark,
				.end = (uint64_t)number_ranges[kind].last + 1,
			};
	counters[count++] = (struct counter){"policies", &numbers->next_policy,
					     &numbers->policy_mark, (uint64_t)UINT32_MAX + 1};
	counters[count++] =
		(struct counter){"sets", &numbers->next_set, &numbers->set_mark, SG_SET_SINGLE};
}

bool numbers_need_marks(struct numbers *numbers)
{
	struct counter counters[COUNTERS];
	bool need = false;

	counters_of(numbers, counters);
	for (unsigned int i = 0; i < COUNTERS; i++)
		need |= *counters[i].next > *counters[i].mark;
	return need;
}

json_t *numbers_marks(struct numbers *numbers, uint32_t ahead)
{
	struct counter counters[COUNTERS];
	json_t *marks = json_object();

	counters_of(numbers, counters);
	for (unsigned int i = 0; i < COUNTERS; i++)
		json_object_set_new(
			marks, counters[i].name,
			json_integer((json_int_t)MIN(*counters[i].next + ahead, counters[i].end)));
	return marks;
}

static bool mark_of(const json_t *marks, const struct counter *counter, uint64_t *mark)
{
	const json_t *value = json_object_get(marks, counter->name);

	*mark = (uint64_t)json_integer_value(value);
	return json_is_integer(value) && json_integer_value(value) > 0 && *mark <= counter->end;
}

void numbers_marks_written(struct numbers *numbers, const json_t *marks)
{
	struct counter counters[COUNTERS];
	uint64_t mark;

	counters_of(numbers, counters);
	for (unsigned int i = 0; i < COUNTERS; i++)
		if (mark_of(marks, &counters[i], &mark))
			*counters[i].mark = mark;
}

int numbers_skip(struct numbers *numbers, const json_t *marks)
{
	struct counter counters[COUNTERS];
	uint64_t mark;

	counters_of(numbers, counters);
	for (unsigned int i = 0; i < COUNTERS; i++)
		if (!mark_of(marks, &counters[i], &mark))
			return -EINVAL;
	for (unsigned int i = 0; i < COUNTERS; i++) {
		mark_of(marks, &counters[i], &mark);
		*counters[i].mark = mark;
		*counters[i].next = MAX(*counters[i].next, mark);
	}
	numbers_news_written(numbers);
	return 0;
}
