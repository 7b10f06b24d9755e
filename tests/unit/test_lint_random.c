/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_lint_random.c - random policies: what lint calls redundant may go, one by one and all at
 * once, and no verdict changes; and what it does not call so is missed by somebody.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/lint_cover.h"
#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "rulesd/eval.h"
#include "rulesd/image.h"
#include "rulesd/numbers.h"
#include "tests/lib/check.h"
#include "tests/lib/linted.h"
#include "tests/lib/random_policy.h"

#define POLICIES  200
#define PACKETS	  400
#define REDUNDANT "SG101 SG102 SG103 SG104 SG105"

struct evaluated {
	struct linted *linted;
	struct numbers *numbers;
	struct image *image;
};

static void evaluated_free(struct evaluated **evaluated)
{
	if (!*evaluated)
		return;
	image_free(&(*evaluated)->image);
	numbers_free(&(*evaluated)->numbers);
	linted_free(&(*evaluated)->linted);
	g_free(TAKE_PTR(*evaluated));
}

static struct evaluated *evaluate(const char *text)
{
	struct evaluated *evaluated = g_new0(struct evaluated, 1);
	struct diag *diag = diag_new();

	evaluated->linted = linted_new(text, NULL);
	evaluated->numbers = numbers_new();
	if (compile_image(evaluated->linted->model, evaluated->numbers, NULL, NULL,
			  &evaluated->image, diag))
		fail_msg("does not compile: %s", text);
	diag_free(&diag);
	return evaluated;
}

/* ------------------------------------------------------------------ packets */

/* Mostly between the interface and somebody: the guard drops the rest. */
static void random_packet(const struct random_vm *vm, struct eval_packet *packet)
{
	static const uint16_t protocols[] = {6, 6, 6, 17, 17, 1, 58, 132, 47, 112, 50};
	static const uint8_t types[] = {8, 8, 13, 128, 128, 3, 0, 255};
	bool v6 = random_chance(50);
	struct sg_addr *own;

	memset(packet, 0, sizeof(*packet));
	packet->direction = random_chance(50) ? SG_INGRESS : SG_EGRESS;
	packet->protocol = RANDOM_PICK(protocols);
	packet->sport = 40000;
	packet->dport = (uint16_t)(random_chance(80) ? random_port()
						     : (unsigned int)g_random_int_range(0, 65536));
	packet->icmp_type = RANDOM_PICK(types);
	packet->icmp_code = random_chance(70) ? 0 : (uint8_t)g_random_int_range(0, 256);
	own = packet->direction == SG_INGRESS ? &packet->dst : &packet->src;
	assert_int_equal(addr_parse(random_address(v6, true), &packet->src), 0);
	assert_int_equal(addr_parse(random_address(v6, true), &packet->dst), 0);
	if (random_chance(95))
		assert_int_equal(addr_parse(v6 ? vm->v6 : vm->v4, own), 0);
}

static bool allows(const struct evaluated *evaluated, const char *id,
		   const struct eval_packet *packet)
{
	const struct image_iface *iface = g_hash_table_lookup(evaluated->image->ifaces, id);

	return eval_packet(evaluated->image, iface, packet).reason < SG_DROP_FIRST;
}

static void assert_same_verdicts(const struct evaluated *a, const struct evaluated *b,
				 const char *what)
{
	for (int i = 0; i < PACKETS; i++) {
		const struct random_vm *vm = &random_vms[i % RANDOM_VMS];
		struct eval_packet packet;
		char src[ADDR_TEXT_SIZE], dst[ADDR_TEXT_SIZE];

		random_packet(vm, &packet);
		if (allows(a, vm->id, &packet) != allows(b, vm->id, &packet))
			fail_msg("%s: %s, direction %d, protocol %u, %s to %s port %u type %u/%u\n",
				 what, vm->id, (int)packet.direction, packet.protocol,
				 addr_format(&packet.src, src), addr_format(&packet.dst, dst),
				 packet.dport, packet.icmp_type, packet.icmp_code);
	}
}

/* ------------------------------------------------------------------ removing */

/* The place of a finding: source, group, direction, rule, and a peer or -1. */
struct removal {
	int source, rule, peer;
	char group[64], direction[16];
};

static struct removal removal_of(const struct lint_finding *finding)
{
	g_auto(GStrv) parts = g_strsplit(finding->pointer, "/", -1);
	struct removal removal = {.source = finding->place.file[0] - 'a',
				  .rule = atoi(parts[4]),
				  .peer = parts[5] ? atoi(parts[6]) : -1};

