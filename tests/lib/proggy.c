/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proggy.c - see proggy.h. Long because one instance of the dataplane, its taps and programs is the
 * state of all that is here.
 */
#include "tests/lib/proggy.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <ftw.h>
#include <glib.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "rulesd/dataplane.h"
#include "rulesd/load.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#define HOST "test"

static struct {
	struct dataplane *dataplane;
	char *bpffs;
	struct numbers *numbers;
	struct model *model;
	struct image *image;
	GHashTable *taps;    /* interface id -> struct tap, borrowed from tap.c */
	GHashTable *devices; /* device name -> struct tap: kept, because making one is slow */
	GHashTable *wires;   /* struct tap -> struct wire */
	enum proggy_path path;
	struct tap *stranger; /* a device that nobody attaches */
	int programs[PROGGY_PROGRAMS];
	char *holds; /* the text of the policy that holds */
	unsigned int changes;
} proggy;

static const char *const program_names[] = {
	[PROGGY_XDP] = "sg_xdp",
	[PROGGY_TC_EGRESS] = "sg_tc_egress",
	[PROGGY_TC_INGRESS] = "sg_tc_ingress",
	[PROGGY_EARLY] = "sg_xdp_early",
};

const char *proggy_name(enum proggy_program program)
{
	return program_names[program];
}

bool proggy_is_xdp(enum proggy_program program)
{
	return program == PROGGY_XDP || program == PROGGY_EARLY;
}

enum sg_dir proggy_dir(enum proggy_program program)
{
	return program == PROGGY_TC_INGRESS ? SG_INGRESS : SG_EGRESS;
}

/* ------------------------------------------------------------------ finding programs and maps */

static struct {
	const char *name;
	char *path;
} wanted_pin;

static int match_pin(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
	(void)stat;
	if (type == FTW_F && strcmp(path + walk->base, wanted_pin.name) == 0)
		wanted_pin.path = g_strdup(path);
	return wanted_pin.path != NULL;
}

int proggy_map(const char *name)
{
	int fd;

	wanted_pin.name = name;
	wanted_pin.path = NULL;
	nftw(proggy.bpffs, match_pin, 16, FTW_PHYS);
	if (!wanted_pin.path)
		fail_msg("no pin %s below %s", name, proggy.bpffs);
	fd = bpf_obj_get(wanted_pin.path);
	if (fd < 0)
		fail_msg("cannot open %s: %s", wanted_pin.path, strerror(errno));
	g_clear_pointer(&wanted_pin.path, g_free);
	return fd;
}

static bool program_uses_map(const struct bpf_prog_info *info, uint32_t map_id)
{
	const uint32_t *ids = (const uint32_t *)(uintptr_t)info->map_ids;

	for (uint32_t i = 0; i < info->nr_map_ids; i++)
		if (ids[i] == map_id)
			return true;
	return false;
}

/* The instance's programs are those that use its sg_stats, whatever the dataplane does with them.
 */
static void find_programs(void)
{
	AUTO_FD int stats = proggy_map(SG_MAP_STATS);
	struct bpf_map_info map = {0};
	uint32_t size = sizeof(map);
	uint32_t id = 0;

	if (bpf_obj_get_info_by_fd(stats, &map, &size) < 0)
		fail_msg("cannot read about %s: %s", SG_MAP_STATS, strerror(errno));
	while (bpf_prog_get_next_id(id, &id) == 0) {
		AUTO_FD int fd = bpf_prog_get_fd_by_id(id);
		uint32_t maps[128];
		struct bpf_prog_info info = {.nr_map_ids = G_N_ELEMENTS(maps),
					     .map_ids = (uintptr_t)maps};

		size = sizeof(info);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ||
		    !program_uses_map(&info, map.id))
			continue;
		for (unsigned int i = 0; i < PROGGY_PROGRAMS; i++)
			if (strncmp(info.name, program_names[i], sizeof(info.name) - 1) == 0 &&
			    proggy.programs[i] < 0)
				proggy.programs[i] = TAKE_FD(fd);
	}
	for (unsigned int i = 0; i < PROGGY_PROGRAMS; i++)
		if (proggy.programs[i] < 0)
			fail_msg("the dataplane loaded no %s", program_names[i]);
}

/* ------------------------------------------------------------------ setup */

static void free_wire(gpointer data)
{
	struct wire *wire = data;

	wire_free(&wire);
}

