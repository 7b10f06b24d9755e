/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model.h - a policy as objects: networks, groups, rules, prefix lists, interfaces.
 *
 * load.c makes it from JSON, validate.c checks it whole, engine.c adds interfaces attached by hand,
 * compile.c reads it. A model that passed validation has no dangling reference. Everything is owned
 * by the struct that holds it; strings are UTF-8. Containers are GLib's; a GHashTable here is keyed
 * by the id of the object that it owns. "remarks" is a sum over what may stand in an object and
 * means nothing (labels, "x-..." and "$schema", in the object and below it; 0 without any): equal
 * objects have equal ones. There may be a million interfaces and no more than some
 * thousands of anything else: an interface is one allocation of about 100 bytes, does not change
 * once it is made, and shares its list of groups; the model keeps indexes of them.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "rulesd/addr.h"
#include "rulesd/diag.h"
#include "rulesd/hash_index.h"

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

/* A service that the policy defines; rules that use it have copies of its matches. */
struct model_service {
	char *name;
	GPtrArray *matches; /* of struct model_match */
	uint32_t remarks;
	struct place place;
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
	uint32_t remarks;
	struct place place;
};

struct model_prefix_list {
	char *id;
	char *network;
	char *description; /* or NULL */
	bool external;
	GArray *entries; /* of struct cidr, sorted, no duplicates */
	uint32_t remarks;
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

/*
 * Group ids as an interface carries them, in the order of the file ("" where one could not be
 * read). Shared by all interfaces of the process that carry the same ones, with a count of
 * references: two lists are the same if and only if their pointers are equal.
 */
struct model_groups {
	uint32_t references; /* atomic */
	uint32_t count;
	const char *ids[];
};

/* What most interfaces that are only members do not have; shared by all that have nothing. */
struct model_settings {
	const char *description; /* or NULL */
	/* A name, or what the device is found by: "alias:TEXT", "mac:52:54:00:00:00:01" (links.h).
	 * NULL: a member only. */
	const char *device;
	const char *host; /* or NULL: whichever host has the device */
	bool has_mac;
	bool spoof_guard;
	uint8_t mac[6];
	enum model_hook hook;
	struct model_conntrack conntrack;
	const struct cidr *allowed; /* allowed_addresses */
	const uint16_t *vlans;	    /* 1-4094, sorted, no duplicates */
	uint32_t allowed_count;
	uint32_t vlan_count;
	uint32_t remarks;
};

/* Does not change once it is made; to change one, make another and replace it. */
struct model_interface {
	const char *id;
	const char *network;		       /* its name, shared */
	const struct model_groups *groups;     /* sg-default when the key is missing */
	const struct model_settings *settings; /* never NULL */
	struct place place;
	uint32_t position;     /* in the interfaces of its network */
	uint32_t attached : 1; /* by hand (sgctl attach, PUT /v1/interfaces), not from a policy
				* file */
	uint32_t address_count : 31;
	struct sg_addr addresses[]; /* the id stands behind them */
};

/* What an interface is made of; borrowed. Start from MODEL_INTERFACE_SPEC. */
struct model_interface_spec {
	const char *id;
	const char *network;
	const char *const *groups; /* ids */
	const struct sg_addr *addresses;
	uint32_t group_count;
	uint32_t address_count;
	bool attached;
	struct place place;
	struct model_settings settings;
};
#define MODEL_INTERFACE_SPEC                                                   \
	{                                                                      \
		.settings.spoof_guard = true, .settings.hook = MODEL_HOOK_AUTO \
	}

/* An endpoint that no group filters: what VMs of the network send to it, and the replies. */
struct model_exempt {
	struct sg_addr address;
	uint16_t protocol; /* tcp, udp, sctp with ports; any protocol without */
	GArray *ports;	   /* of struct model_ports, or NULL: everything of that protocol */
	struct place place;
};

struct model_network {
	const char *name;		  /* shared with its interfaces */
	char *description;		  /* or NULL */
	GHashTable *groups;		  /* of struct model_group */
	GHashTable *prefix_lists;	  /* of struct model_prefix_list */
	GPtrArray *interfaces;		  /* of struct model_interface, in any order; only
					   * model_add_interface and model_remove_interface change it */
	GPtrArray *exempt;		  /* of struct model_exempt */
	GPtrArray *peers;		  /* of char *: networks whose groups may be referenced */
	struct model_conntrack conntrack; /* defaults of its interfaces */
	uint32_t remarks;
	struct place place;

