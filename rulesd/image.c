/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image.c - containers of the compiled policy: making, finding, freeing.
 */
#include "rulesd/image.h"

#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/hash_index.h"
#include "rulesd/image_parts.h"

/* ---------------------------------------------------------------- keys */

/*
 * The tables have no destroy functions: what a change takes out of them lives on until the change
 * stands (journal.h). image_free() frees what they hold in the end.
 */

static guint set_hash(gconstpointer data)
{
	const struct image_set *set = data;

	return (guint)hash_bytes(set->peers->data, set->peers->len * sizeof(uint32_t));
}

static gboolean set_equal(gconstpointer a, gconstpointer b)
{
	const struct image_set *left = a, *right = b;

	return left->peers->len == right->peers->len &&
	       memcmp(left->peers->data, right->peers->data, left->peers->len * sizeof(uint32_t)) ==
		       0;
}

static guint policy_hash(gconstpointer data)
{
	const struct image_policy *policy = data;

	return (guint)hash_bytes(policy->content, policy->content_length);
}

static gboolean policy_equal(gconstpointer a, gconstpointer b)
{
	const struct image_policy *left = a, *right = b;

	return left->content_length == right->content_length &&
	       memcmp(left->content, right->content, left->content_length) == 0;
}

static guint shared_hash(gconstpointer data)
{
	const struct shared_address *shared = data;

	return (guint)hash_bytes(&shared->addr, sizeof(shared->addr));
}

static gboolean shared_equal(gconstpointer a, gconstpointer b)
{
	const struct shared_address *left = a, *right = b;

	return addr_equal(&left->addr, &right->addr);
}

static guint peer_hash(gconstpointer data)
{
	return g_str_hash(((const struct zone_peer *)data)->name);
}

static gboolean peer_equal(gconstpointer a, gconstpointer b)
{
	return strcmp(((const struct zone_peer *)a)->name, ((const struct zone_peer *)b)->name) ==
	       0;
}

/* ---------------------------------------------------------------- parts */

void image_policy_free(gpointer data)
{
	struct image_policy *policy = data;

	g_free(policy->entries);
	g_free(policy->content);
	g_free(policy);
}

void image_set_free(gpointer data)
{
	struct image_set *set = data;

	g_array_unref(set->peers);
	g_free(set);
}

void image_iface_free(gpointer data)
{
	struct image_iface *iface = data;

	g_free(iface->id);
	g_free(iface->device);
	g_array_unref(iface->guards);
	g_array_unref(iface->vlans);
	g_free(iface);
}

void zone_peer_free(gpointer data)
{
	struct zone_peer *peer = data;

	g_free(peer->name);
	if (peer->kind == MODEL_PEER_PREFIX_LIST)
		g_free(peer->list);
	g_free(peer);
}

void range_list_free(gpointer data)
{
	struct range_list *ranges = data;

	g_array_unref(ranges->ranges);
	g_free(ranges);
}

struct image_group *image_group_new(struct image_zone *home, const char *id)
{
	struct image_group *group = g_new0(struct image_group, 1);

	group->id = g_strdup(id);
	group->home = home;
	return group;
}

void image_group_free(gpointer data)
{
	struct image_group *group = data;

	pointer_list_clear(&group->lists);
	pointer_list_clear(&group->compiled);
	pointer_list_clear(&group->refs);
	g_clear_pointer(&group->rules, range_list_free);
	g_free(group->id);
	g_free(group);
}

struct image_list *image_list_new(struct image_zone *home, const struct model_groups *groups)
{
	struct image_list *list =
		g_malloc0(sizeof(*list) + groups->count * sizeof(struct image_group *));

	list->groups = model_groups_ref(groups);
	list->home = home;
	list->own.zone = home;
	return list;
}

void image_list_free(gpointer data)
{
	struct image_list *list = data;

	while (list->own.next) {
		struct list_set *set = list->own.next;

		list->own.next = set->next;
		g_free(set);
	}
	pointer_list_clear(&list->ifaces);
	pointer_list_clear(&list->here);
	model_groups_unref(list->groups);
	g_free(list);
}

struct image_zone *image_zone_new(const char *network, uint32_t number)
{
	struct image_zone *zone = g_new0(struct image_zone, 1);

	zone->network = g_strdup(network);
	zone->number = number;
	zone->peers = g_hash_table_new(peer_hash, peer_equal);
	zone->groups = g_hash_table_new(g_str_hash, g_str_equal);
	zone->lists = g_hash_table_new(NULL, NULL);
	zone->foreign = g_hash_table_new(NULL, NULL);
	zone->shared = g_hash_table_new(shared_hash, shared_equal);
	return zone;
}

static void free_values(GHashTable *table, GDestroyNotify destroy)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		destroy(value);
	g_hash_table_destroy(table);
}