int proggy_setup(void **state)
{
	g_autofree char *error = NULL;
	struct dataplane_options options = {.max_flows = 1048576};

	netns_group_setup(state);
	netns_new();
	proggy.bpffs = g_strdup_printf("%s/proggy", netns_bpffs());
	options.bpffs = proggy.bpffs;
	for (unsigned int i = 0; i < PROGGY_PROGRAMS; i++)
		proggy.programs[i] = -1;
	if (dataplane_open(&options, &proggy.dataplane, &error) < 0) {
		print_error("dataplane_open: %s\n", error);
		return -1;
	}
	proggy.taps = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	proggy.devices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	proggy.wires = g_hash_table_new_full(NULL, NULL, NULL, free_wire);
	proggy.numbers = numbers_new();
	proggy.stranger = tap_new("stranger", false);
	return 0;
}

int proggy_teardown(void **state)
{
	struct dataplane_options options = {.bpffs = proggy.bpffs, .max_flows = 1048576};
	g_autofree char *error = NULL;

	(void)state;
	for (unsigned int i = 0; i < PROGGY_PROGRAMS; i++)
		if (proggy.programs[i] >= 0)
			close(proggy.programs[i]);
	dataplane_close(&proggy.dataplane);
	if (dataplane_flush_all(&options, NULL, &error) < 0) {
		print_error("dataplane_flush_all: %s\n", error);
		return -1;
	}
	image_free(&proggy.image);
	model_free(&proggy.model);
	numbers_free(&proggy.numbers);
	g_hash_table_destroy(proggy.taps);
	g_hash_table_destroy(proggy.devices);
	g_hash_table_destroy(proggy.wires);
	g_free(proggy.bpffs);
	g_free(proggy.holds);
	tap_delete_all();
	netns_leave();
	return 0;
}

/* ------------------------------------------------------------------ policy */

static void fail_with_diag(const char *what, const struct diag *diag)
{
	diag_print(diag, stderr);
	fail_msg("%s refused the policy of the test", what);
}

/* A line "---" separates documents. */
static struct model *load(const char *json)
{
	g_autoptr(GPtrArray) sources = load_sources_new();
	__attribute__((cleanup(diag_free))) struct diag *diag = diag_new();
	g_auto(GStrv) documents = g_strsplit(json, "\n---\n", -1);
	struct model *model = NULL;

	for (unsigned int i = 0; documents[i]; i++) {
		struct load_source *source = g_new0(struct load_source, 1);

		source->name = g_strdup_printf("document-%u", i + 1);
		source->text = g_strdup(documents[i]);
		source->length = strlen(documents[i]);
		g_ptr_array_add(sources, source);
	}
	if (load_policy(sources, &model, diag) < 0)
		fail_with_diag("load_policy", diag);
	return model;
}

static void detach(const char *id)
{
	const struct image_iface *iface = image_iface(proggy.image, id);
	g_autofree char *error = NULL;

	if (dataplane_detach(proggy.dataplane, iface->slot, &error) < 0)
		fail_msg("dataplane_detach %s: %s", id, error);
	g_hash_table_remove(proggy.taps, id);
}

static struct tap *device(const char *name)
{
	struct tap *tap = g_hash_table_lookup(proggy.devices, name);

	if (tap)
		return tap;
	tap = tap_new(name, proggy.path == PROGGY_VNET_TAPS);
	g_hash_table_insert(proggy.devices, g_strdup(name), tap);
	if (proggy.path != PROGGY_TEST_RUN)
		g_hash_table_insert(proggy.wires, tap, wire_new(tap));
	return tap;
}

static void attach(const struct image *image, const struct image_iface *iface)
{
	struct tap *tap = device(iface->device);
	struct dataplane_attachment attachment = {0};
	g_autofree char *error = NULL;

	g_hash_table_insert(proggy.taps, g_strdup(iface->id), tap);
	if (dataplane_attach(proggy.dataplane, image, iface, tap->ifindex, tap->vnet_hdr, 0,
			     &attachment, &error) < 0)
		fail_msg("dataplane_attach %s: %s", iface->id, error);
	assert_true(attachment.live);
}

void proggy_settle(void)
{
	bool more = true;

	while (more) {
		if (dataplane_settle(proggy.dataplane, &more))
			fail_msg("dataplane_settle");
		g_usleep(more ? 500 : 0);
	}
}

