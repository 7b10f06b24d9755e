/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lint_interfaces.c - SG401 to SG408 and SG212: the default group, and what an interface may send.
 */
#include <string.h>

#include "ctl/lint_internal.h"
#include "rulesd/cleanup.h"

/* ------------------------------------------------------------------ sg-default */

static void check_default_group(struct lint *lint, const struct lint_group *entry)
{
	static const char fix[] = "write \"sg-default\": {\"ingress\": [], \"egress\": []}";
	const struct model_group *group = entry->group;
	struct lint_at at = lint_at_group(group);

	if (strcmp(group->id, MODEL_DEFAULT_GROUP) != 0 ||
	    (!group->rules[SG_INGRESS]->len && !group->rules[SG_EGRESS]->len))
		return;
	if (!group->implied) {
		lint_add(lint->findings, LINT_DEFAULT_GROUP_OPEN, &at, NULL, fix,
			 "sg-default is not empty: %u ingress and %u egress %s",
			 group->rules[SG_INGRESS]->len, group->rules[SG_EGRESS]->len,
			 group->rules[SG_INGRESS]->len + group->rules[SG_EGRESS]->len == 1
				 ? "rule"
				 : "rules");
		return;
	}
	if (!entry->carriers)
		return;
	if (entry->carrier) {
		const struct lint_at carrier = lint_at_interface(lint, entry->carrier, "");

		at.place = carrier.place;
		g_strlcpy(at.pointer, carrier.pointer, sizeof(at.pointer));
	}
	lint_add(lint->findings, LINT_DEFAULT_GROUP_OPEN, &at, NULL, fix,
		 "no file defines sg-default: it lets its members in from each other, and out to "
		 "everywhere");
}

static void check_groups(struct lint *lint, const struct model_interface *iface)
{
	for (uint32_t i = 0; i < iface->groups->count; i++) {
		struct lint_at at;

		if (strcmp(iface->groups->ids[i], MODEL_DEFAULT_GROUP) != 0)
			continue;
		at = lint_at_interface(lint, iface, "/groups");
		lint_add(lint->findings, LINT_DEFAULT_GROUP_USED, &at, NULL,
			 "give it a group of its own kind", "carries sg-default");
	}
}

/* ------------------------------------------------------------------ egress that is undone */

/* A pair of groups on interfaces: the one lists what may go out, the other lets everything out. */
struct undone {
	const struct model_group *listed;
	const struct model_group *open;
	const struct model_interface *first;
	guint count;
};

static bool is_open_by_default(const struct model_group *group)
{
	const GPtrArray *egress = group->rules[SG_EGRESS];

	return egress->len == 1 && ((const struct model_rule *)egress->pdata[0])->implied;
}

static void count_undone(GHashTable *pairs, const struct model_group *listed,
			 const struct model_group *open, const struct model_interface *iface)
{
	g_autofree char *key = g_strdup_printf("%s\n%s\n%s", listed->network, listed->id, open->id);
	struct undone *pair = g_hash_table_lookup(pairs, key);

	if (!pair) {
		pair = g_new0(struct undone, 1);
		pair->listed = listed;
		pair->open = open;
		pair->first = iface;
		g_hash_table_insert(pairs, TAKE_PTR(key), pair);
	}
	pair->count++;
}

static void find_undone(const struct lint *lint, const struct model_interface *iface,
			GHashTable *pairs)
{
	const struct model_group *open = NULL;

	for (uint32_t i = 0; i < iface->groups->count && !open; i++) {
		const struct model_group *group =
			model_group(lint->model, iface->network, iface->groups->ids[i]);

		open = is_open_by_default(group) ? group : NULL;
	}
	for (uint32_t i = 0; open && i < iface->groups->count; i++) {
		const struct model_group *group =
			model_group(lint->model, iface->network, iface->groups->ids[i]);

		if (!is_open_by_default(group))
			count_undone(pairs, group, open, iface);
	}
}

static void report_undone(struct lint *lint, const struct undone *pair)
{
	const struct lint_at at = lint_at_group(pair->listed);
	g_autofree char *more =
		pair->count > 1 ? g_strdup_printf(" and %u more", pair->count - 1) : g_strdup("");
	g_autofree char *fix = g_strdup_printf("write \"egress\": [] in %s", pair->open->id);

	lint_add(lint->findings, LINT_EGRESS_UNDONE, &at, pair->open->id, fix,
		 "its egress rules restrict nothing on %s%s: %s, which is carried too, has no "
		 "\"egress\" and lets everything out",
		 pair->first->id, more, pair->open->id);
}

/* ------------------------------------------------------------------ what it may send */

/* An address and who has it. */
struct owner {
	struct sg_addr addr;
	const struct model_interface *iface;
};

static int compare_owners(gconstpointer a, gconstpointer b)
{
	const struct owner *x = a, *y = b;

	return addr_compare(&x->addr, &y->addr);
}

static GArray *owners_of_network(const struct lint *lint, const char *network)
{
	GArray *owners = g_array_new(FALSE, FALSE, sizeof(struct owner));

	for (guint i = 0; i < lint->interfaces->len; i++) {
		const struct model_interface *iface = g_ptr_array_index(lint->interfaces, i);

		for (uint32_t j = 0;
		     strcmp(iface->network, network) == 0 && j < iface->address_count; j++) {
			const struct owner owner = {iface->addresses[j], iface};

			g_array_append_val(owners, owner);
		}
	}
	g_array_sort(owners, compare_owners);
	return owners;
}

