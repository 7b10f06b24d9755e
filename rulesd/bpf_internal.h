/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_internal.h - what the parts of the eBPF dataplane share; nobody else includes it, but tests.
 * Long because all of them work on one struct dataplane and call each other in turn.
 *
 *   bpf_fault.c       calls that tests have fail
 *   bpf_table.c       one map entry, all entries, a grace period
 *   bpf_many.c        many entries at once, by several threads
 *   bpf_keyed.c       tables of a million keys
 *   bpf_members.c     and the members among them
 *   bpf_hints.c       a table in front of theirs
 *   bpf_settle.c      what flips touched that packets may still read the old way
 *   bpf_object.c      opening: programs and maps loaded or adopted
 *   bpf_build.c       whether pinned programs are those of this build
 *   bpf_migrate.c     pinned maps of an older layout
 *   bpf_flush.c       everything of an instance removed
 *   bpf_held.c        policies and sets that the kernel holds: find, write, drop
 *   bpf_content.c     a policy's rules as bytes: compare, walk
 *   bpf_intervals.c   where their ports are
 *   bpf_outline.c     what they may allow at all
 *   bpf_image_read.c  the kernel's maps read back at start
 *   bpf_shards.c      where flows live: inner maps, reservations
 *   bpf_attach.c      interfaces as a whole, many at once
 *   bpf_hooks.c       programs on a device
 *   bpf_device.c      what rtnetlink says of devices
 *   bpf_filters.c     our programs as tc filters
 *   bpf_upgrade.c     links made by a thread
 *   bpf_reap.c        and removed by one
 *   bpf_plan.c        what differs between kernel and image
 *   bpf_edit_plan.c   policies that may change where they are
 *   bpf_edit.c        and do
 *   bpf_apply.c       makes it so
 *   bpf_verify.c      what the kernel holds against all of that (bpf_verify.h)
 *   bpf_intact.c      what others take away
 *   bpf_collect.c     expired flows
 *   bpf_flows.c       list, remove
 *   bpf_stats.c       counters
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "rulesd/dataplane.h"

/* ------------------------------------------------------------------ maps and programs */

/* clang-format off: it would lay these lists out anew at every run */
#define BPF_TABLES(X) \
	X(CONTROL)    \
	X(IFINDEX)    \
	X(IFHIGH)     \
	X(IFACES)     \
	X(SLOTS)      \
	X(STATS)      \
	X(GUARD)      \
	X(VLANS)      \
	X(MEMBERS)    \
	X(HINTS)      \
	X(PREFIXES)   \
	X(SETS)       \
	X(POLICY)     \
	X(INTERVALS)  \
	X(OUTLINES)   \
	X(PEERGONE)   \
	X(HALF)       \
	X(FLOWS)      \
	X(RULES)      \
	X(FRAGS)      \
	X(EVENTS)     \
	X(COLLECT)
/* clang-format on */

enum bpf_table_id {
#define X(name) TABLE_##name,
	BPF_TABLES(X)
#undef X
		TABLE_COUNT,
};

/* clang-format off */
#define BPF_PROGRAMS(X) \
	X(XDP, "sg_xdp") \
	X(XDP_EARLY, "sg_xdp_early") \
	X(TC_EGRESS, "sg_tc_egress") \
	X(TC_INGRESS, "sg_tc_ingress") \
	X(COLLECT_FLOWS, "sg_collect_flows") \
	X(COLLECT_HALF, "sg_collect_half") \
	X(COLLECT_FRAGS, "sg_collect_frags") \
	X(COLLECT_CLOCK, "sg_collect_clock") \
	X(SETTLE_FLOWS, "sg_settle_flows") \
	X(SETTLE_HALF, "sg_settle_half") \
	X(POLICY_STORE, "sg_policy_store")
/* clang-format on */

enum bpf_program_id {
#define X(name, symbol) PROGRAM_##name,
	BPF_PROGRAMS(X)
#undef X
		PROGRAM_COUNT,
};

/* An open map. fd is borrowed from the object that declares it, or owned for an inner map. */
struct bpf_table {
	const char *name;
	int fd;
	uint32_t type, key_size, value_size, max_entries, flags;
};

struct bpf_object;

/* ------------------------------------------------------------------ what the kernel holds */

/*
 * The kernel's policies and sets are remembered by content. An image's
 * number is kept where it is free; content that the kernel already holds under another number (as
 * after a restart, when numbers were given anew) is used as it is, through an alias.
 */
struct held_policy {
	uint32_t number;
	GBytes *content;  /* struct held_ports with its intervals, one after the other, sorted */
	GArray *starts;	  /* of uint32_t, by entry: its extent in sg_intervals */
	GArray *empty;	  /* of struct sg_policy_key: that it has no rules under any more; NULL */
	uint32_t outline; /* index in sg_outlines, 0: has none */
	bool wide;	  /* which says yes to more than it has to */
	bool wanted;	  /* by the image that holds; others go when no interface uses them */
	bool complete;	  /* all of it is in the kernel */
	bool aliased;	  /* an image's number for it is another one */
	uint64_t retired; /* at that generation, the last time; 0: never */
};

/* Followed by count struct sg_interval. */
struct held_ports {
	uint32_t peer;
	uint16_t proto;
	uint8_t dir;
	uint8_t pad;
	uint32_t count;
};

struct held_set {
	uint32_t number;
	GBytes *content; /* of uint32_t, sorted */
	bool wanted;
	bool aliased;
	uint64_t retired; /* as a policy's */
};

struct held_guard {
	struct sg_guard_key key;
	uint32_t bits;
};

/*
 * What the maps hold for one slot, as this process has written it: that somebody else writes them
 * is what bpf_verify.c looks for. NULL where nothing was ever written.
 */
struct held_slot {
	uint32_t ifindex, shard; /* as in sg_ifaces; ifindex 0: nothing is attached */
	enum model_hook hook;	 /* in use; auto: not known yet */
	bool quick;		 /* filters stand where links belong */
	/* 1 + descriptor of the link of each direction, 0: not open (bpf_intact.c). One whose pin
	 * somebody removes filters on, as long as this process lives. */
	int links[SG_DIRS];
	GArray *guards; /* of struct held_guard, sorted by held_guard_compare */
	GArray *vlans;	/* of uint16_t, sorted */
};

