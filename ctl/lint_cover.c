/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_cover.c - boxes of rules and whether others cover them. See lint_cover.h.
 *
 * A box is covered when at each of its ports the union of the peers of the boxes there holds its
 * peer. Up to the first port where one of those boxes ends there is no less, so a sweep from end to
 * end sees all that matters.
 */
#include "ctl/lint_cover.h"

#include "ctl/lint_addresses.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"

#define LAST_SELECTOR UINT16_MAX
#define PROTOCOLS     256

struct box {
	uint16_t protocol; /* or SG_PROTO_ALL */
	uint16_t first, last;
	bool removed;
	guint rule, peer;
	const struct cover_set *set;
};

/* What is asked of the boxes: which of them count. */
struct question {
	guint rule, peer;   /* not these themselves */
	guint by;	    /* only this rule's, removed or not; or NO_RULE */
	const GArray *some; /* only these rules', or NULL */
	GArray *used;	    /* or NULL */
};
#define NO_RULE (~0u)

struct cover {
	struct cover_peers *peers;
	GArray *boxes;	/* of struct box, in the order of rules */
	GArray *starts; /* of guint: where the boxes of each rule begin, and the end */
	GArray *sorted[PROTOCOLS +
		       1]; /* of guint: boxes by protocol, in order of first; NULL: none */
	bool dirty;
	unsigned int protocols; /* how many of the single ones have boxes */
	GPtrArray *sets;	/* scratch: of struct cover_set */
	GArray *ranges;		/* scratch: of struct cover_range */
	GArray *at;		/* scratch: of guint, the boxes at a port */
};

struct cover *cover_new(struct cover_peers *peers)
{
	struct cover *cover = g_new0(struct cover, 1);
	const guint zero = 0;

	cover->peers = peers;
	cover->boxes = g_array_new(FALSE, FALSE, sizeof(struct box));
	cover->starts = g_array_new(FALSE, FALSE, sizeof(guint));
	g_array_append_val(cover->starts, zero);
	cover->sets = g_ptr_array_new();
	cover->ranges = g_array_new(FALSE, FALSE, sizeof(struct cover_range));
	cover->at = g_array_new(FALSE, FALSE, sizeof(guint));
	return cover;
}

void cover_free(struct cover **cover)
{
	if (!*cover)
		return;
	g_array_unref((*cover)->boxes);
	g_array_unref((*cover)->starts);
	for (int i = 0; i <= PROTOCOLS; i++)
		if ((*cover)->sorted[i])
			g_array_unref((*cover)->sorted[i]);
	g_ptr_array_unref((*cover)->sets);
	g_array_unref((*cover)->ranges);
	g_array_unref((*cover)->at);
	g_free(TAKE_PTR(*cover));
}

static struct box *box_at(const struct cover *cover, guint index)
{
	return &g_array_index(cover->boxes, struct box, index);
}

static guint first_box(const struct cover *cover, guint rule)
{
	return g_array_index(cover->starts, guint, rule);
}

/* ------------------------------------------------------------------ rules to boxes */

static unsigned int list_of(uint16_t protocol)
{
	return protocol == SG_PROTO_ALL ? PROTOCOLS : protocol;
}

static void add_box(struct cover *cover, struct box box, uint16_t first, uint16_t last)
{
	unsigned int list = list_of(box.protocol);
	guint index = cover->boxes->len;

	box.first = first;
	box.last = last;
	if (!cover->sorted[list]) {
		cover->sorted[list] = g_array_new(FALSE, FALSE, sizeof(guint));
		cover->protocols += list < PROTOCOLS;
	}
	g_array_append_val(cover->sorted[list], index);
	g_array_append_val(cover->boxes, box);
	cover->dirty = true;
}

static void add_match(struct cover *cover, const struct model_match *match, struct box box)
{
	box.protocol = match->protocol;
	if (protocol_is_icmp(match->protocol) && match->icmp_type >= 0) {
		unsigned int type = (unsigned int)match->icmp_type << 8;

		add_box(cover, box,
			(uint16_t)(type |
				   (unsigned int)(match->icmp_code < 0 ? 0 : match->icmp_code)),
			(uint16_t)(type |
				   (unsigned int)(match->icmp_code < 0 ? 255 : match->icmp_code)));
		return;
	}
	if (!match->ports || !match->ports->len) {
		add_box(cover, box, 0, LAST_SELECTOR);
		return;
	}
	for (guint i = 0; i < match->ports->len; i++) {
		const struct model_ports *ports =
			&g_array_index(match->ports, struct model_ports, i);

		add_box(cover, box, ports->first, ports->last);
	}
}

