/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_attach_faults.c - every call into the kernel that attaching, detaching and adopting make
 * fails once: the device is filtered completely or not at all, the error says what failed, nothing
 * is left behind, and the next attempt succeeds. Long because each kind of attachment has its own
 * list of calls, and all of them the same checks.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/bpf_internal.h"
#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/plane.h"

#define TAPS 6 /* more than are attached with links at once */

static char *policy_of(const char *more)
{
	GString *text = g_string_new(
		"{\"version\":1,\"groups\":{\"sg-web\":{\"ingress\":[{\"id\":\"https\",\"protocol\":"
		"\"tcp\",\"ports\":[443],\"from\":[\"any\"]}]}},\"interfaces\":{");

	for (unsigned int i = 0; i < TAPS; i++)
		g_string_append_printf(
			text,
			"%s\"vm%u\":{\"device\":\"tap%u\",\"mac\":\"52:54:00:00:00:0%u\","
			"\"addresses\":[\"10.0.0.%u\"],\"vlans\":[5],\"groups\":[\"sg-web\"]%s}",
			i ? "," : "", i, i, i, i + 5, more);
	g_string_append(text, "}}");
	return g_string_free(text, FALSE);
}

/* ------------------------------------------------------------------ faults */

struct fault {
	unsigned int countdown; /* calls that succeed */
	unsigned int made;
	bool hit;
	char what[256];
};

static int fail_one(enum bpf_call call, const char *object, void *arg)
{
	struct fault *fault = arg;

	if (fault->made++ != fault->countdown)
		return 0;
	fault->hit = true;
	g_snprintf(fault->what, sizeof(fault->what), "%s of %s", bpf_call_name(call), object);
	return -EIO;
}

/* ------------------------------------------------------------------ what is there */

static bool count_entry(const void *key, const void *value, void *arg)
{
	(void)key;
	(void)value;
	++*(unsigned int *)arg;
	return true;
}

static unsigned int entries_of(struct plane *plane, enum bpf_table_id id)
{
	unsigned int count = 0;

	assert_int_equal(table_each(&plane->dataplane->table[id], count_entry, &count), 0);
	return count;
}

/*
 * Maps in an array of maps. Before Linux 6.8 every lookup there waits for a grace period (kernel/
 * bpf/syscall.c, bpf_map_copy_value), all of an array for minutes: where tcx is missing, too, only
 * the first ones are looked at. Slots and shards are given out from the lowest number on.
 */
static unsigned int inner_of(struct plane *plane, enum bpf_table_id id)
{
	unsigned int count = 0;

	if (plane->dataplane->tcx)
		return entries_of(plane, id);
	for (uint32_t index = 0, inner; index < 3 * TAPS; index++)
		count += !table_lookup(plane->dataplane, id, &index, &inner);
	return count;
}

static unsigned int pins_of(struct plane *plane)
{
	g_autofree char *folder = g_strdup_printf("%s/links", plane->options.bpffs);
	g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
	unsigned int count = 0;

	while (directory && g_dir_read_name(directory))
		count++;
	return count;
}

static uint32_t slot_at(struct plane *plane, uint32_t ifindex)
{
	uint32_t slot = 0;

	assert_int_equal(table_lookup(plane->dataplane, TABLE_IFINDEX, &ifindex, &slot), 0);
	return slot;
}

/* Whether a packet of this device is judged; fails the test when it is in one direction only. */
static bool is_filtered(struct plane *plane, uint32_t slot, uint32_t ifindex,
			const struct fault *fault)
{
	struct hooks_seen seen = {};
	char *error = NULL;
	uint32_t id = 0;

	if (hooks_look(plane->dataplane, slot, ifindex, NULL, &seen, &error))
		fail_msg("%s", error);
	if (seen.any != seen.live)
		fail_msg("%s failed: one direction is filtered", fault->what);
	if (!seen.live)
		return false;
	if (slot_at(plane, ifindex) != slot || plane->dataplane->ifaces[slot].ifindex != ifindex ||
	    table_lookup(plane->dataplane, TABLE_HALF, &slot, &id))
		fail_msg("%s failed: programs without their maps", fault->what);
	return true;
}

