/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cases.h - program tests as text: a policy, and packets with the verdict that each must get.
 *
 *   # comment
 *   policy NAME                      JSON up to a line "end"; a line "---" starts another document
 *   case WHAT IT SHOWS               starts a case; lines below belong to it
 *   with NAME                        the policy; the first line of a case
 *   on ID                            the interface that the next lines are about; "vm" at first
 *   out FRAME = REASON [RULE] [state=STATE]
 *                                    the VM sends it
 *   in FRAME = REASON [RULE] [state=STATE]
 *                                    the VM is sent it
 *   change NAME [keep]               replaces the policy under the live flows
 *   flush                            removes all flows
 *   flows N                          how many there are now on the interface
 *   refused N                        new flows that the allowance refused since the case began
 *   fragments N                      datagrams of the case of which fragments are still missing
 *   wait SECONDS                     for timeouts; slow, so few
 *
 * FRAME is the text of frame.h. What the VM sends carries its own MAC unless smac= says otherwise.
 * RULE asks which rule the only flow of the interface names, STATE in which state the flow of this
 * frame is afterwards ("none": there is none). "out" lines run at XDP and at tc, so every case with
 * one runs twice.
 *
 * tests/unit/test_case_files.c holds the files to this: no two cases that differ only in ports or
 * addresses, and for every frame that drops, under the same policy, one that passes and differs in
 * one field, in its direction, or in what came before it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct case_line {
	unsigned int number;
	char *text;
};

struct case_policy {
	char *name;
	char *json;
};

struct prog_case {
	char *name;
	const char *file; /* borrowed from the list */
	GPtrArray *lines; /* of struct case_line */
	bool sends;	  /* has "out" lines */
};

struct case_list {
	char *file;
	GPtrArray *policies; /* of struct case_policy */
	GPtrArray *cases;    /* of struct prog_case */
};

struct case_packet {
	char *frame, *reason;
	char *rule, *state; /* or NULL */
};

#define CASES_DIR "tests/prog/cases"

/* Ends the process with a message when the file cannot be read or has a line that is no line. */
struct case_list *cases_read(const char *path);
void cases_free(struct case_list **list);
/* Every file of CASES_DIR, in order: struct case_list, freed with the array. */
GPtrArray *cases_read_all(void);
/* A policy of the file by name, or NULL. */
const char *case_policy_find(const struct case_list *list, const char *name);
/* What follows "out " or "in "; false when it is not FRAME = REASON [RULE] [state=STATE]. */
bool case_packet_read(const char *text, struct case_packet *packet);
void case_packet_clear(struct case_packet *packet);

enum case_mode {
	CASE_TEST_XDP,	 /* BPF_PROG_TEST_RUN, what the VM sends at XDP */
	CASE_TEST_TC,	 /* the same at tc */
	CASE_TEST_EARLY, /* at tc behind the XDP program of a flood */
	CASE_TAPS,	 /* through a plain tap */
	CASE_VNET_TAPS	 /* through a tap with offloads */
};

/* Runs one case on the instance of proggy.h; fails the test at the first line that is not as
 * expected. */
void case_run(const struct case_list *list, const struct prog_case *test, enum case_mode mode);
