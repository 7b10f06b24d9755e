/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_rule.c - what rules have without being written: ids from their content, the implied rules.
 */
#include "rulesd/model.h"

#include <stdlib.h>
#include <string.h>

#include "rulesd/names.h"

static int compare_ports(gconstpointer a, gconstpointer b)
{
	const struct model_ports *x = a, *y = b;

	return x->first != y->first ? (int)x->first - (int)y->first : (int)x->last - (int)y->last;
}

void model_ports_merge(GArray *ports)
{
	guint kept = 0;

	g_array_sort(ports, compare_ports);
	for (guint i = 0; i < ports->len; i++) {
		struct model_ports next = g_array_index(ports, struct model_ports, i);
		struct model_ports *last =
			kept ? &g_array_index(ports, struct model_ports, kept - 1) : NULL;

		if (last && next.first <= last->last + 1) {
			last->last = MAX(last->last, next.last);
			continue;
		}
		g_array_index(ports, struct model_ports, kept) = next;
		kept++;
	}
	g_array_set_size(ports, kept);
	if (kept == 1 && g_array_index(ports, struct model_ports, 0).first == 0 &&
	    g_array_index(ports, struct model_ports, 0).last == UINT16_MAX)
		g_array_set_size(ports, 0);
}

static void append_number(GString *text, unsigned int number)
{
	char digits[12];
	char *p = digits + sizeof(digits);

	do
		*--p = (char)('0' + number % 10);
	while (number /= 10);
	g_string_append_len(text, p, digits + sizeof(digits) - p);
}

/* "tcp 22-22 80-90", "icmp 8/0", "all": one protocol of a rule. */
static void append_match(GString *text, const struct model_match *match)
{
	char protocol[8];

	g_string_append(text, protocol_format(match->protocol, protocol));
	for (guint i = 0; match->ports && i < match->ports->len; i++) {
		const struct model_ports *range =
			&g_array_index(match->ports, struct model_ports, i);

		g_string_append_c(text, ' ');
		append_number(text, range->first);
		g_string_append_c(text, '-');
		append_number(text, range->last);
	}
	if (match->icmp_type >= 0)
		g_string_append_printf(text, " %d", match->icmp_type);
	if (match->icmp_code >= 0)
		g_string_append_printf(text, "/%d", match->icmp_code);
}

static void append_peer(GString *text, const struct model_peer *peer, const char *network)
{
	char cidr[CIDR_TEXT_SIZE];

	if (peer->kind == MODEL_PEER_ANY) {
		g_string_append(text, "any");
	} else if (peer->kind == MODEL_PEER_CIDR) {
		g_string_append(text, cidr_format(&peer->cidr, cidr));
	} else {
		if (g_strcmp0(peer->network, network) != 0) {
			g_string_append(text, peer->network);
			g_string_append_c(text, ':');
		}
		g_string_append(text, peer->id);
	}
}

static int compare_texts(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The lines of content from start on: sorted, without repeats. */
static void sort_lines(GString *content, size_t start)
{
	g_auto(GStrv) lines = g_strsplit(content->str + start, "\n", -1);
	guint count = g_strv_length(lines) - 1; /* the last one is empty */

	qsort(lines, count, sizeof(*lines), compare_texts);
	g_string_truncate(content, start);
	for (guint i = 0; i < count; i++)
		if (!i || strcmp(lines[i - 1], lines[i]) != 0)
			g_string_append_printf(content, "%s\n", lines[i]);
}

char *model_rule_content_id(const struct model_rule *rule, const char *network)
{
	g_autoptr(GString) content = g_string_sized_new(120);
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	uint8_t digest[32];
	gsize length = sizeof(digest), start;
	char *id;

	g_string_append(content, dir_name(rule->direction));
	g_string_append_c(content, '\n');
	start = content->len;
	for (guint i = 0; i < rule->matches->len; i++) {
		append_match(content, rule->matches->pdata[i]);
		g_string_append_c(content, '\n');
	}
	if (rule->matches->len > 1)
		sort_lines(content, start);
	start = content->len;
	for (guint i = 0; i < rule->peers->len; i++) {
		append_peer(content, rule->peers->pdata[i], network);
		g_string_append_c(content, '\n');
	}
	if (rule->peers->len > 1)
		sort_lines(content, start);
	g_checksum_update(checksum, (const guchar *)content->str, (gssize)content->len);
	g_checksum_get_digest(checksum, digest, &length);
	id = g_strdup("sgr-00000000");
	for (unsigned int i = 0; i < 8; i++)
		id[4 + i] = "0123456789abcdef"[digest[i / 2] >> (i % 2 ? 0 : 4) & 15];
	return id;
}

/* Every protocol, from or to one peer, which the rule then owns. */
static struct model_rule *implied_rule(enum sg_dir direction, struct model_peer *peer)
{
	struct model_rule *rule = model_rule_new(direction);

	rule->implied = true;
	g_ptr_array_add(rule->matches, model_match_new(SG_PROTO_ALL));
	g_ptr_array_add(rule->peers, peer);
	return rule;
}

struct model_rule *model_default_egress_new(void)
{
	struct model_rule *rule = implied_rule(SG_EGRESS, model_peer_new(MODEL_PEER_ANY));

	rule->id = g_strdup(MODEL_DEFAULT_EGRESS_RULE);
	return rule;
}

struct model_group *model_default_group_new(const char *network)
{
	struct model_group *group = model_group_new(network, MODEL_DEFAULT_GROUP);
	struct model_peer *self = model_peer_new(MODEL_PEER_GROUP);
	struct model_rule *ingress = implied_rule(SG_INGRESS, self);

	self->network = g_strdup(network);
	self->id = g_strdup(MODEL_DEFAULT_GROUP);
	ingress->id = model_rule_content_id(ingress, network);
	ingress->derived = true;
	group->implied = true;
	g_ptr_array_add(group->rules[SG_INGRESS], ingress);
	g_ptr_array_add(group->rules[SG_EGRESS], model_default_egress_new());
	return group;
}
