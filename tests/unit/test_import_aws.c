/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_import_aws.c - an imported policy decides as the security groups that it came from: random
 * packets, judged by the AWS documents themselves and by the evaluator. And an export gives back
 * what was imported.
 */
#include <arpa/inet.h>
#include <string.h>

#include "ctl/export_aws.h"
#include "ctl/import_read.h"
#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "rulesd/eval.h"
#include "rulesd/names.h"
#include "tests/lib/aws_files.h"
#include "tests/lib/check.h"

#define PACKETS_A_GROUP 400

/* The policy of some sources, canonical; of struct load_source. */
static GPtrArray *policy_of(struct load_source *source, const char *what)
{
	g_autoptr(GPtrArray) sources = load_sources_new();
	CLEANUP(import_free) struct import *import = NULL;
	CLEANUP(diag_free) struct diag *diag = diag_new();
	const struct import_options options = {0};
	GPtrArray *policy = NULL;

	g_ptr_array_add(sources, source);
	if (!import_sources("aws", sources, &options, false, &import, diag))
		policy = import_policy_sources(import, false, diag);
	if (!policy) {
		diag_print(diag, stderr);
		fail_msg("%s cannot be imported", what);
	}
	return policy;
}

static struct model *model_of(const GPtrArray *policy)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct model *model = NULL;

	if (load_policy(policy, &model, diag)) {
		diag_print(diag, stderr);
		fail_msg("the imported policy is refused");
	}
	return model;
}

static json_t *parse(const char *path)
{
	json_error_t error;
	json_t *document = json_load_file(path, 0, &error);

	if (!document)
		fail_msg("%s:%d: %s", path, error.line, error.text);
	return document;
}

/* ------------------------------------------------------------------ the same verdicts */

/* A document with an interface for each group and entries for each prefix list that is named. */
struct world {
	json_t *document;
	GArray *members;   /* of struct aws_member */
	GPtrArray *cidrs;  /* of const char *: all that are mentioned; borrowed */
	GArray *ports;	   /* of int */
	GArray *protocols; /* of int */
	struct model *model;
	struct numbers *numbers;
	struct image *image;
	unsigned int allowed, denied, mistakes;
};

static void add_member(struct world *world, const char *group, const char *address)
{
	struct aws_member member = {.group = group, .v6 = strchr(address, ':') != NULL};

	inet_pton(member.v6 ? AF_INET6 : AF_INET, address, &member.address);
	g_array_append_val(world->members, member);
}

static void add_interface(struct world *world, json_t *interfaces, const json_t *group,
			  unsigned int number)
{
	const char *id = json_string_value(json_object_get(group, "GroupId"));
	g_autofree char *v4 = g_strdup_printf("100.64.%u.%u", number / 250, number % 250 + 1);
	g_autofree char *v6 = g_strdup_printf("2001:db8:ffff::%x", number + 1);

	json_array_append_new(
		interfaces, json_pack("{s:o, s:s, s:[{s:s}], s:[{s:s}]}", "NetworkInterfaceId",
				      json_sprintf("eni-%s", id), "PrivateIpAddress", v4,
				      "Ipv6Addresses", "Ipv6Address", v6, "Groups", "GroupId", id));
	add_member(world, id, v4);
	add_member(world, id, v6);
}

static void add_lists(json_t *lists, const json_t *permission)
{
	const json_t *named;
	size_t i;

	json_array_foreach (json_object_get(permission, "PrefixListIds"), i, named)
		json_array_append_new(lists, json_pack("{s:O, s:[{s:s}, {s:s}]}", "PrefixListId",
						       json_object_get(named, "PrefixListId"),
						       "Entries", "Cidr", "198.18.0.0/15", "Cidr",
						       "2001:db8:5::/48"));
}

static void mention(struct world *world, const json_t *permission)
{
	static const char *const lists[][2] = {{"IpRanges", "CidrIp"}, {"Ipv6Ranges", "CidrIpv6"}};
	int protocol = aws_protocol(permission);
	int ports[] = {aws_number(permission, "FromPort"), aws_number(permission, "ToPort")};
	const json_t *range;
	size_t j;

	g_array_append_val(world->protocols, protocol);
	g_array_append_vals(world->ports, ports, 2);
	for (guint i = 0; i < G_N_ELEMENTS(lists); i++)
		json_array_foreach (json_object_get(permission, lists[i][0]), j, range)
			g_ptr_array_add(world->cidrs, (void *)(uintptr_t)json_string_value(
							      json_object_get(range, lists[i][1])));
}

