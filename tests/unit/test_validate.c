/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_validate.c - the whole model: limits at their edges, interfaces attached by hand.
 *
 * What files can get wrong is in tests/golden/policy; here are the limits, too large for files, and
 * models that no file made.
 */
#include <errno.h>
#include <string.h>

#include "rulesd/validate.h"
#include "tests/lib/check.h"
#include "tests/lib/policy.h"

static char *validate(const struct model *model)
{
	struct diag *diag = diag_new();
	int result = model_validate(model, diag);
	char *text = policy_diag_text(diag);

	assert_int_equal(result, text[0] ? -EINVAL : 0);
	diag_free(&diag);
	return text;
}

static void assert_errors(const char *text, const char *expected)
{
	g_autoptr(GPtrArray) sources = policy_sources(text, NULL);
	g_autofree char *errors = policy_errors(sources);

	assert_string_equal(errors, expected);
}

/* "[item, item ...]" or "{member ...}" of count printf'ed items. */
static char *repeat(const char *before, const char *format, unsigned int count, const char *after)
{
	GString *text = g_string_new(before);

	for (unsigned int i = 0; i < count; i++) {
		if (i)
			g_string_append(text, ",\n");
		for (const char *p = format; *p; p++) {
			if (*p == '#')
				g_string_append_printf(text, "%u", i);
			else if (*p == '@')
				g_string_append_printf(text, "%u.%u.%u", i >> 16 & 255,
						       i >> 8 & 255, i & 255);
			else
				g_string_append_c(text, *p);
		}
	}
	g_string_append(text, after);
	return g_string_free(text, FALSE);
}

static void sixteen_groups_an_interface(void **state)
{
	g_autofree char *groups =
		repeat("{\"version\": 1, \"groups\": {", "\"sg-#\": {}", 17, "},\n");
	g_autofree char *head = g_strconcat(groups, "\"interfaces\": {\"i\": {\"groups\": [", NULL);
	g_autofree char *just = repeat(head, "\"sg-#\"", 16, "]}}}");
	g_autofree char *over = repeat(head, "\"sg-#\"", 17, "]}}}");

	(void)state;
	assert_errors(just, "");
	assert_errors(over, "a.json:18:32: /interfaces/i/groups: 17 groups; at most 16\n");
}

static void a_thousand_rules_a_group(void **state)
{
	const char *head =
		"{\"version\": 1, \"groups\": {\"sg-a\": {\"egress\": [], \"ingress\": [\n";
	const char *rule = "{\"protocol\": \"tcp\", \"ports\": [#], \"from\": [\"any\"]}";
	g_autofree char *just = repeat(head, rule, 1000, "]}}}");
	g_autofree char *over = repeat(head, rule, 1001, "]}}}");

	(void)state;
	assert_errors(just, "");
	assert_errors(over,
		      "a.json:1:35: /groups/sg-a: group \"sg-a\" has 1001 rules; at most 1000; "
		      "split it\n");
}

static void the_implied_egress_rule_is_free(void **state)
{
	g_autofree char *just = repeat(
		"{\"version\": 1, \"groups\": {\"sg-a\": {\"ingress\": [\n",
		"{\"protocol\": \"tcp\", \"ports\": [#], \"from\": [\"any\"]}", 1000, "]}}}");

	(void)state;
	assert_errors(just, "");
}

static void ten_thousand_groups(void **state)
{
	const char *head = "{\"version\": 1, \"groups\": {\n";
	g_autofree char *just = repeat(head, "\"sg-#\": {}", 10000, "}}");
	g_autofree char *over = repeat(head, "\"sg-#\": {}", 10001, "}}");

	(void)state;
	assert_errors(just, "");
	assert_errors(over, "a.json:10002:13: /groups/sg-10000: the policy has 10001 groups; "
			    "at most 10000\n");
}

static void ten_thousand_entries_a_prefix_list(void **state)
{
	const char *head = "{\"version\": 1, \"prefix_lists\": {\"pl-a\": {\"entries\": [\n";
	g_autofree char *just = repeat(head, "\"10.@\"", 10000, "]}}}");
	g_autofree char *over = repeat(head, "\"10.@\"", 10001, "]}}}");

	(void)state;
	/* Of 10.0.0.0 the last part says how many parts there are. */
	g_strdelimit(just, "@", '0');
	assert_true(strstr(just, "10.0.39.15") != NULL);
	assert_errors(over,
		      "a.json:1:41: /prefix_lists/pl-a: prefix list \"pl-a\" has 10001 entries; "
		      "at most 10000; split it\n");
	assert_errors(just, "");
}

