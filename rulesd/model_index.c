/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_index.c - the interfaces of a model: found by id, by address and by device, and counted.
 *
 * An index holds one interface a key. One that comes when its key is taken is kept out and counted,
 * so that "nothing is there twice" is known without looking. When the one that holds the key leaves
 * meanwhile, the index is stale: finders then look at all interfaces until the next one is added,
 * which fills it anew. That happens only while a change that is refused is taken back.
 *
 * Long because the three indexes are filled, changed and doubted in the same ways, side by side.
 */
#include "rulesd/model.h"

#include <string.h>

#include "rulesd/parallel.h"

/* ------------------------------------------------------------------ keys */

static uint64_t id_hash(const char *id)
{
	return hash_bytes(id, strlen(id));
}

static bool has_id(const void *item, const void *key)
{
	return strcmp(((const struct model_interface *)item)->id, key) == 0;
}

static uint64_t address_hash(const struct sg_addr *addr)
{
	return hash_bytes(addr, sizeof(*addr));
}

static bool has_address(const void *item, const void *key)
{
	const struct model_interface *iface = item;

	for (uint32_t i = 0; i < iface->address_count; i++)
		if (memcmp(&iface->addresses[i], key, sizeof(struct sg_addr)) == 0)
			return true;
	return false;
}

/* host is "" for interfaces that any host may attach. */
struct device_key {
	const char *device, *host;
};

static struct device_key device_key(const struct model_interface *iface)
{
	const char *host = iface->settings->host;

	return (struct device_key){iface->settings->device, host ? host : ""};
}

static uint64_t device_hash(const struct device_key *key)
{
	return hash_bytes(key->device, strlen(key->device)) ^
	       hash_bytes(key->host, strlen(key->host)) << 1;
}

static bool has_device(const void *item, const void *key)
{
	const struct device_key own = device_key(item), *other = key;

	return strcmp(own.device, other->device) == 0 && strcmp(own.host, other->host) == 0;
}

static bool is_unreadable(const struct sg_addr *addr)
{
	return !addr->q[0] && !addr->q[1];
}

/* Adds to a count of a GHashTable that owns its keys; an entry that becomes 0 is removed. */
static void count_name(GHashTable *table, const char *name, int change)
{
	int count = (int)GPOINTER_TO_UINT(g_hash_table_lookup(table, name)) + change;

	if (count)
		g_hash_table_insert(table, g_strdup(name), GUINT_TO_POINTER((guint)count));
	else
		g_hash_table_remove(table, name);
}

/* ------------------------------------------------------------------ into the indexes */

/* The interface that has the id already, or NULL. */
static const struct model_interface *index_id(struct model *model,
					      const struct model_interface *iface)
{
	uint64_t hash = id_hash(iface->id);
	const struct model_interface *first =
		hash_index_find(&model->by_id, hash, has_id, iface->id);

	if (!first)
		hash_index_add(&model->by_id, hash, iface);
	return first;
}

static bool is_device_taken(const struct model *model, const struct device_key *key)
{
	const struct device_key any_host = {key->device, ""};

	if (!key->host[0])
		return g_hash_table_contains(model->devices, key->device);
	return hash_index_find(&model->by_device, device_hash(key), has_device, key) ||
	       hash_index_find(&model->by_device, device_hash(&any_host), has_device, &any_host);
}

static void index_device(struct model *model, const struct model_interface *iface)
{
	struct device_key key;

	if (!iface->settings->device)
		return;
	key = device_key(iface);
	if (is_device_taken(model, &key))
		model->repeated_devices++;
	else
		hash_index_add(&model->by_device, device_hash(&key), iface);
	count_name(model->devices, key.device, 1);
	if (key.host[0])
		count_name(model->hosts, key.host, 1);
	else
		model->hostless++;
}

static void index_addresses(struct model_network *network, const struct model_interface *iface)
{
	network->members += iface->address_count;
	for (uint32_t i = 0; i < iface->address_count; i++) {
		const struct sg_addr *addr = &iface->addresses[i];
		uint64_t hash = address_hash(addr);

		if (is_unreadable(addr))
			continue;
		if (hash_index_find(&network->by_address, hash, has_address, addr))
			network->repeated++;
		else
			hash_index_add(&network->by_address, hash, iface);
	}
}

