/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * abi.h - everything that the BPF programs and user space share: map names, keys, values, limits,
 * verdict reasons.
 *
 * It is the only header that both sides include. Words used throughout:
 *
 *   slot        persistent number of an attached interface, 1..SG_MAX_SLOTS; keys flows, so that an
 * ifindex, which its creator may choose and which repeats, never is the only key of state zone
 * number of a network (an address space) peer        number of what a rule may name as the other
 * side: any, a group, a CIDR, a prefix list; never reused rule        number of a rule; never
 * reused set         number of a list of peers: what an address stands for policy      number of
 * the compiled rules of one distinct list of groups; never reused; its entries have
 * versions
 *   generation  one u64; a packet reads it once and sees every versioned entry as of that moment
 *
 * Addresses are 16 bytes in network order, IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2); ports are in
 * network order where the type says __be16. All structs are padded explicitly, and pads are zero in
 * keys. The file is long because it is one contract: what changes together stands together.
 */
#pragma once

#include <linux/types.h>

#define SG_ABI_VERSION 3u

/* ------------------------------------------------------------------ limits */

#define SG_MAX_SLOTS	   4096u  /* attached interfaces; slot 0 is never used */
#define SG_MAX_IFINDEX	   65536u /* interfaces above it are found through a hash */
#define SG_SET_PEERS	   64u	  /* peers that one address can have */
#define SG_MAX_SETS	   262144u
#define SG_MAX_MEMBERS	   1048576u /* addresses x zones */
#define SG_HINT_BUCKETS	   262144u  /* 64 bytes each */
#define SG_HINTS	   5u	    /* members in one */
#define SG_MAX_PREFIXES	   1048576u
#define SG_MAX_POLICY_KEYS 2097152u
#define SG_MAX_INTERVALS   4194304u /* 8 bytes each */
#define SG_MAX_OUTLINES	   8192u    /* policies with one; 0 is never used */
#define SG_MAX_GUARDS	   131072u  /* own and allowed addresses of attached interfaces */
#define SG_MAX_VLANS	   65536u
#define SG_MAX_RULES	   1048576u
#define SG_MAX_PEERS_GONE  1048576u
#define SG_HALF_FLOWS	   1024u  /* half-open and one-way flows an interface may have at once */
#define SG_HALF_IN_PLACE   512u	  /* of them in the shard from the start: conntrack.bpf.h ... */
#define SG_IN_PLACE_FLOWS  8192u  /* ... of interfaces that may have at least so many flows */
#define SG_SHARD_FLOWS	   65536u /* confirmed flows of a shard: one pass of the collector */
/* Room beside them for the half-open ones of all the interfaces of a shard. */
#define SG_SHARD_HALF (SG_SHARD_FLOWS / SG_IN_PLACE_FLOWS * SG_HALF_IN_PLACE)
#define SG_MAX_SHARDS 4096u
#define SG_MAX_FRAGMENTS                                                                        \
	65536u		       /* datagrams whose fragments are on their way, of the whole host \
				*/
#define SG_SLOT_FRAGMENTS 512u /* of one interface */
#define SG_EVENTS_BYTES	  (1u << 20)

/* ------------------------------------------------------------------ names of maps, also the names
 * of their pins */

#define SG_MAP_CONTROL "sg_control" /* ARRAY 1, mmap: struct sg_control */
#define SG_MAP_IFINDEX "sg_ifindex" /* ARRAY: ifindex -> __u32 slot, 0 = none */
#define SG_MAP_IFHIGH  "sg_ifhigh"  /* HASH: ifindex >= SG_MAX_IFINDEX -> __u32 slot */
#define SG_MAP_IFACES  "sg_ifaces"  /* ARRAY, mmap: slot -> struct sg_iface */
#define SG_MAP_SLOTS   "sg_slots"   /* ARRAY, mmap: slot -> struct sg_slot */
#define SG_MAP_STATS   "sg_stats"   /* PERCPU_ARRAY: slot -> struct sg_stats */
#define SG_MAP_GUARD \
	"sg_guard" /* LPM_TRIE: struct sg_guard_key -> struct sg_version of enum sg_guard_bits */
#define SG_MAP_VLANS   "sg_vlans"   /* HASH: struct sg_vlan_key -> struct sg_version of 0 or 1 */
#define SG_MAP_MEMBERS "sg_members" /* HASH: struct sg_member_key -> struct sg_version of a set */
#define SG_MAP_HINTS   "sg_hints"   /* ARRAY, mmap: SG_HINT_BUCKET() -> struct sg_hints */
#define SG_MAP_PREFIXES \
	"sg_prefixes" /* LPM_TRIE: struct sg_prefix_key -> struct sg_version of a set */
