/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conformance.h - the states of tests/data/conformance as policies of ours and the probes that must
 * hold in them.
 */
#pragma once

#include <glib.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define CONFORMANCE_FILE "tests/data/conformance/network-policy-cases.jsonl.gz"

/* An interface of the policy. The same id has the same device and MAC in every state. */
struct conformance_interface {
	char *id;	 /* "eni-x-a" */
	char device[16]; /* "tap0", "tap1", ... */
	char mac[18];	 /* "52:54:00:c0:00:00" and up: the last byte counts as the device does */
	char *address;	 /* IPv4 */
};

/* May source open a flow to destination? Both are interfaces of the state. */
struct conformance_probe {
	const struct conformance_interface *source;
	const struct conformance_interface *destination;
	uint16_t protocol; /* IPPROTO_TCP, IPPROTO_UDP */
	uint16_t port;	   /* of the destination */
	bool egress;	   /* the groups of the source let it out */
	bool ingress;	   /* the groups of the destination let it in */
	bool both;	   /* so it arrives */
};

struct conformance_state {
	char *id; /* "193.2": the state after "193.1" */
	char *description;
	char *policy;	       /* our policy as JSON text, network "default" */
	GPtrArray *interfaces; /* of struct conformance_interface, in the order of the file */
	GArray *probes;	       /* of struct conformance_probe */
};

/*
 * All states of the file, in its order: an array of struct conformance_state that frees its
 * content. NULL when it cannot be read or says something that the conversion does not know; *error
 * then names it.
 */
GPtrArray *conformance_load(const char *path, char **error);
