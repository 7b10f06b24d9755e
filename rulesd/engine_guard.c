/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_guard.c - rulesd --guard: the device group follows the programs.
 *
 * The guard's table (guard.h) lets a device pass whose group is ours. So the group comes after the
 * programs are in place and have been read back, and goes before they do; it is set by ifindex,
 * which somebody may give to another device at that very moment, so the programs are looked for
 * once more afterwards. A device that has the group and is not filtered loses it, whoever gave it.
 *
 * Events may be older than what rulesd did last: where one is odd the kernel is asked.
 */
#include <errno.h>

#include "rulesd/cleanup.h"
#include "rulesd/device_group.h"
#include "rulesd/engine_parts.h"
#include "rulesd/guard.h"
#include "rulesd/log.h"

#define AGAIN_MS 500 /* after a group could not be set */

/* Its own group on a device whose name no pattern matches is none of our business. */
static bool may_set(const struct engine *engine, const struct link *link)
{
	return link && (!link->group || guard_matches(engine->guard, link->name));
}

/* As one that nobody knows any more, and that stays as it is pinned; 0: it is not. */
static uint32_t kept_slot(const struct engine *engine, uint32_t ifindex)
{
	GHashTableIter iter;
	gpointer slot, kept;

	g_hash_table_iter_init(&iter, engine->kept);
	while (g_hash_table_iter_next(&iter, &slot, &kept))
		if (((const struct engine_kept *)kept)->ifindex == ifindex)
			return GPOINTER_TO_UINT(slot);
	return 0;
}

/* Of the device that is filtered, as far as is known; 0: it is not. */
static uint32_t filtering_slot(const struct engine *engine, uint32_t ifindex)
{
	const struct engine_iface *iface = engine_by_ifindex(engine, ifindex);

	if (!iface)
		return kept_slot(engine, ifindex);
	return iface->state == ENGINE_FILTERING && !iface->lost ? iface->slot : 0;
}

/*
 * Each that is refused is tried once more: a tap would be shut, or be filtered as before. -ENODEV
 * is success when leaving: what is gone is in no group.
 */
static void set_all(const struct engine *engine, const GArray *ifindexes, uint32_t group,
		    int *codes)
{
	device_group_set((const uint32_t *)(void *)ifindexes->data, ifindexes->len, group, codes);
	for (guint i = 0; i < ifindexes->len; i++) {
		uint32_t ifindex = g_array_index(ifindexes, uint32_t, i);

		if (codes[i] && codes[i] != -ENODEV)
			device_group_set(&ifindex, 1, group, &codes[i]);
		if (!codes[i])
			links_note_group(engine->links, ifindex, group);
		else if (codes[i] == -ENODEV && !group)
			codes[i] = 0;
	}
}

static int set_one(const struct engine *engine, uint32_t ifindex, uint32_t group)
{
	g_autoptr(GArray) one = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	int code = 0;

	g_array_append_val(one, ifindex);
	set_all(engine, one, group, &code);
	return code;
}

/* ------------------------------------------------------------------ attaching, detaching */

void engine_guard_stop(const struct engine *engine, const uint32_t *ifindexes, unsigned int count,
		       int *codes)
{
	g_autoptr(GArray) ours = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(unsigned int));
	g_autofree int *own = g_new0(int, count + 1);

	for (unsigned int i = 0; i < count; i++) {
		const struct link *link = links_by_index(engine->links, ifindexes[i]);

		codes[i] = 0;
		/* One that is not known is gone, and its group with it. */
		if (!engine->guard || !link ||
		    (!may_set(engine, link) && link->group != guard_group(engine->guard)))
			continue;
		g_array_append_val(ours, ifindexes[i]);
		g_array_append_val(places, i);
	}
	set_all(engine, ours, 0, own);
	for (guint i = 0; i < ours->len; i++)
		codes[g_array_index(places, unsigned int, i)] = own[i];
}

/* Whether the kernel says that the programs are on this device: it may be gone, and another one
 * have its number. 0, -ENODEV, or another -errno: nobody can tell. */
static int look(const struct engine *engine, uint32_t slot, uint32_t ifindex)
{
	struct dataplane_attachment seen = {.slot = slot, .ifindex = ifindex};
	g_autofree char *error = NULL;
	int code = dataplane_look(engine->dataplane, &seen, &error);

	return code || seen.live ? code : -ENODEV;
}

