/* SPDX-License-Identifier: GPL-2.0-or-later */
/* units.c - see units.h. */
#include "ctl/units.h"

#include <glib.h>

char *units_bytes(uint64_t bytes)
{
	static const char letters[] = "KMGTPE";
	double value = (double)bytes;
	unsigned int unit = 0;

	if (bytes < 1024)
		return g_strdup_printf("%uB", (unsigned int)bytes);
	/* 1023.95 would print as 1024.0 */
	while (value >= 1023.95 && unit < sizeof(letters) - 1) {
		value /= 1024;
		unit++;
	}
	if (value < 9.95)
		return g_strdup_printf("%.1f%c", value, letters[unit ? unit - 1 : 0]);
	return g_strdup_printf("%.0f%c", value, letters[unit ? unit - 1 : 0]);
}

char *units_age(double seconds)
{
	static const struct {
		char letter;
		uint64_t seconds;
	} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
	uint64_t left = seconds > 0 ? (uint64_t)seconds : 0;

	for (unsigned int i = 0; i < G_N_ELEMENTS(units) - 1; i++) {
		uint64_t high = left / units[i].seconds;
		uint64_t low = left % units[i].seconds / units[i + 1].seconds;

		if (!high)
			continue;
		if (!low)
			return g_strdup_printf("%" G_GUINT64_FORMAT "%c", high, units[i].letter);
		return g_strdup_printf("%" G_GUINT64_FORMAT "%c%" G_GUINT64_FORMAT "%c", high,
				       units[i].letter, low, units[i + 1].letter);
	}
	return g_strdup_printf("%" G_GUINT64_FORMAT "s", left);
}

char *units_count(uint64_t count, const char *noun)
{
	return g_strdup_printf("%" G_GUINT64_FORMAT " %s%s", count, noun, count == 1 ? "" : "s");
}
