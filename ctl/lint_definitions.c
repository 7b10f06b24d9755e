/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lint_definitions.c - SG308 and SG309: services and peers of networks that no rule needs. The
 * model does not keep where they stand, the documents do. */
#include "ctl/lint_internal.h"
#include "rulesd/cleanup.h"

static void check_services(struct lint *lint, const struct jdoc *doc)
{
	uint32_t services = jdoc_member(doc, JDOC_ROOT, "services");

	for (uint32_t node = services ? jdoc_first(doc, services) : 0; node;
	     node = jdoc_next(doc, node)) {
		g_autofree char *name = jdoc_key(doc, node);
		struct lint_at at = {.network = "", /* services belong to all of them */
				     .kind = "service",
				     .id = name,
				     .place = jdoc_key_place(doc, node)};

		if (json_is_annotation(name) || g_hash_table_contains(lint->services, name))
			continue;
		g_snprintf(at.pointer, sizeof(at.pointer), "/services/%s", name);
		lint_add(lint->findings, LINT_UNUSED_SERVICE, &at, NULL, "remove it",
			 "no rule uses the service");
	}
}

static void check_network_peer(struct lint *lint, const struct jdoc *doc, uint32_t node,
			       const char *network, guint index)
{
	g_autofree char *peer = jdoc_string(doc, node);
	g_autofree char *key = g_strdup_printf("%s\n%s", network, peer);
	struct lint_at at = {.network = network,
			     .kind = "network",
			     .id = network,
			     .place = jdoc_place(doc, node)};

	if (g_hash_table_contains(lint->foreign, key))
		return;
	g_snprintf(at.pointer, sizeof(at.pointer), "/networks/%s/peers/%u", network, index);
	lint_add(lint->findings, LINT_UNUSED_NETWORK_PEER, &at, peer, "remove the entry",
		 "no rule of network %s names a group of %s", network, peer);
}

static void check_networks(struct lint *lint, const struct jdoc *doc)
{
	uint32_t networks = jdoc_member(doc, JDOC_ROOT, "networks");

	for (uint32_t node = networks ? jdoc_first(doc, networks) : 0; node;
	     node = jdoc_next(doc, node)) {
		uint32_t peers =
			jdoc_kind(doc, node) == JDOC_OBJECT ? jdoc_member(doc, node, "peers") : 0;
		g_autofree char *name = jdoc_key(doc, node);
		guint index = 0;

		for (uint32_t peer = peers ? jdoc_first(doc, peers) : 0; peer;
		     peer = jdoc_next(doc, peer))
			check_network_peer(lint, doc, peer, name, index++);
	}
}

void lint_check_definitions(struct lint *lint)
{
	for (guint i = 0; i < lint->docs->len; i++) {
		check_services(lint, g_ptr_array_index(lint->docs, i));
		check_networks(lint, g_ptr_array_index(lint->docs, i));
	}
}
