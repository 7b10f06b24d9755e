/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ping.c - one echo request of either family and its reply.
 */
#include "tests/vm/agent/agent.h"

#include <errno.h>
#include <glib-unix.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

struct ping {
	char *id;
	int fd;
	int family;
	uint16_t query; /* the identifier, as on the wire */
	gint64 start_us;
	guint watch;
	guint timer;
};

static void ping_end(struct ping *ping)
{
	g_clear_handle_id(&ping->watch, g_source_remove);
	g_clear_handle_id(&ping->timer, g_source_remove);
	if (ping->fd >= 0)
		close(ping->fd);
	g_free(ping->id);
	g_free(ping);
}

static gboolean ping_timeout(gpointer data)
{
	struct ping *ping = data;

	ping->timer = 0;
	agent_answer(ping->id, "timeout");
	ping_end(ping);
	return G_SOURCE_REMOVE;
}

/* The raw socket is connected, so only messages of the address that was asked arrive here. */
static gboolean is_reply(const struct ping *ping, const uint8_t *message, size_t length)
{
	/* An IPv4 raw socket delivers the IP header, an IPv6 one does not. */
	size_t header = ping->family == AF_INET ? (size_t)(message[0] & 0xf) * 4 : 0;
	uint8_t wanted = ping->family == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;

	return length >= header + 8 && message[header] == wanted &&
	       memcmp(message + header + 4, &ping->query, sizeof(ping->query)) == 0;
}

static gboolean ping_readable(gint fd, GIOCondition condition, gpointer data)
{
	struct ping *ping = data;
	uint8_t message[2048] = {0};
	ssize_t length = read(fd, message, sizeof(message));

	(void)condition;
	if (length <= 0 || !is_reply(ping, message, (size_t)length))
		return G_SOURCE_CONTINUE;
	ping->watch = 0;
	agent_answer(ping->id, "open %" G_GINT64_FORMAT,
		     (g_get_monotonic_time() - ping->start_us) / 1000);
	ping_end(ping);
	return G_SOURCE_REMOVE;
}

/* RFC 1071. */
static uint16_t checksum(const uint8_t *bytes, size_t length)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void ping_start(const char *id, const struct endpoint *endpoint, guint timeout_ms)
{
	static uint16_t next_query = 1;
	gboolean v4 = endpoint->any.sa_family == AF_INET;
	/* Type, code, checksum, identifier, sequence number, 8 bytes of data. */
	uint8_t request[16] = {v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST, 0, 0, 0, 0, 0, 0, 1};
	struct ping *ping = g_new0(struct ping, 1);

	ping->id = g_strdup(id);
	ping->family = endpoint->any.sa_family;
	ping->query = htons(next_query++);
	ping->start_us = g_get_monotonic_time();
	memcpy(request + 4, &ping->query, sizeof(ping->query));
	if (v4) { /* the kernel fills in that of ICMPv6: RFC 3542, 3.1 */
		uint16_t sum = checksum(request, sizeof(request));

		request[2] = (uint8_t)(sum >> 8);
		request[3] = (uint8_t)sum;
	}
	ping->fd = endpoint_connect(endpoint, SOCK_RAW, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	if (ping->fd < 0 || send(ping->fd, request, sizeof(request), 0) < 0) {
		agent_answer(id, "error %s", strerror(ping->fd < 0 ? -ping->fd : errno));
		return ping_end(ping);
	}
	ping->watch = g_unix_fd_add(ping->fd, G_IO_IN, ping_readable, ping);
	ping->timer = g_timeout_add(timeout_ms, ping_timeout, ping);
}
