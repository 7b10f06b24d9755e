/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options.c - rulesd's command line, see options.h and rulesd(8).
 */
#include "rulesd/options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "bpf/abi.h"
#include "rulesd/cleanup.h"
#include "rulesd/guard.h"

const char options_help[] =
	"usage: rulesd [OPTION...]\n"
	"\n"
	"Filters taps by the security groups of a JSON policy. Stays in the foreground.\n"
	"\n"
	"  --socket PATH         API socket (" OPTIONS_SOCKET "; TAPGUARD_SOCKET)\n"
	"  --socket-group GROUP  members may change everything (only root)\n"
	"  --read-group GROUP    members may read and trace (only those who may write)\n"
	"  --state-dir DIR       what survives a restart (" OPTIONS_STATE_DIR ")\n"
	"  --bpffs DIR           pinned programs and maps (" OPTIONS_BPFFS ")\n"
	"  --policy-dir DIR      take the policy from DIR/*.json, and follow changes\n"
	"  --metrics ADDR:PORT   serve Prometheus metrics there\n"
	"  --host NAME           this host's name in policies (its host name)\n"
	"  --max-flows N         flow entries of the host (1048576)\n"
	"  --guard PATTERN       taps that pass nothing until they are filtered, as 'tap*'; repeatable\n"
	"  --guard-shared        leave the guard's table to whoever may write nftables\n"
	"  --guard-group N       device group of taps that are filtered (0x7467); with --guard\n"
	"  --verify-every N      seconds between two verifications that repair (600; 0: none, and\n"
	"                        what others take away is not looked for every second)\n"
	"  --grace SECONDS       flows of a tap that goes wait so long for it to come back (0)\n"
	"  --log text|json       form of the log on standard error (text)\n"
	"  --log-level LEVEL     error, warning, info or debug (info)\n"
	"  --check               say what a start would do with what is saved and pinned, and exit\n"
	"  --flush               remove every program, map and table of this instance, and exit\n"
	"  --help, --version\n"
	"\n"
	"SIGHUP reads the policy directory again; SIGTERM exits and leaves filtering in place.\n";

enum option_key {
	KEY_SOCKET = 256,
	KEY_SOCKET_GROUP,
	KEY_READ_GROUP,
	KEY_STATE_DIR,
	KEY_BPFFS,
	KEY_POLICY_DIR,
	KEY_METRICS,
	KEY_HOST,
	KEY_MAX_FLOWS,
	KEY_VERIFY_EVERY,
	KEY_LOG,
	KEY_LOG_LEVEL,
	KEY_FLUSH,
	KEY_CHECK,
	KEY_GUARD,
	KEY_GUARD_SHARED,
	KEY_GUARD_GROUP,
	KEY_GRACE,
	KEY_HELP,
	KEY_VERSION,
};

static const struct option long_options[] = {
	{"socket", required_argument, NULL, KEY_SOCKET},
	{"socket-group", required_argument, NULL, KEY_SOCKET_GROUP},
	{"read-group", required_argument, NULL, KEY_READ_GROUP},
	{"state-dir", required_argument, NULL, KEY_STATE_DIR},
	{"bpffs", required_argument, NULL, KEY_BPFFS},
	{"policy-dir", required_argument, NULL, KEY_POLICY_DIR},
	{"metrics", required_argument, NULL, KEY_METRICS},
	{"host", required_argument, NULL, KEY_HOST},
	{"max-flows", required_argument, NULL, KEY_MAX_FLOWS},
	{"verify-every", required_argument, NULL, KEY_VERIFY_EVERY},
	{"log", required_argument, NULL, KEY_LOG},
	{"log-level", required_argument, NULL, KEY_LOG_LEVEL},
	{"flush", no_argument, NULL, KEY_FLUSH},
	{"check", no_argument, NULL, KEY_CHECK},
	{"guard", required_argument, NULL, KEY_GUARD},
	{"guard-shared", no_argument, NULL, KEY_GUARD_SHARED},
	{"guard-group", required_argument, NULL, KEY_GUARD_GROUP},
	{"grace", required_argument, NULL, KEY_GRACE},
	{"help", no_argument, NULL, KEY_HELP},
	{"version", no_argument, NULL, KEY_VERSION},
	{NULL, 0, NULL, 0},
};