guint cover_add(struct cover *cover, const struct model_rule *rule, const GHashTable *skip)
{
	struct box box = {.rule = cover->starts->len - 1};

	for (guint i = 0; i < rule->peers->len; i++) {
		const struct model_peer *peer = g_ptr_array_index(rule->peers, i);

		if (skip && g_hash_table_contains((GHashTable *)(uintptr_t)skip, peer))
			continue;
		box.peer = i;
		box.set = cover_set_of(cover->peers, peer);
		for (guint j = 0; j < rule->matches->len; j++)
			add_match(cover, g_ptr_array_index(rule->matches, j), box);
	}
	g_array_append_val(cover->starts, cover->boxes->len);
	return box.rule;
}

void cover_remove(struct cover *cover, guint rule, guint peer)
{
	for (guint i = first_box(cover, rule); i < first_box(cover, rule + 1); i++)
		if (peer == COVER_EVERY_PEER || box_at(cover, i)->peer == peer)
			box_at(cover, i)->removed = true;
}

static int compare_first(gconstpointer a, gconstpointer b, gpointer data)
{
	const struct box *x = box_at(data, *(const guint *)a), *y = box_at(data, *(const guint *)b);

	return (int)x->first - (int)y->first;
}

static void sort_boxes(struct cover *cover)
{
	for (int i = 0; cover->dirty && i <= PROTOCOLS; i++)
		if (cover->sorted[i])
			g_array_sort_with_data(cover->sorted[i], compare_first, cover);
	cover->dirty = false;
}

/* ------------------------------------------------------------------ covering */

static bool counts(const struct question *question, const struct box *box)
{
	if (box->rule == question->rule &&
	    (question->peer == COVER_EVERY_PEER || box->peer == question->peer))
		return false;
	for (guint i = 0; question->some && i <= question->some->len; i++) {
		if (i == question->some->len)
			return false;
		if (g_array_index(question->some, guint, i) == box->rule)
			break;
	}
	return !box->removed;
}

static void note_used(const struct question *question, const struct box *box)
{
	if (question->used)
		g_array_append_val(question->used, box->rule);
}

/* What was collected at a port. */
struct at_port {
	uint16_t port;
	const struct cover_set *set; /* that is to be held */
	const struct box *best;	     /* holds it alone, and ends last of those; or NULL */
	uint16_t end;		     /* up to here no box ends that began before */
};

static void collect_box(struct cover *cover, struct at_port *at, guint index)
{
	const struct box *box = box_at(cover, index);

	if ((!at->best || box->last > at->best->last) && cover_set_holds(box->set, at->set))
		at->best = box;
	at->end = MIN(at->end, box->last);
	if (!at->best)
		g_array_append_val(cover->at, index);
}

static void collect(struct cover *cover, const struct question *question, unsigned int list,
		    struct at_port *at)
{
	const GArray *sorted = cover->sorted[list];

	for (guint i = 0; sorted && i < sorted->len; i++) {
		guint index = g_array_index(sorted, guint, i);
		const struct box *box = box_at(cover, index);

		if (box->first > at->port)
			break;
		if (box->last >= at->port && counts(question, box))
			collect_box(cover, at, index);
	}
}

/* The same of the boxes of a single rule. */
static void collect_rule(struct cover *cover, guint rule, unsigned int list, struct at_port *at)
{
	for (guint i = first_box(cover, rule); i < first_box(cover, rule + 1); i++) {
		const struct box *box = box_at(cover, i);

		if (list_of(box->protocol) == list && box->first <= at->port &&
		    box->last >= at->port)
			collect_box(cover, at, i);
	}
}

static bool union_holds(struct cover *cover, const struct question *question,
			const struct cover_set *set)
{
	g_ptr_array_set_size(cover->sets, 0);
	for (guint i = 0; i < cover->at->len; i++)
		g_ptr_array_add(cover->sets, (gpointer)(uintptr_t)box_at(
						     cover, g_array_index(cover->at, guint, i))
						     ->set);
	if (!cover_union_holds((const struct cover_set *const *)(void *)cover->sets->pdata,
			       cover->sets->len, set, cover->ranges))
		return false;
	for (guint i = 0; i < cover->at->len; i++)
		note_used(question, box_at(cover, g_array_index(cover->at, guint, i)));
	return true;
}