struct extent {
	uint32_t start, count;
};

struct shard {
	uint32_t buckets;  /* of its map; 0: does not exist */
	uint32_t capacity; /* confirmed flows that it has room for; 0: does not exist */
	uint32_t reserved; /* sum of max_flows of the slots in it, never above capacity */
};

/* One versioned entry that changes; key is as large as the table says. */
struct change {
	enum bpf_table_id table;
	uint32_t before, after;
	bool created; /* the kernel has no such key yet */
	bool removed; /* nobody wants it after the flip; goes after a grace period */
	uint8_t key[24];
};

/* ------------------------------------------------------------------ what is not settled */

/*
 * A packet reads the generation once, so one that began before a flip needs what the flip replaced
 * until it ends: entries are versioned, and an entry that was written at a flip may be written
 * again when every packet that runs has read that generation (an RCU grace period after it), or
 * when no packet could tell (settle_conflicts). Grace periods pass in a thread, so that nobody
 * waits for one but a change that really meets its predecessor.
 */
struct touched {
	enum bpf_table_id table;
	uint8_t key[24];
	uint64_t last;	 /* generation of the last flip that wrote it */
	uint64_t before; /* and of the one before that, 0 for none */
	bool planned;	 /* the change at hand writes it */
};

struct dead {
	struct change change;
	uint64_t since;
};

/* A policy or set that nothing refers to since that generation. */
struct retired {
	uint32_t number;
	bool set;
	uint64_t since;
};

/* SG_HAS_ bits that a policy stored in place does not have: to be cleared when nobody reads the one
 * before it. */
struct narrowed {
	uint32_t slot;
	uint32_t policy;
	uint64_t since;
	uint8_t has[SG_DIRS];
};

/* An entry of a policy that has a second version. */
struct edited_key {
	struct sg_policy_key key; /* pad 0 */
	uint8_t tag;		  /* of the key of the one before */
	uint64_t word;	      /* its first 8 bytes with SG_PORTS_SINCE; 0: it has them no more */
	struct extent extent; /* the intervals of the one before; count 0: none of its own */
};

/* A policy that changed where it is (bpf_edit.c). */
struct edited {
	uint64_t since;
	uint32_t number;
	GArray *keys;  /* of struct edited_key */
	GBytes *rules; /* what it was; NULL: that is what it is */
};

/* What an entry said before a change that may still fail, and the intervals of the change. */
struct ports_undo {
	struct edited_key written;
	struct sg_policy_ports value; /* count 0: nothing */
	struct extent extent;
};

struct settling {
	GThread *thread; /* waits for grace periods; NULL until the first flip */
	GMutex lock;
	GCond wake;
	bool stop;	  /* the rest of this part under lock */
	uint64_t wanted;  /* the last flip */
	uint64_t settled; /* every packet that runs has read this generation or a later one */

	GHashTable *touched; /* of struct touched, its own key */
	uint64_t forgotten;  /* what was touched up to here is not in it any more */
	uint64_t wide;	     /* the last flip that touched more than is remembered */
	GArray *dead;	     /* of struct dead: still in the maps, in the order of since */
	GArray *retired;     /* of struct retired, likewise */
	GArray *narrowed;    /* of struct narrowed, likewise */
	uint64_t buried;     /* entries that were dead and have been removed, so far */
	GArray *edited;	     /* of struct edited, likewise */
	unsigned int waits;  /* how often a change had to wait: for tests */
};

/* bpf_intact.c: what the last look has seen, so that the next one costs little. */
struct intact {
	struct {
		uint64_t inode, seconds, nanoseconds;
	} folder[4];
	bool looked;	      /* at the folders, once */
	bool links;	      /* pins of links are looked at in this round */
	bool covered;	      /* no pin can be found in this round */
	unsigned int round;   /* which slots' entries are samples */
	unsigned int put_off; /* collections, because of an interface that is not right */
	struct image_member_walk *members;
};

/* bpf_hints.c */
struct hinting {
	struct sg_hints *at;	 /* mapped, by bucket; NULL: before opening */
	uint32_t count;		 /* members in it */
	uint64_t wanted;	 /* all members are to be learned when this generation is settled */
	bool due;		 /* there is something wanted */
	struct table_walk *walk; /* on the way; or NULL */
};

struct dataplane {
	char *bpffs;
	const char *maps_folder;     /* below it */
	struct migration *migration; /* bpf_migrate.c; NULL: none */
	int lock;		     /* the directory, locked: one daemon an instance */
	uint32_t max_flows;
	uint32_t hz;
	uint32_t cpus;
	char *build;	    /* checksum of the objects that its programs are of */
	GPtrArray *objects; /* of struct bpf_object */
	GArray *adopted;    /* of int: descriptors of pinned maps and programs that were not loaded
			       anew */
	struct bpf_table table[TABLE_COUNT];
	struct bpf_table half_prototype, flows_prototype; /* of inner maps; no fd */
	int program[PROGRAM_COUNT];			  /* fds, borrowed */
	uint32_t program_id[PROGRAM_COUNT];
	bool tcx;			   /* the kernel has it */
	bool qdisc_made[SG_MAX_SLOTS + 1]; /* we made the clsact of the slot's device */
	struct sg_control *control;	   /* mapped */
	struct sg_iface *ifaces;	   /* mapped, by slot */
	struct sg_slot *slots;		   /* mapped, by slot */

