/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image.c - containers of the compiled policy: making, filling, finding, freeing.
 */
#include "rulesd/image.h"

#include <string.h>

/* FNV-1a over words: keys are small, padded with zeros and multiples of four bytes. */
static guint hash_words(const void *key, size_t size)
{
	const unsigned char *bytes = key;
	guint64 hash = 0xcbf29ce484222325ull;

	for (size_t at = 0; at < size; at += sizeof(guint32)) {
		guint32 word;

		memcpy(&word, bytes + at, sizeof(word));
		hash = (hash ^ word) * 0x100000001b3ull;
		hash ^= hash >> 29;
	}
	return (guint)(hash ^ hash >> 32);
}

static guint member_hash(gconstpointer key)
{
	return hash_words(key, sizeof(struct sg_member_key));
}

static gboolean member_equal(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, sizeof(struct sg_member_key)) == 0;
}

static guint prefix_hash(gconstpointer key)
{
	return hash_words(key, sizeof(struct sg_prefix_key));
}

static gboolean prefix_equal(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, sizeof(struct sg_prefix_key)) == 0;
}

static void unref_bytes(gpointer bytes)
{
	g_bytes_unref(bytes);
}

static void free_ports(gpointer data)
{
	struct image_ports *ports = data;

	g_array_unref(ports->intervals);
	g_free(ports);
}

static void free_set(gpointer data)
{
	struct image_set *set = data;

	g_array_unref(set->peers);
	g_free(set);
}

static void free_iface(gpointer data)
{
	struct image_iface *iface = data;

	g_free(iface->id);
	g_free(iface->device);
	g_array_unref(iface->guards);
	g_array_unref(iface->vlans);
	g_free(iface);
}

static void free_policy(gpointer data)
{
	image_policy_free(data);
}

struct image_policy *image_policy_new(void)
{
	struct image_policy *policy = g_new0(struct image_policy, 1);

	policy->entries = g_ptr_array_new_with_free_func(free_ports);
	return policy;
}

void image_policy_free(struct image_policy *policy)
{
	g_ptr_array_unref(policy->entries);
	g_free(policy->content);
	g_free(policy);
}

struct image *image_new(void)
{
	struct image *image = g_new0(struct image, 1);

	image->policies =
		g_hash_table_new_full(g_bytes_hash, g_bytes_equal, unref_bytes, free_policy);
	image->sets = g_hash_table_new_full(g_bytes_hash, g_bytes_equal, unref_bytes, free_set);
	image->members = g_hash_table_new_full(member_hash, member_equal, g_free, NULL);
	image->prefixes = g_hash_table_new_full(prefix_hash, prefix_equal, g_free, NULL);
	image->ifaces = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_iface);
	image->rule_names = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	image->policies_by_number = g_hash_table_new(NULL, NULL);
	image->sets_by_number = g_hash_table_new(NULL, NULL);
	return image;
}

void image_free(struct image **image)
{
	if (!*image)
		return;
	g_hash_table_destroy((*image)->sets_by_number);
	g_hash_table_destroy((*image)->policies_by_number);
	g_hash_table_destroy((*image)->rule_names);
	g_hash_table_destroy((*image)->ifaces);
	g_hash_table_destroy((*image)->prefixes);
	g_hash_table_destroy((*image)->members);
	g_hash_table_destroy((*image)->sets);
	g_hash_table_destroy((*image)->policies);
	g_clear_pointer(image, g_free);
}

/* The key borrows the content, which lives as long as the policy that it leads to. */
void image_add_policy(struct image *image, struct image_policy *policy)
{
	g_hash_table_insert(image->policies,
			    g_bytes_new_static(policy->content, policy->content_length), policy);
	g_hash_table_insert(image->policies_by_number, GUINT_TO_POINTER(policy->number), policy);
}

void image_add_set(struct image *image, struct image_set *set)
{
	g_hash_table_insert(
		image->sets,
		g_bytes_new_static(set->peers->data, set->peers->len * sizeof(uint32_t)), set);
	g_hash_table_insert(image->sets_by_number, GUINT_TO_POINTER(set->number), set);
}

void image_add_member(struct image *image, uint32_t zone, const struct sg_addr *addr, uint32_t set)
{
	struct sg_member_key *key = g_new0(struct sg_member_key, 1);

	key->addr = *addr;
	key->zone = zone;
	g_hash_table_insert(image->members, key, GUINT_TO_POINTER(set));
}

void image_add_prefix(struct image *image, uint32_t zone, const struct cidr *cidr, uint32_t set)
{
	struct sg_prefix_key *key = g_new0(struct sg_prefix_key, 1);
	unsigned int bits = cidr_mapped_bits(cidr);

	key->prefixlen = 32 + bits;
	key->space = SG_SPACE(zone, !addr_is_v4(&cidr->addr));
	memcpy(key->addr, cidr->addr.b, sizeof(key->addr));
	g_hash_table_insert(image->prefixes, key, GUINT_TO_POINTER(set));
	image->prefix_lengths[bits / 64] |= 1ull << bits % 64;
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

uint32_t image_find_member(const struct image *image, uint32_t zone, const struct sg_addr *addr)
{
	struct sg_member_key key = {.addr = *addr, .zone = zone};

	return GPOINTER_TO_UINT(g_hash_table_lookup(image->members, &key));
}

static void mask_address(unsigned char addr[16], unsigned int bits)
{
	unsigned int whole = bits / 8;

	if (bits % 8)
		addr[whole++] &= (unsigned char)(0xff00 >> bits % 8);
	memset(addr + whole, 0, 16 - whole);
}

/* The longest match, as the trie finds it: one exact lookup for each length that exists. */
uint32_t image_find_prefix(const struct image *image, uint32_t zone, const struct sg_addr *addr)
{
	bool is_v4 = addr_is_v4(addr);
	int shortest = is_v4 ? 96 : 0;
	struct sg_prefix_key key = {.space = SG_SPACE(zone, !is_v4)};

	memcpy(key.addr, addr->b, sizeof(key.addr));
	for (int bits = 128; bits >= shortest; bits--) {
		gpointer set;

		if (!(image->prefix_lengths[bits / 64] >> bits % 64 & 1))
			continue;
		mask_address(key.addr, (unsigned int)bits);
		key.prefixlen = 32 + (unsigned int)bits;
		set = g_hash_table_lookup(image->prefixes, &key);
		if (set)
			return GPOINTER_TO_UINT(set);
	}
	return 0;
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
	guint low = 0, high = policy->entries->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;
		const struct image_ports *ports = g_ptr_array_index(policy->entries, middle);
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