static int parse_max_flows(const char *text, uint32_t *max_flows, char **error)
{
	const guint64 most = (guint64)SG_MAX_SHARDS * SG_SHARD_FLOWS;
	guint64 number = 0;

	if (!g_ascii_string_to_unsigned(text, 10, 1, most, &number, NULL)) {
		*error = g_strdup_printf("--max-flows %s: a number from 1 to %" G_GUINT64_FORMAT
					 " is wanted",
					 text, most);
		return -EINVAL;
	}
	*max_flows = (uint32_t)number;
	return 0;
}

static int parse_verify_every(const char *text, uint32_t *seconds, char **error)
{
	guint64 number = 0;

	if (!g_ascii_string_to_unsigned(text, 10, 0, 86400, &number, NULL)) {
		*error = g_strdup_printf("--verify-every %s: a number of seconds from 0 to 86400 "
					 "is wanted",
					 text);
		return -EINVAL;
	}
	*seconds = (uint32_t)number;
	return 0;
}

static int parse_log(const char *text, enum log_format *format, char **error)
{
	assert(text); /* getopt_long: the option requires an argument */
	if (strcmp(text, "text") == 0) {
		*format = LOG_FORMAT_TEXT;
		return 0;
	}
	if (strcmp(text, "json") == 0) {
		*format = LOG_FORMAT_JSON;
		return 0;
	}
	*error = g_strdup_printf("--log %s: text or json is wanted", text);
	return -EINVAL;
}

static int parse_log_level(const char *text, enum log_level *level, char **error)
{
	static const char *const names[] = {"error", "warning", "info", "debug"};

	assert(text);
	for (unsigned int i = 0; i < G_N_ELEMENTS(names); i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*level = (enum log_level)i;
		return 0;
	}
	*error = g_strdup_printf("--log-level %s: error, warning, info or debug is wanted", text);
	return -EINVAL;
}

static int add_guard(const char *pattern, struct options *options, char **error)
{
	int err = guard_check_pattern(pattern, error);

	if (err < 0 || !pattern)
		return err;
	for (unsigned int i = 0; i < options->guard_count; i++)
		if (strcmp(options->guard[i], pattern) == 0)
			return 0;
	if (options->guard_count == OPTIONS_MAX_GUARDS) {
		*error = g_strdup_printf("--guard %s: there can be %d patterns at most", pattern,
					 OPTIONS_MAX_GUARDS);
		return -EINVAL;
	}
	options->guard[options->guard_count++] = pattern;
	return 0;
}

/* Not 0, which every device has until somebody gives it another one. */
static int parse_guard_group(const char *text, uint32_t *group, char **error)
{
	bool hex = g_str_has_prefix(text, "0x");
	guint64 number = 0;

	if (!g_ascii_string_to_unsigned(hex ? text + 2 : text, hex ? 16 : 10, 1, INT32_MAX, &number,
					NULL)) {
		*error = g_strdup_printf("--guard-group %s: a number from 1 to %d is wanted", text,
					 INT32_MAX);
		return -EINVAL;
	}
	*group = (uint32_t)number;
	return 0;
}

#define MOST_GRACE 3600 /* seconds; what waits holds a slot and its flow entries */

static int parse_grace(const char *text, uint32_t *seconds, char **error)
{
	guint64 number = 0;

	if (!g_ascii_string_to_unsigned(text, 10, 0, MOST_GRACE, &number, NULL)) {
		*error = g_strdup_printf("--grace %s: a number of seconds from 0 to %d is wanted",
					 text, MOST_GRACE);
		return -EINVAL;
	}
	*seconds = (uint32_t)number;
	return 0;
}

static int check_guard(struct options *options, char **error)
{
	if (options->guard_shared && !options->guard_count && !options->flush) {
		*error = g_strdup("--guard-shared: it means nothing without --guard");
		return -EINVAL;
	}
	if (options->guard_group && !options->guard_count && !options->flush) {
		*error = g_strdup("--guard-group: it means nothing without --guard");
		return -EINVAL;
	}
	if (!options->guard_group)
		options->guard_group = OPTIONS_GUARD_GROUP;
	return 0;
}

/* An empty argument is a script's unset variable, never what somebody meant. */
static int check_argument(const char *name, const char *text, char **error)
{
	if (*text)
		return 0;
	*error = g_strdup_printf("--%s: its argument is empty", name);
	return -EINVAL;
}

