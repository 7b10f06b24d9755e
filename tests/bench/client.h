/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client.h - a client of rulesd's API as a cloud's agent is one: a connection that stays open, one
 * request after the other. By hand, because sending and receiving are apart: in between, the caller
 * asks the kernel whether the request has taken effect.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct client {
	int fd;
};

/* Fails the test when it cannot connect. */
struct client client_open(const char *socket);
void client_close(struct client *client);

/* A whole request, ready for client_send; body may be NULL. The caller frees. */
char *client_request(const char *method, const char *path, const char *body);
void client_send(const struct client *client, const char *request);
/* Whether the answer has begun to arrive. */
bool client_answered(const struct client *client);
/* Waits for the answer; fails the test unless it is 200, showing it. The caller gives it back. */
json_t *client_receive(const struct client *client);