	GHashTable *policies;		 /* kernel number -> struct held_policy */
	GHashTable *policies_by_content; /* GBytes -> the same, borrowed */
	GHashTable *policy_alias;	 /* image number -> kernel number */
	GHashTable *sets;
	GHashTable *sets_by_content;
	GHashTable *set_alias;
	GHashTable *rules; /* numbers that have an entry in sg_rules -> intervals that name them */
	GHashTable *peers; /* numbers that policies in the kernel name -> entries that do */
	uint32_t highest_policy, highest_set; /* number ever held */
	uint64_t flipped;		      /* the generation, as this process knows it */
	GArray *fresh;		/* of struct retired: written for a change that may still fail */
	GArray *free_intervals; /* of struct extent, sorted, none adjacent */
	GArray *free_outlines;	/* likewise */
	bool unclean;		/* some interface's clean_from is not known */
	struct held_slot held[SG_MAX_SLOTS + 1];
	struct shard shards[SG_MAX_SHARDS];
	struct publication *publications[2]; /* bpf_shards.c: inner maps on their way */
	/* Held while somebody waits for hooks; threads that make and remove links in the background
	 * let him go first, because the kernel has one lock for all of it. */
	GRecMutex hooks_turn;
	GThreadPool *reaper; /* bpf_reap.c: NULL until there is something for it */
	int idle_program;
	struct upgrading *upgrading; /* bpf_upgrade.c: links on their way; NULL: none */
	GHashTable *views; /* of device_look_all, between two parts of looking at everything */
	/* Descriptors of the inner maps, plus 1; 0: none. Once privileges are gone nothing opens
	 * one that was closed (bpf_by_id.c). */
	int half_fds[SG_MAX_SLOTS + 1], flows_fds[SG_MAX_SHARDS];
	struct by_id *by_id; /* while a migration needs it; NULL: no more */
	GPtrArray *repinned; /* of char *: paths, at the start */

	struct intact intact;
	struct settling settling;
	struct hinting hinting;
	GArray *undo;	   /* of struct change: written by a failed apply and not taken back yet */
	bool undo_members; /* it wrote members, nobody knows which */
	/* What the kernel had at this start: for the first write of all of them, which need not
	 * read a million once more. NULL once any was written. */
	struct keyed *members;
	GArray *undo_ports; /* of struct ports_undo: likewise written by a failed apply */

	/* bpf_events.c; NULL until somebody listens */
	struct ring_buffer *ring;
	void *reading;

	uint32_t collect_shard, collect_slot; /* where the next step of collecting goes on */
};

/* ------------------------------------------------------------------ bpf_fault.c */

/* Calls into the kernel, by what they ask for. */
/* clang-format off */
#define BPF_CALLS(X)                                                          \
	X(MAP_LOOKUP) X(MAP_UPDATE) X(MAP_DELETE) X(MAP_NEXT) X(MAP_CREATE)   \
	X(MAP_MMAP) X(INFO) X(FD_BY_ID) X(TEST_RUN) X(GRACE) X(LOAD)          \
	X(OBJ_GET) X(OBJ_PIN) X(UNPIN) X(PROG_QUERY) X(LINK_CREATE)           \
	X(LINK_UPDATE) X(LINK_DETACH) X(TC_HOOK) X(TC_QUERY)     \
	X(TC_ATTACH) X(TC_DETACH) X(NETLINK)
/* clang-format on */

enum bpf_call {
#define X(name) CALL_##name,
	BPF_CALLS(X)
#undef X
		CALL_COUNT,
};

/*
 * For tests: whoever makes a call asks here first, and takes what it is told for the outcome if it
 * is not 0. object: the map, the pin or the device. It is one for the process, because opening and
 * flushing have calls too.
 */
typedef int (*bpf_fault_fn)(enum bpf_call call, const char *object, void *arg);
void bpf_fault_set(bpf_fault_fn fault, void *arg); /* NULL: nothing fails by itself */
int bpf_fault(enum bpf_call call, const char *object);
const char *bpf_call_name(enum bpf_call call);

/* ------------------------------------------------------------------ bpf_table.c */

/*
 * Sets *error to the sentence, with the text of the (negative) code at its end, and returns the
 * code. An error that was set before is replaced.
 */
int bpf_fail(char **error, int code, const char *format, ...) G_GNUC_PRINTF(3, 4);

int table_describe(struct bpf_table *table); /* fills in all but name and fd from the kernel */

/* Single entries of a map of the dataplane. The delete of a missing key succeeds. */
int table_update(struct dataplane *dataplane, enum bpf_table_id id, const void *key,
		 const void *value, uint64_t flags, char **error);
int table_delete(struct dataplane *dataplane, enum bpf_table_id id, const void *key, char **error);
int table_lookup(struct dataplane *dataplane, enum bpf_table_id id, const void *key, void *value);
/* What an update answered, as an error; returns code. */
int table_fail_update(const struct bpf_table *table, int code, char **error);

/* Calls each for every entry of the map until it returns false. 0 or -errno. */
typedef bool (*table_each_fn)(const void *key, const void *value, void *arg);
int table_each(const struct bpf_table *table, table_each_fn each, void *arg);

/*
 * The same a part at a time, while the map may change between two parts: an entry that is there all
 * the time is seen, in a hash perhaps twice. Tries: what is removed between two parts may begin the
 * walk anew.
 */
struct table_walk {
	struct bpf_table table; /* fd borrowed */
	uint32_t room;
	bool begun, by_key, ended;
	GByteArray *keys, *values, *token;
};
/* room: entries of a part, 0 for what takes less than a millisecond. */
struct table_walk *table_walk_new(const struct bpf_table *table, uint32_t room);
void table_walk_free(struct table_walk **walk);
/* One part; walk->ended after the last one, or when each returned false. 0 or -errno. */
int table_walk_next(struct table_walk *walk, table_each_fn each, void *arg);

/* Waits until no program runs that started before the call: an RCU grace period. */
int grace_period(struct dataplane *dataplane, char **error);
/* The same from any thread: no test has it fail. */
int grace_wait(struct dataplane *dataplane, char **error);

/* Value of a versioned entry for a packet that reads this generation. */
static inline uint32_t version_value(const struct sg_version *version, uint64_t generation)
{
	return generation >= version->epoch ? version->after : version->before;
}

/* ------------------------------------------------------------------ bpf_many.c */

/* count entries with different keys side by side, in batches where the kernel has them and by
 * several threads if there are many; *done says how many were written. */
int table_update_many(struct dataplane *dataplane, enum bpf_table_id id, const void *keys,
		      const void *values, uint32_t count, uint32_t *done, char **error);
/* Whether the kernel has what was written, entry by entry: only what it says itself is published.
 * For tables of struct sg_version. */
int table_read_back(struct dataplane *dataplane, enum bpf_table_id id, const void *keys,
		    const struct sg_version *versions, uint32_t count, char **error);

/* ------------------------------------------------------------------ bpf_keyed.c */

#define KEYED_SIZE 24u

struct keyed_entry {
	uint8_t key[KEYED_SIZE];
	uint32_t value;
	bool used;
	bool seen; /* the user's */
};

