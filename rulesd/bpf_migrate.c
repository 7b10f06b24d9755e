/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_migrate.c - pinned maps of an older layout (bpf/abi2.h) become ours under traffic.
 *
 *   1. the new maps are made and pinned in a folder of their own, maps-new, and told what the old
 *      ones know of devices, slots, generations and counters; last of all their ABI version;
 *   2. the engine writes the policy into them, as into any maps that hold nothing;
 *   3. tap by tap: its confirmed flows are copied, then its programs are exchanged
 * (bpf_link_update, a filter replaced), then what has come meanwhile is copied, too;
 *   4. the old maps are unpinned, their control map last, and the folder takes their place.
 *
 * So every packet is judged by the old programs and maps or by the new ones. A flow moves on while
 * it is copied, and the two directions of a tap are exchanged one after the other, so the windows
 * of a copied one are not judged any more, neither here nor there (SG_HALF_ADOPTED). Connections
 * that are being opened at that moment are not copied: their next segment is sent again.
 *
 * A crash in 1 leaves no version: the folder is thrown away and made anew. One in 2 or 3 goes on:
 * the pinned programs are this build's and use the maps in the folder. In 4, only unpinning is
 * left. A rulesd of the older version that comes between pins its own programs, which is seen, and
 * begins anew.
 *
 * Long because it is one sequence, whose steps know what a crash in the others leaves.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf/abi2.h"
#include "rulesd/cleanup.h"
#include "rulesd/log.h"

#define OLD_FOLDER "maps"
#define NEW_FOLDER "maps-new"

#define SAME_SIZE(a, b) _Static_assert(sizeof(a) == sizeof(b), "the migration copies it as it is")
SAME_SIZE(struct sg2_flow_key, struct sg_flow_key);
SAME_SIZE(struct sg2_flow, struct sg_flow);
SAME_SIZE(struct sg2_flow_half, struct sg_flow_half);
_Static_assert(SG2_TIMEOUTS == SG_TIMEOUTS, "timeouts are copied");
_Static_assert(SG2_FLOW_HALF == SG_FLOW_HALF && SG2_FLOW_DEAD == SG_FLOW_DEAD &&
		       SG2_HALF_ADOPTED == SG_HALF_ADOPTED,
	       "flags of flows are copied");

struct migration {
	bool resumed;
	int flows; /* the old outer map */
	uint32_t flows_id;
	struct sg2_iface *ifaces; /* by slot */
};

/* ------------------------------------------------------------------ folders */

static int open_old(const struct dataplane *dataplane, const char *name, struct bpf_table *table)
{
	g_autofree char *path = pin_path(dataplane, OLD_FOLDER, name);
	struct bpf_table opened = {.name = name, .fd = bpf_obj_get(path)};
	int code;

	if (opened.fd < 0)
		return -errno;
	code = table_describe(&opened);
	if (code)
		close(opened.fd);
	else
		*table = opened;
	return code;
}

/* The ABI version that the control map of a folder has; 0 when there is none, or none yet. */
uint32_t migrate_version(const struct dataplane *dataplane, const char *folder)
{
	g_autofree char *path = pin_path(dataplane, folder, SG_MAP_CONTROL);
	AUTO_FD int fd = bpf_obj_get(path);
	struct bpf_table control = {.name = SG_MAP_CONTROL, .fd = fd};
	struct sg2_control value = {};
	uint32_t zero = 0;

	/* The version is at the same place in every layout. */
	if (fd < 0 || table_describe(&control) || control.value_size != sizeof(value) ||
	    bpf_map_lookup_elem(fd, &zero, &value))
		return 0;
	return value.abi;
}

/* Unpins everything in a folder and removes it: flows first, which says that they are not needed
 * any more, the control map last, which says what the others are. */
static int remove_folder(const struct dataplane *dataplane, const char *folder, char **error)
{
	g_autofree char *path = pin_path(dataplane, folder, NULL);
	g_autofree char *control = pin_path(dataplane, folder, SG_MAP_CONTROL);
	g_autofree char *flows = pin_path(dataplane, folder, SG_MAP_FLOWS);
	g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
	const char *name;

	if (unlink(flows) && errno != ENOENT)
		return bpf_fail(error, -errno, "%s: unlink", flows);
	while (directory && (name = g_dir_read_name(directory))) {
		g_autofree char *pin = pin_path(dataplane, folder, name);

		if (strcmp(name, SG_MAP_CONTROL) != 0 && unlink(pin) && errno != ENOENT)
			return bpf_fail(error, -errno, "%s: unlink", pin);
	}
	if (unlink(control) && errno != ENOENT)
		return bpf_fail(error, -errno, "%s: unlink", control);
	if (rmdir(path) && errno != ENOENT)
		return bpf_fail(error, -errno, "%s: rmdir", path);
	return 0;
}

