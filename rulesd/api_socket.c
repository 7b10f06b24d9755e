/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_socket.c - making the socket, its owner and mode, and judging who is at the other end.
 *
 * The mode keeps strangers from connecting at all, so that they cannot use up connections either.
 * One group is the socket's group; two need an access control list.
 */
#include "rulesd/api_socket.h"

#include <errno.h>
#include <glib.h>
#include <grp.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

/* A client whose connect(2) does not wait (libcurl) fails when it is full; the kernel takes no more
 * than net.core.somaxconn. */
#define BACKLOG 4096

static int find_group(const char *option, const char *name, gid_t *gid, char **error)
{
	const struct group *entry;

	*gid = API_NO_GROUP;
	if (!name)
		return 0;
	entry = getgrnam(name);
	if (!entry) {
		*error = g_strdup_printf("%s %s: no such group (groupadd --system %s)", option,
					 name, name);
		return -ENOENT;
	}
	*gid = entry->gr_gid;
	return 0;
}

int api_groups_find(const char *write, const char *read, struct api_groups *groups, char **error)
{
	struct api_groups found;
	int err = find_group("--socket-group", write, &found.write, error);

	if (err == 0)
		err = find_group("--read-group", read, &found.read, error);
	if (err == 0)
		*groups = found;
	return err;
}

/* Of the socket: the only one, or API_NO_GROUP. */
static gid_t owning_group(const struct api_groups *groups)
{
	if (groups->write == API_NO_GROUP)
		return groups->read;
	return groups->read == API_NO_GROUP || groups->read == groups->write ? groups->write
									     : API_NO_GROUP;
}

int api_groups_join(const struct api_groups *groups)
{
	const gid_t gid = owning_group(groups);
	g_autofree gid_t *list = NULL;
	int count = getgroups(0, NULL);

	if (count < 0)
		return -errno;
	list = g_new(gid_t, (gsize)count + 1);
	count = getgroups(count, list);
	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		if (list[i] == gid)
			return 0;
	}
	if (gid == API_NO_GROUP || gid == getegid())
		return 0;
	list[count] = gid;
	return setgroups((size_t)count + 1, list) < 0 && errno != EPERM ? -errno : 0;
}

static int fail(char **error, int err, const char *path, const char *what)
{
	*error = g_strdup_printf("socket %s: %s: %s", path, what, g_strerror(-err));
	return err;
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	return address;
}

int api_socket_remove_stale(const char *path, char **error)
{
	const struct sockaddr_un address = address_of(path);
	AUTO_FD int fd = -1;
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : fail(error, -errno, path, "stat");
	if (!S_ISSOCK(st.st_mode)) {
		*error = g_strdup_printf("socket %s: something that is no socket is there: remove "
					 "it, or give another --socket",
					 path);
		return -EEXIST;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(error, -errno, path, "socket");
	/* EAGAIN: somebody listens whose backlog is full. */
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ||
	    errno == EAGAIN) {
		*error = g_strdup_printf("socket %s: another rulesd answers there: stop it, or "
					 "give this one its own --socket",
					 path);
		return -EADDRINUSE;
	}
	if (errno != ECONNREFUSED)
		return fail(error, -errno, path, "connect");
	if (unlink(path) < 0 && errno != ENOENT)
		return fail(error, -errno, path, "unlink");
	return 0;
}

/* The layout of linux/posix_acl_xattr.h, little endian. */
struct acl_entry {
	uint16_t tag;
	uint16_t perm;
	uint32_t id;
};

