/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace.c - sgctl trace: what would happen to a packet that opens a flow, asked of the daemon or of
 * policy files. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/endpoint.h"
#include "ctl/known.h"
#include "ctl/offline.h"
#include "ctl/output.h"
#include "ctl/trace_frames.h"
#include "ctl/trace_print.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"

static int add_icmp(const struct args *args, uint16_t protocol, json_t *request, char **error)
{
	const char *type_text = args_value(args, "icmp-type"),
		   *code_text = args_value(args, "icmp-code");
	int type = protocol == IPPROTO_ICMP ? 8 : 128, code = 0; /* echo-request */

	if (!protocol_is_icmp(protocol)) {
		if (!type_text && !code_text)
			return 0;
		*error = g_strdup("--icmp-type and --icmp-code need --protocol icmp or icmpv6");
		return -EINVAL;
	}
	if (type_text && icmp_type_parse(protocol, type_text, &type)) {
		*error = g_strdup_printf(
			"unknown --icmp-type \"%s\"; right are numbers up to 255 and names "
			"such as echo-request",
			type_text);
		return -EINVAL;
	}
	if (code_text && icmp_code_parse(protocol, type, code_text, &code)) {
		*error = g_strdup_printf("unknown --icmp-code \"%s\"; right are numbers up to 255",
					 code_text);
		return -EINVAL;
	}
	json_object_set_new(request, "icmp", json_pack("{s:i, s:i}", "type", type, "code", code));
	return 0;
}

static int add_end(const struct args *args, const char *option, const char *port_key,
		   uint16_t protocol, struct endpoint *end, json_t *request, char **error)
{
	char address[ADDR_TEXT_SIZE], name[8];

	if (endpoint_parse(args_value(args, option), end, error))
		return -EINVAL;
	if (end->port >= 0 && !protocol_has_ports(protocol)) {
		*error = g_strdup_printf("--%s has a port, but %s has none", option,
					 protocol_format(protocol, name));
		return -EINVAL;
	}
	json_object_set_new(request, option, json_string(addr_format(&end->addr, address)));
	if (end->port >= 0)
		json_object_set_new(request, port_key, json_integer(end->port));
	return 0;
}

/* 0 and the body of POST /v1/trace, or -EINVAL and *error. */
static int read_request(const struct args *args, json_t **result, char **error)
{
	static const char *const needed[] = {"direction", "protocol", "src", "dst"};
	struct endpoint src, dst;
	enum sg_dir direction;
	uint16_t protocol;
	char name[8];
	AUTO_JSON json_t *request = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(needed); i++)
		if (!args_flag(args, needed[i])) {
			*error = g_strdup_printf("trace needs --%s %s", needed[i],
						 option_find(args->command, needed[i])->argument);
			return -EINVAL;
		}

	if (endpoint_parse_direction(args_value(args, "direction"), &direction, error) ||
	    endpoint_parse_protocol(args_value(args, "protocol"), &protocol, error))
		return -EINVAL;
	request = json_pack("{s:s, s:s, s:s}", "interface", args_value(args, "interface"),
			    "direction", dir_name(direction), "protocol",
			    protocol_format(protocol, name));
	if (!request) {
		*error = g_strdup("--interface is not UTF-8");
		return -EINVAL;
	}
	if (add_end(args, "src", "sport", protocol, &src, request, error) ||
	    add_end(args, "dst", "dport", protocol, &dst, request, error))
		return -EINVAL;
	if (addr_is_v4(&src.addr) != addr_is_v4(&dst.addr)) {
		*error = g_strdup("--src and --dst are not of one family");
		return -EINVAL;
	}
	if (protocol_has_ports(protocol) && dst.port < 0) {
		*error = g_strdup_printf("--dst needs a port for %s: %s:PORT", name,
					 args_value(args, "dst"));
		return -EINVAL;
	}
	if (protocol_is_icmp(protocol) && (protocol == IPPROTO_ICMP) != addr_is_v4(&src.addr)) {
		*error = g_strdup_printf(
			"--protocol %s does not go with these addresses; right is %s", name,
			protocol == IPPROTO_ICMP ? "icmpv6" : "icmp");
		return -EINVAL;
	}
	if (add_icmp(args, protocol, request, error))
		return -EINVAL;
	*result = TAKE_PTR(request);
	return 0;
}

/* 0 and the trace, or -errno and diag. */
static int get_trace(const struct args *args, const json_t *request, json_t **trace,
		     struct diag *diag)
{
	const GPtrArray *paths = args_list(args, "policy");
	CLEANUP(offline_close) struct offline *offline = NULL;
	int result;

	if (paths) {
		result = offline_open(paths, &offline, diag);
		return result ? result
			      : offline_trace(offline, args_value(args, "host"), request, trace,
					      diag);
	}
	result = client_request(args, "POST", "/v1/trace", request, trace, NULL, diag);
	if (result == -ENOENT)
		known_suggest(args, "/v1/interfaces", "id", args_value(args, "interface"), diag);
	return result;
}

/* --frame and --pcap bring their packets with them. */
static enum exit_status of_frames(const struct args *args)
{
	static const char *const fields[] = {"protocol",  "src",       "dst",
					     "icmp-type", "icmp-code", "host"};
	bool frame = args_flag(args, "frame");

	if (frame && args_flag(args, "pcap"))
		return output_usage_error(args, "--frame and --pcap exclude each other");
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
		if (args_flag(args, fields[i]))
			return output_usage_error(args,
						  "--%s does not go with --%s: a frame says "
						  "it itself",
						  fields[i], frame ? "frame" : "pcap");
	if (!frame && args_flag(args, "direction"))
		return output_usage_error(args, "--direction does not go with --pcap: the frames "
						"say it themselves");
	return frame ? trace_frame(args) : trace_pcap(args);
}

enum exit_status command_trace(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	const char *expect = args_value(args, "expect"), *verdict;
	AUTO_JSON json_t *request = NULL;
	AUTO_JSON json_t *trace = NULL;
	g_autofree char *error = NULL;

	if (expect && strcmp(expect, "allow") != 0 && strcmp(expect, "deny") != 0)
		return output_usage_error(args, "--expect \"%s\" is neither allow nor deny",
					  expect);
	if (args_flag(args, "host") && !args_flag(args, "policy"))
		return output_usage_error(args,
					  "--host needs --policy: a daemon knows its own host");
	if (args_flag(args, "frame") || args_flag(args, "pcap"))
		return of_frames(args);
	if (read_request(args, &request, &error))
		return output_usage_error(args, "%s", error);
	if (get_trace(args, request, &trace, diag))
		return output_failure(args, diag);
	if (args_flag(args, "json"))
		output_json(trace);
	else
		trace_print(trace);
	verdict = json_string_value(json_object_get(trace, "verdict"));
	if (expect && (!verdict || strcmp(expect, verdict) != 0)) {
		fprintf(stderr, "sgctl: expected %s, but the verdict is %s\n", expect,
			verdict ? verdict : "missing");
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}
