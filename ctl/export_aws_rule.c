/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export_aws_rule.c - rules as IpPermissions, and as SecurityGroupRules where they have an id of
 * AWS. See export_aws.h. */
#include <netinet/in.h>
#include <string.h>

#include "ctl/export_aws.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"

/* The numbers beside a protocol: none, or ports, or type and code. */
struct numbers_beside {
	bool present;
	int from, to;
};

static const char *protocol_text(uint16_t protocol, char text[8])
{
	switch (protocol) {
	case SG_PROTO_ALL:
		return "-1";
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return protocol_format(protocol, text);
	default:
		g_snprintf(text, 8, "%u", protocol);
		return text;
	}
}

static void set_match(json_t *object, uint16_t protocol, const struct numbers_beside *n)
{
	char text[8];

	json_object_set_new(object, "IpProtocol", json_string(protocol_text(protocol, text)));
	if (!n->present)
		return;
	json_object_set_new(object, "FromPort", json_integer(n->from));
	json_object_set_new(object, "ToPort", json_integer(n->to));
}

/* ------------------------------------------------------------------ peers */

/* Where a permission keeps its peers. */
struct permission {
	json_t *object;
	json_t *v4, *v6, *lists, *pairs;
};

static struct permission permission_new(uint16_t protocol, const struct numbers_beside *n)
{
	struct permission permission = {.object = json_object(),
					.v4 = json_array(),
					.v6 = json_array(),
					.lists = json_array(),
					.pairs = json_array()};

	set_match(permission.object, protocol, n);
	json_object_set_new(permission.object, "IpRanges", permission.v4);
	json_object_set_new(permission.object, "Ipv6Ranges", permission.v6);
	json_object_set_new(permission.object, "PrefixListIds", permission.lists);
	json_object_set_new(permission.object, "UserIdGroupPairs", permission.pairs);
	return permission;
}

static void add_cidr(const struct permission *permission, const char *cidr, const char *description)
{
	bool v6 = strchr(cidr, ':') != NULL;
	json_t *range = json_pack("{s:s}", v6 ? "CidrIpv6" : "CidrIp", cidr);

	export_aws_set(range, "Description", description);
	json_array_append_new(v6 ? permission->v6 : permission->v4, range);
}

/* {"GroupId","UserId",...} of a peer, written as the object (a string, or an object). */
static json_t *pair_of(const struct export_aws *export, const struct model_group *group,
		       const struct model_peer *peer, const json_t *written)
{
	static const char *const kept[] = {"VpcId", "VpcPeeringConnectionId", "PeeringStatus"};
	const json_t *object = export_aws_object(export, peer->network, "groups", peer->id);
	const char *id = export_aws_kept(written, "GroupId");
	const char *user = export_aws_kept(written, "UserId");
	json_t *pair = json_object();

	if (!id)
		id = export_aws_id(object, "GroupId", peer->id);
	export_aws_set(pair, "GroupId", id);
	if (!id || json_is_true(json_object_get(object, "external")))
		export_aws_set(pair, "GroupName", export_aws_kept(object, "GroupName"));
	export_aws_set(pair, "UserId", user ? user : export_aws_kept(object, "OwnerId"));
	for (guint i = 0; i < G_N_ELEMENTS(kept); i++)
		export_aws_set(pair, kept[i], export_aws_kept(written, kept[i]));
	if (strcmp(peer->network, group->network) != 0 && !json_object_get(pair, "VpcId"))
		export_aws_set(pair, "VpcId",
			       export_aws_kept(object, "VpcId") ? export_aws_kept(object, "VpcId")
								: peer->network);
	return pair;
}

static const char *list_id(const struct export_aws *export, const struct model_peer *peer)
{
	const json_t *object = export_aws_object(export, peer->network, "prefix_lists", peer->id);

	return export_aws_id(object, "PrefixListId", peer->id);
}