struct keyed {
	struct keyed_entry *entries;
	uint32_t capacity, count;
};

struct keyed *keyed_new(void);
void keyed_free(struct keyed **keyed);
void keyed_insert(struct keyed *keyed, const void *key, uint32_t value);
/* It will be looked for soon. */
void keyed_prefetch(const struct keyed *keyed, const void *key);
struct keyed_entry *keyed_find(const struct keyed *keyed, const void *key); /* or NULL */
/* The next one from *at on, which begins at 0; NULL at the end. */
struct keyed_entry *keyed_next(const struct keyed *keyed, uint32_t *at);

/* ------------------------------------------------------------------ bpf_object.c */

/* The lock of an instance, held while *lock is open; -EBUSY when another process has it. */
int instance_lock(const char *bpffs, int *lock, char **error);

/* name: NULL for the folder. */
char *pin_path(const struct dataplane *dataplane, const char *folder, const char *name);
bool has_pin(const struct dataplane *dataplane, const char *folder, const char *name);

extern const char *const table_names[TABLE_COUNT];
extern const char *const program_names[PROGRAM_COUNT];

/* The checksum of the BPF objects of this rulesd; the caller frees it. */
char *build_of_objects(void);

/* ------------------------------------------------------------------ bpf_build.c */

/* Takes the pinned maps and programs if they are of this build (a checksum of 64 characters). */
bool build_adopt(struct dataplane *dataplane, const char *build);
/* Pins the programs that are loaded, so that people can look at them, and counters be read, by
 * name, and so that the next one adopts them. */
int build_pin(struct dataplane *dataplane, const char *build, char **error);

#define PROGRAM_MAPS 64u
/* The ids of the maps that a program uses: how many, or -errno. */
int program_maps(int program, uint32_t ids[PROGRAM_MAPS]);

/* Whether the checksum that is pinned is this one. */
bool build_is_pinned(const struct dataplane *dataplane, const char *build);

/* ------------------------------------------------------------------ bpf_migrate.c */

/* The ABI version of the maps in a folder ("maps"); 0 when there are none, or none yet. */
uint32_t migrate_version(const struct dataplane *dataplane, const char *folder);
/* Finds out which folder the maps of this version are to be pinned in (dataplane->maps_folder), and
 * whether there are older ones; finishes what a killed predecessor began. */
int migrate_begin(struct dataplane *dataplane, const char *build, char **error);
/* With the maps mapped and before they have a version: what the old ones know. */
int migrate_fill(struct dataplane *dataplane, char **error);
/* With shards adopted. */
int migrate_halves(struct dataplane *dataplane, char **error);
/* Copies the flows of a slot that are not there yet: before and after its programs are exchanged.
 */
int migrate_flows(struct dataplane *dataplane, uint32_t slot, char **error);
void migrate_close(struct dataplane *dataplane);

/* ------------------------------------------------------------------ bpf_held.c */

void held_init(struct dataplane *dataplane);
void held_free(struct dataplane *dataplane);
/* Kernel numbers of an image's ones; 0 when the kernel does not hold that content (yet). */
uint32_t held_policy_of(struct dataplane *dataplane, const struct image_policy *policy);
uint32_t held_set_of(struct dataplane *dataplane, uint32_t image_set);
/* Finds or writes (rules' counters and intervals first, keys last); adds its writes to *writes. */
int held_policy_ensure(struct dataplane *dataplane, const struct image_policy *policy,
		       uint32_t *number, unsigned int *writes, char **error);
int held_set_ensure(struct dataplane *dataplane, const struct image_set *set, unsigned int *writes,
		    char **error);
struct held_policy *held_policy_at(struct dataplane *dataplane, uint32_t number);
struct held_set *held_set_at(struct dataplane *dataplane, uint32_t number);
/* Wanted from now on, or retired at the generation that holds. */
void held_want_policy(struct dataplane *dataplane, const struct image_policy *policy, bool wanted);
void held_want_set(struct dataplane *dataplane, const struct image_set *set, bool wanted);
/* Removes the counters of rules that no policy names. */
void held_drop_rules(struct dataplane *dataplane);
/* What was written since the last apply that held is not wanted after all. */
void held_forget_fresh(struct dataplane *dataplane);
/* Exactly the image's ones are wanted from now on: the others are retired. */
void held_want(struct dataplane *dataplane, const struct image *image);
/* The same of what the delta names. */
void held_want_delta(struct dataplane *dataplane, const struct image_delta *delta);
/* Remove it from the kernel, unless it is wanted again or an interface uses it. Nobody may read it
 * any more. */
int held_policy_drop(struct dataplane *dataplane, uint32_t number, char **error);
int held_set_drop(struct dataplane *dataplane, uint32_t number, char **error);
/* What the kernel has of one entry of a policy; false: nothing. */
bool held_find(const struct held_policy *policy, const struct sg_policy_key *key,
	       struct sg_policy_ports *value);
/* An entry stays in the kernel that the policy has no rules under; or whether one does. */
void held_add_empty(struct held_policy *policy, const struct sg_policy_key *key);
bool held_is_empty(const struct held_policy *policy, const struct sg_policy_key *key);
/* Counters of rules that have none yet, and of more than one interval their place, which is the
 * caller's: on failure none is taken. */
int held_write_ports(struct dataplane *dataplane, const struct held_ports *ports, uint32_t *start,
		     unsigned int *writes, char **error);
/* Whether the kernel has that; or writes it, where nobody looks it up. */
int held_read_back(struct dataplane *dataplane, const struct sg_policy_key *key,
		   const struct sg_policy_ports *wrote, char **error);
int held_write_key(struct dataplane *dataplane, const struct sg_policy_key *key,
		   const struct sg_policy_ports *value, unsigned int *writes, char **error);
/* Other rules under the same number; returns the ones before. */
GBytes *held_replace(struct dataplane *dataplane, struct held_policy *policy,
		     const struct image_policy *old, const struct image_policy *new,
		     GBytes *content, GArray *starts);
/* Removes the counters of those that no policy names. */
void held_drop_rules_of(struct dataplane *dataplane, GBytes *content);
/* Takes what was read back at opening. */
void held_add_policy(struct dataplane *dataplane, uint32_t number, GBytes *content, GArray *starts);
void held_add_set(struct dataplane *dataplane, uint32_t number, GBytes *content);

