/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check.c - rulesd --check: state, maps and programs, each by what it says of its version.
 */
#include "rulesd/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "rulesd/cleanup.h"
#include "rulesd/dataplane.h"
#include "rulesd/state.h"

static enum check_result worse(enum check_result a, enum check_result b)
{
	if (a == CHECK_REFUSED || b == CHECK_REFUSED)
		return CHECK_REFUSED;
	return MAX(a, b);
}

static enum check_result check_state(const struct options *options, bool *empty)
{
	struct state_check found = {0};
	enum check_result result = CHECK_SAME;

	state_check(options->state_dir, &found);
	*empty = !found.version && !found.damaged;
	printf("state     %s: ", options->state_dir);
	if (found.error) {
		printf("cannot be read: %s: this rulesd refuses to start\n",
		       g_strerror(-found.error));
		result = CHECK_REFUSED;
	} else if (found.damaged) {
		printf("%s is damaged or missing: the newest policy that is whole holds\n",
		       found.damaged);
		result = CHECK_CHANGES;
	} else if (!found.version) {
		puts("nothing, it begins empty");
	} else if (found.version > STATE_VERSION) {
		printf("version %d, this rulesd knows 1 to %d: it refuses to start\n",
		       found.version, STATE_VERSION);
		result = CHECK_REFUSED;
	} else if (found.version < STATE_VERSION) {
		printf("version %d, generation %" PRIu64
		       ": becomes version %d, which an older rulesd refuses\n",
		       found.version, found.generation, STATE_VERSION);
		result = CHECK_CHANGES;
	} else {
		printf("version %d, generation %" PRIu64 ": taken as it is\n", found.version,
		       found.generation);
	}
	g_free(found.damaged);
	return result;
}

static enum check_result check_maps(const struct options *options,
				    const struct dataplane_pins *pins)
{
	g_autofree char *covered = NULL;

	printf("maps      %s: ", options->bpffs);
	if (dataplane_check_covered(options->bpffs, &covered) < 0) {
		printf("it refuses to start: %s\n", covered);
		return CHECK_REFUSED;
	}
	if (!pins->abi && !pins->migrating) {
		puts("none, they are made");
		return CHECK_SAME;
	}
	if (pins->refused) {
		printf("ABI version %u, this rulesd knows %u to %u: it refuses to start; run the "
		       "rulesd that made them\n",
		       pins->abi, pins->oldest, pins->newest);
		return CHECK_REFUSED;
	}
	if (pins->migrating) {
		printf("ABI version %u: migrated to %u, connections go on\n", pins->abi,
		       pins->newest);
		return CHECK_CHANGES;
	}
	printf("ABI version %u: taken as they are\n", pins->abi);
	return CHECK_SAME;
}

static enum check_result check_programs(const struct dataplane_pins *pins)
{
	if (!pins->taps) {
		puts("programs  no tap is filtered");
		return CHECK_SAME;
	}
	if (pins->same_build && !pins->migrating) {
		printf("programs  of this build, on %u taps with %u flows: taken as they are\n",
		       pins->taps, pins->flows);
		return CHECK_SAME;
	}
	printf("programs  of another build, on %u taps with %u flows: replaced on every tap "
	       "without a gap\n",
	       pins->taps, pins->flows);
	return CHECK_CHANGES;
}

enum check_result check_start(const struct options *options)
{
	struct dataplane_pins pins = {0};
	bool empty = false;
	enum check_result result = check_state(options, &empty);

	dataplane_look_at_pins(options->bpffs, &pins);
	result = worse(result, check_maps(options, &pins));
	if (!pins.refused)
		result = worse(result, check_programs(&pins));
	if (empty && pins.taps)
		printf("note      nothing says whose these taps are: they stay filtered as they "
		       "are pinned until a policy names their devices\n");
	if (result == CHECK_REFUSED)
		puts("refused   what is pinned goes on filtering");
	return result;
}
