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
	struct image *image; /* the one applied last; NULL: none */
	GPtrArray *models;   /* of struct model (owned): images borrow them */
	unsigned int writes; /* of the last apply */
	uint64_t generation; /* after it */
	char *error;	     /* of the last call that failed */
};

/* cmocka setup and teardown of one test: a namespace, an instance; flushed at the end. */
int plane_setup(void **state);
int plane_teardown(void **state);

/* Closes the instance as a kill would (pins stay) and opens it again; the image is forgotten. */
void plane_reopen(struct plane *plane);
/* Compiles a policy after the one that was applied last. Fails the test when it is refused. */
struct image *plane_compile(struct plane *plane, const char *json);
/* Applies it; 0, or what dataplane_apply says, with the old image kept. */
int plane_apply(struct plane *plane, const char *json, bool keep);
/* Attaches an interface of the image to a tap; 0 or what dataplane_attach says. */
int plane_attach(struct plane *plane, const char *id, const struct tap *tap,
		 struct dataplane_attachment *attachment);
uint32_t plane_slot(const struct plane *plane, const char *id);

/* Makes tap0, the VM's, and a neighbour of it on a bridge, which it returns. */
struct tap *plane_bridge(struct tap **vm, bool vnet_hdr);
/* Sends the frame of this text (frame.h) and says whether it arrived. Waits long only when it is
 * expected to. */
bool plane_arrives(const struct tap *from, const struct tap *to, const char *text, bool expected);
