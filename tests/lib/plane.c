/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plane.c - see plane.h.
 */
#include "tests/lib/plane.h"

#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "rulesd/load.h"
#include "rulesd/model_diff.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"

#define HOST "test"

static unsigned int instances;

static void open_plane(struct plane *plane)
{
	g_clear_pointer(&plane->error, g_free);
	if (dataplane_open(&plane->options, &plane->dataplane, &plane->error))
		fail_msg("dataplane_open: %s", plane->error);
}

int plane_setup(void **state)
{
	struct plane *plane = g_new0(struct plane, 1);

	netns_new();
	plane->options.bpffs = g_strdup_printf("%s/plane%u", netns_bpffs(), instances++);
	plane->options.max_flows = 1048576;
	plane->numbers = numbers_new();
	*state = plane;
	open_plane(plane);
	return 0;
}

int plane_teardown(void **state)
{
	struct plane *plane = *state;
	g_autofree char *error = NULL;

	dataplane_close(&plane->dataplane);
	if (dataplane_flush_all(&plane->options, NULL, &error)) {
		print_error("dataplane_flush_all: %s\n", error);
		return -1;
	}
	tap_delete_all();
	image_free(&plane->image);
	numbers_free(&plane->numbers);
	model_free(&plane->model);
	g_free((void *)(uintptr_t)plane->options.bpffs);
	g_free(plane->error);
	g_free(plane);
	netns_leave();
	return 0;
}

void plane_reopen(struct plane *plane)
{
	dataplane_close(&plane->dataplane);
	image_free(&plane->image);
	model_free(&plane->model);
	open_plane(plane);
}

static void refused(const struct diag *diag)
{
	diag_print(diag, stderr);
	fail_msg("the policy of the test is refused");
}

static struct model *load(const char *json)
{
	g_autoptr(GPtrArray) sources = load_sources_new();
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct load_source *source = g_new0(struct load_source, 1);
	struct model *model = NULL;

	source->name = g_strdup("test");
	source->text = g_strdup(json);
	source->length = strlen(json);
	g_ptr_array_add(sources, source);
	if (load_policy(sources, &model, diag))
		refused(diag);
	return model;
}

static int apply_first(struct plane *plane, struct model **model)
{
	CLEANUP(image_free) struct image *image = NULL;
	CLEANUP(diag_free) struct diag *diag = diag_new();
	int code;

	if (compile_image(*model, plane->numbers, NULL, HOST, &image, diag))
		refused(diag);
	code = dataplane_apply(plane->dataplane, image, false, &plane->generation, &plane->writes,
			       &plane->error);
	if (code)
		return code;
	plane->model = TAKE_PTR(*model);
	plane->image = TAKE_PTR(image);
	return 0;
}

int plane_apply(struct plane *plane, const char *json, bool keep)
{
	CLEANUP(model_free) struct model *model = load(json);
	CLEANUP(model_edit_free) struct model_edit *edit = NULL;
	CLEANUP(image_delta_free) struct image_delta *delta = NULL;
	CLEANUP(diag_free) struct diag *diag = diag_new();
	int code;

	g_clear_pointer(&plane->error, g_free);
	if (!plane->image)
		return apply_first(plane, &model);
	edit = model_diff(plane->model, &model);
	model_edit_apply(edit, plane->model);
	if (compile_change(plane->image, plane->model, edit, plane->numbers, HOST, &delta, diag))
		refused(diag);
	code = dataplane_apply_delta(plane->dataplane, plane->image, delta, keep,
				     &plane->generation, &plane->writes, &plane->error);
	if (code) {
		image_delta_undo(plane->image, &delta);
		model_edit_undo(edit, plane->model);
	}
	return code;
}

void plane_settle(struct plane *plane)
{
	const gint64 began = g_get_monotonic_time();
	bool more = true;

	for (;;) {
		assert_int_equal(dataplane_settle(plane->dataplane, &more), 0);
		if (!more)
			return;
		if (patience_over(began, GIVE_UP_MS))
			fail_msg("what was replaced is never given back");
		g_usleep(1000);
	}
}

int plane_attach(struct plane *plane, const char *id, const struct tap *tap,
		 struct dataplane_attachment *attachment)
{
	const struct image_iface *iface = image_iface(plane->image, id);

	if (!iface)
		fail_msg("the policy has no interface %s with a device", id);
	g_clear_pointer(&plane->error, g_free);
	return dataplane_attach(plane->dataplane, plane->image, iface, tap->ifindex, tap->vnet_hdr,
				0, attachment, &plane->error);
}

uint32_t plane_slot(const struct plane *plane, const char *id)
{
	const struct image_iface *iface = image_iface(plane->image, id);

	if (!iface)
		fail_msg("the policy has no interface %s with a device", id);
	return iface->slot;
}

struct tap *plane_bridge(struct tap **vm, bool vnet_hdr)
{
	struct tap *neighbour = tap_new("tap9", false);

	*vm = tap_new("tap0", vnet_hdr);
	bridge_new("br0");
	bridge_add("br0", *vm);
	bridge_add("br0", neighbour);
	return neighbour;
}

bool plane_arrives(const struct tap *from, const struct tap *to, const char *text, bool expected)
{
	struct frame sent;

	frame_make_text(&sent, text);
	tap_drain(to);
	assert_int_equal(tap_write(from, &sent), 0);
	return tap_read_exactly(to, &sent, expected ? TAP_WAIT_MS : 50);
}