/* ------------------------------------------------------------------ bpf_intervals.c */

/* -ENOSPC when no extent is large enough. */
int intervals_take(GArray *free_extents, uint32_t count, uint32_t *start);
void intervals_give(GArray *free_extents, uint32_t start, uint32_t count);

/* ------------------------------------------------------------------ bpf_outline.c */

/* The outline of rules as held_policy_content() has them. */
void outline_of(GBytes *content, uint32_t policy, struct sg_outline *outline);
/* *index stays 0 when there is no room; otherwise it is to be given back, also after an error. */
int outline_write(struct dataplane *dataplane, uint32_t policy, GBytes *content, uint32_t *index,
		  unsigned int *writes, char **error);
/* So that it admits what the policy allows and what content does. */
int outline_widen(struct dataplane *dataplane, struct held_policy *policy, GBytes *content,
		  unsigned int *writes, char **error);
/* And no more than what the policy allows: when no packet reads the one before. */
int outline_narrow(struct dataplane *dataplane, struct held_policy *policy, char **error);
/* Nobody may read it any more. */
void outline_give(struct dataplane *dataplane, uint32_t index);
/* At opening: gives the policies that were read back theirs; the rest is free. */
int outlines_read(struct dataplane *dataplane, char **error);
struct iface_change;
/* Before a flip: flows of the slot may be left that its policy's outline does not admit ... */
void outline_unclean(struct dataplane *dataplane, uint32_t slot);
/* ... because the change lets flows live longer that nobody has asked about. */
void outline_unclean_older(struct dataplane *dataplane, const struct iface_change *change);
/* Says from when on there are none. jiffies: a time after the last flip. */
void outline_clean(struct dataplane *dataplane, uint64_t jiffies);

/* ------------------------------------------------------------------ bpf_content.c */

GBytes *held_policy_content(const struct image_policy *policy);
int held_ports_compare(const void *a, const void *b); /* direction, peer, protocol */

/* One entry as the maps have it; start: of its intervals. */
struct sg_policy_key held_key(uint32_t policy, const struct held_ports *ports);
struct sg_policy_ports held_value(const struct held_ports *ports, uint32_t start);
/* Whether every port of old is also one of new. */
bool held_ports_cover(const struct held_ports *old, const struct held_ports *new);

/* Walks the entries of a content; NULL at the end. */
struct held_cursor {
	const char *at, *end;
};
struct held_cursor held_cursor_of(GBytes *content);
const struct held_ports *held_cursor_next(struct held_cursor *cursor,
					  const struct sg_interval **intervals);

/* Whether the old one allows anything that the new one may not; NULL allows nothing. */
bool held_policy_shrinks(const struct held_policy *old, GBytes *new_content);

/* ------------------------------------------------------------------ bpf_image_read.c */

/* Everything at opening; finishes or takes back what a killed predecessor left half done. */
int image_read_all(struct dataplane *dataplane, char **error);
/* Takes back what was written for a generation that never came. */
int image_take_back(struct dataplane *dataplane, enum bpf_table_id id, char **error);
/* Adds the kernel numbers of members or prefixes as they hold now. */
int image_read_values(struct dataplane *dataplane, enum bpf_table_id id, struct keyed *values,
		      char **error);
int held_guard_compare(const void *a, const void *b);

/* ------------------------------------------------------------------ bpf_by_id.c */

/* Maps that had no pin when rulesd started. */
struct by_id;
/* Those of dataplane_prepare, or anew. *lock: of the bpffs (instance_lock), the caller's. -EPERM
 * or -ENOSYS when there are some that cannot be opened any more. */
int by_id_take(const char *bpffs, struct by_id **by_id, int *lock, char **error);
/* The paths of what repin_maps has pinned before; the caller's. */
GPtrArray *by_id_take_repinned(struct by_id *by_id);
void by_id_free(struct by_id *by_id); /* NULL: nothing */
/* A new descriptor of the map at an index of the outer one with this id; -ENOENT. */
int by_id_inner(const struct by_id *by_id, uint32_t outer, uint32_t index);
/* The descriptor itself: there may not be as many as for two of each. -ENOENT from then on. */
int by_id_take_inner(struct by_id *by_id, uint32_t outer, uint32_t index);
/* A descriptor, not the caller's, of a map that a pinned program uses; 0: there was none. */
int by_id_map(const struct by_id *by_id, uint32_t id);
/* The id of a map that is open. */
int inner_id(int fd, uint32_t *id);

/* ------------------------------------------------------------------ bpf_repin.c */

/* Pins maps again that pinned programs use and that have lost their pins; adds the paths. To be
 * called under the lock of the bpffs, with CAP_SYS_ADMIN: without it nothing happens. */
int repin_maps(const char *bpffs, GPtrArray *pinned, char **error);

/* ------------------------------------------------------------------ bpf_shards.c */

/* At opening: the inner maps that there are. */
int shards_take(struct dataplane *dataplane, char **error);
/* Whether the outer map has the one that is held there; an error counts as yes: it is looked at
 * again. */
bool shards_has_inner(struct dataplane *dataplane, enum bpf_table_id outer, uint32_t index);
void shards_close(struct dataplane *dataplane);

/* Sum of all reservations. */
uint32_t shards_reserved(const struct dataplane *dataplane);
/* Finds or makes room for max_flows; -ENOSPC with the numbers. */
int shards_reserve(struct dataplane *dataplane, const char *id, uint32_t max_flows, uint32_t *shard,
		   char **error);
/* In place; -ENOSPC when the shard or the host has no room. */
int shards_resize(struct dataplane *dataplane, const char *id, uint32_t shard, uint32_t from,
		  uint32_t to, char **error);
int shards_release(struct dataplane *dataplane, uint32_t shard, uint32_t max_flows, char **error);
/* A table that somebody has taken away, with its flows; an empty one when it is not held. To be
 * published. */
int shards_make_again(struct dataplane *dataplane, uint32_t shard, char **error);
int shards_make_half_again(struct dataplane *dataplane, uint32_t slot, char **error);
/* Whether one more interface may be attached; -EMFILE and a reason that is the same for all of them
 * when it would need descriptors that clients and files are to have. */
