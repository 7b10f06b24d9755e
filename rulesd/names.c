/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names.c - names of what the program itself counts and sets: verdict reasons, directions, hooks,
 * flow states.
 */
#include "rulesd/names.h"

#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>

static const struct {
	const char *name;
	const char *description;
} reasons[SG_REASONS] = {
#define REASON(id, string, doc) [SG_ALLOW_##id] = {string, doc},
	SG_ALLOW_REASONS(REASON)
#undef REASON
#define REASON(id, string, doc) [SG_DROP_##id] = {string, doc},
		SG_DROP_REASONS(REASON)
#undef REASON
};

/* The position of name, or -EINVAL. */
static int position(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++) {
		if (!strcmp(names[i], name))
			return i;
	}
	return -EINVAL;
}

/* A newer kernel side may count reasons that this program does not know. */
const char *reason_name(uint32_t reason)
{
	return reason < SG_REASONS ? reasons[reason].name : "unknown";
}

const char *reason_description(uint32_t reason)
{
	return reason < SG_REASONS ? reasons[reason].description
				   : "a reason that this version does not know";
}

int reason_parse(const char *name, uint32_t *reason)
{
	for (uint32_t i = 0; i < SG_REASONS; i++) {
		if (!strcmp(reasons[i].name, name)) {
			*reason = i;
			return 0;
		}
	}
	return -EINVAL;
}

static const char *const dirs[SG_DIRS] = {
	[SG_EGRESS] = "egress",
	[SG_INGRESS] = "ingress",
};

const char *dir_name(enum sg_dir dir)
{
	return dir == SG_EGRESS || dir == SG_INGRESS ? dirs[dir] : "unknown";
}

int dir_parse(const char *name, enum sg_dir *dir)
{
	int found = position(dirs, SG_DIRS, name);

	if (found < 0)
		return found;
	*dir = (enum sg_dir)found;
	return 0;
}

static const char *const hooks[] = {
	[MODEL_HOOK_AUTO] = "auto",
	[MODEL_HOOK_XDP] = "xdp",
	[MODEL_HOOK_TCX] = "tcx",
	[MODEL_HOOK_TC] = "tc",
};

const char *hook_name(enum model_hook hook)
{
	return (unsigned int)hook < G_N_ELEMENTS(hooks) ? hooks[hook] : "unknown";
}

int hook_parse(const char *name, enum model_hook *hook)
{
	int found = position(hooks, G_N_ELEMENTS(hooks), name);

	if (found < 0)
		return found;
	*hook = (enum model_hook)found;
	return 0;
}

static const char *const tcp_states[SG_TCP_STATES] = {
	[SG_TCP_NONE] = "new",		[SG_TCP_SYN_SENT] = "syn_sent",
	[SG_TCP_SYN_RECV] = "syn_recv", [SG_TCP_ESTABLISHED] = "established",
	[SG_TCP_FIN_WAIT] = "fin_wait", [SG_TCP_CLOSE_WAIT] = "close_wait",
	[SG_TCP_LAST_ACK] = "last_ack", [SG_TCP_TIME_WAIT] = "time_wait",
	[SG_TCP_CLOSED] = "closed",
};

static const char *const sctp_states[] = {"cookie_wait", "cookie_echoed", "established",
					  "shutdown_sent", "closed"};

const char *flow_state_name(uint8_t protocol, uint32_t state_word)
{
	uint32_t state = SG_FLOW_STATE(state_word);

	if (protocol == IPPROTO_TCP)
		return state < SG_TCP_STATES ? tcp_states[state] : "unknown";
	if (protocol == IPPROTO_SCTP && state >= SG_SCTP_COOKIE_WAIT && state <= SG_SCTP_CLOSED)
		return sctp_states[state - SG_SCTP_COOKIE_WAIT];
	return SG_FLOW_FLAGS(state_word) & SG_FLOW_REPLIED ? "established" : "new";
}
