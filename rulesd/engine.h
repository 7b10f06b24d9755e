/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine.h - the core of rulesd: the one place that owns what holds, and that changes it.
 *
 *   engine.c            start, stop, timers, numbers of the whole
 *   engine_candidate.c  a whole policy worked out, before anything is touched
 *   engine_change.c     a change in place, at the cost of what changes
 *   engine_policy.c     replacing the policy, patching it, rollback
 *   engine_text.c       the texts of the policy, which are on disk only
 *   engine_digest.c     the digest of a large one, in a thread
 *   engine_compact.c    a journal that has grown, in a thread
 *   engine_interface.c  interfaces attached by hand
 *   engine_kept.c       interfaces that nobody knows any more
 *   engine_inherit.c    devices that go from one interface to another
 *   engine_attach.c     attaching and detaching what a change names, or all
 *   engine_flood.c      XDP while a VM floods
 *   engine_covered.c    a bpffs that nobody sees any more, said
 *   engine_intact.c     what somebody else takes away, put back within a second
 *   engine_verify.c     what is believed against what the kernel holds
 *   engine_guard.c      the device group that says that a device is filtered (--guard)
 *   engine_watch.c      devices coming and going, programs removed, links for filters
 *
 * Everything runs in one thread, on the default GMainContext. A change either holds as a whole, in
 * the kernel and on disk, before the call returns 0, or nothing changed and diag says why.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "rulesd/dataplane.h"
#include "rulesd/diag.h"
#include "rulesd/image.h"
#include "rulesd/links.h"
#include "rulesd/model.h"
#include "rulesd/numbers.h"
#include "rulesd/options.h"
#include "rulesd/state.h"

enum engine_iface_state {
	ENGINE_FILTERING, /* programs in place, both directions decided by its rules */
	ENGINE_WAITING,	  /* no such device yet; attached at once when it appears */
	ENGINE_FAILED,	  /* the device is there, but error says why it is not filtered; retried */
	ENGINE_REMOTE,	  /* no device, or another host's: a member only */
};

/* An interface that this host attaches, at run time. */
struct engine_iface {
	char *id;
	char *device;
	uint32_t slot;
	uint32_t ifindex;     /* of the device that the slot is attached to; 0: to none */
	enum model_hook hook; /* in use; only while ifindex is not 0 */
	enum engine_iface_state state;
	char *error;  /* ENGINE_FAILED: why */
	bool lost;    /* its device is gone, and it has not been detached yet */
	bool leaving; /* about to be detached */
	bool robbed;  /* its programs were removed, and it is still on the same device */
	/* On a device that an exchange left it with, and that it is not wanted on. */
	bool displaced;
	/* Its device went, and its flows wait for it to come back, until then (monotonic). */
	bool parked;
	int64_t parked_until_us;
	char called[IFNAMSIZ]; /* its device, as last heard */
	bool quick;	       /* filtered by tc filters until there are links */
	bool renewed;	       /* attached since this rulesd runs: its programs are ours */

	/* engine_flood.c */
	struct {
		uint64_t dropped, passed; /* frames that the VM sent, as last looked at */
		int64_t looked_us;	  /* monotonic; 0: not yet */
		unsigned int quiet;	  /* looks since the flood was over */
		bool early;		  /* XDP drops what tc would */
		bool refused;		  /* the device cannot have it */
	} flood;

	uint64_t refused; /* new flows beyond max_flows, as last reported */

	enum model_hook wanted_hook; /* as the model said when it was attached */
	/* attach --adopt-flows, until it is attached for the first time. Not kept on disk: neither
	 * a restart nor a device that comes back opens that window again. */
	unsigned int adopt_seconds;
};

/* Filtered as it is pinned, because the state directory does not know it any more. */
struct engine_kept {
	uint32_t slot, ifindex;
	char *device; /* at start */
};

/* What somebody else has taken away since the start, and rulesd has put back. */
struct engine_repairs {
	uint64_t programs; /* of interfaces */
	uint64_t pins;
	uint64_t entries; /* of maps */
	char *last;	  /* the last one, or NULL */
	int64_t last_at;  /* seconds since the epoch */
	char *failed;	  /* what could not be put back, and why; or NULL */
};

