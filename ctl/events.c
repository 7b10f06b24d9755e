/* SPDX-License-Identifier: GPL-2.0-or-later */
/* events.c - sgctl events: drops and new flows as they happen, each with its reason or rule. */
#include <stdio.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/endpoint.h"
#include "ctl/known.h"
#include "ctl/output.h"
#include "rulesd/cleanup.h"

#define DEFAULT_SECONDS "5"
#define MOST_SECONDS	86400

static const char *text_of(const json_t *event, const char *key, const char *none)
{
	const char *text = json_string_value(json_object_get(event, key));

	return text ? text : none;
}

static char *end_of(const json_t *event, const char *address_key, const char *port_key)
{
	const char *address = text_of(event, address_key, "?");
	const json_t *port = json_object_get(event, port_key);

	if (!json_is_integer(port))
		return g_strdup(address);
	return g_strdup_printf(strchr(address, ':') ? "[%s]:%d" : "%s:%d", address,
			       (int)json_integer_value(port));
}

static char *packet_of(const json_t *event)
{
	g_autofree char *src = end_of(event, "src", "sport"), *dst = end_of(event, "dst", "dport");
	const json_t *icmp = json_object_get(event, "icmp");

	if (!json_object_get(event, "src"))
		return g_strdup_printf(
			"ethertype 0x%04x",
			(unsigned int)json_integer_value(json_object_get(event, "ethertype")));
	if (icmp)
		return g_strdup_printf("%s > %s type %d", src, dst,
				       (int)json_integer_value(json_object_get(icmp, "type")));
	return g_strdup_printf("%s > %s", src, dst);
}

/* "15:04:05.123 web-1  in  DENY  no_rule  tcp 192.0.2.1:4000 > 10.0.0.5:22": columns as wide as
 * what usually stands in them, because what comes later is not known. */
static void print_event(const json_t *event)
{
	bool deny = !strcmp(text_of(event, "verdict", ""), "deny");
	const char *time = text_of(event, "time", ""), *rule = text_of(event, "rule", NULL);
	bool in = !strcmp(text_of(event, "direction", ""), "ingress");
	g_autofree char *packet = packet_of(event);

	output_text("%.12s %-12s %-3s ", strlen(time) > 11 ? time + 11 : time,
		    text_of(event, "interface", "-"), in ? "in" : "out");
	if (output_colors())
		printf("\033[%dm%-5s\033[0m ", deny ? 31 : 32, deny ? "DENY" : "ALLOW");
	else
		printf("%-5s ", deny ? "DENY" : "ALLOW");
	output_text("%-16s %s %s\n", rule ? rule : text_of(event, "reason", "?"),
		    text_of(event, "protocol", "-"), packet);
}

static bool take(const char *line, void *arg)
{
	const struct args *args = arg;
	AUTO_JSON json_t *event = json_loads(line, 0, NULL);
	const json_t *lost = json_object_get(event, "lost");

	if (args_flag(args, "json"))
		printf("%s\n", line);
	else if (lost)
		output_warning("%" JSON_INTEGER_FORMAT " more were too many to show",
			       json_integer_value(lost));
	else if (json_object_get(event, "repaired"))
		output_text("%s  repaired: %s\n", text_of(event, "time", "?"),
			    text_of(event, "repaired", "?"));
	else if (event)
		print_event(event);
	fflush(stdout);
	return !ferror(stdout);
}

enum exit_status command_events(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	g_autoptr(GString) path = g_string_new("/v1/events");
	const char *wanted = args_value(args, "seconds");
	g_autofree char *error = NULL;
	uint64_t seconds = 0;
	int result;

	if (wanted && args_flag(args, "follow"))
		return output_usage_error(args, "--follow and --seconds exclude each other");
	if (!args_flag(args, "follow") &&
	    endpoint_parse_number("--seconds", wanted ? wanted : DEFAULT_SECONDS, 1, MOST_SECONDS,
				  &seconds, &error))
		return output_usage_error(args, "%s", error);
	if (args_flag(args, "drops"))
		client_add_query(path, "drops", "1");
	client_add_query(path, "interface", args_value(args, "interface"));
	result = client_stream(args, path->str, (unsigned int)seconds, take,
			       (void *)(uintptr_t)args, diag);
	if (!result)
		return EXIT_DONE;
	if (result == -ENOENT && args_flag(args, "interface"))
		known_suggest(args, "/v1/interfaces", "id", args_value(args, "interface"), diag);
	return output_failure(args, diag);
}
