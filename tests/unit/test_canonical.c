/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_canonical.c - the canonical form: one text for everything that means the same, the same
 * model when it is read again, nothing lost.
 */
#include <errno.h>
#include <string.h>

#include "rulesd/load.h"
#include "rulesd/validate.h"
#include "tests/lib/check.h"
#include "tests/lib/policy.h"

static char *canonical(const GPtrArray *sources)
{
	g_autofree char *errors = policy_errors(sources);

	assert_string_equal(errors, "");
	return load_canonical(sources);
}

/* A canonical text may hold several documents: one begins at each "{" at the start of a line. */
static GPtrArray *sources_of(const char *text)
{
	GPtrArray *sources = load_sources_new();
	const char *start = text;

	for (unsigned int i = 0; *start; i++) {
		const char *next = strstr(start, "\n{");
		size_t length = next ? (size_t)(next + 1 - start) : strlen(start);
		g_autofree char *name = g_strdup_printf("%u.json", i);

		policy_add_source(sources, name, start, length);
		start += length;
	}
	return sources;
}

static void assert_canonical(const GPtrArray *sources, const char *expected)
{
	g_autofree char *text = canonical(sources);

	assert_string_equal(text, expected);
}

static char *file_text(const char *path)
{
	char *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		fail_msg("cannot read %s", path);
	return text;
}

static void assert_stable(const GPtrArray *sources)
{
	g_autofree char *once = canonical(sources);
	g_autoptr(GPtrArray) again = sources_of(once);

	assert_canonical(again, once);
}

static void the_canonical_form_of_every_example_is_stable(void **state)
{
	static const char *const folders[] = {"tests/golden/policy/valid", "schemas/examples",
					      "schemas/examples/two-networks"};

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autoptr(GPtrArray) names = policy_list(folders[i], ".json");
		g_autoptr(GPtrArray) together = load_sources_new();

		assert_true(names->len > 0);
		for (guint j = 0; j < names->len; j++) {
			g_autofree char *path = g_build_filename(folders[i], names->pdata[j], NULL);
			g_autofree char *text = file_text(path);
			g_autoptr(GPtrArray) one = load_sources_new();

			policy_add_source(together, path, text, strlen(text));
			/* The files of one folder refer to each other. */
			if (i == 2)
				continue;
			policy_add_source(one, path, text, strlen(text));
			assert_stable(one);
		}
		if (i == 2)
			assert_stable(together);
	}
}

static void every_field_is_kept_and_in_order(void **state)
{
	g_autofree char *text = file_text("tests/golden/policy/valid/every-field.json");
	g_autofree char *expected = file_text("tests/golden/policy/every-field.canonical");
	g_autoptr(GPtrArray) sources = policy_sources(text, NULL);

	(void)state;
	assert_canonical(sources, expected);
}

static void spelling_does_not_matter(void **state)
{
	static const char *const same[][2] = {
		{"\"protocol\": 6, \"ports\": [80, \"81-90\", 443]",
		 "\"ports\": [443, \"80-85\", \"84-90\"], \"protocol\": \"tcp\""},
		{"\"protocol\": \"udp\", \"ports\": [\"0-65535\"]", "\"protocol\": 17"},
		{"\"protocol\": \"icmp\", \"icmp\": {\"type\": 8, \"code\": 0}",
		 "\"icmp\": {\"code\": 0, \"type\": \"ping\"}, \"protocol\": 1"},
		{"\"protocol\": 58, \"icmp\": {\"type\": 2}",
		 "\"protocol\": \"icmpv6\", \"icmp\": {\"type\": \"packet-too-big\"}"},
		{"\"protocol\": \"all\", \"x-a\": {\"b\": 1, \"a\": [1,2]}",
		 "\"x-a\": {\"a\": [1, 2], \"b\": 1}, \"protocol\": \"all\", \"labels\": {}"},
	};

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(same); i++) {
		g_autofree char *form = NULL;

		for (unsigned int j = 0; j < 2; j++) {
			g_autofree char *text = g_strdup_printf(
				"{\"version\": 1, \"groups\": {\"sg-a\": {\"ingress\": [{%s, "
				"\"from\": [\"any\"]}]}}}",
				same[i][j]);
			g_autoptr(GPtrArray) sources = policy_sources(text, NULL);

			if (j == 0)
				form = canonical(sources);
			else
				assert_canonical(sources, form);
		}
	}
}