static int move_folder(const struct dataplane *dataplane, char **error)
{
	g_autofree char *from = pin_path(dataplane, NEW_FOLDER, NULL);
	g_autofree char *to = pin_path(dataplane, OLD_FOLDER, NULL);

	if (rename(from, to))
		return bpf_fail(error, -errno, "%s: rename to %s", from, to);
	return 0;
}

/* ------------------------------------------------------------------ 1: what the old maps know */

static int read_ifaces(const struct dataplane *dataplane, struct migration *own, char **error)
{
	struct bpf_table table = {.fd = -1};
	int code = open_old(dataplane, SG_MAP_IFACES, &table);
	AUTO_FD int fd = table.fd;

	if (!code && table.value_size != sizeof(struct sg2_iface))
		code = -EPROTONOSUPPORT;
	own->ifaces = g_new0(struct sg2_iface, SG2_MAX_SLOTS + 1);
	for (uint32_t slot = 1; !code && slot <= SG2_MAX_SLOTS; slot++)
		if (bpf_map_lookup_elem(fd, &slot, &own->ifaces[slot]))
			code = -errno;
	return code ? bpf_fail(error, code, "map %s of ABI version %u", SG_MAP_IFACES,
			       SG2_ABI_VERSION)
		    : 0;
}

int migrate_begin(struct dataplane *dataplane, const char *build, char **error)
{
	struct bpf_table flows = {.fd = -1};
	struct migration *own;
	int code = 0;

	dataplane->maps_folder = OLD_FOLDER;
	if (migrate_version(dataplane, NEW_FOLDER) == SG_ABI_VERSION &&
	    !has_pin(dataplane, OLD_FOLDER, SG_MAP_FLOWS)) {
		code = remove_folder(dataplane, OLD_FOLDER, error);
		return code ? code : move_folder(dataplane, error);
	}
	if (!has_pin(dataplane, OLD_FOLDER, SG_MAP_CONTROL))
		return remove_folder(dataplane, NEW_FOLDER, error);
	if (migrate_version(dataplane, OLD_FOLDER) != SG2_ABI_VERSION)
		return 0;
	own = g_new0(struct migration, 1);
	own->flows = -1;
	dataplane->migration = own;
	own->resumed = migrate_version(dataplane, NEW_FOLDER) == SG_ABI_VERSION &&
		       build_is_pinned(dataplane, build);
	if (!own->resumed)
		code = remove_folder(dataplane, NEW_FOLDER, error);
	if (!code)
		code = read_ifaces(dataplane, own, error);
	if (code)
		return code;
	code = open_old(dataplane, SG_MAP_FLOWS, &flows);
	if (!code) {
		own->flows = flows.fd;
		code = inner_id(flows.fd, &own->flows_id);
	}
	if (code)
		return bpf_fail(error, code, "map %s of ABI version %u", SG_MAP_FLOWS,
				SG2_ABI_VERSION);
	dataplane->maps_folder = NEW_FOLDER;
	log_info("the pinned maps have ABI version %u: %s them to %u, under traffic",
		 SG2_ABI_VERSION, own->resumed ? "going on to migrate" : "migrating",
		 SG_ABI_VERSION);
	return 0;
}

struct copy {
	int to;
	int code;
};

static bool copy_entry(const void *key, const void *value, void *arg)
{
	struct copy *copy = arg;

	if (bpf_map_update_elem(copy->to, key, value, BPF_ANY))
		copy->code = -errno;
	return !copy->code;
}

/* A map whose keys and values have not changed. One of another shape begins anew. */
static int copy_map(struct dataplane *dataplane, enum bpf_table_id id, char **error)
{
	const struct bpf_table *to = &dataplane->table[id];
	struct copy copy = {.to = to->fd};
	struct bpf_table from = {.fd = -1};
	int code = open_old(dataplane, to->name, &from);
	AUTO_FD int fd = from.fd;

	if (!code && from.key_size == to->key_size && from.value_size == to->value_size) {
		code = table_each(&from, copy_entry, &copy);
		code = code ? code : copy.code;
	}
	return code ? bpf_fail(error, code, "map %s: copying it", to->name) : 0;
}

static bool copy_slot_of(const void *key, const void *value, void *arg)
{
	const uint32_t *slot = value;

	return *slot ? copy_entry(key, value, arg) : true;
}