	g_strlcpy(removal.group, parts[2], sizeof(removal.group));
	g_strlcpy(removal.direction, parts[3], sizeof(removal.direction));
	return removal;
}

static json_t *rules_of(json_t *documents, const struct removal *removal)
{
	json_t *document = json_array_get(documents, (size_t)removal->source);
	json_t *group = json_object_get(json_object_get(document, "groups"), removal->group);

	return json_object_get(group, removal->direction);
}

/* Peers first: they become null, then rules do, so that no index moves before all are gone. */
static void take_out(json_t *documents, const struct removal *removal)
{
	json_t *rules = rules_of(documents, removal);
	json_t *rule = json_array_get(rules, (size_t)removal->rule);
	json_t *peers = json_object_get(rule, "from") ? json_object_get(rule, "from")
						      : json_object_get(rule, "to");

	if (removal->peer < 0)
		json_array_set_new(rules, (size_t)removal->rule, json_null());
	else if (rule && !json_is_null(rule))
		json_array_set_new(peers, (size_t)removal->peer, json_null());
}

static void drop_nulls(json_t *value)
{
	const char *key;
	json_t *item;

	json_object_foreach (value, key, item)
		drop_nulls(item);
	for (size_t i = json_array_size(value); i-- > 0;) {
		if (json_is_null(json_array_get(value, i)))
			json_array_remove(value, i);
		else
			drop_nulls(json_array_get(value, i));
	}
}

/* The policy without what the findings from first to last (not included) name. */
static char *without(const char *text, const GArray *removals, guint first, guint last)
{
	g_auto(GStrv) parts = g_strsplit(text, "\n---\n", -1);
	AUTO_JSON json_t *documents = json_array();
	GString *left = g_string_new(NULL);

	for (char **part = parts; *part; part++)
		json_array_append_new(documents, json_loads(*part, 0, NULL));
	for (guint i = first; i < last; i++)
		take_out(documents, &g_array_index(removals, struct removal, i));
	drop_nulls(documents);
	for (size_t i = 0; i < json_array_size(documents); i++) {
		char *dump = json_dumps(json_array_get(documents, i), 0);

		g_string_append_printf(left, "%s%s", i ? "\n---\n" : "", dump);
		free(dump);
	}
	return g_string_free(left, FALSE);
}

static GArray *redundant(const struct linted *linted)
{
	GArray *removals = g_array_new(FALSE, FALSE, sizeof(struct removal));
	const GPtrArray *all = linted->result.findings->all;

	for (guint i = 0; i < all->len; i++) {
		const struct lint_finding *finding = g_ptr_array_index(all, i);

		if (strstr(REDUNDANT, finding->check->code)) {
			struct removal removal = removal_of(finding);

			g_array_append_val(removals, removal);
		}
	}
	return removals;
}

static void compare_without(const struct evaluated *whole, const char *text, const GArray *removals,
			    guint first, guint last)
{
	g_autofree char *left = without(text, removals, first, last);
	CLEANUP(evaluated_free) struct evaluated *rest = evaluate(left);
	g_autofree char *codes = linted_text(whole->linted, REDUNDANT);
	g_autofree char *what = g_strdup_printf("%s\n%s%s", text, codes, left);

	assert_same_verdicts(whole, rest, what);
}

static void what_is_redundant_may_go(void **state)
{
	guint found = 0;

	(void)state;
	g_random_set_seed(20261121);
	for (int i = 0; i < POLICIES; i++) {
		g_autofree char *text = random_policy(false);
		CLEANUP(evaluated_free) struct evaluated *whole = evaluate(text);
		g_autoptr(GArray) removals = redundant(whole->linted);

		found += removals->len;
		compare_without(whole, text, removals, 0, removals->len);
		for (guint j = 0; j < removals->len; j++)
			compare_without(whole, text, removals, j, j + 1);
	}
	/* Not a test of nothing. */
	assert_true(found > POLICIES);
}

/* After all that was found is gone, nothing is found any more. */
static void once_is_enough(void **state)
{
	(void)state;
	g_random_set_seed(20261122);
	for (int i = 0; i < POLICIES; i++) {
		g_autofree char *text = random_policy(false);
		CLEANUP(linted_free) struct linted *first = linted_new(text, NULL);
		g_autoptr(GArray) removals = redundant(first);
		g_autofree char *left = without(text, removals, 0, removals->len);
		CLEANUP(linted_free) struct linted *second = linted_new(left, NULL);
		g_autofree char *codes = linted_text(second, REDUNDANT);

		if (*codes)
			fail_msg("%s\nwithout: %s\n%s", text, left, codes);
	}
}

