/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard.c - keeping the guard's table: its name, adopting it, noticing who touches it, repairing.
 *
 * The table has to outlive a rulesd that is killed, so it has an owner (NFT_TABLE_F_OWNER) only
 * where that leaves it behind (NFT_TABLE_F_PERSIST, Linux 6.9): then nobody else can change it
 * while rulesd runs. Otherwise anybody who may write nftables can remove it, as "nft flush ruleset"
 * does: changes are heard by the monitor of nftables, and twice a second its generation is asked
 * for, in case one was missed.
 */
#include "rulesd/guard.h"

#include <errno.h>
#include <glib-unix.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "rulesd/cleanup.h"
#include "rulesd/guard_table.h"
#include "rulesd/log.h"

#define CHECK_EVERY_MS 500
#define CHECK_SOON_MS  5 /* what one command changes comes as several messages */
#define MESSAGE_BYTES  32768
#define MONITOR_BYTES  (1 << 20)

struct guard {
	struct guard_table table;
	char *name;
	char *wanted; /* the table in words */
	char *orphan; /* as an earlier rulesd leaves it behind */
	bool adopts;  /* it is there, and only to be taken over */
	bool identical;
	char *error;
	uint64_t repairs;
	uint32_t generation; /* of nftables at the last look */
	struct mnl_socket *monitor;
	guint source, timer, soon;
	bool gone; /* a table of it, as the monitor has just told */
};

/* ------------------------------------------------------------------ patterns */

bool guard_pattern_matches(const char *pattern, const char *device)
{
	size_t length = strlen(pattern);

	if (length && pattern[length - 1] == '*')
		return strncmp(pattern, device, length - 1) == 0;
	return strcmp(pattern, device) == 0;
}

int guard_check_pattern(const char *pattern, char **error)
{
	const char *star = strchr(pattern, '*');

	*error = NULL;
	if (!*pattern)
		*error = g_strdup("--guard: the pattern is empty");
	else if (strlen(pattern) >= IFNAMSIZ)
		*error = g_strdup_printf("--guard %s: longer than the %d bytes of a device's name",
					 pattern, IFNAMSIZ - 1);
	else if (star && star[1])
		*error = g_strdup_printf(
			"--guard %s: a * can only be at the end, as in nftables (tap*)", pattern);
	else if (strcmp(pattern, "*") == 0)
		*error = g_strdup(
			"--guard *: that would shut off every device of the host; name the taps "
			"(tap*)");
	else if (guard_pattern_matches(pattern, "lo"))
		*error = g_strdup_printf(
			"--guard %s: that matches lo, which no host can do without", pattern);
	for (const char *at = pattern; !*error && *at; at++)
		if (g_ascii_isspace(*at) || g_ascii_iscntrl(*at) || strchr("/:?[]\\\"", *at))
			*error = g_strdup_printf(
				"--guard %s: no device's name has a '%c', and * is the only wildcard",
				pattern, *at);
	return *error ? -EINVAL : 0;
}

/* ------------------------------------------------------------------ names */

/* One of its own for each instance, by the directory of its pins. */
static char *table_name(const char *bpffs)
{
	g_autofree char *path = g_canonicalize_filename(bpffs, "/");
	g_autofree char *digest = NULL;

	if (strcmp(path, OPTIONS_BPFFS) == 0)
		return g_strdup("tapguard");
	digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, path, -1);
	return g_strdup_printf("tapguard-%.8s", digest);
}

/* ------------------------------------------------------------------ looking and repairing */

/* 0 with what is there in *identical. */
static int look(struct guard *guard, bool *identical, char **error)
{
	g_autofree char *text = NULL;
	uint32_t generation = 0;
	int code;

	/* Asked first: what changes from here on makes another look. */
	guard_table_generation(&generation);
	code = guard_table_read(guard->name, guard->table.owner, &text, NULL, NULL, error);
	if (code)
		return code;
	guard->generation = generation;
	*identical = strcmp(text, guard->wanted) == 0;
	guard->adopts = guard->table.owner && strcmp(text, guard->orphan) == 0;
	return 0;
}

static void set_words(struct guard *guard)
{
	g_free(guard->wanted);
	g_free(guard->orphan);
	guard->wanted = guard_table_text(&guard->table);
	guard->orphan = guard_table_orphan_text(&guard->table);
}

