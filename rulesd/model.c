/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model.c - the objects of a policy but interfaces: making, freeing and finding them.
 */
#include "rulesd/model.h"

#include "rulesd/names.h"

static void free_group(gpointer group)
{
	model_group_free(group);
}

static void free_rule(gpointer rule)
{
	model_rule_free(rule);
}

static void free_match(gpointer match)
{
	model_match_free(match);
}

static void free_peer(gpointer peer)
{
	model_peer_free(peer);
}

static void free_prefix_list(gpointer list)
{
	model_prefix_list_free(list);
}

static void free_interface(gpointer iface)
{
	model_interface_free(iface);
}

static void free_service(gpointer service)
{
	model_service_free(service);
}

static void free_network(gpointer network)
{
	model_network_free(network);
}

static void free_exempt(gpointer data)
{
	struct model_exempt *exempt = data;

	if (exempt->ports)
		g_array_unref(exempt->ports);
	g_free(exempt);
}

/* The value owns the key. */
static GHashTable *table_by_id(GDestroyNotify free_value)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_value);
}

void model_add_network(struct model *model, struct model_network *network)
{
	g_hash_table_insert(model->networks, (gpointer)(uintptr_t)network->name, network);
}

void model_remove_network(struct model *model, struct model_network *network)
{
	g_hash_table_steal(model->networks, network->name);
}

struct model *model_new(void)
{
	struct model *model = g_new0(struct model, 1);
	struct model_network *network = model_network_new(MODEL_DEFAULT_NETWORK);
	struct model_group *group = model_default_group_new(MODEL_DEFAULT_NETWORK);

	model->networks = table_by_id(free_network);
	model->services = table_by_id(free_service);
	model->devices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	model->hosts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_hash_table_insert(network->groups, group->id, group);
	model_add_network(model, network);
	return model;
}

void model_free(struct model **model)
{
	if (!*model)
		return;
	g_hash_table_unref((*model)->networks);
	g_hash_table_unref((*model)->services);
	g_hash_table_unref((*model)->devices);
	g_hash_table_unref((*model)->hosts);
	hash_index_free(&(*model)->by_id);
	hash_index_free(&(*model)->by_device);
	g_free(*model);
	*model = NULL;
}

struct model_network *model_network(const struct model *model, const char *name)
{
	return g_hash_table_lookup(model->networks, name);
}

struct model_group *model_group(const struct model *model, const char *network, const char *id)
{
	const struct model_network *found = model_network(model, network);

	return found ? g_hash_table_lookup(found->groups, id) : NULL;
}

struct model_prefix_list *model_prefix_list(const struct model *model, const char *network,
					    const char *id)
{
	const struct model_network *found = model_network(model, network);

	return found ? g_hash_table_lookup(found->prefix_lists, id) : NULL;
}

struct model_network *model_network_new(const char *name)
{
	struct model_network *network = g_new0(struct model_network, 1);

	network->name = g_ref_string_new_intern(name);
	network->groups = table_by_id(free_group);
	network->prefix_lists = table_by_id(free_prefix_list);
	network->interfaces = g_ptr_array_new_with_free_func(free_interface);
	network->carried = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	network->exempt = g_ptr_array_new_with_free_func(free_exempt);
	network->peers = g_ptr_array_new_with_free_func(g_free);
	return network;
}

void model_network_free(struct model_network *network)
{
	if (!network)
		return;
	g_hash_table_unref(network->groups);
	g_hash_table_unref(network->prefix_lists);
	g_ptr_array_unref(network->interfaces);
	g_hash_table_unref(network->carried);
	hash_index_free(&network->by_address);
	g_ptr_array_unref(network->exempt);
	g_ptr_array_unref(network->peers);
	g_ref_string_release((char *)(uintptr_t)network->name);
	g_free(network->description);
	g_free(network);
}

struct model_network *model_network_ensure(struct model *model, const char *name)
{
	struct model_network *network = model_network(model, name);

	if (network)
		return network;
	network = model_network_new(name);
	model_add_network(model, network);
	return network;
}

#define SWAP(a, b)                      \
	do {                            \
		typeof(a) _swapped = a; \
		a = b;                  \
		b = _swapped;           \
	} while (0)

void model_swap_settings(struct model_network *a, struct model_network *b)
{
	SWAP(a->description, b->description);
	SWAP(a->exempt, b->exempt);
	SWAP(a->peers, b->peers);
	SWAP(a->conntrack, b->conntrack);
	SWAP(a->remarks, b->remarks);
	SWAP(a->place, b->place);
}

struct model_service *model_service_new(const char *name)
{
	struct model_service *service = g_new0(struct model_service, 1);

	service->name = g_strdup(name);
	service->matches = g_ptr_array_new_with_free_func(free_match);
	return service;
}

void model_service_free(struct model_service *service)
{
	if (!service)
		return;
	g_ptr_array_unref(service->matches);
	g_free(service->name);
	g_free(service);
}

struct model_group *model_group_new(const char *network, const char *id)
{
	struct model_group *group = g_new0(struct model_group, 1);

	group->id = g_strdup(id);
	group->network = g_strdup(network);
	for (int dir = 0; dir < SG_DIRS; dir++)
		group->rules[dir] = g_ptr_array_new_with_free_func(free_rule);
	return group;
}