static void build(struct world *world, const char *path)
{
	static const char *const directions[] = {"IpPermissions", "IpPermissionsEgress"};
	CLEANUP(diag_free) struct diag *diag = diag_new();
	g_autoptr(GPtrArray) policy = NULL;
	json_t *interfaces = json_array(), *lists = json_array();
	const json_t *group, *permission;
	size_t i, j;

	json_object_set_new(world->document, "NetworkInterfaces", interfaces);
	json_object_set_new(world->document, "PrefixLists", lists);
	json_array_foreach (json_object_get(world->document, "SecurityGroups"), i, group) {
		add_interface(world, interfaces, group, (unsigned int)i);
		for (guint d = 0; d < G_N_ELEMENTS(directions); d++)
			json_array_foreach (json_object_get(group, directions[d]), j, permission) {
				add_lists(lists, permission);
				mention(world, permission);
			}
	}
	g_ptr_array_add(world->cidrs, (char *)(uintptr_t) "198.18.0.0/15");
	g_ptr_array_add(world->cidrs, (char *)(uintptr_t) "2001:db8:5::/48");
	policy = policy_of(aws_source_of(world->document), path);
	world->model = model_of(policy);
	world->numbers = numbers_new();
	if (compile_image(world->model, world->numbers, NULL, NULL, &world->image, diag)) {
		diag_print(diag, stderr);
		fail_msg("%s does not compile", path);
	}
}

/* An address near something that the groups mention: inside, at the edges, or anywhere. */
static void choose_remote(struct world *world, GRand *rand, struct aws_packet *packet)
{
	unsigned int bits, length;

	if (g_rand_boolean(rand)) {
		const struct aws_member *member =
			&g_array_index(world->members, struct aws_member,
				       g_rand_int_range(rand, 0, (gint)world->members->len));

		packet->v6 = member->v6;
		packet->remote = member->address;
		return;
	}
	aws_parse_cidr(world->cidrs->pdata[g_rand_int_range(rand, 0, (gint)world->cidrs->len)],
		       &packet->remote, &bits, &packet->v6);
	length = packet->v6 ? 128 : 32;
	for (unsigned int i = bits; i < length; i++)
		if (g_rand_boolean(rand))
			packet->remote.s6_addr[i / 8] ^= (uint8_t)(0x80 >> i % 8);
	if (bits && g_rand_int_range(rand, 0, 4) == 0)
		packet->remote.s6_addr[(bits - 1) / 8] ^= (uint8_t)(0x80 >> (bits - 1) % 8);
}

static int near(GRand *rand, const GArray *numbers)
{
	return g_array_index(numbers, int, g_rand_int_range(rand, 0, (gint)numbers->len)) +
	       g_rand_int_range(rand, -1, 2);
}

static struct aws_packet random_packet(struct world *world, GRand *rand)
{
	static const uint8_t usual[] = {6, 17, 1, 58, 50, 47, 132, 4};
	struct aws_packet packet = {.egress = g_rand_boolean(rand)};
	int protocol = g_array_index(world->protocols, int,
				     g_rand_int_range(rand, 0, (gint)world->protocols->len));

	choose_remote(world, rand, &packet);
	if (protocol < 0 || g_rand_int_range(rand, 0, 4) == 0)
		protocol = usual[g_rand_int_range(rand, 0, G_N_ELEMENTS(usual))];
	/* The ICMP of the other family is none. */
	if (protocol == 1 || protocol == 58)
		protocol = packet.v6 ? 58 : 1;
	packet.protocol = (uint8_t)protocol;
	packet.port = (uint16_t)(g_rand_boolean(rand) ? near(rand, world->ports)
						      : g_rand_int_range(rand, 0, 65536));
	packet.icmp_type = (uint8_t)(g_rand_boolean(rand) ? near(rand, world->ports)
							  : g_rand_int_range(rand, 0, 256));
	packet.icmp_code = (uint8_t)(g_rand_boolean(rand) ? near(rand, world->ports)
							  : g_rand_int_range(rand, 0, 4));
	return packet;
}

