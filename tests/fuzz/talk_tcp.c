/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * talk_tcp.c - a TCP connection: handshake, data, end, and everything that goes wrong with them.
 */
#include <glib.h>

#include "tests/fuzz/talk_internal.h"

struct segment {
	char flags[8];
	uint32_t seq, ack;
	unsigned int length, window;
	int scale;
};

enum stage { OPENING, ANSWERING, CONFIRMING, TALKING };

static uint32_t initial_sequence(void)
{
	static const uint32_t bases[] = {0, 1000, 0xfffffff0, 0x7ffffff0, 0xffff0000};

	return RANDOM_PICK(bases) + (uint32_t)talk_up_to(64);
}

static unsigned int random_window(void)
{
	static const unsigned int windows[] = {64240, 64240, 65535, 1000, 100, 1, 0};

	return RANDOM_PICK(windows);
}

static void set(struct segment *segment, const char *flags, uint32_t seq, uint32_t ack)
{
	g_strlcpy(segment->flags, flags, sizeof(segment->flags));
	segment->seq = seq;
	segment->ack = ack;
}

/* What either side may say on an open connection. */
static void converse(const struct talk *talk, enum sg_dir dir, struct segment *segment)
{
	uint32_t seq = talk->next[dir], ack = talk->next[!dir];
	int kind = talk_up_to(100);

	if (kind < 40) {
		set(segment, "PA", seq, ack);
		segment->length = (unsigned int)talk_up_to(3) * 50 + 1;
	} else if (kind < 60) {
		set(segment, "A", seq, ack);
	} else if (kind < 72) {
		set(segment, "FA", seq, ack);
	} else if (kind < 75) {
		set(segment, "R", seq, 0);
	} else if (kind < 77) {
		set(segment, "RA", seq + (uint32_t)talk_up_to(3), ack);
	} else if (kind < 85) { /* again, or a keep-alive */
		uint32_t back = (uint32_t)talk_up_to(3) * 50 + 1;

		set(segment, "A", seq - back, ack);
		segment->length = random_chance(50) ? back : 0;
	} else if (kind < 90) { /* as if the other side had lost something */
		set(segment, "A", seq, ack - (uint32_t)talk_up_to(200));
	} else if (kind < 95) { /* the tuple is used again */
		set(segment, "S", initial_sequence(), 0);
	} else {
		set(segment, "SA", seq - 1, ack);
	}
}

static void lie(struct segment *segment)
{
	static const uint32_t distances[] = {1,	    2,	   0xffffffff, 100,	   66000,
					     66001, 65536, 0x80000000, 0x7fffffff, 1u << 30};
	static const char *const flags[] = {"S",   "SA", "A",	"FA", "R",  "RA", "SF", "F",  "-",
					    "FPU", "SR", "SAU", "SU", "AU", "RF", "SE", "AEC"};

	switch (talk_up_to(6)) {
	case 0:
		segment->seq += RANDOM_PICK(distances);
		break;
	case 1:
		segment->seq -= RANDOM_PICK(distances);
		break;
	case 2:
		segment->ack += RANDOM_PICK(distances);
		break;
	case 3:
		segment->ack -= RANDOM_PICK(distances);
		break;
	case 4:
		g_strlcpy(segment->flags, RANDOM_PICK(flags), sizeof(segment->flags));
		break;
	default:
		segment->length = (unsigned int)talk_up_to(1400);
	}
}

static bool has(const struct segment *segment, char letter)
{
	for (const char *at = segment->flags; *at; at++)
		if (*at == letter)
			return true;
	return false;
}

char *talk_say_tcp(struct talk *talk, enum sg_dir *dir)
{
	struct segment segment = {.window = random_window(), .scale = -1};
	g_autofree char *line = NULL;

	*dir = talk->stage == ANSWERING ? !talk->opener : talk->opener;
	switch ((enum stage)talk->stage) {
	case OPENING:
		set(&segment, "S", initial_sequence(), 0);
		break;
	case ANSWERING:
		talk->next[*dir] = initial_sequence();
		set(&segment, "SA", talk->next[*dir], talk->next[!*dir]);
		if (random_chance(6)) /* both open at once */
			g_strlcpy(segment.flags, "S", sizeof(segment.flags));
		break;
	case CONFIRMING:
		set(&segment, "A", talk->next[*dir], talk->next[!*dir]);
		break;
	case TALKING:
		*dir = random_chance(50) ? SG_EGRESS : SG_INGRESS;
		converse(talk, *dir, &segment);
	}
	if (random_chance(4)) {
		*dir = random_chance(50) ? SG_EGRESS : SG_INGRESS;
		converse(talk, *dir, &segment);
	}
	if (random_chance(10))
		lie(&segment);
	if (has(&segment, 'S') && random_chance(60))
		segment.scale = talk_up_to(17);
	talk->then = segment.seq + segment.length + has(&segment, 'S') + has(&segment, 'F');
	talk->fresh = has(&segment, 'S') && !has(&segment, 'A');
	line = talk_line(talk, "tcp", *dir, true);
	return g_strdup_printf(segment.scale >= 0 ? "%s %s seq=%u ack=%u len=%u win=%u ws=%d"
						  : "%s %s seq=%u ack=%u len=%u win=%u",
			       line, segment.flags, segment.seq, segment.ack, segment.length,
			       segment.window, segment.scale);
}

void talk_tcp_heard(struct talk *talk)
{
	if (talk->fresh && (talk->stage == OPENING || random_chance(50))) {
		talk->opener = talk->said;
		talk->stage = ANSWERING;
		talk->next[talk->said] = talk->then;
		return;
	}
	if (talk->stage < TALKING)
		talk->stage++;
	if ((int32_t)(talk->then - talk->next[talk->said]) > 0 &&
	    talk->then - talk->next[talk->said] < 100000)
		talk->next[talk->said] = talk->then;
}