/* Counters of every CPU; of another shape they begin anew. */
static int copy_stats(struct dataplane *dataplane, char **error)
{
	const struct bpf_table *to = &dataplane->table[TABLE_STATS];
	g_autoptr(GByteArray) values = g_byte_array_new();
	struct bpf_table from = {.fd = -1};
	int code = open_old(dataplane, SG_MAP_STATS, &from);
	AUTO_FD int fd = from.fd;

	g_byte_array_set_size(values, ((to->value_size + 7) & ~7u) * dataplane->cpus);
	for (uint32_t slot = 1; !code && slot <= SG2_MAX_SLOTS; slot++) {
		if (!dataplane->migration->ifaces[slot].ifindex ||
		    from.value_size != to->value_size)
			continue;
		if (bpf_map_lookup_elem(fd, &slot, values->data) ||
		    bpf_map_update_elem(to->fd, &slot, values->data, BPF_ANY))
			code = -errno;
	}
	return code ? bpf_fail(error, code, "map %s: copying it", SG_MAP_STATS) : 0;
}

/* Most of a table of 65,536 says nothing. */
static int copy_ifindexes(struct dataplane *dataplane, char **error)
{
	struct copy copy = {.to = dataplane->table[TABLE_IFINDEX].fd};
	struct bpf_table from = {.fd = -1};
	int code = open_old(dataplane, SG_MAP_IFINDEX, &from);
	AUTO_FD int fd = from.fd;

	if (!code)
		code = table_each(&from, copy_slot_of, &copy);
	code = code ? code : copy.code;
	return code ? bpf_fail(error, code, "map %s: copying it", SG_MAP_IFINDEX) : 0;
}

/* All but the policy, which the engine writes. */
static void convert_iface(const struct sg2_iface *from, uint64_t generation, struct sg_iface *to)
{
	const bool second = from->since[1] != SG2_NEVER && from->since[1] <= generation &&
			    (from->since[0] == SG2_NEVER || from->since[1] > from->since[0]);
	const struct sg2_iface_conf *conf = &from->conf[second];
	struct sg_iface_conf *made = &to->conf[0];

	to->slot = from->slot;
	to->removed_at = from->removed_at;
	to->keep_until = from->keep_until;
	to->adopt_until = 0;
	to->since[0] = generation;
	to->since[1] = SG_NEVER;
	made->zone = conf->zone;
	made->flags = conf->flags;
	made->max_flows = conf->max_flows;
	made->shard = conf->shard;
	memcpy(made->mac, conf->mac, sizeof(made->mac));
	memcpy(&made->addr4, &conf->addr4, sizeof(made->addr4));
	memcpy(&made->addr6, &conf->addr6, sizeof(made->addr6));
	memcpy(made->timeout, conf->timeout, sizeof(made->timeout));
	to->ifindex = from->ifindex;
}

static int copy_slots(struct dataplane *dataplane, char **error)
{
	struct bpf_table from = {.fd = -1};
	int code = open_old(dataplane, SG_MAP_SLOTS, &from);
	AUTO_FD int fd = from.fd;

	if (!code && from.value_size != sizeof(struct sg2_slot))
		code = -EPROTONOSUPPORT;
	for (uint32_t slot = 1; !code && slot <= SG2_MAX_SLOTS; slot++) {
		struct sg2_slot value = {};

		if (!dataplane->migration->ifaces[slot].ifindex)
			continue;
		if (bpf_map_lookup_elem(fd, &slot, &value))
			code = -errno;
		/* Flows are counted as they are copied. */
		dataplane->slots[slot].allowance_exceeded = value.allowance_exceeded;
		dataplane->slots[slot].clean_from = SG_NEVER;
	}
	return code ? bpf_fail(error, code, "map %s of ABI version %u", SG_MAP_SLOTS,
			       SG2_ABI_VERSION)
		    : 0;
}

