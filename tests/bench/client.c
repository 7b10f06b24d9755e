/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client.c - see client.h.
 */
#include "tests/bench/client.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lib/check.h"

#define END_OF_HEAD    "\r\n\r\n"
#define LENGTH_FIELD   "\r\nContent-Length: "
#define ANSWER_SECONDS 300 /* a load of everything, on a busy machine */

struct client client_open(const char *socket_path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = ANSWER_SECONDS};
	struct client client = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};

	g_strlcpy(address.sun_path, socket_path, sizeof(address.sun_path));
	if (client.fd < 0 ||
	    setsockopt(client.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(client.fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		fail_msg("%s: %s", socket_path, strerror(errno));
	return client;
}

void client_close(struct client *client)
{
	close(client->fd);
	client->fd = -1;
}

char *client_request(const char *method, const char *path, const char *body)
{
	return g_strdup_printf("%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
			       "application/json\r\nContent-Length: %zu" END_OF_HEAD "%s",
			       method, path, body ? strlen(body) : 0, body ? body : "");
}

void client_send(const struct client *client, const char *request)
{
	size_t length = strlen(request);

	while (length > 0) {
		ssize_t sent = send(client->fd, request, length, MSG_NOSIGNAL);

		if (sent < 0)
			fail_msg("send to rulesd: %s", strerror(errno));
		request += sent;
		length -= (size_t)sent;
	}
}

bool client_answered(const struct client *client)
{
	struct pollfd waiting = {.fd = client->fd, .events = POLLIN};

	return poll(&waiting, 1, 0) > 0;
}

static void receive_some(const struct client *client, GString *text)
{
	char part[65536];
	ssize_t got = recv(client->fd, part, sizeof(part), 0);

	if (got <= 0)
		fail_msg("rulesd does not answer: %s", got ? strerror(errno) : "end of connection");
	g_string_append_len(text, part, got);
}

json_t *client_receive(const struct client *client)
{
	g_autoptr(GString) text = g_string_new(NULL);
	const char *length_field, *end;
	size_t whole;
	json_t *answer;

	while (!(end = strstr(text->str, END_OF_HEAD)))
		receive_some(client, text);
	length_field = strstr(text->str, LENGTH_FIELD);
	if (!length_field || length_field > end)
		fail_msg("an answer without a length: %s", text->str);
	whole = (size_t)(end - text->str) + strlen(END_OF_HEAD) +
		(size_t)g_ascii_strtoull(length_field + strlen(LENGTH_FIELD), NULL, 10);
	while (text->len < whole)
		receive_some(client, text);
	if (!g_str_has_prefix(text->str, "HTTP/1.1 200 "))
		fail_msg("rulesd answers: %.2000s", text->str);
	answer = json_loads(strstr(text->str, END_OF_HEAD), JSON_DECODE_ANY, NULL);
	if (!answer)
		fail_msg("not JSON: %.2000s", text->str);
	return answer;
}
