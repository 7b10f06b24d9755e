/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plane.h - one instance of the eBPF dataplane under test, with the policy that was applied last
 * and a registry of numbers, as the daemon keeps them; for tests of the dataplane itself.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "rulesd/dataplane.h"
#include "rulesd/numbers.h"
#include "tests/lib/tap.h"

struct plane {
	struct dataplane_options options;
	struct dataplane *dataplane;
	struct numbers *numbers;
	struct model *model; /* the one applied last; NULL: none */
	struct image *image; /* of model */
	unsigned int writes; /* of the last apply */
	uint64_t generation; /* after it */
	char *error;	     /* of the last call that failed */
};

/* cmocka setup and teardown of one test: a namespace, an instance; flushed at the end. */
int plane_setup(void **state);
int plane_teardown(void **state);

/* Closes the instance as a kill would (pins stay) and opens it again; the image is forgotten. */
void plane_reopen(struct plane *plane);
/*
 * Applies a policy, as the daemon does: the first one as a whole, later ones by what they differ
 * in. 0, or what the dataplane says, with the old model and image kept. Fails the test when the
 * policy is refused.
 */
int plane_apply(struct plane *plane, const char *json, bool keep);
/* Until dataplane_settle() says that nothing is left to do, which takes grace periods. */
void plane_settle(struct plane *plane);
/* Attaches an interface of the image to a tap; 0 or what dataplane_attach says. */
int plane_attach(struct plane *plane, const char *id, const struct tap *tap,
		 struct dataplane_attachment *attachment);
uint32_t plane_slot(const struct plane *plane, const char *id);

/* Makes tap0, the VM's, and a neighbour of it on a bridge, which it returns. */
struct tap *plane_bridge(struct tap **vm, bool vnet_hdr);
/* Sends the frame of this text (frame.h) and says whether it arrived. Waits long only when it is
 * expected to. */
bool plane_arrives(const struct tap *from, const struct tap *to, const char *text, bool expected);
