/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_frames.h - sgctl trace of real frames: one in hexadecimal (--frame), a capture (--pcap).
 */
#pragma once

#include "ctl/command.h"

struct args;

/* Of --frame HEX --direction DIR. */
enum exit_status trace_frame(const struct args *args);
/* Of --pcap FILE: what would have become of each frame, summed up. */
enum exit_status trace_pcap(const struct args *args);
