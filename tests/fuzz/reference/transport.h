/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * transport.h - what parse.c (Ethernet, IP) and transport.c (what IP carries) owe each other.
 */
#pragma once

#include "tests/fuzz/reference/packet.h"

/* The transport header at `at`; the IP header says that the packet ends at `end`. */
uint32_t ref_read_transport(const uint8_t *bytes, size_t at, size_t end, struct ref_packet *packet);

/* Network order. */
uint32_t ref_get(const uint8_t *at, unsigned int bytes);
struct sg_addr ref_v4(const uint8_t *at);
/* Whether size bytes at `at` lie before end, near enough to the start of the frame. */
bool ref_reaches(size_t at, size_t size, size_t end);
bool ref_is_extension(uint8_t number);
size_t ref_extension_length(uint8_t number, const uint8_t *header);