int migrate_fill(struct dataplane *dataplane, char **error)
{
	static const enum bpf_table_id as_they_are[] = {TABLE_IFHIGH, TABLE_PEERGONE, TABLE_RULES};
	struct bpf_table from = {.fd = -1};
	struct sg2_control old = {};
	uint32_t zero = 0;
	int code;

	if (!dataplane->migration || dataplane->migration->resumed)
		return 0;
	code = open_old(dataplane, SG_MAP_CONTROL, &from);
	AUTO_FD int fd = from.fd;

	if (!code && bpf_map_lookup_elem(fd, &zero, &old))
		code = -errno;
	if (code)
		return bpf_fail(error, code, "map %s of ABI version %u", SG_MAP_CONTROL,
				SG2_ABI_VERSION);
	for (uint32_t slot = 1; slot <= SG2_MAX_SLOTS; slot++)
		if (dataplane->migration->ifaces[slot].ifindex)
			convert_iface(&dataplane->migration->ifaces[slot], old.generation,
				      &dataplane->ifaces[slot]);
	code = copy_slots(dataplane, error);
	if (!code)
		code = copy_ifindexes(dataplane, error);
	if (!code)
		code = copy_stats(dataplane, error);
	for (unsigned int i = 0; !code && i < G_N_ELEMENTS(as_they_are); i++)
		code = copy_map(dataplane, as_they_are[i], error);
	if (code)
		return code;
	dataplane->control->last_removal = old.last_removal;
	__atomic_store_n(&dataplane->control->generation, old.generation, __ATOMIC_RELEASE);
	return 0;
}

int migrate_halves(struct dataplane *dataplane, char **error)
{
	int code = 0;

	if (!dataplane->migration)
		return 0;
	for (uint32_t slot = 1; !code && slot <= SG_MAX_SLOTS; slot++) {
		struct bpf_table inner = {.fd = -1};

		if (!dataplane->ifaces[slot].ifindex)
			continue;
		code = shards_open_inner(dataplane, TABLE_HALF, slot, &inner);
		if (!code)
			close(inner.fd);
		else if (code == -ENOENT)
			code = shards_make_half(dataplane, slot, error);
		else
			bpf_fail(error, code, "map %s[%u]", SG_MAP_HALF, slot);
	}
	if (!code)
		code = shards_publish(dataplane, error);
	shards_published(dataplane);
	return code;
}

/* ------------------------------------------------------------------ 3: flows */

struct flow_copy {
	struct dataplane *dataplane;
	const struct bpf_table *from;  /* the old table of the shard */
	const struct cells_window *to; /* the new one */
	uint64_t jiffies;
	uint32_t slot, copied;
	int code;
};

static bool copy_flow(const void *key, const void *value, void *arg)
{
	struct flow_copy *copy = arg;
	struct sg_flow_key flow_key;
	struct sg_flow flow;

	memcpy(&flow_key, key, sizeof(flow_key));
	memcpy(&flow, value, sizeof(flow));
	if (flow_key.slot != copy->slot ||
	    SG_FLOW_FLAGS(flow.state) & (SG_FLOW_HALF | SG_FLOW_DEAD))
		return true;
	for (unsigned int dir = 0; dir < SG_DIRS; dir++)
		flow.half[dir].flags |= SG_HALF_ADOPTED;
	/* In the old one, too: for a moment one direction's packets are judged there, and the
	 * other's are not seen. */
	if (bpf_map_update_elem(copy->from->fd, key, &flow, BPF_EXIST) && errno != ENOENT) {
		copy->code = -errno;
		return false;
	}
	copy->code = cells_insert(copy->to, copy->dataplane->control->hash, copy->jiffies,
				  &flow_key, &flow);
	if (copy->code == -EEXIST) { /* the new programs have it already */
		copy->code = 0;
		return true;
	}
	if (copy->code)
		return false;
	__atomic_fetch_add(&copy->dataplane->slots[copy->slot].flows, 1, __ATOMIC_RELAXED);
	copy->copied++;
	return true;
}

/* The old map of that shard; -ENOENT when there is none. */
static int open_old_shard(const struct dataplane *dataplane, uint32_t index,
			  struct bpf_table *shard)
{
	struct bpf_table opened = {.name = SG_MAP_FLOWS};
	int code;

	opened.fd = by_id_inner(dataplane->by_id, dataplane->migration->flows_id, index);
	if (opened.fd < 0)
		return opened.fd;
	code = table_describe(&opened);
	if (!code && (opened.key_size != sizeof(struct sg2_flow_key) ||
		      opened.value_size != sizeof(struct sg2_flow)))
		code = -EPROTONOSUPPORT;
	if (code)
		close(opened.fd);
	else
		*shard = opened;
	return code;
}

static int copy_flows(struct dataplane *dataplane, uint32_t slot, uint32_t shard,
		      const struct bpf_table *from, uint32_t *copied)
{
	struct bpf_table to = {.fd = -1};
	struct cells_window window = {0};
	struct flow_copy copy = {.dataplane = dataplane, .from = from, .to = &window, .slot = slot};
	struct sg_collect clock = {};
	int code = collect_pass(dataplane, PROGRAM_COLLECT_CLOCK, &clock, NULL);

	copy.jiffies = clock.jiffies;
	if (!code)
		code = shards_open_inner(dataplane, TABLE_FLOWS, shard, &to);
	if (!code)
		code = cells_map(&to, 0, to.max_entries, &window);
	if (!code)
		code = table_each(from, copy_flow, &copy);
	cells_unmap(&window);
	cleanup_fd(&to.fd);
	*copied = copy.copied;
	return code ? code : copy.code;
}

