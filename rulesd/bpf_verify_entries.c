/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_verify_entries.c - members, prefixes and sets, as the kernel holds them, against the image.
 *
 * Members are walked twice: what the kernel holds, for what it should not, and what the image has,
 * for what is missing. Each part asks the other side as it is at that moment.
 */
#include "rulesd/bpf_verify.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "rulesd/addr.h"
#include "rulesd/cleanup.h"

#define MEMBERS_A_STEP 1024u /* interfaces of the image: about a millisecond */

static char *set_text(uint32_t set)
{
	if (!set)
		return g_strdup("nothing");
	if (set & SG_SET_SINGLE)
		return g_strdup_printf("peer %u", set & ~SG_SET_SINGLE);
	return g_strdup_printf("set %u", set);
}

/* "10.0.0.0/8", and the network where it is not the usual one. */
static char *object_text(const struct verification *v, const char *what, uint32_t zone,
			 const uint8_t addr[16], unsigned int bits)
{
	const char *network = image_zone_name(v->image, zone);
	char text[CIDR_TEXT_SIZE];
	struct cidr cidr;

	memcpy(cidr.addr.b, addr, sizeof(cidr.addr.b));
	cidr.bits = (uint8_t)(addr_is_v4(&cidr.addr) && bits >= 96 ? bits - 96 : bits);
	cidr_format(&cidr, text);
	if (!network)
		return g_strdup_printf("%s %s of zone %u", what, text, zone);
	return g_strdup_printf("%s %s%s%s", what, text, strcmp(network, "default") ? " of " : "",
			       strcmp(network, "default") ? network : "");
}

/* What a version says besides what holds now would come with the next generation. */
static bool is_unborn(const struct verification *v, const struct sg_version *version)
{
	return version->epoch > dataplane_generation(v->dataplane) &&
	       version->after != version->before && !v->dataplane->undo->len &&
	       !v->dataplane->undo_members;
}

/* ------------------------------------------------------------------ members */

static void member_differs(struct verification *v, const struct sg_member_key *key,
			   uint32_t expected, uint32_t found, bool unborn)
{
	char *object = object_text(v, "member", key->zone, key->addr.b, 128);
	char *seen = unborn ? g_strdup("a change to come") : set_text(found);
	char *error = NULL;

	if (!verify_differs(v, VERIFY_MEMBER, 0, object, set_text(expected), seen))
		return;
	v->revoke |= found != 0;
	verify_repaired(v, verify_write(v, TABLE_MEMBERS, key, expected, !expected, &error), error);
}

static uint32_t wanted_member(const struct verification *v, const struct sg_member_key *key)
{
	return held_set_of(v->dataplane, image_find_member(v->image, key->zone, &key->addr));
}

static bool check_held(const void *key, const void *value, void *arg)
{
	struct verification *v = arg;
	const struct sg_version *version = value;
	struct sg_member_key member;
	uint32_t expected, found = version_value(version, dataplane_generation(v->dataplane));
	bool unborn = is_unborn(v, version);

	memcpy(&member, key, sizeof(member));
	expected = wanted_member(v, &member);
	v->result.checked[VERIFY_MEMBER] += found != 0;
	if (expected != found || unborn)
		member_differs(v, &member, expected, found, unborn);
	return true;
}

bool verify_members_held(struct verification *v, int *code, char **error)
{
	return verify_walk(v, TABLE_MEMBERS, check_held, code, error);
}

static void check_wanted(const struct sg_member_key *key, uint32_t set, void *arg)
{
	struct verification *v = arg;
	struct sg_version version = {};
	uint32_t expected = held_set_of(v->dataplane, set);

	/* What holds something else has been told of by the other walk, or will be in the next
	 * verification. */
	if (table_lookup(v->dataplane, TABLE_MEMBERS, key, &version) != -ENOENT)
		return;
	/* Where one address is in two networks, what stands for it is not this one's set. */
	if (wanted_member(v, key) != expected)
		return;
	member_differs(v, key, expected, 0, false);
}

bool verify_members_wanted(struct verification *v, int *code, char **error)
{
	(void)code;
	(void)error;
	if (!v->members)
		v->members = image_member_walk_new(v->image);
	return image_member_walk_next(v->image, v->members, MEMBERS_A_STEP, check_wanted, v);
}

/* ------------------------------------------------------------------ what stands before members */

#define BUCKETS_A_STEP 8192u

static bool hint_differs(struct verification *v, uint64_t who, uint32_t set)
{
	struct sg_member_key key = {
		.addr.w = {0, 0, htonl(0xffff), (uint32_t)who},
		.zone = (uint32_t)(who >> 32),
	};
	uint32_t expected = wanted_member(v, &key);

	if (expected == set)
		return false;
	if (!verify_differs(v, VERIFY_MEMBER, 0,
			    object_text(v, "hint of member", key.zone, key.addr.b, 128),
			    set_text(expected), set_text(set)))
		return false;
	v->revoke = true;
	return true;
}

/* All of it is made anew when something is wrong: it is quickly filled again. */
bool verify_hints(struct verification *v, int *code, char **error)
{
	const struct sg_hints *hints = v->dataplane->hinting.at;
	uint32_t end = MIN(v->next + BUCKETS_A_STEP, SG_HINT_BUCKETS);

	(void)code;
	(void)error;
	for (; v->next < end; v->next++)
		for (unsigned int i = 0; i < SG_HINTS; i++) {
			uint32_t set = hints[v->next].set[i];

			if (!set || !hint_differs(v, hints[v->next].who[i], set))
				continue;
			hints_renew(v->dataplane);
			verify_repaired(v, 0, NULL);
			return false;
		}
	return v->next < SG_HINT_BUCKETS;
}

/* ------------------------------------------------------------------ prefixes */

