/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_confirm.c - policies on trial: unless somebody confirms one in time, the one before holds
 * again. For people who work over the link that they are filtering.
 *
 * What to go back to is on disk (confirm.json) before the policy on trial is, so that neither a
 * crash nor a reboot makes it stay: {"back_to": GENERATION (0: no policy at all), "until": seconds
 * since the epoch, "generation": the one on trial (0: not known yet)}. The file counts only while
 * that one holds, so one that could not be removed does no harm to what came after it.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/engine_parts.h"
#include "rulesd/load.h"
#include "rulesd/log.h"
#include "rulesd/state_file.h"
#include "rulesd/state_seal.h"

#define CONFIRM_FILE "confirm.json"

static uint64_t current_generation(const struct engine *engine)
{
	const struct state_generation *current = state_current(engine->state);

	return current ? current->generation : 0;
}

static int64_t now_seconds(void)
{
	return g_get_real_time() / G_USEC_PER_SEC;
}

static int write_trial(struct engine *engine, uint64_t back_to, int64_t until, uint64_t generation)
{
	g_autofree char *text = g_strdup_printf("{\"back_to\": %" PRIu64 ", \"until\": %" PRId64
						", \"generation\": %" PRIu64 "}\n",
						back_to, until, generation);

	return state_seal_write_text(engine->state->dir, CONFIRM_FILE, text);
}

#define NEVER ((uint64_t)INT64_MAX) /* a generation that no policy has */

/* 0, or -errno when a restart would find the trial again. */
static int forget(struct engine *engine)
{
	int err = state_file_remove(engine->state->dir, CONFIRM_FILE);

	if (err < 0)
		err = write_trial(engine, 0, 0, NEVER);
	if (err < 0) {
		log_error("%s/" CONFIRM_FILE " cannot be removed: %s", engine->state->path,
			  g_strerror(-err));
		return err;
	}
	g_clear_handle_id(&engine->confirm_timer, g_source_remove);
	engine->on_trial = false;
	return 0;
}

/* The trial is over, whatever the disk says: another policy holds. */
static void end_trial(struct engine *engine)
{
	forget(engine);
	g_clear_handle_id(&engine->confirm_timer, g_source_remove);
	engine->on_trial = false;
}

/* The policy without anything, for who had none before. */
static GPtrArray *no_policy(void)
{
	GPtrArray *sources = load_sources_new();
	struct load_source *source = g_new0(struct load_source, 1);

	source->name = g_strdup("-");
	source->text = g_strdup("{\"version\": 1}\n");
	source->length = strlen(source->text);
	g_ptr_array_add(sources, source);
	return sources;
}

static int go_back(struct engine *engine, struct diag *diag)
{
	struct engine_result result = {0};
	uint64_t back_to = engine->confirm_back_to;

	if (back_to)
		return engine_rollback(engine, back_to, &result, diag);
	return engine_replace_policy(engine, no_policy(), "api", false, false, &result, diag);
}

static gboolean expired(gpointer arg)
{
	struct engine *engine = arg;
	CLEANUP(diag_free) struct diag *diag = diag_new();
	uint64_t tried = engine_generation(engine);

	engine->confirm_timer = 0;
	engine->on_trial = false; /* it no longer stands in the way of a change */
	log_warning("generation %" PRIu64 " was not confirmed in time: going back", tried);
	if (go_back(engine, diag) == 0) {
		end_trial(engine);
		return G_SOURCE_REMOVE;
	}
	log_error("cannot go back to the policy before: %s; trying again in a second",
		  diag->entries->len ? ((struct diag_entry *)diag->entries->pdata[0])->message
				     : "unknown error");
	engine->on_trial = true;
	engine->confirm_timer = g_timeout_add_seconds(1, expired, engine);
	return G_SOURCE_REMOVE;
}