#define SG_MAP_SETS	 "sg_sets"	/* HASH: __u32 set -> struct sg_set */
#define SG_MAP_POLICY	 "sg_policy"	/* HASH: struct sg_policy_key -> struct sg_policy_ports */
#define SG_MAP_INTERVALS "sg_intervals" /* ARRAY: struct sg_interval */
#define SG_MAP_OUTLINES	 "sg_outlines"	/* ARRAY: struct sg_outline */
#define SG_MAP_PEERGONE \
	"sg_peergone" /* HASH: __u32 peer -> __u64 generation of its last shrinking */
#define SG_MAP_HALF \
	"sg_half" /* ARRAY_OF_MAPS: slot -> LRU_HASH struct sg_flow_key -> struct sg_flow */
#define SG_MAP_FLOWS \
	"sg_flows" /* ARRAY_OF_MAPS: shard -> ARRAY, mmap: struct sg_bucket; see bucket.h */
#define SG_MAP_RULES \
	"sg_rules" /* HASH: __u32 rule -> struct sg_rule_stats; entries made by rulesd */
#define SG_MAP_FRAGS  "sg_frags"  /* HASH: struct sg_frag_key -> struct sg_frag */
#define SG_MAP_EVENTS "sg_events" /* RINGBUF: struct sg_event */
#define SG_MAP_COLLECT \
	"sg_collect" /* ARRAY 1: struct sg_collect, argument and result of the collector */

/* ------------------------------------------------------------------ small types */

/* Direction as the VM sees it, as in every security group. */
enum sg_dir {
	SG_EGRESS = 0,	/* what the VM sends */
	SG_INGRESS = 1, /* what the VM is sent */
	SG_DIRS = 2,
};

/* Protocol numbers that the programs know (IANA); user space has them from <netinet/in.h> too. */
enum sg_proto {
	SG_IPPROTO_HOPOPTS = 0,
	SG_IPPROTO_ICMP = 1,
	SG_IPPROTO_TCP = 6,
	SG_IPPROTO_UDP = 17,
	SG_IPPROTO_ROUTING = 43,
	SG_IPPROTO_FRAGMENT = 44,
	SG_IPPROTO_AH = 51,
	SG_IPPROTO_ICMPV6 = 58,
	SG_IPPROTO_DSTOPTS = 60,
	SG_IPPROTO_SCTP = 132,
	SG_IPPROTO_HIP = 139,
	SG_IPPROTO_SHIM6 = 140,
};

/* A protocol number of RFC 790's registry (0-255), or this: every protocol. */
#define SG_PROTO_ALL 256u

struct sg_addr {
	union {
		__u8 b[16];
		__be32 w[4];
		__u64 q[2];
	};
} __attribute__((aligned(8)));

/* A number as of two generations: the new one from epoch on, the old one before. 0 means none. */
struct sg_version {
	__u64 epoch;
	__u32 before;
	__u32 after;
};

/* ------------------------------------------------------------------ control and interfaces */

enum sg_control_flags {
	SG_EVENT_DROPS = 1u << 0, /* report drops into the ring buffer */
	SG_EVENT_FLOWS = 1u << 1, /* report new flows into the ring buffer */
};

/*
 * The writer of a change stores, in this order: entries with epoch = generation + 1,
 * sg_iface.removed_at and sg_peergone = generation + 1, last_removal = generation + 1, and then
 * generation.
 */
struct sg_control {
	__u64 generation;
	__u64 last_removal; /* highest generation that took anything away anywhere: younger flows
			       need no look */
	__u32 flags;	    /* enum sg_control_flags */
	__u32 abi;	    /* SG_ABI_VERSION of whoever created the maps */
	__u64 hash[4]; /* secret odd multipliers of the flow table's hash: bucket.h; set once, with
			  abi */
	__u64 pad;
};

enum sg_iface_flags {
	SG_IF_SPOOF_GUARD = 1u << 0, /* judge source and destination addresses, ARP, ND, DHCP, RA */
	SG_IF_CHECK_MAC = 1u << 1,   /* the source MAC must be mac (only with SG_IF_SPOOF_GUARD) */
	SG_IF_VLANS = 1u << 2,	     /* sg_vlans has entries; otherwise every tagged frame drops */
	SG_IF_GUARDS = 1u << 3,	     /* sg_guard has more of it than addr4 and addr6 */
};

/* What a compiled policy contains in one direction; lets the evaluation skip lookups that cannot
 * hit. */
