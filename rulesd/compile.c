/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile.c - model to image: the order of the work, interfaces and their guards.
 */
#include "rulesd/compile.h"

#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile_parts.h"

static gint compare_strings(gconstpointer a, gconstpointer b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcmp(*left, *right);
}

GPtrArray *compile_sorted_keys(GHashTable *table)
{
	GPtrArray *keys = g_ptr_array_sized_new(g_hash_table_size(table));
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		g_ptr_array_add(keys, key);
	g_ptr_array_sort(keys, compare_strings);
	return keys;
}

void compile_exhausted(struct compile *compile, const char *what, const char *name)
{
	diag_add(compile->diag, "numbers-exhausted", (struct place){0}, NULL,
		 "start with a new state directory after rulesd --flush",
		 "no number is left for %s %s", what, name);
}

uint32_t compile_zone(struct compile *compile, const char *network)
{
	uint32_t zone = numbers_get(compile->numbers, NUMBER_ZONE, network);

	if (!zone)
		compile_exhausted(compile, "network", network);
	return zone;
}

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

static void compile_iface(struct compile *compile, const struct model_network *network,
			  const struct model_interface *iface, const char *host)
{
	const struct model_settings *settings = iface->settings;
	struct image_iface *compiled;
	struct image_policy *policy;
	uint32_t slot = host ? numbers_get(compile->numbers, NUMBER_SLOT, iface->id) : 0;

	if (host && !slot) {
		g_autofree char *fix =
			g_strdup_printf("one host attaches at most %u interfaces", SG_MAX_SLOTS);

		diag_add(compile->diag, "slots-exhausted", iface->place, NULL, fix,
			 "no slot is left for interface %s", iface->id);
		return;
	}
	policy = compile_policy(compile, network, iface->groups);
	if (!policy)
		return;
	compiled = g_new0(struct image_iface, 1);
	compiled->id = g_strdup(iface->id);
	compiled->device = g_strdup(settings->device);
	compiled->slot = slot;
	compiled->zone = compile_zone(compile, network->name);
	compiled->policy = policy;
	compiled->flags = (settings->spoof_guard ? SG_IF_SPOOF_GUARD : 0u) |
			  (settings->has_mac ? SG_IF_CHECK_MAC : 0u) |
			  (settings->vlan_count ? SG_IF_VLANS : 0u);
	if (settings->has_mac)
		memcpy(compiled->mac, settings->mac, sizeof(compiled->mac));
	first_addresses(iface, compiled);
	compiled->hook = settings->hook;
	compiled->conntrack = model_effective_conntrack(compile->model, iface);
	compiled->guards = guards_of(iface);
	compiled->vlans = g_array_new(FALSE, FALSE, sizeof(uint16_t));
	g_array_append_vals(compiled->vlans, settings->vlans, settings->vlan_count);
	g_hash_table_insert(compile->image->ifaces, compiled->id, compiled);
}

static bool is_ours(const struct model_interface *iface, const char *host)
{
	const struct model_settings *own = iface->settings;

	return !host || (own->device && (!own->host || strcmp(own->host, host) == 0));
}

static void compile_ifaces(struct compile *compile, const char *host)
{
	g_autoptr(GPtrArray) names = compile_sorted_keys(compile->model->networks);

	for (guint i = 0; i < names->len; i++) {
		const struct model_network *network =
			model_network(compile->model, g_ptr_array_index(names, i));
		g_autoptr(GPtrArray) ifaces = model_sorted_interfaces(network);

		for (guint j = 0; j < ifaces->len; j++) {
			const struct model_interface *iface = ifaces->pdata[j];

			if (is_ours(iface, host))
				compile_iface(compile, network, iface, host);
		}
	}
}

static void cleanup_image(struct image **image)
{
	image_free(image);
}

int compile_image(const struct model *model, struct numbers *numbers, const struct image *previous,
		  const char *host, struct image **image, struct diag *diag)
{
	CLEANUP(cleanup_image) struct image *made = image_new();
	g_autoptr(GHashTable) policies =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	struct compile compile = {
		.model = model,
		.numbers = numbers,
		.previous = previous,
		.image = made,
		.diag = diag,
		.policies = policies,
	};
	guint before = diag->entries->len + diag->left_out;

	compile_peers(&compile);
	compile_ifaces(&compile, host);
	if (diag->entries->len + diag->left_out != before)
		return -EINVAL;
	*image = TAKE_PTR(made);
	return 0;
}
