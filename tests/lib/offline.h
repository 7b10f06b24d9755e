/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * offline.h - asks the offline evaluator about the frame that the kernel has just judged, so that
 * every program test also shows that the two agree.
 */
#pragma once

#include "rulesd/eval.h"
#include "tests/lib/frame.h"

/*
 * What eval_packet says about the frame; false when it cannot be asked: it knows addresses, ports
 * and types, but no flows, fragments, tags, MACs and malformed headers.
 */
bool offline_verdict(const struct image *image, const struct image_iface *iface, enum sg_dir dir,
		     const struct frame_spec *spec, struct eval_verdict *verdict);
/* Whether the evaluator can give this reason at all: the others come of what it does not know. */
bool offline_knows(uint32_t reason);
