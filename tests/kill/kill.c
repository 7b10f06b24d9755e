/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kill.c - rulesd dies, or is refused, at every system call that changes the kernel or the disk,
 * while connections live on the taps that it filters.
 *
 * For each scenario (a change, a start) a first run counts its calls. Then it is run again and
 * again, and the Nth call is rulesd's last one, or fails with one error after the other. Each time:
 * no forbidden frame arrives and no frame of the connection is lost, also while nothing runs; what
 * holds afterwards, and after a restart, is what held before or what was asked for, also to
 * packets; the flows are there; kernel and rulesd agree (GET /v1/verify).
 *
 *   .build/tests/kill/kill [--points N] [--random N] [--seed N] [--older PATH] [--part I/N]
 *                          [--way NAME] [SCENARIO...]
 *
 * --older PATH: another rulesd, of an older version, whose pins and state this one takes over in
 * the scenario "migrate". --points N: of each scenario and way at most N calls, spread over all of
 * them; 0 (the default): every one. --part I/N: of N processes that share the points this one is I,
 * from 0 (tests/kill/run). --way NAME: only in this one ("killed", "EIO"). --random N: kills at
 * random times.
 *
 * The scenarios are in scenarios.c, the stage and what holds on it in world.c.
 */
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/kill/scenarios.h"
#include "tests/kill/tracer.h"
#include "tests/kill/traffic.h"
#include "tests/kill/world.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

#define HANDFUL 2 /* rounds of traffic that show that all is as it was */

/* ------------------------------------------------------------------ one point */

static void fault(struct world *world, const char *way, unsigned int point, const char *format, ...)
	G_GNUC_PRINTF(4, 5);
static void fault(struct world *world, const char *way, unsigned int point, const char *format, ...)
{
	va_list arguments;
	g_autofree char *what = NULL;

	va_start(arguments, format);
	what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	printf("FAILED %s, %s at call %u, %s: %s\n", world->scenario, way, point,
	       world->tracer->what, what);
}

struct point {
	const struct scenario *scenario;
	GPtrArray *
		known; /* what may hold afterwards: first what was before, last what is asked for */
	const char *way;
	enum tracer_action action;
	int error;
	unsigned int number;
};

static bool is_known(const struct point *point, const char *text)
{
	for (guint i = 0; i < point->known->len; i++)
		if (strcmp(point->known->pdata[i], text) == 0)
			return true;
	return false;
}

/* Kernel and rulesd agree; where things were pulled from under it, after it has noticed. */
static bool check_kernel(struct world *world, const struct point *point, const char *when)
{
	g_autofree char *drift = world_differences(world);

	for (int waited = 0; drift && point->scenario->bare && waited < 10000; waited += 100) {
		g_usleep(100000);
		g_clear_pointer(&drift, g_free);
		drift = world_differences(world);
	}
	if (drift)
		fault(world, point->way, point->number, "%s: %s", when, drift);
	return !drift;
}

/* Frames, flows, kernel. */
static bool check(struct world *world, const struct point *point, const char *when)
{
	const char *said;

	/* Where nothing was ever filtered, everything passes. */
	if (point->scenario->bare)
		return !tracer_runs(world->tracer) || check_kernel(world, point, when);
	traffic_rounds(world->traffic, HANDFUL);
	said = traffic_fault(world->traffic);
	if (said) {
		fault(world, point->way, point->number, "%s: %s", when, said);
		return false;
	}
	if (!tracer_runs(world->tracer))
		return true;
	if (!world_has_connection(world)) {
		fault(world, point->way, point->number, "%s: the connection is not in the table",
		      when);
		return false;
	}
	return check_kernel(world, point, when);
}

/* Ends what is left, starts it as ever, and looks at what holds; *text is it. */
static bool check_after_restart(struct world *world, const struct point *point, char **text)
{
	tracer_kill(world->tracer);
	if (!check(world, point, "while nothing runs"))
		return false;
	world_must_start(world);
	*text = world_holds(world);
	if (!is_known(point, *text)) {
		fault(world, point->way, point->number, "after a restart \"%s\" holds", *text);
		return false;
	}
	return check(world, point, "after a restart");
}

/* What was answered holds. */
static bool check_after_kill(struct world *world, const struct point *point, long status)
{
	g_autofree char *text = NULL;
	const char *asked_for = point->known->pdata[point->known->len - 1];

	if (!check_after_restart(world, point, &text))
		return false;
	if (point->scenario->starts || status < 200 || status > 299 || strcmp(text, asked_for) == 0)
		return true;
	fault(world, point->way, point->number, "was answered %ld, but \"%s\" holds", status, text);
	return false;
}