static void refill_addresses(struct model_network *network, uint32_t more)
{
	uint32_t wanted = network->members + more;

	network->members = network->repeated = 0;
	network->stale = false;
	hash_index_clear(&network->by_address, wanted);
	for (guint i = 0; i < network->interfaces->len; i++)
		index_addresses(network, network->interfaces->pdata[i]);
}

static void each_interface(struct model *model,
			   void (*each)(struct model *, const struct model_interface *))
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, model->networks);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct model_network *network = value;

		for (guint i = 0; i < network->interfaces->len; i++)
			each(model, network->interfaces->pdata[i]);
	}
}

static void count_id(struct model *model, const struct model_interface *iface)
{
	if (index_id(model, iface))
		model->repeated_ids++;
}

static void refill_ids(struct model *model, uint32_t more)
{
	model->repeated_ids = 0;
	hash_index_clear(&model->by_id, model->interfaces + more);
	each_interface(model, count_id);
}

#define FEW_DEVICES 256u /* To count them takes a look at a million interfaces. */

/* Few of a million have one: their ids stay where they are. */
static void refill_devices(struct model *model, uint32_t more)
{
	uint32_t count = model->by_device.count;

	model->repeated_devices = model->hostless = 0;
	hash_index_clear(&model->by_device, count + MAX(MAX(count, more), FEW_DEVICES));
	g_hash_table_remove_all(model->devices);
	g_hash_table_remove_all(model->hosts);
	each_interface(model, index_device);
}

/* Room for so many more ids and devices. */
static void make_model_room(struct model *model, uint32_t more, uint32_t ids, uint32_t devices)
{
	if (model->stale || hash_index_is_full(&model->by_id, more))
		refill_ids(model, ids);
	if (model->stale || hash_index_is_full(&model->by_device, devices))
		refill_devices(model, devices);
	model->stale = false;
}

/* ------------------------------------------------------------------ adding and removing */

void model_reserve_interfaces(struct model *model, struct model_network *network, uint32_t more)
{
	if (network->stale || hash_index_is_full(&network->by_address, more))
		refill_addresses(network, more);
	make_model_room(model, more, more, 1);
}

void model_settle_interfaces(struct model *model)
{
	GHashTableIter iter;
	gpointer network;

	if (model->stale)
		make_model_room(model, 0, 0, 0);
	g_hash_table_iter_init(&iter, model->networks);
	while (g_hash_table_iter_next(&iter, NULL, &network))
		if (((const struct model_network *)network)->stale)
			refill_addresses(network, 0);
}

/* Room for one more, and half as much again when there was none. */
static void make_room(struct model *model, struct model_network *network, uint32_t addresses)
{
	if (network->stale || hash_index_is_full(&network->by_address, addresses))
		refill_addresses(network, addresses + network->members / 2);
	make_model_room(model, 1, 1 + model->interfaces / 2, 1);
}

static void count_carried(struct model_network *network, const struct model_groups *groups)
{
	guint *count = g_hash_table_lookup(network->carried, groups);

	if (!count) {
		count = g_new0(guint, 1);
		g_hash_table_insert(network->carried, (gpointer)(uintptr_t)groups, count);
	}
	++*count;
}

static void uncount_carried(struct model_network *network, const struct model_groups *groups)
{
	guint *count = g_hash_table_lookup(network->carried, groups);

	if (--*count == 0)
		g_hash_table_remove(network->carried, groups);
}

/* All but its id. */
static void add_indexed(struct model *model, struct model_network *network,
			struct model_interface *iface)
{
	iface->position = network->interfaces->len;
	g_ptr_array_add(network->interfaces, iface);
	model->interfaces++;
	index_device(model, iface);
	index_addresses(network, iface);
	count_carried(network, iface->groups);
}

void model_add_interface(struct model *model, struct model_interface *iface)
{
	struct model_network *network = model_network(model, iface->network);

	g_assert(network);
	make_room(model, network, iface->address_count);
	if (index_id(model, iface))
		model->repeated_ids++;
	add_indexed(model, network, iface);
}