void image_zone_free(gpointer data)
{
	struct image_zone *zone = data;

	free_values(zone->lists, image_list_free);
	free_values(zone->groups, image_group_free);
	free_values(zone->peers, zone_peer_free);
	free_values(zone->shared, g_free);
	g_hash_table_destroy(zone->foreign);
	prefix_tree_clear(&zone->tree);
	g_clear_pointer(&zone->exempt, range_list_free);
	g_free(zone->network);
	g_free(zone);
}

/* ---------------------------------------------------------------- the image */

struct image *image_new(const struct model *model)
{
	struct image *image = g_new0(struct image, 1);

	image->model = model;
	image->policies = g_hash_table_new(policy_hash, policy_equal);
	image->sets = g_hash_table_new(set_hash, set_equal);
	image->ifaces = g_hash_table_new(g_str_hash, g_str_equal);
	image->rule_names = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	image->policies_by_number = g_hash_table_new(NULL, NULL);
	image->sets_by_number = g_hash_table_new(NULL, NULL);
	image->zones = g_hash_table_new(g_str_hash, g_str_equal);
	image->zones_by_number = g_hash_table_new(NULL, NULL);
	return image;
}

void image_free(struct image **image)
{
	struct image *freed = TAKE_PTR(*image);

	if (!freed)
		return;
	g_hash_table_destroy(freed->zones_by_number);
	free_values(freed->zones, image_zone_free);
	g_hash_table_destroy(freed->sets_by_number);
	g_hash_table_destroy(freed->policies_by_number);
	g_hash_table_destroy(freed->rule_names);
	free_values(freed->ifaces, image_iface_free);
	free_values(freed->sets, image_set_free);
	free_values(freed->policies, image_policy_free);
	g_free(freed);
}

const struct image_iface *image_iface(const struct image *image, const char *id)
{
	return g_hash_table_lookup(image->ifaces, id);
}

const char *image_rule_name(const struct image *image, uint32_t rule)
{
	return g_hash_table_lookup(image->rule_names, GUINT_TO_POINTER(rule));
}

const struct image_policy *image_policy_by_number(const struct image *image, uint32_t number)
{
	return g_hash_table_lookup(image->policies_by_number, GUINT_TO_POINTER(number));
}

const struct image_set *image_set_by_number(const struct image *image, uint32_t number)
{
	return g_hash_table_lookup(image->sets_by_number, GUINT_TO_POINTER(number));
}

struct image_set *image_find_set(const struct image *image, const GArray *peers)
{
	union {
		const GArray *given;
		GArray *wanted; /* which the table only reads */
	} content = {peers};
	const struct image_set key = {.peers = content.wanted};

	return g_hash_table_lookup(image->sets, &key);
}

struct image_policy *image_find_policy(const struct image *image, const char *content,
				       size_t length)
{
	union {
		const char *given;
		char *wanted;
	} bytes = {content};
	const struct image_policy key = {.content = bytes.wanted, .content_length = length};

	return g_hash_table_lookup(image->policies, &key);
}

struct image_zone *image_zone_of(const struct image *image, const char *network)
{
	return g_hash_table_lookup(image->zones, network);
}

struct zone_peer *image_peer_of(const struct image_zone *zone, const char *name)
{
	union {
		const char *given;
		char *wanted;
	} text = {name};
	const struct zone_peer key = {.name = text.wanted};

	return g_hash_table_lookup(zone->peers, &key);
}

struct image_list *image_list_of(const struct image_zone *zone, const struct model_groups *groups)
{
	return g_hash_table_lookup(zone->lists, groups);
}

struct list_set *image_list_set(struct image_list *list, const struct image_zone *zone)
{
	struct list_set *set = &list->own;

	while (set && set->zone != zone)
		set = set->next;
	return set;
}

struct shared_address *image_shared(const struct image_zone *zone, const struct sg_addr *addr)
{
	const struct shared_address key = {.addr = *addr};

	return g_hash_table_lookup(zone->shared, &key);
}

int image_ports_compare(const struct sg_policy_key *a, const struct sg_policy_key *b)
{
	if (a->dir != b->dir)
		return a->dir < b->dir ? -1 : 1;
	if (a->peer != b->peer)
		return a->peer < b->peer ? -1 : 1;
	return (int)a->proto - (int)b->proto;
}

const struct image_ports *image_policy_ports(const struct image_policy *policy, unsigned int dir,
					     uint32_t peer, uint16_t proto)
{
	struct sg_policy_key wanted = {.peer = peer, .proto = proto, .dir = (uint8_t)dir};
	guint low = 0, high = policy->entry_count;

	while (low < high) {
		guint middle = low + (high - low) / 2;
		const struct image_ports *ports = &policy->entries[middle];
		int order = image_ports_compare(&wanted, &ports->key);

		if (!order)
			return ports;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