static void addresses_and_peers_have_one_spelling(void **state)
{
	g_autoptr(GPtrArray) a = policy_sources(
		"{\"version\": 1, \"groups\": {\"sg-a\": {\"ingress\": [{\"protocol\": \"all\", \"from\": "
		"[\"10.0.0.5\", \"FD00::/8\", {\"group\": \"default:sg-a\"}, {\"cidr\": \"10.0.0.5/32\", "
		"\"labels\": {}}]}]}},"
		"\"interfaces\": {\"i\": {\"mac\": \"52:54:00:AA:BB:CC\", \"addresses\": [\"FD00:0::1\"], "
		"\"vlans\": [3, 2, 2], \"allowed_addresses\": [\"10.0.0.9\", \"10.0.0.0/30\"]}}}",
		NULL);
	g_autoptr(GPtrArray) b = policy_sources(
		"{\"interfaces\": {\"i\": {\"vlans\": [2, 3], \"mac\": \"52:54:00:aa:bb:cc\", "
		"\"allowed_addresses\": [\"10.0.0.0/30\", \"10.0.0.9/32\"], \"addresses\": [\"fd00::1\"]}},"
		"\"groups\": {\"sg-a\": {\"ingress\": [{\"from\": [\"10.0.0.5/32\", \"fd00::/8\", "
		"\"sg-a\"], \"protocol\": \"all\"}]}}, \"network\": \"default\", \"version\": 1}",
		NULL);
	g_autofree char *form = canonical(a);

	(void)state;
	assert_canonical(b, form);
}

static const char whole[] =
	"{\"version\": 1, \"description\": \"d\", \"labels\": {\"a\": \"1\", \"b\": \"2\"}, \"x-r\": 1,"
	" \"networks\": {\"default\": {\"peers\": [\"blue\"]}, \"blue\": {\"conntrack\": {\"udp\": 40}}},"
	" \"services\": {\"app\": {\"rules\": [{\"protocol\": \"tcp\", \"ports\": [1]}]}},"
	" \"groups\": {\"sg-a\": {}, \"sg-b\": {\"ingress\": [{\"service\": \"app\", \"from\": [\"sg-a\"]}]}},"
	" \"prefix_lists\": {\"pl-a\": {\"entries\": [\"10.0.0.0/8\"]}},"
	" \"interfaces\": {\"i-1\": {\"addresses\": [\"10.0.0.1\"]}, \"i-2\": {\"groups\": [\"sg-b\"]}}}";
static const char parts[][300] = {
	"{\"version\": 1, \"labels\": {\"b\": \"2\"}, \"groups\": {\"sg-b\": {\"ingress\": [{\"service\": "
	"\"app\", \"from\": [\"sg-a\"]}]}}}",
	"{\"interfaces\": {\"i-2\": {\"groups\": [\"sg-b\"]}}, \"x-r\": 1, \"version\": 1, \"networks\": "
	"{\"blue\": {\"conntrack\": {\"udp\": 40}}}}",
	"{\"network\": \"default\", \"version\": 1, \"interfaces\": {\"i-1\": {\"addresses\": "
	"[\"10.0.0.1\"]}}, \"groups\": {\"sg-a\": {}}}",
	"{\"version\": 1, \"description\": \"d\", \"labels\": {\"a\": \"1\"}, \"services\": {\"app\": "
	"{\"rules\": [{\"protocol\": \"tcp\", \"ports\": [1]}]}}, \"networks\": {\"blue\": {}}}",
	"{\"version\": 1, \"x-r\": 1, \"networks\": {\"default\": {\"peers\": [\"blue\"]}}, "
	"\"prefix_lists\": {\"pl-a\": {\"entries\": [\"10.0.0.0/8\"]}}, \"groups\": {}}",
};

static void a_split_over_files_in_any_order_changes_nothing(void **state)
{
	g_autoptr(GPtrArray) one = policy_sources(whole, NULL);
	g_autofree char *expected = canonical(one);
	char hex[65], other[65];

	(void)state;
	load_sha256(one, hex);
	assert_int_equal(strspn(hex, "0123456789abcdef"), 64);
	for (unsigned int first = 0; first < G_N_ELEMENTS(parts); first++) {
		for (unsigned int step = 1; step < G_N_ELEMENTS(parts); step++) {
			g_autoptr(GPtrArray) several = load_sources_new();

			for (unsigned int i = 0; i < G_N_ELEMENTS(parts); i++) {
				const char *text = parts[(first + i * step) % G_N_ELEMENTS(parts)];
				g_autofree char *name = g_strdup_printf("%u.json", i);

				policy_add_source(several, name, text, strlen(text));
			}
			assert_canonical(several, expected);
			load_sha256(several, other);
			assert_string_equal(other, hex);
		}
	}
}

static void several_networks_are_several_documents(void **state)
{
	g_autoptr(GPtrArray) ab = policy_sources(
		"{\"version\": 1, \"groups\": {\"sg-a\": {}}, \"networks\": {\"blue\": {}}}",
		"{\"version\": 1, \"network\": \"blue\", \"groups\": {\"sg-a\": {}}}", NULL);
	g_autoptr(GPtrArray) ba = policy_sources(
		"{\"version\": 1, \"network\": \"blue\", \"groups\": {\"sg-a\": {}}, \"networks\": "
		"{\"blue\": {}}}",
		"{\"version\": 1, \"groups\": {\"sg-a\": {}}}", "{\"version\": 1}", NULL);
	const char *expected = "{\n"
			       "  \"version\": 1,\n"
			       "  \"network\": \"blue\",\n"
			       "  \"networks\": {\n"
			       "    \"blue\": {}\n"
			       "  },\n"
			       "  \"groups\": {\n"
			       "    \"sg-a\": {}\n"
			       "  }\n"
			       "}\n"
			       "{\n"
			       "  \"version\": 1,\n"
			       "  \"network\": \"default\",\n"
			       "  \"groups\": {\n"
			       "    \"sg-a\": {}\n"
			       "  }\n"
			       "}\n";

	(void)state;
	assert_canonical(ab, expected);
	assert_canonical(ba, expected);
	assert_stable(ab);
}

