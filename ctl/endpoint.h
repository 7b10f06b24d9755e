/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endpoint.h - what the command line says about packets: "A:PORT", "[v6]:PORT", ports, directions,
 * protocols.
 *
 * Each parser returns 0, or -EINVAL and *error: one line that names the bad token and what would be
 * right.
 */
#pragma once

#include <stdint.h>

#include "bpf/abi.h"
#include "rulesd/addr.h"

struct endpoint {
	struct sg_addr addr;
	int port; /* -1: none given */
};

/* "10.0.0.5", "10.0.0.5:443", "fd00::5", "[fd00::5]", "[fd00::5]:443". */
int endpoint_parse(const char *text, struct endpoint *endpoint, char **error);
int endpoint_parse_port(const char *text, uint16_t *port, char **error);
/* "ingress" and "egress", also "in" and "out", which the tables show. */
int endpoint_parse_direction(const char *text, enum sg_dir *direction, char **error);
/* A protocol of one packet: a name or 0-255, not "all". */
int endpoint_parse_protocol(const char *text, uint16_t *protocol, char **error);
/* A whole number in decimal. */
int endpoint_parse_number(const char *what, const char *text, uint64_t least, uint64_t most,
			  uint64_t *number, char **error);
