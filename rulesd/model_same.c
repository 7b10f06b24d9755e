/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_same.c - whether two objects mean the same, and whether their texts are the same too.
 */
#include "rulesd/model_same.h"

#include <string.h>

typedef bool same_element(gconstpointer a, gconstpointer b);

static bool same_pointers(const GPtrArray *a, const GPtrArray *b, same_element *same)
{
	if (a->len != b->len)
		return false;
	for (guint i = 0; i < a->len; i++)
		if (!same(a->pdata[i], b->pdata[i]))
			return false;
	return true;
}

/* NULL is as good as empty; elements are structs without padding. */
static bool same_ports(const GArray *a, const GArray *b)
{
	guint x = a ? a->len : 0, y = b ? b->len : 0;

	return x == y && (x == 0 || memcmp(a->data, b->data, x * sizeof(struct model_ports)) == 0);
}

static bool same_cidrs(const struct cidr *a, const struct cidr *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (cidr_compare(&a[i], &b[i]) != 0)
			return false;
	return true;
}

static bool same_conntrack(const struct model_conntrack *a, const struct model_conntrack *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* ------------------------------------------------------------------ rules */

static bool same_match(gconstpointer a, gconstpointer b)
{
	const struct model_match *x = a, *y = b;

	return x->protocol == y->protocol && x->icmp_type == y->icmp_type &&
	       x->icmp_code == y->icmp_code && same_ports(x->ports, y->ports);
}

static bool peer_means_same(gconstpointer a, gconstpointer b)
{
	const struct model_peer *x = a, *y = b;

	if (x->kind != y->kind)
		return false;
	if (x->kind == MODEL_PEER_CIDR)
		return cidr_compare(&x->cidr, &y->cidr) == 0;
	return g_strcmp0(x->network, y->network) == 0 && g_strcmp0(x->id, y->id) == 0;
}

static bool same_peer_texts(gconstpointer a, gconstpointer b)
{
	const struct model_peer *x = a, *y = b;

	return g_strcmp0(x->peer_id, y->peer_id) == 0 &&
	       g_strcmp0(x->description, y->description) == 0;
}

static bool rule_means_same(gconstpointer a, gconstpointer b)
{
	const struct model_rule *x = a, *y = b;

	/* Counters and flows are shown by the id. */
	return g_strcmp0(x->id, y->id) == 0 && same_pointers(x->matches, y->matches, same_match) &&
	       same_pointers(x->peers, y->peers, peer_means_same);
}

static bool same_rule_texts(gconstpointer a, gconstpointer b)
{
	const struct model_rule *x = a, *y = b;

	return x->derived == y->derived && x->implied == y->implied &&
	       g_strcmp0(x->service, y->service) == 0 &&
	       g_strcmp0(x->description, y->description) == 0 &&
	       same_pointers(x->peers, y->peers, same_peer_texts);
}

/* ------------------------------------------------------------------ objects */

bool model_group_means_same(const struct model_group *a, const struct model_group *b)
{
	if (a->external != b->external)
		return false;
	for (int dir = 0; dir < SG_DIRS; dir++)
		if (!same_pointers(a->rules[dir], b->rules[dir], rule_means_same))
			return false;
	return true;
}

static bool same_group_texts(const struct model_group *a, const struct model_group *b)
{
	if (a->implied != b->implied || a->remarks != b->remarks ||
	    g_strcmp0(a->description, b->description) != 0)
		return false;
	for (int dir = 0; dir < SG_DIRS; dir++)
		if (!same_pointers(a->rules[dir], b->rules[dir], same_rule_texts))
			return false;
	return true;
}

bool model_prefix_list_means_same(const struct model_prefix_list *a,
				  const struct model_prefix_list *b)
{
	return a->external == b->external && a->entries->len == b->entries->len &&
	       same_cidrs((const struct cidr *)(const void *)a->entries->data,
			  (const struct cidr *)(const void *)b->entries->data, a->entries->len);
}

bool model_interface_means_same(const struct model_interface *a, const struct model_interface *b)
{
	const struct model_settings *x = a->settings, *y = b->settings;

	if (strcmp(a->id, b->id) != 0 || strcmp(a->network, b->network) != 0 ||
	    a->groups != b->groups || a->attached != b->attached ||
	    a->address_count != b->address_count ||
	    memcmp(a->addresses, b->addresses, a->address_count * sizeof(struct sg_addr)) != 0)
		return false;
	if (x == y)
		return true;
	return g_strcmp0(x->device, y->device) == 0 && g_strcmp0(x->host, y->host) == 0 &&
	       x->has_mac == y->has_mac && memcmp(x->mac, y->mac, sizeof(x->mac)) == 0 &&
	       x->spoof_guard == y->spoof_guard && x->hook == y->hook &&
	       same_conntrack(&x->conntrack, &y->conntrack) &&
	       x->allowed_count == y->allowed_count &&
	       same_cidrs(x->allowed, y->allowed, x->allowed_count) &&
	       x->vlan_count == y->vlan_count &&
	       (!x->vlan_count ||
		memcmp(x->vlans, y->vlans, x->vlan_count * sizeof(*x->vlans)) == 0);
}

static bool same_interface_texts(const struct model_interface *a, const struct model_interface *b)
{
	return a->settings->remarks == b->settings->remarks &&
	       g_strcmp0(a->settings->description, b->settings->description) == 0;
}

static bool same_exempt(gconstpointer a, gconstpointer b)
{
	const struct model_exempt *x = a, *y = b;

	return addr_equal(&x->address, &y->address) && x->protocol == y->protocol &&
	       same_ports(x->ports, y->ports);
}

static bool same_name(gconstpointer a, gconstpointer b)
{
	return strcmp(a, b) == 0;
}

bool model_network_means_same(const struct model_network *a, const struct model_network *b)
{
	return same_conntrack(&a->conntrack, &b->conntrack) &&
	       same_pointers(a->exempt, b->exempt, same_exempt) &&
	       same_pointers(a->peers, b->peers, same_name);
}

static bool service_means_same(const struct model_service *a, const struct model_service *b)
{
	return same_pointers(a->matches, b->matches, same_match);
}

/* ------------------------------------------------------------------ of any kind */

bool model_object_means_same(enum model_kind kind, union model_object a, union model_object b)
{
	switch (kind) {
	case MODEL_KIND_SERVICE:
		return service_means_same(a.service, b.service);
	case MODEL_KIND_NETWORK:
		return model_network_means_same(a.network, b.network);
	case MODEL_KIND_PREFIX_LIST:
		return model_prefix_list_means_same(a.list, b.list);
	case MODEL_KIND_GROUP:
		return model_group_means_same(a.group, b.group);
	case MODEL_KIND_INTERFACE:
		return model_interface_means_same(a.iface, b.iface);
	}
	return false;
}

bool model_object_texts_same(enum model_kind kind, union model_object a, union model_object b)
{
	switch (kind) {
	case MODEL_KIND_SERVICE:
		return a.service->remarks == b.service->remarks;
	case MODEL_KIND_NETWORK:
		return a.network->remarks == b.network->remarks &&
		       g_strcmp0(a.network->description, b.network->description) == 0;
	case MODEL_KIND_PREFIX_LIST:
		return a.list->remarks == b.list->remarks &&
		       g_strcmp0(a.list->description, b.list->description) == 0;
	case MODEL_KIND_GROUP:
		return same_group_texts(a.group, b.group);
	case MODEL_KIND_INTERFACE:
		return same_interface_texts(a.iface, b.iface);
	}
	return false;
}