const struct model_interface *model_try_interface(struct model *model,
						  struct model_network *network,
						  struct model_interface *iface)
{
	const struct model_interface *first;

	make_room(model, network, iface->address_count);
	first = index_id(model, iface);
	if (!first)
		add_indexed(model, network, iface);
	return first;
}

/* Many that come at once, and which of them had come before. */
struct arrivals {
	struct model *model;
	struct model_network *network;
	struct model_interface *const *ifaces;
	const struct model_interface **first;
	uint32_t count;
};

static void index_ids(const struct arrivals *all)
{
	for (uint32_t i = 0; i < all->count; i++)
		all->first[i] = index_id(all->model, all->ifaces[i]);
}

static void index_all_addresses(const struct arrivals *all)
{
	for (uint32_t i = 0; i < all->count; i++)
		index_addresses(all->network, all->ifaces[i]);
}

static void place_all(const struct arrivals *all)
{
	for (uint32_t i = 0; i < all->count; i++) {
		struct model_interface *iface = all->ifaces[i];

		iface->position = all->network->interfaces->len;
		g_ptr_array_add(all->network->interfaces, iface);
		index_device(all->model, iface);
		count_carried(all->network, iface->groups);
	}
}

static void reserve(const struct arrivals *all)
{
	uint32_t addresses = 0, devices = 0;

	for (uint32_t i = 0; i < all->count; i++) {
		addresses += all->ifaces[i]->address_count;
		devices += all->ifaces[i]->settings->device != NULL;
	}
	if (all->network->stale || hash_index_is_full(&all->network->by_address, addresses))
		refill_addresses(all->network, addresses);
	make_model_room(all->model, all->count, all->count, devices);
}

/* Those that stand in the network from before on. */
static void take_back(const struct arrivals *all, uint32_t before)
{
	for (uint32_t i = 0; i < all->count; i++)
		uncount_carried(all->network, all->ifaces[i]->groups);
	all->network->interfaces->len = before; /* they are the caller's: not freed */
	all->model->interfaces -= all->count;
	refill_addresses(all->network, 0);
	refill_ids(all->model, 0);
	refill_devices(all->model, 0);
}

/* None of them changes what another one looks at. */
static void index_one(uint32_t piece, uint32_t worker, void *context)
{
	static void (*const parts[])(const struct arrivals *) = {index_ids, index_all_addresses,
								 place_all};

	(void)worker;
	parts[piece](context);
}

void model_try_interfaces(struct model *model, struct model_network *network,
			  struct model_interface *const *ifaces,
			  const struct model_interface **first, uint32_t count)
{
	struct arrivals all = {model, network, ifaces, first, count};
	uint32_t before = network->interfaces->len;

	reserve(&all);
	parallel_run(3, index_one, &all);
	model->interfaces += count;
	for (uint32_t i = 0; i < count; i++) {
		if (!first[i])
			continue;
		/* Not all of them are to stay: once more, and one after the other. */
		take_back(&all, before);
		for (i = 0; i < count; i++)
			first[i] = model_try_interface(model, network, ifaces[i]);
	}
}

static void unindex_id(struct model *model, const struct model_interface *iface)
{
	if (!hash_index_remove(&model->by_id, id_hash(iface->id), iface))
		model->repeated_ids--;
	else if (model->repeated_ids)
		model->stale = true;
}

static void unindex_device(struct model *model, const struct model_interface *iface)
{
	struct device_key key;

	if (!iface->settings->device)
		return;
	key = device_key(iface);
	if (!hash_index_remove(&model->by_device, device_hash(&key), iface))
		model->repeated_devices--;
	else if (model->repeated_devices)
		model->stale = true;
	count_name(model->devices, key.device, -1);
	if (key.host[0])
		count_name(model->hosts, key.host, -1);
	else
		model->hostless--;
}

static void unindex_addresses(struct model_network *network, const struct model_interface *iface)
{
	network->members -= iface->address_count;
	for (uint32_t i = 0; i < iface->address_count; i++) {
		const struct sg_addr *addr = &iface->addresses[i];

		if (is_unreadable(addr))
			continue;
		if (!hash_index_remove(&network->by_address, address_hash(addr), iface))
			network->repeated--;
		else if (network->repeated)
			network->stale = true;
	}
}