static void four_thousand_and_ninety_six_devices_a_host(void **state)
{
	const char *head = "{\"version\": 1, \"interfaces\": {\n";
	const char *mixed = "\"x\": {}, \"h\": {\"device\": \"h\", \"host\": \"h1\"}, "
			    "\"g\": {\"device\": \"h\", \"host\": \"h2\"}}}";
	g_autofree char *tail = g_strconcat(",\n", mixed, NULL);
	g_autofree char *just = repeat(head, "\"i-#\": {\"device\": \"tap#\"}", 4095, tail);
	g_autofree char *over = repeat(head, "\"i-#\": {\"device\": \"tap#\"}", 4096, tail);

	(void)state;
	assert_errors(just, "");
	assert_errors(over,
		      "a.json:4098:15: /interfaces/h: the policy has 4097 interfaces with a device "
		      "on one host; at most 4096\n");
}

static void a_million_addresses(void **state)
{
	struct model *model = model_new();
	static const char *const groups[] = {MODEL_DEFAULT_GROUP};
	struct model_interface_spec spec = MODEL_INTERFACE_SPEC;
	g_autofree struct sg_addr *addresses = g_new0(struct sg_addr, 10000);
	g_autofree char *fine = NULL;
	g_autofree char *over = NULL;

	(void)state;
	spec.network = MODEL_DEFAULT_NETWORK;
	spec.groups = groups;
	spec.group_count = 1;
	spec.addresses = addresses;
	spec.address_count = 10000;
	/* 100 interfaces of 10,000 addresses, and one more. */
	for (unsigned int i = 0; i < 100; i++) {
		g_autofree char *id = g_strdup_printf("i-%03u", i);

		for (unsigned int j = 0; j < 10000; j++) {
			unsigned int number = i * 10000 + j;

			memcpy(&addresses[j], "\xfd", 1);
			memcpy((uint8_t *)&addresses[j] + 12, &number, sizeof(number));
		}
		spec.id = id;
		model_add_interface(model, model_interface_new(&spec));
	}
	fine = validate(model);
	assert_string_equal(fine, "");
	spec.id = "last";
	spec.address_count = 1;
	addr_parse("10.0.0.1", addresses);
	model_add_interface(model, model_interface_new(&spec));
	over = validate(model);
	assert_string_equal(over,
			    "the policy has 1000001 addresses of interfaces; at most 1000000\n");
	model_free(&model);
}

/* ------------------------------------------------------------------ attached by hand */

static void attach(struct model *model, const char *network, const char *id, const char *object)
{
	struct diag *diag = diag_new();
	struct model_interface *iface = NULL;

	if (load_interface(id, object, strlen(object), &iface, diag) < 0) {
		diag_print(diag, stderr);
		fail();
	}
	assert_string_equal(iface->network, network);
	model_add_interface(model, iface);
	diag_free(&diag);
}

static const char policy[] =
	"{\"version\": 1, \"networks\": {\"blue\": {}}, \"groups\": {\"sg-web\": {}},"
	" \"interfaces\": {\"vm-1\": {\"device\": \"tap1\", \"addresses\": [\"10.0.0.1\"]}}}";

static void an_attached_interface_is_named_in_its_errors(void **state)
{
	struct model *model = policy_model(policy);
	g_autofree char *errors = NULL;

	(void)state;
	attach(model, "default", "vm-2",
	       "{\"device\": \"tap1\", \"addresses\": [\"10.0.0.1\"], \"groups\": [\"sg-wep\"]}");
	errors = validate(model);
	/* It has no place, so it sorts before what has one; the policy's own is shown at its place.
	 */
	assert_non_null(strstr(errors, "interface \"vm-2\": there is no group \"sg-wep\"; "
				       "did you mean \"sg-web\"?\n"));
	assert_non_null(strstr(errors, "interface \"vm-2\""));
	assert_non_null(strstr(errors, "10.0.0.1"));
	assert_non_null(strstr(errors, "device \"tap1\""));
	model_free(&model);
}