int shards_check_descriptors(const struct dataplane *dataplane, char **error);
/* The inner map of half-open flows of a slot. */
int shards_make_half(struct dataplane *dataplane, uint32_t slot, char **error);
/*
 * Puts the maps that were made into their places, all at once; when it returns 0, packets find them
 * there, but programs that started before may still run. On failure none of them counts.
 */
int shards_publish(struct dataplane *dataplane, char **error);
/* Waits for what shards_publish began: before any of those maps is taken away again. */
void shards_published(struct dataplane *dataplane);
/* Waits for every program that runs now: afterwards none opens a flow of these slots. codes[i]: of
 * slots[i], which is left alone when it is not 0 before. */
void shards_drop_halves(struct dataplane *dataplane, const uint32_t *slots, uint32_t count,
			int *codes);
/* Opens the inner map of an outer one; -ENOENT when the element is empty, -EPERM when somebody else
 * has put one there. The caller closes fd. */
int shards_open_inner(struct dataplane *dataplane, enum bpf_table_id outer, uint32_t index,
		      struct bpf_table *inner);
/* Reservations as the kernel's interfaces have them, at opening; drops shards nobody uses. */
int shards_adopt(struct dataplane *dataplane, char **error);

/* ------------------------------------------------------------------ bpf_device.c */

/* What rtnetlink says of the programs on a device. */
struct device_view {
	uint32_t xdp[3]; /* numbers of its XDP programs, of any mode; 0: none */
	bool clsact;	 /* may have tc filters */
};

/* One device of this namespace; -ENODEV when there is none. */
int device_look(uint32_t ifindex, struct device_view *view);
/* All of them: ifindex -> struct device_view, owned by the table. */
int device_look_all(GHashTable **views);
/* The program of one filter of its clsact qdisc. */
struct device_filter {
	uint32_t program; /* 0: no BPF program */
	char name[64];	  /* as who attached it says: libbpf has "PROGRAM:[ID]" */
};
/* parent: of the side, as TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS). -ENOENT, -ENODEV or -EINVAL:
 * none. */
int device_filter(uint32_t ifindex, uint32_t parent, uint32_t handle, uint16_t priority,
		  struct device_filter *filter);
/* How many tc filters its clsact qdisc has, whoever they belong to. */
int device_filters(uint32_t ifindex, unsigned int *count);

/* ------------------------------------------------------------------ bpf_filters.c */

/* The program of our filter in that direction, as the VM sees it; 0: we have none there. */
int filter_look(uint32_t ifindex, enum sg_dir dir, uint32_t *program);
/* Puts it on or replaces it; *made_qdisc becomes true when there was no clsact before. */
int filter_put(uint32_t ifindex, enum sg_dir dir, int program, const char *device, bool *made_qdisc,
	       char **error);
/* 0 also when there is none. */
int filter_remove(uint32_t ifindex, enum sg_dir dir, char **error);
/* Takes the clsact away if nobody has a filter in it. */
bool filter_remove_qdisc(uint32_t ifindex);

/* ------------------------------------------------------------------ bpf_hooks.c */

/* linux/bpf.h of kernels before 6.6 does not know them. */
#define ATTACH_TCX_INGRESS 46
#define ATTACH_TCX_EGRESS  47

/* Where a program of ours can be. */
enum hook_place {
	PLACE_XDP,
	PLACE_TCX_EGRESS,
	PLACE_TCX_INGRESS,
	PLACE_TC_EGRESS,
	PLACE_TC_INGRESS,
	PLACES,
};

struct hooks_wish {
	const char *device;
	uint32_t slot, ifindex;
	enum model_hook hook; /* auto chooses */
	bool vnet_hdr;
	bool quick;	   /* filters where a new link would wait for a grace period */
	GHashTable *views; /* of device_look_all, or NULL: the device is asked */
};

/*
 * Puts the programs on the device, updates those that are there, reads both directions back, and
 * takes away those of another hook. *used is the one in place; *quick: a filter stands where a link
 * belongs.
 */
int hooks_install(struct dataplane *dataplane, const struct hooks_wish *wish, bool *quick,
		  enum model_hook *used, char **error);
/* Takes every program of ours off; 0 also when there is none or no such device. */
int hooks_remove(struct dataplane *dataplane, uint32_t slot, uint32_t ifindex, char **error);
/* Takes our tc filters off a device, whoever attached them. */
unsigned int hooks_remove_filters(uint32_t ifindex);

struct hooks_seen {
	bool any;	      /* some program of ours runs on this device of this namespace */
	bool live;	      /* both directions are filtered */
	bool pinned;	      /* some link has a pin */
	enum model_hook used; /* if live: by which hook */
};
/* views as of hooks_wish. */
int hooks_look(struct dataplane *dataplane, uint32_t slot, uint32_t ifindex, GHashTable *views,
	       struct hooks_seen *seen, char **error);

/*
 * Calls each for every place where another program of ours runs than the one that struct held_slot
 * and this build want there; 0: none.
 */
typedef void (*hooks_differ_fn)(const char *place, uint32_t expected, uint32_t found, void *arg);
int hooks_compare(struct dataplane *dataplane, uint32_t slot, GHashTable *views,
		  hooks_differ_fn each, void *arg, char **error);

/* Places where a filter stands for a link that belongs there. */
int hooks_missing(struct dataplane *dataplane, const struct hooks_wish *wish,
		  enum hook_place missing[2], unsigned int *count, char **error);
enum bpf_program_id hooks_program(enum hook_place place);
char *hooks_link_path(const struct dataplane *dataplane, uint32_t slot, enum hook_place place);
/* A new link, pinned. Touches nothing but the kernel: any thread may call it. */
int hooks_create_link(int program, uint32_t ifindex, enum hook_place place, uint32_t flags,
		      const char *path, char **error);
/* Kernel 6.6 and later. */
bool hooks_have_tcx(void);

/* ------------------------------------------------------------------ bpf_early.c */

/* Takes the XDP program of a flood off a slot; 0 also when there is none. */
int early_remove(struct dataplane *dataplane, uint32_t slot, char **error);
/* Off every slot, as far as possible. */
void early_remove_all(struct dataplane *dataplane);

/* ------------------------------------------------------------------ bpf_covered.c */

/* -EBUSY with what is the matter while dataplane_is_covered. */
int covered_fail(const struct dataplane *dataplane, char **error);

