/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * privilege.c - capabilities: which are kept and why, and giving up the others for good.
 *
 * What is not kept, because something else does: CAP_SYS_RESOURCE (since kernel 5.11 maps are not
 * counted against RLIMIT_MEMLOCK), CAP_IPC_LOCK (nothing is locked: packets never wait for rulesd),
 * CAP_CHOWN (api_join_groups), CAP_SYS_ADMIN (BPF_MAP_GET_FD_BY_ID: dataplane_prepare has
 * opened what has no pin), CAP_DAC_OVERRIDE (everything that rulesd touches belongs to its user),
 * CAP_SYS_PTRACE (/proc/PID/mountinfo is for everybody).
 */
#include "rulesd/privilege.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "rulesd/cleanup.h"
#include "rulesd/log.h"
#include "rulesd/options.h"

enum need_when { ALWAYS, LOW_PORT, POLICY_DIR };

struct need {
	cap_value_t capability;
	enum need_when when;
};

static const struct need needs[] = {
	{CAP_BPF, ALWAYS},	 /* bpf(2) */
	{CAP_NET_ADMIN, ALWAYS}, /* network programs, attaching them, rtnetlink, nftables */
	/* Without it the verifier masks every pointer against speculation: slower programs. */
	{CAP_PERFMON, ALWAYS},
	{CAP_NET_BIND_SERVICE, LOW_PORT},  /* --metrics below port 1024 */
	{CAP_DAC_READ_SEARCH, POLICY_DIR}, /* whose files may be somebody else's, and 0600 */
};

static void free_caps(cap_t *caps)
{
	if (*caps)
		cap_free(*caps);
}

static bool has_low_port(const char *metrics)
{
	const char *colon = metrics ? strrchr(metrics, ':') : NULL;

	return colon && atoi(colon + 1) < 1024;
}

static bool is_needed(const struct need *need, const struct options *options)
{
	if (need->when == LOW_PORT)
		return has_low_port(options->metrics);
	return need->when != POLICY_DIR || options->policy_dir;
}

static bool is_kept(cap_value_t capability, const struct options *options)
{
	for (size_t i = 0; i < G_N_ELEMENTS(needs); i++)
		if (needs[i].capability == capability)
			return is_needed(&needs[i], options);
	return false;
}

static int missing(cap_value_t capability, char **error)
{
	char *name = cap_to_name(capability);

	*error = g_strdup_printf("rulesd has no %s: start it as root, and let its service or "
				 "container have this capability",
				 name ? name : "capability");
	cap_free(name);
	return -EPERM;
}

static int fail(int err, const char *what, char **error)
{
	*error = g_strdup_printf("giving up privileges: %s: %s", what, g_strerror(-err));
	return err;
}

static int choose(const struct options *options, cap_t kept, char **error)
{
	CLEANUP(free_caps) cap_t held = cap_get_proc();

	for (size_t i = 0; held && i < G_N_ELEMENTS(needs); i++) {
		cap_value_t value = needs[i].capability;
		cap_flag_value_t state = CAP_CLEAR;

		if (!is_needed(&needs[i], options))
			continue;
		if (cap_get_flag(held, value, CAP_PERMITTED, &state) < 0 || state != CAP_SET)
			return missing(value, error);
		if (cap_set_flag(kept, CAP_PERMITTED, 1, &value, CAP_SET) < 0 ||
		    cap_set_flag(kept, CAP_EFFECTIVE, 1, &value, CAP_SET) < 0)
			return fail(-errno, "cap_set_flag", error);
	}
	return held ? 0 : fail(-errno, "capget", error);
}

/* The bounding set needs CAP_SETPCAP, so it goes first. Who has not got it, as under the unit, has
 * been bounded by somebody else, and no_new_privs makes the set moot. */
static int drop_bound(const struct options *options, char **error)
{
	for (cap_value_t value = 0; CAP_IS_SUPPORTED(value); value++) {
		if (is_kept(value, options) || !cap_get_bound(value))
			continue;
		if (cap_drop_bound(value) < 0 && errno != EPERM)
			return fail(-errno, "bounding set", error);
	}
	return 0;
}

static int keep_needed(const struct options *options, char **error)
{
	CLEANUP(free_caps) cap_t kept = cap_init();
	int err;

	if (!kept)
		return fail(-errno, "cap_init", error);
	err = choose(options, kept, error);
	if (err == 0)
		err = drop_bound(options, error);
	if (err == 0 && cap_reset_ambient() < 0)
		err = fail(-errno, "ambient set", error);
	if (err == 0 && cap_set_proc(kept) < 0)
		err = fail(-errno, "capset", error);
	return err;
}

int privilege_drop(const struct options *options, char **error)
{
	int err = keep_needed(options, error);

	if (err < 0)
		return err;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(-errno, "no_new_privs", error);
	err = files_restrict(options);
	if (err == -EOPNOTSUPP)
		log_warning("where files are changed is not restricted: no Landlock here (a kernel "
			    "before 5.19 or without it)");
	else if (err < 0)
		return fail(err, "Landlock", error);
	err = syscall_filter_install();
	if (err ==
	    -EOPNOTSUPP) { /* nobody who attacks chooses the kernel; valgrind has none either */
		log_warning(
			"system calls are not filtered: no seccomp here (an old kernel, valgrind)");
		return 0;
	}
	return err < 0 ? fail(err, "filter of system calls", error) : 0;
}
