/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model.h - a policy as objects: networks, groups, rules, prefix lists, interfaces.
 *
 * load.c makes it from JSON, validate.c checks it whole, engine.c adds interfaces attached by hand,
 * compile.c reads it. A model that passed validation has no dangling reference. Everything is owned
 * by the struct that holds it; strings are UTF-8. Containers are GLib's; a GHashTable here is keyed
 * by the id of the object that it owns.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "rulesd/addr.h"
#include "rulesd/diag.h"

/* Limits of INTERFACES.md ("Limits"), checked by validate.c. */
#define MODEL_MAX_ID		      63
#define MODEL_MAX_GROUPS_OF_INTERFACE 16
#define MODEL_MAX_RULES_OF_GROUP      1000
#define MODEL_MAX_GROUPS	      10000
#define MODEL_MAX_ENTRIES_OF_LIST     10000
#define MODEL_MAX_MEMBERS	      1000000
#define MODEL_MAX_ATTACHED	      4096
#define MODEL_MAX_PEERS_OF_ADDRESS    64 /* SG_SET_PEERS */

#define MODEL_DEFAULT_NETWORK	  "default"
#define MODEL_DEFAULT_GROUP	  "sg-default"
#define MODEL_DEFAULT_EGRESS_RULE "default-egress"

enum model_peer_kind { MODEL_PEER_ANY, MODEL_PEER_CIDR, MODEL_PEER_GROUP, MODEL_PEER_PREFIX_LIST };

struct model_peer {
	enum model_peer_kind kind;
	struct cidr cidr; /* MODEL_PEER_CIDR */
	char *network; /* of the group: the rule's own one, or the one before ':' in "blue:sg-web"
			*/
	char *id;      /* "sg-…" or "pl-…" without the network */
	char *peer_id; /* "id" of the object form, or NULL */
	char *description; /* or NULL */
	struct place place;
};

/* Inclusive, host order. */
struct model_ports {
	uint16_t first;
	uint16_t last;
};

/* One protocol of a rule. A rule has one; a service may make several. */
struct model_match {
	uint16_t protocol; /* 0-255 or SG_PROTO_ALL */
	GArray *ports;	   /* of struct model_ports; tcp, udp, sctp: empty means every port. NULL
			      otherwise */
	int icmp_type;	   /* icmp, icmpv6: 0-255, or -1 for every type */
	int icmp_code;	   /* 0-255, or -1 for every code */
};

struct model_rule {
	char *id;     /* given, or derived from the canonical content ("sgr-1a2b3c4d") */
	bool derived; /* id was derived */
	bool implied; /* the default-egress rule of a group without "egress", or a rule of the
			 implied sg-default */
	enum sg_dir direction;
	char *service;	    /* name of the preset that it was written with, or NULL */
	char *description;  /* or NULL */
	GPtrArray *matches; /* of struct model_match, at least one */
	GPtrArray *peers;   /* of struct model_peer, at least one, in the order of the file */
	struct place place;
};

struct model_group {
	char *id;
	char *network;
	char *description;	   /* or NULL */
	bool external;		   /* known by name only: no rules, matches nothing */
	bool implied;		   /* sg-default that no file defines */
	GPtrArray *rules[SG_DIRS]; /* of struct model_rule by enum sg_dir, default-egress
				      materialised */
	struct place place;
};

struct model_prefix_list {
	char *id;
	char *network;
	char *description; /* or NULL */
	bool external;
	GArray *entries; /* of struct cidr, sorted, no duplicates */
	struct place place;
};

/* Seconds; 0 means not given. The interface's value, else its network's, else the default below. */
struct model_conntrack {
	uint32_t max_flows;
	uint32_t tcp_established;
	uint32_t udp;
	uint32_t udp_stream;
	uint32_t icmp;
	uint32_t other;
};
/* AWS: "Idle connection tracking timeout" (EC2 user guide). Ranges: tcp_established 60-432000, udp
 * 30-60, udp_stream 60-180; icmp and other 1-86400 (ours). max_flows 1-1048576. */
#define MODEL_DEFAULT_MAX_FLOWS	      16384
#define MODEL_DEFAULT_TCP_ESTABLISHED 432000
#define MODEL_DEFAULT_UDP	      30
#define MODEL_DEFAULT_UDP_STREAM      180
#define MODEL_DEFAULT_ICMP	      30
#define MODEL_DEFAULT_OTHER	      600