static struct sg_addr address_of(const struct aws_packet *packet)
{
	char text[INET6_ADDRSTRLEN];
	struct sg_addr addr = {0};

	inet_ntop(packet->v6 ? AF_INET6 : AF_INET, &packet->remote, text, sizeof(text));
	addr_parse(text, &addr);
	return addr;
}

static void judge(struct world *world, const json_t *group, unsigned int number,
		  const struct aws_packet *packet)
{
	const char *id = json_string_value(json_object_get(group, "GroupId"));
	g_autofree char *iface = g_strdup_printf("eni-%s", id);
	g_autofree char *own =
		packet->v6 ? g_strdup_printf("2001:db8:ffff::%x", number + 1)
			   : g_strdup_printf("100.64.%u.%u", number / 250, number % 250 + 1);
	struct sg_addr mine = {0}, remote = address_of(packet);
	struct eval_packet asked = {
		.direction = packet->egress ? SG_EGRESS : SG_INGRESS,
		.protocol = packet->protocol,
		.sport = 40000,
		.dport = packet->port,
		.icmp_type = packet->icmp_type,
		.icmp_code = packet->icmp_code,
	};
	bool expected = aws_permits(world->document, group, world->members, packet);
	struct eval_verdict verdict;
	char text[ADDR_TEXT_SIZE];

	addr_parse(own, &mine);
	asked.src = packet->egress ? mine : remote;
	asked.dst = packet->egress ? remote : mine;
	verdict = eval_packet(world->image, image_iface(world->image, iface), &asked);
	/* The guard, neighbour discovery and the like are asked before the groups. */
	if (verdict.reason != SG_ALLOW_RULE && verdict.reason != SG_DROP_NO_RULE &&
	    verdict.reason != SG_DROP_ICMP_UNRELATED)
		return;
	world->allowed += expected;
	world->denied += !expected;
	if ((verdict.reason == SG_ALLOW_RULE) == expected)
		return;
	world->mistakes++;
	print_error("%s %s protocol %u %s port %u type %u code %u: %s, AWS %s\n", id,
		    packet->egress ? "to" : "from", packet->protocol, addr_format(&remote, text),
		    packet->port, packet->icmp_type, packet->icmp_code, reason_name(verdict.reason),
		    expected ? "permits it" : "does not");
}

/* Returns how many packets were judged. */
static unsigned int compare(const char *path, GRand *rand)
{
	struct world world = {
		.document = parse(path),
		.members = g_array_new(FALSE, FALSE, sizeof(struct aws_member)),
		.cidrs = g_ptr_array_new(),
		.ports = g_array_new(FALSE, FALSE, sizeof(int)),
		.protocols = g_array_new(FALSE, FALSE, sizeof(int)),
	};
	const json_t *groups = json_object_get(world.document, "SecurityGroups"), *group;
	size_t i;

	if (json_array_size(groups)) {
		build(&world, path);
		json_array_foreach (groups, i, group)
			for (unsigned int n = 0; n < PACKETS_A_GROUP; n++) {
				struct aws_packet packet = random_packet(&world, rand);

				judge(&world, group, (unsigned int)i, &packet);
			}
		if (world.mistakes)
			fail_msg("%s: %u verdicts differ", path, world.mistakes);
		if (!world.allowed || !world.denied)
			fail_msg("%s: %u allowed, %u denied: that compares little", path,
				 world.allowed, world.denied);
	}
	image_free(&world.image);
	model_free(&world.model);
	numbers_free(&world.numbers);
	json_decref(world.document);
	g_array_unref(world.members);
	g_ptr_array_unref(world.cidrs);
	g_array_unref(world.ports);
	g_array_unref(world.protocols);
	return world.allowed + world.denied;
}

static void imported_groups_decide_as_aws_does(void **state)
{
	g_autoptr(GPtrArray) files = aws_files();
	GRand *rand = g_rand_new_with_seed(4711);
	unsigned int judged = 0;

	(void)state;
	for (guint i = 0; i < files->len; i++)
		judged += compare(files->pdata[i], rand);
	g_rand_free(rand);
	/* 138 groups, and few packets that the guard decides. */
	assert_true(judged > 138 * PACKETS_A_GROUP * 9 / 10);
}