/* ------------------------------------------------------------------ bpf_intact.c */

/* Lets go of the links of a slot: before they are removed, and when there are new ones. */
void intact_forget(struct dataplane *dataplane, uint32_t slot);
/* Holds the links of a slot that was just attached, if there are descriptors to spare: from then on
 * they filter, whatever happens to their pins. */
void intact_keep(struct dataplane *dataplane, uint32_t slot);
void intact_close(struct dataplane *dataplane);
/* Whether the entries of all interfaces say what they should of where they are. */
bool intact_ifaces(const struct dataplane *dataplane);

/* ------------------------------------------------------------------ bpf_reap.c */

/* For threads: waits for hooks_turn, false when *cancel becomes true meanwhile. */
bool reap_turn(struct dataplane *dataplane, const gint *cancel);
/* Gives a tcx link a program that decides nothing. */
int reap_idle(struct dataplane *dataplane, int link);
/* Has it removed by a thread; takes the descriptor. */
void reap_link(struct dataplane *dataplane, int *link);
/* Waits until all of them are. */
void reap_end(struct dataplane *dataplane);

/* ------------------------------------------------------------------ bpf_upgrade.c */

/* Waits for the thread that makes links for that slot, or for any (0). */
void upgrade_join(struct dataplane *dataplane, uint32_t slot);

/* ------------------------------------------------------------------ bpf_plan.c */

struct iface_change {
	uint32_t slot;
	const char *id;
	struct sg_iface_conf conf; /* policy is the kernel's number */
	const struct image_policy *policy;
	bool conf_differs;
	bool in_place; /* only the policy, stored into the version that holds */
	bool removes;  /* something that was allowed may not be any more */
	uint32_t flows_before;
	GArray *guards; /* as struct held_slot's, or NULL when they do not differ */
	GArray *vlans;
};

struct plan {
	GArray *changes;  /* of struct change */
	GArray *ifaces;	  /* of struct iface_change */
	GHashTable *gone; /* peers that lost a member or an entry */
	/* Not NULL: whatever its members differ in is written, too (bpf_members.c). */
	const struct image *members_of;
	GArray *removed;  /* of struct change: members that this removed */
	GPtrArray *edits; /* of struct policy_edit */
};

/* Guards and VLANs of an interface as the maps hold them. */
GArray *plan_guards(const struct image_iface *iface);
GArray *plan_vlans(const struct image_iface *iface);
struct sg_iface_conf plan_conf(const struct dataplane *dataplane, const struct image_iface *iface,
			       uint32_t policy, uint32_t shard);
const struct sg_iface_conf *plan_current_conf(const struct dataplane *dataplane, uint32_t slot,
					      unsigned int *index);

struct plan *plan_new(void);
void plan_free(struct plan **plan);
/* Peers that an address stood for and does not any more; in the kernel's sets. */
void plan_gone(struct dataplane *dataplane, uint32_t before, uint32_t after, struct plan *plan);
/* Add what differs. Sets and policies must be in the kernel: everything is in its numbers. */
int plan_image(struct dataplane *dataplane, const struct image *image, struct plan *plan,
	       char **error);
int plan_delta(struct dataplane *dataplane, const struct image_delta *delta, struct plan *plan,
	       char **error);
int plan_iface(struct dataplane *dataplane, const struct image_iface *iface, struct plan *plan,
	       char **error);
bool plan_empty(const struct plan *plan);
void plan_add(struct plan *plan, const struct dataplane *dataplane, struct change change,
	      const void *key);

/* ------------------------------------------------------------------ bpf_settle.c */

void settle_init(struct dataplane *dataplane);
void settle_free(struct dataplane *dataplane);
/* Ends the thread that waits for grace periods, if there is one. */
void settle_stop(struct settling *settling);
/* What a predecessor did last may have touched anything. */
void settle_opened(struct dataplane *dataplane);
/* Every packet that runs has read this generation or a later one. */
uint64_t settle_generation(struct dataplane *dataplane);
/*
 * Whether writing the plan now could show a packet neither the policy before nor the one after some
 * flip. Chooses which interfaces' policies are stored in place.
 */
bool settle_conflicts(struct dataplane *dataplane, struct plan *plan);
/* The same of its edits alone. */
bool settle_edits_fit(struct dataplane *dataplane, const struct plan *plan);
/* After the plan was published as generation: what it touched. */
void settle_flipped(struct dataplane *dataplane, const struct plan *plan, uint64_t generation);
/* An entry that a change wrote and took back. */
void settle_undone(struct dataplane *dataplane, enum bpf_table_id table, const uint8_t key[24]);
void settle_dead(struct dataplane *dataplane, const struct change *change, uint64_t since);
void settle_retire(struct dataplane *dataplane, bool set, uint32_t number, uint64_t since);
/* Removes the dead entries that nobody can read any more, and takes back what a failed change left:
 * before anything is written. */
int settle_entries(struct dataplane *dataplane, char **error);
/* The same after a grace period, if there is anything to wait for. */
int settle_wait(struct dataplane *dataplane, char **error);

/* ------------------------------------------------------------------ bpf_members.c */

/* Reads the kernel's members back and writes those of plan->members_of that differ. */
int members_write(struct dataplane *dataplane, struct plan *plan, uint64_t epoch,
		  unsigned int *writes, char **error);

/* ------------------------------------------------------------------ bpf_hints.c */

/* Empties the table and has it filled. */
void hints_renew(struct dataplane *dataplane);
/* The same at opening. */
void hints_open(struct dataplane *dataplane);
void hints_close(struct dataplane *dataplane);
/* Before the entry of a member is written or deleted (bpf_table.c). */
void hints_forget(struct dataplane *dataplane, const void *key); /* sg_member_key, anywhere */
/* A member that may have changed at a generation that is settled. */
void hints_learn(struct dataplane *dataplane, const struct sg_member_key *key);
/* All members are to be learned when the generation that holds is settled. */
void hints_want(struct dataplane *dataplane);
/* Learns some; true while there are more. */
bool hints_step(struct dataplane *dataplane);
/* The set that the programs would find, 0 when they would look on. */
uint32_t hints_find(const struct dataplane *dataplane, const struct sg_member_key *key);

/* ------------------------------------------------------------------ bpf_edit.c */

