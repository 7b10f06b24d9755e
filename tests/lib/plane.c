/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plane.c - see plane.h.
 */
#include "tests/lib/plane.h"

#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "rulesd/load.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"

#define HOST "test"

static unsigned int instances;

static void open_plane(struct plane *plane)
{
	g_clear_pointer(&plane->error, g_free);
	if (dataplane_open(&plane->options, &plane->dataplane, &plane->error))
		fail_msg("dataplane_open: %s", plane->error);
}

static void free_model(gpointer data)
{
	struct model *model = data;

	model_free(&model);
}

int plane_setup(void **state)
{
	struct plane *plane = g_new0(struct plane, 1);

	netns_new();
	plane->options.bpffs = g_strdup_printf("%s/plane%u", netns_bpffs(), instances++);
	plane->options.max_flows = 1048576;
	plane->numbers = numbers_new();
	plane->models = g_ptr_array_new_with_free_func(free_model);
	*state = plane;
	open_plane(plane);
	return 0;
}

int plane_teardown(void **state)
{
	struct plane *plane = *state;
	g_autofree char *error = NULL;

	dataplane_close(&plane->dataplane);
	if (dataplane_flush_all(&plane->options, &error)) {
		print_error("dataplane_flush_all: %s\n", error);
		return -1;
	}
	tap_delete_all();
	image_free(&plane->image);
	numbers_free(&plane->numbers);
	g_ptr_array_unref(plane->models);
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
	open_plane(plane);
}

static void free_source(gpointer source)
{
	load_source_free(source);
}

struct image *plane_compile(struct plane *plane, const char *json)
{
	g_autoptr(GPtrArray) sources = g_ptr_array_new_with_free_func(free_source);
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(model_free) struct model *model = NULL;
	struct load_source *source = g_new0(struct load_source, 1);
	struct image *image = NULL;

	source->name = g_strdup("test");
	source->text = g_strdup(json);
	source->length = strlen(json);
	g_ptr_array_add(sources, source);
	if (load_policy(sources, &model, diag) ||
	    compile_image(model, plane->numbers, plane->image, HOST, &image, diag)) {
		diag_print(diag, stderr);
		fail_msg("the policy of the test is refused");
	}
	g_ptr_array_add(plane->models, TAKE_PTR(model));
	return image;
}

int plane_apply(struct plane *plane, const char *json, bool keep)
{
	CLEANUP(image_free) struct image *image = plane_compile(plane, json);
	int code;

	g_clear_pointer(&plane->error, g_free);
	code = dataplane_apply(plane->dataplane, plane->image, image, keep, &plane->generation,
			       &plane->writes, &plane->error);
	if (code)
		return code;
	image_free(&plane->image);
	plane->image = TAKE_PTR(image);
	return 0;
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
