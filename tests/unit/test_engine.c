/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_engine.c - the parts of the engine that need no kernel: the model of a policy with
 * interfaces attached by hand, and generations that never go back.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/engine_parts.h"
#include "rulesd/load.h"
#include "tests/lib/check.h"

static int make_model(const char *policy, const struct model *from, struct model **model,
		      struct diag *diag)
{
	g_autoptr(GPtrArray) sources = load_sources_new();
	struct load_source *source = g_new0(struct load_source, 1);

	source->name = g_strdup("test");
	source->text = g_strdup(policy);
	source->length = strlen(policy);
	g_ptr_array_add(sources, source);
	return candidate_model(sources, NULL, from, model, diag);
}

/* The model of a policy, with an interface attached by hand. */
static struct model *model_with(const char *policy, const char *id, const char *text)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct model *model = NULL;
	struct model_interface *iface = NULL;

	assert_int_equal(make_model(policy, NULL, &model, diag), 0);
	assert_int_equal(load_interface(id, text, strlen(text), &iface, diag), 0);
	iface->attached = true;
	assert_int_equal(candidate_add_interface(model, iface, diag), 0);
	return model;
}

static void assert_says(const struct diag *diag, const char *code, const char *words)
{
	const struct diag_entry *entry = diag->entries->len ? diag->entries->pdata[0] : NULL;

	assert_non_null(entry);
	assert_string_equal(entry->code, code);
	if (!strstr(entry->message, words))
		fail_msg("\"%s\" does not say \"%s\"", entry->message, words);
}

#define GROUPS "{\"version\":1,\"groups\":{\"sg-a\":{},\"sg-b\":{}}}"
#define HAND   "{\"device\":\"tap0\",\"addresses\":[\"10.0.0.5\"],\"groups\":[\"sg-a\"]}"

static void interfaces_by_hand_are_carried_into_the_next_policy(void **state)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(model_free) struct model *old = model_with(GROUPS, "hand", HAND);
	CLEANUP(model_free) struct model *new = NULL;
	const struct model_interface *iface;

	(void)state;
	assert_int_equal(make_model("{\"version\":1,\"groups\":{\"sg-a\":{}}}", old, &new, diag),
			 0);
	iface = model_interface(new, "hand");
	assert_non_null(iface);
	assert_true(iface->attached);
	assert_ptr_not_equal(iface, model_interface(old, "hand"));
}

static void a_policy_that_takes_away_its_group_is_refused_naming_it(void **state)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(model_free) struct model *old = model_with(GROUPS, "hand", HAND);
	struct model *new = NULL;

	(void)state;
	assert_int_equal(make_model("{\"version\":1,\"groups\":{\"sg-b\":{}}}", old, &new, diag),
			 -EINVAL);
	assert_null(new);
	assert_says(diag, "unknown-group", "hand");
}

static void a_policy_with_its_id_is_refused(void **state)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(model_free) struct model *old = model_with(GROUPS, "hand", HAND);
	struct model *new = NULL;

	(void)state;
	assert_int_equal(make_model("{\"version\":1,\"groups\":{\"sg-a\":{}},\"interfaces\":{"
				    "\"hand\":{\"addresses\":[\"10.0.0.7\"]}}}",
				    old, &new, diag),
			 -EINVAL);
	assert_null(new);
	assert_says(diag, "attached", "hand");
}

static void a_policy_without_its_network_is_refused(void **state)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(model_free)
	struct model *old = model_with(
		"{\"version\":1,\"networks\":{\"blue\":{}}}", "hand",
		"{\"device\":\"tap0\",\"addresses\":[\"10.0.0.5\"],\"network\":\"blue\"}");
	struct model *new = NULL;
	const struct diag_entry *entry;

	(void)state;
	assert_int_equal(make_model("{\"version\":1}", old, &new, diag), -EINVAL);
	assert_null(new);
	assert_says(diag, "unknown-network", "blue");
	entry = diag->entries->pdata[0];
	assert_non_null(strstr(entry->fix, "detach hand first"));
}

static void an_interface_of_an_unknown_network_is_not_taken(void **state)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(model_free) struct model *model = model_new();
	static const char text[] = "{\"addresses\":[\"10.0.0.5\"],\"network\":\"blue\"}";
	struct model_interface *iface = NULL;

	(void)state;
	assert_int_equal(load_interface("x", text, strlen(text), &iface, diag), 0);
	assert_int_equal(candidate_add_interface(model, iface, diag), -EINVAL);
	assert_null(model_interface(model, "x"));
	assert_says(diag, "unknown-network", "blue");
	model_interface_free(iface); /* still ours */
}

static void what_is_no_json_is_another_error_than_what_is_no_policy(void **state)
{
	CLEANUP(diag_free) struct diag *syntax = diag_new();
	CLEANUP(diag_free) struct diag *invalid = diag_new();
	struct model *model = NULL;

	(void)state;
	assert_int_equal(make_model("{", NULL, &model, syntax), -EBADMSG);
	assert_int_equal(make_model("{\"version\":1,\"x\":1}", NULL, &model, invalid), -EINVAL);
	assert_null(model);
}

static void generations_never_go_back(void **state)
{
	(void)state;
	/* The kernel's own number moved: nothing to make up for. */
	assert_int_equal(candidate_offset(0, 5, 4, true), 0);
	/* Another policy of the same content is another generation. */
	assert_int_equal(candidate_offset(0, 5, 5, true), 1);
	assert_int_equal(candidate_offset(0, 5, 5, false), 0);
	/* The maps were made anew: 12 was seen, the kernel begins at 1. */
	assert_int_equal(candidate_offset(3, 1, 12, false), 11);
	assert_int_equal(candidate_offset(3, 1, 12, true), 12);
	assert_int_equal(candidate_offset(11, 2, 12, true), 11);
}

static void states_have_the_names_of_the_manual(void **state)
{
	(void)state;
	assert_string_equal(engine_state_name(ENGINE_FILTERING), "filtering");
	assert_string_equal(engine_state_name(ENGINE_WAITING), "waiting");
	assert_string_equal(engine_state_name(ENGINE_FAILED), "failed");
	assert_string_equal(engine_state_name(ENGINE_REMOTE), "remote");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interfaces_by_hand_are_carried_into_the_next_policy),
		cmocka_unit_test(a_policy_that_takes_away_its_group_is_refused_naming_it),
		cmocka_unit_test(a_policy_with_its_id_is_refused),
		cmocka_unit_test(a_policy_without_its_network_is_refused),
		cmocka_unit_test(an_interface_of_an_unknown_network_is_not_taken),
		cmocka_unit_test(what_is_no_json_is_another_error_than_what_is_no_policy),
		cmocka_unit_test(generations_never_go_back),
		cmocka_unit_test(states_have_the_names_of_the_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
