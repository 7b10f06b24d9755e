/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * talk.h - conversations that make sense and then do not: what two ends may say to each other in
 * TCP, UDP, SCTP, ping, fragments and ICMP errors, with lies mixed in, as text of frame.h.
 *
 * Everything is drawn from GLib's global generator.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "bpf/abi.h"

struct talk;

struct talk *talk_new(void);
void talk_free(struct talk *talk);

/* Which of random_vms has it. */
size_t talk_vm(const struct talk *talk);
/* The next frame; *dir says who sends it. The caller frees it. */
char *talk_say(struct talk *talk, enum sg_dir *dir);
/* Whether that frame arrived: what is said next follows from it. */
void talk_heard(struct talk *talk, bool arrived);

/* A frame of no conversation. */
char *talk_stray(size_t vm, enum sg_dir *dir);
/* Another frame made of this one: lies in headers, tags, cuts, bytes. The caller frees it. */
char *talk_garble(const char *text);