/* Read by everyone, written by engine*.c only. */
struct engine {
	const struct options *options;
	struct state *state;
	struct dataplane *dataplane;
	struct links *links;
	struct guard *guard;   /* NULL: no --guard */
	uint64_t guard_groups; /* device groups that somebody changed and we put back */
	struct numbers *numbers;
	struct model *model; /* of the policy that holds, plus interfaces attached by hand */
	struct image *image; /* of model */
	GHashTable *ifaces;  /* id -> struct engine_iface, those of image->ifaces */
	GHashTable *by_device, *by_ifindex; /* the same; engine_attach.c keeps them */
	char *policy_error; /* why the policy directory is not what holds, or NULL */
	int64_t started_us; /* monotonic */

	GHashTable *kept;  /* slot -> struct engine_kept */
	GArray *inherited; /* engine_inherit.c: of the change that is being made */
	bool blank;	   /* nothing of the model was ever written to the kernel: see kept */

	/* Told after the state of an interface changed or a digest was worked out; for who waits.
	 */
	void (*changed)(void *arg);
	void *changed_arg;

	/* Told what was put back that somebody else had taken away. */
	void (*told_repair)(const char *what, void *arg);
	void *told_repair_arg;

	/* engine_confirm.c: a policy on trial */
	uint64_t confirm_back_to; /* generation; 0: none was there before */
	int64_t confirm_until;	  /* seconds since the epoch */
	guint confirm_timer;
	bool on_trial;

	bool ready; /* start is over: link events count from now on */
	guint collect_timer;
	guint settle_timer; /* 0: the kernel holds nothing that is to go */
	guint repair_timer;
	guint flood_timer;
	guint guard_timer; /* while a device group could not be put back */
	/* engine_watch.c */
	guint grace_timer;   /* while any interface is parked */
	GHashTable *touched; /* ids whose devices came or went, or NULL */
	guint touched_source;
	uint32_t check_next; /* slot, while check_timer runs */
	guint check_timer;
	GQueue upgrades; /* ids that wait for their links */
	char *upgrading; /* whose links are made just now, or NULL */
	guint upgrade_timer;
	struct engine_intact *intact; /* engine_intact.c; NULL: nobody looks */
	const char *covered;	      /* why no pin can be found (engine_covered.c), or NULL */
	struct engine_repairs repairs;
	struct engine_verification *verifying; /* engine_verify.c; NULL: none */
	struct engine_digest *digest;	       /* being worked out; NULL: none */
	int64_t digest_after_us;	       /* no other one before (monotonic) */
	struct engine_compaction *compaction;  /* of the journal; NULL: none */
	int64_t compact_after_us;	       /* no other one before (monotonic) */
};

struct engine_counts {
	unsigned int filtering, waiting, failed, remote;
};

struct engine_result {
	uint64_t generation;
	bool changed;
	int writes; /* to kernel maps; -1 when unknown (a dry run) */
	struct engine_counts interfaces;
};

/*
 * Restores what the state directory says: opens the dataplane, applies, adopts what is pinned,
 * attaches what is missing and detaches what is not wanted any more. 0 or -errno and *error (the
 * caller frees it).
 */
int engine_open(const struct options *options, struct engine **engine, char **error);
/* rulesd --flush: the guard's table goes, and the device group of those that it let pass: *count of
 * them; *table: there was one. 0, or -errno and *error. */
int engine_guard_flush(const struct options *options, bool *table, unsigned int *count,
		       char **error);
/* Everything that filters stays. */
void engine_close(struct engine **engine);
/* Says what becomes of what is filtered when rulesd ends, and has the guard shut what does not stay
 * filtered (engine_covered.c). */
void engine_before_end(const struct engine *engine);

/* What users see as generation; never goes back. */
uint64_t engine_generation(const struct engine *engine);
/* "api", "policy-dir:PATH" or "none". Borrowed. */
const char *engine_source(const struct engine *engine);
/*
 * The SHA-256 of a policy's canonical form. It is worked out when it is asked for, and remembered:
 * at once of up to a megabyte of text. Of a larger one, which takes seconds for a million members,
 * it is NULL until a thread, which begins when wanted, has worked it out. NULL of no policy.
 * Borrowed.
 */