enum model_hook { MODEL_HOOK_AUTO, MODEL_HOOK_XDP, MODEL_HOOK_TCX, MODEL_HOOK_TC };

struct model_interface {
	char *id;
	char *network;
	char *description; /* or NULL */
	char *device;	   /* or NULL: a member only */
	char *host;	   /* or NULL: whichever host has the device */
	bool has_mac;
	uint8_t mac[6];
	GArray *addresses; /* of struct sg_addr */
	GArray *allowed;   /* of struct cidr: allowed_addresses */
	GPtrArray *groups; /* of char *, in the order of the file; sg-default when the key is
			      missing */
	bool spoof_guard;
	GArray *vlans; /* of uint16_t, 1-4094, sorted */
	enum model_hook hook;
	struct model_conntrack conntrack;
	bool attached; /* by hand (sgctl attach, PUT /v1/interfaces), not from a policy file */
	struct place place;
};

/* An endpoint that no group filters: what VMs of the network send to it, and the replies. */
struct model_exempt {
	struct sg_addr address;
	uint16_t protocol; /* tcp, udp, sctp with ports; any protocol without */
	GArray *ports;	   /* of struct model_ports, or NULL: everything of that protocol */
	struct place place;
};

struct model_network {
	char *name;
	char *description;		  /* or NULL */
	GHashTable *groups;		  /* of struct model_group */
	GHashTable *prefix_lists;	  /* of struct model_prefix_list */
	GHashTable *interfaces;		  /* of struct model_interface */
	GPtrArray *exempt;		  /* of struct model_exempt */
	GPtrArray *peers;		  /* of char *: networks whose groups may be referenced */
	struct model_conntrack conntrack; /* defaults of its interfaces */
	struct place place;
};

struct model {
	GHashTable *networks; /* of struct model_network; "default" always exists */
};

struct model *model_new(void); /* the empty policy: network "default" with an implied sg-default */
void model_free(struct model **model);

/* Finders; NULL when there is none. They do not transfer ownership. */
struct model_network *model_network(const struct model *model, const char *name);
struct model_group *model_group(const struct model *model, const char *network, const char *id);
struct model_prefix_list *model_prefix_list(const struct model *model, const char *network,
					    const char *id);
/* Interface ids are unique in the whole policy, across networks. */
struct model_interface *model_interface(const struct model *model, const char *id);

/* Objects without content, every container made, ready to be filled and given to their owner. */
struct model_network *model_network_new(const char *name);
struct model_group *model_group_new(const char *network, const char *id);
struct model_rule *model_rule_new(enum sg_dir direction);
struct model_match *model_match_new(uint16_t protocol);
struct model_interface *model_interface_new(const char *network, const char *id);
/* The rule of a group without "egress": every protocol to any, "default-egress". */
struct model_rule *model_default_egress_new(void);
/* The implied sg-default: in from itself, out to everywhere. */
struct model_group *model_default_group_new(const char *network);
struct model_peer *model_peer_new(enum model_peer_kind kind);
struct model_prefix_list *model_prefix_list_new(const char *network, const char *id);
void model_network_free(struct model_network *network);
void model_group_free(struct model_group *group);
void model_rule_free(struct model_rule *rule);
void model_match_free(struct model_match *match);
void model_peer_free(struct model_peer *peer);
void model_prefix_list_free(struct model_prefix_list *list);
void model_interface_free(struct model_interface *iface);
/* A deep copy of an interface, so that the engine can put one into a candidate model. */
struct model_interface *model_interface_copy(const struct model_interface *iface);

/*
 * The id of a rule that was written without one: "sgr-" and 8 hex digits of SHA-256 over direction,
 * protocol, ports, ICMP and sorted peers, whatever way they were written. network is that of the
 * rule's group. The caller frees it, and appends "-2", "-3" to repeats.
 */
char *model_rule_content_id(const struct model_rule *rule, const char *network);
/* Sorts by first port and joins what overlaps or touches; every port is no interval at all. */
void model_ports_merge(GArray *ports);

/* What holds for an interface after its network's and the built-in defaults; never 0 in any field.
 */
struct model_conntrack model_effective_conntrack(const struct model *model,
						 const struct model_interface *iface);
