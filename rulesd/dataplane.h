/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dataplane.h - what the engine asks of whatever enforces an image: eBPF now, nftables later.
 *
 * Every call returns 0 or -errno and, on failure, leaves what was enforced before and sets *error
 * to one sentence that names the object, the system call and the fix (the caller frees it).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "rulesd/image.h"
#include "rulesd/image_delta.h"

struct dataplane; /* one instance; bpf_dataplane_open() makes the eBPF one */

struct dataplane_options {
	const char *bpffs;  /* directory of this instance's pins, e.g. /sys/fs/bpf/tapguard */
	uint32_t max_flows; /* --max-flows: sum of the reservations of all interfaces */
};

/* In place of an ifindex: the slot is parked (dataplane_park). The largest that there can be, which
 * nobody gets who does not ask for it. */
#define DATAPLANE_PARKED 0x7fffffffu

/* What the kernel holds of an attached interface. */
struct dataplane_attachment {
	uint32_t slot;
	uint32_t ifindex;
	enum model_hook hook; /* the one in use: xdp, tcx or tc, never auto */
	bool live;	      /* programs verified in place */
	bool any;	      /* some of them are: it is the device that it was attached to */
	bool pinned;	      /* a link of it has a pin, whether the link is on the device or not */
	bool quick; /* filtered, but not by the hook that it shall have: dataplane_upgrade */
};

/* An interface to be attached, and what came of it. */
struct dataplane_request {
	const struct image_iface *iface;
	uint32_t ifindex;
	bool vnet_hdr; /* what rtnetlink says of the tap (hook auto) */
	unsigned int adopt_seconds;
	bool patient; /* with all of its links: never quick */
	bool same;    /* the device that it was on all the time, whatever runs there: flows stay */
	struct dataplane_attachment attachment; /* if code is 0 */
	int code;
	char *error; /* if code is not 0; owned by the caller */
};

struct dataplane_flow {
	struct sg_flow_key key;
	struct sg_flow flow;
	double age;	/* seconds since it was opened */
	double idle;	/* seconds since its last packet */
	double expires; /* seconds until it times out if idle */
	bool half;	/* half-open or one-way */
};

/* Selects flows; zero or NULL fields match everything. */
struct dataplane_flow_filter {
	uint32_t slot;
	int protocol;			 /* -1: any */
	const struct sg_addr *src, *dst; /* as the opener sent it */
	int sport, dport;		 /* host order, -1: any */
	uint32_t rule;
	bool (*also)(const struct dataplane_flow *flow, void *arg); /* or NULL */
	void *arg;
};

/* What dataplane_open will need and only CAP_SYS_ADMIN may, for who gives that up before; keeps
 * other instances off bpffs. 0 also when there is nothing there or another instance. */
int dataplane_prepare(const char *bpffs, char **error);
/* -EBUSY and *error when something was mounted over the bpffs that this one's predecessor pinned
 * everything in, which filters on. Before anything is made on bpffs; needs CAP_SYS_ADMIN. */
int dataplane_check_covered(const char *bpffs, char **error);
/* The same of a dataplane that is open: nothing of it can be found by its pin for now. */
bool dataplane_is_covered(const struct dataplane *dataplane);
/* So, because it is mounted nowhere any more: links and what is pinned go when this one ends. */
bool dataplane_is_unmounted(const struct dataplane *dataplane);
/* Opens, pins or adopts the programs and maps under options->bpffs. */
int dataplane_open(const struct dataplane_options *options, struct dataplane **dataplane,
		   char **error);
/* Paths (char *) of the maps' pins that were missing while pinned programs used the maps, and that
 * opening made again. */
const GPtrArray *dataplane_repinned(const struct dataplane *dataplane);
/* After every slot that is pinned was attached again or detached: maps of an older layout, which
 * dataplane_open has begun to migrate, are not needed any more. */