void proggy_change(const char *json, bool keep)
{
	__attribute__((cleanup(diag_free))) struct diag *diag = diag_new();
	struct model *model = load(json);
	struct image *image = NULL;
	g_autofree char *error = NULL;
	g_autoptr(GList) attached = g_hash_table_get_keys(proggy.taps);
	GHashTableIter each;
	gpointer iface;
	uint64_t generation = 0;

	if (compile_image(model, proggy.numbers, proggy.image, HOST, &image, diag) < 0)
		fail_with_diag("compile_image", diag);
	for (GList *id = attached; id; id = id->next)
		if (!image_iface(image, id->data))
			detach(id->data);
	if (dataplane_apply(proggy.dataplane, image, keep, &generation, NULL, &error) < 0)
		fail_msg("dataplane_apply: %s", error);
	g_hash_table_iter_init(&each, image->ifaces);
	while (g_hash_table_iter_next(&each, NULL, &iface))
		if (!g_hash_table_contains(proggy.taps, ((const struct image_iface *)iface)->id))
			attach(image, iface);
	image_free(&proggy.image);
	model_free(&proggy.model);
	proggy.image = image;
	proggy.model = model;
	g_free(proggy.holds);
	proggy.holds = g_strdup(json);
	if (proggy.programs[0] < 0)
		find_programs();
	/* Members are found in another way then. */
	if (++proggy.changes & 1)
		proggy_settle();
}

void proggy_policy(const char *json)
{
	g_autoptr(GList) attached = g_hash_table_get_keys(proggy.taps);

	proggy_flush_flows();
	if (g_strcmp0(proggy.holds, json) == 0) /* taps and attaching are the slow part */
		return;
	for (GList *id = attached; id; id = id->next)
		detach(id->data);
	proggy_change(json, false);
}

void proggy_use(enum proggy_path path)
{
	g_autoptr(GList) attached = g_hash_table_get_keys(proggy.taps);
	GHashTableIter each;
	gpointer tap;

	if (path == proggy.path)
		return;
	for (GList *id = attached; id; id = id->next)
		detach(id->data);
	g_clear_pointer(&proggy.holds, g_free);
	g_hash_table_remove_all(proggy.wires);
	g_hash_table_iter_init(&each, proggy.devices);
	while (g_hash_table_iter_next(&each, NULL, &tap)) {
		tap_delete(tap);
		g_hash_table_iter_remove(&each);
	}
	proggy.path = path;
}

uint32_t proggy_slot(const char *interface_id)
{
	const struct image_iface *iface = image_iface(proggy.image, interface_id);

	if (!iface)
		fail_msg("the policy has no interface %s with a device", interface_id);
	return iface->slot;
}

int proggy_program_fd(enum proggy_program program)
{
	return proggy.programs[program];
}

uint32_t proggy_ifindex(const char *interface_id)
{
	const struct tap *tap = g_hash_table_lookup(proggy.taps, interface_id);

	if (!tap)
		fail_msg("%s is not attached", interface_id);
	return tap->ifindex;
}

struct dataplane *proggy_dataplane(void)
{
	return proggy.dataplane;
}

const struct image *proggy_image(void)
{
	return proggy.image;
}

const struct model *proggy_model(void)
{
	return proggy.model;
}

const struct numbers *proggy_numbers(void)
{
	return proggy.numbers;
}

const uint8_t *proggy_mac(const char *interface_id)
{
	const struct image_iface *iface = image_iface(proggy.image, interface_id);

	return iface && iface->flags & SG_IF_CHECK_MAC ? iface->mac : NULL;
}

/* ------------------------------------------------------------------ running */

/* Slot 0 belongs to nobody, so the dataplane has no word for it: its counters are read from the
 * map. */
static struct sg_stats read_stats_of_nobody(void)
{
	AUTO_FD int fd = proggy_map(SG_MAP_STATS);
	unsigned int cpus = (unsigned int)libbpf_num_possible_cpus();
	g_autofree struct sg_stats *each = g_new0(struct sg_stats, cpus);
	struct sg_stats sum = {0};
	uint32_t slot = 0;

	if (bpf_map_lookup_elem(fd, &slot, each) < 0)
		fail_msg("cannot read %s: %s", SG_MAP_STATS, strerror(errno));
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		for (size_t i = 0; i < sizeof(sum) / sizeof(uint64_t); i++)
			((uint64_t *)&sum)[i] += ((const uint64_t *)&each[cpu])[i];
	return sum;
}

static struct sg_stats read_stats(uint32_t slot)
{
	struct sg_stats stats = {0};
	struct sg_slot exact = {0};
	int result;

