/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endpoint.c - addresses of either family, and sockets to them.
 */
#include "tests/vm/agent/agent.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

int endpoint_parse(const char *address, const char *port, struct endpoint *endpoint)
{
	struct endpoint parsed = {0};
	guint64 number = 0;

	if (strcmp(port, "-") != 0 &&
	    !g_ascii_string_to_unsigned(port, 10, 0, 65535, &number, NULL))
		return -EINVAL;
	if (inet_pton(AF_INET, address, &parsed.v4.sin_addr) == 1) {
		parsed.v4.sin_family = AF_INET;
		parsed.v4.sin_port = htons((uint16_t)number);
		parsed.length = sizeof(parsed.v4);
	} else if (inet_pton(AF_INET6, address, &parsed.v6.sin6_addr) == 1) {
		parsed.v6.sin6_family = AF_INET6;
		parsed.v6.sin6_port = htons((uint16_t)number);
		parsed.length = sizeof(parsed.v6);
	} else {
		return -EINVAL;
	}
	*endpoint = parsed;
	return 0;
}

int endpoint_connect(const struct endpoint *endpoint, int type, int protocol)
{
	AUTO_FD int fd =
		socket(endpoint->any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return -errno;
	if (connect(fd, &endpoint->any, endpoint->length) < 0 && errno != EINPROGRESS)
		return -errno;
	return TAKE_FD(fd);
}
