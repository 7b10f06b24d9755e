/* SPDX-License-Identifier: GPL-2.0-or-later */
/* known.c - see known.h. */
#include "ctl/known.h"

#include "ctl/client.h"
#include "rulesd/cleanup.h"
#include "rulesd/nearest.h"

void known_suggest(const struct args *args, const char *path, const char *key, const char *word,
		   struct diag *diag)
{
	CLEANUP(diag_free) struct diag *ignored = diag_new();
	AUTO_JSON json_t *list = NULL;
	struct diag_entry *entry;
	struct nearest nearest;
	const json_t *object;
	size_t i;

	if (!diag->entries->len || client_request(args, "GET", path, NULL, &list, NULL, ignored))
		return;
	nearest = nearest_new(word);
	json_array_foreach (list, i, object) {
		const char *id = json_string_value(json_object_get(object, key));

		if (id)
			nearest_offer(&nearest, id);
	}
	if (!nearest.best)
		return;
	entry = g_ptr_array_index(diag->entries, diag->entries->len - 1);
	g_free(entry->fix);
	entry->fix = g_strdup_printf("did you mean %s?", nearest.best);
}