/* ------------------------------------------------------------------ covering, point by point */

/* A tiny world: every point is tried. */
struct point {
	uint16_t protocol, selector;
	struct sg_addr addr;
	const char
		*group; /* instead of addr: a member that is in no prefix but a /0 of family v6 */
	bool v6;
};

static const char *const tiny_cidrs[] = {"0.0.0.0/0",	"::/0",	       "10.0.0.0/30", "10.0.0.0/31",
					 "10.0.0.2/31", "10.0.0.0/32", "10.0.0.1/32", "10.0.0.2/32",
					 "10.0.0.3/32", "fd00::/127",  "fd00::1/128", "fd00::/128"};
static const char *const tiny_peers[] = {"any", "sg-a", "sg-b", "pl-x", "pl-y"};
static const char *const tiny_matches[] = {
	"\"protocol\": \"tcp\", \"ports\": [1]",
	"\"protocol\": \"tcp\", \"ports\": [\"1-3\"]",
	"\"protocol\": \"tcp\", \"ports\": [\"2-3\", 5]",
	"\"protocol\": \"tcp\", \"ports\": [\"0-2\"]",
	"\"protocol\": \"tcp\", \"ports\": [\"3-65535\"]",
	"\"protocol\": \"tcp\"",
	"\"protocol\": \"udp\", \"ports\": [\"1-3\"]",
	"\"protocol\": \"icmp\", \"icmp\": {\"type\": 0}",
	"\"protocol\": \"icmp\", \"icmp\": {\"type\": 0, \"code\": 2}",
	"\"protocol\": \"icmp\", \"icmp\": {\"type\": 0, \"code\": 0}",
	"\"protocol\": \"icmp\"",
	"\"protocol\": 47",
	"\"protocol\": \"all\"",
};
static const uint16_t tiny_protocols[] = {6, 17, 1, 47, 112};
static const uint16_t tiny_selectors[] = {0, 1, 2, 3, 4, 5, 6, 255, 256, 65535};
static const char *const tiny_addresses[] = {"10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3",
					     "10.0.0.4", "9.9.9.9",  "fd00::",	 "fd00::1",
					     "fd00::2",	 "::",	     "ffff::"};

static char *tiny_policy(void)
{
	GString *json = g_string_new(
		"{\"version\": 1, \"prefix_lists\": {\"pl-x\": {\"entries\": [\"10.0.0.0/32\", "
		"\"10.0.0.1/32\", \"fd00::/128\"]}, \"pl-y\": {\"entries\": [\"10.0.0.2/31\", "
		"\"fd00::1/128\"]}}, \"groups\": {\"sg-b\": {}, \"sg-a\": {\"ingress\": [");

	for (int i = 0, count = g_random_int_range(2, 7); i < count; i++) {
		guint cidr = g_random_int(), peer = g_random_int();

		g_string_append_printf(json, "%s{\"id\": \"r%d\", %s, \"from\": [", i ? ", " : "",
				       i, RANDOM_PICK(tiny_matches));
		for (int j = 0, peers = g_random_int_range(1, 4); j < peers; j++)
			g_string_append_printf(
				json, "%s\"%s\"", j ? ", " : "",
				random_chance(60) ? tiny_cidrs[cidr++ % G_N_ELEMENTS(tiny_cidrs)]
						  : tiny_peers[peer++ % G_N_ELEMENTS(tiny_peers)]);
		g_string_append(json, "]}");
	}
	g_string_append(json, "]}}}");
	return g_string_free(json, FALSE);
}

static bool cidr_has(const struct cidr *cidr, const struct point *point)
{
	if (point->group)
		return cidr->bits == 0 && addr_is_v4(&cidr->addr) != point->v6;
	return cidr_contains(cidr, &point->addr);
}

static bool peer_has(const struct model *model, const struct model_peer *peer,
		     const struct point *point)
{
	const struct model_prefix_list *list;

	if (peer->kind == MODEL_PEER_ANY)
		return true;
	if (peer->kind == MODEL_PEER_CIDR)
		return cidr_has(&peer->cidr, point);
	if (peer->kind == MODEL_PEER_GROUP)
		return point->group && strcmp(peer->id, point->group) == 0;
	list = model_prefix_list(model, peer->network, peer->id);
	for (guint i = 0; i < list->entries->len; i++)
		if (cidr_has(&g_array_index(list->entries, struct cidr, i), point))
			return true;
	return false;
}