static int set_option(int key, char *argument, struct options *options, char **error)
{
	switch (key) {
	case KEY_SOCKET:
		options->socket = argument;
		return 0;
	case KEY_SOCKET_GROUP:
		options->socket_group = argument;
		return 0;
	case KEY_READ_GROUP:
		options->read_group = argument;
		return 0;
	case KEY_STATE_DIR:
		options->state_dir = argument;
		return 0;
	case KEY_BPFFS:
		options->bpffs = argument;
		return 0;
	case KEY_POLICY_DIR:
		options->policy_dir = argument;
		return 0;
	case KEY_METRICS:
		options->metrics = argument;
		return 0;
	case KEY_HOST:
		g_free(options->host);
		options->host = g_strdup(argument);
		return 0;
	case KEY_VERIFY_EVERY:
		return parse_verify_every(argument, &options->verify_every, error);
	case KEY_MAX_FLOWS:
		return parse_max_flows(argument, &options->max_flows, error);
	case KEY_LOG:
		return parse_log(argument, &options->log_format, error);
	case KEY_LOG_LEVEL:
		return parse_log_level(argument, &options->log_level, error);
	case KEY_CHECK:
		options->check = true;
		return 0;
	case KEY_FLUSH:
		options->flush = true;
		return 0;
	case KEY_GUARD:
		return add_guard(argument, options, error);
	case KEY_GUARD_SHARED:
		options->guard_shared = true;
		return 0;
	case KEY_GRACE:
		return parse_grace(argument, &options->grace, error);
	case KEY_GUARD_GROUP:
		return parse_guard_group(argument, &options->guard_group, error);
	default:
		*error = g_strdup("an option is not handled");
		return -EINVAL;
	}
}

static int check_paths(const struct options *options, char **error)
{
	struct sockaddr_un address;

	assert(options->socket && options->bpffs); /* they have defaults */
	if (strlen(options->socket) >= sizeof(address.sun_path)) {
		*error = g_strdup_printf("--socket %s: longer than the %zu bytes of a socket path",
					 options->socket, sizeof(address.sun_path) - 1);
		return -EINVAL;
	}
	if (*options->bpffs != '/') {
		*error = g_strdup_printf("--bpffs %s: an absolute path is wanted", options->bpffs);
		return -EINVAL;
	}
	return 0;
}

static int default_host(struct options *options, char **error)
{
	char name[HOST_NAME_MAX + 1] = "";

	if (options->host)
		return 0;
	if (gethostname(name, sizeof(name) - 1) < 0 || !*name) {
		*error = g_strdup("this host has no name: give one with --host");
		return -EINVAL;
	}
	options->host = g_strdup(name);
	return 0;
}

int options_parse(int argc, char **argv, struct options *options, enum options_action *action,
		  char **error)
{
	const char *socket = getenv("TAPGUARD_SOCKET");
	int index = 0;
	int key;
	int err;

	*options = (struct options){
		.socket = socket && *socket ? socket : OPTIONS_SOCKET,
		.state_dir = OPTIONS_STATE_DIR,
		.bpffs = OPTIONS_BPFFS,
		.max_flows = OPTIONS_MAX_FLOWS,
		.verify_every = OPTIONS_VERIFY,
		.log_format = LOG_FORMAT_TEXT,
		.log_level = LOG_LEVEL_INFO,
	};
	*action = OPTIONS_RUN;
	opterr = 0;
	optind = 0; /* glibc: start anew, also in a process that has parsed before */
	while ((key = getopt_long(argc, argv, ":h", long_options, &index)) >= 0) {
		if (key == KEY_HELP || key == 'h') {
			*action = OPTIONS_HELP;
			return 0;
		}
		if (key == KEY_VERSION) {
			*action = OPTIONS_VERSION;
			return 0;
		}
		if (key == ':') {
			*error = g_strdup_printf("%s: its argument is missing", argv[optind - 1]);
			return -EINVAL;
		}
		if (key == '?') {
			*error = g_strdup_printf("%s: no such option, or an argument it does not "
						 "take; see rulesd --help",
						 argv[optind - 1]);
			return -EINVAL;
		}
		if (optarg) {
			err = check_argument(long_options[index].name, optarg, error);
			if (err < 0)
				return err;
		}
		err = set_option(key, optarg, options, error);
		if (err < 0)
			return err;
	}
	if (optind < argc) {
		*error = g_strdup_printf("%s: rulesd takes only options; see rulesd --help",
					 argv[optind]);
		return -EINVAL;
	}
	err = check_paths(options, error);
	if (err == 0)
		err = check_guard(options, error);
	if (err < 0)
		return err;
	return default_host(options, error);
}

void options_clear(struct options *options)
{
	g_clear_pointer(&options->host, g_free);
}
