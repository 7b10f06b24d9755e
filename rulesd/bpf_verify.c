/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_verify.c - what this process believes against what the kernel holds: the steps, and what is
 * told of a difference. See bpf_verify.h.
 */
#include "rulesd/bpf_verify.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"

/* Numbers first, because others are given in them; what judges a flow before the interfaces, whose
 * repair has flows judged again. */
static const verify_phase_fn phases[] = {
	verify_control,	     verify_sets,	    verify_policies,	verify_policy_keys,
	verify_rules,	     verify_peers,	    verify_guards,	verify_vlans,
	verify_members_held, verify_members_wanted, verify_hints,	verify_prefixes,
	verify_interfaces,   verify_ifindexes,	    verify_flow_tables, verify_flow_counts,
	verify_pins,	     verify_programs,
};

const char *verify_kind_name(enum verify_kind kind)
{
	static const char *const names[] = {
#define X(name, text) [VERIFY_##name] = text,
		VERIFY_KINDS(X)
#undef X
	};

	return names[kind];
}

/* ------------------------------------------------------------------ differences */

static void difference_free(gpointer pointer)
{
	struct dataplane_difference *difference = pointer;

	g_free(difference->object);
	g_free(difference->expected);
	g_free(difference->found);
	g_free(difference->error);
	g_free(difference);
}

bool verify_differs(struct verification *v, enum verify_kind kind, uint32_t slot, char *object,
		    char *expected, char *found)
{
	struct dataplane_difference *difference = g_new0(struct dataplane_difference, 1);

	difference->kind = kind;
	difference->slot = slot;
	difference->object = object;
	difference->expected = expected;
	difference->found = found;
	/* The last one stands for all that there is no room for. */
	if (v->result.differences->len == VERIFY_LISTED)
		g_ptr_array_set_size(v->result.differences, VERIFY_LISTED - 1);
	g_ptr_array_add(v->result.differences, difference);
	v->result.found++;
	return v->repair;
}

void verify_repaired(struct verification *v, int code, char *error)
{
	struct dataplane_difference *difference =
		v->result.differences->pdata[v->result.differences->len - 1];

	difference->repaired = !code;
	v->result.repaired += !code;
	if (code)
		difference->error = error ? error : g_strdup(g_strerror(-code));
	else
		g_free(error);
}

/* ------------------------------------------------------------------ for the phases */

bool verify_walk(struct verification *v, enum bpf_table_id id, table_each_fn each, int *code,
		 char **error)
{
	const struct bpf_table *table = &v->dataplane->table[id];

	if (!v->walk)
		v->walk = table_walk_new(table, 0);
	*code = table_walk_next(v->walk, each, v);
	if (*code)
		bpf_fail(error, *code, "map %s: reading it back", table->name);
	return !*code && !v->walk->ended;
}

bool verify_is_dead(const struct verification *v, enum bpf_table_id id, const void *key)
{
	const GArray *dead = v->dataplane->settling.dead;
	size_t size = v->dataplane->table[id].key_size;

	for (guint i = 0; i < dead->len; i++) {
		const struct change *change = &g_array_index(dead, struct dead, i).change;

		if (change->table == id && !memcmp(change->key, key, size))
			return true;
	}
	return false;
}

int verify_write(struct verification *v, enum bpf_table_id id, const void *key, uint32_t value,
		 bool remove, char **error)
{
	struct sg_version version = {.before = value, .after = value};

	if (remove)
		return table_delete(v->dataplane, id, key, error);
	return table_update(v->dataplane, id, key, &version, BPF_ANY, error);
}

const struct image_iface *verify_iface(const struct verification *v, uint32_t slot)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, v->image->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		if (((const struct image_iface *)value)->slot == slot)
			return value;
	return NULL;
}

char *verify_slot_text(const struct verification *v, uint32_t slot)
{
	const struct image_iface *iface = verify_iface(v, slot);

	return iface ? g_strdup_printf("interface %s", iface->id)
		     : g_strdup_printf("slot %u", slot);
}

/* ------------------------------------------------------------------ steps */

static void phase_clear(struct verification *v)
{
	table_walk_free(&v->walk);
	image_member_walk_free(&v->members);
	keyed_free(&v->keyed);
	g_clear_pointer(&v->seen, g_hash_table_unref);
	g_clear_pointer(&v->list, g_ptr_array_unref);
	g_clear_pointer(&v->views, g_hash_table_unref);
	v->next = 0;
	v->tries = 0;
}

struct verification *dataplane_verify_begin(struct dataplane *dataplane, bool repair)
{
	struct verification *v = g_new0(struct verification, 1);

	v->dataplane = dataplane;
	v->repair = repair;
	v->result.differences = g_ptr_array_new_with_free_func(difference_free);
	v->result.attach_again = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	return v;
}

int dataplane_verify_step(struct verification *v, const struct image *image, bool *more,
			  char **error)
{
	int code = 0;

	v->image = image;
	if (!phases[v->phase](v, &code, error)) {
		phase_clear(v);
		v->phase++;
	}
	v->image = NULL;
	*more = !code && v->phase < G_N_ELEMENTS(phases);
	/* Only now, when everything that judges them is right. */
	if (v->revoke && !*more)
		code = apply_reevaluate(v->dataplane, error);
	return code;
}

void dataplane_verify_attached(struct verification *v, uint32_t slot, bool repaired)
{
	for (guint i = 0; i < v->result.differences->len; i++) {
		struct dataplane_difference *difference = v->result.differences->pdata[i];

		if (difference->kind != VERIFY_PROGRAM || difference->slot != slot)
			continue;
		difference->repaired = repaired;
		v->result.repaired += repaired;
	}
}

unsigned int verify_pins_now(struct dataplane *dataplane, char **first, char **error)
{
	CLEANUP(dataplane_verify_end)
	struct verification *v = dataplane_verify_begin(dataplane, true);
	int code = 0;

	verify_pins(v, &code, NULL);
	for (guint i = 0; i < v->result.differences->len; i++) {
		const struct dataplane_difference *difference = v->result.differences->pdata[i];

		if (!*first)
			*first = g_strdup(difference->object);
		if (!difference->repaired && !*error)
			*error = g_strdup(difference->error);
	}
	return (unsigned int)v->result.found;
}

const struct dataplane_verified *dataplane_verified(const struct verification *v)
{
	return &v->result;
}

void dataplane_verify_end(struct verification **verification)
{
	struct verification *v = TAKE_PTR(*verification);

	if (!v)
		return;
	verify_flows_stop(v);
	phase_clear(v);
	g_ptr_array_unref(v->result.differences);
	g_array_unref(v->result.attach_again);
	g_free(v);
}
