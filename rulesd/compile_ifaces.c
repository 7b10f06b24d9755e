/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile_ifaces.c - interfaces of this host: their guards, settings and policy.
 */
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile_parts.h"

/* ---------------------------------------------------------------- guards */

static int compare_guards(gconstpointer a, gconstpointer b)
{
	const struct image_guard *left = a, *right = b;

	return cidr_compare(&left->cidr, &right->cidr);
}

static void add_guard(GArray *guards, struct cidr cidr, uint32_t bits)
{
	struct image_guard guard = {.cidr = cidr, .bits = bits};

	g_array_append_val(guards, guard);
}

/* Whether an IPv6 prefix lies around ::ffff:0:0/96, which is where IPv4 lives. */
static bool surrounds_v4(const struct cidr *cidr)
{
	static const struct sg_addr v4 = {.b = {[10] = 0xff, [11] = 0xff}};
	unsigned int rest = cidr->bits % 8;

	if (addr_is_v4(&cidr->addr) || cidr->bits >= 96 ||
	    memcmp(cidr->addr.b, v4.b, cidr->bits / 8) != 0)
		return false;
	return !rest || !((cidr->addr.b[cidr->bits / 8] ^ v4.b[cidr->bits / 8]) >> (8 - rest));
}

/* The guard's trie knows no families, so ::/0 would match IPv4. The hole is an entry that holds
 * nothing. */
static void add_hole(GArray *guards)
{
	struct cidr all_v4 = {.addr = {.b = {[10] = 0xff, [11] = 0xff}}, .bits = 0};
	bool needed = false;

	for (guint i = 0; i < guards->len; i++)
		needed |= surrounds_v4(&g_array_index(guards, struct image_guard, i).cidr);
	if (needed)
		add_guard(guards, all_v4, SG_GUARD_HOLE);
}

static void merge_guards(GArray *guards)
{
	guint kept = 0;

	g_array_sort(guards, compare_guards);
	for (guint i = 0; i < guards->len; i++) {
		const struct image_guard *guard = &g_array_index(guards, struct image_guard, i);
		struct image_guard *last =
			kept ? &g_array_index(guards, struct image_guard, kept - 1) : NULL;

		if (last && !compare_guards(last, guard))
			last->bits |= guard->bits;
		else
			g_array_index(guards, struct image_guard, kept++) = *guard;
	}
	g_array_set_size(guards, kept);
}

/*
 * The longest match alone decides, so each entry has the bits of those around it. In the order of
 * cidr_compare what lies around a prefix comes before it, and IPv4 in the middle of IPv6: open
 * holds the prefixes around the one at hand.
 */
static void inherit_guards(GArray *guards)
{
	g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(struct image_guard));

	for (guint i = 0; i < guards->len; i++) {
		struct image_guard *guard = &g_array_index(guards, struct image_guard, i);

		while (open->len) {
			const struct image_guard *last =
				&g_array_index(open, struct image_guard, open->len - 1);

			if (cidr_covers(&last->cidr, &guard->cidr)) {
				guard->bits |= last->bits & SG_GUARD_ALLOWED;
				break;
			}
			if (!addr_is_v4(&last->cidr.addr) && addr_is_v4(&guard->cidr.addr))
				break;
			g_array_set_size(open, open->len - 1);
		}
		if (guard->bits & (SG_GUARD_OWN | SG_GUARD_ALLOWED))
			guard->bits &= ~(uint32_t)SG_GUARD_HOLE;
		g_array_append_val(open, *guard);
	}
}

static GArray *guards_of(const struct model_interface *iface)
{
	GArray *guards = g_array_new(FALSE, FALSE, sizeof(struct image_guard));

	for (uint32_t i = 0; i < iface->address_count; i++) {
		const struct sg_addr *addr = &iface->addresses[i];
		struct cidr host = {.addr = *addr, .bits = addr_is_v4(addr) ? 32 : 128};

		add_guard(guards, host, SG_GUARD_OWN);
	}
	for (uint32_t i = 0; i < iface->settings->allowed_count; i++)
		add_guard(guards, iface->settings->allowed[i], SG_GUARD_ALLOWED);
	add_hole(guards);
	merge_guards(guards);
	inherit_guards(guards);
	return guards;
}

/* ---------------------------------------------------------------- interfaces */

static void first_addresses(const struct model_interface *iface, struct image_iface *compiled)
{
	for (uint32_t i = iface->address_count; i-- > 0;) {
		const struct sg_addr *addr = &iface->addresses[i];

		if (addr_is_v4(addr))
			compiled->addr4 = *addr;
		else
			compiled->addr6 = *addr;
	}
}

bool compile_is_ours(const struct model_interface *iface, const char *host)
{
	const struct model_settings *own = iface->settings;

	return !host || (own->device && (!own->host || strcmp(own->host, host) == 0));
}

static struct image_iface *iface_new(const struct compile *compile,
				     const struct model_interface *iface)
{
	const struct model_settings *settings = iface->settings;
	struct image_iface *made = g_new0(struct image_iface, 1);

	made->id = g_strdup(iface->id);
	made->device = g_strdup(settings->device);
	made->flags = (settings->spoof_guard ? SG_IF_SPOOF_GUARD : 0u) |
		      (settings->has_mac ? SG_IF_CHECK_MAC : 0u) |
		      (settings->vlan_count ? SG_IF_VLANS : 0u);
	if (settings->has_mac)
		memcpy(made->mac, settings->mac, sizeof(made->mac));
	first_addresses(iface, made);
	made->hook = settings->hook;
	made->conntrack = model_effective_conntrack(compile->model, iface);
	made->guards = guards_of(iface);
	made->vlans = g_array_new(FALSE, FALSE, sizeof(uint16_t));
	if (settings->vlan_count)
		g_array_append_vals(made->vlans, settings->vlans, settings->vlan_count);
	return made;
}

