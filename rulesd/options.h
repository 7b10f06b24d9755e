/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options.h - rulesd's command line: one struct, filled and checked before anything is touched.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rulesd/log.h"

#define OPTIONS_SOCKET	  "/run/tapguard/api.sock"
#define OPTIONS_STATE_DIR "/var/lib/tapguard"
#define OPTIONS_BPFFS	  "/sys/fs/bpf/tapguard"
#define OPTIONS_MAX_FLOWS 1048576u

#define OPTIONS_VERIFY	    600u
#define OPTIONS_GUARD_GROUP 0x7467u
#define OPTIONS_MAX_GUARDS  32

struct options {
	const char *socket;
	const char *socket_group; /* may write; NULL: only root */
	const char *read_group;	  /* may read; NULL: only who may write */
	const char *state_dir;
	const char *bpffs;
	const char *policy_dir; /* or NULL: the API is the source */
	const char *metrics;	/* "ADDR:PORT" or NULL */
	char *host;		/* this host's name in policies */
	uint32_t max_flows;
	const char *guard[OPTIONS_MAX_GUARDS]; /* patterns of devices: guard.h */
	unsigned int guard_count;
	bool guard_shared;     /* the table has no owner, also where the kernel could give it one */
	uint32_t guard_group;  /* of devices that are filtered */
	uint32_t verify_every; /* seconds; 0: never */
	uint32_t grace;	       /* seconds that flows wait for a device that went to come back */
	enum log_format log_format;
	enum log_level log_level;
	bool flush, check;
};

enum options_action { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION };

/*
 * 0 and what to do, or -EINVAL and *error, one sentence that names the option (the caller frees
 * it). Strings are borrowed from argv and the environment, host is options_clear's to free.
 */
int options_parse(int argc, char **argv, struct options *options, enum options_action *action,
		  char **error);
void options_clear(struct options *options);

extern const char options_help[];
