/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nearest.c - edit distance with a bound (optimal string alignment: a swap of neighbours is one).
 */
#include "rulesd/nearest.h"

#include <glib.h>
#include <string.h>

#include "rulesd/diag.h"

#define LONGEST 64 /* longer words get no suggestion */

/*
 * The distance when it is below limit, else limit. Words are shorter than LONGEST. What they have
 * in common in front does not count, and only the band of cells within limit of the diagonal can
 * stay below it: thousands of candidates cost milliseconds.
 */
static unsigned int distance_below(const char *a, const char *b, unsigned int limit)
{
	unsigned int rows[3][LONGEST + 2] = {{0}};
	size_t n, m;

	while (*a && g_ascii_tolower(*a) == g_ascii_tolower(*b)) {
		a++;
		b++;
	}
	n = strlen(a);
	m = strlen(b);
	g_assert(n < LONGEST && m < LONGEST);
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned int *row = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];
		size_t low = i > limit ? i - limit : 1, high = MIN(m, i + limit);
		unsigned int smallest = row[low - 1] = low == 1 ? (unsigned int)i : limit;

		for (size_t j = low; j <= high; j++) {
			unsigned int cost = g_ascii_tolower(a[i - 1]) != g_ascii_tolower(b[j - 1]);

			row[j] = MIN(MIN(up[j], row[j - 1]) + 1, up[j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = MIN(row[j], up2[j - 2] + 1);
			smallest = MIN(smallest, row[j]);
		}
		row[high + 1] = limit; /* the next row looks one cell further */
		if (smallest >= limit)
			return limit;
	}
	return MIN(rows[n % 3][m], limit);
}

struct nearest nearest_new(const char *word)
{
	/* A third of the letters may be wrong, and never more than three. */
	size_t allowed = MIN(strlen(word) / 3, 3);

	return (struct nearest){.word = word, .distance = (unsigned int)MAX(allowed, 1) + 1};
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
	size_t a = strlen(nearest->word), b = strlen(candidate);
	unsigned int distance;

	if (a >= LONGEST || b >= LONGEST)
		return;
	/* "inter" means "interface", although four letters are missing. */
	if (a >= 3 && !g_ascii_strncasecmp(candidate, nearest->word, a))
		distance = 1;
	else if ((a > b ? a - b : b - a) >= nearest->distance)
		return;
	else
		distance = distance_below(nearest->word, candidate, nearest->distance);
	if (distance >= nearest->distance)
		return;
	nearest->distance = distance;
	nearest->best = candidate;
}

char *nearest_fix(const struct nearest *nearest, const char *otherwise)
{
	g_autofree char *quoted = nearest->best ? diag_quote(nearest->best) : NULL;

	return quoted ? g_strdup_printf("did you mean %s?", quoted) : g_strdup(otherwise);
}
