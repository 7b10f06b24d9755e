/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture.h - what would have become of the frames of a capture under a policy, with flows: replies
 * to what was allowed pass.
 *
 * Simpler than the dataplane where a capture tells less: TCP is followed by addresses and ports,
 * not by windows, and a connection that was open when the capture began counts as opened by
 * whichever side the rules allow.
 */
#pragma once

#include "ctl/frame.h"
#include "ctl/offline.h"

struct capture;

struct capture_verdict {
	enum sg_reason reason;
	const char *rule; /* that allows it, or that opened its flow; NULL; borrowed */
	bool opens;	  /* it opened a flow (or would have) */
	enum sg_dir direction;
	struct frame frame;
};

struct capture *capture_new(const struct offline_compiled *compiled);
void capture_free(struct capture **capture);
/* A frame that the interface sent or was sent. */
struct capture_verdict capture_judge(struct capture *capture, enum sg_dir dir, const void *bytes,
				     size_t captured, size_t length);
/* Whether the interface sent or was sent it; false when neither. */
bool capture_direction(const struct capture *capture, const void *bytes, size_t captured,
		       size_t length, enum sg_dir *dir);
/* What the guard says of MAC, tag and ARP, of which eval_packet knows nothing; SG_REASONS: go on.
 */
enum sg_reason capture_guard(const struct offline_compiled *compiled, const struct frame *frame,
			     enum sg_dir dir);