enum sg_has_bits {
	SG_HAS_ANY = 1u << 0,	 /* rules with the peer any */
	SG_HAS_GROUP = 1u << 1,	 /* rules with a group as peer */
	SG_HAS_PREFIX = 1u << 2, /* rules with a CIDR or a prefix list as peer */
	SG_HAS_ALL = 1u << 3,	 /* rules for every protocol */
	SG_HAS_EXEMPT = 1u << 4, /* exempt endpoints of the network, under SG_DIR_EXEMPT */
};

/* Idle timeouts, in jiffies of the running kernel (rulesd converts seconds). */
enum sg_timeout {
	SG_TIMEOUT_TCP_ESTABLISHED, /* conntrack.tcp_established */
	SG_TIMEOUT_TCP_HALF,	    /* handshake not finished */
	SG_TIMEOUT_TCP_CLOSING,	    /* a FIN was seen, or TIME_WAIT */
	SG_TIMEOUT_TCP_CLOSED,	    /* after a RST */
	SG_TIMEOUT_UDP,		    /* conntrack.udp: one way only so far */
	SG_TIMEOUT_UDP_STREAM,	    /* conntrack.udp_stream: both ways */
	SG_TIMEOUT_ICMP,	    /* conntrack.icmp */
	SG_TIMEOUT_OTHER,	    /* conntrack.other */
	SG_TIMEOUT_FRAGMENT, /* a datagram whose first fragment passed: 30 s (RFC 1122, 3.3.2;
				Linux) */
	SG_TIMEOUTS,
};

struct sg_iface_conf {
	__u32 policy;	   /* compiled policy; 0 drops everything that is not always allowed */
	__u32 outline;	   /* sg_outlines index of the policy's, 0 when it has none */
	__u32 flags;	   /* enum sg_iface_flags */
	__u32 max_flows;   /* confirmed flows it may have */
	__u32 shard;	   /* sg_flows index that its confirmed flows live in */
	__u8 has[SG_DIRS]; /* enum sg_has_bits by direction */
	__u8 mac[6];
	__u32 zone;	      /* network of its addresses and peers */
	struct sg_addr addr4; /* first own IPv4 address, zero when none: spares the trie on the
				 common path */
	struct sg_addr addr6; /* first own IPv6 address, likewise */
	__u32 timeout[SG_TIMEOUTS];
	__u32 buckets; /* of its shard */
};

/*
 * Two versions side by side. The one with the higher since that is <= generation holds; SG_NEVER
 * marks an unused one. The writer sets since = SG_NEVER on the version that does not hold, waits
 * for an RCU grace period if that version has held within the last one, writes the content, then
 * since. The array is mapped, so these are ordered stores.
 */
#define SG_NEVER (~0ULL)

struct sg_iface {
	__u32 ifindex; /* of the device; a packet that arrives with another one drops (no_interface)
			*/
	__u32 slot;
	__u64 since[2];
	__u64 removed_at;  /* flows with an older stamp are evaluated again; monotone */
	__u64 adopt_until; /* jiffies: until then TCP segments without a flow may open one, if rules
			      allow it */
	__u64 keep_until;  /* flows with this stamp or an older one are exempt from that (--existing
			      keep); monotone */
	struct sg_iface_conf conf[2];
};

/* Counters of a slot that must be exact; changed by atomic instructions only. clean_from is
 * rulesd's. */
struct sg_slot {
	__u32 flows; /* confirmed flows in the table now */
	__u32 frags; /* datagrams in sg_frags now */
	__u32 half;  /* flows in the table that are not confirmed yet */
	__u32 lru;   /* inserts into its LRU since the collector last found that empty */
	__u64 allowance_exceeded; /* new flows refused because max_flows was reached */
	__u64 clean_from;	  /* jiffies: from then on no flow of it is one that the outline of
				     its policy does not admit; SG_NEVER: not known */
};

/* ------------------------------------------------------------------ guard */

enum sg_guard_bits {
	SG_GUARD_OWN = 1u << 0,	    /* one of the interface's addresses */
	SG_GUARD_ALLOWED = 1u << 1, /* inside one of its allowed_addresses */
	SG_GUARD_HOLE = 1u << 2, /* neither: keeps ::/0 in allowed_addresses from matching IPv4 */
};

/* prefixlen counts slot (32 bits) and address (IPv4: 96 + length). The longest match alone decides.
 */
struct sg_guard_key {
	__u32 prefixlen;
	__u32 slot;
	__u8 addr[16];
};

struct sg_vlan_key {
	__u16 slot;
	__u16 vid; /* host order, 0-4095 */
};

/* ------------------------------------------------------------------ who is the other side */