/* Once it has the group; if they are not, or if nobody can tell, it goes. */
static int check_again(const struct engine *engine, uint32_t slot, uint32_t ifindex)
{
	int code = look(engine, slot, ifindex);

	if (code)
		set_one(engine, ifindex, 0);
	return code;
}

void engine_guard_pass(const struct engine *engine, const struct dataplane_request *requests,
		       unsigned int count, int *codes)
{
	g_autoptr(GArray) ifindexes = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(unsigned int));
	g_autofree int *own = g_new0(int, count + 1);

	for (unsigned int i = 0; i < count; i++) {
		const struct link *link = links_by_index(engine->links, requests[i].ifindex);

		codes[i] = 0;
		if (!engine->guard || requests[i].code || !may_set(engine, link) ||
		    link->group == guard_group(engine->guard))
			continue;
		if (link->group)
			log_warning("interface %s: %s was in the device group %u; the guard needs "
				    "that of %s",
				    requests[i].iface->id, link->name, link->group, link->name);
		g_array_append_val(ifindexes, requests[i].ifindex);
		g_array_append_val(places, i);
	}
	if (!ifindexes->len)
		return;
	set_all(engine, ifindexes, guard_group(engine->guard), own);
	for (guint i = 0; i < ifindexes->len; i++) {
		unsigned int place = g_array_index(places, unsigned int, i);

		codes[place] = own[i] ? own[i]
				      : check_again(engine, requests[place].iface->slot,
						    requests[place].ifindex);
	}
}

void engine_guard_failed(const struct engine *engine, uint32_t slot, uint32_t ifindex)
{
	const struct link *link = links_by_index(engine->links, ifindex);

	if (engine->guard && link && link->group == guard_group(engine->guard))
		check_again(engine, slot, ifindex);
}

/* ------------------------------------------------------------------ devices */

static gboolean look_again(gpointer arg)
{
	struct engine *engine = arg;

	engine->guard_timer = 0;
	engine_guard_sweep(engine);
	return G_SOURCE_REMOVE;
}

/* A filtered tap would be shut, and the other kind open, until the next event. */
static void try_later(struct engine *engine, int code)
{
	if (code && code != -ENODEV && !engine->guard_timer)
		engine->guard_timer = g_timeout_add(AGAIN_MS, look_again, engine);
}

void engine_guard_link(struct engine *engine, const struct link *link)
{
	uint32_t wanted, slot, found = 0;
	bool filtering;
	int code;

	if (!engine->guard)
		return;
	slot = filtering_slot(engine, link->ifindex);
	filtering = slot != 0;
	wanted = filtering ? guard_group(engine->guard) : 0;
	if (filtering == (link->group == guard_group(engine->guard)))
		return;
	code = device_group_get(link->ifindex, &found);
	try_later(engine, code);
	if (code || filtering == (found == guard_group(engine->guard)))
		return;
	if (filtering && found && !guard_matches(engine->guard, link->name))
		return;
	if (filtering)
		code = look(engine, slot, link->ifindex);
	if (!code)
		code = set_one(engine, link->ifindex, wanted);
	if (!code && filtering)
		code = check_again(engine, slot, link->ifindex);
	try_later(engine, code);
	if (code)
		return;
	engine->guard_groups++;
	if (filtering)
		log_warning("guard: somebody put %s, which is filtered, into the device group %u: "
			    "it is back in %u",
			    link->name, found, wanted);
	else
		log_warning("guard: %s is in the device group of filtered devices and is not "
			    "filtered: taken out of it",
			    link->name);
}

static void check_link(const struct link *link, void *arg)
{
	engine_guard_link(arg, link);
}

void engine_guard_sweep(struct engine *engine)
{
	if (engine->guard)
		links_each(engine->links, check_link, engine);
}

/* ------------------------------------------------------------------ start */

struct sweep {
	const struct engine *engine;
	GHashTable *live; /* of ifindexes that pinned programs filter */
	GArray *in, *out; /* of ifindexes that shall have the group, or lose it */
};

static void sort_out(const struct link *link, void *arg)
{
	const struct sweep *sweep = arg;
	uint32_t group = guard_group(sweep->engine->guard);
	bool live = g_hash_table_contains(sweep->live, GUINT_TO_POINTER(link->ifindex));

	if (live && link->group != group && may_set(sweep->engine, link))
		g_array_append_val(sweep->in, link->ifindex);
	if (!live && link->group == group)
		g_array_append_val(sweep->out, link->ifindex);
	if (!link->tap && !live && guard_matches(sweep->engine->guard, link->name))
		log_warning("guard: %s is no tap, and passes nothing until it is filtered",
			    link->name);
}