static bool match_has(const struct model_match *match, const struct point *point)
{
	if (match->protocol == SG_PROTO_ALL)
		return true;
	if (match->protocol != point->protocol)
		return false;
	if (match->icmp_type >= 0)
		return point->selector >> 8 == match->icmp_type &&
		       (match->icmp_code < 0 || (point->selector & 255) == match->icmp_code);
	if (!match->ports || !match->ports->len)
		return true;
	for (guint i = 0; i < match->ports->len; i++) {
		const struct model_ports *ports =
			&g_array_index(match->ports, struct model_ports, i);

		if (ports->first <= point->selector && point->selector <= ports->last)
			return true;
	}
	return false;
}

static bool rule_has(const struct model *model, const struct model_rule *rule, guint peer,
		     const struct point *point)
{
	for (guint i = 0; i < rule->matches->len; i++) {
		if (!match_has(g_ptr_array_index(rule->matches, i), point))
			continue;
		for (guint j = 0; j < rule->peers->len; j++)
			if ((peer == COVER_EVERY_PEER || peer == j) &&
			    peer_has(model, g_ptr_array_index(rule->peers, j), point))
				return true;
	}
	return false;
}

/* The other rules, and the other peers of this one. */
static bool others_have(const struct model *model, const GPtrArray *rules, guint rule, guint peer,
			const struct point *point)
{
	for (guint i = 0; i < rules->len; i++) {
		const struct model_rule *other = g_ptr_array_index(rules, i);

		if (i != rule && rule_has(model, other, COVER_EVERY_PEER, point))
			return true;
		for (guint j = 0; i == rule && peer != COVER_EVERY_PEER && j < other->peers->len;
		     j++)
			if (j != peer && rule_has(model, other, j, point))
				return true;
	}
	return false;
}

static GArray *all_points(void)
{
	GArray *points = g_array_new(FALSE, TRUE, sizeof(struct point));

	for (guint p = 0; p < G_N_ELEMENTS(tiny_protocols); p++)
		for (guint s = 0; s < G_N_ELEMENTS(tiny_selectors); s++) {
			struct point point = {.protocol = tiny_protocols[p],
					      .selector = tiny_selectors[s]};

			for (guint a = 0; a < G_N_ELEMENTS(tiny_addresses); a++) {
				addr_parse(tiny_addresses[a], &point.addr);
				g_array_append_val(points, point);
			}
			for (int i = 0; i < 4; i++) {
				point.group = i & 1 ? "sg-a" : "sg-b";
				point.v6 = i & 2;
				g_array_append_val(points, point);
			}
		}
	return points;
}

static bool brute_force(const struct model *model, const GPtrArray *rules, guint rule, guint peer,
			const GArray *points)
{
	const struct model_rule *subject = g_ptr_array_index(rules, rule);

	for (guint i = 0; i < points->len; i++) {
		const struct point *point = &g_array_index(points, struct point, i);

		if (rule_has(model, subject, peer, point) &&
		    !others_have(model, rules, rule, peer, point))
			return false;
	}
	return true;
}

static void covering_is_exact(void **state)
{
	g_autoptr(GArray) points = all_points();
	guint covered = 0, asked = 0;

	(void)state;
	g_random_set_seed(20261123);
	for (int i = 0; i < 3000; i++) {
		g_autofree char *text = tiny_policy();
		CLEANUP(linted_free) struct linted *linted = linted_new(text, NULL);
		const struct model_group *group = model_group(linted->model, "default", "sg-a");
		const GPtrArray *rules = group->rules[SG_INGRESS];
		CLEANUP(cover_peers_free)
		struct cover_peers *peers = cover_peers_new(linted->model);
		CLEANUP(cover_free) struct cover *cover = cover_new(peers);

		for (guint j = 0; j < rules->len; j++)
			cover_add(cover, g_ptr_array_index(rules, j), NULL);
		for (guint j = 0; j < rules->len; j++) {
			const struct model_rule *rule = g_ptr_array_index(rules, j);

			for (guint k = 0; k <= rule->peers->len; k++) {
				guint peer = k == rule->peers->len ? COVER_EVERY_PEER : k;
				bool truth = brute_force(linted->model, rules, j, peer, points);

				if (cover_holds(cover, j, peer, NULL) != truth)
					fail_msg("rule %u peer %d is %scovered: %s", j, (int)peer,
						 truth ? "" : "not ", text);
				covered += truth;
				asked++;
			}
		}
	}
	assert_true(covered > 1000 && asked - covered > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_redundant_may_go),
		cmocka_unit_test(once_is_enough),
		cmocka_unit_test(covering_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