struct sg_member_key {
	struct sg_addr addr;
	__u32 zone;
	__u32 pad;
};

/*
 * What IPv4 members stand for, as long as nothing changes: one cache line instead of the three or
 * four of a hash of a million. Whoever is not in here is looked for in sg_members, which has all of
 * them; who is there with an epoch that some packet may not have read is never in here.
 *
 * The writer stores a set of 0 before it writes the member, and never another one over one that is
 * not 0. To give a place to somebody else it stores set 0, who, set, in this order; a reader that
 * finds a set looks at who once more.
 */
struct sg_hints {
	__u64 who[SG_HINTS]; /* SG_HINT_WHO() */
	__u32 set[SG_HINTS]; /* 0: nobody */
	__u32 spilled;	     /* some of this bucket are in the next one, SG_HINT_NEXT() */
};
#define SG_HINT_WHO(zone, v4) ((__u64)(zone) << 32 | (v4)) /* v4 in network order */
#define SG_HINT_BUCKET(who)   ((__u32)((who)*0x9e3779b97f4a7c15ULL >> 40) & (SG_HINT_BUCKETS - 1))
#define SG_HINT_NEXT(bucket) \
	((bucket) ^ 1u) /* the other half of two lines that are read together */

/* prefixlen counts space (32 bits) and address (IPv4: 96 + length); space keeps ::/0 from matching
 * IPv4. */
struct sg_prefix_key {
	__u32 prefixlen;
	__u32 space; /* SG_SPACE(zone, is_ipv6) */
	__u8 addr[16];
};
#define SG_SPACE(zone, is_ipv6) ((zone) << 1 | ((is_ipv6) ? 1u : 0u))

/* A set number with this bit is itself the one peer of the set: the usual case needs no lookup. */
#define SG_SET_SINGLE 0x80000000u

struct sg_set {
	__u32 count; /* 1..SG_SET_PEERS */
	__u32 peers[SG_SET_PEERS];
};

#define SG_PEER_ANY 1u /* every address of both families; other peers are numbered from 2 */

/* ------------------------------------------------------------------ rules */

struct sg_policy_key {
	__u32 policy;
	__u32 peer;
	__u16 proto; /* 0-255 or SG_PROTO_ALL */
	__u8 dir;    /* enum sg_dir */
	__u8 pad;    /* 0; SG_PORTS_TAG() of what held before */
};

/*
 * Destination ports (tcp, udp, sctp), type << 8 | code (icmp, icmpv6), 0-65535 for every other
 * protocol and for SG_PROTO_ALL. Both ends included, host order. The intervals of one key are
 * sorted and disjoint.
 */
struct sg_interval {
	__u16 first;
	__u16 last;
	__u32 rule;
};

struct sg_policy_ports {
	__u32 count; /* 1: in one; more: sg_intervals[start .. start + count) */
	__u32 start;
	struct sg_interval one; /* the first one */
};

/*
 * While a packet may need what an entry said before, it has two versions, as others have: count has
 * SG_PORTS_SINCE, and it holds from the generation whose low 32 bits are in start (soon after,
 * rulesd writes it as others are, so they will do); its intervals are in one, or, but for exactly
 * one of them, from one.rule on. What held before has the same key but for the pad, which is
 * SG_PORTS_TAG(); there is none when it allowed nothing.
 *
 * An entry that programs may look up is neither replaced nor deleted: a lookup beside that may miss
 * it, or see what its memory is used for next (hash tables without preallocation give memory back
 * at once). It is changed by two stores of 8 bytes (store.bpf.c), and stays, with count 0, when its
 * policy has no such rule any more. Who reads it reads the first 8 bytes, the others, and the first
 * ones again.
 */
#define SG_PORTS_SINCE			 0x80000000u
#define SG_PORTS_TAGS			 127u /* 1..SG_PORTS_TAGS */
#define SG_PORTS_TAG(count)		 ((count) >> 24 & SG_PORTS_TAGS)
#define SG_PORTS_COUNT(count)		 ((count)&0xffffffu)
#define SG_PORTS_HOLD(epoch, generation) ((__s32)((__u32)(generation) - (__u32)(epoch)) >= 0)

/* Argument of sg_policy_store, the program that changes an entry; it returns enum
 * sg_policy_stored. */
struct sg_policy_store {
	struct sg_policy_key key;
	__u32 flags;	/* enum sg_policy_store_flags */
	__u64 expected; /* the first 8 bytes, with SG_STORE_IF */
	struct sg_policy_ports value;
};
enum sg_policy_store_flags {
	SG_STORE_IF = 1u << 0,	      /* only if its first 8 bytes are these */
	SG_STORE_ONE_FIRST = 1u << 1, /* member one before the others: nobody reads it now */
};
enum sg_policy_stored { SG_STORED, SG_STORE_MISSING, SG_STORE_DIFFERS };