/* ------------------------------------------------------------------ there and back */

static json_t *exported(const GPtrArray *policy)
{
	CLEANUP(import_report_free) struct import_report *report = import_report_new();
	CLEANUP(model_free) struct model *model = model_of(policy);

	return export_aws(policy, model, report);
}

static unsigned int missing(GHashTable *from, GHashTable *in, const char *what)
{
	GHashTableIter iter;
	void *permission;
	unsigned int count = 0;

	g_hash_table_iter_init(&iter, from);
	while (g_hash_table_iter_next(&iter, &permission, NULL))
		if (!g_hash_table_contains(in, permission)) {
			print_error("%s: %s\n", what, (const char *)permission);
			count++;
		}
	return count;
}

static const json_t *group_of(const json_t *document, const json_t *id)
{
	const json_t *group;
	size_t i;

	json_array_foreach (json_object_get(document, "SecurityGroups"), i, group)
		if (json_equal(json_object_get(group, "GroupId"), id))
			return group;
	return NULL;
}

/* All that AWS says of a group itself. */
static void groups_are_the_same(const char *path, const json_t *document, const json_t *back)
{
	static const char *const fields[] = {"GroupName", "Description", "OwnerId", "VpcId",
					     "SecurityGroupArn"};
	const json_t *group;
	size_t i;

	json_array_foreach (json_object_get(document, "SecurityGroups"), i, group) {
		const json_t *other = group_of(back, json_object_get(group, "GroupId"));

		if (!other)
			fail_msg("%s: group %zu does not come back", path, i);
		for (guint f = 0; f < G_N_ELEMENTS(fields); f++)
			if (g_strcmp0(json_string_value(json_object_get(group, fields[f])),
				      json_string_value(json_object_get(other, fields[f]))) != 0)
				fail_msg("%s: %s of group %zu differs", path, fields[f], i);
		assert_int_equal(json_array_size(json_object_get(group, "Tags")),
				 json_array_size(json_object_get(other, "Tags")));
	}
}

static void an_export_gives_back_the_permissions(void **state)
{
	g_autoptr(GPtrArray) files = aws_files();
	unsigned int compared = 0;

	(void)state;
	for (guint i = 0; i < files->len; i++) {
		const char *path = files->pdata[i];
		AUTO_JSON json_t *document = parse(path);
		AUTO_JSON json_t *back = NULL;
		g_autoptr(GPtrArray) policy = NULL;
		g_autoptr(GHashTable) before = aws_permissions(document);
		g_autoptr(GHashTable) after = NULL;

		if (!before)
			continue;
		policy = policy_of(aws_source_of_file(path), path);
		back = exported(policy);
		after = aws_permissions(back);
		if (missing(before, after, "lost") + missing(after, before, "new"))
			fail_msg("%s: the export permits something else", path);
		groups_are_the_same(path, document, back);
		compared += g_hash_table_size(before);
	}
	assert_true(compared > 300);
}

/* What only Terraform or a mere name said does not come back: that is not AWS's. */
static bool comes_back(const char *path)
{
	return !strstr(path, "terraform_state") && !strstr(path, "describe-security-groups_2");
}

static void an_import_of_an_export_is_the_same_policy(void **state)
{
	g_autoptr(GPtrArray) files = aws_files();

	(void)state;
	for (guint i = 0; i < files->len; i++) {
		const char *path = files->pdata[i];
		g_autoptr(GPtrArray) policy = NULL, again = NULL;
		AUTO_JSON json_t *back = NULL;

		if (!comes_back(path))
			continue;
		policy = policy_of(aws_source_of_file(path), path);
		back = exported(policy);
		again = policy_of(aws_source_of(back), path);
		if (strcmp(((struct load_source *)policy->pdata[0])->text,
			   ((struct load_source *)again->pdata[0])->text) != 0) {
			print_error("%s\nbecomes\n%s\n",
				    ((struct load_source *)policy->pdata[0])->text,
				    ((struct load_source *)again->pdata[0])->text);
			fail_msg("%s: another policy comes back", path);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(imported_groups_decide_as_aws_does),
		cmocka_unit_test(an_export_gives_back_the_permissions),
		cmocka_unit_test(an_import_of_an_export_is_the_same_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
