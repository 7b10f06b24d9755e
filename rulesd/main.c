/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main.c - rulesd: the daemon that makes the kernel obey a policy. Options, signals, main loop.
 */
#include <glib-unix.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "rulesd/api.h"
#include "rulesd/bpffs.h"
#include "rulesd/check.h"
#include "rulesd/cleanup.h"
#include "rulesd/engine.h"
#include "rulesd/log.h"
#include "rulesd/metrics.h"
#include "rulesd/options.h"
#include "rulesd/policy_dir.h"
#include "rulesd/privilege.h"

#define EXIT_USAGE 2
#define KEPT_BYTES (4 << 20)

struct rulesd {
	struct options options;
	struct engine *engine;
	struct policy_dir *policy_dir;
	struct api *api;
	struct metrics *metrics;
	GMainLoop *loop;
};

static gboolean on_stop(gpointer arg)
{
	struct rulesd *rulesd = arg;

	engine_before_end(rulesd->engine);
	g_main_loop_quit(rulesd->loop);
	return G_SOURCE_CONTINUE;
}

static gboolean on_reload(gpointer arg)
{
	struct rulesd *rulesd = arg;

	if (rulesd->policy_dir)
		policy_dir_reload(rulesd->policy_dir);
	else
		log_warning("SIGHUP: there is no policy directory to read (--policy-dir)");
	return G_SOURCE_CONTINUE;
}

/* From the loop itself, so that a loop that hangs is noticed. */
static gboolean on_watchdog(gpointer arg)
{
	(void)arg;
	sd_notify(0, "WATCHDOG=1");
	return G_SOURCE_CONTINUE;
}

static void feed_watchdog(void)
{
	uint64_t limit_us = 0;

	if (sd_watchdog_enabled(0, &limit_us) > 0)
		g_timeout_add((guint)MAX(limit_us / 1000 / 3, 1), on_watchdog, NULL);
}

/* All that needs more privileges than the rest of its life, and then there are no others. Nothing
 * that was written by somebody else has been read yet. */
static int give_up_privileges(const struct options *options, char **error)
{
	int err = api_check(options, error);

	if (err == 0)
		err = dataplane_check_covered(options->bpffs, error);
	if (err == 0)
		err = bpffs_mount(options->bpffs, error);
	if (err == 0)
		err = dataplane_prepare(options->bpffs, error);
	/* Afterwards files are made in there only; state_open reports what is wrong with it. */
	if (err == 0)
		g_mkdir_with_parents(options->state_dir, 0700);
	return err < 0 ? err : privilege_drop(options, error);
}

/* The order matters: the API answers only after everything pinned and saved is in force. */
static int start(struct rulesd *rulesd, char **error)
{
	const struct options *options = &rulesd->options;
	int err = engine_open(options, &rulesd->engine, error);

	if (err == 0 && options->policy_dir)
		err = policy_dir_open(rulesd->engine, options->policy_dir, &rulesd->policy_dir,
				      error);
	if (err == 0 && options->metrics)
		err = metrics_open(rulesd->engine, options->metrics, &rulesd->metrics, error);
	if (err == 0)
		err = api_open(rulesd->engine, options, &rulesd->api, error);
	return err;
}

static void stop(struct rulesd *rulesd)
{
	api_close(&rulesd->api);
	metrics_close(&rulesd->metrics);
	policy_dir_close(&rulesd->policy_dir);
	engine_close(&rulesd->engine);
	g_clear_pointer(&rulesd->loop, g_main_loop_unref);
}

static int run(struct rulesd *rulesd)
{
	g_autofree char *error = NULL;

	signal(SIGPIPE, SIG_IGN); /* clients that leave early */
	signal(SIGXFSZ, SIG_IGN); /* a limit of files' sizes is a full disk */
	/* Before GLib's signals, which need a thread. */
	if (give_up_privileges(&rulesd->options, &error) < 0) {
		log_error("%s", error ? error : "unknown error");
		return EXIT_FAILURE;
	}
	rulesd->loop = g_main_loop_new(NULL, FALSE);
	g_unix_signal_add(SIGTERM, on_stop, rulesd);
	g_unix_signal_add(SIGINT, on_stop, rulesd);
	g_unix_signal_add(SIGHUP, on_reload, rulesd);
	if (start(rulesd, &error) < 0) {
		log_error("%s", error ? error : "unknown error");
		stop(rulesd);
		return EXIT_FAILURE;
	}
	log_info("ready: version %s, host %s, generation %" G_GUINT64_FORMAT ", socket %s",
		 TAPGUARD_VERSION, rulesd->options.host, engine_generation(rulesd->engine),
		 rulesd->options.socket);
	sd_notify(0, "READY=1");
	feed_watchdog();
	g_main_loop_run(rulesd->loop);
	sd_notify(0, "STOPPING=1");
	stop(rulesd);
	return EXIT_SUCCESS;
}

static int flush(const struct options *options)
{
	const struct dataplane_options dataplane = {
		.bpffs = options->bpffs,
		.max_flows = options->max_flows,
	};
	struct dataplane_flushed flushed = {0};
	g_autofree char *guard = NULL;
	g_autofree char *error = NULL;
	bool pinned, table = false;
	unsigned int groups = 0;

	if (state_in_use(options->state_dir)) {
		log_error("rulesd runs with the state directory %s: stop it before --flush",
			  options->state_dir);
		return EXIT_FAILURE;
	}
	pinned = bpffs_exists(options->bpffs);
	if (dataplane_check_covered(options->bpffs, &error) < 0 ||
	    privilege_drop(options, &error) < 0 ||
	    (pinned && dataplane_flush_all(&dataplane, &flushed, &error) < 0) ||
	    engine_guard_flush(options, &table, &groups, &error) < 0) {
		log_error("%s", error ? error : "unknown error");
		return EXIT_FAILURE;
	}
	guard = table ? g_strdup_printf("; the guard's table, and %u devices out of its group",
					groups)
		      : g_strdup("");
	if (pinned)
		log_info("removed every program, map and table in %s: %u links, %u tc filters, %u "
			 "qdiscs, %u programs, %u maps%s; nothing is filtered any more",
			 options->bpffs, flushed.links, flushed.filters, flushed.qdiscs,
			 flushed.programs, flushed.maps, guard);
	else
		log_info("nothing is pinned in %s%s%s", options->bpffs, *guard ? "; removed" : "",
			 *guard ? guard + 1 : "");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct rulesd rulesd = {0};
	enum options_action action = OPTIONS_RUN;
	g_autofree char *error = NULL;
	int status;

	/* A thread's heap gives the end of it back only by itself, and from a threshold on that
	 * glibc raises to 64 MB once a large block was freed: what compacting a journal needed
	 * would stay. A change of a list of 10,000 entries, on the other hand, is to find its
	 * memory where it was. */
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
	mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);

	if (options_parse(argc, argv, &rulesd.options, &action, &error) < 0) {
		fprintf(stderr, "rulesd: %s\n", error);
		return EXIT_USAGE;
	}
	if (action == OPTIONS_HELP) {
		fputs(options_help, stdout);
		return EXIT_SUCCESS;
	}
	if (action == OPTIONS_VERSION) {
		puts("rulesd " TAPGUARD_VERSION);
		return EXIT_SUCCESS;
	}
	log_setup(rulesd.options.log_format, rulesd.options.log_level);
	if (rulesd.options.check)
		status = (int)check_start(&rulesd.options);
	else
		status = rulesd.options.flush ? flush(&rulesd.options) : run(&rulesd);
	options_clear(&rulesd.options);
	return status;
}