int engine_confirm_begin(struct engine *engine, unsigned int seconds, struct diag *diag)
{
	int err = engine_confirm_check(engine, diag);

	if (err < 0)
		return err;
	engine->confirm_back_to = current_generation(engine);
	engine->confirm_until = now_seconds() + seconds;
	err = write_trial(engine, engine->confirm_back_to, engine->confirm_until, 0);
	return err < 0 ? engine_disk_error(engine, err, diag) : 0;
}

static void go_on(struct engine *engine)
{
	int64_t left = MAX(engine->confirm_until - now_seconds(), 0);

	engine->on_trial = true;
	engine->confirm_timer = g_timeout_add_seconds((guint)left, expired, engine);
	log_info("generation %" G_GUINT64_FORMAT " is on trial for %" PRId64 " seconds",
		 engine_generation(engine), left);
}

void engine_confirm_end(struct engine *engine, bool applied)
{
	int err;

	if (!applied || current_generation(engine) == engine->confirm_back_to) {
		end_trial(engine);
		return;
	}
	/* Without it the trial is that of whatever holds at the next start. */
	err = write_trial(engine, engine->confirm_back_to, engine->confirm_until,
			  current_generation(engine));
	if (err < 0)
		log_warning("%s/" CONFIRM_FILE " cannot be written: %s", engine->state->path,
			    g_strerror(-err));
	go_on(engine);
}

int engine_confirm(struct engine *engine, struct diag *diag)
{
	int err;

	if (!engine->on_trial) {
		diag_add(diag, "not-found", (struct place){0}, NULL, NULL,
			 "no policy waits to be confirmed");
		return -ENOENT;
	}
	err = forget(engine);
	if (err < 0)
		return engine_disk_error(engine, err, diag);
	log_info("generation %" G_GUINT64_FORMAT " is confirmed", engine_generation(engine));
	return 0;
}

int engine_confirm_check(const struct engine *engine, struct diag *diag)
{
	if (!engine->on_trial)
		return 0;
	diag_add(diag, "on-trial", (struct place){0}, NULL,
		 "first 'sgctl confirm', or 'sgctl rollback'",
		 "the policy that holds is on trial for %u more seconds",
		 engine_confirm_left(engine));
	return -EEXIST;
}

void engine_confirm_cancel(struct engine *engine)
{
	if (engine->on_trial)
		end_trial(engine);
}

unsigned int engine_confirm_left(const struct engine *engine)
{
	return engine->on_trial ? (unsigned int)MAX(engine->confirm_until - now_seconds(), 0) : 0;
}

#define OLDER_MEMBERS 2u /* of a file without a seal */

int engine_confirm_restore(struct engine *engine, char **error)
{
	g_autofree char *text = NULL;
	AUTO_JSON json_t *json = NULL;
	json_int_t back_to = 0, until = 0, generation = 0;
	size_t length = 0;
	bool sealed = false;
	int err = state_seal_read(engine->state->dir, CONFIRM_FILE, false, &text, &length, &sealed);

	if (err == -ENOENT)
		return 0;
	if (engine->options->policy_dir) { /* what holds is what the directory says */
		end_trial(engine);
		return 0;
	}
	if (err < 0 && err != -EBADMSG) {
		*error = g_strdup_printf("%s/" CONFIRM_FILE ": %s", engine->state->path,
					 g_strerror(-err));
		return err;
	}
	if (err == 0)
		json = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	if (json_unpack(json, "{sI sI s?I}", "back_to", &back_to, "until", &until, "generation",
			&generation) < 0 ||
	    (!sealed && json_object_size(json) != OLDER_MEMBERS)) {
		state_report_damage(engine->state, CONFIRM_FILE,
				    "it cannot be understood; the policy that was on trial stays");
		end_trial(engine);
		return 0;
	}
	engine->confirm_back_to = (uint64_t)back_to;
	/* A clock that was wrong before the restart must not make a trial last for years. */
	engine->confirm_until = MIN((int64_t)until, now_seconds() + CONFIRM_MAX_SECONDS);
	if ((generation && (uint64_t)generation != current_generation(engine)) ||
	    current_generation(engine) == engine->confirm_back_to)
		end_trial(engine);
	else
		go_on(engine);
	return 0;
}