void model_group_free(struct model_group *group)
{
	if (!group)
		return;
	for (int dir = 0; dir < SG_DIRS; dir++)
		g_ptr_array_unref(group->rules[dir]);
	g_free(group->id);
	g_free(group->network);
	g_free(group->description);
	g_free(group);
}

static struct model_peer *copy_peer(const struct model_peer *peer)
{
	struct model_peer *copy = g_memdup2(peer, sizeof(*peer));

	copy->network = g_strdup(peer->network);
	copy->id = g_strdup(peer->id);
	copy->peer_id = g_strdup(peer->peer_id);
	copy->description = g_strdup(peer->description);
	return copy;
}

static struct model_rule *copy_rule(const struct model_rule *rule)
{
	struct model_rule *copy = model_rule_new(rule->direction);

	copy->id = g_strdup(rule->id);
	copy->derived = rule->derived;
	copy->implied = rule->implied;
	copy->service = g_strdup(rule->service);
	copy->description = g_strdup(rule->description);
	copy->place = rule->place;
	for (guint i = 0; i < rule->matches->len; i++)
		g_ptr_array_add(copy->matches, model_match_copy(rule->matches->pdata[i]));
	for (guint i = 0; i < rule->peers->len; i++)
		g_ptr_array_add(copy->peers, copy_peer(rule->peers->pdata[i]));
	return copy;
}

struct model_group *model_group_copy(const struct model_group *group)
{
	struct model_group *copy = model_group_new(group->network, group->id);

	copy->description = g_strdup(group->description);
	copy->external = group->external;
	copy->implied = group->implied;
	copy->remarks = group->remarks;
	copy->place = group->place;
	for (int dir = 0; dir < SG_DIRS; dir++)
		for (guint i = 0; i < group->rules[dir]->len; i++)
			g_ptr_array_add(copy->rules[dir], copy_rule(group->rules[dir]->pdata[i]));
	return copy;
}

struct model_rule *model_rule_new(enum sg_dir direction)
{
	struct model_rule *rule = g_new0(struct model_rule, 1);

	rule->direction = direction;
	rule->matches = g_ptr_array_new_with_free_func(free_match);
	rule->peers = g_ptr_array_new_with_free_func(free_peer);
	return rule;
}

void model_rule_free(struct model_rule *rule)
{
	if (!rule)
		return;
	g_ptr_array_unref(rule->matches);
	g_ptr_array_unref(rule->peers);
	g_free(rule->id);
	g_free(rule->service);
	g_free(rule->description);
	g_free(rule);
}

struct model_match *model_match_new(uint16_t protocol)
{
	struct model_match *match = g_new0(struct model_match, 1);

	match->protocol = protocol;
	match->icmp_type = -1;
	match->icmp_code = -1;
	if (protocol_has_ports(protocol))
		match->ports = g_array_new(FALSE, FALSE, sizeof(struct model_ports));
	return match;
}

struct model_match *model_match_copy(const struct model_match *match)
{
	struct model_match *copy = g_memdup2(match, sizeof(*match));

	if (match->ports)
		copy->ports = g_array_copy(match->ports);
	return copy;
}

void model_match_free(struct model_match *match)
{
	if (!match)
		return;
	if (match->ports)
		g_array_unref(match->ports);
	g_free(match);
}

struct model_peer *model_peer_new(enum model_peer_kind kind)
{
	struct model_peer *peer = g_new0(struct model_peer, 1);

	peer->kind = kind;
	return peer;
}

void model_peer_free(struct model_peer *peer)
{
	if (!peer)
		return;
	g_free(peer->network);
	g_free(peer->id);
	g_free(peer->peer_id);
	g_free(peer->description);
	g_free(peer);
}

struct model_prefix_list *model_prefix_list_new(const char *network, const char *id)
{
	struct model_prefix_list *list = g_new0(struct model_prefix_list, 1);

	list->id = g_strdup(id);
	list->network = g_strdup(network);
	list->entries = g_array_new(FALSE, FALSE, sizeof(struct cidr));
	return list;
}

void model_prefix_list_free(struct model_prefix_list *list)
{
	if (!list)
		return;
	g_array_unref(list->entries);
	g_free(list->id);
	g_free(list->network);
	g_free(list->description);
	g_free(list);
}

static uint32_t first_given(uint32_t own, uint32_t network, uint32_t built_in)
{
	return own ? own : network ? network : built_in;
}

struct model_conntrack model_effective_conntrack(const struct model *model,
						 const struct model_interface *iface)
{
	const struct model_network *network = model_network(model, iface->network);
	const struct model_conntrack none = {0};
	const struct model_conntrack *own = &iface->settings->conntrack;
	const struct model_conntrack *net = network ? &network->conntrack : &none;

	return (struct model_conntrack){
		.max_flows = first_given(own->max_flows, net->max_flows, MODEL_DEFAULT_MAX_FLOWS),
		.tcp_established = first_given(own->tcp_established, net->tcp_established,
					       MODEL_DEFAULT_TCP_ESTABLISHED),
		.udp = first_given(own->udp, net->udp, MODEL_DEFAULT_UDP),
		.udp_stream =
			first_given(own->udp_stream, net->udp_stream, MODEL_DEFAULT_UDP_STREAM),
		.icmp = first_given(own->icmp, net->icmp, MODEL_DEFAULT_ICMP),
		.other = first_given(own->other, net->other, MODEL_DEFAULT_OTHER),
	};
}