/* Before the table is written, so that what is filtered goes on. */
static int set_groups(struct engine *engine, char **error)
{
	g_autoptr(GArray) pinned = g_array_new(FALSE, TRUE, sizeof(struct dataplane_attachment));
	g_autoptr(GHashTable) live = g_hash_table_new(NULL, NULL);
	g_autoptr(GArray) in = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_autoptr(GArray) out = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_autofree int *codes = NULL;
	struct sweep sweep = {.engine = engine, .live = live, .in = in, .out = out};
	int code = dataplane_attachments(engine->dataplane, pinned, error);

	if (code)
		return code;
	for (guint i = 0; i < pinned->len; i++) {
		const struct dataplane_attachment *one =
			&g_array_index(pinned, struct dataplane_attachment, i);

		if (one->live)
			g_hash_table_add(live, GUINT_TO_POINTER(one->ifindex));
	}
	links_each(engine->links, sort_out, &sweep);
	codes = g_new0(int, MAX(in->len, out->len) + 1);
	set_all(engine, out, 0, codes);
	for (guint i = 0; i < out->len; i++)
		if (codes[i]) {
			*error = g_strdup_printf("--guard: the device group of ifindex %u cannot "
						 "be set: %s",
						 g_array_index(out, uint32_t, i),
						 g_strerror(-codes[i]));
			return codes[i];
		}
	/* One that fails is shut, and tried again when it is attached. */
	set_all(engine, in, guard_group(engine->guard), codes);
	return 0;
}

/* Whether an earlier rulesd may have left anything that filters. */
static bool has_pins(const struct engine *engine)
{
	g_autofree char *maps = g_build_filename(engine->options->bpffs, "maps", NULL);

	return g_file_test(maps, G_FILE_TEST_EXISTS);
}

int engine_guard_open(struct engine *engine, char **error)
{
	int code = guard_open(engine->options, &engine->guard, error);

	if (code || !engine->guard || has_pins(engine))
		return code;
	return guard_enforce(engine->guard, error);
}

void engine_guard_refused(struct engine *engine, int why)
{
	g_autofree char *error = NULL;

	/* Another rulesd has its table, and so has whoever left pins. */
	if (!engine->options->guard_count || why == -EBUSY || has_pins(engine))
		return;
	if (guard_open(engine->options, &engine->guard, &error) < 0 ||
	    guard_enforce(engine->guard, &error) < 0)
		log_error("%s", error);
	else
		log_warning("guard: what it matches passes nothing, though rulesd does not start "
			    "(rulesd --flush ends that)");
}

int engine_guard_enforce(struct engine *engine, char **error)
{
	int code;

	if (!engine->guard)
		return 0;
	code = set_groups(engine, error);
	return code ? code : guard_enforce(engine->guard, error);
}

/* ------------------------------------------------------------------ rulesd --flush */

struct members {
	uint32_t group;
	GArray *ifindexes;
};

static void find_member(const struct link *link, void *arg)
{
	struct members *members = arg;

	if (link->group == members->group)
		g_array_append_val(members->ifindexes, link->ifindex);
}

static void ignore_change(const struct link *link, bool gone, void *arg)
{
	(void)link;
	(void)gone;
	(void)arg;
}

int engine_guard_flush(const struct options *options, bool *table, unsigned int *count,
		       char **error)
{
	g_autoptr(GArray) ifindexes = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	CLEANUP(links_close) struct links *links = NULL;
	struct members members = {.ifindexes = ifindexes};
	g_autofree int *codes = NULL;
	int code = guard_flush(options, &members.group, error);

	*table = !code && members.group;
	*count = 0;
	if (code || !members.group)
		return code;
	code = links_open(ignore_change, NULL, &links);
	if (code) {
		*error = g_strdup_printf("rtnetlink: %s", g_strerror(-code));
		return code;
	}
	links_each(links, find_member, &members);
	codes = g_new0(int, ifindexes->len + 1);
	device_group_set((const uint32_t *)(void *)ifindexes->data, ifindexes->len, 0, codes);
	for (guint i = 0; !code && i < ifindexes->len; i++)
		code = codes[i] == -ENODEV ? 0 : codes[i];
	*count = ifindexes->len;
	if (code)
		*error = g_strdup_printf("resetting the device groups: %s", g_strerror(-code));
	return code;
}
