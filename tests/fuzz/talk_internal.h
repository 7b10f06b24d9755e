/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * talk_internal.h - what talk.c, talk_tcp.c and talk_stray.c share.
 */
#pragma once

#include <stdint.h>

#include "tests/fuzz/talk.h"
#include "tests/lib/random_policy.h"

enum talk_kind { TALK_TCP, TALK_UDP, TALK_PING, TALK_SCTP, TALK_FRAG, TALK_RAW };

struct talk {
	enum talk_kind kind;
	size_t vm;
	bool v6;
	const char *local, *remote;
	unsigned int port[SG_DIRS]; /* of who sends in that direction */
	enum sg_dir opener;
	unsigned int step; /* frames that arrived */
	bool pending;	   /* the last frame counts as a step */
	enum sg_dir said;
	char *last[SG_DIRS]; /* what each side said last */

	/* TCP, by direction. */
	uint32_t next[SG_DIRS]; /* sequence number of the next byte */
	uint32_t then;		/* next of the sender, once the pending frame has arrived */
	bool fresh;		/* the pending frame is a SYN: the script begins again */
	unsigned int stage;
	int scale[SG_DIRS];

	uint32_t tag[SG_DIRS]; /* SCTP: chosen by who sends in that direction */
	unsigned int id, request;
	unsigned int piece, ipid; /* fragments */
};

int talk_up_to(int limit); /* 0 <= result < limit */
unsigned int talk_fresh_id(void);
/* "KIND SRC[:PORT] > DST[:PORT]" */
char *talk_line(const struct talk *talk, const char *kind, enum sg_dir dir, bool ports);
char *talk_say_tcp(struct talk *talk, enum sg_dir *dir);
void talk_tcp_heard(struct talk *talk);
