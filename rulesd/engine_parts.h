/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_parts.h - what the parts of the engine owe each other; private to engine*.c and its test.
 */
#pragma once

#include "rulesd/engine.h"

/* -------------------------------------------------- engine_candidate.c */

/* A whole policy that has been worked out beside the one that holds, and not taken yet. */
struct candidate {
	struct model *model;
	struct image *image; /* of model; NULL: not compiled */
};

void candidate_clear(struct candidate *candidate);

/* A code of engine.h for what the loader found: -EBADMSG or -EINVAL. */
int candidate_load_error(const struct diag *diag);
/*
 * The policy of sources (NULL: none) and of the patches to it (GPtrArray of struct load_source
 * each; or NULL) as a model, with the interfaces that from carries by hand (NULL: none) added and
 * everything validated.
 */
int candidate_model(const GPtrArray *sources, GPtrArray *patches, const struct model *from,
		    struct model **model, struct diag *diag);
/* The model of the policy that holds, its journal read beside the policy. For a thread that may
 * fail: the error is that of state_load_current() and candidate_model(), later. */
int candidate_model_ahead(const struct state *state, struct model **model, struct diag *diag);
/* An interface into the network that it names, which the model must have (-EINVAL; then iface still
 * is the caller's). */
int candidate_add_interface(struct model *model, struct model_interface *iface, struct diag *diag);
int candidate_compile(struct engine *engine, struct candidate *candidate, struct diag *diag);
/* -ENOSPC when the devices that are there reserve more flows than the host has. */
int candidate_check_flows(const struct engine *engine, const struct image *image,
			  struct diag *diag);
/* Has the kernel enforce it. The model and image are not the engine's yet. */
int candidate_enforce(struct engine *engine, const struct candidate *candidate, bool keep,
		      uint64_t *generation, unsigned int *writes, struct diag *diag);
/* Back to what the engine holds, after candidate_enforce when a later step failed. */
void candidate_revert(struct engine *engine);
/* Swaps its model and image with the engine's. */
void candidate_take(struct engine *engine, struct candidate *candidate);
/* The visible generation for one of the kernel, with the offset that keeps it from going back. */
uint64_t candidate_offset(uint64_t offset, uint64_t kernel, uint64_t seen, bool must_rise);

/* -EIO, with an entry in diag: what the dataplane said, or the disk. */
int engine_dataplane_error(int err, const char *error, struct diag *diag);
int engine_disk_error(const struct engine *engine, int err, struct diag *diag);
/* After something was written to the kernel: what it replaced goes soon. */
void engine_settle_soon(struct engine *engine);

/* -------------------------------------------------- engine_change.c */

/*
 * A change at the cost of what changes: the engine's model and image are changed in place, and put
 * back when a later step fails.
 */
struct engine_change {
	struct model_edit *edit;   /* applied to the engine's model; NULL: nothing has begun */
	struct image_delta *delta; /* of the engine's image; NULL: not compiled */
	bool enforced;
};

/* Takes the edit, also on failure; validate says whether it still has to be (sources: the texts
 * that it came from, or NULL). */
int engine_change_begin(struct engine *engine, struct model_edit *edit, bool validate,
			const GPtrArray *sources, struct engine_change *change, struct diag *diag);
int engine_change_enforce(struct engine *engine, struct engine_change *change, bool keep,
			  uint64_t *generation, unsigned int *writes, struct diag *diag);
/* It holds: forgets what was before. Keeps the interfaces in step. */
void engine_change_keep(struct engine *engine, struct engine_change *change);
/* Keeps the interfaces in step with the image as it is, before it is sure to be kept. */
void engine_change_reconcile(struct engine *engine, const struct engine_change *change);
/* As if nothing had been. Does nothing after engine_change_keep, or before engine_change_begin. */
void engine_change_undo(struct engine *engine, struct engine_change *change);

/* Before the kernel sees numbers that were given out: that they were is safe on disk. */
int engine_save_numbers(struct engine *engine, struct diag *diag);

/* -------------------------------------------------- engine_text.c */

/* The texts of a generation (NULL: of no policy) and the patches to them, from the disk. */
int engine_load_texts(const struct engine *engine, const struct state_generation *generation,
		      GPtrArray **sources, GPtrArray **patches, char **error);
/* 64 hex digits of the canonical form of a generation; of state, only its path and the directory of
 * the policies are looked at. 0, or -errno and *error. */
int engine_text_sha256(const struct state *state, const struct state_generation *generation,
		       char hex[65], char **error);
/* Whether these are, byte by byte, the texts of the policy that holds. */
bool engine_same_texts(const struct engine *engine, const GPtrArray *sources);

