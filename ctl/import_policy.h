/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_policy.h - the policy that an import is making: groups, prefix lists, interfaces, as the
 * importers of the formats find them, in whatever order.
 *
 * import_settle() then resolves what refers to what and removes repeats, import_document() writes
 * documents of the policy format.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "ctl/import_node.h"
#include "ctl/import_report.h"
#include "rulesd/addr.h"
#include "rulesd/diag.h"

/* Where something was found, for reports that come after the walk. */
struct import_place {
	const char *file; /* interned, or NULL */
	char *pointer;
};

enum import_peer_kind {
	IMPORT_PEER_CIDR,
	IMPORT_PEER_GROUP,
	IMPORT_PEER_GROUP_NAME, /* of a group of the same network; import_settle() finds its id */
	IMPORT_PEER_LIST,
};

/* Addresses that a peer or rule is limited to. */
enum import_family { IMPORT_ANY_FAMILY, IMPORT_IPV4, IMPORT_IPV6 };

struct import_peer {
	enum import_peer_kind kind;
	char *value;	   /* canonical CIDR; id of the group or prefix list; name */
	char *description; /* or NULL */
	json_t *extra; /* fields that the policy has no place for, kept under "x-…"; or NULL */
	bool stale;    /* through a connection that is gone: matches nothing */
};

/* Of network in import_rule.first when every port or every ICMP type is meant. */
#define IMPORT_EVERY (-1)

struct import_rule {
	char *id;	   /* or NULL */
	char *description; /* or NULL */
	uint16_t protocol; /* 0-255 or SG_PROTO_ALL */
	/* Ports of tcp, udp, sctp; type and code of icmp, icmpv6. IMPORT_EVERY otherwise. */
	int first;
	int last;
	enum import_family family; /* of the whole rule (Neutron's ethertype) */
	GPtrArray *peers;	   /* of struct import_peer */
	json_t *labels;		   /* or NULL */
	json_t *extra;		   /* as in a peer */
	/*
	 * Found by itself (a rule with an id), not in the list of its group: what both say is one
	 * permission, of which this knows more.
	 */
	bool detail;
	struct import_place place;
};

struct import_group {
	char *id;
	char *name;    /* as the source calls it, or NULL */
	char *network; /* VPC, or NULL when unknown */
	char *owner;   /* account, or NULL */
	char *description;
	json_t *labels;	      /* or NULL */
	json_t *extra;	      /* object, owned */
	const json_t *source; /* what it was read from, to recognise a repeat; borrowed */
	bool defined;	      /* described or has rules; otherwise it is only named */
	bool described;	      /* as a whole, not only through some of its rules */
	bool carried;	      /* by an interface */
	unsigned int named;   /* as a peer that is not stale */
	GPtrArray *rules[2];  /* of struct import_rule by enum sg_dir */
	struct import_place place;
};

struct import_list {
	char *id;
	char *name;
	char *description;
	json_t *labels;
	json_t *extra;
	GPtrArray *entries;	    /* of char *: canonical CIDRs; NULL while nobody listed them */
	json_t *entry_descriptions; /* CIDR -> description; owned */
	bool described;
	unsigned int named;
	struct import_place place;
};

struct import_interface {
	char *id;
	char *network;
	char *description;
	json_t *labels;
	json_t *extra;
	const json_t *source;
	char *device;
	char *host;
	uint8_t mac[6];
	bool has_mac;
	bool no_spoof_guard;
	GPtrArray *addresses; /* of char *: canonical */
	GPtrArray *allowed;   /* of char *: canonical CIDRs */
	GPtrArray *groups;    /* of char *: ids, no repeats */
	json_t *conntrack;    /* the policy's object, or NULL */
	struct import_place place;
};

struct import_options {
	const char *device;	   /* pattern of device names, or NULL */
	const json_t *map;	   /* interface id or MAC -> device, or NULL */
	const char *network;	   /* the document's, or NULL: "default" */
	const char *vpc;	   /* only this VPC, or NULL */
	const GHashTable *entries; /* file -> id of the prefix list that its "Entries" belong to */
};

struct import {
	struct import_options options;
	const char *format;	/* "aws": reports and "x-aws" */
	GHashTable *groups;	/* id -> struct import_group */
	GHashTable *lists;	/* id -> struct import_list */
	GHashTable *interfaces; /* id -> struct import_interface */
	GPtrArray *orphans;	/* of struct import_list without id: entries of a second call */
	GPtrArray *documents;	/* of json_t *, kept alive for the borrowed values */
	GHashTable *renamed;	/* id here -> the source's name of it */
	GHashTable *captured;	/* AWS Config: group id -> capture time (char *) */
	unsigned int found;	/* objects that documents had, repeats included */
	struct import_report *report;
	struct diag *diag; /* what makes the import fail */
};