/* old and new lie in the contents before and after. */
struct ports_edit {
	struct sg_policy_key key;
	const struct held_ports *old, *new; /* NULL: no such entry */
	uint32_t old_start;
	guint at; /* of the new one in starts */
};

struct policy_edit {
	struct held_policy *policy;
	const struct image_policy *old, *new;
	GBytes *content; /* what it will be, as struct held_policy has it */
	GArray *starts;
	GArray *entries; /* of struct ports_edit: what differs */
};

void edit_free(gpointer edit);
/* A tag that no version before of the entry has that somebody may still read; 0: none is left. */
uint8_t edit_free_tag(const struct dataplane *dataplane, const struct sg_policy_key *key);

GPtrArray *edits_new(void);
void edits_init(struct dataplane *dataplane);
void edits_free(struct dataplane *dataplane);
/* Adds the new policies of the delta that are better written into ones that go: for the image they
 * are in the kernel then. Takes nothing else from delta. */
void edits_plan(struct dataplane *dataplane, const struct image_delta *delta, struct plan *plan);
/* They are not: the change has failed. */
void edits_abandon(struct dataplane *dataplane, const struct plan *plan);
/* Writes them for generation epoch. */
int edits_write(struct dataplane *dataplane, const struct plan *plan, uint64_t epoch,
		unsigned int *writes, char **error);
/* Takes back what was written for a generation that does not come. */
int edits_undo(struct dataplane *dataplane, char **error);
/* The generation holds. */
void edits_keep(struct dataplane *dataplane, const struct plan *plan, uint64_t generation);
/* Entries that have two versions get one again, as far as nobody can read the other one. */
int edits_finish(struct dataplane *dataplane, uint64_t settled, char **error);
/* Whether there is something to be done, now or when what holds is settled. */
bool edits_due(const struct dataplane *dataplane);
/* Whether an entry may have two versions, or be the one before (pad). */
bool edits_pending(const struct dataplane *dataplane, const struct sg_policy_key *key);
/* What a predecessor left of an entry with two versions. */
void edits_adopt(struct dataplane *dataplane, const struct edited_key *key);
/* Has everybody read the one before, if the entry was written; key->word: what it has now, 0: it
 * was not written. */
int edits_take_back(struct dataplane *dataplane, struct edited_key *key,
		    const struct sg_policy_ports *before, char **error);
/* The first 8 bytes of an entry. */
static inline uint64_t ports_word(const struct sg_policy_ports *ports)
{
	return (uint64_t)ports->start << 32 | ports->count;
}
/* The key of it for bpf_settle.c. */
const uint8_t *edit_touched_key(const struct sg_policy_key *key, uint8_t touched[24]);

/* ------------------------------------------------------------------ bpf_apply.c */

/* Takes back what a failed apply wrote: entries read as before for every generation. */
int apply_undo(struct dataplane *dataplane, char **error);
/* Writes the plan and flips. */
int apply_plan(struct dataplane *dataplane, struct plan *plan, bool keep, unsigned int *writes,
	       char **error);

/* A flip that changes nothing but that every flow is evaluated again at its next packet. */
int apply_reevaluate(struct dataplane *dataplane, char **error);

/* ------------------------------------------------------------------ bpf_collect.c */

/* One pass over a shard (program COLLECT_FLOWS) or over a slot's half-open flows (COLLECT_HALF); or
 * the clock alone (COLLECT_CLOCK). */
int collect_pass(struct dataplane *dataplane, enum bpf_program_id program, struct sg_collect *pass,
		 char **error);
/* Evaluates now what a removal before has made doubtful: what it leaves is allowed at this moment.
 */
int collect_settle(struct dataplane *dataplane, char **error);

/* ------------------------------------------------------------------ bpf_cells.c */

/* Buckets that a visit maps at a time: mapped pages count as memory of the process. */
#define CELLS_WINDOW 4096u

/* Buckets of a shard in memory that the programs share. */
struct cells_window {
	struct sg_bucket *buckets;
	uint32_t first, count;
};

/* A flow as it was read, and where: valid while the window is mapped. */
struct cell_copy {
	struct sg_cell cell;
	struct sg_cell *at;
	__u32 *tag;	 /* the word of its cell ... */
	uint32_t tagged; /* ... as it was read */
};

typedef bool (*cells_fn)(const struct cell_copy *flow, void *arg);

/* first is a multiple of 64, for whole pages. 0 or -errno. */
int cells_map(const struct bpf_table *shard, uint32_t first, uint32_t count,
	      struct cells_window *window);
void cells_unmap(struct cells_window *window);
/* Each flow of a shard until each says false; 0 or -errno. */
int cells_each(const struct bpf_table *shard, cells_fn each, void *arg);
/* The same of some buckets; first as of cells_map. */
int cells_some(const struct bpf_table *shard, uint32_t first, uint32_t count, cells_fn each,
	       void *arg);
/* Takes a flow out; true for the one who did it, who counts it down as what last says it was. */
bool cells_remove(const struct cell_copy *copy, uint64_t jiffies, struct sg_flow *last);
/*
 * Puts a flow into a shard, all of whose buckets the window has, as a packet that opened it would;
 * to count it is the caller's. secret is sg_control.hash. 0, -EEXIST, or -ENOSPC: no room in its
 * two buckets.
 */
int cells_insert(const struct cells_window *window, const __u64 secret[4], uint64_t jiffies,
		 const struct sg_flow_key *key, const struct sg_flow *flow);

/* ------------------------------------------------------------------ bpf_flows.c */

/* Every flow in the tables of one slot (0: of all), live or expired. */
struct flow_visit {
	const struct sg_flow_key *key; /* a copy */
	const struct sg_flow *flow;    /* a copy */
	const struct cell_copy *cell;  /* of a shard; NULL: in an LRU */
	bool expired;
	uint64_t jiffies; /* when the visit began ... */
	gint64 began;	  /* ... and in microseconds of g_get_monotonic_time() */
	const struct sg_iface_conf *conf;
};
typedef bool (*flow_visit_fn)(const struct flow_visit *visit, void *arg);
int flows_visit(struct dataplane *dataplane, uint32_t slot, flow_visit_fn each, void *arg,
		char **error);

/* ------------------------------------------------------------------ bpf_events.c */

void events_close(struct dataplane *dataplane);