/* -------------------------------------------------- engine_digest.c */

/* Soon the generation has its sha256, unless another one is being worked out, or was just now. */
void engine_digest_start(struct engine *engine, const struct state_generation *generation);
void engine_digest_stop(struct engine *engine);

/* -------------------------------------------------- engine_model.c */

/*
 * The policy that holds, read by a thread while the maps are: each takes a good part of a start
 * with a million members. It changes nothing; when it comes to no end, for whatever reason,
 * engine_restore_model reads all of it again and says what is wrong.
 */
struct engine_head_start {
	GThread *thread;	   /* NULL: there is none */
	const struct state *state; /* nobody changes it until engine_restore_model */
	struct model *model;	   /* NULL: not read */
};

void engine_head_start(struct engine_head_start *ahead, const struct state *state);
void engine_head_start_clear(struct engine_head_start *ahead);
/* Into engine->model. 0, or -errno and *error, which the caller frees. */
int engine_restore_model(struct engine *engine, struct engine_head_start *ahead, struct diag *diag,
			 char **error);
/* One sentence out of a list of findings, for a start that fails; the caller frees *error. */
void engine_summarize(const struct diag *diag, const char *what, char **error);

/* -------------------------------------------------- engine_compact.c */

/* After something was appended to the journal: whether it has to be compacted, which then begins.
 */
void engine_compact_soon(struct engine *engine);
void engine_compact_stop(struct engine *engine);

/* -------------------------------------------------- engine_kept.c */

/* Whether it is for a device of this host. */
bool engine_attaches(const struct engine *engine, const struct model_interface *iface);
/* At start, before the model is compiled. whole: the registry of numbers is not damaged. 0, or
 * -errno and *error. */
int engine_kept_find(struct engine *engine, bool whole, char **error);
/* What the registry calls a slot whose interface is not known, or gone: no id may begin like that.
 * The caller frees. */
char *engine_unknown_id(uint32_t slot);
bool engine_is_unknown_id(const char *id);
bool engine_is_kept(const struct engine *engine, uint32_t slot);
/* Before an interface is compiled: it gets the slot of what is kept on its device. */
void engine_kept_claim(struct engine *engine, const struct model_interface *iface);
void engine_kept_claim_all(struct engine *engine, const struct model *model);
/* After interfaces were attached, and now and then. */
void engine_kept_settle(struct engine *engine);
/* A whole policy holds. */
void engine_kept_policy_taken(struct engine *engine);

/* -------------------------------------------------- engine_inherit.c */

GArray *engine_inherit_new(void);
/* Before an edit is applied: whoever holds a device that it gives to another one is part of it. */
void engine_inherit_widen(struct engine *engine, struct model_edit *edit);
/* Before an interface is compiled: it gets the slot of the device that it wants. model is how all
 * will be. */
void engine_inherit(struct engine *engine, const struct model *model,
		    const struct model_interface *iface);
/* After that of all others: it leaves its slot with the device that it is not for any more. */
void engine_inherit_leave(struct engine *engine, const struct model_interface *iface);
void engine_inherit_all(struct engine *engine, const struct model *model);
/* Before interfaces are reconciled; then it holds, or all of it is taken back. */
void engine_inherit_make(struct engine *engine);
/* Adds copies of the ids that are concerned. */
void engine_inherit_ids(const struct engine *engine, GHashTable *ids);
void engine_inherit_keep(struct engine *engine);
void engine_inherit_undo(struct engine *engine);
/* Before devices are reconciled: those that were renamed into each other exchange their slots. */
void engine_inherit_renamed(struct engine *engine);
/* At start, before the model is compiled: the same for what happened while nobody watched. */
void engine_inherit_restore(struct engine *engine);

/* -------------------------------------------------- engine_attach.c */

/* Adopts, attaches and detaches until the kernel has what the image says. Never fails as a whole:
 * what cannot be attached is ENGINE_FAILED with its error. */
void engine_reconcile(struct engine *engine);
/* The same of the interfaces that a change names, by a set of ids: those it added, changed or
 * removed. What it costs depends on them only. */
void engine_reconcile_some(struct engine *engine, GHashTable *ids);
void engine_reconcile_one(struct engine *engine, const char *id);
/* Before the reconciliation that sees id for the first time. */
void engine_adopt_once(struct engine *engine, const char *id, unsigned int seconds);
/* At start: detaches what is pinned and not wanted any more, then reconciles. */
int engine_restore(struct engine *engine, char **error);
/* Attaches it to the device that it is on, whatever holds. */
void engine_attach_again(struct engine *engine, struct engine_iface *iface);
/* It is wanted on that device. */
void engine_set_device(struct engine *engine, struct engine_iface *iface, const char *device);
void engine_set_state(struct engine *engine, struct engine_iface *iface,
		      enum engine_iface_state state, const char *error);