/* Before Linux 6.9 a table with an owner would go with it. */
static bool give_up_owning(struct guard *guard, int code, char **error)
{
	if (code != -EOPNOTSUPP || !guard->table.owner)
		return false;
	guard_table_disown(&guard->table.owner);
	set_words(guard);
	guard->adopts = false;
	g_clear_pointer(error, g_free);
	return true;
}

static int write_table(struct guard *guard, char **error)
{
	bool identical = false;
	int code = guard->adopts ? guard_table_adopt(&guard->table, error)
				 : guard_table_write(&guard->table, error);

	if (give_up_owning(guard, code, error)) {
		/* What an earlier rulesd left may be as it is to be without an owner. */
		code = look(guard, &identical, error);
		if (!code && !identical)
			code = guard_table_write(&guard->table, error);
	}
	if (!code)
		code = look(guard, &identical, error);
	if (!code && !identical) {
		*error = g_strdup_printf("--guard: the nftables table %s is not what was written; "
					 "does something else manage it?",
					 guard->name);
		code = -EIO;
	}
	return code;
}

static void set_error(struct guard *guard, char *error)
{
	g_free(guard->error);
	guard->error = error;
}

static void check(struct guard *guard)
{
	g_autofree char *error = NULL;
	bool identical = false;
	int code = look(guard, &identical, &error);

	if (!code && identical) {
		guard->identical = true;
		set_error(guard, NULL);
		return;
	}
	if (!code && guard->identical)
		log_warning("guard: somebody changed the nftables table %s: putting it back",
			    guard->name);
	guard->identical = false;
	if (!code)
		code = write_table(guard, &error);
	if (!code) {
		guard->identical = true;
		guard->repairs++;
		set_error(guard, NULL);
		log_info("guard: the nftables table %s is in place again", guard->name);
		return;
	}
	/* It is tried again, and told once. */
	guard->generation = 0;
	if (g_strcmp0(guard->error, error) != 0)
		log_error("%s; trying again", error);
	set_error(guard, TAKE_PTR(error));
}

static gboolean check_now(gpointer arg)
{
	struct guard *guard = arg;

	guard->soon = 0;
	check(guard);
	return G_SOURCE_REMOVE;
}

static gboolean check_regularly(gpointer arg)
{
	struct guard *guard = arg;
	uint32_t generation = 0;

	if (guard_table_generation(&generation) < 0 || generation != guard->generation ||
	    !guard->identical)
		check(guard);
	return G_SOURCE_CONTINUE;
}

/* ------------------------------------------------------------------ hearing */

/* In every message about a table, a chain or a rule the first attribute is the table's name
 * (NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE). */
static int is_about_us(const struct nlmsghdr *header, void *data)
{
	struct guard *guard = data;
	unsigned int type = NFNL_MSG_TYPE(header->nlmsg_type);
	const struct nlattr *attr;

	if (type != NFT_MSG_NEWTABLE && type != NFT_MSG_DELTABLE && type != NFT_MSG_NEWCHAIN &&
	    type != NFT_MSG_DELCHAIN && type != NFT_MSG_NEWRULE && type != NFT_MSG_DELRULE)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, header, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) != NFTA_TABLE_NAME ||
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0 ||
		    strcmp(mnl_attr_get_str(attr), guard->name) != 0)
			continue;
		/* A table that goes is gone with all that it held. */
		if (type == NFT_MSG_DELTABLE)
			guard->gone = true;
		if (!guard->soon)
			guard->soon = g_timeout_add_full(G_PRIORITY_HIGH, CHECK_SOON_MS, check_now,
							 guard, NULL);
	}
	return MNL_CB_OK;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
	struct guard *guard = data;
	char buffer[MESSAGE_BYTES];

	(void)fd;
	(void)condition;
	for (;;) {
		ssize_t length = mnl_socket_recvfrom(guard->monitor, buffer, sizeof(buffer));

		if (length >= 0)
			mnl_cb_run(buffer, (size_t)length, 0, 0, is_about_us, guard);
		else if (errno == ENOBUFS || errno == ENOSPC)
			guard->generation = 0; /* something was missed: the next look reads all */
		else if (errno != EINTR)
			break;
	}
	/* Nothing is guarded until it is back. */
	if (guard->gone) {
		guard->gone = false;
		g_clear_handle_id(&guard->soon, g_source_remove);
		check(guard);
	}
	return G_SOURCE_CONTINUE;
}