static int set_acl(const char *path, const struct api_groups *groups)
{
	enum { USER_OBJ = 1, GROUP_OBJ = 4, GROUP = 8, MASK = 16, OTHER = 32, RW = 6 };
	const gid_t only = owning_group(groups);
	const bool two = only == API_NO_GROUP;
	const struct acl_entry entries[] = {
		{USER_OBJ, RW, UINT32_MAX},
		{GROUP_OBJ, 0, UINT32_MAX},
		{GROUP, RW, two ? MIN(groups->write, groups->read) : only},
		{two ? GROUP : 0, RW, MAX(groups->write, groups->read)},
		{MASK, RW, UINT32_MAX},
		{OTHER, 0, UINT32_MAX},
	};
	struct {
		uint32_t version;
		struct acl_entry entry[G_N_ELEMENTS(entries)];
	} acl = {.version = GUINT32_TO_LE(2)};
	size_t count = 0;

	for (unsigned int i = 0; i < G_N_ELEMENTS(entries); i++) {
		if (!entries[i].tag)
			continue;
		acl.entry[count].tag = GUINT16_TO_LE(entries[i].tag);
		acl.entry[count].perm = GUINT16_TO_LE(entries[i].perm);
		acl.entry[count].id = GUINT32_TO_LE(entries[i].id);
		count++;
	}
	return setxattr(path, "system.posix_acl_access", &acl,
			sizeof(acl.version) + count * sizeof(acl.entry[0]), 0) < 0
		       ? -errno
		       : 0;
}

static int set_access(const char *path, const struct api_groups *groups, char **error)
{
	const gid_t only = owning_group(groups);
	int err;

	if (groups->write == API_NO_GROUP && groups->read == API_NO_GROUP)
		return 0; /* 0600 since bind */
	/* EPERM: not a group of ours, and no CAP_CHOWN. */
	if (only == API_NO_GROUP || (chown(path, (uid_t)-1, only) < 0 && errno == EPERM)) {
		err = set_acl(path, groups);
		return err < 0 ? fail(error, err, path,
				      "an access control list, which --socket-group with "
				      "--read-group, or a group that rulesd is not in, needs")
			       : 0;
	}
	if (chmod(path, 0660) < 0)
		return fail(error, -errno, path, "chmod");
	return 0;
}

static int bind_and_listen(int fd, const char *path, const struct api_groups *groups, char **error)
{
	const struct sockaddr_un address = address_of(path);
	mode_t mask = umask(0177);
	int err = bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;

	umask(mask);
	if (err < 0)
		return fail(error, err, path, "bind");
	err = set_access(path, groups, error);
	if (err == 0 && listen(fd, BACKLOG) < 0)
		err = fail(error, -errno, path, "listen");
	if (err < 0)
		unlink(path);
	return err;
}

/* One that is made here can be searched by everybody, whatever the umask: the socket's own mode
 * says who may connect. */
int api_socket_make_folder(const char *path, char **error)
{
	g_autofree char *folder = g_path_get_dirname(path);

	if (access(folder, F_OK) == 0)
		return 0;
	if (g_mkdir_with_parents(folder, 0755) < 0 || chmod(folder, 0755) < 0)
		return fail(error, -errno, folder, "mkdir");
	return 0;
}

int api_socket_listen(const char *path, const struct api_groups *groups, int *fd, char **error)
{
	AUTO_FD int made = -1;
	int err = api_socket_make_folder(path, error);

	if (err == 0)
		err = api_socket_remove_stale(path, error);
	if (err < 0)
		return err;
	made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (made < 0)
		return fail(error, -errno, path, "socket");
	err = bind_and_listen(made, path, groups, error);
	if (err < 0)
		return err;
	*fd = TAKE_FD(made);
	return 0;
}

static bool peer_in_group(int fd, const struct ucred *peer, gid_t gid)
{
	g_autofree gid_t *list = NULL;
	socklen_t length = 0;

	if (gid == API_NO_GROUP)
		return false;
	if (peer->gid == gid)
		return true;
	/* The first call says how much room the list needs. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &length) == 0 || errno != ERANGE)
		return false;
	list = g_malloc(length);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, list, &length) < 0)
		return false;
	for (size_t i = 0; i < length / sizeof(*list); i++) {
		if (list[i] == gid)
			return true;
	}
	return false;
}

enum api_right api_socket_right(int fd, const struct api_groups *groups, uid_t *uid)
{
	struct ucred peer = {.uid = (uid_t)-1, .gid = API_NO_GROUP};
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return API_NONE;
	*uid = peer.uid;
	if (peer.uid == 0 || peer.uid == geteuid() || peer_in_group(fd, &peer, groups->write))
		return API_WRITE;
	return peer_in_group(fd, &peer, groups->read) ? API_READ : API_NONE;
}
