/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_compile_change.c - an image that follows thousands of random changes of its model says what
 * an image made anew says; the delta lists exactly what differs; what is undone, or refused, was
 * never there.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "rulesd/eval.h"
#include "rulesd/image_parts.h"
#include "rulesd/model_diff.h"
#include "rulesd/validate.h"
#include "tests/lib/build.h"
#include "tests/lib/image_text.h"
#include "tests/lib/policy.h"
#include "tests/lib/random_policy.h"
#include "tests/lib/random_world.h"

#define CHANGES 3000
#define PACKETS 20

struct follower {
	struct random_world world;
	struct model *model;
	struct image *image;
	struct numbers *numbers;
	unsigned int refused, undone, changed;
};

static void cleanup_string(char **text)
{
	g_free(*text);
}
#define AUTO_STRING CLEANUP(cleanup_string) char *

/* Says where two texts part. */
static void assert_same(const char *what, const char *a, const char *b)
{
	g_auto(GStrv) left = g_strsplit(a, "\n", -1);
	g_auto(GStrv) right = g_strsplit(b, "\n", -1);

	if (strcmp(a, b) == 0)
		return;
	print_error("%s:\n", what);
	for (guint i = 0; left[i]; i++)
		if (!g_strv_contains((const char *const *)right, left[i]))
			print_error("- %s\n", left[i]);
	for (guint i = 0; right[i]; i++)
		if (!g_strv_contains((const char *const *)left, right[i]))
			print_error("+ %s\n", right[i]);
	fail_msg("%s", what);
}

static char *slots_text(const struct numbers *numbers)
{
	AUTO_JSON json_t *json = numbers_to_json(numbers);

	return json_dumps(json_object_get(json_object_get(json, "slots"), "names"), JSON_SORT_KEYS);
}

static char *whole_text(const struct follower *f)
{
	g_autofree char *image = image_text(f->image);
	g_autofree char *slots = slots_text(f->numbers);

	return g_strconcat(image, "\n", slots, NULL);
}

static void compare_packets(const struct follower *f, const struct image *anew)
{
	GHashTableIter iter;
	gpointer id, iface;

	g_hash_table_iter_init(&iter, f->image->ifaces);
	while (g_hash_table_iter_next(&iter, &id, &iface)) {
		for (int i = 0; i < PACKETS; i++) {
			struct eval_packet packet = random_world_packet();
			struct eval_verdict one = eval_packet(f->image, iface, &packet);
			struct eval_verdict other =
				eval_packet(anew, image_iface(anew, id), &packet);

			assert_int_equal(one.reason, other.reason);
			assert_int_equal(one.rule, other.rule);
			assert_int_equal(one.peer, other.peer);
			assert_string_equal(image_rule_name(f->image, one.rule)
						    ? image_rule_name(f->image, one.rule)
						    : "",
					    image_rule_name(anew, one.rule)
						    ? image_rule_name(anew, one.rule)
						    : "");
		}
	}
}

static void compare_anew(const struct follower *f, const char *host)
{
	CLEANUP(image_free) struct image *anew = NULL;
	CLEANUP(diag_free) struct diag *diag = diag_new();
	AUTO_STRING followed = image_text_content(f->image);
	AUTO_STRING made = NULL;

	assert_int_equal(compile_image(f->model, f->numbers, NULL, host, &anew, diag), 0);
	made = image_text_content(anew);
	assert_same("an image that followed and one made anew", followed, made);
	compare_packets(f, anew);
}

/* The inverse says the same from the other side; twice, it is the delta. */
static void check_inverse(const struct image_delta *delta, const struct image_tables *before,
			  const struct image_tables *after)
{
	struct image_delta *inverse = image_delta_inverse(delta);
	AUTO_STRING wanted = image_tables_difference(after, before);
	AUTO_STRING said = image_delta_text(inverse);

	assert_same("the inverse of a delta", wanted, said);
	assert_int_equal(image_delta_empty(inverse), image_delta_empty(delta));
	image_delta_free(&inverse);
}

