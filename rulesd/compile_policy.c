/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile_policy.c - a list of groups to sorted, disjoint port intervals by direction, peer and
 * protocol.
 */
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile_parts.h"

struct builder {
	struct compile *compile;
	const struct model_network *network;
	struct image_policy *policy;
	GHashTable *by_key; /* struct sg_policy_key -> struct image_ports, owned by policy */
};

static guint key_hash(gconstpointer data)
{
	const struct sg_policy_key *key = data;

	return (key->peer * 2 + key->dir) * 0x9e3779b1u ^ key->proto;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, sizeof(struct sg_policy_key)) == 0;
}

/* The first interval that does not end before port. */
static guint interval_at(const GArray *intervals, unsigned int port)
{
	guint low = 0, high = intervals->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;

		if (g_array_index(intervals, struct sg_interval, middle).last < port)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Adds [first, last] where nothing is yet: what was added before owns the overlap. */
static void add_interval(GArray *intervals, unsigned int first, unsigned int last, uint32_t rule)
{
	guint at = interval_at(intervals, first);

	while (first <= last) {
		const struct sg_interval *next =
			at < intervals->len ? &g_array_index(intervals, struct sg_interval, at)
					    : NULL;
		unsigned int next_first = next ? next->first : last + 1;
		unsigned int next_last = next ? next->last : last;

		if (first < next_first) {
			struct sg_interval gap = {.first = (uint16_t)first,
						  .last = (uint16_t)(MIN(last + 1, next_first) - 1),
						  .rule = rule};

			g_array_insert_val(intervals, at, gap);
			at++;
		}
		first = next_last + 1;
		at++;
	}
}

static void merge_intervals(GArray *intervals)
{
	guint kept = 0;

	for (guint i = 1; i < intervals->len; i++) {
		struct sg_interval *last = &g_array_index(intervals, struct sg_interval, kept);
		const struct sg_interval *next = &g_array_index(intervals, struct sg_interval, i);

		if (next->rule == last->rule && next->first == last->last + 1)
			last->last = next->last;
		else
			g_array_index(intervals, struct sg_interval, ++kept) = *next;
	}
	g_array_set_size(intervals, kept + 1);
}

/* dir is an enum sg_dir or SG_DIR_EXEMPT. */
static void add(struct builder *builder, unsigned int dir, uint32_t peer, uint16_t proto,
		unsigned int first, unsigned int last, uint32_t rule)
{
	struct sg_policy_key key = {.peer = peer, .proto = proto, .dir = (uint8_t)dir};
	struct image_ports *ports = g_hash_table_lookup(builder->by_key, &key);

	if (!ports) {
		ports = g_new0(struct image_ports, 1);
		ports->key = key;
		ports->intervals = g_array_new(FALSE, FALSE, sizeof(struct sg_interval));
		g_ptr_array_add(builder->policy->entries, ports);
		g_hash_table_insert(builder->by_key, &ports->key, ports);
	}
	add_interval(ports->intervals, first, last, rule);
}

static void add_ports(struct builder *builder, unsigned int dir, uint32_t peer, uint16_t proto,
		      const GArray *ports, uint32_t rule)
{
	if (!ports || !ports->len)
		add(builder, dir, peer, proto, 0, 65535, rule);
	for (guint i = 0; ports && i < ports->len; i++) {
		const struct model_ports *range = &g_array_index(ports, struct model_ports, i);

		add(builder, dir, peer, proto, range->first, range->last, rule);
	}
}

static void add_match(struct builder *builder, enum sg_dir dir, uint32_t peer,
		      const struct model_match *match, uint32_t rule)
{
	bool icmp = match->protocol == 1 || match->protocol == 58;

	if (icmp && match->icmp_type >= 0) {
		unsigned int type = (unsigned int)match->icmp_type << 8;

		if (match->icmp_code >= 0)
			add(builder, dir, peer, match->protocol,
			    type | (unsigned int)match->icmp_code,
			    type | (unsigned int)match->icmp_code, rule);
		else
			add(builder, dir, peer, match->protocol, type, type | 0xff, rule);
		return;
	}
	add_ports(builder, dir, peer, match->protocol, icmp ? NULL : match->ports, rule);
}

static void add_rule(struct builder *builder, const struct model_group *group,
		     const struct model_rule *rule)
{
	struct compile *compile = builder->compile;
	g_autofree char *name = compile_rule_name(group, rule);
	uint32_t number = numbers_get(compile->numbers, NUMBER_RULE, name);

	if (!number) {
		compile_exhausted(compile, "rule", name);
		return;
	}
	if (!image_rule_name(compile->image, number))
		g_hash_table_insert(compile->image->rule_names, GUINT_TO_POINTER(number),
				    g_strdup_printf("%s/%s", group->id, rule->id));
	for (guint i = 0; i < rule->peers->len; i++) {
		const struct model_peer *named = g_ptr_array_index(rule->peers, i);
		uint32_t peer = compile_peer(compile, builder->network, named);
		uint8_t bit = named->kind == MODEL_PEER_ANY	? SG_HAS_ANY
			      : named->kind == MODEL_PEER_GROUP ? SG_HAS_GROUP
								: SG_HAS_PREFIX;

		if (!peer)
			continue;
		builder->policy->has[rule->direction] |= bit;
		for (guint j = 0; j < rule->matches->len; j++) {
			const struct model_match *match = g_ptr_array_index(rule->matches, j);

			if (match->protocol == SG_PROTO_ALL)
				builder->policy->has[rule->direction] |= SG_HAS_ALL;
			add_match(builder, rule->direction, peer, match, number);
		}
	}
}

static void add_exempt(struct builder *builder, const struct model_exempt *exempt)
{
	struct compile *compile = builder->compile;
	struct cidr host = {.addr = exempt->address,
			    .bits = addr_is_v4(&exempt->address) ? 32 : 128};
	g_autofree char *name = compile_exempt_name(builder->network, exempt);
	uint32_t number = numbers_get(compile->numbers, NUMBER_EXEMPT, name);
	uint32_t peer = compile_cidr_peer(compile, builder->network, &host);

	if (!number)
		compile_exhausted(compile, "exempt endpoint", name);
	if (!number || !peer)
		return;
	builder->policy->has[SG_EGRESS] |= SG_HAS_EXEMPT;
	if (exempt->protocol == SG_PROTO_ALL)
		builder->policy->has[SG_EGRESS] |= SG_HAS_ALL;
	add_ports(builder, SG_DIR_EXEMPT, peer, exempt->protocol, exempt->ports, number);
}

static int compare_entries(gconstpointer a, gconstpointer b)
{
	const struct image_ports *const *left = a;
	const struct image_ports *const *right = b;

	return image_ports_compare(&(*left)->key, &(*right)->key);
}

/*
 * Canonical bytes: for each entry in order its key (with policy 0), the number of its intervals,
 * and them. Numbers of peers and rules are never reused, so equal bytes mean the same rules.
 */
static void set_content(struct image_policy *policy)
{
	GByteArray *content = g_byte_array_new();
	gsize length = 0;

	for (guint i = 0; i < policy->entries->len; i++) {
		const struct image_ports *ports = g_ptr_array_index(policy->entries, i);

		g_byte_array_append(content, (const guint8 *)&ports->key, sizeof(ports->key));
		g_byte_array_append(content, (const guint8 *)&ports->intervals->len,
				    sizeof(ports->intervals->len));
		g_byte_array_append(content, (const guint8 *)ports->intervals->data,
				    ports->intervals->len * (guint)sizeof(struct sg_interval));
	}
	policy->content = (char *)g_byte_array_steal(content, &length);
	policy->content_length = length;
	g_byte_array_unref(content);
}

/* The number that the same content has already, in this image or in the previous one. */
static struct image_policy *find_policy(const struct image *image,
					const struct image_policy *policy)
{
	g_autoptr(GBytes) content = g_bytes_new_static(policy->content, policy->content_length);

	return image ? g_hash_table_lookup(image->policies, content) : NULL;
}

static struct image_policy *publish(struct compile *compile, struct image_policy *policy)
{
	const struct image_policy *before = find_policy(compile->previous, policy);
	struct image_policy *same = find_policy(compile->image, policy);

	if (same) {
		image_policy_free(policy);
		return same;
	}
	policy->number = before ? before->number : numbers_next_policy(compile->numbers);
	if (!policy->number) {
		compile_exhausted(compile, "policy", "of an interface");
		image_policy_free(policy);
		return NULL;
	}
	for (guint i = 0; i < policy->entries->len; i++) {
		struct image_ports *ports = g_ptr_array_index(policy->entries, i);

		ports->key.policy = policy->number;
	}
	image_add_policy(compile->image, policy);
	return policy;
}

static struct image_policy *build(struct compile *compile, const struct model_network *network,
				  const struct model_groups *groups)
{
	struct builder builder = {
		.compile = compile,
		.network = network,
		.policy = image_policy_new(),
		.by_key = g_hash_table_new(key_hash, key_equal),
	};

	for (guint i = 0; i < network->exempt->len; i++)
		add_exempt(&builder, g_ptr_array_index(network->exempt, i));
	for (uint32_t i = 0; i < groups->count; i++) {
		const struct model_group *group =
			g_hash_table_lookup(network->groups, groups->ids[i]);

		if (!group || group->external)
			continue;
		for (int dir = 0; dir < SG_DIRS; dir++)
			for (guint j = 0; j < group->rules[dir]->len; j++)
				add_rule(&builder, group, g_ptr_array_index(group->rules[dir], j));
	}
	g_hash_table_destroy(builder.by_key);
	g_ptr_array_sort(builder.policy->entries, compare_entries);
	for (guint i = 0; i < builder.policy->entries->len; i++)
		merge_intervals(
			((struct image_ports *)g_ptr_array_index(builder.policy->entries, i))
				->intervals);
	set_content(builder.policy);
	return publish(compile, builder.policy);
}

struct image_policy *compile_policy(struct compile *compile, const struct model_network *network,
				    const struct model_groups *groups)
{
	GString *key = g_string_new(network->name);
	struct image_policy *policy;

	for (uint32_t i = 0; i < groups->count; i++)
		g_string_append_printf(key, " %s", groups->ids[i]);
	policy = g_hash_table_lookup(compile->policies, key->str);
	if (policy) {
		g_string_free(key, TRUE);
		return policy;
	}
	policy = build(compile, network, groups);
	g_hash_table_insert(compile->policies, g_string_free(key, FALSE), policy);
	return policy;
}