#define PREFIX_TRIES 5u /* walks that a change came in between */

static bool take_prefix(const void *key, const void *value, void *arg)
{
	struct verification *v = arg;
	const struct sg_version *version = value;

	keyed_insert(v->keyed, key, version_value(version, dataplane_generation(v->dataplane)));
	return true;
}

static void prefix_differs(struct verification *v, const struct sg_prefix_key *key,
			   uint32_t expected, bool extra, const struct keyed_entry *found)
{
	char *object = object_text(v, "prefix", key->space >> 1, key->addr, key->prefixlen - 32);
	char *wanted = extra ? g_strdup("no entry") : set_text(expected);
	char *seen = found ? set_text(found->value) : g_strdup("no entry");
	char *error = NULL;

	if (!verify_differs(v, VERIFY_PREFIX, 0, object, wanted, seen))
		return;
	/* One that is missing lets what is around it stand for its addresses. */
	v->revoke = true;
	verify_repaired(v, verify_write(v, TABLE_PREFIXES, key, expected, extra, &error), error);
}

static void check_prefix(const struct sg_prefix_key *key, uint32_t set, void *arg)
{
	struct verification *v = arg;
	struct keyed_entry *entry = keyed_find(v->keyed, key);
	uint32_t expected = held_set_of(v->dataplane, set);

	v->result.checked[VERIFY_PREFIX]++;
	if (entry)
		entry->seen = true;
	if (!entry || entry->value != expected)
		prefix_differs(v, key, expected, false, entry);
}

static void check_other_prefixes(struct verification *v)
{
	struct keyed_entry *entry;
	uint32_t at = 0;

	while ((entry = keyed_next(v->keyed, &at)))
		if (!entry->seen && !verify_is_dead(v, TABLE_PREFIXES, entry->key))
			prefix_differs(v, (const void *)entry->key, 0, true, entry);
}

static void begin_prefixes(struct verification *v)
{
	keyed_free(&v->keyed);
	table_walk_free(&v->walk);
	v->keyed = keyed_new();
	v->at_begin = dataplane_generation(v->dataplane);
	v->buried_at_begin = v->dataplane->settling.buried;
}

/* A trie cannot be asked for one entry, so all of them are read first; when the policy changes
 * meanwhile, or what was dead is removed, again. */
bool verify_prefixes(struct verification *v, int *code, char **error)
{
	if (!v->keyed)
		begin_prefixes(v);
	if (verify_walk(v, TABLE_PREFIXES, take_prefix, code, error))
		return true;
	if (*code)
		return false;
	if (v->at_begin != dataplane_generation(v->dataplane) ||
	    v->buried_at_begin != v->dataplane->settling.buried) {
		begin_prefixes(v);
		if (++v->tries < PREFIX_TRIES)
			return true;
		/* It changes all the time: in one piece, then. */
		*code = table_each(&v->dataplane->table[TABLE_PREFIXES], take_prefix, v);
		if (*code) {
			bpf_fail(error, *code, "map %s: reading it back", SG_MAP_PREFIXES);
			return false;
		}
	}
	image_each_prefix(v->image, check_prefix, v);
	check_other_prefixes(v);
	return false;
}

/* ------------------------------------------------------------------ sets */

static char *peers_text(const uint32_t *peers, uint32_t count)
{
	GString *text = g_string_new("peers");

	for (uint32_t i = 0; i < MIN(count, SG_SET_PEERS); i++)
		g_string_append_printf(text, "%s %u", i ? "," : "", peers[i]);
	return g_string_free(text, FALSE);
}

static struct sg_set set_value(const struct held_set *held)
{
	struct sg_set value = {};
	gsize size = 0;
	gconstpointer peers = g_bytes_get_data(held->content, &size);

	value.count = (uint32_t)MIN(size / sizeof(uint32_t), SG_SET_PEERS);
	memcpy(value.peers, peers, value.count * sizeof(uint32_t));
	return value;
}

/* held NULL: nobody wants it; found NULL: it is not there. */
static void set_differs(struct verification *v, uint32_t number, const struct held_set *held,
			const struct sg_set *found)
{
	struct sg_set value = held ? set_value(held) : (struct sg_set){};
	char *wanted = held ? peers_text(value.peers, value.count) : g_strdup("nothing");
	char *seen = found ? peers_text(found->peers, found->count) : g_strdup("nothing");
	char *error = NULL;
	int code;

	if (!verify_differs(v, VERIFY_SET, 0, g_strdup_printf("set %u", number), wanted, seen))
		return;
	v->revoke |= held && found;
	if (held)
		code = table_update(v->dataplane, TABLE_SETS, &number, &value, BPF_ANY, &error);
	else
		code = table_delete(v->dataplane, TABLE_SETS, &number, &error);
	verify_repaired(v, code, error);
}

static bool check_set(const void *key, const void *value, void *arg)
{
	struct verification *v = arg;
	uint32_t number = *(const uint32_t *)key;
	const struct held_set *held = held_set_at(v->dataplane, number);
	struct sg_set expected = {};

	v->result.checked[VERIFY_SET]++;
	if (held)
		expected = set_value(held);
	if (!held || memcmp(&expected, value, sizeof(expected)) != 0)
		set_differs(v, number, held, value);
	return true;
}

static void find_missing_sets(struct verification *v)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, v->dataplane->sets);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct held_set *held = value;
		struct sg_set found;

		if (table_lookup(v->dataplane, TABLE_SETS, &held->number, &found) == -ENOENT)
			set_differs(v, held->number, held, NULL);
	}
}

bool verify_sets(struct verification *v, int *code, char **error)
{
	if (verify_walk(v, TABLE_SETS, check_set, code, error))
		return true;
	if (!*code)
		find_missing_sets(v);
	return false;
}