/* What is pinned there, asked without changing anything: for rulesd --check. */
struct dataplane_pins {
	uint32_t abi;		 /* of the maps; 0: there are none */
	uint32_t oldest, newest; /* that this rulesd knows */
	bool refused, migrating, same_build;
	unsigned int taps, flows;
};
void dataplane_look_at_pins(const char *bpffs, struct dataplane_pins *pins);
bool dataplane_is_migrating(const struct dataplane *dataplane);
int dataplane_migrated(struct dataplane *dataplane, char **error);
/* Closes handles; what is pinned keeps filtering. */
void dataplane_close(struct dataplane **dataplane);
/* How many of what rulesd --flush removed. */
struct dataplane_flushed {
	unsigned int links, filters, qdiscs, maps, programs;
};
/* Detaches and removes everything of the instance under bpffs (rulesd --flush). flushed may be
 * NULL. */
int dataplane_flush_all(const struct dataplane_options *options, struct dataplane_flushed *flushed,
			char **error);
const char *dataplane_name(const struct dataplane *dataplane); /* "bpf" */

/*
 * Makes image the one that holds, all at once: writes what differs from what the kernel's maps
 * hold, which are read back, then flips the generation. keep exempts live flows from what is
 * removed. image_iface of devices that are not attached are not written. *generation is the new one
 * (unchanged when nothing differed). *writes (may be NULL) counts map updates and deletions.
 */
int dataplane_apply(struct dataplane *dataplane, const struct image *image, bool keep,
		    uint64_t *generation, unsigned int *writes, char **error);
/*
 * The same for an image that held before delta: looks at and writes only what the delta names.
 */
int dataplane_apply_delta(struct dataplane *dataplane, const struct image *image,
			  const struct image_delta *delta, bool keep, uint64_t *generation,
			  unsigned int *writes, char **error);
uint64_t dataplane_generation(const struct dataplane *dataplane);
/*
 * Removes what only packets could read that began before a change, as far as they have ended; never
 * waits for them. To be called some milliseconds after a change. *more: call again soon.
 */
int dataplane_settle(struct dataplane *dataplane, bool *more);

/*
 * Starts filtering a device with iface's slot and configuration: maps first, then programs, then
 * reads both back. A slot that is pinned on the same ifindex is adopted (bpf_link_update), one on
 * another ifindex is replaced. `vnet_hdr` is what rtnetlink says of the tap (hook auto).
 * adopt_seconds: TCP connections that run already may become flows for so long, if rules allow
 * them; 0, and a slot that is adopted, never. -ENOSPC when the reservation of flows does not fit
 * options->max_flows.
 */
int dataplane_attach(struct dataplane *dataplane, const struct image *image,
		     const struct image_iface *iface, uint32_t ifindex, bool vnet_hdr,
		     unsigned int adopt_seconds, struct dataplane_attachment *attachment,
		     char **error);
/*
 * The same for many, each with an outcome of its own. Where a link would wait for a grace period,
 * several begin with tc filters (quick) unless they are patient, as dataplane_attach is. All filter
 * when this returns.
 */
void dataplane_attach_many(struct dataplane *dataplane, const struct image *image,
			   struct dataplane_request *requests, unsigned int count);
/*
 * Gives an interface that is filtered quickly the links that it shall have, from a thread that
 * waits for the kernel. done is called once in the default GMainContext when they are there, or
 * failed: then attach it again, which takes the filters away and says what is in place.
 */
int dataplane_upgrade(struct dataplane *dataplane, const struct dataplane_request *request,
		      GSourceFunc done, void *arg, char **error);
/*
 * Puts on an interface whose sending side is filtered by tc a program that drops by XDP what that
 * one would drop, or takes it off. It changes no verdict: frames that it has not seen are filtered
 * no less. -EOPNOTSUPP or another error when the device has no XDP of its own, or somebody else's.
 */
int dataplane_early(struct dataplane *dataplane, uint32_t slot, bool on, char **error);
/* Stops filtering: programs off, configuration away, flows gone. 0 also when the device is gone
 * already. */
int dataplane_detach(struct dataplane *dataplane, uint32_t slot, char **error);
/* The same for many; *error is of the first that failed, and codes (of count, or NULL) has the
 * outcome of each. */
