/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_interface.c - interfaces and their lists of groups: one allocation each, what is the same
 * is shared.
 */
#include "rulesd/model.h"

#include <string.h>

/* ------------------------------------------------------------------ lists of groups */

/* struct model_groups of all models, as their own keys; they do not count as references. */
static GHashTable *all_groups;
G_LOCK_DEFINE_STATIC(all_groups);

static guint groups_hash(gconstpointer key)
{
	const struct model_groups *groups = key;
	uint64_t hash = groups->count;

	for (uint32_t i = 0; i < groups->count; i++)
		hash = hash * 31 + hash_bytes(groups->ids[i], strlen(groups->ids[i]));
	return (guint)(hash ^ hash >> 32);
}

static gboolean groups_equal(gconstpointer a, gconstpointer b)
{
	const struct model_groups *x = a, *y = b;

	if (x->count != y->count)
		return FALSE;
	for (uint32_t i = 0; i < x->count; i++)
		if (strcmp(x->ids[i], y->ids[i]) != 0)
			return FALSE;
	return TRUE;
}

static size_t groups_size(uint32_t count)
{
	return sizeof(struct model_groups) + count * sizeof(char *);
}

/* With the ids behind it. */
static struct model_groups *groups_new(const struct model_groups *key)
{
	size_t size = groups_size(key->count);
	struct model_groups *groups;
	char *text;

	for (uint32_t i = 0; i < key->count; i++)
		size += strlen(key->ids[i]) + 1;
	groups = g_malloc(size);
	groups->references = 0;
	groups->count = key->count;
	text = (char *)groups + groups_size(key->count);
	for (uint32_t i = 0; i < key->count; i++) {
		groups->ids[i] = text;
		text = g_stpcpy(text, key->ids[i]) + 1;
	}
	return groups;
}

const struct model_groups *model_groups_get(const char *const *ids, uint32_t count)
{
	g_autoptr(GByteArray) buffer = g_byte_array_new();
	struct model_groups *groups, *key;

	g_byte_array_set_size(buffer, (guint)groups_size(count));
	key = (void *)buffer->data;
	key->count = count;
	if (count)
		memcpy(key->ids, ids, count * sizeof(*ids));
	G_LOCK(all_groups);
	if (!all_groups)
		all_groups = g_hash_table_new(groups_hash, groups_equal);
	groups = g_hash_table_lookup(all_groups, key);
	if (!groups) {
		groups = groups_new(key);
		g_hash_table_add(all_groups, groups);
	}
	__atomic_add_fetch(&groups->references, 1, __ATOMIC_RELAXED);
	G_UNLOCK(all_groups);
	return groups;
}

const struct model_groups *model_groups_ref(const struct model_groups *groups)
{
	__atomic_add_fetch(&((struct model_groups *)(uintptr_t)groups)->references, 1,
			   __ATOMIC_RELAXED);
	return groups;
}

