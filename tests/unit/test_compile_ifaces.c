/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_compile_ifaces.c - interfaces of this host, their slots, flags and guards.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "tests/lib/build.h"
#include "tests/lib/compiled.h"

static void assert_member(const struct compiled *f, const char *address)
{
	g_autofree char *peers = compiled_member(f, "default", address);

	assert_string_equal(peers, "default:sg-default");
}

static void on_host(struct compiled *f, const char *id, const char *device, const char *address,
		    const char *host)
{
	struct model_interface *iface =
		build_interface(f->model, "default", id, device, address, "sg-default");
	struct model_settings settings = *iface->settings;

	settings.host = host;
	build_changed(f->model, iface, &settings);
}

static void only_interfaces_of_this_host_are_attached(void **state)
{
	struct compiled *f = *state;
	struct image *all = NULL;

	build_interface(f->model, "default", "open", "tap0", "10.0.0.1", "sg-default");
	on_host(f, "ours", "tap1", "10.0.0.2", COMPILED_HOST);
	on_host(f, "theirs", "tap2", "10.0.0.3", "there");
	build_interface(f->model, "default", "member", NULL, "10.0.0.4", "sg-default");
	compiled_again(f);
	assert_non_null(image_iface(f->image, "open"));
	assert_non_null(image_iface(f->image, "ours"));
	assert_null(image_iface(f->image, "theirs"));
	assert_null(image_iface(f->image, "member"));
	assert_int_not_equal(image_iface(f->image, "open")->slot,
			     image_iface(f->image, "ours")->slot);
	assert_member(f, "10.0.0.3");
	assert_member(f, "10.0.0.4");
	assert_int_equal(compile_image(f->model, f->numbers, NULL, NULL, &all, f->diag), 0);
	assert_int_equal(g_hash_table_size(all->ifaces), 4);
	assert_int_equal(numbers_find(f->numbers, NUMBER_SLOT, "theirs"), 0);
	image_free(&all);
}

/* What explains packets compiles what it is asked about, and that says what a whole image says. */
static void interfaces_are_added_when_they_are_asked_about(void **state)
{
	struct compiled *f = *state;
	const struct model_interface *theirs;
	const struct image_iface *whole;
	struct image *bare = NULL, *all = NULL;

	build_rule(f->model, "default", "sg-a", "r", SG_INGRESS, "tcp 80", "sg-a 10.0.0.0/8");
	build_interface(f->model, "default", "one", "tap0", "10.0.0.1", "sg-a");
	on_host(f, "theirs", "tap2", "10.0.0.3", "there");
	theirs = model_interface(f->model, "theirs");
	assert_int_equal(compile_bare_image(f->model, f->numbers, &bare, f->diag), 0);
	assert_int_equal(g_hash_table_size(bare->ifaces), 0);
	assert_int_equal(g_hash_table_size(bare->policies), 0);
	assert_int_equal(compile_interface(bare, theirs, f->numbers, f->diag), 0);
	assert_int_equal(compile_interface(bare, theirs, f->numbers, f->diag), 0);
	assert_int_equal(
		compile_interface(bare, model_interface(f->model, "one"), f->numbers, f->diag), 0);
	assert_int_equal(g_hash_table_size(bare->ifaces), 2);
	assert_int_equal(compile_image(f->model, f->numbers, bare, NULL, &all, f->diag), 0);
	whole = image_iface(all, "one");
	assert_int_equal(image_iface(bare, "one")->policy->number, whole->policy->number);
	assert_int_equal(image_iface(bare, "one")->slot, 0);
	assert_int_equal(numbers_find(f->numbers, NUMBER_SLOT, "one"), 0);
	assert_int_equal(compiled_members(bare), compiled_members(all));
	assert_int_equal(compiled_prefixes(bare), 1);
	image_free(&bare);
	image_free(&all);
}

static void an_interface_is_compiled_with_everything_it_says(void **state)
{
	static const uint8_t mac[6] = {0x52, 0x54, 0, 0, 0, 1};
	struct compiled *f = *state;
	struct model_interface *iface =
		build_interface(f->model, "default", "vm", "tap0",
				"fd00::5 10.0.0.5 10.0.0.6 fd00::6", "sg-default");
	struct model_settings settings = *iface->settings, unguarded;
	const struct image_iface *compiled;
	struct sg_addr first4 = build_addr("10.0.0.5"), first6 = build_addr("fd00::5");
	uint16_t vlan = 7;

	settings.has_mac = true;
	memcpy(settings.mac, mac, sizeof(mac));
	settings.hook = MODEL_HOOK_TCX;
	settings.conntrack.udp = 31;
	settings.vlans = &vlan;
	settings.vlan_count = 1;
	build_changed(f->model, iface, &settings);
	iface = build_interface(f->model, "default", "bare", "tap1", "10.0.0.7", "sg-default");
	unguarded = *iface->settings;
	unguarded.spoof_guard = false;
	build_changed(f->model, iface, &unguarded);
	compiled_again(f);
	compiled = image_iface(f->image, "vm");
	assert_string_equal(compiled->device, "tap0");
	assert_int_equal(compiled->flags, SG_IF_SPOOF_GUARD | SG_IF_CHECK_MAC | SG_IF_VLANS);
	assert_memory_equal(compiled->mac, mac, 6);
	assert_true(addr_equal(&compiled->addr4, &first4));
	assert_true(addr_equal(&compiled->addr6, &first6));
	assert_int_equal(compiled->hook, MODEL_HOOK_TCX);
	assert_int_equal(compiled->conntrack.udp, 31);
	assert_int_equal(compiled->conntrack.max_flows, MODEL_DEFAULT_MAX_FLOWS);
	assert_int_equal(g_array_index(compiled->vlans, uint16_t, 0), 7);
	compiled = image_iface(f->image, "bare");
	assert_int_equal(compiled->flags, 0);
	assert_true(addr_equal(&compiled->addr6, &(struct sg_addr){0}));
}