static void check_delta(const struct follower *f, const struct image_delta *delta,
			const struct image_tables *before)
{
	CLEANUP(image_tables_free) struct image_tables *after = image_tables_new(f->image);
	AUTO_STRING wanted = image_tables_difference(before, after);
	AUTO_STRING said = image_delta_text(delta);

	assert_same("a delta", wanted, said);
	assert_int_equal(image_delta_empty(delta), !*wanted);
	check_inverse(delta, before, after);
	for (guint i = 0; i < delta->members->len; i++) {
		const struct image_member_change *change =
			&g_array_index(delta->members, struct image_member_change, i);
		uint32_t single;
		guint count;

		assert_non_null(
			image_delta_peers(f->image, delta, change->before, &single, &count));
		assert_int_equal(count > 0, change->before != 0);
		assert_non_null(image_delta_peers(f->image, delta, change->after, &single, &count));
		assert_int_equal(count > 0, change->after != 0);
	}
}

static void refuse(struct follower *f, const struct diag *diag, const char *host)
{
	CLEANUP(image_free) struct image *anew = NULL;
	CLEANUP(diag_free) struct diag *other = diag_new();
	AUTO_STRING said = policy_diag_text(diag);
	AUTO_STRING wanted = NULL;

	assert_int_equal(compile_image(f->model, f->numbers, NULL, host, &anew, other), -EINVAL);
	wanted = policy_diag_text(other);
	assert_string_equal(said, wanted);
	f->refused++;
}

static void step(struct follower *f, const char *host)
{
	struct random_world world = f->world;
	CLEANUP(model_free) struct model *next = NULL;
	CLEANUP(model_edit_free) struct model_edit *edit = NULL;
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(image_tables_free) struct image_tables *before = image_tables_new(f->image);
	AUTO_STRING was = whole_text(f);
	AUTO_STRING is = NULL;
	struct image_delta *delta = NULL;
	bool again = true;

	random_world_change(&world);
	next = random_world_model(&world);
	edit = model_diff(f->model, &next);
	while (again) {
		model_edit_apply(edit, f->model);
		if (compile_change(f->image, f->model, edit, f->numbers, host, &delta, diag) < 0) {
			assert_null(delta);
			refuse(f, diag, host);
			model_edit_undo(edit, f->model);
			is = whole_text(f);
			assert_same("an image whose change was refused", was, is);
			return;
		}
		compare_anew(f, host);
		check_delta(f, delta, before);
		if (!random_chance(30)) {
			image_delta_free(&delta);
			f->world = world;
			f->changed++;
			return;
		}
		if (random_chance(50)) {
			image_delta_undo(f->image, &delta);
			model_edit_undo(edit, f->model);
		} else {
			model_edit_undo(edit, f->model);
			image_delta_undo(f->image, &delta);
		}
		g_free(is);
		is = whole_text(f);
		assert_same("an image whose change was undone", was, is);
		f->undone++;
		again = random_chance(50);
	}
}

static void follow(const char *host, unsigned int changes)
{
	const char *given = getenv("SEED");
	guint32 seed = given ? (guint32)strtoul(given, NULL, 0) : 20261121;
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct follower f = {.numbers = numbers_new()};

	print_message("SEED=%u\n", seed);
	g_random_set_seed(seed);
	random_world(&f.world);
	f.model = random_world_model(&f.world);
	assert_int_equal(compile_image(f.model, f.numbers, NULL, host, &f.image, diag), 0);
	for (unsigned int i = 0; i < changes; i++)
		step(&f, host);
	print_message("%u changes, %u undone, %u refused\n", f.changed, f.undone, f.refused);
	assert_true(f.changed > changes / 3 && f.undone > changes / 10 &&
		    f.refused > changes / 100);
	image_free(&f.image);
	model_free(&f.model);
	numbers_free(&f.numbers);
}

static void an_image_follows_its_model(void **state)
{
	(void)state;
	follow(WORLD_HOST, CHANGES);
}

/* Every interface, and no slots. */
static void an_image_that_explains_follows_too(void **state)
{
	(void)state;
	follow(NULL, CHANGES / 10);
}

/* ---------------------------------------------------------------- what a change costs */

#define CROWD (LIST_MAX_INTERFACES + 3)

