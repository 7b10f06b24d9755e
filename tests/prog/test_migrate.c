/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_migrate.c - pinned maps of ABI version 2 (bpf/abi2.h) are taken over with their flows while
 * frames pass, also after a crash in the middle; other versions are refused.
 *
 * The old layout is made of the new one: the maps that differ are written anew and pinned in the
 * place of ours, whose programs go on with maps that nobody finds any more, as those of another
 * build would.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "bpf/abi2.h"
#include "rulesd/bpf_internal.h"
#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/plane.h"

/* The echo is there for longer than the verifier takes on an emulated machine. */
#define POLICY                                                                                        \
	"{\"version\":1,\"groups\":{\"sg-web\":{\"ingress\":[{\"id\":\"https\",\"protocol\":\"tcp\"," \
	"\"ports\":[443],\"from\":[\"any\"]},{\"id\":\"ping\",\"protocol\":\"icmp\",\"from\":["       \
	"\"any\"]}]}},\"interfaces\":{\"vm\":{\"device\":\"tap0\",\"addresses\":[\"10.0.0.5\"],"      \
	"\"groups\":[\"sg-web\"],\"conntrack\":{\"icmp\":3600}}}}"

struct scene {
	struct plane *plane;
	struct tap *vm, *neighbour;
	uint32_t slot;
};

static void in(struct scene *scene, const char *text)
{
	if (!plane_arrives(scene->neighbour, scene->vm, text, true))
		fail_msg("did not arrive: %s", text);
}

static void out(struct scene *scene, const char *text)
{
	if (!plane_arrives(scene->vm, scene->neighbour, text, true))
		fail_msg("did not leave: %s", text);
}

static void attach(struct scene *scene)
{
	struct dataplane_attachment attachment = {};

	if (plane_apply(scene->plane, POLICY, false) ||
	    plane_attach(scene->plane, "vm", scene->vm, &attachment))
		fail_msg("%s", scene->plane->error);
	scene->slot = attachment.slot;
}

static bool take_flow(const struct dataplane_flow *flow, void *arg)
{
	g_array_append_val((GArray *)arg, *flow);
	return true;
}

static GArray *confirmed_flows(const struct scene *scene)
{
	const struct dataplane_flow_filter all = {.protocol = -1, .sport = -1, .dport = -1};
	GArray *flows = g_array_new(FALSE, FALSE, sizeof(struct dataplane_flow));
	char *error = NULL;

	if (dataplane_flows(scene->plane->dataplane, &all, take_flow, flows, &error))
		fail_msg("%s", error);
	for (guint i = flows->len; i-- > 0;)
		if (g_array_index(flows, struct dataplane_flow, i).half)
			g_array_remove_index(flows, i);
	return flows;
}

/* ------------------------------------------------------------------ the old layout */

static void pin_instead(const struct scene *scene, int fd, const char *name)
{
	g_autofree char *path = g_strdup_printf("%s/maps/%s", scene->plane->options.bpffs, name);

	assert_true(fd >= 0);
	unlink(path);
	if (bpf_obj_pin(fd, path))
		fail_msg("%s: %s", path, strerror(errno));
	close(fd);
}

static int array_of(const char *name, uint32_t value_size, uint32_t entries)
{
	return bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(uint32_t), value_size, entries,
			      NULL);
}

static void write_control(const struct scene *scene, uint32_t abi, uint64_t generation,
			  uint64_t last_removal)
{
	const struct sg2_control control = {
		.generation = generation, .last_removal = last_removal, .abi = abi};
	int fd = array_of("sg_control", sizeof(control), 1);
	uint32_t zero = 0;

	assert_int_equal(bpf_map_update_elem(fd, &zero, &control, BPF_ANY), 0);
	pin_instead(scene, fd, SG_MAP_CONTROL);
}

static void write_iface(const struct scene *scene, const struct sg_iface *now)
{
	const struct sg_iface_conf *conf = &now->conf[now->since[0] == SG_NEVER];
	struct sg2_iface iface = {.ifindex = now->ifindex,
				  .slot = now->slot,
				  .since = {SG2_NEVER, 1},
				  .removed_at = now->removed_at};
	int fd = array_of("sg_ifaces", sizeof(iface), SG2_MAX_SLOTS + 1);

	/* The second version holds. */
	iface.conf[1] = (struct sg2_iface_conf){.policy = conf->policy,
						.zone = conf->zone,
						.flags = conf->flags,
						.max_flows = conf->max_flows,
						.shard = 3};
	assert_int_equal(bpf_map_update_elem(fd, &scene->slot, &iface, BPF_ANY), 0);
	pin_instead(scene, fd, SG_MAP_IFACES);
}

static void write_slots(const struct scene *scene, uint32_t flows)
{
	const struct sg2_slot slot = {.flows = flows, .allowance_exceeded = 7};
	int fd = array_of("sg_slots", sizeof(slot), SG2_MAX_SLOTS + 1);

	assert_int_equal(bpf_map_update_elem(fd, &scene->slot, &slot, BPF_ANY), 0);
	pin_instead(scene, fd, SG_MAP_SLOTS);
}