static void guards_have_the_bits_of_those_around_them(void **state)
{
	static const struct {
		const char *cidr;
		uint32_t bits;
	} wanted[] = {
		{"::/0", SG_GUARD_ALLOWED},
		{"0.0.0.0/0", SG_GUARD_HOLE}, /* sorted where IPv4 lies in 128 bits */
		{"10.0.0.0/8", SG_GUARD_ALLOWED},
		{"10.0.0.5/32", SG_GUARD_OWN | SG_GUARD_ALLOWED},
		{"192.0.2.1/32", SG_GUARD_OWN},
		{"fd00::5/128", SG_GUARD_OWN | SG_GUARD_ALLOWED},
	};
	struct compiled *f = *state;
	struct model_interface *iface = build_interface(f->model, "default", "vm", "tap0",
							"fd00::5 10.0.0.5 192.0.2.1", "sg-default");
	const struct cidr allowed[] = {build_cidr("10.0.0.5/32"), build_cidr("10.0.0.0/8"),
				       build_cidr("::/0")};
	struct model_settings settings = *iface->settings;
	const GArray *guards;

	settings.allowed = allowed;
	settings.allowed_count = G_N_ELEMENTS(allowed);
	build_changed(f->model, iface, &settings);
	compiled_again(f);
	guards = image_iface(f->image, "vm")->guards;
	assert_int_equal(guards->len, G_N_ELEMENTS(wanted));
	for (guint i = 0; i < guards->len; i++) {
		const struct image_guard *guard = &g_array_index(guards, struct image_guard, i);
		struct cidr cidr = build_cidr(wanted[i].cidr);

		assert_int_equal(cidr_compare(&guard->cidr, &cidr), 0);
		assert_int_equal(guard->bits, wanted[i].bits);
	}
}

static void guards_need_a_hole_only_around_ipv4(void **state)
{
	static const struct {
		const char *allowed;
		bool hole;
	} cases[] = {{"2001:db8::/32", false}, {"::/80", true},		{"::/81", false},
		     {"::8000:0:0/81", true},  {"::fffe:0:0/95", true}, {"::fffc:0:0/95", false},
		     {"10.0.0.0/8", false},    {"0.0.0.0/0", false}};
	struct compiled *f = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *id = g_strdup_printf("vm-%zu", i);
		struct model_interface *iface =
			build_interface(f->model, "default", id, "tap0", "192.0.2.1", "sg-default");
		struct cidr allowed = build_cidr(cases[i].allowed);
		struct model_settings settings = *iface->settings;
		bool found = false;

		settings.allowed = &allowed;
		settings.allowed_count = 1;
		build_changed(f->model, iface, &settings);
		compiled_again(f);
		for (guint j = 0; j < image_iface(f->image, id)->guards->len; j++)
			found |= g_array_index(image_iface(f->image, id)->guards,
					       struct image_guard, j)
					 .bits == SG_GUARD_HOLE;
		if (found != cases[i].hole)
			fail_msg("%s: %s", cases[i].allowed, found ? "a hole" : "no hole");
	}
}

static void a_host_has_4096_slots(void **state)
{
	struct compiled *f = *state;
	struct image *image = NULL;

	for (unsigned int i = 0; i < SG_MAX_SLOTS; i++) {
		g_autofree char *id = g_strdup_printf("vm-%04u", i);

		build_interface(f->model, "default", id, "tap", "10.0.0.1", "sg-default");
	}
	compiled_again(f);
	assert_int_equal(g_hash_table_size(f->image->ifaces), SG_MAX_SLOTS);
	build_interface(f->model, "default", "vm-last", "tap", "10.0.0.1", "sg-default");
	assert_int_equal(compile_image(f->model, f->numbers, NULL, COMPILED_HOST, &image, f->diag),
			 -EINVAL);
	assert_null(image);
	assert_int_equal(f->diag->entries->len, 1);
	assert_non_null(
		strstr(((struct diag_entry *)g_ptr_array_index(f->diag->entries, 0))->message,
		       "interface vm-last"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMPILED_TEST(only_interfaces_of_this_host_are_attached),
		COMPILED_TEST(interfaces_are_added_when_they_are_asked_about),
		COMPILED_TEST(an_interface_is_compiled_with_everything_it_says),
		COMPILED_TEST(guards_have_the_bits_of_those_around_them),
		COMPILED_TEST(guards_need_a_hole_only_around_ipv4),
		COMPILED_TEST(a_host_has_4096_slots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
