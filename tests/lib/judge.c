/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge.c - see judge.h.
 */
#include "tests/lib/judge.h"

#include <glib.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/patience.h"

#define PORTS  64u
#define ENOUGH 100 /* frames, to say anything */

/* By addresses, protocol and the port that is asked for. */
static bool is_of(const struct frame *frame, const struct judge_question *question)
{
	return frame->length == question->frame.length &&
	       !memcmp(frame->bytes + 23, question->frame.bytes + 23, 1) &&
	       !memcmp(frame->bytes + 26, question->frame.bytes + 26, 8) &&
	       !memcmp(frame->bytes + 36, question->frame.bytes + 36, 2);
}

static void judge_frame(struct judge *judge, unsigned int tap, const struct frame *frame)
{
	for (unsigned int i = 0; i < judge->count; i++) {
		const struct judge_question *question = &judge->questions[i];

		if (question->to != tap || question->allowed || !is_of(frame, question))
			continue;
		judge->forbidden++;
		if (!judge->first)
			judge->first = g_strdup_printf("%s arrived at %s", question->text,
						       judge->vms[tap]->name);
	}
}

static bool read_all(struct judge *judge, unsigned int tap, const struct frame *wanted, int wait_ms)
{
	struct frame got;

	while (tap_read(judge->vms[tap], &got, wait_ms)) {
		judge_frame(judge, tap, &got);
		if (wanted && got.length == wanted->length &&
		    !memcmp(got.bytes, wanted->bytes, got.length))
			return true;
	}
	return false;
}

static void *ask(void *arg)
{
	struct judge *judge = arg;
	uint16_t round = 0;

	while (!g_atomic_int_get(&judge->stop)) {
		round++;
		for (unsigned int i = 0; i < judge->count; i++) {
			struct judge_question *question = &judge->questions[i];
			uint16_t port = GUINT16_TO_BE((uint16_t)(4000 + round % PORTS));

			memcpy(question->frame.bytes + 34, &port, sizeof(port));
			if (tap_write(judge->outside, &question->frame))
				continue;
			judge->sent++;
			if (question->allowed &&
			    !read_all(judge, question->to, &question->frame, TAP_WAIT_MS))
				judge->lost++;
			for (unsigned int tap = 0; tap < G_N_ELEMENTS(judge->vms); tap++)
				if (judge->vms[tap])
					read_all(judge, tap, NULL, 0);
		}
	}
	return NULL;
}

void judge_start(struct judge *judge)
{
	judge->stop = 0;
	judge->sent = judge->lost = judge->forbidden = 0;
	for (unsigned int i = 0; i < judge->count; i++) {
		struct judge_question *question = &judge->questions[i];

		/* The checksum is none, so that ports may change. */
		frame_make_text(&question->frame, question->text);
		memset(question->frame.bytes + 40, 0, 2);
	}
	assert_int_equal(pthread_create(&judge->thread, NULL, ask, judge), 0);
}

void judge_end(struct judge *judge)
{
	const gint64 since = g_get_monotonic_time();

	/* What it judges may be over in a millisecond. */
	while (__atomic_load_n(&judge->sent, __ATOMIC_RELAXED) <= ENOUGH &&
	       !patience_over(since, GIVE_UP_MS))
		g_usleep(1000);
	g_atomic_int_set(&judge->stop, 1);
	pthread_join(judge->thread, NULL);
	print_message("%lu frames, %lu lost, %lu forbidden\n", judge->sent, judge->lost,
		      judge->forbidden);
	if (judge->forbidden)
		fail_msg("%lu forbidden frames arrived, the first one: %s", judge->forbidden,
			 judge->first);
	assert_int_equal(judge->lost, 0);
	assert_true(judge->sent > ENOUGH);
}