static void an_attached_interface_that_fits_is_valid(void **state)
{
	struct model *model = policy_model(policy);
	g_autofree char *errors = NULL;

	(void)state;
	attach(model, "default", "vm-2",
	       "{\"device\": \"tap2\", \"addresses\": [\"10.0.0.2\"], \"groups\": [\"sg-web\"]}");
	attach(model, "blue", "vm-3",
	       "{\"device\": \"tap3\", \"network\": \"blue\", \"addresses\": [\"10.0.0.1\"]}");
	errors = validate(model);
	assert_string_equal(errors, "");
	model_free(&model);
}

static void an_id_in_two_networks_is_an_error(void **state)
{
	struct model *model = policy_model(policy);
	g_autofree char *errors = NULL;

	(void)state;
	attach(model, "blue", "vm-1", "{\"network\": \"blue\"}");
	errors = validate(model);
	assert_non_null(strstr(errors, "has an interface \"vm-1\" already"));
	model_free(&model);
}

static void a_group_that_is_taken_away_names_who_carries_it(void **state)
{
	struct model *model = policy_model("{\"version\": 1}");
	g_autofree char *errors = NULL;

	(void)state;
	attach(model, "default", "vm-9", "{\"device\": \"tap9\", \"groups\": [\"sg-gone\"]}");
	errors = validate(model);
	assert_string_equal(errors,
			    "interface \"vm-9\": there is no group \"sg-gone\"; define it under "
			    "\"groups\", or declare it \"external\": true\n");
	model_free(&model);
}

static void unknown_groups_beyond_the_thousandth_are_counted(void **state)
{
	g_autofree char *groups = repeat("{\"version\": 1, \"groups\": {",
					 "\"sg-some-longer-name-#\": {}", 999, ",\n");
	g_autofree char *head = g_strconcat(groups,
					    "\"sg-a\": {\"ingress\": [{\"protocol\": \"tcp\", "
					    "\"from\": [",
					    NULL);
	g_autofree char *text = repeat(head, "\"sg-some-langer-name-#x\"", 2000, "]}]}}}");
	g_autoptr(GPtrArray) sources = policy_sources(text, NULL);
	struct diag *diag = diag_new();
	struct model *model = NULL;

	(void)state;
	assert_int_equal(load_policy(sources, &model, diag), -EINVAL);
	assert_int_equal(diag->entries->len + diag->left_out, 2000);
	diag_free(&diag);
}

/* To compare each of a generated policy's mistakes with each of its names would take minutes. */
static void names_are_suggested_while_that_is_quick(void **state)
{
	g_autofree char *groups =
		repeat("{\"version\": 1, \"groups\": {", "\"sg-#\": {}", 9000, "},\n");
	g_autofree char *head = g_strconcat(groups, "\"interfaces\": {", NULL);
	g_autofree char *text = repeat(head, "\"i#\": {\"groups\": [\"sg-x#\"]}", 2000, "}}");
	g_autoptr(GPtrArray) sources = policy_sources(text, NULL);
	struct diag *diag = diag_new();
	const struct diag_entry *first, *last;
	struct model *model = NULL;

	(void)state;
	assert_int_equal(load_policy(sources, &model, diag), -EINVAL);
	assert_int_equal(diag->entries->len + diag->left_out, 2000);
	first = diag->entries->pdata[0];
	last = diag->entries->pdata[diag->entries->len - 1];
	assert_non_null(strstr(first->fix, "did you mean"));
	assert_non_null(strstr(last->fix, "define it under"));
	diag_free(&diag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sixteen_groups_an_interface),
		cmocka_unit_test(a_thousand_rules_a_group),
		cmocka_unit_test(the_implied_egress_rule_is_free),
		cmocka_unit_test(ten_thousand_groups),
		cmocka_unit_test(ten_thousand_entries_a_prefix_list),
		cmocka_unit_test(four_thousand_and_ninety_six_devices_a_host),
		cmocka_unit_test(a_million_addresses),
		cmocka_unit_test(an_attached_interface_is_named_in_its_errors),
		cmocka_unit_test(an_attached_interface_that_fits_is_valid),
		cmocka_unit_test(an_id_in_two_networks_is_an_error),
		cmocka_unit_test(a_group_that_is_taken_away_names_who_carries_it),
		cmocka_unit_test(unknown_groups_beyond_the_thousandth_are_counted),
		cmocka_unit_test(names_are_suggested_while_that_is_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