static void assert_nothing_left(struct plane *plane, const struct fault *fault)
{
	unsigned int guards = entries_of(plane, TABLE_GUARD),
		     vlans = entries_of(plane, TABLE_VLANS);
	unsigned int halves = inner_of(plane, TABLE_HALF), shards = inner_of(plane, TABLE_FLOWS);

	if (guards || vlans || halves || shards || pins_of(plane) ||
	    shards_reserved(plane->dataplane))
		fail_msg("%s failed: %u guards, %u vlans, %u + %u flow tables, %u pins, "
			 "%u flows reserved are left",
			 fault->what, guards, vlans, halves, shards, pins_of(plane),
			 shards_reserved(plane->dataplane));
}

/* ------------------------------------------------------------------ attach and detach */

struct stage {
	struct plane *plane;
	struct tap *taps[TAPS];
	struct dataplane_request requests[TAPS];
	unsigned int count;
};

static void set_stage(struct stage *stage, struct plane *plane, const char *policy, bool vnet_hdr,
		      unsigned int count)
{
	*stage = (struct stage){.plane = plane, .count = count};
	if (plane_apply(plane, policy, false))
		fail_msg("%s", plane->error);
	for (unsigned int i = 0; i < count; i++) {
		g_autofree char *name = g_strdup_printf("tap%u", i);

		stage->taps[i] = tap_new(name, vnet_hdr);
	}
}

static void fill_requests(struct stage *stage)
{
	for (unsigned int i = 0; i < stage->count; i++) {
		g_autofree char *id = g_strdup_printf("vm%u", i);

		stage->requests[i] = (struct dataplane_request){
			.iface = image_iface(stage->plane->image, id),
			.ifindex = stage->taps[i]->ifindex,
			.vnet_hdr = stage->taps[i]->vnet_hdr,
			.patient = stage->count == 1,
		};
	}
}

static void attach_all(struct stage *stage)
{
	fill_requests(stage);
	dataplane_attach_many(stage->plane->dataplane, stage->plane->image, stage->requests,
			      stage->count);
}

/* How many failed; each is filtered exactly if its code is 0. */
static unsigned int check_attached(struct stage *stage, const struct fault *fault)
{
	unsigned int failed = 0;

	for (unsigned int i = 0; i < stage->count; i++) {
		struct dataplane_request *request = &stage->requests[i];
		bool filtered =
			is_filtered(stage->plane, request->iface->slot, request->ifindex, fault);

		if (filtered != !request->code)
			fail_msg("%s failed: interface %s has code %d and is %sfiltered",
				 fault->what, request->iface->id, request->code,
				 filtered ? "" : "not ");
		if (request->code && (!request->error || !strstr(request->error, "error")))
			fail_msg("%s failed: the error says: %s", fault->what,
				 request->error ? request->error : "nothing");
		failed += request->code != 0;
		g_clear_pointer(&request->error, g_free);
	}
	return failed;
}

static void detach_all(struct stage *stage, int *code, char **error)
{
	uint32_t slots[TAPS];

	for (unsigned int i = 0; i < stage->count; i++)
		slots[i] = stage->requests[i].iface->slot;
	*code = dataplane_detach_many(stage->plane->dataplane, slots, stage->count, NULL, error);
}

static void detach_cleanly(struct stage *stage, const struct fault *fault)
{
	g_autofree char *error = NULL;
	int code;

	detach_all(stage, &code, &error);
	if (code)
		fail_msg("detaching after %s: %s", fault->what, error);
	for (unsigned int i = 0; i < stage->count; i++)
		assert_false(is_filtered(stage->plane, stage->requests[i].iface->slot,
					 stage->requests[i].ifindex, fault));
	assert_nothing_left(stage->plane, fault);
}

/* As of tests/run: on an emulated machine one call in so many fails. */
static unsigned int leap(void)
{
	const char *patience = getenv("PATIENCE");

	return patience ? (unsigned int)MAX(atoi(patience), 1) : 1;
}

static void every_call_of_attach(struct plane *plane, const char *more, bool vnet_hdr,
				 unsigned int count)
{
	g_autofree char *policy = policy_of(more);
	unsigned int step, failures = 0;
	struct stage stage;

	set_stage(&stage, plane, policy, vnet_hdr, count);
	for (step = 0; step < 2000; step += leap()) {
		struct fault fault = {.countdown = step};
		unsigned int failed;

		bpf_fault_set(fail_one, &fault);
		attach_all(&stage);
		bpf_fault_set(NULL, NULL);
		if (!fault.hit)
			g_strlcpy(fault.what, "nothing", sizeof(fault.what));
		failed = check_attached(&stage, &fault);
		failures += failed;
		if (failed == count)
			assert_nothing_left(plane, &fault);
		/* The next attempt. */
		attach_all(&stage);
		assert_int_equal(check_attached(&stage, &fault), 0);
		detach_cleanly(&stage, &fault);
		if (!fault.hit) {
			assert_int_equal(failed, 0);
			break;
		}
	}
	assert_true(step > 15 * count && step < 2000);
	assert_true(failures > 10 / leap());
}

