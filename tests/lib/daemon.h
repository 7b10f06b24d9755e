/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon.h - the real rulesd, with a socket, a state directory and pins of its own, in the
 * namespace that the test is in; and the real sgctl against it.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "tests/lib/command.h"

struct daemon {
	char *name;
	char *socket;
	char *state_dir;
	char *bpffs;
	char *log; /* file of its standard error */
	pid_t pid; /* 0: not running */
};

/*
 * Starts rulesd and waits until the API answers; extra is a NULL-terminated list of more options,
 * or NULL. Fails the test, with rulesd's log, when it does not come up in a minute.
 */
struct daemon *daemon_start(const char *name, const char *const *extra);
/* Starts a stopped or killed one again, with the same directories. */
void daemon_restart(struct daemon *daemon, const char *const *extra);
/* Until `sgctl show SHOWN` answers: a status waits for the digest of the policy, too. */
void daemon_restart_until(struct daemon *daemon, const char *shown);
void daemon_kill(struct daemon *daemon); /* SIGKILL: pins stay */
int daemon_stop(struct daemon *daemon);	 /* SIGTERM: pins stay; returns the exit status */
/* Kills it, runs rulesd --flush and removes its directories. */
void daemon_delete(struct daemon *daemon);
/* For teardowns: the same for every one. */
void daemon_delete_all(void);
/* Whether the first interface has a link to its VM; before kernel 6.6 it is a filter, of which
 * nothing is pinned. */
bool daemon_has_tcx(const struct daemon *daemon);
/* What rulesd wrote to standard error so far. The caller frees. */
char *daemon_log(const struct daemon *daemon);
/* Until that text is in its log; fails the test, with the log, when it never is. */
void daemon_wait_log(const struct daemon *daemon, const char *text);

/* Runs sgctl with these words against the daemon. daemon NULL: offline. */
struct command sgctl_run(const struct daemon *daemon, const char *first,
			 ...) G_GNUC_NULL_TERMINATED;
/* The same; fails the test unless it exits 0. */
void sgctl_check(const struct daemon *daemon, const char *first, ...) G_GNUC_NULL_TERMINATED;
/* The same with --json; the document that it printed. The caller owns it. */
json_t *sgctl_json(const struct daemon *daemon, const char *first, ...) G_GNUC_NULL_TERMINATED;

/* Writes a policy file into the work directory of the test and returns its path (until the next
 * call). */
const char *policy_file(const char *name, const char *text);
/* Applies a policy given as text; fails the test when it is refused. */
void daemon_apply(const struct daemon *daemon, const char *policy);