	if (slot == 0)
		return read_stats_of_nobody();
	result = dataplane_stats(proggy.dataplane, slot, &stats, &exact);
	if (result < 0)
		fail_msg("dataplane_stats of slot %u: %s", slot, strerror(-result));
	return stats;
}

/* The one reason whose counter moved by one, or SG_REASONS. */
static uint32_t moved_reason(const struct sg_stats *before, const struct sg_stats *after)
{
	uint32_t moved = SG_REASONS;
	uint64_t total = 0;

	for (uint32_t i = 0; i < SG_REASONS_ROOM; i++) {
		if (after->reasons[i] == before->reasons[i])
			continue;
		moved = i;
		total += after->reasons[i] - before->reasons[i];
	}
	return total == 1 ? moved : SG_REASONS;
}

static void see_counters(struct proggy_result *result, enum sg_dir dir,
			 const struct sg_stats *before, const struct sg_stats *after, size_t length)
{
	bool dropped = !result->allowed;

	result->reason = moved_reason(before, after);
	result->counted = after->packets[dir][dropped] == before->packets[dir][dropped] + 1 &&
			  after->bytes[dir][dropped] == before->bytes[dir][dropped] + length &&
			  after->packets[dir][!dropped] == before->packets[dir][!dropped];
}

struct proggy_result proggy_send(const char *interface_id, enum sg_dir dir,
				 const struct frame_spec *spec, const struct frame *frame)
{
	struct wire *wire =
		g_hash_table_lookup(proggy.wires, g_hash_table_lookup(proggy.taps, interface_id));
	struct proggy_result result = {.reason = SG_REASONS};
	uint32_t slot = proggy_slot(interface_id);
	struct sg_stats before = read_stats(slot), after;
	bool from_vm = dir == SG_EGRESS, other;
	uint32_t reason;

	result.error = wire_send(wire, from_vm, spec, frame);
	if (result.error < 0)
		return result;
	after = read_stats(slot);
	reason = moved_reason(&before, &after);
	result.allowed = wire_arrived(wire, from_vm, frame,
				      reason < SG_REASONS && !sg_reason_is_drop(reason), &other);
	result.unchanged = !other;
	see_counters(&result, dir, &before, &after, frame->length);
	return result;
}

struct proggy_result proggy_run(enum proggy_program program, const char *interface_id,
				const struct frame *frame)
{
	const struct tap *tap =
		interface_id ? g_hash_table_lookup(proggy.taps, interface_id) : proggy.stranger;
	uint32_t slot = interface_id ? proggy_slot(interface_id) : 0;
	enum sg_dir dir = proggy_dir(program);
	struct proggy_result result = {.reason = SG_REASONS};
	struct xdp_md xdp = {.data_end = (uint32_t)frame->length, .ingress_ifindex = tap->ifindex};
	struct __sk_buff skb = {.ifindex = tap->ifindex};
	static uint8_t out[FRAME_ROOM + 256];
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->bytes,
		    .data_size_in = (uint32_t)frame->length, .data_out = out,
		    .data_size_out = sizeof(out), .repeat = 1);
	struct sg_stats before, after;
	uint32_t verdict;

	options.ctx_in = proggy_is_xdp(program) ? (void *)&xdp : (void *)&skb;
	options.ctx_size_in = proggy_is_xdp(program) ? sizeof(xdp) : sizeof(skb);
	before = read_stats(slot);
	result.error = bpf_prog_test_run_opts(proggy.programs[program], &options);
	if (result.error < 0)
		return result;
	after = read_stats(slot);
	verdict = options.retval;
	if (program == PROGGY_EARLY && verdict == XDP_PASS) {
		assert_memory_equal(&before, &after, sizeof(before));
		return proggy_run(PROGGY_TC_EGRESS, interface_id, frame);
	}
	if (proggy_is_xdp(program)) {
		assert_true(verdict == XDP_PASS || verdict == XDP_DROP);
		result.allowed = verdict == XDP_PASS;
	} else {
		assert_true(verdict == (uint32_t)TC_ACT_UNSPEC || verdict == TC_ACT_SHOT);
		result.allowed = verdict == (uint32_t)TC_ACT_UNSPEC;
	}
	see_counters(&result, dir, &before, &after, frame->length);
	result.unchanged = options.data_size_out == frame->length &&
			   memcmp(out, frame->bytes, frame->length) == 0;
	return result;
}