static void write_flows(const struct scene *scene, const GArray *flows)
{
	AUTO_FD int shard =
		bpf_map_create(BPF_MAP_TYPE_HASH, "sg_flows_shard", sizeof(struct sg2_flow_key),
			       sizeof(struct sg2_flow), 1000, NULL);
	LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = (uint32_t)shard);
	int outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "sg_flows", sizeof(uint32_t),
				   sizeof(uint32_t), SG2_MAX_SHARDS, &options);
	uint32_t index = 3;

	for (guint i = 0; i < flows->len; i++) {
		const struct dataplane_flow *one = &g_array_index(flows, struct dataplane_flow, i);
		struct sg_flow_key half = one->key;
		struct sg_flow opening = one->flow;

		assert_int_equal(bpf_map_update_elem(shard, &one->key, &one->flow, BPF_ANY), 0);
		/* One that nobody has answered is in the table of this layout, too. */
		half.rport = htons((uint16_t)(1000 + i));
		opening.state |= SG2_FLOW_HALF << 8;
		assert_int_equal(bpf_map_update_elem(shard, &half, &opening, BPF_ANY), 0);
	}
	assert_int_equal(bpf_map_update_elem(outer, &index, &shard, BPF_ANY), 0);
	pin_instead(scene, outer, SG_MAP_FLOWS);
}

/* A connection, and an echo with its reply; then everything as version 2 has it. */
static struct scene with_old_maps(void **state)
{
	struct scene scene = {.plane = *state};
	g_autoptr(GArray) flows = NULL;
	g_autofree char *build = NULL;
	struct sg_control control;
	struct sg_iface iface;

	scene.neighbour = plane_bridge(&scene.vm, false);
	attach(&scene);
	in(&scene, "tcp 10.0.0.9:5000 > 10.0.0.5:443 S seq=100");
	out(&scene, "tcp 10.0.0.5:443 > 10.0.0.9:5000 SA seq=900 ack=101");
	in(&scene, "tcp 10.0.0.9:5000 > 10.0.0.5:443 A seq=101 ack=901");
	in(&scene, "icmp 10.0.0.9 > 10.0.0.5 type=8 id=77");
	out(&scene, "icmp 10.0.0.5 > 10.0.0.9 type=0 id=77");
	flows = confirmed_flows(&scene);
	assert_int_equal(flows->len, 2);
	control = *scene.plane->dataplane->control;
	iface = scene.plane->dataplane->ifaces[scene.slot];
	dataplane_close(&scene.plane->dataplane);
	write_flows(&scene, flows);
	write_slots(&scene, flows->len);
	write_iface(&scene, &iface);
	write_control(&scene, SG2_ABI_VERSION, control.generation, control.last_removal);
	build = g_strdup_printf("%s/progs/build", scene.plane->options.bpffs);
	assert_int_equal(unlink(build), 0);
	return scene;
}

static bool has_folder(const struct scene *scene, const char *name)
{
	g_autofree char *path = g_strdup_printf("%s/%s", scene->plane->options.bpffs, name);

	return access(path, F_OK) == 0;
}

/* The windows of what was copied are not judged, but all else is. */
static void check_frames(struct scene *scene)
{
	in(scene, "tcp 10.0.0.9:5000 > 10.0.0.5:443 PA seq=101 ack=901 len=10");
	out(scene, "tcp 10.0.0.5:443 > 10.0.0.9:5000 PA seq=901 ack=111 len=10");
	in(scene, "icmp 10.0.0.9 > 10.0.0.5 type=8 id=77 seq=2");
	assert_false(plane_arrives(scene->neighbour, scene->vm,
				   "tcp 10.0.0.9:5001 > 10.0.0.5:443 A seq=1 ack=1", false));
	assert_false(plane_arrives(scene->neighbour, scene->vm,
				   "tcp 10.0.0.9:5001 > 10.0.0.5:444 S", false));
	assert_false(plane_arrives(scene->neighbour, scene->vm,
				   "tcp 10.0.0.9:1000 > 10.0.0.5:443 A seq=1 ack=1", false));
	assert_false(
		plane_arrives(scene->vm, scene->neighbour, "udp 10.0.0.77:1 > 10.0.0.9:2", false));
}

static void check_migrated(struct scene *scene)
{
	g_autoptr(GArray) flows = confirmed_flows(scene);
	struct sg_slot exact;

	assert_int_equal(flows->len, 2);
	assert_int_equal(dataplane_stats(scene->plane->dataplane, scene->slot, NULL, &exact), 0);
	assert_int_equal(exact.flows, 2);
	assert_int_equal(exact.allowance_exceeded, 7);
	assert_false(has_folder(scene, "maps-new"));
	assert_false(dataplane_is_migrating(scene->plane->dataplane));
	check_frames(scene);
}

