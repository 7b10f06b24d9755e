/* SPDX-License-Identifier: GPL-2.0-or-later */
/* endpoint.c - see endpoint.h. */
#include "ctl/endpoint.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "rulesd/names.h"
#include "rulesd/nearest.h"

int endpoint_parse_number(const char *what, const char *text, uint64_t least, uint64_t most,
			  uint64_t *number, char **error)
{
	guint64 value;

	/* g_ascii_string_to_unsigned takes no sign, no blanks and no rest. */
	if (!g_ascii_string_to_unsigned(text, 10, least, most, &value, NULL)) {
		if (most >= INT64_MAX)
			*error = g_strdup_printf("%s \"%s\" is not a whole number", what, text);
		else
			*error = g_strdup_printf("%s \"%s\" is not a number from %" G_GUINT64_FORMAT
						 " to %" G_GUINT64_FORMAT,
						 what, text, least, most);
		return -EINVAL;
	}
	*number = value;
	return 0;
}

int endpoint_parse_port(const char *text, uint16_t *port, char **error)
{
	uint64_t number;

	if (endpoint_parse_number("port", text, 0, UINT16_MAX, &number, error))
		return -EINVAL;
	*port = (uint16_t)number;
	return 0;
}

static int bad_endpoint(const char *text, char **error)
{
	*error = g_strdup_printf("\"%s\" is not an address; right are 10.0.0.5, 10.0.0.5:443, "
				 "fd00::5 and [fd00::5]:443",
				 text);
	return -EINVAL;
}

int endpoint_parse(const char *text, struct endpoint *endpoint, char **error)
{
	struct endpoint result = {.port = -1};
	const char *port = NULL;
	g_autofree char *address = NULL;

	if (*text == '[') {
		const char *end = strchr(text, ']');

		if (!end || (end[1] && end[1] != ':') || !memchr(text, ':', (size_t)(end - text)))
			return bad_endpoint(text, error);
		address = g_strndup(text + 1, (size_t)(end - text) - 1);
		port = end[1] ? end + 2 : NULL;
	} else {
		const char *colon = strchr(text, ':');

		/* More than one colon is an IPv6 address without a port. */
		if (colon && !strchr(colon + 1, ':')) {
			address = g_strndup(text, (size_t)(colon - text));
			port = colon + 1;
		} else {
			address = g_strdup(text);
		}
	}
	if (addr_parse(address, &result.addr))
		return bad_endpoint(text, error);
	if (port) {
		uint16_t number;

		if (endpoint_parse_port(port, &number, error))
			return -EINVAL;
		result.port = number;
	}
	*endpoint = result;
	return 0;
}

int endpoint_parse_direction(const char *text, enum sg_dir *direction, char **error)
{
	if (!strcmp(text, "in") || !strcmp(text, "out")) {
		*direction = *text == 'i' ? SG_INGRESS : SG_EGRESS;
		return 0;
	}
	if (dir_parse(text, direction)) {
		*error = g_strdup_printf("direction \"%s\" is neither ingress nor egress", text);
		return -EINVAL;
	}
	return 0;
}

int endpoint_parse_protocol(const char *text, uint16_t *protocol, char **error)
{
	static const char *const known[] = {"tcp",  "udp", "icmp", "icmpv6",
					    "sctp", "gre", "esp",  "ah"};
	struct nearest nearest;
	uint16_t result;

	if (!protocol_parse(text, &result) && result != SG_PROTO_ALL) {
		*protocol = result;
		return 0;
	}
	nearest = nearest_new(text);
	for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
		nearest_offer(&nearest, known[i]);
	if (nearest.best)
		*error = g_strdup_printf("unknown protocol \"%s\"; did you mean %s?", text,
					 nearest.best);
	else
		*error = g_strdup_printf(
			"unknown protocol \"%s\"; right are tcp, udp, icmp, icmpv6, "
			"sctp, gre, esp, ah and numbers up to 255",
			text);
	return -EINVAL;
}