int dataplane_detach_many(struct dataplane *dataplane, const uint32_t *slots, unsigned int count,
			  int *codes, char **error);
/*
 * Its device is gone: programs off, but configuration, reservation and flows wait for the next
 * device that it is attached to, with its rules and members kept up to date. 0 also when it is
 * parked already.
 */
int dataplane_park(struct dataplane *dataplane, uint32_t slot, char **error);
/* Appends a struct dataplane_attachment for every pinned slot, verified against the kernel. */
int dataplane_attachments(struct dataplane *dataplane, GArray *attachments, char **error);
/*
 * The same a part at a time: for slots from *next on, a bounded number, after which *next is where
 * to go on, 0 at the end.
 */
int dataplane_attachments_from(struct dataplane *dataplane, uint32_t *next, GArray *attachments,
			       char **error);

/* The pins of links that a slot with this hook should have and has not, as a text; NULL: it has
 * them all, or needs none. The caller frees. */
char *dataplane_missing_pins(const struct dataplane *dataplane, uint32_t slot,
			     enum model_hook hook);

/* The device that a slot is pinned on, whether it filters there or not; 0: none. */
uint32_t dataplane_slot_device(const struct dataplane *dataplane, uint32_t slot);
/*
 * The highest numbers that anything in the kernel names, live flows included; 0: none. It takes a
 * walk over everything: for a registry that was lost. exempt has SG_RULE_EXEMPT set.
 */
struct dataplane_numbers {
	uint32_t zone, peer, rule, exempt, policy, set;
};
int dataplane_numbers(struct dataplane *dataplane, struct dataplane_numbers *numbers, char **error);

/* The same for one slot; slot and ifindex are given. */
int dataplane_look(struct dataplane *dataplane, struct dataplane_attachment *attachment,
		   char **error);

/* Counters of a slot, summed over CPUs. stats or exact may be NULL; without stats it is cheap. */
int dataplane_stats(struct dataplane *dataplane, uint32_t slot, struct sg_stats *stats,
		    struct sg_slot *exact);
/* Calls each for every live flow that the filter selects; stops when each returns false. */
int dataplane_flows(struct dataplane *dataplane, const struct dataplane_flow_filter *filter,
		    bool (*each)(const struct dataplane_flow *flow, void *arg), void *arg,
		    char **error);
/* Where a walk over the flows in parts is; all zero at the beginning. */
struct dataplane_flow_walk {
	uint32_t shard, bucket, slot;
};
/* The same in parts of a thousand flows at most, between which flows come and go; *more: call
 * again. */
int dataplane_flows_part(struct dataplane *dataplane, const struct dataplane_flow_filter *filter,
			 struct dataplane_flow_walk *walk,
			 bool (*each)(const struct dataplane_flow *flow, void *arg), void *arg,
			 bool *more, char **error);
/* Removes the selected flows; *removed counts them. */
int dataplane_flows_remove(struct dataplane *dataplane, const struct dataplane_flow_filter *filter,
			   unsigned int *removed, char **error);
/* One bounded step of collecting expired flows; the engine calls it from a timer. *more: call again
 * soon. */
int dataplane_collect(struct dataplane *dataplane, bool *more);

/* Totals of a rule, live flows and ended ones: packets, bytes, flows ever opened, flows live. */
struct dataplane_rule_stats {
	uint64_t packets, bytes, flows, live;
};
/* rule number -> struct dataplane_rule_stats (owned by the table). */
int dataplane_rule_stats(struct dataplane *dataplane, GHashTable **stats, char **error);

/* What the programs report from now on, of every interface: enum sg_control_flags. 0: nothing. */
int dataplane_events_listen(struct dataplane *dataplane, uint32_t flags, char **error);
/* Calls each for at most so many events that have been reported; returns how many more there were,
 * which are lost. */
typedef void (*dataplane_event_fn)(const struct sg_event *event, void *arg);
uint64_t dataplane_events_read(struct dataplane *dataplane, unsigned int most,
			       dataplane_event_fn each, void *arg);

/* ------------------------------------------------------------------ verification */

