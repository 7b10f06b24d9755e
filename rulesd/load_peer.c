/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_peer.c - the other side of a rule: "any", an address or CIDR, a group, a prefix list.
 */
#include "rulesd/load_internal.h"

#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/nearest.h"

#define PEERS "any, an address or CIDR, \"sg-…\" or \"pl-…\""

/* "sg-web", or "blue:sg-web" of another network. */
static bool group_peer(struct load *load, uint32_t node, const char *text, struct model_peer *peer)
{
	const char *colon = strchr(text, ':');
	const char *id = colon ? colon + 1 : text;
	g_autofree char *network = colon ? g_strndup(text, (gsize)(colon - text)) : NULL;

	if (!load_id(load, node, id, "group", "sg-") ||
	    (network && !load_id(load, node, network, "network", "")))
		return false;
	peer->kind = MODEL_PEER_GROUP;
	peer->id = g_strdup(id);
	peer->network = network ? g_steal_pointer(&network) : g_strdup(load->network);
	return true;
}

static bool prefix_list_peer(struct load *load, uint32_t node, const char *text,
			     struct model_peer *peer)
{
	if (!load_id(load, node, text, "prefix list", "pl-"))
		return false;
	peer->kind = MODEL_PEER_PREFIX_LIST;
	peer->id = g_strdup(text);
	peer->network = g_strdup(load->network);
	return true;
}

static bool cidr_peer(struct load *load, uint32_t node, const char *text, struct model_peer *peer)
{
	struct cidr cidr = {0};
	int error = cidr_parse(text, &cidr);

	if (error < 0) {
		load_cidr_error(load, node, text, error, &cidr,
				"as \"10.0.0.0/8\" or \"2001:db8::/32\"");
		return false;
	}
	peer->kind = MODEL_PEER_CIDR;
	peer->cidr = cidr;
	return true;
}

static bool is_group(const char *text)
{
	const char *colon = strchr(text, ':');

	return g_str_has_prefix(text, "sg-") || (colon && g_str_has_prefix(colon + 1, "sg-"));
}

static bool no_peer(struct load *load, uint32_t node, const char *text)
{
	struct nearest nearest = nearest_new(text);
	g_autofree char *quoted = diag_quote(text);
	g_autofree char *fix = NULL;
	const char *colon = strchr(text, ':');

	nearest_offer(&nearest, "any");
	if (colon && g_str_has_prefix(colon + 1, "pl-"))
		fix = g_strdup("prefix lists belong to one network: define it in this one too");
	else
		fix = nearest_fix(&nearest, PEERS);
	load_error(load, node, "peer", fix, "%s is no peer", quoted);
	return false;
}

/* A mistyped one gets an answer about addresses, other words one about peers. */
static bool looks_like_address(const char *text)
{
	return strchr(text, '/') || g_ascii_isdigit(text[0]) ||
	       (text[0] && strspn(text, "0123456789abcdefABCDEF:.") == strlen(text));
}

static bool text_peer(struct load *load, uint32_t node, struct model_peer *peer)
{
	CLEANUP(jdoc_text_clear) struct jdoc_text buffer;
	const char *text = jdoc_read_string(load->doc, node, &buffer);

	if (strcmp(text, "any") == 0)
		return true;
	if (is_group(text))
		return group_peer(load, node, text, peer);
	if (g_str_has_prefix(text, "pl-"))
		return prefix_list_peer(load, node, text, peer);
	if (looks_like_address(text))
		return cidr_peer(load, node, text, peer);
	return no_peer(load, node, text);
}

/* The object form: which is one of "cidr", "group" and "prefix_list". */
struct peer_object {
	uint32_t cidr, group, prefix_list, id;
	struct model_peer *peer;
	char *description;
};

static const struct load_field peer_fields[] = {
	{.name = "cidr", .read = load_keep, .offset = offsetof(struct peer_object, cidr)},
	{.name = "group", .read = load_keep, .offset = offsetof(struct peer_object, group)},
	{.name = "prefix_list",
	 .read = load_keep,
	 .offset = offsetof(struct peer_object, prefix_list)},
	{.name = "id", .read = load_keep, .offset = offsetof(struct peer_object, id)},
	{.name = "description",
	 .read = load_text,
	 .offset = offsetof(struct peer_object, description)},
	{0},
};

/* Reads the one of the three that is there. */
static void object_peer_target(struct load *load, const struct peer_object *object,
			       struct model_peer *peer)
{
	uint32_t node = object->cidr	? object->cidr
			: object->group ? object->group
					: object->prefix_list;
	g_autofree char *text = load_string(load, node, NULL);

	if (!text)
		return;
	if (object->cidr)
		cidr_peer(load, node, text, peer);
	else if (object->group)
		group_peer(load, node, text, peer);
	else
		prefix_list_peer(load, node, text, peer);
}

static void object_peer(struct load *load, uint32_t node, struct model_peer *peer)
{
	struct peer_object object = {0};
	unsigned int targets;

	load_object(load, node, peer_fields, &object);
	peer->description = object.description;
	targets = !!object.cidr + !!object.group + !!object.prefix_list;
	if (targets == 1)
		object_peer_target(load, &object, peer);
	else
		load_error(load, node, targets ? "conflict" : "missing",
			   "exactly one of \"cidr\", \"group\" and \"prefix_list\"",
			   targets ? "a peer that is several things" : "a peer that names nothing");
	if (object.id) {
		peer->peer_id = load_string(load, object.id, NULL);
		if (peer->peer_id)
			load_id(load, object.id, peer->peer_id, "peer", "");
	}
}

struct model_peer *load_peer(struct load *load, uint32_t node)
{
	struct model_peer *peer = model_peer_new(MODEL_PEER_ANY);

	peer->place = jdoc_place(load->doc, node);
	if (jdoc_kind(load->doc, node) == JDOC_OBJECT)
		object_peer(load, node, peer);
	else if (jdoc_kind(load->doc, node) == JDOC_STRING)
		text_peer(load, node, peer);
	else
		load_wrong_kind(load, node, "peer", PEERS);
	return peer;
}