/*
 * What a policy may allow at all: where it says no, no rule allows it, whoever the other side is;
 * where it says yes, the rules are asked. Ports (struct sg_interval) are found by their high and by
 * their low byte, so it is exact for single ports apart and for ranges of whole 256s, and says yes
 * too often for others.
 *
 * Written before anything refers to it; says yes to more, never to less, than any version of the
 * policy that a packet may read. A reader whose
 * policy is not the one in it does without.
 */
enum sg_outline_ports {
	SG_OUTLINE_TCP,
	SG_OUTLINE_UDP,
	SG_OUTLINE_OTHER, /* protocols says which */
	SG_OUTLINE_PORTS,
};

enum sg_outline_peers {
	SG_OUTLINE_ANY,	   /* rules with the peer any */
	SG_OUTLINE_OTHERS, /* rules with other peers; of SG_EGRESS also exempt endpoints */
	SG_OUTLINE_PEERS,
};

struct sg_outline_set {
	__u64 high[4]; /* bit port >> 8 */
	__u64 low[4];  /* bit port & 255 */
};

struct sg_outline_part {
	__u64 protocols[4]; /* bit protocol, of SG_OUTLINE_OTHER */
	struct sg_outline_set ports[SG_OUTLINE_PORTS];
};

struct sg_outline {
	__u32 policy; /* whose it is; 0: nobody's */
	__u32 pad;
	struct sg_outline_part part[SG_DIRS][SG_OUTLINE_PEERS];
};

/* key.dir of exempt endpoints: asked before every rule of SG_EGRESS, so that no group decides about
 * them. */
#define SG_DIR_EXEMPT SG_DIRS

/* Rule numbers with this bit are exempt endpoints of a network: allowed, but by no rule. */
#define SG_RULE_EXEMPT 0x80000000u

/* ------------------------------------------------------------------ flows */

/*
 * From the VM's point of view, so that both directions find the same entry. For ICMP queries lport
 * is the identifier and rport says which query and who asked: SG_ICMP_FLOW(), so that a request in
 * the reverse direction is never a reply (CVE-2024-6640). Protocols without ports: both zero.
 */
struct sg_flow_key {
	struct sg_addr local; /* the VM's side */
	struct sg_addr remote;
	__be16 lport;
	__be16 rport;
	__u16 slot;
	__u8 proto;
	__u8 pad;
};
#define SG_ICMP_FLOW(request_type, opener) ((__u16)((request_type) << 8 | (opener)))

enum sg_tcp_state {
	SG_TCP_NONE, /* not TCP: see sg_flow.flags */
	SG_TCP_SYN_SENT,
	SG_TCP_SYN_RECV,
	SG_TCP_ESTABLISHED,
	SG_TCP_FIN_WAIT,   /* one side sent FIN */
	SG_TCP_CLOSE_WAIT, /* and it was acknowledged */
	SG_TCP_LAST_ACK,   /* both sides sent FIN */
	SG_TCP_TIME_WAIT,
	SG_TCP_CLOSED, /* RST: only a SYN opens it again */
	SG_TCP_STATES,
};

/* The same byte for SCTP; the numbers do not meet. */
enum sg_sctp_state {
	SG_SCTP_COOKIE_WAIT = 16,
	SG_SCTP_COOKIE_ECHOED,
	SG_SCTP_ESTABLISHED,
	SG_SCTP_SHUTDOWN_SENT,
	SG_SCTP_CLOSED, /* ABORT or SHUTDOWN COMPLETE: only an INIT opens it again */
};

enum sg_flow_flags {
	SG_FLOW_REPLIED = 1u << 0, /* the side that did not open has answered */
	SG_FLOW_DEAD = 1u << 1, /* the collector owns it: it is deleted now, nobody may revive it */
	SG_FLOW_EXEMPT = 1u << 2, /* opened to an exempt endpoint */
	SG_FLOW_HALF = 1u << 3,	  /* in a shard, but not confirmed yet: counted in sg_slot.half */
};

/*
 * One direction's half: written only by packets of that direction, so plain aligned stores do. What
 * a side's window allows the other to send is kept in the half of the side that advertised it
 * (nf_conntrack keeps it in the other half, which is not safe without its lock).
 */