	/* Indexes of model_index.c. */
	struct hash_index by_address; /* interfaces under each of their addresses */
	GHashTable *carried;	      /* struct model_groups -> guint, interfaces that carry it */
	uint32_t members;	      /* addresses of interfaces */
	uint32_t repeated;	      /* of them, those that another one keeps out of by_address */
	bool stale;		      /* by_address may lack one that was kept out */
};

struct model {
	GHashTable *networks; /* of struct model_network; "default" always exists */
	GHashTable *services; /* of struct model_service, by name */

	/* Indexes of model_index.c, over all networks. */
	struct hash_index by_id;     /* interfaces */
	struct hash_index by_device; /* interfaces under their device and host */
	GHashTable *devices;	     /* name -> GUINT_TO_POINTER(interfaces that attach it) */
	GHashTable *hosts; /* name -> GUINT_TO_POINTER(interfaces that only it attaches) */
	uint32_t interfaces;
	uint32_t hostless;	   /* interfaces with a device that any host may attach */
	uint32_t repeated_ids;	   /* interfaces that another one keeps out of by_id */
	uint32_t repeated_devices; /* that had another one's device when they came */
	bool stale;		   /* by_id or by_device may lack one that was kept out */
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
/* The interface of the network that has the address. */
struct model_interface *model_interface_at(const struct model_network *network,
					   const struct sg_addr *addr);
/* The interface that attaches the device on that host: its own, or one that any host may attach. */
struct model_interface *model_interface_of_device(const struct model *model, const char *device,
						  const char *host);
/* Number of interfaces that attach a device on the host with the most of them (at least the ones
 * without "host"). */
uint32_t model_most_devices(const struct model *model);

/*
 * Interfaces of a model, and of its indexes. add takes the interface, whose network must exist. A
 * model may hold what validate.c refuses: the same address, device or, in another network, id
 * twice; finders then give the one that came first. remove gives it back to the caller. Before
 * many are added, reserve makes room at once.
 */
void model_add_interface(struct model *model, struct model_interface *iface);
/* The same for one of that network, unless there is one with its id, which is then returned. */
const struct model_interface *model_try_interface(struct model *model,
						  struct model_network *network,
						  struct model_interface *iface);
/* The same for many, one after the other: first[i] is what model_try_interface returns for the
 * one at i. Their places in the indexes are looked up on several CPUs. */
void model_try_interfaces(struct model *model, struct model_network *network,
			  struct model_interface *const *ifaces,
			  const struct model_interface **first, uint32_t count);
void model_remove_interface(struct model *model, struct model_interface *iface);
/* Makes the indexes right at once, if they are stale, and not when the next one is added. */
void model_settle_interfaces(struct model *model);
/* Those of a network by id; the caller frees the array. */
GPtrArray *model_sorted_interfaces(const struct model_network *network);
void model_reserve_interfaces(struct model *model, struct model_network *network, uint32_t more);
/* False when no id, device or address is there twice; true when that is not certain. */
bool model_may_repeat(const struct model *model);

/* Objects without content, every container made, ready to be filled and given to their owner. */
struct model_network *model_network_new(const char *name);
/* The network of that name, made when the model has none. */
struct model_network *model_network_ensure(struct model *model, const char *name);
/* Takes the network, or gives it to the caller. */
void model_add_network(struct model *model, struct model_network *network);
void model_remove_network(struct model *model, struct model_network *network);
/* Description, exempt, peers, conntrack, remarks and place. */
void model_swap_settings(struct model_network *a, struct model_network *b);
struct model_service *model_service_new(const char *name);
void model_service_free(struct model_service *service);
struct model_group *model_group_new(const char *network, const char *id);
struct model_group *model_group_copy(const struct model_group *group);
struct model_rule *model_rule_new(enum sg_dir direction);
struct model_match *model_match_new(uint16_t protocol);
struct model_match *model_match_copy(const struct model_match *match);
/* Copies what spec says; never NULL. Addresses that are all zero (unreadable) are in no index. */
struct model_interface *model_interface_new(const struct model_interface_spec *spec);
/* The same with the name of that network and a list that is there already; spec has neither. */
struct model_interface *model_interface_new_shared(const struct model_interface_spec *spec,
						   const struct model_network *network,
						   const struct model_groups *groups);
/* What an interface was made of, so that another can be made that differs; borrowed from it. */
struct model_interface_spec model_interface_spec(const struct model_interface *iface);
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
/* One of its own that says the same, for another model. */
struct model_interface *model_interface_copy(const struct model_interface *iface);
/* The list with these ids, a reference that the caller owns; and giving references back. */
const struct model_groups *model_groups_get(const char *const *ids, uint32_t count);
const struct model_groups *model_groups_ref(const struct model_groups *groups);
void model_groups_unref(const struct model_groups *groups);
bool model_groups_have(const struct model_groups *groups, const char *id);

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
