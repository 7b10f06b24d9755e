/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attach.c - sgctl attach: a tap is filtered now and after restarts, without standing in a policy
 * file. */
#include <stdio.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/endpoint.h"
#include "ctl/output.h"
#include "rulesd/cleanup.h"
#include "rulesd/model.h"
#include "rulesd/names.h"

static json_t *strings(const GPtrArray *list)
{
	json_t *array = json_array();

	for (guint i = 0; i < list->len; i++)
		json_array_append_new(array, json_string(g_ptr_array_index(list, i)));
	return array;
}

/* What the loader takes; here because the id becomes a part of the path. */
static int check_id(const char *id, char **error)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (id[strspn(id, letters)] == '\0' && strlen(id) <= MODEL_MAX_ID)
		return 0;
	*error = g_strdup_printf(
		"--id \"%s\" is no id: letters, digits, '.', '_' and '-', at most %d", id,
		MODEL_MAX_ID);
	return -EINVAL;
}

static int check_addresses(const GPtrArray *list, char **error)
{
	for (guint i = 0; list && i < list->len; i++) {
		const char *text = g_ptr_array_index(list, i);
		struct sg_addr addr;

		if (addr_parse(text, &addr)) {
			*error = g_strdup_printf("--address \"%s\" is not an IPv4 or IPv6 address",
						 text);
			return -EINVAL;
		}
	}
	return 0;
}

static int check_allowed(const GPtrArray *list, char **error)
{
	for (guint i = 0; list && i < list->len; i++) {
		const char *text = g_ptr_array_index(list, i);
		char canonical[CIDR_TEXT_SIZE];
		struct cidr cidr;
		int result = cidr_parse(text, &cidr);

		if (result == -ERANGE)
			*error = g_strdup_printf("--allowed \"%s\" has host bits set; right is %s",
						 text, cidr_format(&cidr, canonical));
		else if (result)
			*error = g_strdup_printf("--allowed \"%s\" is not a CIDR or an address",
						 text);
		if (result)
			return -EINVAL;
	}
	return 0;
}

static int add_vlans(const struct args *args, json_t *body, char **error)
{
	const GPtrArray *list = args_list(args, "vlan");
	json_t *vlans;

	if (!list)
		return 0;
	vlans = json_array();
	json_object_set_new(body, "vlans", vlans);
	for (guint i = 0; i < list->len; i++) {
		uint64_t vlan;

		if (endpoint_parse_number("--vlan", g_ptr_array_index(list, i), 0, 4094, &vlan,
					  error))
			return -EINVAL;
		json_array_append_new(vlans, json_integer((json_int_t)vlan));
	}
	return 0;
}

static int add_scalars(const struct args *args, json_t *body, char **error)
{
	const char *mac = args_value(args, "mac"), *hook = args_value(args, "hook");
	const char *max_flows = args_value(args, "max-flows"),
		   *network = args_value(args, "network");
	enum model_hook ignored_hook;
	uint8_t ignored_mac[6];
	uint64_t flows;

	if (mac && mac_parse(mac, ignored_mac)) {
		*error = g_strdup_printf(
			"--mac \"%s\" is not a unicast MAC address like 52:54:00:00:00:01", mac);
		return -EINVAL;
	}
	if (hook && hook_parse(hook, &ignored_hook)) {
		*error = g_strdup_printf("--hook \"%s\" is none of auto, xdp, tcx, tc", hook);
		return -EINVAL;
	}
	if (max_flows) {
		if (endpoint_parse_number("--max-flows", max_flows, 1, 1048576, &flows, error))
			return -EINVAL;
		json_object_set_new(body, "conntrack",
				    json_pack("{s:I}", "max_flows", (json_int_t)flows));
	}
	if (mac)
		json_object_set_new(body, "mac", json_string(mac));
	if (hook)
		json_object_set_new(body, "hook", json_string(hook));
	if (network)
		json_object_set_new(body, "network", json_string(network));
	if (args_flag(args, "no-spoof-guard"))
		json_object_set_new(body, "spoof_guard", json_false());
	return 0;
}

/* 0 and the policy's object plus network, or -EINVAL and *error. */
static int request(const struct args *args, json_t **result, char **error)
{
	const GPtrArray *addresses = args_list(args, "address"),
			*allowed = args_list(args, "allowed");
	const GPtrArray *groups = args_list(args, "group");
	AUTO_JSON json_t *body = json_pack("{s:s}", "device", args_operand(args, 0));

	if (!body) {
		*error = g_strdup("the device's name is not UTF-8");
		return -EINVAL;
	}
	if (check_id(args_value(args, "id"), error) || check_addresses(addresses, error) ||
	    check_allowed(allowed, error) || add_scalars(args, body, error) ||
	    add_vlans(args, body, error))
		return -EINVAL;
	json_object_set_new(body, "addresses", strings(addresses));
	if (allowed)
		json_object_set_new(body, "allowed_addresses", strings(allowed));
	if (groups)
		json_object_set_new(body, "groups", strings(groups));
	*result = TAKE_PTR(body);
	return 0;
}

static const char *member(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "?";
}

static void print_groups(const json_t *groups)
{
	const json_t *group;
	size_t i;

	json_array_foreach (groups, i, group)
		output_text("%s%s", i ? ", " : " with ", json_string_value(group));
}

static enum exit_status report(const struct args *args, const json_t *iface)
{
	const char *state = member(iface, "state");
	bool waits = !strcmp(state, "waiting") && args_flag(args, "wait");
	bool filters = !strcmp(state, "filtering");

	if (args_flag(args, "json")) {
		output_json(iface);
	} else if (filters) {
		output_text("%s: filtering %s (%s)", member(iface, "id"), member(iface, "device"),
			    member(iface, "hook"));
		print_groups(json_object_get(iface, "groups"));
		putchar('\n');
	} else if (waits) {
		output_text("%s: waiting for %s, filtered as soon as it appears\n",
			    member(iface, "id"), member(iface, "device"));
	}
	if (filters || waits)
		return EXIT_DONE;
	output_warning("%s is not filtering %s: %s", member(iface, "id"), member(iface, "device"),
		       json_string_value(json_object_get(iface, "error")) ? member(iface, "error")
									  : state);
	return EXIT_FAILED;
}

/* Of the first attachment, not of the interface: a parameter of the request. */
static int check_adopt_flows(const struct args *args, char **error)
{
	const char *text = args_value(args, "adopt-flows");
	uint64_t ignored;

	return text ? endpoint_parse_number("--adopt-flows", text, 1, 3600, &ignored, error) : 0;
}

enum exit_status command_attach(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	g_autoptr(GString) path = g_string_new("/v1/interfaces");
	AUTO_JSON json_t *body = NULL;
	AUTO_JSON json_t *iface = NULL;
	g_autofree char *error = NULL;

	if (check_adopt_flows(args, &error) || request(args, &body, &error))
		return output_usage_error(args, "%s", error);
	client_add_segment(path, args_value(args, "id"));
	client_add_query(path, "allow_waiting", args_flag(args, "wait") ? "1" : NULL);
	client_add_query(path, "adopt_flows", args_value(args, "adopt-flows"));
	if (client_request(args, "PUT", path->str, body, &iface, NULL, diag))
		return output_failure(args, diag);
	return report(args, iface);
}