const char *engine_sha256(struct engine *engine, struct state_generation *generation, bool wanted);
/* The canonical form of a policy (load_canonical), NULL: of none; NULL and *error when the disk
 * does not give it. The caller frees. Of state only its path and the directory of the policies are
 * looked at, so that a thread may ask. */
char *engine_policy_text(const struct state *state, const struct state_generation *generation,
			 char **error);
/* Whether that of the policy that holds takes milliseconds, or less. */
bool engine_text_is_quick(const struct engine *engine);
struct engine_counts engine_counts(const struct engine *engine);

/*
 * Changes. 0 with *result or *created filled, or a negative code and at least one entry in diag:
 *   -EBADMSG  not JSON                          -EINVAL  does not validate or compile
 *   -EEXIST   the other kind of source owns it  -ENOENT  no such object   -ENODEV no such device
 *   -ENOSPC   its flows do not fit              -EIO     the kernel or the disk refused
 *   -EALREADY what only a new one may have
 */

/* Takes sources, also on failure. keep: live flows survive what is removed. */
int engine_replace_policy(struct engine *engine, GPtrArray *sources, const char *source, bool keep,
			  bool dry_run, struct engine_result *result, struct diag *diag);
/* The same for a patch of the policy that holds (load.h). */
int engine_patch_policy(struct engine *engine, GPtrArray *sources, const char *source, bool keep,
			bool dry_run, struct engine_result *result, struct diag *diag);
/* generation 0: the policy before the one that holds. */
int engine_rollback(struct engine *engine, uint64_t generation, struct engine_result *result,
		    struct diag *diag);
/*
 * Policies on trial (apply --confirm): unless confirmed within seconds, the policy before holds
 * again, also across a crash or a reboot. begin before a policy is replaced, end after it; both
 * write the disk. While a trial runs every other change of the policy is -EEXIST, but a rollback,
 * which cancels it.
 */
#define CONFIRM_MAX_SECONDS 86400
/* -EEXIST: there is one already. */
int engine_confirm_begin(struct engine *engine, unsigned int seconds, struct diag *diag);
void engine_confirm_end(struct engine *engine, bool applied);
int engine_confirm(struct engine *engine, struct diag *diag); /* -ENOENT when there is no trial */
void engine_confirm_cancel(struct engine *engine);
unsigned int engine_confirm_left(const struct engine *engine); /* seconds; 0: no trial */

struct engine_put {
	bool allow_waiting;	    /* a device that does not exist is no -ENODEV */
	unsigned int adopt_seconds; /* TCP connections that run when it is first attached may
				     * become flows for so long; not 0: -EALREADY if it is known */
};

/* text: the policy's object plus "network". *created: the id is new. */
int engine_put_interface(struct engine *engine, const char *id, const char *text, size_t length,
			 const struct engine_put *how, bool *created, struct diag *diag);
int engine_delete_interface(struct engine *engine, const char *id, struct diag *diag);

/* Stops filtering a device that is kept; -ENOENT when none of that name is. */
int engine_kept_detach(struct engine *engine, const char *device, struct diag *diag);

/* Of any interface of the model; ifindex and hook through *runtime (NULL when remote). */
enum engine_iface_state engine_iface_state(const struct engine *engine,
					   const struct model_interface *iface,
					   const struct engine_iface **runtime);
const char *engine_state_name(enum engine_iface_state state);
/* The interface whose slot it is, or NULL. Borrowed. */
const char *engine_slot_id(const struct engine *engine, uint32_t slot);
/* "sg-web/https", also of a rule that no policy has any more; NULL for none and for exempt
 * endpoints. Borrowed. */
const char *engine_rule_name(const struct engine *engine, uint32_t rule);

/*
 * Compares everything that this process believes with what the kernel holds, while everything else
 * goes on, and puts right what differs when it is to. Calls done once, at the end: error is NULL,
 * or why it could not come to it. -EBUSY: there is one already.
 */
typedef void (*engine_verified_fn)(const struct dataplane_verified *result, int64_t took_us,
				   const char *error, void *arg);
int engine_verify(struct engine *engine, bool repair, engine_verified_fn done, void *arg);
/* Nobody waits for it any more: it ends. */
void engine_verify_stop(struct engine *engine);
