/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_nearest.c - suggestions for mistyped words, compared with the textbook's full table.
 */
#include <string.h>

#include "rulesd/nearest.h"
#include "tests/lib/check.h"
#include "tests/lib/policy.h"

static const char *suggest(const char *word, const char *const *candidates)
{
	struct nearest nearest = nearest_new(word);

	for (; *candidates; candidates++)
		nearest_offer(&nearest, *candidates);
	return nearest.best;
}

static void usual_slips_are_understood(void **state)
{
	static const char *const words[] = {"protocol", "ports",  "description", "addresses",
					    "ingress",	"egress", "tcp",	 NULL};

	(void)state;
	assert_string_equal(suggest("protocal", words), "protocol");
	assert_string_equal(suggest("Protocol", words), "protocol");
	assert_string_equal(suggest("prots", words), "ports");
	assert_string_equal(suggest("adresses", words), "addresses");
	assert_string_equal(suggest("ingres", words), "ingress");
	assert_string_equal(suggest("tpc", words), "tcp");
	assert_null(suggest("colour", words));
	assert_null(suggest("", words));
	assert_null(suggest("zzz", words));
}

/* Optimal string alignment, nothing clever. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int table[16][16];
	size_t n = strlen(a), m = strlen(b);

	for (size_t i = 0; i <= n; i++)
		for (size_t j = 0; j <= m; j++) {
			unsigned int best =
				i && j ? table[i - 1][j - 1] + (a[i - 1] != b[j - 1]) : 0;

			if (!i || !j) {
				table[i][j] = (unsigned int)(i + j);
				continue;
			}
			best = MIN(best, table[i - 1][j] + 1);
			best = MIN(best, table[i][j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = MIN(best, table[i - 2][j - 2] + 1);
			table[i][j] = best;
		}
	return table[n][m];
}

static void the_band_finds_what_the_full_table_finds(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(3);

	(void)state;
	for (int round = 0; round < 200000; round++) {
		char words[2][16] = {{0}};
		struct nearest nearest;
		unsigned int real;

		for (int w = 0; w < 2; w++)
			for (int i = g_rand_int_range(rand, 0, 12); i; i--)
				words[w][i - 1] = "abc"[g_rand_int_range(rand, 0, 3)];
		nearest = nearest_new(words[0]);
		real = distance(words[0], words[1]);
		/* The beginning of a word is near whatever follows. */
		if (strlen(words[0]) >= 3 && g_str_has_prefix(words[1], words[0]))
			continue;
		if (real < nearest.distance) {
			nearest_offer(&nearest, words[1]);
			assert_ptr_equal(nearest.best, words[1]);
			assert_int_equal(nearest.distance, real);
		} else {
			nearest_offer(&nearest, words[1]);
			assert_null(nearest.best);
		}
	}
}

static void long_words_get_no_suggestion_and_no_overflow(void **state)
{
	g_autofree char *a = g_strnfill(63, 'a');
	g_autofree char *b = g_strnfill(62, 'a');
	g_autofree char *c = g_strnfill(64, 'a');
	g_autofree char *d = g_strnfill(5000, 'b');
	const char *const words[] = {b, c, d, NULL};

	(void)state;
	assert_ptr_equal(suggest(a, words), b);
	assert_null(suggest(c, words));
	assert_null(suggest(d, words));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_slips_are_understood),
		cmocka_unit_test(the_band_finds_what_the_full_table_finds),
		cmocka_unit_test(long_words_get_no_suggestion_and_no_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
