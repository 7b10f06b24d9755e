/* SPDX-License-Identifier: GPL-2.0-or-later */
/* links.c - see links.h. */
#include "tests/bench/links.h"

#include <glib.h>
#include <stdio.h>

#include "tests/lib/check.h"
#include "tests/lib/command.h"

#define LOOK_EVERY_MS 200

void links_wait(unsigned int step, unsigned int seconds)
{
	g_autofree char *script = g_strdup_printf(
		"ip -br link | awk 'NR %% %u == 0 { sub(/@.*/, \"\", $1); print $1 }' | while read "
		"-r device; do tc filter show dev \"$device\" egress; tc filter show dev \"$device\" "
		"ingress; done 2>/dev/null",
		step);
	const char *const argv[] = {"sh", "-c", script, NULL};

	for (unsigned int i = 0; i < seconds * 1000 / LOOK_EVERY_MS; i++) {
		AUTO_COMMAND struct command filters = command_run(argv);

		if (filters.status != 0)
			fail_msg("tc filter show: %s", filters.err);
		if (!*filters.out)
			return;
		g_usleep(LOOK_EVERY_MS * 1000);
	}
	fprintf(stderr, "tc filters stay on the taps\n");
}