/* Whether the boxes at a port hold the set; *end becomes the last port up to which they do. */
static bool holds_at(struct cover *cover, const struct question *question, uint16_t protocol,
		     uint16_t port, const struct cover_set *set, uint16_t *end)
{
	const unsigned int lists[] = {list_of(protocol), PROTOCOLS};
	struct at_port at = {.port = port, .set = set, .end = *end};

	g_array_set_size(cover->at, 0);
	for (unsigned int i = protocol == SG_PROTO_ALL; i < G_N_ELEMENTS(lists); i++) {
		if (question->by != NO_RULE)
			collect_rule(cover, question->by, lists[i], &at);
		else
			collect(cover, question, lists[i], &at);
	}
	if (!at.best) {
		*end = at.end;
		return union_holds(cover, question, set);
	}
	*end = MIN(*end, at.best->last);
	note_used(question, at.best);
	return true;
}

static bool box_holds(struct cover *cover, const struct question *question, uint16_t protocol,
		      const struct box *box)
{
	for (unsigned int port = box->first; port <= box->last;) {
		uint16_t end = box->last;

		if (!holds_at(cover, question, protocol, (uint16_t)port, box->set, &end))
			return false;
		port = end + 1u;
	}
	return true;
}

static bool box_is_covered(struct cover *cover, const struct question *question,
			   const struct box *box)
{
	/* With a protocol that no rule names, only rules for all of them help. */
	if (box->protocol != SG_PROTO_ALL || cover->protocols < PROTOCOLS)
		return box_holds(cover, question, box->protocol, box);
	for (uint16_t protocol = 0; protocol < PROTOCOLS; protocol++)
		if (!box_holds(cover, question, protocol, box))
			return false;
	return true;
}

static int compare_numbers(gconstpointer a, gconstpointer b)
{
	const guint x = *(const guint *)a, y = *(const guint *)b;

	return (x > y) - (x < y);
}

static void sort_used(GArray *used)
{
	guint kept = 0;

	g_array_sort(used, compare_numbers);
	for (guint i = 0; i < used->len; i++)
		if (!i || g_array_index(used, guint, i) != g_array_index(used, guint, kept - 1))
			g_array_index(used, guint, kept++) = g_array_index(used, guint, i);
	g_array_set_size(used, kept);
}

static bool ask(struct cover *cover, const struct question *question)
{
	bool asked = false;

	sort_boxes(cover);
	for (guint i = first_box(cover, question->rule); i < first_box(cover, question->rule + 1);
	     i++) {
		const struct box *box = box_at(cover, i);

		if (question->peer != COVER_EVERY_PEER && box->peer != question->peer)
			continue;
		if (!box_is_covered(cover, question, box))
			return false;
		asked = true;
	}
	if (question->used)
		sort_used(question->used);
	return asked;
}

bool cover_holds(struct cover *cover, guint rule, guint peer, GArray *used)
{
	const struct question question = {.rule = rule, .peer = peer, .by = NO_RULE, .used = used};

	return ask(cover, &question);
}

bool cover_by_some(struct cover *cover, guint rule, guint peer, const GArray *by)
{
	const struct question question = {.rule = rule, .peer = peer, .by = NO_RULE, .some = by};

	return ask(cover, &question);
}

bool cover_by_one(struct cover *cover, guint rule, guint by)
{
	const struct question question = {.rule = rule, .peer = COVER_EVERY_PEER, .by = by};

	return ask(cover, &question);
}

void cover_candidates(struct cover *cover, guint rule, GArray *candidates)
{
	const struct box *box = box_at(cover, first_box(cover, rule));
	const unsigned int lists[] = {list_of(box->protocol), PROTOCOLS};

	sort_boxes(cover);
	for (unsigned int i = box->protocol == SG_PROTO_ALL; i < G_N_ELEMENTS(lists); i++) {
		const GArray *sorted = cover->sorted[lists[i]];

		for (guint j = 0; sorted && j < sorted->len; j++) {
			const struct box *other = box_at(cover, g_array_index(sorted, guint, j));

			if (other->first > box->first)
				break;
			if (other->last >= box->first && other->rule != rule)
				g_array_append_val(candidates, other->rule);
		}
	}
	sort_used(candidates);
}
