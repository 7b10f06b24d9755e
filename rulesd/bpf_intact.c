/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_intact.c - whether what this process has put into the kernel is still there.
 *
 * It is asked every second, of 4,096 interfaces, so it is made of what costs little: one call a
 * link, through a descriptor that is kept; the times of four directories, which change with every
 * pin that comes or goes; and samples of what is in the maps.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rulesd/bpf_verify.h"
#include "rulesd/cleanup.h"

#define SLOTS_A_STEP	128u /* at most: each has two links, open until they have been asked */
#define SAMPLED		8u   /* one slot in so many has its entries looked at in a round */
#define MEMBERS_A_ROUND 128u
#define OBJECTS_A_ROUND 8u

void dataplane_harm_clear(struct dataplane_harm *harm)
{
	g_clear_pointer(&harm->entry, g_free);
	g_clear_pointer(&harm->pin, g_free);
	g_clear_pointer(&harm->error, g_free);
	harm->pins = 0;
}

static void entry_is_gone(struct dataplane_harm *harm, const char *map)
{
	if (!harm->entry)
		harm->entry = g_strdup_printf("map %s", map);
}

/* ------------------------------------------------------------------ links */

void intact_forget(struct dataplane *dataplane, uint32_t slot)
{
	for (unsigned int i = 0; i < 2; i++) {
		if (dataplane->held[slot].links[i])
			close(dataplane->held[slot].links[i] - 1);
		dataplane->held[slot].links[i] = 0;
	}
}

void intact_close(struct dataplane *dataplane)
{
	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++)
		intact_forget(dataplane, slot);
	image_member_walk_free(&dataplane->intact.members);
}

/* Of the link of that direction, as the VM sees it; false where filters do it. */
static bool place_of(const struct dataplane *dataplane, uint32_t slot, enum sg_dir dir,
		     enum hook_place *place)
{
	enum model_hook hook = dataplane->held[slot].hook;

	if (dataplane->held[slot].quick || hook == MODEL_HOOK_AUTO)
		return false;
	if (dir == SG_EGRESS && hook == MODEL_HOOK_XDP)
		*place = PLACE_XDP;
	else if (dir == SG_EGRESS && hook == MODEL_HOOK_TCX)
		*place = PLACE_TCX_EGRESS;
	else if (dir == SG_INGRESS && hook != MODEL_HOOK_TC && dataplane->tcx)
		*place = PLACE_TCX_INGRESS;
	else
		return false;
	return true;
}

/* Of tcx the kernel tells the ifindex at the same place as of XDP; 0: it is on no device. */
static bool is_on_device(int fd, uint32_t ifindex, uint32_t program)
{
	struct bpf_link_info info = {};
	__u32 length = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &length) && info.xdp.ifindex == ifindex &&
	       info.prog_id == program;
}

void dataplane_links_ask(GArray *links)
{
	for (guint i = 0; i < links->len; i++) {
		struct dataplane_link *link = &g_array_index(links, struct dataplane_link, i);

		if (link->fd < 0)
			continue;
		link->wrong = !is_on_device(link->fd, link->ifindex, link->program);
		close(link->fd);
		link->fd = -1;
	}
}

static void pin_link(const struct dataplane *dataplane, const char *path, int fd,
		     struct dataplane_harm *harm)
{
	g_autofree char *folder = pin_path(dataplane, "links", NULL);
	int code = 0;

	/* Since the look at the folders. */
	if (dataplane_is_covered(dataplane))
		return;
	if (g_mkdir_with_parents(folder, 0700) || bpf_obj_pin(fd, path))
		code = -errno;
	if (code == -EEXIST)
		return;
	harm->pins += !code;
	if (!harm->pin)
		harm->pin = g_strdup(path);
	if (code && !harm->error)
		harm->error = g_strdup(g_strerror(-code));
}

/* To be kept open. Where few are allowed, interfaces, the API and the state directory need them
 * more. */
static int most_descriptors(void)
{
	struct rlimit limit = {.rlim_cur = 1024};

	getrlimit(RLIMIT_NOFILE, &limit);
	return (int)MIN(limit.rlim_cur / 4, (rlim_t)INT_MAX);
}

