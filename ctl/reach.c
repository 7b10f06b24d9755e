/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reach.c - see reach.h. */
#include "ctl/reach.h"

#include <netinet/in.h>
#include <string.h>

#include "rulesd/addr.h"
#include "rulesd/names.h"

struct search {
	const struct model *model;
	const struct image *image;
	const struct model_interface *iface;
	const struct image_iface *compiled;
	const struct reach_query *query;
	const struct reach_expected *expected;
	GArray *cuts;	/* of struct sg_addr, sorted: where a piece begins */
	GArray *points; /* of struct sg_addr, sorted: members, judged one by one */
	GArray *values; /* of uint16_t: a port (or ICMP type and code) of each piece */
	struct reach_answer answer;
};

/* ---------------------------------------------------------------- addresses as numbers */

static bool next_address(struct sg_addr *addr)
{
	for (int i = 15; i >= 0; i--)
		if (++addr->b[i])
			return true;
	return false;
}

static void previous_address(struct sg_addr *addr)
{
	for (int i = 15; i >= 0 && !addr->b[i]--; i--)
		;
}

static struct sg_addr last_of(const struct cidr *cidr)
{
	struct sg_addr last = cidr->addr;

	for (unsigned int bit = cidr_mapped_bits(cidr); bit < 128; bit++)
		last.b[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
	return last;
}

static gint compare_addresses(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, sizeof(struct sg_addr));
}

static void sort_unique(GArray *addresses)
{
	guint kept = 0;

	g_array_sort(addresses, compare_addresses);
	for (guint i = 0; i < addresses->len; i++) {
		const struct sg_addr *addr = &g_array_index(addresses, struct sg_addr, i);

		if (!kept || compare_addresses(addr, &g_array_index(addresses, struct sg_addr,
								    kept - 1)) != 0)
			g_array_index(addresses, struct sg_addr, kept++) = *addr;
	}
	g_array_set_size(addresses, kept);
}