static bool check_alive(struct world *world, const struct point *point, long status)
{
	g_autofree char *now = NULL;
	g_autofree char *later = NULL;
	const char *wanted =
		point->known->pdata[status >= 200 && status < 300 ? point->known->len - 1 : 0];

	if (!tracer_runs(world->tracer)) {
		if (!point->scenario->starts) {
			fault(world, point->way, point->number, "rulesd has ended");
			return false;
		}
		return check_after_restart(world, point, &later);
	}
	/* What was put right in part only is put right when it is asked for again. */
	if (point->scenario->spoiled) {
		point->scenario->act(world);
		wanted = point->known->pdata[point->known->len - 1];
	}
	now = world_holds(world);
	if (point->known->len <= 2 && !point->scenario->rereads && strcmp(now, wanted) != 0) {
		fault(world, point->way, point->number, "answered %ld, but \"%s\" holds", status,
		      now);
		return false;
	}
	if (!is_known(point, now)) {
		fault(world, point->way, point->number, "\"%s\" holds", now);
		return false;
	}
	if (!check(world, point, "while it goes on") || !check_after_restart(world, point, &later))
		return false;
	/* What a disk that failed for good was to take back, it may say again: rulesd mends it when
	 * it can be written, for which there is no time here. */
	if (strcmp(now, later) == 0 || point->action == TRACER_FAIL_DISK ||
	    point->scenario->rereads)
		return true;
	fault(world, point->way, point->number, "\"%s\" held, after a restart \"%s\"", now, later);
	return false;
}

static void ensure_runs(struct world *world)
{
	tracer_disarm(world->tracer);
	if (world->tracer->pid < 0)
		tracer_wait(world->tracer);
	if (!tracer_runs(world->tracer))
		world_must_start(world);
}

/* Whether the call was reached at all. */
static bool try_point(struct world *world, const struct point *point)
{
	bool good;
	long status;

	ensure_runs(world);
	point->scenario->prepare(world);
	if (traffic_fault(world->traffic) && !point->scenario->bare)
		fault(world, point->way, point->number, "before: a frame went wrong");
	tracer_arm(world->tracer, point->action, point->error, point->number);
	status = point->scenario->act(world);
	if (!world->tracer->hit) {
		tracer_disarm(world->tracer);
		return false;
	}
	if (point->scenario->bare)
		traffic_fault(world->traffic);
	if (point->error) {
		tracer_disarm(world->tracer);
		good = check_alive(world, point, status);
	} else {
		tracer_wait(world->tracer);
		good = check_after_kill(world, point, status);
	}
	world->passed += good;
	world->failed += !good;
	if (!good)
		scenario_begin_anew(world);
	return true;
}

/* ------------------------------------------------------------------ all points of a scenario */

static const struct {
	const char *name;
	enum tracer_action action;
	int error;
} ways[] = {
	{"killed", TRACER_KILL, 0},	 {"EIO", TRACER_FAIL, EIO},
	{"ENOSPC", TRACER_FAIL, ENOSPC}, {"ENOMEM", TRACER_FAIL, ENOMEM},
	{"EPERM", TRACER_FAIL, EPERM},	 {"EROFS..", TRACER_FAIL_DISK, EROFS},
};

static bool is_way(const char *name)
{
	for (unsigned int way = 0; way < G_N_ELEMENTS(ways); way++)
		if (strcmp(name, ways[way].name) == 0)
			return true;
	return false;
}

/* What holds before and after it, and how many calls it makes. */
static unsigned int rehearse(struct world *world, const struct scenario *scenario, GPtrArray *known)
{
	unsigned int count;

	ensure_runs(world);
	scenario->prepare(world);
	if (!scenario->starts)
		g_ptr_array_add(known, world_holds(world));
	tracer_arm(world->tracer, TRACER_KILL, 0, 0);
	scenario->act(world);
	count = world->tracer->count;
	tracer_disarm(world->tracer);
	ensure_runs(world);
	g_ptr_array_add(known, world_holds(world));
	if (scenario->between) {
		scenario->between(world);
		g_ptr_array_insert(known, 1, world_holds(world));
	}
	return count;
}

/* only: the name of a way, or NULL. */
static void run_scenario(struct world *world, const struct scenario *scenario, unsigned int points,
			 const char *only)
{
	g_autoptr(GPtrArray) known = g_ptr_array_new_with_free_func(g_free);
	unsigned int count;

	world->scenario = scenario->name;
	count = rehearse(world, scenario, known);
	for (guint i = 0; i < known->len; i++)
		printf("%s: %s\n", scenario->name, (char *)known->pdata[i]);
	for (unsigned int way = 0; way < G_N_ELEMENTS(ways); way++) {
		struct point point = {.scenario = scenario,
				      .known = known,
				      .way = ways[way].name,
				      .action = ways[way].action,
				      .error = ways[way].error};
		unsigned int passed = world->passed, failed = world->failed;
		unsigned int missed = 0, wanted = points ? MIN(points, count) : count;

		if (only && strcmp(only, ways[way].name) != 0)
			continue;

		/* Which calls there are is not the same in every run: threads and timers. */
		for (unsigned int i = 0; i < wanted || (!points && missed < 2); i++) {
			point.number = points ? 1 + (way + i * G_N_ELEMENTS(ways)) * count /
								(wanted * G_N_ELEMENTS(ways))
					      : 1 + i;
			if (point.number % world->parts != world->part)
				continue;
			missed = try_point(world, &point) ? 0 : missed + 1;
			if (i > 2 * count + 50)
				break;
		}
		printf("%-12s %-7s %4u calls: %u passed, %u failed\n", scenario->name,
		       ways[way].name, count, world->passed - passed, world->failed - failed);
	}
	ensure_runs(world);
	if (scenario->bare)
		scenario_begin_anew(world);
}