/* A descriptor of the link, to be closed by the caller: of the one that is kept, or anew; -1. */
static int open_link(struct dataplane *dataplane, uint32_t slot, enum sg_dir dir, const char *path)
{
	int *kept = &dataplane->held[slot].links[dir];
	int fd = *kept ? fcntl(*kept - 1, F_DUPFD_CLOEXEC, 3) : bpf_obj_get(path);

	if (fd < 0 || *kept || fd >= most_descriptors())
		return fd;
	*kept = fcntl(fd, F_DUPFD_CLOEXEC, 3) + 1;
	return fd;
}

void intact_keep(struct dataplane *dataplane, uint32_t slot)
{
	static const enum sg_dir dirs[] = {SG_EGRESS, SG_INGRESS};

	for (unsigned int i = 0; i < G_N_ELEMENTS(dirs); i++) {
		g_autofree char *path = NULL;
		enum hook_place place;
		int fd = -1;

		if (!place_of(dataplane, slot, dirs[i], &place))
			continue;
		path = hooks_link_path(dataplane, slot, place);
		fd = open_link(dataplane, slot, dirs[i], path);
		cleanup_fd(&fd);
	}
}

/* What is to be asked of it, and whether its pin is there. */
static void look_at_link(struct dataplane *dataplane, uint32_t slot, enum sg_dir dir, GArray *links,
			 struct dataplane_harm *harm)
{
	struct dataplane_link link = {.slot = slot, .ifindex = dataplane->held[slot].ifindex};
	g_autofree char *path = NULL;
	enum hook_place place;

	if (!place_of(dataplane, slot, dir, &place) ||
	    (dataplane->intact.covered && !dataplane->held[slot].links[dir]))
		return;
	if (!dataplane->held[slot].links[dir] || dataplane->intact.links)
		path = hooks_link_path(dataplane, slot, place);
	link.program = dataplane->program_id[hooks_program(place)];
	link.fd = open_link(dataplane, slot, dir, path);
	/* Without one to spare nothing is known. */
	if (link.fd < 0 && (errno == EMFILE || errno == ENFILE))
		return;
	link.wrong = link.fd < 0;
	if (path && link.fd >= 0 && access(path, F_OK) && errno == ENOENT)
		pin_link(dataplane, path, link.fd, harm);
	g_array_append_val(links, link);
}

bool dataplane_links_right(struct dataplane *dataplane, uint32_t slot)
{
	g_autoptr(GArray) links = g_array_new(FALSE, TRUE, sizeof(struct dataplane_link));
	CLEANUP(dataplane_harm_clear) struct dataplane_harm harm = {0};
	bool right = true;

	if (!dataplane->held[slot].ifindex)
		return true;
	look_at_link(dataplane, slot, SG_EGRESS, links, &harm);
	look_at_link(dataplane, slot, SG_INGRESS, links, &harm);
	dataplane_links_ask(links);
	for (guint i = 0; i < links->len; i++)
		right &= !g_array_index(links, struct dataplane_link, i).wrong;
	return right;
}

/* ------------------------------------------------------------------ folders */

/* The lock is on the directory: whoever removed it would let another rulesd in. */
static void lock_again(struct dataplane *dataplane)
{
	struct stat held, now;
	char *error = NULL;
	int lock = -1;

	/* One on another file system covers it since a moment ago. */
	if (fstat(dataplane->lock, &held) || stat(dataplane->bpffs, &now) ||
	    held.st_ino == now.st_ino || held.st_dev != now.st_dev)
		return;
	if (!instance_lock(dataplane->bpffs, &lock, &error)) {
		close(dataplane->lock);
		dataplane->lock = lock;
	}
	g_free(error);
}

/* Whether one changed since the last look; and remembers how it is now. */
static bool have_folders_changed(struct dataplane *dataplane)
{
	static const char *const names[] = {NULL, "maps", "links", "progs"};
	struct intact *intact = &dataplane->intact;
	/* Folders that went before the first look are as if nothing were known of them. */
	bool changed = !intact->looked;

	intact->looked = true;
	for (unsigned int i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path =
			names[i] ? pin_path(dataplane, names[i], NULL) : g_strdup(dataplane->bpffs);
		struct stat now = {};

		if (stat(path, &now))
			now = (struct stat){};
		if (intact->folder[i].inode == now.st_ino &&
		    intact->folder[i].seconds == (uint64_t)now.st_mtim.tv_sec &&
		    intact->folder[i].nanoseconds == (uint64_t)now.st_mtim.tv_nsec)
			continue;
		intact->folder[i].inode = now.st_ino;
		intact->folder[i].seconds = (uint64_t)now.st_mtim.tv_sec;
		intact->folder[i].nanoseconds = (uint64_t)now.st_mtim.tv_nsec;
		changed = true;
	}
	return changed;
}

