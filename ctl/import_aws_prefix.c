/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_aws_prefix.c - prefix lists: managed ones, AWS's own with their "Cidrs", and entries that
 * a second call prints without saying whose they are.
 */
#include <string.h>

#include "ctl/import_formats.h"
#include "rulesd/cleanup.h"

static void add_entry(struct import *import, struct import_list *list,
		      const struct import_node *node, const char *description)
{
	g_autofree char *cidr = import_cidr(import, list->id, node);

	if (!cidr)
		return;
	if (description)
		json_object_set_new(list->entry_descriptions, cidr, json_string(description));
	g_ptr_array_add(list->entries, g_steal_pointer(&cidr));
}

void import_aws_list_entries(struct import *import, struct import_list *list,
			     const struct import_node *entries, const char *cidr_key,
			     const char *description_key)
{
	g_autofree char *known = g_strconcat(cidr_key, " ", description_key, NULL);

	if (!json_is_array(entries->value))
		return;
	if (!list->entries)
		list->entries = g_ptr_array_new_with_free_func(g_free);
	for (size_t i = 0; i < import_length(entries); i++) {
		struct import_node item = import_at(entries, i);
		struct import_node cidr =
			json_is_object(item.value) ? import_get(&item, cidr_key) : item;

		add_entry(import, list, &cidr, import_string(&item, description_key));
		import_unknown(import, &item, list->id, known, "");
	}
}

void import_aws_prefix_list(struct import *import, const struct import_node *node)
{
	static const char *const kept[] = {"AddressFamily", "OwnerId", "PrefixListArn"};
	g_autofree char *id = import_id(import, import_string(node, "PrefixListId"), "pl-", node);
	struct import_list *list = import_list(import, id);
	struct import_node tags = import_get(node, "Tags");
	struct import_node entries = import_get(node, "Entries"), cidrs = import_get(node, "Cidrs");
	bool again = list->entries != NULL;

	import_unknown(import, node, id,
		       "PrefixListId PrefixListName AddressFamily OwnerId PrefixListArn Tags "
		       "Entries Cidrs",
		       "State StateMessage MaxEntries Version IpamPrefixListResolverTargetId "
		       "IpamPrefixListResolverSyncEnabled ResponseMetadata");
	if (again && (entries.value || cidrs.value))
		import_report_add(import->report, IMPORT_ASSUMED, "duplicate", id, node,
				  "the entries of the list are given more than once: it has all");
	if (!list->described) {
		import_set(&list->name, import_string(node, "PrefixListName"));
		list->labels = import_aws_tags(import, &tags, id);
		for (guint i = 0; i < G_N_ELEMENTS(kept); i++)
			import_set_extra(&list->extra, kept[i], import_string(node, kept[i]));
	}
	list->described = true;
	if (!list->place.file)
		import_place_set(&list->place, node);
	import_aws_list_entries(import, list, &entries, "Cidr", "Description");
	import_aws_list_entries(import, list, &cidrs, "Cidr", "Description");
}

/* "dir/pl-0123-entries.json" -> "pl-0123": where a file's name says it, that is the list. */
static char *list_in_name(const char *file)
{
	const char *base = strrchr(file, '/');
	const char *at = strstr(base ? base : file, "pl-");
	size_t length = at ? strspn(at + 3, "0123456789abcdef") : 0;

	return length == 8 || length == 17 ? g_strndup(at, length + 3) : NULL;
}

void import_aws_entries(struct import *import, const struct import_node *node)
{
	const char *given =
		import->options.entries
			? g_hash_table_lookup((GHashTable *)(uintptr_t)import->options.entries,
					      node->file)
			: NULL;
	g_autofree char *named = given ? g_strdup(given) : list_in_name(node->file);
	g_autofree char *id = named ? import_id(import, named, "pl-", node) : NULL;
	struct import_list *list = id ? import_list(import, id) : import_list_new("entries");

	import->found++;
	if (!list->place.file)
		import_place_set(&list->place, node);
	import_aws_list_entries(import, list, node, "Cidr", "Description");
	if (!id)
		g_ptr_array_add(import->orphans, list);
}
