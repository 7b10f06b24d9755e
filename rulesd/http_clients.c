/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_clients.c - see http_clients.h.
 */
#include "rulesd/http_clients.h"

#include <sys/socket.h>

#include "rulesd/cleanup.h"
#include "rulesd/log.h"

#define TICK_MS		 1000
#define WELCOME_SECS	 5 /* so long nobody is closed for a newcomer in the midst of a request */
#define FREE_PART(limit) ((limit) - (limit) / 4)

struct http_client {
	GList link;
	int fd;
	struct http_owner owner;
	enum http_phase phase;
	bool fresh;	  /* it has not asked anything yet */
	bool closed;	  /* shut down; it is about to be removed */
	int64_t since_us; /* of the phase; monotonic */
	uint64_t bytes;	  /* of the body or the reply */
};

struct http_clients {
	struct http_limits limits;
	GQueue all; /* of struct http_client, the oldest connection first */
	unsigned int alive, others;
	guint timer;
};

struct http_clients *http_clients_new(const struct http_limits *limits)
{
	struct http_clients *clients = g_new0(struct http_clients, 1);

	clients->limits = *limits;
	g_queue_init(&clients->all);
	return clients;
}

void http_clients_free(struct http_clients **clients)
{
	struct http_clients *freed = TAKE_PTR(*clients);

	if (!freed)
		return;
	g_assert(freed->all.length == 0);
	g_clear_handle_id(&freed->timer, g_source_remove);
	g_free(freed);
}

/* It does not count any more from now on. */
static void forget(struct http_clients *clients, struct http_client *client)
{
	if (client->closed)
		return;
	client->closed = true;
	clients->alive--;
	clients->others -= !client->owner.trusted;
}

static void close_client(struct http_clients *clients, struct http_client *client, const char *why)
{
	log_debug("http: a connection of %" G_GUINT64_FORMAT " is closed: %s", client->owner.key,
		  why);
	forget(clients, client);
	shutdown(client->fd, SHUT_RDWR);
}

/* ---------------------------------------------------------------- time */

static int64_t seconds_allowed(const struct http_client *client)
{
	switch (client->phase) {
	case HTTP_HEAD:
		return client->fresh ? HTTP_FIRST_HEAD_SECS : HTTP_KEPT_SECS;
	case HTTP_BODY:
		return HTTP_BODY_SECS + (int64_t)(client->bytes / HTTP_BODY_RATE);
	case HTTP_REPLY:
		return HTTP_REPLY_SECS + (int64_t)(client->bytes / HTTP_REPLY_RATE);
	case HTTP_WORK:
		break;
	}
	return G_MAXINT64 / G_USEC_PER_SEC;
}

static gboolean tick(gpointer arg)
{
	struct http_clients *clients = arg;
	const int64_t now = g_get_monotonic_time();

	for (GList *item = clients->all.head; item; item = item->next) {
		struct http_client *client = item->data;

		if (!client->closed &&
		    now - client->since_us > seconds_allowed(client) * G_USEC_PER_SEC)
			close_client(clients, client, "it is too slow");
	}
	return G_SOURCE_CONTINUE;
}

/* ---------------------------------------------------------------- number */

/* Who asks nothing goes first, then who has been asking or taking its answer for long; who we let
 * wait stays. */
static unsigned int worth(const struct http_client *client, int64_t now)
{
	if (client->phase == HTTP_HEAD)
		return 1;
	if (client->phase != HTTP_WORK && now - client->since_us > WELCOME_SECS * G_USEC_PER_SEC)
		return 2;
	return 0;
}

struct choice {
	const struct http_owner *owner; /* only its own; NULL: of all */
	bool trusted;			/* also trusted ones */
};

/* The oldest of the least worth, but never except; NULL: all are busy. */
static struct http_client *choose(const struct http_clients *clients, const struct choice *choice,
				  const struct http_client *except)
{
	const int64_t now = g_get_monotonic_time();
	struct http_client *found = NULL;
	unsigned int least = G_MAXUINT;

	for (const GList *item = clients->all.head; item; item = item->next) {
		struct http_client *client = item->data;
		unsigned int value = worth(client, now);

		if (client == except || client->closed || !value ||
		    (client->owner.trusted && !choice->trusted) ||
		    (choice->owner && client->owner.key != choice->owner->key))
			continue;
		if (value < least || (value == least && client->since_us < found->since_us)) {
			found = client;
			least = value;
		}
	}
	return found;
}

static unsigned int count_of(const struct http_clients *clients, const struct http_owner *owner)
{
	unsigned int count = 0;

	for (const GList *item = clients->all.head; item; item = item->next) {
		const struct http_client *client = item->data;

		count += !client->closed && client->owner.key == owner->key;
	}
	return count;
}

/* One of them makes place for the newcomer, or that one has to go itself. */
static void make_place(struct http_clients *clients, const struct choice *choice,
		       struct http_client *newcomer)
{
	struct http_client *leaves = choose(clients, choice, newcomer);

	close_client(clients, leaves ? leaves : newcomer, "there are too many");
}

static void enforce(struct http_clients *clients, struct http_client *newcomer)
{
	const struct http_limits *limits = &clients->limits;
	const struct choice own = {.owner = &newcomer->owner}, others = {0};
	const struct choice all = {.trusted = true};
	struct http_client *leaves;

	if (!newcomer->owner.trusted && count_of(clients, &newcomer->owner) > limits->each)
		make_place(clients, &own, newcomer);
	if (!newcomer->closed && !newcomer->owner.trusted && clients->others > limits->others)
		make_place(clients, &others, newcomer);
	if (newcomer->closed || clients->alive <= FREE_PART(limits->connections))
		return;
	leaves = choose(clients, &others, newcomer);
	if (!leaves && newcomer->owner.trusted)
		leaves = choose(clients, &all, newcomer);
	if (leaves)
		close_client(clients, leaves, "there are too many");
	else if (!newcomer->owner.trusted)
		close_client(clients, newcomer, "there are too many");
}

/* ---------------------------------------------------------------- from start to end */

struct http_client *http_clients_add(struct http_clients *clients, int fd)
{
	struct http_client *client = g_new0(struct http_client, 1);

	client->link.data = client;
	client->fd = fd;
	client->fresh = true;
	client->since_us = g_get_monotonic_time();
	clients->limits.owner_of(fd, &client->owner);
	g_queue_push_tail_link(&clients->all, &client->link);
	clients->alive++;
	clients->others += !client->owner.trusted;
	if (!clients->timer)
		clients->timer = g_timeout_add(TICK_MS, tick, clients);
	enforce(clients, client);
	return client;
}

void http_clients_remove(struct http_clients *clients, struct http_client *client)
{
	forget(clients, client);
	g_queue_unlink(&clients->all, &client->link);
	g_free(client);
	if (!clients->all.length)
		g_clear_handle_id(&clients->timer, g_source_remove);
}

void http_client_phase(struct http_client *client, enum http_phase phase, uint64_t bytes)
{
	if (client->phase != phase) {
		client->phase = phase;
		client->since_us = g_get_monotonic_time();
		client->bytes = 0;
	}
	client->bytes += bytes;
	client->fresh &= phase == HTTP_HEAD;
}