static void look_at_folders(struct dataplane *dataplane, struct dataplane_harm *harm)
{
	dataplane->intact.covered = harm->covered = dataplane_is_covered(dataplane);
	dataplane->intact.links = !harm->covered && have_folders_changed(dataplane);
	if (!dataplane->intact.links)
		return;
	harm->pins += verify_pins_now(dataplane, &harm->pin, &harm->error);
	lock_again(dataplane);
}

/* ------------------------------------------------------------------ samples */

struct member_sample {
	struct dataplane *dataplane;
	const struct image *image;
	struct dataplane_harm *harm;
};

static void look_at_member(const struct sg_member_key *key, uint32_t set, void *arg)
{
	const struct member_sample *sample = arg;
	struct dataplane *dataplane = sample->dataplane;
	uint32_t expected = held_set_of(dataplane, set);
	struct sg_version version = {};

	if (!table_lookup(dataplane, TABLE_MEMBERS, key, &version) &&
	    version_value(&version, dataplane_generation(dataplane)) == expected)
		return;
	/* An address of two networks stands for more than this one's set. */
	if (held_set_of(dataplane, image_find_member(sample->image, key->zone, &key->addr)) ==
	    expected)
		entry_is_gone(sample->harm, SG_MAP_MEMBERS);
}

static void look_at_members(struct dataplane *dataplane, const struct image *image,
			    struct dataplane_harm *harm)
{
	struct member_sample sample = {dataplane, image, harm};
	struct intact *intact = &dataplane->intact;

	if (!intact->members)
		intact->members = image_member_walk_new(image);
	if (!image_member_walk_next(image, intact->members, MEMBERS_A_ROUND, look_at_member,
				    &sample))
		image_member_walk_free(&intact->members);
}

static void look_for_keys(struct dataplane *dataplane, enum bpf_table_id id, GHashTable *numbers,
			  struct dataplane_harm *harm)
{
	g_autofree char *value = g_malloc(dataplane->table[id].value_size);
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, numbers);
	for (unsigned int i = 0; i < OBJECTS_A_ROUND && g_hash_table_iter_next(&iter, &key, NULL);
	     i++) {
		uint32_t number = GPOINTER_TO_UINT(key);

		if (table_lookup(dataplane, id, &number, value) == -ENOENT)
			entry_is_gone(harm, dataplane->table[id].name);
	}
}

static void look_at_whole(struct dataplane *dataplane, const struct image *image,
			  struct dataplane_harm *harm)
{
	struct sg_prefix_key prefix;

	if (dataplane_generation(dataplane) != dataplane->flipped ||
	    dataplane->control->abi != SG_ABI_VERSION)
		entry_is_gone(harm, SG_MAP_CONTROL);
	look_at_members(dataplane, image, harm);
	look_for_keys(dataplane, TABLE_SETS, dataplane->sets, harm);
	look_for_keys(dataplane, TABLE_RULES, dataplane->rules, harm);
	if (image_has_prefix(image) &&
	    bpf_map_get_next_key(dataplane->table[TABLE_PREFIXES].fd, NULL, &prefix) &&
	    errno == ENOENT)
		entry_is_gone(harm, SG_MAP_PREFIXES);
	/* Kernel 6.1: a lookup in an array of maps waits for a grace period. */
	for (uint32_t shard = 0; dataplane->tcx && shard < SG_MAX_SHARDS; shard++) {
		uint32_t id;

		if (dataplane->shards[shard].capacity &&
		    table_lookup(dataplane, TABLE_FLOWS, &shard, &id) == -ENOENT)
			entry_is_gone(harm, SG_MAP_FLOWS);
	}
}

