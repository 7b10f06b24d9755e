/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal.c - records of an in-place change, in the order of its stores.
 */
#include "rulesd/journal.h"

#include "rulesd/cleanup.h"

enum record_kind {
	RECORD_U32,
	RECORD_POINTER,
	RECORD_TABLE,
	RECORD_APPENDED,
	RECORD_DROPPED,
	RECORD_MADE,
	RECORD_REPLACED,
};

struct record {
	enum record_kind kind;
	uint32_t number; /* the old value; the index in an array; whether a table had the key */
	gpointer at;	 /* word, pointer, table, array, object */
	gpointer value;
	union {
		gpointer key;		/* RECORD_TABLE */
		GDestroyNotify destroy; /* RECORD_MADE, RECORD_REPLACED */
	};
};

struct journal {
	GArray *records;
};

struct journal *journal_new(void)
{
	struct journal *journal = g_new(struct journal, 1);

	journal->records = g_array_new(FALSE, FALSE, sizeof(struct record));
	return journal;
}

static void journal_free(struct journal *journal)
{
	g_array_unref(journal->records);
	g_free(journal);
}

static void add(struct journal *journal, struct record record)
{
	g_array_append_val(journal->records, record);
}

void journal_commit(struct journal **journal)
{
	struct journal *kept = TAKE_PTR(*journal);

	if (!kept)
		return;
	for (guint i = 0; i < kept->records->len; i++) {
		const struct record *record = &g_array_index(kept->records, struct record, i);

		if (record->kind == RECORD_REPLACED)
			record->destroy(record->at);
	}
	journal_free(kept);
}

static void append(struct pointer_list *list, gpointer value)
{
	if (list->len == list->room) {
		list->room += list->room < 4 ? 1 : list->room / 4 + 3;
		list->at = g_renew(gpointer, list->at, list->room);
	}
	list->at[list->len++] = value;
}

void pointer_list_clear(struct pointer_list *list)
{
	g_free(list->at);
	*list = (struct pointer_list){0};
}

static void undo_drop(struct pointer_list *list, uint32_t index, gpointer value)
{
	append(list, value);
	list->at[list->len - 1] = list->at[index];
	list->at[index] = value;
}

static void undo(const struct record *record)
{
	switch (record->kind) {
	case RECORD_U32:
		*(uint32_t *)record->at = record->number;
		break;
	case RECORD_POINTER:
		*(gpointer *)record->at = record->value;
		break;
	case RECORD_TABLE:
		if (record->number)
			g_hash_table_replace(record->at, record->key, record->value);
		else
			g_hash_table_remove(record->at, record->key);
		break;
	case RECORD_APPENDED:
		((struct pointer_list *)record->at)->len = record->number;
		break;
	case RECORD_DROPPED:
		undo_drop(record->at, record->number, record->value);
		break;
	case RECORD_MADE:
		record->destroy(record->at);
		break;
	case RECORD_REPLACED:
		break;
	}
}

void journal_undo(struct journal **journal)
{
	struct journal *taken = TAKE_PTR(*journal);

	if (!taken)
		return;
	for (guint i = taken->records->len; i-- > 0;)
		undo(&g_array_index(taken->records, struct record, i));
	journal_free(taken);
}

void journal_u32(struct journal *journal, uint32_t *at)
{
	if (journal)
		add(journal, (struct record){.kind = RECORD_U32, .at = at, .number = *at});
}

void journal_pointer(struct journal *journal, void *at)
{
	if (journal)
		add(journal,
		    (struct record){.kind = RECORD_POINTER, .at = at, .value = *(gpointer *)at});
}

static void record_entry(struct journal *journal, GHashTable *table, gpointer key)
{
	struct record record = {.kind = RECORD_TABLE, .at = table};

	if (!journal)
		return;
	record.number = g_hash_table_lookup_extended(table, key, &record.key, &record.value);
	if (!record.number)
		record.key = key;
	add(journal, record);
}

void journal_insert(struct journal *journal, GHashTable *table, gpointer key, gpointer value)
{
	record_entry(journal, table, key);
	g_hash_table_replace(table, key, value);
}

void journal_remove(struct journal *journal, GHashTable *table, gconstpointer key)
{
	gpointer held, value;

	if (!g_hash_table_lookup_extended(table, key, &held, &value))
		return;
	record_entry(journal, table, held);
	g_hash_table_remove(table, held);
}

void journal_append(struct journal *journal, struct pointer_list *list, gpointer value)
{
	if (journal)
		add(journal,
		    (struct record){.kind = RECORD_APPENDED, .at = list, .number = list->len});
	append(list, value);
}

void journal_drop(struct journal *journal, struct pointer_list *list, gconstpointer value)
{
	uint32_t index = 0;

	while (index < list->len && list->at[index] != value)
		index++;
	if (index == list->len)
		return;
	if (journal)
		add(journal, (struct record){.kind = RECORD_DROPPED,
					     .at = list,
					     .number = index,
					     .value = list->at[index]});
	list->at[index] = list->at[--list->len];
}

void journal_made(struct journal *journal, gpointer made, GDestroyNotify destroy)
{
	if (journal)
		add(journal, (struct record){.kind = RECORD_MADE, .at = made, .destroy = destroy});
}

void journal_replaced(struct journal *journal, gpointer replaced, GDestroyNotify destroy)
{
	if (!replaced)
		return;
	if (journal)
		add(journal,
		    (struct record){.kind = RECORD_REPLACED, .at = replaced, .destroy = destroy});
	else
		destroy(replaced);
}
