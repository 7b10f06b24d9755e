/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * aws_files.h - the documents of tests/data/aws, and what their security groups permit, read by
 * nothing that sgctl uses to read them.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "rulesd/load.h"

/*
 * Every *.json under tests/data/aws, and one of ours with VPCs that are peered; sorted, of char *.
 * Fails the test when there is none.
 */
GPtrArray *aws_files(void);
/* The text of a file, or of a document, as a source of an import; the caller frees it. */
struct load_source *aws_source_of_file(const char *path);
struct load_source *aws_source_of(const json_t *document);

/*
 * {"SecurityGroups"} of the document as a set of permissions: "sg-1 IpPermissions 6 443 443
 * 10.0.0.0/8 description", ports and CIDRs in one spelling, each atom by itself. NULL when the
 * document has no security groups. Of char *.
 */
GHashTable *aws_permissions(const json_t *document);

/* A packet as AWS would judge it. */
struct aws_packet {
	bool egress;
	uint8_t protocol;
	bool v6;
	struct in6_addr remote; /* the first four bytes when it is IPv4 */
	uint16_t port;		/* destination; tcp and udp */
	uint8_t icmp_type;
	uint8_t icmp_code;
};

/* Whose addresses are members of which group. */
struct aws_member {
	const char *group;
	bool v6;
	struct in6_addr address;
};

/*
 * Whether the group (an element of SecurityGroups of the document) permits the packet. members:
 * of struct aws_member. Entries of prefix lists are those of the document's PrefixLists.
 */
bool aws_permits(const json_t *document, const json_t *group, const GArray *members,
		 const struct aws_packet *packet);
/* Protocol number, -1 for all, -2 when it is none. */
int aws_protocol(const json_t *permission);
/* The numbers beside it; -1 when they are missing. */
int aws_number(const json_t *permission, const char *key);
bool aws_parse_cidr(const char *text, struct in6_addr *address, unsigned int *bits, bool *v6);
