/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aws_files.c - see aws_files.h. */
#include "tests/lib/aws_files.h"

#include <arpa/inet.h>
#include <string.h>

#include "tests/lib/check.h"

#define ROOT	"tests/data/aws"
#define PEERING "tests/data/import/aws-two-vpcs.json"

static void collect(const char *directory, GPtrArray *files)
{
	g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(directory, name, NULL);

		if (g_file_test(path, G_FILE_TEST_IS_DIR))
			collect(path, files);
		else if (g_str_has_suffix(name, ".json"))
			g_ptr_array_add(files, g_steal_pointer(&path));
	}
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *aws_files(void)
{
	GPtrArray *files = g_ptr_array_new_with_free_func(g_free);

	collect(ROOT, files);
	g_ptr_array_add(files, g_strdup(PEERING));
	g_ptr_array_sort(files, by_name);
	if (!files->len)
		fail_msg("no files under " ROOT);
	return files;
}

static struct load_source *source(const char *name, char *text, size_t length)
{
	struct load_source *made = g_new0(struct load_source, 1);

	made->name = g_strdup(name);
	made->text = text;
	made->length = length;
	return made;
}

struct load_source *aws_source_of_file(const char *path)
{
	char *text = NULL;
	gsize length = 0;

	if (!g_file_get_contents(path, &text, &length, NULL))
		fail_msg("cannot read %s", path);
	return source(path, text, length);
}

struct load_source *aws_source_of(const json_t *document)
{
	char *dumped = json_dumps(document, JSON_COMPACT);
	char *text = g_strdup(dumped);
	size_t length = strlen(text);

	free(dumped);
	return source("document", text, length);
}

/* ------------------------------------------------------------------ numbers and CIDRs */

int aws_protocol(const json_t *permission)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {{"tcp", 6}, {"udp", 17}, {"icmp", 1}, {"icmpv6", 58}};
	const json_t *value = json_object_get(permission, "IpProtocol");
	const char *text = json_string_value(value);

	for (guint i = 0; text && i < G_N_ELEMENTS(names); i++)
		if (!strcmp(text, names[i].name))
			return names[i].number;
	if (text)
		return (int)g_ascii_strtoll(text, NULL, 10);
	return json_is_integer(value) ? (int)json_integer_value(value) : -2;
}

int aws_number(const json_t *permission, const char *key)
{
	const json_t *value = json_object_get(permission, key);

	return json_is_integer(value) ? (int)json_integer_value(value) : -1;
}

bool aws_parse_cidr(const char *text, struct in6_addr *address, unsigned int *bits, bool *v6)
{
	g_auto(GStrv) parts = g_strsplit(text, "/", 2);

	memset(address, 0, sizeof(*address));
	*v6 = strchr(text, ':') != NULL;
	*bits = parts[1] ? (unsigned int)g_ascii_strtoull(parts[1], NULL, 10) : *v6 ? 128 : 32;
	return inet_pton(*v6 ? AF_INET6 : AF_INET, parts[0], address) == 1;
}

static bool covers(const char *cidr, const struct aws_packet *packet)
{
	struct in6_addr address;
	unsigned int bits;
	bool v6;

	if (!cidr || !aws_parse_cidr(cidr, &address, &bits, &v6) || v6 != packet->v6)
		return false;
	for (unsigned int i = 0; i < bits; i++)
		if ((address.s6_addr[i / 8] ^ packet->remote.s6_addr[i / 8]) & (0x80 >> i % 8))
			return false;
	return true;
}