static void attach_with_links(void **state)
{
	every_call_of_attach(*state, "", false, 1);
}

static void attach_of_a_tap_with_offloads(void **state)
{
	every_call_of_attach(*state, "", true, 1);
}

static void attach_with_filters(void **state)
{
	every_call_of_attach(*state, ",\"hook\":\"tc\"", false, 1);
}

static void attach_of_many(void **state)
{
	every_call_of_attach(*state, "", true, TAPS);
}

static void every_call_of_detach(struct plane *plane, const char *more, bool vnet_hdr,
				 unsigned int count)
{
	g_autofree char *policy = policy_of(more);
	unsigned int step, failures = 0;
	struct stage stage;

	set_stage(&stage, plane, policy, vnet_hdr, count);
	for (step = 0; step < 2000; step += leap()) {
		struct fault fault = {.countdown = step};
		g_autofree char *error = NULL;
		int code;

		attach_all(&stage);
		assert_int_equal(check_attached(&stage, &fault), 0);
		bpf_fault_set(fail_one, &fault);
		detach_all(&stage, &code, &error);
		bpf_fault_set(NULL, NULL);
		if (!fault.hit)
			g_strlcpy(fault.what, "nothing", sizeof(fault.what));
		if (code && (!error || !strstr(error, "error")))
			fail_msg("%s failed: the error says: %s", fault.what,
				 error ? error : "nothing");
		failures += code != 0;
		detach_cleanly(&stage, &fault);
		if (!fault.hit) {
			assert_int_equal(code, 0);
			break;
		}
	}
	assert_true(step > 5 * count && step < 2000);
	assert_true(failures > 3 / leap());
}

static void detach_of_links(void **state)
{
	every_call_of_detach(*state, "", false, 1);
}

static void detach_of_filters(void **state)
{
	every_call_of_detach(*state, ",\"hook\":\"tc\"", false, 1);
}

static void detach_of_many(void **state)
{
	every_call_of_detach(*state, "", true, TAPS);
}

/* ------------------------------------------------------------------ what runs is never left alone
 */

/* Another hook, while packets may come: at every moment some program judges each direction. */
static void change_of_the_hook(void **state)
{
	struct plane *plane = *state;
	g_autofree char *before = policy_of(",\"hook\":\"tc\"");
	g_autofree char *after = policy_of("");
	struct stage stage;
	unsigned int step;

	set_stage(&stage, plane, before, false, 1);
	for (step = 0; step < 500; step += leap()) {
		struct fault fault = {.countdown = step};

		assert_int_equal(plane_apply(plane, before, false), 0);
		attach_all(&stage);
		assert_int_equal(check_attached(&stage, &fault), 0);
		assert_int_equal(plane_apply(plane, after, false), 0);
		bpf_fault_set(fail_one, &fault);
		attach_all(&stage);
		bpf_fault_set(NULL, NULL);
		assert_true(is_filtered(plane, stage.requests[0].iface->slot,
					stage.requests[0].ifindex, &fault));
		g_clear_pointer(&stage.requests[0].error, g_free);
		attach_all(&stage);
		assert_int_equal(check_attached(&stage, &fault), 0);
		assert_int_equal(stage.requests[0].attachment.hook, MODEL_HOOK_XDP);
		if (!fault.hit)
			break;
	}
	assert_true(step > 10 && step < 500);
}