static void an_empty_remark_is_kept(void **state)
{
	g_autoptr(GPtrArray) sources =
		policy_sources("{\"version\": 1, \"x-a\": {}, \"groups\": {}}",
			       "{\"version\": 1, \"network\": \"blue\"}", NULL);

	(void)state;
	assert_canonical(sources,
			 "{\n  \"version\": 1,\n  \"network\": \"blue\"\n}\n"
			 "{\n  \"version\": 1,\n  \"network\": \"default\",\n  \"x-a\": {}\n}\n");
}

static void what_means_something_else_looks_different(void **state)
{
	static const char *const policies[] = {
		"{\"version\": 1}",
		"{\"version\": 1, \"network\": \"blue\"}",
		"{\"version\": 1, \"groups\": {\"sg-a\": {}}}",
		"{\"version\": 1, \"groups\": {\"sg-a\": {\"egress\": []}}}",
		"{\"version\": 1, \"groups\": {\"sg-a\": {\"external\": true}}}",
		"{\"version\": 1, \"interfaces\": {\"i\": {}}}",
		"{\"version\": 1, \"interfaces\": {\"i\": {\"spoof_guard\": false}}}",
		"{\"version\": 1, \"interfaces\": {\"i\": {\"addresses\": [\"10.0.0.1\", \"10.0.0.2\"]}}}",
		"{\"version\": 1, \"interfaces\": {\"i\": {\"addresses\": [\"10.0.0.2\", \"10.0.0.1\"]}}}",
		"{\"version\": 1, \"description\": \"a\"}",
		"{\"version\": 1, \"description\": \"b\"}",
	};
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(policies); i++) {
		g_autoptr(GPtrArray) sources = policy_sources(policies[i], NULL);

		assert_true(g_hash_table_add(seen, canonical(sources)));
	}
}

static void long_lists_are_broken_into_lines(void **state)
{
	g_autoptr(GPtrArray) sources = NULL;
	GString *text =
		g_string_new("{\"version\": 1, \"prefix_lists\": {\"pl-a\": {\"entries\": [");
	g_autofree char *form = NULL;
	g_auto(GStrv) lines = NULL;

	(void)state;
	for (int i = 0; i < 300; i++)
		g_string_append_printf(text, "%s\"10.%d.%d.0/24\"", i ? "," : "", i / 256, i % 256);
	g_string_append(text, "]}}}");
	sources = policy_sources(text->str, NULL);
	form = canonical(sources);
	lines = g_strsplit(form, "\n", -1);
	for (char **line = lines; *line; line++)
		assert_true(strlen(*line) <= 100);
	assert_stable(sources);
	g_string_free(text, TRUE);
}

/* The canonical form of a mutated policy, where it is still valid, loads and is stable. */
static void mutated_policies_stay_stable(void **state)
{
	g_autofree char *seed = file_text("tests/golden/policy/valid/every-field.json");
	g_autoptr(GRand) rand = g_rand_new_with_seed(5);
	size_t length = strlen(seed);
	unsigned int valid = 0;

	(void)state;
	for (int round = 0; round < 4000; round++) {
		g_autofree char *text = g_strdup(seed);
		g_autoptr(GPtrArray) sources = NULL;
		g_autofree char *errors = NULL;

		text[g_rand_int_range(rand, 0, (gint32)length)] =
			"0123456789abcdef{}[]\",: "[g_rand_int_range(rand, 0, 24)];
		sources = policy_sources(text, NULL);
		errors = policy_errors(sources);
		if (errors[0])
			continue;
		valid++;
		assert_stable(sources);
	}
	assert_true(valid > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_canonical_form_of_every_example_is_stable),
		cmocka_unit_test(every_field_is_kept_and_in_order),
		cmocka_unit_test(spelling_does_not_matter),
		cmocka_unit_test(addresses_and_peers_have_one_spelling),
		cmocka_unit_test(a_split_over_files_in_any_order_changes_nothing),
		cmocka_unit_test(several_networks_are_several_documents),
		cmocka_unit_test(an_empty_remark_is_kept),
		cmocka_unit_test(what_means_something_else_looks_different),
		cmocka_unit_test(long_lists_are_broken_into_lines),
		cmocka_unit_test(mutated_policies_stay_stable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