static struct model_interface *crowd_interface(unsigned int at)
{
	static const char *const groups[] = {"sg-crowd"};
	struct model_interface_spec spec = MODEL_INTERFACE_SPEC;
	g_autofree char *id = g_strdup_printf("vm-%u", at);
	g_autofree char *address =
		g_strdup_printf("10.%u.%u.%u", at >> 16, at >> 8 & 255, at & 255);
	struct sg_addr addr = build_addr(address);

	spec.id = id;
	spec.network = "default";
	spec.groups = groups;
	spec.group_count = 1;
	spec.addresses = &addr;
	spec.address_count = 1;
	return model_interface_new(&spec);
}

static struct image_delta *change_object(struct follower *f, enum model_kind kind, const char *id,
					 void *object)
{
	CLEANUP(model_edit_free) struct model_edit *edit = model_edit_new();
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct image_delta *delta = NULL;

	assert_true(model_edit_set(edit, f->model, kind, "default", id, object));
	model_edit_apply(edit, f->model);
	assert_int_equal(
		compile_change(f->image, f->model, edit, f->numbers, WORLD_HOST, &delta, diag), 0);
	return delta;
}

static void expect_delta(struct image_delta *delta, guint members, guint prefixes, guint ifaces,
			 guint policies)
{
	assert_int_equal(delta->members->len, members);
	assert_int_equal(delta->prefixes->len, prefixes);
	assert_int_equal(delta->ifaces->len, ifaces);
	assert_int_equal(delta->policies_new->len, policies);
	assert_int_equal(delta->policies_gone->len, policies);
	assert_int_equal(delta->sets_new->len, 0);
	assert_int_equal(delta->sets_gone->len, 0);
	image_delta_free(&delta);
}

static struct model_group *referring_group(const char *peer, const char *port)
{
	CLEANUP(model_free) struct model *other = model_new();
	g_autofree char *match = g_strconcat("tcp ", port, NULL);
	struct model_group *group;

	build_rule(other, "default", "sg-web", "r", SG_INGRESS, match, peer);
	group = model_group(other, "default", "sg-web");
	g_hash_table_steal(model_network(other, "default")->groups, "sg-web");
	return group;
}

static void a_change_lists_what_it_touches_and_no_more(void **state)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct follower f = {.model = model_new(), .numbers = numbers_new()};
	GString *entries = g_string_new("10.0.0.0/8 10.7.0.0/16");

	(void)state;
	build_group(f.model, "default", "sg-crowd");
	build_rule(f.model, "default", "sg-web", "r", SG_INGRESS, "tcp 80", "any");
	build_rule(f.model, "default", "sg-l", "r", SG_INGRESS, "tcp 80", "pl-x");
	for (unsigned int i = 0; i < 100; i++)
		g_string_append_printf(entries, " 192.0.%u.0/24", i);
	build_prefix_list(f.model, "default", "pl-x", entries->str);
	build_interface(f.model, "default", "web", "tap0", "192.0.2.1", "sg-web");
	build_interface(f.model, "default", "other", "tap1", "192.0.2.2", "sg-l");
	for (unsigned int i = 0; i < CROWD; i++)
		model_add_interface(f.model, crowd_interface(i));
	assert_int_equal(compile_image(f.model, f.numbers, NULL, WORLD_HOST, &f.image, diag), 0);
	/* Nobody refers to the crowd. */
	expect_delta(change_object(&f, MODEL_KIND_INTERFACE, "vm-5", NULL), 0, 0, 0, 0);
	/* The first rule that does makes all of it members; a second one changes nothing of that.
	 */
	expect_delta(
		change_object(&f, MODEL_KIND_GROUP, "sg-web", referring_group("sg-crowd", "80")),
		CROWD - 1, 0, 1, 1);
	expect_delta(
		change_object(&f, MODEL_KIND_GROUP, "sg-web", referring_group("sg-crowd", "81")), 0,
		0, 1, 1);
	expect_delta(change_object(&f, MODEL_KIND_INTERFACE, "vm-5", crowd_interface(5)), 1, 0, 0,
		     0);
	expect_delta(change_object(&f, MODEL_KIND_INTERFACE, "vm-7", NULL), 1, 0, 0, 0);
	compare_anew(&f, WORLD_HOST);
	expect_delta(change_object(&f, MODEL_KIND_GROUP, "sg-web", referring_group("any", "80")),
		     CROWD - 1, 0, 1, 1);
	/* One entry of a list; one that others lie in, but that give nobody a peer they had not. */
	g_string_append(entries, " 198.51.100.0/24");
	g_string_append(entries, " 10.0.0.0/9");
	{
		CLEANUP(model_free) struct model *other = model_new();
		struct model_prefix_list *list =
			build_prefix_list(other, "default", "pl-x", entries->str);

		g_hash_table_steal(model_network(other, "default")->prefix_lists, "pl-x");
		expect_delta(change_object(&f, MODEL_KIND_PREFIX_LIST, "pl-x", list), 0, 2, 0, 0);
	}
	compare_anew(&f, WORLD_HOST);
	g_string_free(entries, TRUE);
	image_free(&f.image);
	model_free(&f.model);
	numbers_free(&f.numbers);
}