/* ------------------------------------------------------------------ random times */

/* No forbidden frame, no lost frame; and the next one starts with what kernel and disk agree on. */
static void kill_at_random(struct world *world, unsigned int times)
{
	g_autoptr(GPtrArray) none = g_ptr_array_new();
	const struct scenario any = {.name = "random"};
	struct point point = {.scenario = &any, .known = none, .way = "killed"};
	unsigned int passed = world->passed, failed = world->failed;

	world->scenario = "random";
	for (unsigned int i = 0; i < times; i++) {
		unsigned int us = (unsigned int)g_random_int_range(0, 200000);
		GThread *client;
		g_autofree char *now = NULL;
		bool good;

		ensure_runs(world);
		scenario_to_old(world);
		client = g_thread_new("client", scenario_change_all, world);
		g_usleep(us);
		kill(world->tracer->pid, SIGKILL);
		g_thread_join(client);
		point.number = us;
		tracer_wait(world->tracer);
		good = check(world, &point, "while nothing runs");
		world_must_start(world);
		now = world_holds(world);
		if (strstr(now, "DAMAGED") || strstr(now, "failed"))
			fault(world, "killed", us, "\"%s\" holds", now);
		good &= !strstr(now, "DAMAGED") && !strstr(now, "failed");
		good &= check(world, &point, "after a restart");
		world->passed += good;
		world->failed += !good;
	}
	printf("%-12s killed  at random times: %u passed, %u failed\n", "random",
	       world->passed - passed, world->failed - failed);
}

/* ------------------------------------------------------------------ main */

static struct world set_up(void)
{
	struct world world = {.scenario = "the beginning", .rulesd = RULESD};

	netns_group_setup(NULL);
	scene_setup(NULL);
	world.web = scene_tap("tap0");
	world.outside = scene_tap("tap1");
	world.third = scene_tap("tap2");
	world.socket = g_strdup_printf("%s/kill.sock", netns_workdir());
	world.state_dir = g_strdup_printf("%s/kill.state", netns_workdir());
	world.policy_dir = g_strdup_printf("%s/kill.policy", netns_workdir());
	world.log = g_strdup_printf("%s/kill.log", netns_workdir());
	world.bpffs = g_strdup_printf("%s/kill", netns_bpffs());
	world.tracer = tracer_new();
	g_strlcpy(world.tracer->state_dir, world.state_dir, sizeof(world.tracer->state_dir));
	world_must_start(&world);
	scenario_to_old(&world);
	world.traffic = traffic_start(world.outside, world.web);
	return world;
}

static bool is_asked_for(char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	unsigned int points = 0, random = 0;
	guint32 seed = 1;
	unsigned int part = 0, parts = 1;
	const char *older = NULL, *way = NULL;
	struct world world;

	for (; argc > 2 && strncmp(argv[1], "--", 2) == 0; argc -= 2, argv += 2) {
		unsigned int number = (unsigned int)atoi(argv[2]);

		if (strcmp(argv[1], "--points") == 0)
			points = number;
		else if (strcmp(argv[1], "--random") == 0)
			random = number;
		else if (strcmp(argv[1], "--seed") == 0)
			seed = number;
		else if (strcmp(argv[1], "--older") == 0)
			older = argv[2];
		else if (strcmp(argv[1], "--way") == 0 && is_way(argv[2]))
			way = argv[2];
		else if (strcmp(argv[1], "--part") == 0 &&
			 sscanf(argv[2], "%u/%u", &part, &parts) == 2 && part < parts)
			continue;
		else
			return 2;
	}
	g_random_set_seed(seed + part);
	setvbuf(stdout, NULL, _IOLBF, 0);
	world = set_up();
	world.part = part;
	world.parts = parts;
	world.older = older;
	for (unsigned int i = 0; i < scenarios_count; i++) {
		if (argv[1] && !is_asked_for(argv + 1, scenarios[i].name))
			continue;
		if (scenarios[i].older && !older)
			continue;
		run_scenario(&world, &scenarios[i], points, way);
	}
	if (random)
		kill_at_random(&world, random / parts + (part < random % parts));
	printf("%lu frames\n", traffic_frames(world.traffic));
	traffic_stop(&world.traffic);
	world_flush(&world);
	world_forget_state(&world);
	unlink(world.log);
	tap_delete_all();
	printf("%u passed, %u failed\n", world.passed, world.failed);
	return world.failed != 0;
}