struct sg_flow_half {
	__u32 end;    /* highest sequence number + length sent */
	__u32 maxend; /* highest acknowledgement + window sent: how far the other side may send */
	__u32 maxwin; /* largest window advertised, scaled; 0: nothing sent yet */
	__u32 maxack; /* highest acknowledgement sent; before the first one: the initial sequence
			 number */
	__u32 seen;   /* low 32 bits of jiffies at its last packet */
	__u8 scale;   /* window shift of its SYN */
	__u8 flags;   /* enum sg_half_flags */
	__u16 pad;
	__u64 packets;
	__u64 bytes; /* of frames, Ethernet header included */
};

enum sg_half_flags {
	SG_HALF_SCALES =
		1u << 0, /* its SYN had a window scale option: both must for either to count */
	SG_HALF_ACKED = 1u << 1,   /* maxack and maxend hold */
	SG_HALF_FIN = 1u << 2,	   /* it has sent FIN; end counts it */
	SG_HALF_ADOPTED = 1u << 3, /* its handshake was not seen: windows are not judged */
};

struct sg_flow {
	__u64 stamp;   /* generation under which it was last found allowed */
	__u64 created; /* jiffies */
	__u32 rule;    /* witness: the rule ... */
	__u32 peer;    /* ... and the peer that allowed it */
	__u32 state;   /* enum sg_tcp_state in the low byte, enum sg_flow_flags << 8; moves by
			  compare-and-exchange */
	__u8 opener;   /* enum sg_dir of the packet that opened it */
	__u8 pad;
	__u16 use; /* which use of its cell: SG_TAG_USES of the cell's word; 0 in an LRU. With
		      state one word of 8 bytes, sg_flow_head() */
	struct sg_flow_half half[SG_DIRS]; /* by enum sg_dir */
};

/* A flow's place in a shard. */
struct sg_cell {
	struct sg_flow_key key;
	struct sg_flow flow;
};

/*
 * What a lookup reads first: of each cell a word with its status, 14 bits of the hash of its key
 * (SG_TAG_GONE: of the jiffies when it was given up), and how often it was used in the low 16 bits,
 * so that a compare-and-exchange which comes late fails.
 */
enum sg_tag_status {
	SG_TAG_FREE = 0,
	SG_TAG_BUSY = 1, /* somebody writes key and flow */
	SG_TAG_LIVE = 2,
	SG_TAG_GONE = 3, /* rests for SG_TAG_REST, because somebody may still be at it */
};
#define SG_BUCKET_CELLS 15u
#define SG_BUCKET_FLOWS                                                                            \
	8u		    /* that a shard has room for, a bucket: the rest keeps both buckets of \
			       a flow from being full */
#define SG_BUCKET_FULL 10u  /* from so many on, the second bucket is looked at too */
#define SG_TAG_REST    256u /* jiffies */

struct sg_bucket {
	__u32 tags[SG_BUCKET_CELLS];
	__u32 overflowed; /* not 0: a flow that has this one first was put into its second one */
	struct sg_cell cells[SG_BUCKET_CELLS];
	__u8 pad[24];
};

#define SG_FLOW_STATE(word) ((word)&0xffu)
#define SG_FLOW_FLAGS(word) ((word) >> 8)

/* A datagram whose first fragment passed: its later fragments follow. */
struct sg_frag_key {
	struct sg_addr src;
	struct sg_addr dst;
	__u32 id;
	__u16 slot;
	__u8 proto;
	__u8 dir;
};

/* Fragments are counted in units of 8 bytes, as their offsets are (RFC 791, 3.1). */
#define SG_FRAG_UNITS 8192u
#define SG_FRAG_WORDS (SG_FRAG_UNITS / 64u)

/*
 * Bits are set by atomic instructions, so that of two fragments that overlap the second one sees
 * it, whatever the CPU.
 */
struct sg_frag {
	__u64 seen;  /* jiffies of the first fragment: a datagram has SG_TIMEOUT_FRAGMENT from there
		      */
	__u64 stamp; /* generation under which the first one passed */
	__u32 units; /* units seen so far */
	__u32 total; /* units of the datagram, 0 until its last fragment is seen */
	__u64 bits[SG_FRAG_WORDS];
};

/* The collector's argument and result: one pass over one map (SEC("syscall") programs
 * sg_collect_*). */
struct sg_collect {
	__u32 shard;   /* in: index into sg_flows, or slot for sg_half; not for sg_frags */
	__u32 slot;    /* in: with SG_COLLECT_FLUSH only flows of this slot, 0 = of every slot */
	__u32 flags;   /* in: enum sg_collect_flags */
	__u32 scanned; /* out */
	__u32 removed; /* out */
	__u32 pad;
	__u64 jiffies; /* out: the kernel's clock */
};
enum sg_collect_flags {
	SG_COLLECT_EXPIRED = 0,	    /* remove what has timed out */
	SG_COLLECT_FLUSH = 1u << 0, /* remove whatever its age */
};