static char *canonical(const char *cidr)
{
	struct in6_addr address;
	char text[INET6_ADDRSTRLEN];
	unsigned int bits, i;
	bool v6;

	if (!aws_parse_cidr(cidr, &address, &bits, &v6))
		return g_strdup(cidr);
	for (i = bits; i < (v6 ? 128u : 32u); i++)
		address.s6_addr[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	inet_ntop(v6 ? AF_INET6 : AF_INET, &address, text, sizeof(text));
	return g_strdup_printf("%s/%u", text, bits);
}

/* ------------------------------------------------------------------ permissions as a set */

static void add(GHashTable *set, const char *base, const json_t *peer, const char *peer_text)
{
	static const char *const more[] = {"Description", "UserId", "VpcId",
					   "VpcPeeringConnectionId", "PeeringStatus"};
	GString *text = g_string_new(base);

	g_string_append_printf(text, " %s", peer_text);
	for (guint i = 0; i < G_N_ELEMENTS(more); i++) {
		const char *value = json_string_value(json_object_get(peer, more[i]));

		g_string_append_printf(text, " %s", value ? value : "-");
	}
	g_hash_table_add(set, g_string_free(text, FALSE));
}

static void add_permission(GHashTable *set, const char *group, const char *key,
			   const json_t *permission)
{
	static const struct {
		const char *list, *key;
	} peers[] = {{"IpRanges", "CidrIp"},
		     {"Ipv6Ranges", "CidrIpv6"},
		     {"PrefixListIds", "PrefixListId"},
		     {"UserIdGroupPairs", "GroupId"}};
	int protocol = aws_protocol(permission);
	int from = aws_number(permission, "FromPort"), to = aws_number(permission, "ToPort");
	g_autofree char *base = NULL;

	if (protocol == 6 || protocol == 17) {
		to = from == -1 ? 65535 : to;
		from = from == -1 ? 0 : from;
	} else if (protocol == 1 || protocol == 58) {
		to = from == -1 ? -1 : to;
	} else {
		from = to = -1;
	}
	base = g_strdup_printf("%s %s %d %d %d", group, key, protocol, from, to);
	for (guint i = 0; i < G_N_ELEMENTS(peers); i++) {
		const json_t *list = json_object_get(permission, peers[i].list), *peer;
		size_t j;

		json_array_foreach (list, j, peer) {
			const char *value = json_string_value(json_object_get(peer, peers[i].key));
			g_autofree char *text =
				i < 2 && value ? canonical(value) : g_strdup(value ? value : "-");

			add(set, base, peer, text);
		}
	}
}

GHashTable *aws_permissions(const json_t *document)
{
	static const char *const directions[] = {"IpPermissions", "IpPermissionsEgress"};
	const json_t *groups = json_object_get(document, "SecurityGroups"), *group, *permission;
	GHashTable *set;
	size_t i, j;

	if (!groups)
		return NULL;
	set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	json_array_foreach (groups, i, group)
		for (guint d = 0; d < G_N_ELEMENTS(directions); d++)
			json_array_foreach (json_object_get(group, directions[d]), j, permission)
				add_permission(set,
					       json_string_value(json_object_get(group, "GroupId")),
					       directions[d], permission);
	return set;
}

/* ------------------------------------------------------------------ verdicts */

static bool matches(const json_t *permission, const struct aws_packet *packet)
{
	int protocol = aws_protocol(permission);
	int from = aws_number(permission, "FromPort"), to = aws_number(permission, "ToPort");

	if (protocol != -1 && protocol != packet->protocol)
		return false;
	if (protocol == 6 || protocol == 17)
		return from == -1 || (packet->port >= from && packet->port <= to);
	if (protocol == 1 || protocol == 58)
		return from == -1 ||
		       (packet->icmp_type == from && (to == -1 || packet->icmp_code == to));
	return true;
}

static bool range_list(const json_t *permission, const char *list, const char *key,
		       const struct aws_packet *packet)
{
	const json_t *range;
	size_t i;

	json_array_foreach (json_object_get(permission, list), i, range)
		if (covers(json_string_value(json_object_get(range, key)), packet))
			return true;
	return false;
}

static bool prefix_lists(const json_t *document, const json_t *permission,
			 const struct aws_packet *packet)
{
	const json_t *named, *list;
	size_t i, j;

	json_array_foreach (json_object_get(permission, "PrefixListIds"), i, named)
		json_array_foreach (json_object_get(document, "PrefixLists"), j, list)
			if (json_equal(json_object_get(named, "PrefixListId"),
				       json_object_get(list, "PrefixListId")) &&
			    range_list(list, "Entries", "Cidr", packet))
				return true;
	return false;
}

static bool is_member(const GArray *members, const char *group, const struct aws_packet *packet)
{
	for (guint i = 0; i < members->len; i++) {
		const struct aws_member *member = &g_array_index(members, struct aws_member, i);

		if (!strcmp(member->group, group) && member->v6 == packet->v6 &&
		    !memcmp(&member->address, &packet->remote, packet->v6 ? 16 : 4))
			return true;
	}
	return false;
}

static bool pairs(const json_t *permission, const GArray *members, const struct aws_packet *packet)
{
	const json_t *pair;
	size_t i;

	json_array_foreach (json_object_get(permission, "UserIdGroupPairs"), i, pair) {
		const char *status = json_string_value(json_object_get(pair, "PeeringStatus"));
		const char *id = json_string_value(json_object_get(pair, "GroupId"));

		if (id && (!status || !strcmp(status, "active")) && is_member(members, id, packet))
			return true;
	}
	return false;
}

bool aws_permits(const json_t *document, const json_t *group, const GArray *members,
		 const struct aws_packet *packet)
{
	const json_t *list =
		json_object_get(group, packet->egress ? "IpPermissionsEgress" : "IpPermissions");
	const json_t *permission;
	size_t i;

	json_array_foreach (list, i, permission)
		if (matches(permission, packet) &&
		    (range_list(permission, "IpRanges", "CidrIp", packet) ||
		     range_list(permission, "Ipv6Ranges", "CidrIpv6", packet) ||
		     prefix_lists(document, permission, packet) ||
		     pairs(permission, members, packet)))
			return true;
	return false;
}