static void add_peer(const struct export_aws *export, const struct model_group *group,
		     const struct model_rule *rule, const struct model_peer *peer,
		     const json_t *written, const struct permission *permission)
{
	/* AWS describes peers, not rules. */
	const char *description = peer->description ? peer->description : rule->description;
	char cidr[CIDR_TEXT_SIZE];
	json_t *object;

	switch (peer->kind) {
	case MODEL_PEER_ANY:
		add_cidr(permission, "0.0.0.0/0", description);
		add_cidr(permission, "::/0", description);
		return;
	case MODEL_PEER_CIDR:
		add_cidr(permission, cidr_format(&peer->cidr, cidr), description);
		return;
	case MODEL_PEER_GROUP:
		object = pair_of(export, group, peer, written);
		export_aws_set(object, "Description", description);
		json_array_append_new(permission->pairs, object);
		return;
	case MODEL_PEER_PREFIX_LIST:
		object = json_pack("{s:s}", "PrefixListId", list_id(export, peer));
		export_aws_set(object, "Description", description);
		json_array_append_new(permission->lists, object);
		return;
	}
}

/* ------------------------------------------------------------------ a rule by itself */

/* "sgr-" and hex digits: AWS gave it. */
static bool is_aws_id(const struct model_rule *rule)
{
	return !rule->derived && !rule->implied && g_str_has_prefix(rule->id, "sgr-") &&
	       rule->id[strlen("sgr-")] &&
	       strspn(rule->id + 4, "0123456789abcdef") == strlen(rule->id + 4);
}

static void set_rule_peer(const struct export_aws *export, const struct model_group *group,
			  const struct model_peer *peer, const json_t *written, json_t *out)
{
	char cidr[CIDR_TEXT_SIZE];

	if (peer->kind == MODEL_PEER_CIDR) {
		cidr_format(&peer->cidr, cidr);
		json_object_set_new(out, strchr(cidr, ':') ? "CidrIpv6" : "CidrIpv4",
				    json_string(cidr));
	} else if (peer->kind == MODEL_PEER_GROUP) {
		json_object_set_new(out, "ReferencedGroupInfo",
				    pair_of(export, group, peer, written));
	} else {
		export_aws_set(out, "PrefixListId", list_id(export, peer));
	}
}

/* One protocol, one range and one peer are what such a rule can have. */
static bool add_rule(struct export_aws *export, const struct model_group *group,
		     const struct model_rule *rule, const json_t *object,
		     const struct numbers_beside *n)
{
	const struct model_match *match = rule->matches->pdata[0];
	const struct model_peer *peer = rule->peers->pdata[0];
	const json_t *of = export_aws_object(export, group->network, "groups", group->id);
	const json_t *peers =
		json_object_get(object, rule->direction == SG_INGRESS ? "from" : "to");
	struct numbers_beside all = {.present = true, .from = -1, .to = -1};
	json_t *out;

	if (!is_aws_id(rule) || rule->matches->len != 1 || rule->peers->len != 1 ||
	    (match->ports && match->ports->len > 1) || peer->kind == MODEL_PEER_ANY)
		return false;
	out = json_pack("{s:s, s:b}", "SecurityGroupRuleId", rule->id, "IsEgress",
			rule->direction == SG_EGRESS);
	export_aws_set(out, "GroupId", export_aws_id(of, "GroupId", group->id));
	export_aws_set(out, "GroupOwnerId", export_aws_kept(of, "OwnerId"));
	set_match(out, match->protocol, n->present ? n : &all);
	set_rule_peer(export, group, peer, json_array_get(peers, 0), out);
	export_aws_set(out, "Description",
		       peer->description ? peer->description : rule->description);
	export_aws_set(out, "SecurityGroupRuleArn",
		       export_aws_kept(object, "SecurityGroupRuleArn"));
	export_aws_tags(out, "Tags", object);
	json_array_append_new(export->rules, out);
	return true;
}

