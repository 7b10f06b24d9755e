/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_model.c - the interfaces of a model: shared lists of groups, indexes that stay right.
 */
#include "rulesd/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rulesd/cleanup.h"
#include "tests/lib/build.h"

static void equal_lists_of_groups_are_one(void **state)
{
	static const char *const one[] = {"sg-a", "sg-b"};
	static const char *const swapped[] = {"sg-b", "sg-a"};
	g_autofree char *again[] = {g_strdup("sg-a")};
	const struct model_groups *groups = model_groups_get(one, 2);
	const struct model_groups *shorter = model_groups_get((const char *const *)again, 1);
	const struct model_groups *other = model_groups_get(swapped, 2);
	const struct model_groups *same = model_groups_get(one, 2);

	(void)state;
	assert_ptr_equal(groups, same);
	assert_ptr_not_equal(groups, other);
	assert_ptr_not_equal(groups, shorter);
	assert_true(model_groups_have(groups, "sg-b"));
	assert_false(model_groups_have(groups, "sg-"));
	model_groups_unref(groups);
	assert_string_equal(same->ids[1], "sg-b"); /* its own reference */
	model_groups_unref(same);
	model_groups_unref(shorter);
	model_groups_unref(other);
}

static void an_interface_keeps_all_that_it_is_made_of(void **state)
{
	CLEANUP(model_free) struct model *model = model_new();
	struct model_interface *iface =
		build_interface(model, "blue", "vm", "tap0", "10.0.0.1 fd00::1", "sg-a sg-b");
	const struct cidr allowed = build_cidr("10.8.0.0/16");
	const uint16_t vlans[] = {3, 7};
	struct model_settings settings = {
		.description = "text",
		.device = "tap9",
		.host = "here",
		.allowed = &allowed,
		.vlans = vlans,
		.allowed_count = 1,
		.vlan_count = 2,
	};
	struct model_interface *copy;

	(void)state;
	iface = build_changed(model, iface, &settings);
	memset(&settings, 0, sizeof(settings));
	copy = model_interface_copy(iface);
	assert_string_equal(copy->id, "vm");
	assert_ptr_equal(copy->network, iface->network);
	assert_ptr_equal(copy->groups, iface->groups);
	assert_int_equal(copy->address_count, 2);
	assert_memory_equal(copy->addresses, iface->addresses, 2 * sizeof(struct sg_addr));
	assert_ptr_not_equal(copy->settings, iface->settings);
	assert_string_equal(copy->settings->description, "text");
	assert_string_equal(copy->settings->device, "tap9");
	assert_string_equal(copy->settings->host, "here");
	assert_int_equal(cidr_compare(copy->settings->allowed, &allowed), 0);
	assert_int_equal(copy->settings->vlans[1], 7);
	assert_false(copy->settings->spoof_guard);
	model_interface_free(copy);
}

static void members_share_their_settings(void **state)
{
	CLEANUP(model_free) struct model *model = model_new();

	(void)state;
	assert_ptr_equal(build_interface(model, "default", "a", NULL, "10.0.0.1", "sg-a")->settings,
			 build_interface(model, "blue", "b", NULL, "10.0.0.2", "sg-b")->settings);
}

static void devices_are_found_by_host(void **state)
{
	CLEANUP(model_free) struct model *model = model_new();
	struct model_interface *any, *here;
	struct model_settings settings = {.device = "tap1", .host = "here"};

	(void)state;
	any = build_interface(model, "default", "any", "tap0", "10.0.0.1", "sg-a");
	here = build_interface(model, "default", "here", NULL, "10.0.0.2", "sg-a");
	here = build_changed(model, here, &settings);
	assert_ptr_equal(model_interface_of_device(model, "tap0", "here"), any);
	assert_ptr_equal(model_interface_of_device(model, "tap0", "there"), any);
	assert_ptr_equal(model_interface_of_device(model, "tap1", "here"), here);
	assert_null(model_interface_of_device(model, "tap1", "there"));
	assert_null(model_interface_of_device(model, "tap2", "here"));
	assert_int_equal(model_most_devices(model), 2);
	assert_false(model_may_repeat(model));
}

/* The index of devices grows more often than the others. */
static void thousands_of_devices_are_found(void **state)
{
	CLEANUP(model_free) struct model *model = model_new();

	(void)state;
	for (unsigned int i = 0; i < 3000; i++) {
		g_autofree char *id = g_strdup_printf("i-%u", i);
		g_autofree char *device = i % 3 ? g_strdup_printf("tap%u", i) : NULL;
		g_autofree char *address = g_strdup_printf("10.0.%u.%u", i >> 8, i & 255);

		build_interface(model, "default", id, device, address, "sg-a");
	}
	for (unsigned int i = 0; i < 3000; i++) {
		g_autofree char *id = g_strdup_printf("i-%u", i);
		g_autofree char *device = g_strdup_printf("tap%u", i);
		const struct model_interface *iface = model_interface(model, id);

		assert_non_null(iface);
		assert_ptr_equal(model_interface_of_device(model, device, "here"),
				 i % 3 ? iface : NULL);
	}
	assert_int_equal(model_most_devices(model), 2000);
	assert_false(model_may_repeat(model));
}

/* ------------------------------------------------------------------ random changes */

#define IDS	  60
#define ADDRESSES 90
#define STEPS	  6000