void model_remove_interface(struct model *model, struct model_interface *iface)
{
	struct model_network *network = model_network(model, iface->network);
	GPtrArray *all = network->interfaces;

	g_assert(all->pdata[iface->position] == iface);
	g_ptr_array_steal_index_fast(all, iface->position);
	if (iface->position < all->len)
		((struct model_interface *)all->pdata[iface->position])->position = iface->position;
	model->interfaces--;
	unindex_id(model, iface);
	unindex_device(model, iface);
	unindex_addresses(network, iface);
	uncount_carried(network, iface->groups);
}

/* ------------------------------------------------------------------ finding */

static int compare_ids(gconstpointer a, gconstpointer b)
{
	const struct model_interface *const *x = a, *const *y = b;

	return strcmp((*x)->id, (*y)->id);
}

GPtrArray *model_sorted_interfaces(const struct model_network *network)
{
	GPtrArray *sorted = g_ptr_array_sized_new(network->interfaces->len);

	for (guint i = 0; i < network->interfaces->len; i++)
		g_ptr_array_add(sorted, network->interfaces->pdata[i]);
	g_ptr_array_sort(sorted, compare_ids);
	return sorted;
}

/* The finders' results are the caller's to change and to remove, as those of GHashTable are. */
static struct model_interface *changeable(const void *iface)
{
	return (struct model_interface *)(uintptr_t)iface;
}

static struct model_interface *search(const struct model_network *network,
				      hash_index_matcher *matches, const void *key)
{
	for (guint i = 0; i < network->interfaces->len; i++)
		if (matches(network->interfaces->pdata[i], key))
			return network->interfaces->pdata[i];
	return NULL;
}

static struct model_interface *search_all(const struct model *model, hash_index_matcher *matches,
					  const void *key)
{
	struct model_interface *iface = NULL;
	GHashTableIter iter;
	gpointer network;

	g_hash_table_iter_init(&iter, model->networks);
	while (!iface && g_hash_table_iter_next(&iter, NULL, &network))
		iface = search(network, matches, key);
	return iface;
}

struct model_interface *model_interface(const struct model *model, const char *id)
{
	if (model->stale)
		return search_all(model, has_id, id);
	return changeable(hash_index_find(&model->by_id, id_hash(id), has_id, id));
}

struct model_interface *model_interface_at(const struct model_network *network,
					   const struct sg_addr *addr)
{
	if (is_unreadable(addr))
		return NULL;
	if (network->stale)
		return search(network, has_address, addr);
	return changeable(
		hash_index_find(&network->by_address, address_hash(addr), has_address, addr));
}

static bool attaches(const void *item, const void *key)
{
	const struct model_interface *iface = item;
	const struct device_key *wanted = key;

	return g_strcmp0(iface->settings->device, wanted->device) == 0 &&
	       (!iface->settings->host || strcmp(iface->settings->host, wanted->host) == 0);
}

struct model_interface *model_interface_of_device(const struct model *model, const char *device,
						  const char *host)
{
	const struct device_key own = {device, host}, any_host = {device, ""};
	const void *found;

	if (model->stale)
		return search_all(model, attaches, &own);
	found = hash_index_find(&model->by_device, device_hash(&own), has_device, &own);
	if (!found)
		found = hash_index_find(&model->by_device, device_hash(&any_host), has_device,
					&any_host);
	return changeable(found);
}

uint32_t model_most_devices(const struct model *model)
{
	guint most = 0;
	GHashTableIter iter;
	gpointer count;

	g_hash_table_iter_init(&iter, model->hosts);
	while (g_hash_table_iter_next(&iter, NULL, &count))
		most = MAX(most, GPOINTER_TO_UINT(count));
	return most + model->hostless;
}

bool model_may_repeat(const struct model *model)
{
	bool repeats = model->stale || model->repeated_ids || model->repeated_devices;
	GHashTableIter iter;
	gpointer network;

	g_hash_table_iter_init(&iter, model->networks);
	while (!repeats && g_hash_table_iter_next(&iter, NULL, &network))
		repeats = ((const struct model_network *)network)->stale ||
			  ((const struct model_network *)network)->repeated;
	return repeats;
}
