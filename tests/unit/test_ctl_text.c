/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ctl_text.c - what people read: numbers with units, and strings that cannot drive a terminal.
 */
#include <glib.h>

#include "ctl/output.h"
#include "ctl/units.h"
#include "tests/lib/check.h"

static void bytes_have_units(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{0, "0B"},	     {1023, "1023B"},	  {1024, "1.0K"},
		{1536, "1.5K"},	     {10239, "10K"},	  {1048575, "1.0M"},
		{1048576, "1.0M"},   {123456789, "118M"}, {1099511627776, "1.0T"},
		{UINT64_MAX, "16E"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = units_bytes(cases[i].bytes);

		assert_string_equal(text, cases[i].text);
	}
}

static void ages_have_two_units_at_most(void **state)
{
	static const struct {
		double seconds;
		const char *text;
	} cases[] = {
		{-1, "0s"},    {0, "0s"},	 {0.9, "0s"},	   {59, "59s"},
		{60, "1m"},    {192.5, "3m12s"}, {3600, "1h"},	   {7505, "2h5m"},
		{86400, "1d"}, {432000, "5d"},	 {100800, "1d4h"}, {86460, "1d"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = units_age(cases[i].seconds);

		assert_string_equal(text, cases[i].text);
	}
}

static void strings_cannot_drive_the_terminal(void **state)
{
	static const struct {
		const char *text;
		const char *safe;
	} cases[] = {
		{"plain", "plain"},
		{"Gr\xc3\xbc\xc3\x9f"
		 "e \xe6\x97\xa5",
		 "Gr\xc3\xbc\xc3\x9f"
		 "e \xe6\x97\xa5"},
		{"\x1b[31mred", "\\u001b[31mred"},
		{"two\nlines\tand\rmore", "two\\u000alines\\u0009and\\u000dmore"},
		{"del\x7f", "del\\u007f"},
		{"csi\xc2\x9b"
		 "31m",
		 "csi\\u009b31m"}, /* C1, one character in UTF-8 */
		{"a\xe2\x80\xae"
		 "b",
		 "a\\u202eb"}, /* right-to-left override */
		{"no utf-8 \xff\xc3", "no utf-8 \\xff\\xc3"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *safe = output_escape(cases[i].text);

		assert_string_equal(safe, cases[i].safe);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_have_units),
		cmocka_unit_test(ages_have_two_units_at_most),
		cmocka_unit_test(strings_cannot_drive_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