struct import *import_new(const char *format, const struct import_options *options,
			  struct diag *diag);
void import_free(struct import **import);

/* Made when it is not there yet; never NULL. id is valid (import_id). */
struct import_group *import_group(struct import *import, const char *id);
struct import_list *import_list(struct import *import, const char *id);
struct import_interface *import_interface(struct import *import, const char *id);
struct import_list *import_list_new(const char *id);

/*
 * The source's id, spelled so that it is one here: prefix ("sg-", "pl-" or "") before it if it is
 * missing, other characters as '-', cut at 63; a change is reported. Two ids never become one. The
 * caller frees it.
 */
char *import_id(struct import *import, const char *id, const char *prefix,
		const struct import_node *node);
/* Whether it is an id of a network or interface as it is. */
bool import_is_id(const char *id);
/* The id of a rule, or NULL, with a report, when it cannot be one. */
char *import_rule_id(struct import *import, const char *id, const struct import_node *node);

struct import_rule *import_rule_new(const struct import_node *node);
void import_rule_free(struct import_rule *rule);
/*
 * Gives the rule to the group. Without a peer it allows nothing: it is freed, and reported unless
 * something was since `before` (import_report_count).
 */
void import_rule_add(struct import *import, struct import_group *group, unsigned int dir,
		     struct import_rule *rule, const char *object, unsigned int before);
/* Takes description (may be NULL) as a copy. The peer is appended to the rule, and returned. */
struct import_peer *import_rule_peer(struct import_rule *rule, enum import_peer_kind kind,
				     const char *value, const char *description);
/*
 * A CIDR, or an address, as a peer; reports host bits and what is no CIDR. NULL then. family
 * limits it (Neutron); IMPORT_ANY_FAMILY takes both.
 */
struct import_peer *import_rule_cidr(struct import *import, struct import_rule *rule,
				     const char *object, const struct import_node *node,
				     const char *description);
/* The canonical text, or NULL with a report that names object. The caller frees it. */
char *import_cidr(struct import *import, const char *object, const struct import_node *node);

void import_place_set(struct import_place *place, const struct import_node *node);
void import_set(char **field, const char *text);	  /* frees the old one */
void import_add_once(GPtrArray *texts, const char *text); /* a copy, unless it is there */
/* The member (a VPC) as the name of a network here; *field stays when there is none. */
void import_set_network(struct import *import, char **field, const struct import_node *node,
			const char *key);
/* Sets a key of a lazily made object; nothing for NULL. */
void import_set_extra(json_t **extra, const char *key, const char *text);
/* Whether names, separated by spaces, have the key. */
bool import_listed(const char *key, const char *names);
/* Reports the members that are in none of the lists (space-separated names) and say something. */
void import_unknown(struct import *import, const struct import_node *node, const char *object,
		    const char *known, const char *ignored);
/* "x-aws", of the format; the caller frees it. */
char *import_extra_key(const struct import *import);

/*
 * import_ports.c: the two numbers beside a protocol, as AWS and Terraform write them. false, with
 * a report, when they mean nothing that a rule can say: then there is no rule.
 */
bool import_protocol(struct import *import, const struct import_node *node, const char *object,
		     uint16_t *protocol);
bool import_ports(struct import *import, struct import_rule *rule, const char *object,
		  const struct import_node *from, const struct import_node *to);

/* import_device.c: names of devices, by a map or a pattern. 0, or -EINVAL with entries in diag. */
int import_devices(struct import *import);
int import_device_check(const char *pattern, char **error); /* -EINVAL and why; the caller frees */

/* import_family.c: what limits the group's rules to one family. */
void import_settle_families(struct import *import, struct import_group *group);

/* import_repeats.c: repeated permissions and ids go, what all peers share is said once. */
void import_settle_rules(struct import *import, struct import_group *group);

/* import_settle.c: references, repeats, what is missing. 0, or -EINVAL with entries in diag. */
/* apart: the VPCs will be networks of their own (import_documents). */
int import_settle(struct import *import, bool apart);

/* import_document.c */
/* One document with everything; the caller's. */
json_t *import_document(const struct import *import);
/* VPC -> document, each a network of its own; "default" holds what belongs to none. */
json_t *import_documents(const struct import *import);