static int open_monitor(struct guard *guard)
{
	struct mnl_socket *monitor =
		mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int bytes = MONITOR_BYTES, group = NFNLGRP_NFTABLES;

	if (!monitor)
		return -errno;
	guard->monitor = monitor;
	setsockopt(mnl_socket_get_fd(monitor), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	if (mnl_socket_bind(monitor, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_setsockopt(monitor, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return -errno;
	guard->source =
		g_unix_fd_add(mnl_socket_get_fd(monitor), G_IO_IN | G_IO_ERR, on_readable, guard);
	return 0;
}

/* ------------------------------------------------------------------ public */

int guard_open(const struct options *options, struct guard **guard, char **error)
{
	CLEANUP(guard_close) struct guard *made = NULL;
	g_autofree char *name = table_name(options->bpffs);
	int code;

	if (!options->guard_count) {
		*guard = NULL;
		return guard_table_remove(name, error);
	}
	made = g_new0(struct guard, 1);
	made->name = TAKE_PTR(name);
	made->table = (struct guard_table){.name = made->name,
					   .instance = options->bpffs,
					   .patterns = options->guard,
					   .count = options->guard_count,
					   .group = options->guard_group};
	/* Without one it is anybody's. */
	if (!options->guard_shared)
		guard_table_own(&made->table.owner);
	set_words(made);
	code = look(made, &made->identical, error);
	if (code == -EPROTONOSUPPORT) {
		g_free(*error);
		*error =
			g_strdup("--guard: this kernel has no nftables (CONFIG_NF_TABLES; modprobe "
				 "nf_tables)");
	} else if (code == -EOPNOTSUPP || code == -EINVAL) {
		/* No nf_tables yet: to write loads it, or says what is missing. */
		g_clear_pointer(error, g_free);
		code = 0;
	}
	if (!code)
		*guard = TAKE_PTR(made);
	return code;
}

int guard_enforce(struct guard *guard, char **error)
{
	int code;

	if (guard->timer)
		return 0;
	code = open_monitor(guard);
	if (code) {
		*error = g_strdup_printf("--guard: hearing changes of nftables: %s",
					 g_strerror(-code));
		return code;
	}
	if (!guard->identical) {
		code = write_table(guard, error);
		if (code)
			return code;
		guard->identical = true;
		log_info("guard: the nftables table %s is written", guard->name);
	} else {
		log_info("guard: the nftables table %s is in place", guard->name);
	}
	guard->timer = g_timeout_add(CHECK_EVERY_MS, check_regularly, guard);
	return 0;
}

void guard_close(struct guard **guard)
{
	struct guard *g = TAKE_PTR(*guard);

	if (!g)
		return;
	g_clear_handle_id(&g->source, g_source_remove);
	g_clear_handle_id(&g->timer, g_source_remove);
	g_clear_handle_id(&g->soon, g_source_remove);
	if (g->monitor)
		mnl_socket_close(g->monitor);
	g_free(g->name);
	g_free(g->wanted);
	g_free(g->orphan);
	guard_table_disown(&g->table.owner);
	g_free(g->error);
	g_free(g);
}

int guard_flush(const struct options *options, uint32_t *group, char **error)
{
	g_autofree char *name = table_name(options->bpffs);
	g_autofree char *text = NULL;
	g_autofree char *unread = NULL;

	*group = 0;
	guard_table_read(name, NULL, &text, NULL, group, &unread);
	return guard_table_remove(name, error);
}

bool guard_matches(const struct guard *guard, const char *device)
{
	for (unsigned int i = 0; guard && i < guard->table.count; i++)
		if (guard_pattern_matches(guard->table.patterns[i], device))
			return true;
	return false;
}

uint32_t guard_group(const struct guard *guard)
{
	return guard->table.group;
}

const char *guard_table_name(const struct guard *guard)
{
	return guard->name;
}

struct guard_status guard_status(const struct guard *guard)
{
	struct guard_status status = {.in_place = guard->identical,
				      .error = guard->error,
				      .owned = guard->table.owner != NULL,
				      .repairs = guard->repairs};
	struct guard_counters counters = {0};
	g_autofree char *text = NULL;
	g_autofree char *unread = NULL;

	if (guard_table_read(guard->name, guard->table.owner, &text, &counters, NULL, &unread) ==
	    0) {
		status.packets = counters.packets;
		status.bytes = counters.bytes;
	}
	return status;
}