/* Entries of one slot that everything else hangs on. */
static void look_at_entries(struct dataplane *dataplane, uint32_t slot, struct dataplane_harm *harm)
{
	const struct held_slot *held = &dataplane->held[slot];
	const struct held_policy *policy =
		held_policy_at(dataplane, plan_current_conf(dataplane, slot, NULL)->policy);
	struct sg_version version;
	uint32_t id;

	if (held->guards && held->guards->len &&
	    table_lookup(dataplane, TABLE_GUARD,
			 &g_array_index(held->guards, struct held_guard, 0).key,
			 &version) == -ENOENT)
		entry_is_gone(harm, SG_MAP_GUARD);
	if (dataplane->tcx && table_lookup(dataplane, TABLE_HALF, &slot, &id) == -ENOENT)
		entry_is_gone(harm, SG_MAP_HALF);
	if (policy && policy->complete && policy->starts->len) {
		struct held_cursor cursor = held_cursor_of(policy->content);
		const struct sg_interval *intervals;
		const struct held_ports *ports = held_cursor_next(&cursor, &intervals);
		struct sg_policy_key key = {.policy = policy->number,
					    .peer = ports->peer,
					    .proto = ports->proto,
					    .dir = ports->dir};
		struct sg_policy_ports found;

		if (table_lookup(dataplane, TABLE_POLICY, &key, &found) == -ENOENT)
			entry_is_gone(harm, SG_MAP_POLICY);
	}
}

/* In mapped memory: these cost nothing. */
static bool is_iface_right(const struct dataplane *dataplane, uint32_t slot)
{
	const struct sg_iface *iface = &dataplane->ifaces[slot];
	const struct sg_iface_conf *conf = plan_current_conf(dataplane, slot, NULL);
	uint64_t now = dataplane_generation(dataplane);

	/* That timeout is no setting, so it is 0 only in what was wiped. */
	return iface->ifindex == dataplane->held[slot].ifindex && iface->slot == slot &&
	       (iface->since[0] <= now || iface->since[1] <= now) &&
	       conf->shard == dataplane->held[slot].shard && conf->timeout[SG_TIMEOUT_FRAGMENT];
}

bool intact_ifaces(const struct dataplane *dataplane)
{
	if (dataplane_generation(dataplane) != dataplane->flipped)
		return false;
	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++)
		if (dataplane->held[slot].ifindex && !is_iface_right(dataplane, slot))
			return false;
	return true;
}

static void look_at_slot(struct dataplane *dataplane, uint32_t slot, GArray *links,
			 struct dataplane_harm *harm)
{
	uint32_t ifindex = dataplane->held[slot].ifindex, found = 0;
	bool high = ifindex >= dataplane->table[TABLE_IFINDEX].max_entries;
	int code = table_lookup(dataplane, high ? TABLE_IFHIGH : TABLE_IFINDEX, &ifindex, &found);

	look_at_link(dataplane, slot, SG_EGRESS, links, harm);
	look_at_link(dataplane, slot, SG_INGRESS, links, harm);
	if ((!code || code == -ENOENT) && found != slot)
		entry_is_gone(harm, high ? SG_MAP_IFHIGH : SG_MAP_IFINDEX);
	if (!is_iface_right(dataplane, slot))
		entry_is_gone(harm, SG_MAP_IFACES);
	if (slot % SAMPLED == dataplane->intact.round % SAMPLED)
		look_at_entries(dataplane, slot, harm);
}

/* ------------------------------------------------------------------ rounds */

/* Where few descriptors are allowed, clients and files need what the interfaces have left: a step
 * takes at most a sixteenth. */
static uint32_t slots_a_step(void)
{
	return (uint32_t)CLAMP(most_descriptors() / 8, 1, (int)SLOTS_A_STEP);
}

void dataplane_intact(struct dataplane *dataplane, const struct image *image, uint32_t *next,
		      GArray *links, struct dataplane_harm *harm)
{
	uint32_t slot = *next, looked_at = 0, most = slots_a_step();

	if (slot <= 1) {
		slot = 1;
		dataplane->intact.round++;
		look_at_folders(dataplane, harm);
		look_at_whole(dataplane, image, harm);
	}
	for (; slot <= SG_MAX_SLOTS && looked_at < most; slot++) {
		if (!dataplane->held[slot].ifindex ||
		    dataplane->held[slot].ifindex == DATAPLANE_PARKED)
			continue;
		look_at_slot(dataplane, slot, links, harm);
		looked_at++;
	}
	*next = slot <= SG_MAX_SLOTS ? slot : 0;
}