/* Before its programs are exchanged, and again for what has come meanwhile. */
int migrate_flows(struct dataplane *dataplane, uint32_t slot, char **error)
{
	const struct migration *own = dataplane->migration;
	uint32_t shard = plan_current_conf(dataplane, slot, NULL)->shard, copied = 0;
	struct bpf_table from = {.fd = -1};
	int code;

	/* What was attached after the beginning has no flows there. */
	if (!own || !own->ifaces[slot].ifindex ||
	    own->ifaces[slot].ifindex != dataplane->ifaces[slot].ifindex)
		return 0;
	code = open_old_shard(dataplane, shard, &from);
	if (code == -ENOENT)
		return 0;
	if (!code)
		code = copy_flows(dataplane, slot, shard, &from, &copied);
	cleanup_fd(&from.fd);
	if (code)
		return bpf_fail(error, code, "map %s: copying the flows of slot %u", SG_MAP_FLOWS,
				slot);
	log_debug("slot %u: %u flows migrated", slot, copied);
	return 0;
}

/* ------------------------------------------------------------------ 4: the end */

bool dataplane_is_migrating(const struct dataplane *dataplane)
{
	return dataplane->migration != NULL;
}

int dataplane_migrated(struct dataplane *dataplane, char **error)
{
	int code;

	if (!dataplane->migration)
		return 0;
	code = remove_folder(dataplane, OLD_FOLDER, error);
	if (!code)
		code = move_folder(dataplane, error);
	if (code)
		return code;
	dataplane->maps_folder = OLD_FOLDER;
	migrate_close(dataplane);
	log_info("the pinned maps have ABI version %u now", SG_ABI_VERSION);
	return 0;
}

void migrate_close(struct dataplane *dataplane)
{
	struct migration *own = TAKE_PTR(dataplane->migration);

	if (!own)
		return;
	by_id_free(TAKE_PTR(dataplane->by_id));
	cleanup_fd(&own->flows);
	g_free(own->ifaces);
	g_free(own);
}

/* ------------------------------------------------------------------ before anything is done */

struct pinned_taps {
	struct dataplane_pins *pins;
	struct bpf_table slots;
};

/* The device is the first field of an interface, and the flows are that of a slot, in every
 * version. */
static bool count_tap(const void *key, const void *value, void *arg)
{
	struct pinned_taps *taps = arg;
	uint32_t slot[64] = {0};

	if (!*(const uint32_t *)value)
		return true;
	taps->pins->taps++;
	if (taps->slots.fd >= 0 && taps->slots.value_size <= sizeof(slot) &&
	    !bpf_map_lookup_elem(taps->slots.fd, key, slot))
		taps->pins->flows += slot[0];
	return true;
}

static void count_taps(const struct dataplane *instance, struct dataplane_pins *pins)
{
	struct pinned_taps taps = {.pins = pins, .slots = {.fd = -1}};
	struct bpf_table ifaces = {.fd = -1};

	if (open_old(instance, SG_MAP_IFACES, &ifaces))
		return;
	if (open_old(instance, SG_MAP_SLOTS, &taps.slots))
		taps.slots.fd = -1;
	table_each(&ifaces, count_tap, &taps);
	cleanup_fd(&ifaces.fd);
	cleanup_fd(&taps.slots.fd);
}

void dataplane_look_at_pins(const char *bpffs, struct dataplane_pins *pins)
{
	g_autofree char *path = g_strdup(bpffs);
	g_autofree char *build = build_of_objects();
	const struct dataplane instance = {.bpffs = path};

	*pins = (struct dataplane_pins){.oldest = SG2_ABI_VERSION, .newest = SG_ABI_VERSION};
	pins->abi = migrate_version(&instance, OLD_FOLDER);
	if (!has_pin(&instance, OLD_FOLDER, SG_MAP_FLOWS) &&
	    migrate_version(&instance, NEW_FOLDER) == SG_ABI_VERSION)
		pins->abi = SG_ABI_VERSION;
	pins->migrating = pins->abi == SG2_ABI_VERSION;
	pins->refused = pins->abi && !pins->migrating && pins->abi != SG_ABI_VERSION;
	pins->same_build = build_is_pinned(&instance, build);
	count_taps(&instance, pins);
}
