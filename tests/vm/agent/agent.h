/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent.h - what the parts of the guest agent owe each other.
 *
 * The agent runs inside a guest and does what the host tells it, any number of things at once. A
 * command is a line "ID VERB ARGUMENT...", an answer "ID RESULT..."; every command gets exactly one
 * answer, in the order in which they end.
 *
 *   ID serve tcp|udp PORT...               "ok": says "NAME PORT" to whoever connects, then echoes
 *   ID probe tcp|udp ADDRESS PORT TIMEOUT  "open MS NAME PORT", "refused", "timeout", "silent"
 *   ID probe ping ADDRESS - TIMEOUT        "open MS", "timeout"
 *   ID hold KEY ADDRESS PORT TIMEOUT       "ok" once connected, else as probe: a byte every 200 ms
 *   ID held KEY                            "sent N echoed N idle MS open|closed"
 *   ID drop KEY                            "ok": closes a held connection
 *
 * TIMEOUT and MS are milliseconds. A failure of the agent itself answers "error REASON".
 */
#pragma once

#include <glib.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* An address of either family with its port. */
struct endpoint {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t length;
};

/* 0 or -EINVAL; port may be "-" for none. */
int endpoint_parse(const char *address, const char *port, struct endpoint *endpoint);

/* A non-blocking socket that is connected to endpoint, or connecting; -errno. */
int endpoint_connect(const struct endpoint *endpoint, int type, int protocol);

/* The name of this guest: what its services say first. */
const char *agent_name(void);
/* Sends one line "ID TEXT" to the host. */
void agent_answer(const char *id, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Each verb: words[0] is the first argument, the array ends with NULL. Answers now or later. */
void serve_command(const char *id, char **words);
void probe_command(const char *id, char **words);
void hold_command(const char *id, char **words);
void held_command(const char *id, char **words);
void drop_command(const char *id, char **words);

/* One echo request (probe ping): answers id when the reply or the timeout comes. */
void ping_start(const char *id, const struct endpoint *endpoint, guint timeout_ms);
