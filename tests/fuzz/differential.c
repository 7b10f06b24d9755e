/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * differential.c - random policies and random conversations: the kernel programs and the reference
 * in plain C come to the same verdict for the same reason, frame by frame.
 *
 * SEED=N begins with that sequence (otherwise with one that nobody has seen), COUNT=N does so many
 * (0: until the time is up), SECONDS_LEFT=N stops after that long. On a difference the smallest
 * sequence that shows it is printed as a case of tests/prog/cases, with its seed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "rulesd/cleanup.h"
#include "rulesd/names.h"
#include "tests/fuzz/replay.h"
#include "tests/fuzz/talk.h"
#include "tests/lib/check.h"
#include "tests/lib/random_policy.h"

#define STEPS 150
#define TALKS 6

struct course {
	struct replay *replay;
	struct talk *talks[TALKS];
	const char *policy; /* that holds; borrowed from a step or the replay */
	uint64_t *seen;	    /* by reason */
};

static unsigned long long from_environment(const char *name, unsigned long long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static enum proggy_program program_of(enum sg_dir dir)
{
	if (dir == SG_INGRESS)
		return PROGGY_TC_INGRESS;
	if (random_chance(33))
		return PROGGY_EARLY;
	return random_chance(50) ? PROGGY_XDP : PROGGY_TC_EGRESS;
}

/* The VM's own MAC, which the policy may check, on what it sends. */
static char *finish_frame(char *text, size_t vm, enum sg_dir dir)
{
	g_autofree char *before = text;
	g_autofree char *garbled = random_chance(6) ? talk_garble(text) : g_strdup(text);

	if (dir == SG_INGRESS)
		return TAKE_PTR(garbled);
	return g_strdup_printf("%s smac=%u", garbled, random_vms[vm].mac);
}

static struct replay_step *add_frame(struct course *course, struct talk **talk)
{
	size_t at = (size_t)g_random_int_range(0, TALKS), vm;
	struct replay_step *step;
	enum sg_dir dir;
	char *text;

	*talk = NULL;
	if (random_chance(4)) {
		talk_free(course->talks[at]);
		course->talks[at] = talk_new();
	}
	if (random_chance(8)) {
		vm = (size_t)g_random_int_range(0, RANDOM_VMS);
		text = talk_stray(vm, &dir);
	} else {
		*talk = course->talks[at];
		vm = talk_vm(*talk);
		text = talk_say(*talk, &dir);
	}
	step = replay_add(course->replay, REPLAY_FRAME, vm, finish_frame(text, vm, dir));
	step->program = program_of(dir);
	return step;
}

/* A frame of before once more, as the network or an attacker may. */
static struct replay_step *add_old_frame(struct course *course)
{
	GPtrArray *steps = course->replay->steps;
	const struct replay_step *old =
		g_ptr_array_index(steps, g_random_int_range(0, (gint32)steps->len));
	struct replay_step *step;

	if (old->kind != REPLAY_FRAME)
		return NULL;
	step = replay_add(course->replay, REPLAY_FRAME, old->vm, g_strdup(old->text));
	step->program = old->program;
	return step;
}

static struct replay_step *add_step(struct course *course, struct talk **talk)
{
	struct replay_step *step = NULL;

	*talk = NULL;
	if (random_chance(4)) {
		step = replay_add(course->replay, REPLAY_CHANGE, 0,
				  random_policy_change(course->policy));
		step->keep = random_chance(30);
		course->policy = step->text;
	} else if (g_random_int_range(0, 300) == 0) {
		step = replay_add(course->replay, REPLAY_FLUSH, 0, NULL);
	} else if (g_random_int_range(0, 75) == 0) {
		step = replay_add(course->replay, REPLAY_COUNT,
				  (size_t)g_random_int_range(0, RANDOM_VMS), NULL);
	} else if (course->replay->steps->len && random_chance(4)) {
		step = add_old_frame(course);
	}
	return step ? step : add_frame(course, talk);
}

/* Who is not heard gives up, so that most frames belong to something that lives. */
static void hear(struct course *course, struct talk *talk, bool arrived)
{
	talk_heard(talk, arrived);
	if (arrived || !random_chance(30))
		return;
	for (size_t i = 0; i < TALKS; i++) {
		if (course->talks[i] != talk)
			continue;
		talk_free(talk);
		course->talks[i] = talk_new();
	}
}

/* One policy and what happens under it; NULL or the difference. */
static char *run_course(struct course *course)
{
	char *difference = NULL;

	replay_begin(course->replay);
	for (int i = 0; i < STEPS && !difference; i++) {
		struct talk *talk;
		struct replay_step *step = add_step(course, &talk);

		difference = replay_do(step);
		if (difference || step->kind != REPLAY_FRAME || step->reason >= SG_REASONS)
			continue;
		course->seen[step->reason]++;
		if (talk)
			hear(course, talk, !sg_reason_is_drop(step->reason));
	}
	return difference;
}

static void one_sequence(unsigned long long seed, uint64_t seen[SG_REASONS])
{
	struct course course = {.seen = seen};
	g_autofree char *policy = NULL;
	char *difference;

	g_random_set_seed((guint32)seed);
	policy = random_policy(true);
	course.replay = replay_new(policy);
	course.policy = course.replay->policy;
	for (size_t i = 0; i < TALKS; i++)
		course.talks[i] = talk_new();
	difference = run_course(&course);
	if (difference) {
		print_message("SEED=%llu: %s\n", seed, difference);
		replay_shrink(course.replay, &difference);
		replay_print(course.replay, difference);
		fail_msg("SEED=%llu: %s", seed, difference);
	}
	for (size_t i = 0; i < TALKS; i++)
		talk_free(course.talks[i]);
	replay_free(&course.replay);
}

static void kernel_and_reference_agree(void **state)
{
	unsigned long long seed =
		from_environment("SEED", (guint32)time(NULL) * 1000ULL % G_MAXUINT32);
	unsigned long long count = from_environment("COUNT", 0), done = 0;
	unsigned long long seconds = from_environment("SECONDS_LEFT", 60);
	gint64 start = g_get_monotonic_time();
	uint64_t seen[SG_REASONS] = {0};

	(void)state;
	print_message("SEED=%llu\n", seed);
	for (; count ? done < count
		     : g_get_monotonic_time() - start < (gint64)seconds * G_USEC_PER_SEC;
	     done++)
		one_sequence(seed + done, seen);
	replay_end();
	for (unsigned int i = 0; i < SG_REASONS; i++)
		if (seen[i])
			print_message("%10llu %s\n", (unsigned long long)seen[i], reason_name(i));
	print_message("%llu sequences of %d steps\n", done, STEPS);
	/* Not all of one kind, or the agreement would say little. */
	if (done >= 20)
		assert_true(seen[SG_ALLOW_RULE] > done && seen[SG_ALLOW_FLOW] > done);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_and_reference_agree),
	};

	return cmocka_run_group_tests(tests, proggy_setup, proggy_teardown);
}