static void free_owners(gpointer owners)
{
	g_array_unref(owners);
}

/* Those of the network, sorted; made when the first one asks. */
static const GArray *owners_in(const struct lint *lint, GHashTable *cache, const char *network)
{
	GArray *owners = g_hash_table_lookup(cache, network);

	if (!owners) {
		owners = owners_of_network(lint, network);
		g_hash_table_insert(cache, (gpointer)(uintptr_t)network, owners);
	}
	return owners;
}

static guint first_not_below(const GArray *owners, const struct sg_addr *addr)
{
	guint low = 0, high = owners->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;

		if (addr_compare(&g_array_index(owners, struct owner, middle).addr, addr) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void check_taken(struct lint *lint, const struct model_interface *iface,
			const struct lint_at *at, const struct cidr *cidr, const GArray *owners)
{
	const struct owner *taken = NULL;
	guint others = 0;
	char text[CIDR_TEXT_SIZE], address[ADDR_TEXT_SIZE];
	g_autofree char *more = NULL;

	for (guint i = first_not_below(owners, &cidr->addr); i < owners->len; i++) {
		const struct owner *owner = &g_array_index(owners, struct owner, i);

		if (!cidr_contains(cidr, &owner->addr))
			break;
		if (owner->iface == iface)
			continue;
		taken = taken ? taken : owner;
		others++;
	}
	if (!taken)
		return;
	cidr_format(cidr, text);
	addr_format(&taken->addr, address);
	more = others > 1 ? g_strdup_printf(" and of %u more", others - 1) : g_strdup("");
	lint_add(lint->findings, LINT_ALLOWED_TAKES_MEMBER, at, text,
		 "list the addresses that it needs",
		 "%s holds %s, the address of %s%s: it may send as them", text, address,
		 taken->iface->id, more);
}

static bool is_unique_local(const struct cidr *cidr)
{
	struct cidr unique_local;

	return cidr_parse("fc00::/7", &unique_local) == 0 && cidr_compare(cidr, &unique_local) == 0;
}

static void check_allowed(struct lint *lint, const struct model_interface *iface, guint index,
			  GHashTable *cache)
{
	const struct cidr *cidr = &iface->settings->allowed[index];
	g_autofree char *path = g_strdup_printf("/allowed_addresses/%u", index);
	const struct lint_at at = lint_at_interface(lint, iface, path);
	char text[CIDR_TEXT_SIZE];

	cidr_format(cidr, text);
	if (!cidr->bits) {
		lint_add(lint->findings, LINT_ALLOWED_WORLD, &at, text, "list what it routes",
			 "%s lets it send from every address of IPv%d", text,
			 addr_is_v4(&cidr->addr) ? 4 : 6);
		return;
	}
	if (cidr->bits <= 7 && !is_unique_local(cidr))
		lint_add(lint->findings, LINT_ALLOWED_WIDE, &at, text, "list what it routes",
			 "%s is a prefix of %u bits", text, cidr->bits);
	else
		check_taken(lint, iface, &at, cidr, owners_in(lint, cache, iface->network));
}

static void check_senders(struct lint *lint, const struct model_interface *iface)
{
	struct lint_at at = lint_at_interface(lint, iface, "");

	if (!iface->address_count)
		lint_add(lint->findings, LINT_NO_ADDRESS, &at, NULL, "add \"addresses\"",
			 "no address: as a member of its groups it stands for nothing");
	/* What has no device is a member only: nobody asks it for its senders. */
	if (!iface->settings->device)
		return;
	if (!iface->settings->has_mac)
		lint_add(lint->findings, LINT_NO_MAC, &at, NULL, "add \"mac\"",
			 "no mac: its source MAC is not checked");
	if (iface->settings->spoof_guard)
		return;
	at = lint_at_interface(lint, iface, "/spoof_guard");
	lint_add(lint->findings, LINT_NO_SPOOF_GUARD, &at, NULL,
		 "remove it; list what a router routes in \"allowed_addresses\"",
		 "spoof_guard is off: it may send from any address");
}

void lint_check_interfaces(struct lint *lint)
{
	g_autoptr(GHashTable) pairs =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(GHashTable) owners =
		g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_owners);
	GHashTableIter iter;
	gpointer pair;

	for (guint i = 0; i < lint->in_order->len; i++)
		check_default_group(lint, g_ptr_array_index(lint->in_order, i));
	for (guint i = 0; i < lint->interfaces->len; i++) {
		const struct model_interface *iface = g_ptr_array_index(lint->interfaces, i);

		check_groups(lint, iface);
		find_undone(lint, iface, pairs);
		check_senders(lint, iface);
		for (uint32_t j = 0; j < iface->settings->allowed_count; j++)
			check_allowed(lint, iface, j, owners);
	}
	g_hash_table_iter_init(&iter, pairs);
	while (g_hash_table_iter_next(&iter, NULL, &pair))
		report_undone(lint, pair);
}
