/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_clients.c - see http_clients.h.
 */
#include "rulesd/http_clients.h"

#include <sys/socket.h>

#include "rulesd/cleanup.h"
#include "rulesd/log.h"

#define TICK_US		 G_USEC_PER_SEC
#define TURN_US		 50000 /* of clients' time, at most, for what we do between two waits */
#define WELCOME_SECS	 5 /* so long nobody is closed for a newcomer in the midst of a request */
#define FREE_PART(limit) ((limit) - (limit) / 4)

struct http_client {
	GList link;
	const struct http_clients *clients;
	int fd;
	struct http_owner owner;
	enum http_phase phase;
	bool fresh;	  /* it has not asked anything yet */
	bool closed;	  /* shut down; it is about to be removed */
	int64_t since_us; /* of the phase; of the clock of clients */
	uint64_t bytes;	  /* of the body or the reply */
};

struct http_clients {
	struct http_limits limits;
	GQueue all; /* of struct http_client, the oldest connection first */
	unsigned int alive, others;
	GSource *clock; /* NULL: there is no client */
	int64_t clock_us;
	int64_t looked_us; /* monotonic: the clock is right for this moment */
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

/*
 * Clients' time. While the main loop waits, all that they have sent has been read, and what is
 * missing is theirs to send: that time counts. While rulesd is busy with something else, or is
 * stopped, nobody reads, and they are not to blame: of that the clock sees TURN_US. It sees that
 * much so that slow ones are closed by a loop that never waits, too, and no more because a turn
 * reads less than a whole body of each: more than HTTP_BODY_RATE has it read in TURN_US.
 */
static void clock_on(struct http_clients *clients, int64_t at_most)
{
	const int64_t now = g_get_monotonic_time();

	clients->clock_us += CLAMP(now - clients->looked_us, 0, at_most);
	clients->looked_us = now;
}

struct clock_source {
	GSource base;
	struct http_clients *clients;
};

static gboolean before_waiting(GSource *base, gint *timeout)
{
	*timeout = -1;
	clock_on(((struct clock_source *)base)->clients, TURN_US);
	return FALSE;
}

static gboolean after_waiting(GSource *base)
{
	/* Nobody waits longer than until the next tick, unless the whole process stands still. */
	clock_on(((struct clock_source *)base)->clients, TICK_US);
	return FALSE;
}

static gboolean tick(GSource *base, GSourceFunc callback, gpointer arg)
{
	struct http_clients *clients = ((struct clock_source *)base)->clients;

	(void)callback;
	(void)arg;
	g_source_set_ready_time(base, g_get_monotonic_time() + TICK_US);
	for (GList *item = clients->all.head; item; item = item->next) {
		struct http_client *client = item->data;

		if (!client->closed &&
		    clients->clock_us - client->since_us > seconds_allowed(client) * G_USEC_PER_SEC)
			close_client(clients, client, "it is too slow");
	}
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs clock_functions = {
	.prepare = before_waiting,
	.check = after_waiting,
	.dispatch = tick,
};

static void start_clock(struct http_clients *clients)
{
	clients->clock = g_source_new(&clock_functions, sizeof(struct clock_source));
	((struct clock_source *)clients->clock)->clients = clients;
	clients->looked_us = g_get_monotonic_time();
	g_source_set_ready_time(clients->clock, clients->looked_us + TICK_US);
	g_source_attach(clients->clock, NULL);
}

static void stop_clock(struct http_clients *clients)
{
	GSource *clock = TAKE_PTR(clients->clock);

	g_source_destroy(clock);
	g_source_unref(clock);
}

/* ---------------------------------------------------------------- number */

/* Who asks nothing goes first, then who has been asking or taking its answer for long; who we let
 * wait stays. */
static unsigned int worth(const struct http_client *client)
{
	if (client->phase == HTTP_HEAD)
		return 1;
	if (client->phase != HTTP_WORK &&
	    client->clients->clock_us - client->since_us > WELCOME_SECS * G_USEC_PER_SEC)
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
	struct http_client *found = NULL;
	unsigned int least = G_MAXUINT;

	for (const GList *item = clients->all.head; item; item = item->next) {
		struct http_client *client = item->data;
		unsigned int value = worth(client);

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

	if (!clients->clock)
		start_clock(clients);
	client->link.data = client;
	client->clients = clients;
	client->fd = fd;
	client->fresh = true;
	client->since_us = clients->clock_us;
	clients->limits.owner_of(fd, &client->owner);
	g_queue_push_tail_link(&clients->all, &client->link);
	clients->alive++;
	clients->others += !client->owner.trusted;
	enforce(clients, client);
	return client;
}

void http_clients_remove(struct http_clients *clients, struct http_client *client)
{
	forget(clients, client);
	g_queue_unlink(&clients->all, &client->link);
	g_free(client);
	if (!clients->all.length)
		stop_clock(clients);
}

void http_client_phase(struct http_client *client, enum http_phase phase, uint64_t bytes)
{
	if (client->phase != phase) {
		client->phase = phase;
		client->since_us = client->clients->clock_us;
		client->bytes = 0;
	}
	client->bytes += bytes;
	client->fresh &= phase == HTTP_HEAD;
}