/* ------------------------------------------------------------------ a rule as permissions */

static void add_permission(struct export_aws *export, const struct model_group *group,
			   const struct model_rule *rule, const json_t *object, uint16_t protocol,
			   const struct numbers_beside *n, json_t *permissions)
{
	const json_t *peers =
		json_object_get(object, rule->direction == SG_INGRESS ? "from" : "to");
	struct permission permission = permission_new(protocol, n);

	/* The canonical form lists a repeated peer once, the model may have it twice. */
	for (guint i = 0; i < rule->peers->len; i++)
		add_peer(export, group, rule, rule->peers->pdata[i],
			 json_array_size(peers) == rule->peers->len ? json_array_get(peers, i)
								    : NULL,
			 &permission);
	json_array_append_new(permissions, permission.object);
}

static bool can_have_ports(uint16_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

static void add_match(struct export_aws *export, const struct model_group *group,
		      const struct model_rule *rule, const json_t *object,
		      const struct model_match *match, json_t *permissions)
{
	struct numbers_beside n = {.present = can_have_ports(match->protocol), .to = 65535};
	g_autofree char *name = g_strdup_printf("%s/%s", group->id, rule->id);
	char text[8];

	if (protocol_is_icmp(match->protocol))
		n = (struct numbers_beside){true, match->icmp_type, match->icmp_code};
	if (!match->ports || !match->ports->len) {
		add_permission(export, group, rule, object, match->protocol, &n, permissions);
		return;
	}
	if (!can_have_ports(match->protocol)) {
		import_report_add(export->report, IMPORT_LEFT_OUT, "ports", name, NULL,
				  "ports of %s: AWS ignores them, the rule would allow every one",
				  protocol_format(match->protocol, text));
		return;
	}
	for (guint i = 0; i < match->ports->len; i++) {
		const struct model_ports *ports =
			&g_array_index(match->ports, struct model_ports, i);

		n.from = ports->first;
		n.to = ports->last;
		add_permission(export, group, rule, object, match->protocol, &n, permissions);
	}
}

/* What AWS has no word for, and an import from AWS never made. */
static void report_rest(struct export_aws *export, const struct model_group *group,
			const struct model_rule *rule, const json_t *object, bool by_itself)
{
	g_autofree char *name = g_strdup_printf("%s/%s", group->id, rule->id);

	if (!rule->derived && !rule->implied && !by_itself)
		import_report_add(export->report, IMPORT_LEFT_OUT, "rule-id", name, NULL,
				  "the id of the rule: AWS gives ids of its own");
	if (json_object_size(json_object_get(object, "labels")) && !by_itself)
		import_report_add(export->report, IMPORT_LEFT_OUT, "labels", name, NULL,
				  "the labels of the rule");
	for (guint i = 0; i < rule->peers->len; i++) {
		const struct model_peer *peer = rule->peers->pdata[i];

		if (peer->peer_id)
			import_report_add(export->report, IMPORT_LEFT_OUT, "peer-id", name, NULL,
					  "the id %s of a peer", peer->peer_id);
	}
}

void export_aws_rule(struct export_aws *export, const struct model_group *group,
		     const struct model_rule *rule, const json_t *object, json_t *permissions)
{
	const struct model_match *first = rule->matches->pdata[0];
	struct numbers_beside n = {.present = can_have_ports(first->protocol), .to = 65535};

	if (protocol_is_icmp(first->protocol))
		n = (struct numbers_beside){true, first->icmp_type, first->icmp_code};
	if (first->ports && first->ports->len) {
		n.from = g_array_index(first->ports, struct model_ports, 0).first;
		n.to = g_array_index(first->ports, struct model_ports, 0).last;
	}
	for (guint i = 0; i < rule->matches->len; i++)
		add_match(export, group, rule, object, rule->matches->pdata[i], permissions);
	report_rest(export, group, rule, object, add_rule(export, group, rule, object, &n));
}
