/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_list.c - see api_list.h.
 *
 * The ids are copied at the beginning: of a million that takes some 30 ms, and it is the longest
 * part. To sort them takes a second, so runs of some thousand are sorted, one a part, and then
 * merged as they are written.
 */
#include "rulesd/api_list.h"

#include <string.h>

#include "rulesd/cleanup.h"

#define RUN	    2048u
#define CHUNK_BYTES 65536u

struct key {
	const char *network; /* interned */
	const char *id;	     /* in ids */
};

/* Sorted keys from next to end. */
struct run {
	guint next, end;
};

struct api_list {
	const struct api_list_kind *kind;
	void *arg;
	GDestroyNotify free_arg;
	GString *text;
	uint64_t generation; /* of the beginning */
	GStringChunk *ids;
	GArray *keys;	      /* of struct key */
	const char *interned; /* the network of the last one */
	guint sorted;	      /* so many from the beginning are in runs */
	GArray *runs;	      /* of struct run; when all are sorted a heap, the least key first */
};

static void list_free(gpointer pointer)
{
	struct api_list *list = pointer;

	if (list->free_arg)
		list->free_arg(list->arg);
	if (list->text)
		g_string_free(list->text, TRUE);
	g_string_chunk_free(list->ids);
	g_array_unref(list->keys);
	g_array_unref(list->runs);
	g_free(list);
}

void api_list_name(struct api_list *list, const char *network, const char *id)
{
	struct key key = {.id = g_string_chunk_insert(list->ids, id)};

	if (!list->interned || strcmp(list->interned, network) != 0)
		list->interned = g_intern_string(network);
	key.network = list->interned;
	g_array_append_val(list->keys, key);
}

const void *api_list_interface(struct api_request *request, const char *network, const char *id)
{
	const struct model_interface *iface = model_interface(request->engine->model, id);

	return iface && (!*network || strcmp(iface->network, network) == 0) ? iface : NULL;
}

void api_list_add(struct api_list *list, json_t *json)
{
	AUTO_JSON json_t *owned = json;
	g_autofree char *text = json_dumps(owned, JSON_COMPACT);

	if (list->text->len > 1)
		g_string_append_c(list->text, ',');
	g_string_append(list->text, text);
}

/* ---------------------------------------------------------------- order */

static gint compare(gconstpointer a, gconstpointer b)
{
	const struct key *x = a, *y = b;
	int order = x->network == y->network ? 0 : strcmp(x->network, y->network);

	return order ? order : strcmp(x->id, y->id);
}

static const struct key *first_of(const struct api_list *list, guint run)
{
	return &g_array_index(list->keys, struct key,
			      g_array_index(list->runs, struct run, run).next);
}

static void sink(struct api_list *list, guint at)
{
	struct run *runs = (struct run *)(void *)list->runs->data;

	for (;;) {
		guint least = at;

		for (guint child = 2 * at + 1; child <= 2 * at + 2; child++)
			if (child < list->runs->len &&
			    compare(first_of(list, child), first_of(list, least)) < 0)
				least = child;
		if (least == at)
			return;
		struct run swap = runs[at];

		runs[at] = runs[least];
		runs[least] = swap;
		at = least;
	}
}

static void sort_run(struct api_list *list)
{
	struct run run = {list->sorted, MIN(list->sorted + RUN, list->keys->len)};

	qsort(&g_array_index(list->keys, struct key, run.next), run.end - run.next,
	      sizeof(struct key), compare);
	list->sorted = run.end;
	g_array_append_val(list->runs, run);
	if (list->sorted < list->keys->len)
		return;
	for (guint at = list->runs->len / 2; at-- > 0;)
		sink(list, at);
}

static struct key take_next(struct api_list *list)
{
	struct run *run = &g_array_index(list->runs, struct run, 0);
	struct key key = g_array_index(list->keys, struct key, run->next++);

	if (run->next == run->end)
		g_array_remove_index_fast(list->runs, 0);
	if (list->runs->len)
		sink(list, 0);
	return key;
}

/* ---------------------------------------------------------------- parts */

static bool part(struct api_request *request, void *work)
{
	struct api_list *list = work;

	if (list->sorted < list->keys->len) {
		sort_run(list);
		return true;
	}
	if (list->runs->len) {
		struct key key = take_next(list);
		const void *item = list->kind->find(request, key.network, key.id);

		if (item)
			list->kind->write(request, item, list, list->arg);
		return api_may_hold(request, list->text->len);
	}
	g_string_append(list->text, "]\n");
	request->generation = list->generation;
	api_reply_text(request, MHD_HTTP_OK, "application/json",
		       g_string_free(TAKE_PTR(list->text), FALSE));
	return false;
}

void api_list_reply(struct api_request *request, const struct api_list_kind *kind, void *arg,
		    GDestroyNotify free_arg)
{
	struct api_list *list = g_new0(struct api_list, 1);

	list->kind = kind;
	list->arg = arg;
	list->free_arg = free_arg;
	list->text = g_string_new("[");
	list->generation = engine_generation(request->engine);
	list->ids = g_string_chunk_new(CHUNK_BYTES);
	list->keys = g_array_new(FALSE, FALSE, sizeof(struct key));
	list->runs = g_array_new(FALSE, FALSE, sizeof(struct run));
	kind->collect(request, list);
	api_in_parts(request, part, list, list_free);
}
