/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proggy.h - the real BPF programs, loaded and filled through rulesd's own dataplane, run on single
 * frames with BPF_PROG_TEST_RUN.
 *
 * A policy's interfaces with a device get a tap of that name in the process's namespace; with
 * proggy_use() frames travel through these taps instead. One instance serves a whole test program;
 * proggy_policy() between cases leaves nothing of the last one behind.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "rulesd/image.h"
#include "tests/lib/frame.h"

enum proggy_program {
	PROGGY_XDP,	   /* sg_xdp: what the VM sends */
	PROGGY_TC_EGRESS,  /* sg_tc_egress: the same at the tc hook */
	PROGGY_TC_INGRESS, /* sg_tc_ingress: what the VM is sent */
	PROGGY_EARLY, /* sg_xdp_early, and sg_tc_egress behind it: what a VM that floods sends */
	PROGGY_PROGRAMS,
};

/* How frames reach the programs. */
enum proggy_path {
	PROGGY_TEST_RUN,  /* BPF_PROG_TEST_RUN */
	PROGGY_TAPS,	  /* through plain taps: XDP */
	PROGGY_VNET_TAPS, /* through taps with offloads: tc, and GSO frames */
};

struct proggy_result {
	int error;	 /* -errno of the run itself: the kernel refuses frames below 14 bytes */
	bool allowed;	 /* by the program's return code */
	uint32_t reason; /* enum sg_reason whose counter moved; SG_REASONS when none or several did
			  */
	bool counted;	 /* packets and bytes of the direction and outcome moved by this frame */
	bool unchanged;	 /* the frame came out as it went in */
};

/* Group setup and teardown of cmocka: namespace, dataplane, programs. */
int proggy_setup(void **state);
int proggy_teardown(void **state);
/* The path of policies from now on; the one that holds is taken down. */
void proggy_use(enum proggy_path path);

/* Loads, compiles and applies a policy from nothing: taps anew, no flows. A line "---" separates
 * documents. Fails the test when it cannot. */
void proggy_policy(const char *json);
/* Replaces the policy under live flows; interfaces that stay keep their tap. */
void proggy_change(const char *json, bool keep);
/* What the daemon does some time after a change: nothing of the policy before is left. Every second
 * change is followed by it anyway. */
void proggy_settle(void);
void proggy_flush_flows(void);
unsigned int proggy_count_flows(const char *interface_id);
/* The rule of the only flow, "sg-web/https"; NULL when it has none. Fails the test unless there is
 * one flow. */
const char *proggy_flow_rule(const char *interface_id);
/* The state of the flow that a frame of this description belongs to, "none" without one. */
const char *proggy_flow_state(const char *interface_id, enum sg_dir dir,
			      const struct frame_spec *spec);
/* New flows of the interface that its allowance refused, and datagrams that are in fragments now.
 */
struct sg_slot proggy_exact(const char *interface_id);

/* interface_id NULL: a device that is not attached. */
struct proggy_result proggy_run(enum proggy_program program, const char *interface_id,
				const struct frame *frame);
/* The same through the taps that proggy_use chose. spec is what the frame was built from. */
struct proggy_result proggy_send(const char *interface_id, enum sg_dir dir,
				 const struct frame_spec *spec, const struct frame *frame);
const char *proggy_name(enum proggy_program program);
/* For runs of a caller's own: the program as loaded (borrowed; after the first policy), and the
 * device that it is told. */
int proggy_program_fd(enum proggy_program program);
uint32_t proggy_ifindex(const char *interface_id);
bool proggy_is_xdp(enum proggy_program program);
enum sg_dir proggy_dir(enum proggy_program program);
/* The MAC that the policy gives the interface, or NULL. */
const uint8_t *proggy_mac(const char *interface_id);

/* The compiled policy that holds; borrowed until the next change. */
const struct image *proggy_image(void);
const struct model *proggy_model(void);
const struct numbers *proggy_numbers(void);

/* A descriptor of a pinned map of the instance, for tests that break things on purpose. The caller
 * closes it. */
int proggy_map(const char *name);
uint32_t proggy_slot(const char *interface_id);
struct dataplane *proggy_dataplane(void);