/* NULL when there is none. */
struct engine_iface *engine_by_ifindex(const struct engine *engine, uint32_t ifindex);
struct engine_iface *engine_by_device(const struct engine *engine, const char *device);
/* Which one the device is for, by its name, its alias or its MAC. NULL: none. */
struct engine_iface *engine_wanting(const struct engine *engine, const struct link *link);
/* Whether the device that it is on is there under another name that nobody else wants. */
bool engine_renamed_and_ours(const struct engine *engine, const struct engine_iface *iface);

/* -------------------------------------------------- engine_flood.c */

void engine_flood_start(struct engine *engine);
void engine_flood_stop(struct engine *engine);
/* -------------------------------------------------- engine_guard.c; without --guard they do
 * nothing */

/*
 * At start: the guard's table as soon as the links are open, but where programs may be pinned only
 * after the dataplane is, so that what they filter goes on. 0, or -errno and *error.
 */
int engine_guard_open(struct engine *engine, char **error);
/* What is on disk refuses this start: after a boot nothing is guarded yet. */
void engine_guard_refused(struct engine *engine, int why);
int engine_guard_enforce(struct engine *engine, char **error);
/* Takes devices out of the group, before their programs go. codes, one each: 0 or -errno; one that
 * is gone is 0. */
void engine_guard_stop(const struct engine *engine, const uint32_t *ifindexes, unsigned int count,
		       int *codes);
/* Puts the devices of requests that are attached into the group, when their programs are in place.
 * codes as above, but -ENODEV: it went, or its programs did. */
void engine_guard_pass(const struct engine *engine, const struct dataplane_request *requests,
		       unsigned int count, int *codes);
/* Attaching it failed: out of the group, unless it is filtered as before. */
void engine_guard_failed(const struct engine *engine, uint32_t slot, uint32_t ifindex);
/* The device has the group that it shall have, whatever others did. */
void engine_guard_link(struct engine *engine, const struct link *link);
/* The same for all. */
void engine_guard_sweep(struct engine *engine);

/* -------------------------------------------------- engine_watch.c */

/* Begins to look for programs that are gone; they are put back, and what failed is tried again. */
void engine_repair(struct engine *engine);
void engine_link_changed(const struct link *link, bool gone, void *arg);
/* One more is parked: looks for those whose time is over. */
void engine_grace_soon(struct engine *engine);
/* It is filtered quickly: gives it links when there is time. */
void engine_upgrade_later(struct engine *engine, const struct engine_iface *iface);
/* Writes down the generation that users have seen by now. */
void engine_note(struct engine *engine);
/* After the dataplane was closed. */
void engine_watch_stop(struct engine *engine);

/* -------------------------------------------------- engine_covered.c */

/* After each look at the pins: whether dataplane_is_covered. Says what has changed. */
void engine_say_covered(struct engine *engine, bool is_covered);

/* -------------------------------------------------- engine_intact.c */

/* Looks every second, unless options->verify_every is 0. */
void engine_intact_start(struct engine *engine);
void engine_intact_stop(struct engine *engine);
/* At the end of a start that found no maps: says so if interfaces should have been filtered. */
void engine_found_nothing(struct engine *engine);
/* Says what the start had to put back. */
void engine_repinned(struct engine *engine);
/* Its programs were taken away: shuts its device, until the reconciliation that puts them back. */
void engine_robbed(struct engine *engine, struct engine_iface *iface);
/* The same at start, when the guard has seen to the device already; hook as the policy has it. */
void engine_robbed_before(struct engine *engine, struct engine_iface *iface, enum model_hook hook);
/* Counts that they are back, if they are. */
void engine_robbed_mended(struct engine *engine, const char *id);
struct engine_iface *engine_iface_of_slot(const struct engine *engine, uint32_t slot);
/* Counts and remembers what was put back, and tells who listens. */
enum repair_kind { REPAIR_PROGRAM, REPAIR_PIN, REPAIR_ENTRY };
void engine_repaired(struct engine *engine, enum repair_kind kind, unsigned int count,
		     const char *what);

/* -------------------------------------------------- engine_confirm.c */

/* -EEXIST while a trial runs. */
int engine_confirm_check(const struct engine *engine, struct diag *diag);
/* At start: a trial that was on goes on, or is over. 0, or -errno and *error. */
int engine_confirm_restore(struct engine *engine, char **error);