/* clang-format off */
#define VERIFY_KINDS(X)                                          \
	X(PROGRAM, "programs") /* on devices */                  \
	X(PIN, "pins")         /* of maps, programs and links */ \
	X(CONTROL, "control")                                    \
	X(INTERFACE, "interfaces")                               \
	X(IFINDEX, "ifindexes")                                  \
	X(GUARD, "guards")                                       \
	X(VLAN, "vlans")                                         \
	X(MEMBER, "members")                                     \
	X(PREFIX, "prefixes")                                    \
	X(SET, "sets")                                           \
	X(POLICY, "policies")  /* keys of them */                \
	X(RULE, "rules")                                         \
	X(PEER, "peers")       /* that lost a member */          \
	X(FLOW, "flows")       /* tables and counts of them */
/* clang-format on */

enum verify_kind {
#define X(name, text) VERIFY_##name,
	VERIFY_KINDS(X)
#undef X
		VERIFY_KIND_COUNT,
};

/* One object that the kernel holds otherwise than this process believes. */
struct dataplane_difference {
	enum verify_kind kind;
	uint32_t slot; /* of the interface that it belongs to; 0: none */
	char *object, *expected, *found;
	bool repaired;
	char *error; /* why it could not be repaired, or NULL */
};

#define VERIFY_LISTED 1000u /* differences that are kept; the others are counted only */

struct dataplane_verified {
	uint64_t checked[VERIFY_KIND_COUNT];
	GPtrArray *differences; /* of struct dataplane_difference */
	uint64_t found, repaired;
	/* Slots whose programs are to be put back: attach them again, which is not this call's. */
	GArray *attach_again; /* of uint32_t */
};

/*
 * Compares everything that this process believes with what the kernel holds, a part at a time.
 * What is repaired is put right at once; where something wrong may have let a flow in, all flows
 * are evaluated again. Changes may come between two steps.
 */
struct verification;
struct verification *dataplane_verify_begin(struct dataplane *dataplane, bool repair);
/* One step, of about a millisecond. image: the one that holds. *more: there is another one to come.
 * A code means that it cannot go on. */
int dataplane_verify_step(struct verification *verification, const struct image *image, bool *more,
			  char **error);
/* Programs of a slot of attach_again were put back, or not. */
void dataplane_verify_attached(struct verification *verification, uint32_t slot, bool repaired);
const struct dataplane_verified *dataplane_verified(const struct verification *verification);
void dataplane_verify_end(struct verification **verification);
/* "members", as in the list. */
const char *verify_kind_name(enum verify_kind kind);

/* ------------------------------------------------------------------ what others take away */

/* What a look has found that somebody else has changed. */
struct dataplane_harm {
	char *entry;	   /* the first entry that is not as it was written; NULL: none is known */
	char *pin;	   /* the first pin that was gone and is there again, or cannot be made */
	unsigned int pins; /* how many were made again */
	char *error;	   /* why some could not be */
	bool covered;	   /* dataplane_is_covered: pins were not looked at */
};
void dataplane_harm_clear(struct dataplane_harm *harm);

/* A link that is to be asked whether it is where it should be. */
struct dataplane_link {
	uint32_t slot;
	int fd; /* owned; -1: there is none */
	uint32_t ifindex, program;
	bool wrong; /* the answer */
};

/*
 * Looks, cheaply, whether what this process has put into the kernel is still there: for slots from
 * *next on, a bounded number, after which *next is where to go on, 0 at the end. Links whose pins
 * are gone run on while this process lives, and are pinned again; so are maps and programs. Entries
 * are looked at by samples: dataplane_verify_step looks at all of them. Appends the links that are
 * to be asked.
 */
void dataplane_intact(struct dataplane *dataplane, const struct image *image, uint32_t *next,
		      GArray *links, struct dataplane_harm *harm);
/* Asks them, and closes them. In any thread: it waits for the kernel's one lock on devices. */
void dataplane_links_ask(GArray *links);
/* Asks those of one slot at once. */
bool dataplane_links_right(struct dataplane *dataplane, uint32_t slot);
