/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_ports.h - ports that should not be open to the world, by the check that says so.
 */
#pragma once

#include <stdint.h>

#include "ctl/lint_check.h"

struct lint_port {
	uint8_t protocol;
	uint16_t first, last;
	enum lint_code code;
	const char *name; /* as people call what listens there */
};

extern const struct lint_port lint_ports[];
extern const unsigned int lint_ports_count;