/* ------------------------------------------------------------------ verdicts */

/*
 * Every outcome, in one list: X(NAME, "name", "what it means"). It makes the enum, the names in
 * JSON, the counters and the table in the manual. Allows come first. New ones go to the end of
 * their part before a release, to the end of the list after one: the numbers are in pinned
 * counters.
 */
#define SG_ALLOW_REASONS(X)                                                                   \
	X(RULE, "rule", "a rule allows the packet, which opened a flow")                      \
	X(FLOW, "flow", "it belongs to a flow that a rule allowed")                           \
	X(RELATED, "related", "an ICMP error about a live flow")                              \
	X(FRAGMENT, "fragment", "a later fragment of a datagram whose first fragment passed") \
	X(ARP, "arp", "address resolution is always allowed, under the guard")                \
	X(ND, "neighbour_discovery",                                                          \
	  "IPv6 neighbour discovery is always allowed, under the guard")                      \
	X(MLD, "mld", "IPv6 multicast listener discovery is always allowed, under the guard") \
	X(DHCP, "dhcp", "DHCP and DHCPv6 as a client are always allowed")                     \
	X(EXEMPT, "exempt", "an endpoint that the network exempts from groups")

#define SG_DROP_REASONS(X)                                                                        \
	X(NO_RULE, "no_rule", "no rule of any of the interface's groups allows it")               \
	X(REVOKED, "revoked", "it belongs to a flow that no rule allows any more")                \
	X(NO_FLOW, "no_flow",                                                                     \
	  "it belongs to no flow and cannot open one (an ACK, a SYN/ACK, a late segment)")        \
	X(TCP_CLOSED, "tcp_closed", "the connection was reset; only a SYN opens it again")        \
	X(TCP_INVALID, "tcp_invalid",                                                             \
	  "sequence, acknowledgement or state do not fit the connection")                         \
	X(TCP_FLAGS, "tcp_flags", "a combination of TCP flags that no stack sends")               \
	X(ICMP_UNRELATED, "icmp_unrelated",                                                       \
	  "an ICMP error about no live flow, which no rule allows either")                        \
	X(ALLOWANCE, "allowance_exceeded",                                                        \
	  "the interface has as many flows as conntrack.max_flows allows")                        \
	X(TABLE_FULL, "flow_table_full", "the flow table has no cell for the flow")               \
	X(FLOW_BUSY, "flow_busy", "the flow is being collected at this moment")                   \
	X(SPOOFED_MAC, "spoofed_mac", "the source MAC is not the interface's")                    \
	X(SPOOFED_SOURCE, "spoofed_source",                                                       \
	  "the source address is neither the interface's nor one it is allowed")                  \
	X(SPOOFED_ARP, "spoofed_arp", "an ARP sender that is not the interface")                  \
	X(SPOOFED_ND, "spoofed_nd",                                                               \
	  "a neighbour advertisement for an address that is not the interface's")                 \
	X(LINK_LOCAL, "link_local_source",                                                        \
	  "a link-local source other than the MAC's own one: list it in addresses")               \
	X(MARTIAN, "martian_source", "a source that no packet on a wire may have")                \
	X(LAND, "own_address", "from outside, with the interface's own address as source")        \
	X(WRONG_DESTINATION, "wrong_destination", "addressed to somebody else")                   \
	X(DHCP_SERVER, "dhcp_server", "DHCP server traffic from a VM")                            \
	X(ROUTER_ADVERTISEMENT, "router_advertisement",                                           \
	  "router advertisement or redirect from a VM")                                           \
	X(ETHERTYPE, "ethertype", "neither IPv4, IPv6 nor ARP")                                   \
	X(VLAN, "vlan", "a VLAN tag that the interface does not list")                            \
	X(TRUNCATED, "truncated", "the frame ends inside a header")                               \
	X(IP_HEADER, "ip_header", "an IP header with an impossible version or length")            \
	X(IP_LENGTH, "ip_length", "an IP length that the frame does not have")                    \
	X(IPV6_EXTENSION, "ipv6_extension", "too many extension headers, or hostile ones")        \
	X(L4_HEADER, "l4_header", "a transport header with an impossible length")                 \
	X(ARP_HEADER, "arp_header", "not Ethernet and IPv4 ARP")                                  \
	X(FRAG_NO_FIRST, "fragment_without_first",                                                \
	  "a later fragment of a datagram whose first was not seen")                              \
	X(FRAG_TINY, "fragment_tiny", "a fragment that hides or overlaps the transport header")   \
	X(SCTP_INVALID, "sctp_invalid",                                                           \
	  "a verification tag or chunk that does not fit the association")                        \
	X(FRAG_OVERLAP, "fragment_overlap", "a fragment over bytes that another one has brought") \
	X(FRAG_LENGTH, "fragment_length",                                                         \
	  "a fragment that ends where no fragment of its datagram can")                           \
	X(FRAG_ALLOWANCE, "fragment_allowance",                                                   \
	  "the interface has too many fragmented datagrams on their way")                         \
	X(NO_INTERFACE, "no_interface", "the device is not one that rulesd attached")             \
	X(NO_POLICY, "no_policy", "the interface has no policy yet")                              \
	X(INTERNAL, "internal_error", "a kernel helper failed")

