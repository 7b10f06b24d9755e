/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plane.h - the reference dataplane: frames and a model in, verdicts out. It knows no time: nothing
 * ever expires.
 */
#pragma once

#include <glib.h>

#include "rulesd/model.h"
#include "rulesd/numbers.h"
#include "tests/fuzz/reference/packet.h"

struct ref_plane;

struct ref_verdict {
	uint32_t reason;
	char rule[160]; /* of SG_ALLOW_RULE: "sg-web/https", else empty */
};

struct ref_plane *ref_plane_new(void);
void ref_plane_free(struct ref_plane **plane);

/* The policy that holds from now on; model and numbers are borrowed until the next one. */
void ref_plane_policy(struct ref_plane *plane, const struct model *model,
		      const struct numbers *numbers);
/* Before a change with `keep`: what an earlier one has revoked ends now. After it: the flows that
 * the interface has stay whatever policies say. */
void ref_plane_settle(struct ref_plane *plane);
void ref_plane_keep(struct ref_plane *plane, const char *interface_id);
/* Ends every flow. */
void ref_plane_flush(struct ref_plane *plane);
/* Ends every fragmented datagram. */
void ref_plane_forget_fragments(struct ref_plane *plane);

/*
 * Judges a frame of an attached interface and remembers it. Where the documents leave two answers
 * open, `seen` decides: the reason that the dataplane under test gave (SG_REASONS: none did). There
 * are two such places, after a change of policy: a later fragment of a datagram from before it, and
 * an ICMP error about a flow that has not been looked at since.
 */
struct ref_verdict ref_plane_judge(struct ref_plane *plane, const char *interface_id,
				   enum sg_dir dir, const uint8_t *bytes, size_t length,
				   uint32_t seen);

/* Entries of the flow table that the interface has, ended ones included. */
unsigned int ref_plane_flows(const struct ref_plane *plane, const char *interface_id);
