/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cases.h - program tests as text: a policy, and packets with the verdict that each must get.
 *
 *   # comment
 *   policy NAME                      JSON up to a line "end"; a line "---" starts another document
 *   case WHAT IT SHOWS               starts a case; lines below belong to it
 *   with NAME                        the policy; the first line of a case
 *   on ID                            the interface that the next lines are about; "vm" at first
 *   out FRAME = REASON [RULE]        the VM sends it
 *   in FRAME = REASON [RULE]         the VM is sent it
 *   change NAME [keep]               replaces the policy under the live flows
 *   flush                            removes all flows
 *   flows N                          how many there are now on the interface
 *
 * FRAME is the text of frame.h. What the VM sends carries its own MAC unless smac= says otherwise.
 * RULE asks which rule the only flow of the interface names. "out" lines run at XDP and at tc, so
 * every case with one runs twice.
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

/* Ends the process with a message when the file cannot be read or has a line that is no line. */
struct case_list *cases_read(const char *path);
void cases_free(struct case_list **list);

/* Runs one case on the instance of proggy.h; fails the test at the first line that is not as
 * expected. */
void case_run(const struct case_list *list, const struct prog_case *test, bool xdp);
