/* SPDX-License-Identifier: GPL-2.0-or-later */
/* suggest.c - see suggest.h. */
#include "ctl/suggest.h"

#include <glib.h>
#include <string.h>

/* Words are ids, options and commands, at most 63 bytes; longer ones are not worth guessing. */
#define LONGEST 64

unsigned int suggest_distance(const char *a, const char *b)
{
	unsigned int rows[3][LONGEST + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > LONGEST || m > LONGEST)
		return ~0u;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned int *row = rows[i % 3], *above = rows[(i + 2) % 3];
		const unsigned int *before = rows[(i + 1) % 3]; /* of i - 2 */

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned int cost = a[i - 1] != b[j - 1];

			row[j] = MIN(MIN(above[j] + 1, row[j - 1] + 1), above[j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = MIN(row[j], before[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

void suggest_start(struct suggest *suggest, const char *word)
{
	*suggest = (struct suggest){.word = word, .distance = ~0u};
}

void suggest_offer(struct suggest *suggest, const char *name)
{
	size_t length = strlen(suggest->word);
	unsigned int distance = suggest_distance(suggest->word, name);

	/* "inter" means "interface" although four letters are missing. */
	if (length >= 2 && !strncmp(name, suggest->word, length))
		distance = MIN(distance, 1);
	if (distance >= suggest->distance || distance > MAX(1, length / 3))
		return;
	suggest->best = name;
	suggest->distance = distance;
}

const char *suggest_best(const struct suggest *suggest)
{
	return suggest->best;
}
