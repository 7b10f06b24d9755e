/* SPDX-License-Identifier: GPL-2.0-or-later */
/* filters.c - see filters.h. */
#include "ctl/filters.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/endpoint.h"
#include "rulesd/names.h"
#include "rulesd/nearest.h"

static int add_port(const struct args *args, const char *option, GString *path, char **error)
{
	const char *text = args_value(args, option);
	uint16_t port;

	if (text && endpoint_parse_port(text, &port, error))
		return -EINVAL;
	client_add_query(path, option, text);
	return 0;
}

/* --src and --dst; a port there says the same as --sport and --dport. */
static int add_end(const struct args *args, const char *end, const char *port_option, GString *path,
		   char **error)
{
	const char *text = args_value(args, end);
	struct endpoint endpoint;
	char address[ADDR_TEXT_SIZE];

	if (!text)
		return add_port(args, port_option, path, error);
	if (endpoint_parse(text, &endpoint, error))
		return -EINVAL;
	if (endpoint.port >= 0 && args_flag(args, port_option)) {
		*error = g_strdup_printf("--%s \"%s\" has a port, and so has --%s", end, text,
					 port_option);
		return -EINVAL;
	}
	client_add_query(path, end, addr_format(&endpoint.addr, address));
	if (endpoint.port >= 0) {
		g_autofree char *port = g_strdup_printf("%d", endpoint.port);

		client_add_query(path, port_option, port);
		return 0;
	}
	return add_port(args, port_option, path, error);
}

/* "new" and what else the table shows. */
static int check_state(const char *state, char **error)
{
	struct nearest nearest = nearest_new(state);
	g_autoptr(GString) all = g_string_new("new");

	nearest_offer(&nearest, "new");
	for (uint32_t i = SG_TCP_SYN_SENT; i < SG_TCP_STATES; i++) {
		const char *name = flow_state_name(IPPROTO_TCP, i);

		nearest_offer(&nearest, name);
		g_string_append_printf(all, ", %s", name);
		if (!strcmp(name, state))
			return 0;
	}
	if (!strcmp(state, "new"))
		return 0;
	*error = nearest.best
			 ? g_strdup_printf("unknown state \"%s\"; did you mean %s?", state,
					   nearest.best)
			 : g_strdup_printf("unknown state \"%s\"; there are %s", state, all->str);
	return -EINVAL;
}

int filters_query(const struct args *args, GString *path, int *port, char **error)
{
	const char *protocol = args_value(args, "protocol"),
		   *direction = args_value(args, "direction");
	const char *either = args_value(args, "port"), *state = args_value(args, "state");
	uint16_t number;
	enum sg_dir dir;

	*port = -1;
	client_add_query(path, "interface", args_value(args, "interface"));
	if (protocol) {
		if (endpoint_parse_protocol(protocol, &number, error))
			return -EINVAL;
		client_add_query(path, "protocol", protocol);
	}
	if (add_end(args, "src", "sport", path, error) ||
	    add_end(args, "dst", "dport", path, error))
		return -EINVAL;
	if (direction) {
		if (endpoint_parse_direction(direction, &dir, error))
			return -EINVAL;
		client_add_query(path, "direction", dir_name(dir));
	}
	if (state && check_state(state, error))
		return -EINVAL;
	client_add_query(path, "state", state);
	client_add_query(path, "rule", args_value(args, "rule"));
	if (either) {
		if (endpoint_parse_port(either, &number, error))
			return -EINVAL;
		*port = number;
	}
	return 0;
}

bool filters_port_matches(const json_t *flow, int port)
{
	return port < 0 || json_integer_value(json_object_get(flow, "sport")) == port ||
	       json_integer_value(json_object_get(flow, "dport")) == port;
}