static void finish(struct scene *scene)
{
	char *error = NULL;

	if (dataplane_migrated(scene->plane->dataplane, &error))
		fail_msg("%s", error);
}

/* ------------------------------------------------------------------ tests */

static void flows_survive_another_layout(void **state)
{
	struct scene scene = with_old_maps(state);
	uint64_t generation;

	check_frames(&scene);
	plane_reopen(scene.plane);
	assert_true(dataplane_is_migrating(scene.plane->dataplane));
	generation = dataplane_generation(scene.plane->dataplane);
	assert_true(generation > 0);
	attach(&scene);
	assert_true(dataplane_generation(scene.plane->dataplane) > generation);
	finish(&scene);
	check_migrated(&scene);
	plane_reopen(scene.plane);
	attach(&scene);
	check_migrated(&scene);
	in(&scene, "tcp 10.0.0.9:5002 > 10.0.0.5:443 S");
}

/* Killed before a tap has its programs, and again after all have. */
static void a_migration_that_was_killed_goes_on(void **state)
{
	struct scene scene = with_old_maps(state);

	plane_reopen(scene.plane);
	check_frames(&scene);
	plane_reopen(scene.plane);
	assert_true(dataplane_is_migrating(scene.plane->dataplane));
	attach(&scene);
	check_frames(&scene);
	/* What came since is in the new maps only. */
	in(&scene, "tcp 10.0.0.9:5003 > 10.0.0.5:443 S seq=100");
	out(&scene, "tcp 10.0.0.5:443 > 10.0.0.9:5003 SA seq=900 ack=101");
	in(&scene, "tcp 10.0.0.9:5003 > 10.0.0.5:443 A seq=101 ack=901");
	plane_reopen(scene.plane);
	assert_true(dataplane_is_migrating(scene.plane->dataplane));
	attach(&scene);
	finish(&scene);
	in(&scene, "tcp 10.0.0.9:5003 > 10.0.0.5:443 PA seq=101 ack=901 len=5");
	check_frames(&scene);
	assert_false(has_folder(&scene, "maps-new"));
}

/* As if it had been killed after so many of the old maps were unpinned. */
static void unpinned(void **state, bool control_stays)
{
	struct scene scene = with_old_maps(state);
	g_autofree char *maps = g_strdup_printf("%s/maps", scene.plane->options.bpffs);
	g_autoptr(GDir) directory = NULL;
	const char *name;

	plane_reopen(scene.plane);
	attach(&scene);
	dataplane_close(&scene.plane->dataplane);
	directory = g_dir_open(maps, 0, NULL);
	while (directory && (name = g_dir_read_name(directory))) {
		g_autofree char *pin = g_build_filename(maps, name, NULL);

		if (!control_stays || strcmp(name, SG_MAP_CONTROL) != 0)
			unlink(pin);
	}
	plane_reopen(scene.plane);
	assert_false(dataplane_is_migrating(scene.plane->dataplane));
	attach(&scene);
	check_migrated(&scene);
}

static void a_folder_that_is_complete_takes_its_place(void **state)
{
	unpinned(state, false);
}

static void old_maps_that_are_half_unpinned_are_not_needed(void **state)
{
	unpinned(state, true);
}

/* Between the two a rulesd of the older version ran: what was begun is of another time. */
static void a_migration_of_another_time_is_begun_anew(void **state)
{
	struct scene scene = with_old_maps(state);
	g_autofree char *build = g_strdup_printf("%s/progs/build", scene.plane->options.bpffs);

	plane_reopen(scene.plane);
	dataplane_close(&scene.plane->dataplane);
	assert_int_equal(unlink(build), 0);
	plane_reopen(scene.plane);
	assert_true(dataplane_is_migrating(scene.plane->dataplane));
	attach(&scene);
	finish(&scene);
	check_migrated(&scene);
}

static void other_versions_are_refused(void **state)
{
	static const uint32_t versions[] = {1, SG_ABI_VERSION + 1};
	struct scene scene = with_old_maps(state);

	for (unsigned int i = 0; i < G_N_ELEMENTS(versions); i++) {
		struct dataplane *opened = NULL;
		g_autofree char *error = NULL;

		write_control(&scene, versions[i], 5, 0);
		assert_int_equal(dataplane_open(&scene.plane->options, &opened, &error),
				 -EPROTONOSUPPORT);
		assert_non_null(strstr(error, "knows 2 to 3"));
		check_frames(&scene);
	}
	write_control(&scene, SG2_ABI_VERSION, 5, 0);
	plane_reopen(scene.plane);
	attach(&scene);
	finish(&scene);
	check_migrated(&scene);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, plane_setup, plane_teardown)
	const struct CMUnitTest tests[] = {
		TEST(flows_survive_another_layout),
		TEST(a_migration_that_was_killed_goes_on),
		TEST(a_folder_that_is_complete_takes_its_place),
		TEST(old_maps_that_are_half_unpinned_are_not_needed),
		TEST(a_migration_of_another_time_is_begun_anew),
		TEST(other_versions_are_refused),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