/* The first index whose address is not below addr. */
static guint lower_bound(const GArray *addresses, const struct sg_addr *addr)
{
	guint low = 0, high = addresses->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;

		if (compare_addresses(&g_array_index(addresses, struct sg_addr, middle), addr) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* IPv4 lives inside ::/0, at ::ffff:0:0/96: an IPv6 prefix around it is what lies before and
 * after. */
void reach_add_cidr(GArray *ranges, const struct cidr *cidr)
{
	static const struct cidr v4 = {.addr = {.b = {[10] = 0xff, [11] = 0xff}}, .bits = 0};
	struct reach_range range = {.first = cidr->addr, .last = last_of(cidr)};
	struct reach_range before = {.first = cidr->addr, .last = v4.addr};
	struct reach_range after = {.first = last_of(&v4), .last = range.last};

	if (addr_is_v4(&cidr->addr) || compare_addresses(&range.first, &v4.addr) > 0 ||
	    compare_addresses(&range.last, &v4.addr) < 0) {
		g_array_append_val(ranges, range);
		return;
	}
	previous_address(&before.last);
	next_address(&after.first);
	g_array_append_val(ranges, before);
	g_array_append_val(ranges, after);
}

void reach_add_group(GArray *ranges, const struct model_network *network, const char *group)
{
	for (guint i = 0; i < network->interfaces->len; i++) {
		const struct model_interface *iface = g_ptr_array_index(network->interfaces, i);

		if (!model_groups_have(iface->groups, group))
			continue;
		for (uint32_t j = 0; j < iface->address_count; j++) {
			struct reach_range range = {iface->addresses[j], iface->addresses[j]};

			g_array_append_val(ranges, range);
		}
	}
}

/* ---------------------------------------------------------------- where verdicts can change */

static void cut_cidr(struct search *search, const struct cidr *cidr)
{
	struct sg_addr after = last_of(cidr);

	g_array_append_val(search->cuts, cidr->addr);
	if (next_address(&after))
		g_array_append_val(search->cuts, after);
}

static void cut_text(struct search *search, const char *text)
{
	struct cidr cidr;

	if (!cidr_parse(text, &cidr))
		cut_cidr(search, &cidr);
}

static void add_members(struct search *search, const struct model_peer *peer)
{
	const struct model_network *network = model_network(search->model, peer->network);
	g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(struct reach_range));

	if (network)
		reach_add_group(ranges, network, peer->id);
	for (guint i = 0; i < ranges->len; i++)
		g_array_append_val(search->points,
				   g_array_index(ranges, struct reach_range, i).first);
}

static void cut_peer(struct search *search, const struct model_peer *peer)
{
	const struct model_prefix_list *list;

	switch (peer->kind) {
	case MODEL_PEER_ANY:
		break;
	case MODEL_PEER_CIDR:
		cut_cidr(search, &peer->cidr);
		break;
	case MODEL_PEER_GROUP:
		add_members(search, peer);
		break;
	case MODEL_PEER_PREFIX_LIST:
		list = model_prefix_list(search->model, search->iface->network, peer->id);
		for (guint i = 0; list && i < list->entries->len; i++)
			cut_cidr(search, &g_array_index(list->entries, struct cidr, i));
		break;
	}
}

static void cut_rules(struct search *search, const struct model_network *network)
{
	for (uint32_t i = 0; i < search->iface->groups->count; i++) {
		const struct model_group *group =
			g_hash_table_lookup(network->groups, search->iface->groups->ids[i]);
		const GPtrArray *rules = group ? group->rules[search->query->direction] : NULL;

		for (guint j = 0; rules && j < rules->len; j++) {
			const struct model_rule *rule = g_ptr_array_index(rules, j);

			for (guint k = 0; k < rule->peers->len; k++)
				cut_peer(search, g_ptr_array_index(rule->peers, k));
		}
	}
	for (guint i = 0; i < network->exempt->len; i++) {
		const struct model_exempt *exempt = g_ptr_array_index(network->exempt, i);
		struct cidr host = {.addr = exempt->address,
				    .bits = addr_is_v4(&exempt->address) ? 32 : 128};

		cut_cidr(search, &host);
	}
}

/* What the guard knows: own and allowed addresses, and what no packet comes from. */
static void cut_guard(struct search *search)
{
	static const char *const special[] = {
		"0.0.0.0/0",	  "0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "255.255.255.255",
		"169.254.0.0/16", "::/0",      "::/96",	      "::1",	     "fe80::/10",
		"ff00::/8",
	};
	struct cidr link_local = {.bits = 128};

	for (guint i = 0; i < search->compiled->guards->len; i++)
		cut_cidr(search,
			 &g_array_index(search->compiled->guards, struct image_guard, i).cidr);
	for (size_t i = 0; i < G_N_ELEMENTS(special); i++)
		cut_text(search, special[i]);
	link_local.addr = addr_link_local_of_mac(search->compiled->mac);
	cut_cidr(search, &link_local);
}

/* ---------------------------------------------------------------- ports, types and codes */

static gint compare_values(gconstpointer a, gconstpointer b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* The first value of each piece that lies in first..last. */
static void add_values(struct search *search, const GArray *starts, unsigned int first,
		       unsigned int last)
{
	uint16_t value = (uint16_t)first;

	g_array_append_val(search->values, value);
	for (guint i = 0; i < starts->len; i++) {
		value = g_array_index(starts, uint16_t, i);
		if (value > first && value <= last)
			g_array_append_val(search->values, value);
	}
}

static GArray *value_starts(const struct search *search)
{
	GArray *starts = g_array_new(FALSE, FALSE, sizeof(uint16_t));
	const struct image_policy *policy = search->compiled->policy;

	for (uint32_t i = 0; i < policy->entry_count; i++) {
		const struct image_ports *ports = &policy->entries[i];

		for (uint32_t j = 0; j < ports->count; j++) {
			const struct sg_interval *interval = &ports->intervals[j];
			uint16_t after = (uint16_t)(interval->last + 1);

			g_array_append_val(starts, interval->first);
			if (after)
				g_array_append_val(starts, after);
		}
	}
	/* The evaluator knows some ICMP types by themselves. */
	for (unsigned int type = 0; protocol_is_icmp(search->query->protocol) && type < 256;
	     type++) {
		uint16_t zero = (uint16_t)(type << 8), one = (uint16_t)(type << 8 | 1);

		g_array_append_val(starts, zero);
		g_array_append_val(starts, one);
	}
	g_array_sort(starts, compare_values);
	return starts;
}

static void find_values(struct search *search)
{
	const struct reach_query *query = search->query;
	g_autoptr(GArray) starts = value_starts(search);

	if (protocol_is_icmp(query->protocol)) {
		unsigned int low = query->icmp_type < 0 ? 0 : (unsigned int)query->icmp_type;
		unsigned int high = query->icmp_type < 0 ? 255 : low;

		for (unsigned int type = low; type <= high; type++)
			add_values(
				search, starts,
				type << 8 |
					(query->icmp_code < 0 ? 0 : (unsigned int)query->icmp_code),
				type << 8 |
					(query->icmp_code < 0 ? 255
							      : (unsigned int)query->icmp_code));
	} else if (!protocol_has_ports(query->protocol)) {
		add_values(search, starts, 0, 0);
	} else if (!query->ports->len) {
		add_values(search, starts, 0, 65535);
	}
	for (guint i = 0; protocol_has_ports(query->protocol) && i < query->ports->len; i++) {
		const struct model_ports *ports =
			&g_array_index(query->ports, struct model_ports, i);

		add_values(search, starts, ports->first, ports->last);
	}
}

/* ---------------------------------------------------------------- one packet */

static bool meets(const struct search *search, struct eval_verdict verdict)
{
	const struct reach_expected *expected = search->expected;
	const char *rule = image_rule_name(search->image, verdict.rule);

	if (sg_reason_is_drop(verdict.reason) == expected->allow)
		return false;
	if (expected->rule && (!rule || strcmp(rule, expected->rule) != 0))
		return false;
	return !expected->reason || strcmp(reason_name(verdict.reason), expected->reason) == 0;
}

/* What nobody asks about who asks about many addresses. */
static bool is_left_out(const struct search *search, const struct sg_addr *remote)
{
	struct sg_addr own = addr_link_local_of_mac(search->compiled->mac);

	if (search->query->unicast_only &&
	    (addr_is_martian_source(remote) || addr_is_multicast(remote) ||
	     (!remote->q[0] && !remote->w[2])))
		return true;
	for (uint32_t i = 0; search->query->skip_own && i < search->iface->address_count; i++)
		if (addr_equal(remote, &search->iface->addresses[i]))
			return true;
	return search->query->skip_own && search->compiled->flags & SG_IF_CHECK_MAC &&
	       addr_equal(remote, &own);
}

static void judge(struct search *search, const struct sg_addr *remote, const struct sg_addr *local,
		  uint16_t value)
{
	const struct reach_query *query = search->query;
	bool egress = query->direction == SG_EGRESS;
	struct eval_packet packet = {
		.direction = query->direction,
		.protocol = query->protocol,
		.src = egress ? *local : *remote,
		.dst = egress ? *remote : *local,
	};
	struct eval_verdict verdict;

	if (protocol_has_ports(query->protocol)) {
		packet.sport = query->sport;
		packet.dport = value;
	} else if (protocol_is_icmp(query->protocol)) {
		packet.icmp_type = (uint8_t)(value >> 8);
		packet.icmp_code = (uint8_t)value;
	}
	verdict = eval_packet(search->image, search->compiled, &packet);
	search->answer.tried++;
	if (meets(search, verdict))
		return;
	search->answer.holds = false;
	search->answer.packet = packet;
	search->answer.verdict = verdict;
}

static bool protocol_fits(uint16_t protocol, bool is_v4)
{
	return protocol != (is_v4 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

static void judge_address(struct search *search, const struct sg_addr *remote)
{
	bool is_v4 = addr_is_v4(remote);
	const struct sg_addr *locals =
		search->query->local ? search->query->local : search->iface->addresses;
	uint32_t count = search->query->local ? 1 : search->iface->address_count;

	if (is_left_out(search, remote) || !protocol_fits(search->query->protocol, is_v4))
		return;
	for (uint32_t i = 0; i < count; i++)
		for (guint j = 0; addr_is_v4(&locals[i]) == is_v4 && search->answer.holds &&
				  j < search->values->len;
		     j++)
			judge(search, remote, &locals[i],
			      g_array_index(search->values, uint16_t, j));
}

/* ---------------------------------------------------------------- all of them */

/* An address of first..last that is no member; false when all are. */
static bool find_plain(const struct search *search, const struct sg_addr *first,
		       const struct sg_addr *last, struct sg_addr *found)
{
	*found = *first;
	for (guint i = lower_bound(search->points, first); i < search->points->len; i++) {
		if (compare_addresses(&g_array_index(search->points, struct sg_addr, i), found) !=
		    0)
			break;
		if (!next_address(found))
			return false;
	}
	return compare_addresses(found, last) <= 0;
}

static void judge_range(struct search *search, const struct reach_range *range)
{
	struct sg_addr at = range->first, plain;

	while (search->answer.holds && compare_addresses(&at, &range->last) <= 0) {
		struct sg_addr next = at, last = range->last;
		guint cut =
			next_address(&next) ? lower_bound(search->cuts, &next) : search->cuts->len;
		bool more = cut < search->cuts->len &&
			    compare_addresses(&g_array_index(search->cuts, struct sg_addr, cut),
					      &range->last) <= 0;

		if (more) {
			next = g_array_index(search->cuts, struct sg_addr, cut);
			last = next;
			previous_address(&last);
		}
		if (find_plain(search, &at, &last, &plain))
			judge_address(search, &plain);
		if (!more)
			break;
		at = next;
	}
	for (guint i = lower_bound(search->points, &range->first);
	     search->answer.holds && i < search->points->len; i++) {
		const struct sg_addr *point = &g_array_index(search->points, struct sg_addr, i);

		if (compare_addresses(point, &range->last) > 0)
			break;
		judge_address(search, point);
	}
}

struct reach_answer reach_ask(const struct model *model, const struct image *image,
			      const struct model_interface *iface, const struct reach_query *query,
			      const struct reach_expected *expected)
{
	struct search search = {
		.model = model,
		.image = image,
		.iface = iface,
		.compiled = image_iface(image, iface->id),
		.query = query,
		.expected = expected,
		.cuts = g_array_new(FALSE, FALSE, sizeof(struct sg_addr)),
		.points = g_array_new(FALSE, FALSE, sizeof(struct sg_addr)),
		.values = g_array_new(FALSE, FALSE, sizeof(uint16_t)),
		.answer = {.holds = true},
	};

	cut_rules(&search, model_network(model, iface->network));
	cut_guard(&search);
	sort_unique(search.cuts);
	sort_unique(search.points);
	find_values(&search);
	for (guint i = 0; i < query->remote->len && search.answer.holds; i++)
		judge_range(&search, &g_array_index(query->remote, struct reach_range, i));
	g_array_unref(search.cuts);
	g_array_unref(search.points);
	g_array_unref(search.values);
	return search.answer;
}