/* 0 for the image that only explains; 0 with an entry in diag when there is none. */
static uint32_t slot_of(struct compile *compile, const struct model_interface *iface)
{
	bool taken = numbers_find(compile->numbers, NUMBER_SLOT, iface->id);
	uint32_t slot = numbers_get(compile->numbers, NUMBER_SLOT, iface->id);
	g_autofree char *fix = NULL;

	if (slot && !taken)
		g_ptr_array_add(compile->slots, g_strdup(iface->id));
	if (slot)
		return slot;
	fix = g_strdup_printf("one host attaches at most %u interfaces", SG_MAX_SLOTS);
	diag_add(compile->diag, "slots-exhausted", iface->place, NULL, fix,
		 "no slot is left for interface %s", iface->id);
	return 0;
}

void compile_iface(struct compile *compile, const struct model_interface *iface)
{
	struct image_zone *zone = image_zone_of(compile->image, iface->network);
	struct image_list *list = image_list_of(zone, iface->groups);
	uint32_t slot = compile->host ? slot_of(compile, iface) : 0;
	struct image_iface_change *change;
	struct image_policy *policy;
	struct image_iface *made;

	if (compile->host && !slot)
		return;
	policy = compile_policy(compile, list);
	if (!policy)
		return;
	made = iface_new(compile, iface);
	made->slot = slot;
	made->zone = zone->number;
	made->policy = policy;
	made->list = list;
	journal_made(compile->journal, made, image_iface_free);
	journal_append(compile->journal, &list->here, made);
	journal_insert(compile->journal, compile->image->ifaces, made->id, made);
	if (!compile->delta)
		return;
	change = g_hash_table_lookup(compile->ifaces, made->id);
	if (!change) {
		change = g_new0(struct image_iface_change, 1);
		g_hash_table_insert(compile->ifaces, g_strdup(made->id), change);
	}
	change->after = made;
}

/* ---------------------------------------------------------------- changes */

void compile_iface_gone(struct compile *compile, const char *id)
{
	struct image_iface *iface = g_hash_table_lookup(compile->image->ifaces, id);
	struct image_iface_change *change;

	if (!iface)
		return;
	journal_drop(compile->journal, &iface->list->here, iface);
	journal_remove(compile->journal, compile->image->ifaces, id);
	journal_replaced(compile->journal, iface, image_iface_free);
	if (!iface->list->here.len)
		compile_dirty_list(compile, iface->list);
	change = g_hash_table_lookup(compile->ifaces, id);
	if (!change) {
		change = g_new0(struct image_iface_change, 1);
		change->before = iface;
		g_hash_table_insert(compile->ifaces, g_strdup(id), change);
	}
	change->after = NULL;
}

void compile_iface_changes(struct compile *compile, struct image_iface *iface)
{
	struct image_iface_change *change;
	struct image_iface *before;

	if (!compile->delta || g_hash_table_contains(compile->ifaces, iface->id))
		return;
	before = g_new(struct image_iface, 1);
	*before = *iface;
	before->id = g_strdup(iface->id);
	before->device = g_strdup(iface->device);
	g_array_ref(before->guards);
	g_array_ref(before->vlans);
	journal_made(compile->journal, before, image_iface_free);
	journal_replaced(compile->journal, before, image_iface_free);
	change = g_new0(struct image_iface_change, 1);
	change->before = before;
	change->after = iface;
	g_hash_table_insert(compile->ifaces, g_strdup(iface->id), change);
}

/* The defaults of a network are another's now. */
void compile_zone_conntrack(struct compile *compile, const struct image_zone *zone)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, compile->image->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct image_iface *iface = value;
		const struct model_interface *own = model_interface(compile->model, iface->id);
		struct model_conntrack now;
		uint32_t *words = (uint32_t *)&iface->conntrack;

		if (iface->zone != zone->number || !own)
			continue;
		now = model_effective_conntrack(compile->model, own);
		if (memcmp(&now, &iface->conntrack, sizeof(now)) == 0)
			continue;
		compile_iface_changes(compile, iface);
		for (size_t i = 0; i < sizeof(now) / sizeof(*words); i++)
			journal_u32(compile->journal, &words[i]);
		iface->conntrack = now;
	}
}

static bool vlans_equal(const GArray *a, const GArray *b)
{
	return a->len == b->len &&
	       (!a->len || memcmp(a->data, b->data, a->len * sizeof(uint16_t)) == 0);
}

static bool guards_equal(const GArray *a, const GArray *b)
{
	bool same = a->len == b->len;

	for (guint i = 0; same && i < a->len; i++) {
		const struct image_guard *left = &g_array_index(a, struct image_guard, i);
		const struct image_guard *right = &g_array_index(b, struct image_guard, i);

		same = left->bits == right->bits && !cidr_compare(&left->cidr, &right->cidr);
	}
	return same;
}

bool compile_iface_differs(const struct image_iface *a, const struct image_iface *b)
{
	return a->slot != b->slot || a->zone != b->zone || a->policy != b->policy ||
	       a->flags != b->flags || a->hook != b->hook || g_strcmp0(a->device, b->device) != 0 ||
	       memcmp(a->mac, b->mac, sizeof(a->mac)) != 0 || !addr_equal(&a->addr4, &b->addr4) ||
	       !addr_equal(&a->addr6, &b->addr6) ||
	       memcmp(&a->conntrack, &b->conntrack, sizeof(a->conntrack)) != 0 ||
	       !guards_equal(a->guards, b->guards) || !vlans_equal(a->vlans, b->vlans);
}