static struct model_interface *random_interface(void)
{
	static const char *const lists[][2] = {
		{"sg-a", "sg-b"}, {"sg-b", "sg-a"}, {"sg-c", "sg-a"}};
	struct model_interface_spec spec = MODEL_INTERFACE_SPEC;
	g_autofree char *id = g_strdup_printf("i-%d", g_random_int_range(0, IDS));
	g_autofree char *device = g_strdup_printf("tap%d", g_random_int_range(0, 20));
	struct sg_addr addresses[3] = {0};

	for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++)
		addresses[i].b[15] = (uint8_t)g_random_int_range(0, ADDRESSES); /* 0: unreadable */
	spec.id = id;
	spec.network = g_random_int_range(0, 4) ? "default" : "blue";
	spec.groups = lists[g_random_int_range(0, G_N_ELEMENTS(lists))];
	spec.group_count = (uint32_t)g_random_int_range(0, 3);
	spec.addresses = addresses;
	spec.address_count = (uint32_t)g_random_int_range(0, G_N_ELEMENTS(addresses) + 1);
	spec.settings.device = g_random_int_range(0, 2) ? device : NULL;
	spec.settings.host = g_random_int_range(0, 3) == 0   ? NULL
			     : g_random_int_range(0, 2) == 0 ? "here"
							     : "there";
	return model_interface_new(&spec);
}

static bool has_address(const struct model_interface *iface, const struct sg_addr *addr)
{
	for (uint32_t i = 0; i < iface->address_count; i++)
		if (addr_equal(&iface->addresses[i], addr))
			return true;
	return false;
}

static bool same_device(const struct model_interface *a, const struct model_interface *b)
{
	const char *x = a->settings->host, *y = b->settings->host;

	return g_strcmp0(a->settings->device, b->settings->device) == 0 && a->settings->device &&
	       (!x || !y || strcmp(x, y) == 0);
}

/* By looking at every pair. */
static bool repeats(const GPtrArray *all)
{
	static const struct sg_addr unreadable;

	for (guint i = 0; i < all->len; i++) {
		const struct model_interface *a = all->pdata[i];

		for (uint32_t j = 0; j < a->address_count; j++)
			for (uint32_t k = 0; k < j; k++)
				if (addr_equal(&a->addresses[j], &a->addresses[k]) &&
				    !addr_equal(&a->addresses[j], &unreadable))
					return true;
		for (guint j = 0; j < i; j++) {
			const struct model_interface *b = all->pdata[j];

			if (strcmp(a->id, b->id) == 0 || same_device(a, b))
				return true;
			for (uint32_t k = 0; k < a->address_count; k++)
				if (a->network == b->network &&
				    !addr_equal(&a->addresses[k], &unreadable) &&
				    has_address(b, &a->addresses[k]))
					return true;
		}
	}
	return false;
}

static void assert_finders(const struct model *model, const GPtrArray *all)
{
	uint32_t members = 0, hostless = 0, devices[2] = {0};

	for (guint i = 0; i < all->len; i++) {
		const struct model_interface *iface = all->pdata[i];
		const struct model_interface *found = model_interface(model, iface->id);
		const struct model_network *network = model_network(model, iface->network);
		const char *host = iface->settings->host;

		assert_non_null(found);
		assert_string_equal(found->id, iface->id);
		for (uint32_t j = 0; j < iface->address_count; j++) {
			found = model_interface_at(network, &iface->addresses[j]);
			assert_int_equal(found != NULL, iface->addresses[j].b[15] != 0);
			assert_true(!found || has_address(found, &iface->addresses[j]));
		}
		members += iface->address_count;
		if (!iface->settings->device)
			continue;
		hostless += !host;
		devices[0] += host && strcmp(host, "here") == 0;
		devices[1] += host && strcmp(host, "there") == 0;
	}
	assert_int_equal(model->interfaces, all->len);
	assert_int_equal(members, model_network(model, "default")->members +
					  model_network(model, "blue")->members);
	assert_int_equal(model_most_devices(model), hostless + MAX(devices[0], devices[1]));
}

static void indexes_stay_right_through_random_changes(void **state)
{
	CLEANUP(model_free) struct model *model = model_new();
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	unsigned int repeating = 0, clean = 0;

	(void)state;
	build_network(model, "blue");
	for (int step = 0; step < STEPS; step++) {
		guint wanted = (guint)(step / 50 % 12);
		bool repeated;

		if (all->len > wanted || (all->len && g_random_int_range(0, 3) == 0)) {
			guint which = (guint)g_random_int_range(0, (gint32)all->len);
			struct model_interface *iface = all->pdata[which];

			g_ptr_array_remove_index_fast(all, which);
			model_remove_interface(model, iface);
			model_interface_free(iface);
		} else {
			struct model_interface *iface = random_interface();

			g_ptr_array_add(all, iface);
			model_add_interface(model, iface);
		}
		assert_finders(model, all);
		repeated = repeats(all);
		/* It may be unsure, but never say that nothing repeats when something does. */
		assert_true(model_may_repeat(model) || !repeated);
		repeating += repeated;
		clean += !model_may_repeat(model);
	}
	print_message("%u steps with repeats, %u surely without\n", repeating, clean);
	assert_true(repeating > STEPS / 10 && clean > STEPS / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_lists_of_groups_are_one),
		cmocka_unit_test(an_interface_keeps_all_that_it_is_made_of),
		cmocka_unit_test(members_share_their_settings),
		cmocka_unit_test(devices_are_found_by_host),
		cmocka_unit_test(thousands_of_devices_are_found),
		cmocka_unit_test(indexes_stay_right_through_random_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