/* A list that becomes too long to be kept by name, and is not any more when that is undone. */
static void a_list_may_become_a_crowd_and_be_one_no_more(void **state)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct follower f = {.model = model_new(), .numbers = numbers_new()};

	(void)state;
	build_group(f.model, "default", "sg-crowd");
	build_rule(f.model, "default", "sg-web", "r", SG_INGRESS, "tcp 80", "sg-crowd");
	build_interface(f.model, "default", "web", "tap0", "192.0.2.1", "sg-web");
	for (unsigned int i = 0; i < LIST_MAX_INTERFACES - 1; i++)
		model_add_interface(f.model, crowd_interface(i));
	assert_int_equal(compile_image(f.model, f.numbers, NULL, WORLD_HOST, &f.image, diag), 0);
	for (int again = 0; again < 2; again++) {
		CLEANUP(model_edit_free) struct model_edit *edit = model_edit_new();
		struct image_delta *delta = NULL;
		AUTO_STRING was = whole_text(&f);
		AUTO_STRING is = NULL;

		for (unsigned int i = 0; i < 5; i++) {
			g_autofree char *gone = g_strdup_printf("vm-%u", i);
			g_autofree char *id = g_strdup_printf("vm-%u", LIST_MAX_INTERFACES + i);

			model_edit_set(edit, f.model, MODEL_KIND_INTERFACE, "default", id,
				       crowd_interface(LIST_MAX_INTERFACES + i));
			if (i < 2)
				model_edit_set(edit, f.model, MODEL_KIND_INTERFACE, "default", gone,
					       NULL);
		}
		model_edit_apply(edit, f.model);
		assert_int_equal(
			compile_change(f.image, f.model, edit, f.numbers, WORLD_HOST, &delta, diag),
			0);
		assert_int_equal(delta->members->len, 7);
		compare_anew(&f, WORLD_HOST);
		if (again) {
			image_delta_free(&delta);
			break;
		}
		image_delta_undo(f.image, &delta);
		model_edit_undo(edit, f.model);
		is = whole_text(&f);
		assert_same("a list that was a crowd", was, is);
		expect_delta(
			change_object(&f, MODEL_KIND_GROUP, "sg-web", referring_group("any", "80")),
			LIST_MAX_INTERFACES - 1, 0, 1, 1);
		expect_delta(change_object(&f, MODEL_KIND_GROUP, "sg-web",
					   referring_group("sg-crowd", "80")),
			     LIST_MAX_INTERFACES - 1, 0, 1, 1);
	}
	expect_delta(change_object(&f, MODEL_KIND_GROUP, "sg-web", referring_group("any", "80")),
		     LIST_MAX_INTERFACES + 2, 0, 1, 1);
	compare_anew(&f, WORLD_HOST);
	image_free(&f.image);
	model_free(&f.model);
	numbers_free(&f.numbers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_image_follows_its_model),
		cmocka_unit_test(an_image_that_explains_follows_too),
		cmocka_unit_test(a_change_lists_what_it_touches_and_no_more),
		cmocka_unit_test(a_list_may_become_a_crowd_and_be_one_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