/* Gives back a reference that is not the last one. */
static bool unref_one_of_many(struct model_groups *groups)
{
	uint32_t references = __atomic_load_n(&groups->references, __ATOMIC_RELAXED);

	while (references > 1)
		if (__atomic_compare_exchange_n(&groups->references, &references, references - 1,
						false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
			return true;
	return false;
}

void model_groups_unref(const struct model_groups *groups)
{
	struct model_groups *own = (struct model_groups *)(uintptr_t)groups;

	if (unref_one_of_many(own))
		return;
	/* Only under the lock it becomes 0: what is in the table has a reference. */
	G_LOCK(all_groups);
	if (__atomic_sub_fetch(&own->references, 1, __ATOMIC_ACQ_REL) == 0) {
		g_hash_table_remove(all_groups, own);
		g_free(own);
		/* Nothing stays behind when the last model is gone. */
		if (g_hash_table_size(all_groups) == 0)
			g_clear_pointer(&all_groups, g_hash_table_unref);
	}
	G_UNLOCK(all_groups);
}

bool model_groups_have(const struct model_groups *groups, const char *id)
{
	for (uint32_t i = 0; i < groups->count; i++)
		if (strcmp(groups->ids[i], id) == 0)
			return true;
	return false;
}

/* ------------------------------------------------------------------ settings */

static const struct model_settings no_settings = {
	.spoof_guard = true,
	.hook = MODEL_HOOK_AUTO,
};

static bool is_nothing(const struct model_settings *settings)
{
	static const struct model_conntrack none;

	return !settings->description && !settings->device && !settings->host &&
	       !settings->has_mac && settings->spoof_guard && settings->hook == MODEL_HOOK_AUTO &&
	       !settings->allowed_count && !settings->vlan_count && !settings->remarks &&
	       memcmp(&settings->conntrack, &none, sizeof(none)) == 0;
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/* Copies length bytes to *end and moves it behind them. */
static void *put(char **end, const void *bytes, size_t length)
{
	char *start = *end;

	if (length)
		memcpy(start, bytes, length);
	*end += length;
	return start;
}

static const char *put_text(char **end, const char *text)
{
	return text ? put(end, text, strlen(text) + 1) : NULL;
}

_Static_assert(sizeof(struct model_settings) % _Alignof(struct cidr) == 0 &&
		       sizeof(struct cidr) % _Alignof(uint16_t) == 0,
	       "addresses and vlans stand behind the struct");

static const struct model_settings *settings_new(const struct model_settings *from)
{
	size_t allowed = from->allowed_count * sizeof(*from->allowed);
	size_t vlans = from->vlan_count * sizeof(*from->vlans);
	struct model_settings *settings;
	char *end;

	if (is_nothing(from))
		return &no_settings;
	settings = g_malloc(sizeof(*settings) + allowed + vlans + text_size(from->description) +
			    text_size(from->device) + text_size(from->host));
	*settings = *from;
	end = (char *)(settings + 1);
	settings->allowed = put(&end, from->allowed, allowed);
	settings->vlans = put(&end, from->vlans, vlans);
	settings->description = put_text(&end, from->description);
	settings->device = put_text(&end, from->device);
	settings->host = put_text(&end, from->host);
	return settings;
}

/* ------------------------------------------------------------------ interfaces */

/* What all of them share is given by the caller as references that the interface then owns. */
static struct model_interface *make(const struct model_interface_spec *spec, const char *network,
				    const struct model_groups *groups)
{
	size_t addresses = spec->address_count * sizeof(struct sg_addr);
	struct model_interface *iface = g_malloc(sizeof(*iface) + addresses + strlen(spec->id) + 1);
	char *end = (char *)iface->addresses;

	*iface = (struct model_interface){
		.network = network,
		.groups = groups,
		.settings = settings_new(&spec->settings),
		.place = spec->place,
		.attached = spec->attached,
		.address_count = spec->address_count,
	};
	put(&end, spec->addresses, addresses);
	iface->id = put_text(&end, spec->id);
	return iface;
}

struct model_interface *model_interface_new(const struct model_interface_spec *spec)
{
	return make(spec, g_ref_string_new_intern(spec->network),
		    model_groups_get(spec->groups, spec->group_count));
}

struct model_interface *model_interface_new_shared(const struct model_interface_spec *spec,
						   const struct model_network *network,
						   const struct model_groups *groups)
{
	return make(spec, g_ref_string_acquire((char *)(uintptr_t)network->name),
		    model_groups_ref(groups));
}

struct model_interface_spec model_interface_spec(const struct model_interface *iface)
{
	return (struct model_interface_spec){
		.id = iface->id,
		.network = iface->network,
		.groups = iface->groups->ids,
		.addresses = iface->addresses,
		.group_count = iface->groups->count,
		.address_count = iface->address_count,
		.attached = iface->attached,
		.place = iface->place,
		.settings = *iface->settings,
	};
}

struct model_interface *model_interface_copy(const struct model_interface *iface)
{
	const struct model_interface_spec spec = model_interface_spec(iface);

	return make(&spec, g_ref_string_acquire((char *)(uintptr_t)iface->network),
		    model_groups_ref(iface->groups));
}

void model_interface_free(struct model_interface *iface)
{
	if (!iface)
		return;
	model_groups_unref(iface->groups);
	g_ref_string_release((char *)(uintptr_t)iface->network);
	if (iface->settings != &no_settings)
		g_free((gpointer)(uintptr_t)iface->settings);
	g_free(iface);
}
