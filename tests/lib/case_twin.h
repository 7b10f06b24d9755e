/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * case_twin.h - compares cases and frames of the case files as texts: by how many fields two frames
 * differ, and whether two cases are the same but for ports and addresses.
 */
#pragma once

#include "tests/lib/cases.h"

/*
 * The fields in which two frames (text of frame.h) differ: protocol, either address, either port,
 * TCP flags with the acknowledgement that they announce, and each word; also inside an ICMP error.
 */
unsigned int case_frames_differ(const char *a, const char *b);

/*
 * A case with its policies and frames, in which addresses are their kind (loopback, link-local,
 * multicast...) and a number in order of appearance, and ports likewise, but for ports with a
 * meaning of their own. Two cases with the same text differ in nothing else. The caller frees it.
 */
char *case_canonical(const struct case_list *list, const struct prog_case *test);
