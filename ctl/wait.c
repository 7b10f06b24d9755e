/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wait.c - sgctl wait: until an interface is filtered, so that its VM may start. */
#include <errno.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/command.h"
#include "ctl/endpoint.h"
#include "ctl/output.h"
#include "rulesd/cleanup.h"

#define DEFAULT_SECONDS "30"
#define MOST_SECONDS	86400
#define ROUND_SECONDS	60 /* of one request: a client that vanished is not waited for for long */
#define AGAIN_MS	200

static const char *member(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "?";
}

static gint64 left_us(gint64 end)
{
	return MAX(end - g_get_monotonic_time(), 0);
}

/* One request; 0 with *iface, or -errno and diag. */
static int ask(const struct args *args, gint64 end, json_t **iface, struct diag *diag)
{
	g_autoptr(GString) path = g_string_new("/v1/interfaces");
	gint64 seconds = (left_us(end) + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC;
	g_autofree char *round =
		g_strdup_printf("%" G_GINT64_FORMAT, MIN(seconds, (gint64)ROUND_SECONDS));

	client_add_segment(path, args_operand(args, 0));
	client_add_query(path, "wait", round);
	return client_request(args, "GET", path->str, NULL, iface, NULL, diag);
}

/* Until there is an answer that more patience does not change. *diag: what the last one said. */
static int wait_for(const struct args *args, gint64 end, json_t **iface, struct diag **diag)
{
	for (;;) {
		CLEANUP(diag_free) struct diag *said = diag_new();
		AUTO_JSON json_t *answer = NULL;
		int result = ask(args, end, &answer, said);
		bool waits = !result && !strcmp(member(answer, "state"), "waiting");

		/* It does not run yet, starts anew, or has no such interface yet. */
		waits |= result == -ECONNREFUSED || result == -EIO || result == -ENOENT;
		if (!waits || !left_us(end)) {
			*iface = TAKE_PTR(answer);
			*diag = TAKE_PTR(said);
			return result;
		}
		if (result)
			g_usleep((gulong)MIN(left_us(end), (gint64)AGAIN_MS * 1000));
	}
}

static enum exit_status report(const struct args *args, const json_t *iface, uint64_t seconds)
{
	const char *named = json_string_value(json_object_get(iface, "device"));
	const char *id = member(iface, "id"), *device = named ? named : "its device";
	const char *state = member(iface, "state");

	if (args_flag(args, "json"))
		output_json(iface);
	if (!strcmp(state, "filtering")) {
		if (!args_flag(args, "json"))
			output_text("%s: filtering %s (%s)\n", id, device, member(iface, "hook"));
		return EXIT_DONE;
	}
	if (!strcmp(state, "waiting"))
		output_warning("%s: %s has not appeared in %" G_GUINT64_FORMAT " s", id, device,
			       seconds);
	else if (!strcmp(state, "remote"))
		output_warning("%s: this host does not attach it: it has no device, or that of "
			       "another host",
			       id);
	else
		output_warning("%s: %s is not filtered: %s", id, device, member(iface, "error"));
	return EXIT_FAILED;
}

enum exit_status command_wait(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = NULL;
	const char *wanted = args_value(args, "timeout");
	AUTO_JSON json_t *iface = NULL;
	g_autofree char *error = NULL;
	uint64_t seconds = 0;

	if (endpoint_parse_number("--timeout", wanted ? wanted : DEFAULT_SECONDS, 0, MOST_SECONDS,
				  &seconds, &error))
		return output_usage_error(args, "%s", error);
	if (wait_for(args, g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC, &iface,
		     &diag))
		return output_failure(args, diag);
	return report(args, iface, seconds);
}