/* Opening again: programs and links of the one before go on, whatever fails. */
static void adoption(void **state)
{
	struct plane *plane = *state;
	g_autofree char *policy = policy_of("");
	struct dataplane_options options = plane->options;
	struct stage stage;
	unsigned int step, loaded = 0, stride = 1;

	set_stage(&stage, plane, policy, false, 1);
	attach_all(&stage);
	assert_int_equal(check_attached(&stage, &(struct fault){}), 0);
	for (step = 0; step < 2000; step += stride) {
		struct fault fault = {.countdown = step};
		g_autoptr(GArray) list =
			g_array_new(FALSE, TRUE, sizeof(struct dataplane_attachment));
		struct dataplane *dataplane = NULL;
		g_autofree char *error = NULL;
		int code;

		dataplane_close(&plane->dataplane);
		bpf_fault_set(fail_one, &fault);
		code = dataplane_open(&options, &dataplane, &error);
		if (!code)
			code = dataplane_attachments(dataplane, list, &error);
		bpf_fault_set(NULL, NULL);
		if (code && (!error || !strstr(error, "error")))
			fail_msg("%s failed: the error says: %s", fault.what,
				 error ? error : "nothing");
		/* What cannot be adopted is loaded, which takes a second: not at every pin. */
		loaded = dataplane && !dataplane->adopted->len;
		stride = loaded ? 9 * leap() : leap();
		dataplane_close(&dataplane);
		plane_reopen(plane);
		assert_int_equal(plane_apply(plane, policy, false), 0);
		fill_requests(&stage);
		assert_true(is_filtered(plane, stage.requests[0].iface->slot,
					stage.requests[0].ifindex, &fault));
		fault = (struct fault){.countdown = step % 40};
		bpf_fault_set(fail_one, &fault);
		attach_all(&stage);
		bpf_fault_set(NULL, NULL);
		g_clear_pointer(&stage.requests[0].error, g_free);
		assert_true(is_filtered(plane, stage.requests[0].iface->slot,
					stage.requests[0].ifindex, &fault));
		attach_all(&stage);
		assert_int_equal(check_attached(&stage, &fault), 0);
		if (!code && !loaded && step > 60)
			break;
	}
	assert_true(step > 60 && step < 2000);
}

/* ------------------------------------------------------------------ restarts */

static uint32_t id_of_pin(const struct plane *plane)
{
	g_autofree char *path = g_strdup_printf("%s/progs/%s", plane->options.bpffs,
						program_names[PROGRAM_TC_INGRESS]);
	AUTO_FD int fd = bpf_obj_get(path);
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &length), 0);
	return info.id;
}

static void unpin(const struct plane *plane, const char *name)
{
	g_autofree char *path = g_strdup_printf("%s/progs/%s", plane->options.bpffs, name);

	assert_int_equal(unlink(path), 0);
}

/* Programs of the same build are adopted; others, and an incomplete set, are replaced on every
 * device without a gap. */
static void programs_of_this_build_only_are_adopted(void **state)
{
	struct plane *plane = *state;
	g_autofree char *policy = policy_of("");
	struct stage stage;
	uint32_t first = id_of_pin(plane), second;

	set_stage(&stage, plane, policy, false, 1);
	attach_all(&stage);
	plane_reopen(plane);
	assert_int_equal(id_of_pin(plane), first);
	assert_int_equal(plane->dataplane->program_id[PROGRAM_TC_INGRESS], first);
	/* As an rulesd of another build would find it. */
	unpin(plane, "build");
	plane_reopen(plane);
	second = id_of_pin(plane);
	assert_int_not_equal(second, first);
	assert_int_equal(plane_apply(plane, policy, false), 0);
	attach_all(&stage);
	assert_int_equal(check_attached(&stage, &(struct fault){.what = "nothing"}), 0);
	/* The link runs the new program: the old one is gone. */
	assert_true(bpf_prog_get_fd_by_id(first) < 0);
	unpin(plane, program_names[PROGRAM_XDP]);
	plane_reopen(plane);
	assert_int_not_equal(id_of_pin(plane), second);
	/* Programs that use another map than the pinned one of that name. */
	first = id_of_pin(plane);
	g_autofree char *path = g_strdup_printf("%s/maps/%s", plane->options.bpffs, SG_MAP_VLANS);

	assert_int_equal(unlink(path), 0);
	AUTO_FD int other = bpf_map_create(
		BPF_MAP_TYPE_HASH, SG_MAP_VLANS, sizeof(struct sg_vlan_key),
		sizeof(struct sg_version), SG_MAX_VLANS,
		&(struct bpf_map_create_opts){.sz = sizeof(struct bpf_map_create_opts),
					      .map_flags = BPF_F_NO_PREALLOC});

	assert_true(other >= 0);
	assert_int_equal(bpf_obj_pin(other, path), 0);
	plane_reopen(plane);
	assert_int_not_equal(id_of_pin(plane), first);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, plane_setup, plane_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(adoption),
		TEST(attach_with_links),
		TEST(attach_of_a_tap_with_offloads),
		TEST(attach_with_filters),
		TEST(attach_of_many),
		TEST(detach_of_links),
		TEST(detach_of_filters),
		TEST(detach_of_many),
		TEST(change_of_the_hook),
		TEST(programs_of_this_build_only_are_adopted),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
