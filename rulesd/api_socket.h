/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_socket.h - the Unix socket of the API, and what a peer's credentials permit.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

enum api_right {
	API_NONE,
	API_READ,  /* GET, and trace, which changes nothing */
	API_WRITE, /* everything */
};

#define API_NO_GROUP ((gid_t)-1)

struct api_groups {
	gid_t write; /* API_NO_GROUP: none */
	gid_t read;
};

/* Names to numbers; NULL is no group. 0, or -ENOENT and *error. */
int api_groups_find(const char *write, const char *read, struct api_groups *groups, char **error);

/*
 * Joins the group that the socket will belong to, so that it can be given to it without CAP_CHOWN.
 * Without CAP_SETGID nothing happens, and the socket gets an access control list instead. 0 or
 * -errno.
 */
int api_groups_join(const struct api_groups *groups);

/* Removes the socket that a rulesd that is gone left behind; never anything else. 0, or -errno and
 * *error: -EADDRINUSE when somebody answers there, -EEXIST when it is no socket. */
int api_socket_remove_stale(const char *path, char **error);

/* The folder of the socket, if there is none. 0, or -errno and *error. */
int api_socket_make_folder(const char *path, char **error);

/*
 * A listening non-blocking socket that only root, rulesd's own user and the groups can connect to.
 * 0 and *fd, or -errno and *error: -EADDRINUSE when somebody answers there.
 */
int api_socket_listen(const char *path, const struct api_groups *groups, int *fd, char **error);

/* By SO_PEERCRED and SO_PEERGROUPS, as of when the peer connected. */
enum api_right api_socket_right(int fd, const struct api_groups *groups, uid_t *uid);