enum sg_reason {
#define SG_X(name, string, doc) SG_ALLOW_##name,
	SG_ALLOW_REASONS(SG_X)
#undef SG_X
		SG_DROP_FIRST,
	SG_DROP_BEFORE_FIRST = SG_DROP_FIRST - 1,
#define SG_X(name, string, doc) SG_DROP_##name,
	SG_DROP_REASONS(SG_X)
#undef SG_X
		SG_REASONS,
};

static inline int sg_reason_is_drop(__u32 reason)
{
	return reason >= SG_DROP_FIRST;
}

enum sg_outcome { SG_ALLOWED = 0, SG_DROPPED = 1, SG_OUTCOMES = 2 };

#define SG_REASONS_ROOM 64 /* room in the counters for reasons to come */

struct sg_stats {
	__u64 packets[SG_DIRS][SG_OUTCOMES];
	__u64 bytes[SG_DIRS][SG_OUTCOMES]; /* of frames, Ethernet header included */
	__u64 reasons[SG_REASONS_ROOM];	   /* packets by enum sg_reason */
};

/*
 * Totals of a rule; changed by atomic instructions only. Packets and bytes are added when a flow
 * ends: to them belong those of the live flows that name the rule.
 */
struct sg_rule_stats {
	__u64 flows; /* ever opened */
	__u64 packets;
	__u64 bytes;
};

struct sg_event {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	struct sg_addr src;
	struct sg_addr dst;
	__be16 sport;
	__be16 dport; /* for ICMP: type << 8 | code */
	__u32 rule;
	__u32 bytes;
	__u16 slot;
	__u8 proto;
	__u8 dir;
	__u8 reason; /* enum sg_reason */
	__u8 family; /* 4, 6, 0 for what is not IP */
	__be16 ethertype;
	__u32 pad;
};

#define SG_ASSERT_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)
SG_ASSERT_SIZE(struct sg_addr, 16);
SG_ASSERT_SIZE(struct sg_version, 16);
SG_ASSERT_SIZE(struct sg_control, 64);
SG_ASSERT_SIZE(struct sg_iface_conf, 104);
SG_ASSERT_SIZE(struct sg_guard_key, 24);
SG_ASSERT_SIZE(struct sg_member_key, 24);
SG_ASSERT_SIZE(struct sg_hints, 64);
SG_ASSERT_SIZE(struct sg_prefix_key, 24);
SG_ASSERT_SIZE(struct sg_policy_key, 12);
SG_ASSERT_SIZE(struct sg_policy_ports, 16);
SG_ASSERT_SIZE(struct sg_policy_store, 40);
SG_ASSERT_SIZE(struct sg_outline, 904);
SG_ASSERT_SIZE(struct sg_flow_key, 40);
SG_ASSERT_SIZE(struct sg_flow_half, 40);
SG_ASSERT_SIZE(struct sg_flow, 112);
_Static_assert(__builtin_offsetof(struct sg_flow, state) % 8 == 0 &&
		       __builtin_offsetof(struct sg_flow, use) ==
			       __builtin_offsetof(struct sg_flow, state) + 6,
	       "state and use are one word");
_Static_assert(__builtin_offsetof(struct sg_flow, rule) % 8 == 0 &&
		       __builtin_offsetof(struct sg_flow, peer) ==
			       __builtin_offsetof(struct sg_flow, rule) + 4,
	       "rule and peer are one word");
SG_ASSERT_SIZE(struct sg_bucket, 37 * 64); /* whole cache lines */
SG_ASSERT_SIZE(struct sg_frag_key, 40);
SG_ASSERT_SIZE(struct sg_event, 64);
_Static_assert(SG_REASONS <= SG_REASONS_ROOM, "more reasons than counters");
