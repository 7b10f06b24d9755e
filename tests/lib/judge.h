/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge.h - a thread that sends the same questions to VMs again and again while a test changes the
 * world: frames that must arrive, and frames that may never.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "tests/lib/tap.h"

/* A frame of UDP that is sent again and again, from another port each time. */
struct judge_question {
	unsigned int to; /* which VM's tap */
	bool allowed;	 /* at any time of the test: else at none */
	const char *text;
	struct frame frame; /* the judge's */
};

struct judge {
	struct tap *outside, *vms[3]; /* only the judge reads and writes them meanwhile */
	struct judge_question *questions;
	unsigned int count;
	/* The judge's. */
	int stop; /* atomic */
	unsigned long sent, lost, forbidden;
	char *first; /* forbidden one, in words */
	pthread_t thread;
};

void judge_start(struct judge *judge);
/* Fails the test when a frame arrived that may not, or one did not that must. */
void judge_end(struct judge *judge);
