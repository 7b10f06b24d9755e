/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * links.c - a mirror of the namespace's network devices, fed by rtnetlink.
 *
 * Two sockets: one hears the events, one is opened for each dump, so that an answer and an event
 * never share a buffer. Events that were queued before a dump may be older than it; those after
 * them in the queue set that right.
 */
#include "rulesd/links.h"

#include <errno.h>
#include <glib-unix.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "rulesd/addr.h"
#include "rulesd/cleanup.h"

#define EVENT_BUFFER_BYTES (4 << 20) /* some thousand devices coming at once */
#define MESSAGE_BYTES	   32768     /* what the kernel packs into one answer of a dump at most */
#define DUMP_ATTEMPTS	   5	     /* the kernel asks for another when devices change meanwhile */
#define RETRY_MS	   100

struct links {
	struct mnl_socket *events;
	guint source;
	guint retry; /* timer, while a dump that is owed has failed */
	bool stale;  /* events were lost: a dump is owed */
	bool busy;   /* reports are being made; a callback that polls must not overtake them */
	links_changed_fn changed;
	void *arg;
	GHashTable *by_index;	    /* GUINT_TO_POINTER(ifindex) -> struct link (owned) */
	GHashTable *by_name;	    /* its name -> the same struct link */
	char buffer[MESSAGE_BYTES]; /* of drain(), which is never inside itself */
};

static void close_socket(struct mnl_socket **socket)
{
	if (*socket)
		mnl_socket_close(*socket);
}

/* ---------------------------------------------------------------- messages */

static int parse_tun(const struct nlattr *attr, void *data)
{
	struct link *link = data;

	if (mnl_attr_get_type(attr) == IFLA_TUN_TYPE && mnl_attr_validate(attr, MNL_TYPE_U8) >= 0)
		link->tap = mnl_attr_get_u8(attr) == IFF_TAP;
	if (mnl_attr_get_type(attr) == IFLA_TUN_VNET_HDR &&
	    mnl_attr_validate(attr, MNL_TYPE_U8) >= 0)
		link->vnet_hdr = mnl_attr_get_u8(attr);
	return MNL_CB_OK;
}

struct link_info {
	const char *kind;
	const struct nlattr *data;
};

static int parse_info(const struct nlattr *attr, void *data)
{
	struct link_info *info = data;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND &&
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		info->kind = mnl_attr_get_str(attr);
	if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
		info->data = attr;
	return MNL_CB_OK;
}

static const char *find_reversed(const char *kind)
{
	static const char *const kinds[] = {"macvtap", "macvlan", "ipvtap", "ipvlan"};

	for (unsigned int i = 0; kind && i < G_N_ELEMENTS(kinds); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return kinds[i];
	return NULL;
}

static int parse_attribute(const struct nlattr *attr, void *data)
{
	struct link *link = data;
	struct link_info info = {0};

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			g_strlcpy(link->name, mnl_attr_get_str(attr), sizeof(link->name));
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == sizeof(link->mac))
			memcpy(link->mac, mnl_attr_get_payload(attr), sizeof(link->mac));
		break;
	case IFLA_IFALIAS:
		if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			g_strlcpy(link->alias, mnl_attr_get_str(attr), sizeof(link->alias));
		break;
	case IFLA_GROUP:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			link->group = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINKINFO:
		mnl_attr_parse_nested(attr, parse_info, &info);
		link->reversed = find_reversed(info.kind);
		if (info.kind && info.data && strcmp(info.kind, "tun") == 0)
			mnl_attr_parse_nested(info.data, parse_tun, link);
		break;
	}
	return MNL_CB_OK;
}

/* Bridges send RTM_NEWLINK and RTM_DELLINK of AF_BRIDGE about their ports: those are not about
 * devices. */
static bool parse_link(const struct nlmsghdr *header, struct link *link)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(header);

	if (header->nlmsg_type != RTM_NEWLINK && header->nlmsg_type != RTM_DELLINK)
		return false;
	if (mnl_nlmsg_get_payload_len(header) < sizeof(*info) || info->ifi_family != AF_UNSPEC ||
	    info->ifi_index <= 0)
		return false;
	memset(link, 0, sizeof(*link)); /* padding, too: they are compared as a whole */
	link->ifindex = (uint32_t)info->ifi_index;
	mnl_attr_parse(header, sizeof(*info), parse_attribute, link);
	return link->name[0] != '\0';
}

/* Whether the lengths of the messages lie within what came: libmnl takes those of 2 GB and more for
 * negative ones. */
static bool framed(const char *buffer, size_t length)
{
	while (length >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *header = (const void *)buffer;
		size_t whole;

		if (header->nlmsg_len < sizeof(*header) || header->nlmsg_len > length)
			return false;
		whole = MIN(MNL_ALIGN((size_t)header->nlmsg_len), length);
		buffer += whole;
		length -= whole;
	}
	return length == 0;
}

/* What the kernel sent; 0 for what came from somebody else. */
static ssize_t receive(const struct mnl_socket *socket, char *buffer)
{
	struct sockaddr_nl from = {0};
	struct iovec room = {.iov_base = buffer, .iov_len = MESSAGE_BYTES};
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &room,
		.msg_iovlen = 1,
	};
	ssize_t length = recvmsg(mnl_socket_get_fd(socket), &message, 0);

	if (length < 0)
		return length;
	if (message.msg_flags & MSG_TRUNC) {
		errno = ENOSPC;
		return -1;
	}
	return from.nl_pid == 0 && framed(buffer, (size_t)length) ? length : 0;
}

/* ---------------------------------------------------------------- the mirror */

static void forget_name(struct links *links, const struct link *link)
{
	/* Another device may have taken the name already. */
	if (g_hash_table_lookup(links->by_name, link->name) == link)
		g_hash_table_remove(links->by_name, link->name);
}

static bool is_same(const struct link *a, const struct link *b)
{
	return a->ifindex == b->ifindex && !strcmp(a->name, b->name) &&
	       !strcmp(a->alias, b->alias) && !memcmp(a->mac, b->mac, sizeof(a->mac)) &&
	       a->group == b->group && a->tap == b->tap && a->vnet_hdr == b->vnet_hdr;
}

static void note(struct links *links, const struct link *heard)
{
	struct link *known = g_hash_table_lookup(links->by_index, GUINT_TO_POINTER(heard->ifindex));

	if (known && is_same(known, heard))
		return;
	if (known && strcmp(known->name, heard->name) != 0)
		forget_name(links, known);
	if (!known) {
		known = g_new0(struct link, 1);
		g_hash_table_insert(links->by_index, GUINT_TO_POINTER(heard->ifindex), known);
	}
	memcpy(known, heard, sizeof(*known));
	g_hash_table_replace(links->by_name, known->name, known);
	links->changed(heard, false, links->arg);
}

static void forget(struct links *links, uint32_t ifindex)
{
	const struct link *known = g_hash_table_lookup(links->by_index, GUINT_TO_POINTER(ifindex));
	struct link gone;

	if (!known)
		return;
	gone = *known;
	forget_name(links, known);
	g_hash_table_remove(links->by_index, GUINT_TO_POINTER(ifindex));
	links->changed(&gone, true, links->arg);
}

/* ---------------------------------------------------------------- dumps */

static int collect(const struct nlmsghdr *header, void *data)
{
	GArray *dumped = data;
	struct link link;

	if (header->nlmsg_type == RTM_NEWLINK && parse_link(header, &link))
		g_array_append_val(dumped, link);
	return MNL_CB_OK;
}

static int dump_once(GArray *dumped)
{
	CLEANUP(close_socket)
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	g_autofree char *buffer = g_malloc(MESSAGE_BYTES);
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	unsigned int port;
	int result = MNL_CB_OK;

	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	port = mnl_socket_get_portid(socket);
	request->nlmsg_type = RTM_GETLINK;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = 1;
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	while (result > MNL_CB_STOP) {
		ssize_t length = receive(socket, buffer);

		if (length < 0)
			return -errno;
		/* EINTR when the list of devices changed while it was told (NLM_F_DUMP_INTR). */
		result = mnl_cb_run(buffer, (size_t)length, 1, port, collect, dumped);
	}
	return result < 0 ? -errno : 0;
}

/* Brings the mirror up to what the kernel has; reports only what differs. */
static int resync(struct links *links)
{
	g_autoptr(GArray) dumped = g_array_new(FALSE, FALSE, sizeof(struct link));
	g_autoptr(GHashTable) present = g_hash_table_new(NULL, NULL);
	g_autoptr(GList) known = NULL;
	int err = -EINTR;

	for (int i = 0; err == -EINTR && i < DUMP_ATTEMPTS; i++) {
		g_array_set_size(dumped, 0);
		err = dump_once(dumped);
	}
	if (err < 0)
		return err;
	for (guint i = 0; i < dumped->len; i++)
		g_hash_table_add(present,
				 GUINT_TO_POINTER(g_array_index(dumped, struct link, i).ifindex));
	known = g_hash_table_get_keys(links->by_index);
	for (const GList *at = known; at; at = at->next)
		if (!g_hash_table_contains(present, at->data))
			forget(links, GPOINTER_TO_UINT(at->data));
	for (guint i = 0; i < dumped->len; i++)
		note(links, &g_array_index(dumped, struct link, i));
	links->stale = false;
	return 0;
}

/* ---------------------------------------------------------------- events */

static int hear(const struct nlmsghdr *header, void *data)
{
	struct links *links = data;
	struct link link;

	if (!parse_link(header, &link))
		return MNL_CB_OK;
	if (header->nlmsg_type == RTM_DELLINK)
		forget(links, link.ifindex);
	else
		note(links, &link);
	return MNL_CB_OK;
}

static gboolean retry(gpointer data);

/* Reads until nothing waits; after a loss what waited is old, so the dump comes last. */
static void drain(struct links *links)
{
	if (links->busy)
		return;
	links->busy = true;
	for (;;) {
		ssize_t length = receive(links->events, links->buffer);

		if (length >= 0)
			mnl_cb_run(links->buffer, (size_t)length, 0, 0, hear, links);
		else if (errno == ENOBUFS || errno == ENOSPC)
			links->stale = true;
		else if (errno != EINTR)
			break;
	}
	if (links->stale && resync(links) < 0 && !links->retry)
		links->retry = g_timeout_add(RETRY_MS, retry, links);
	links->busy = false;
}

static gboolean retry(gpointer data)
{
	struct links *links = data;

	links->retry = 0;
	drain(links);
	return G_SOURCE_REMOVE;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
	(void)fd;
	(void)condition;
	drain(data);
	return G_SOURCE_CONTINUE;
}

/* ---------------------------------------------------------------- public */

void links_close(struct links **links)
{
	if (!*links)
		return;
	if ((*links)->source)
		g_source_remove((*links)->source);
	if ((*links)->retry)
		g_source_remove((*links)->retry);
	close_socket(&(*links)->events);
	g_hash_table_destroy((*links)->by_name);
	g_hash_table_destroy((*links)->by_index);
	g_clear_pointer(links, g_free);
}

static int open_events(struct mnl_socket **events)
{
	CLEANUP(close_socket)
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int bytes = EVENT_BUFFER_BYTES;

	if (!socket)
		return -errno;
	/* A smaller buffer than wished only makes losses likelier, and they are repaired. */
	if (setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
		       sizeof(bytes)) < 0)
		setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (mnl_socket_bind(socket, RTMGRP_LINK, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	*events = TAKE_PTR(socket);
	return 0;
}

int links_open(links_changed_fn changed, void *arg, struct links **links)
{
	struct mnl_socket *events = NULL;
	int err = open_events(&events);
	struct links *made;

	if (err < 0)
		return err;
	made = g_new0(struct links, 1);
	made->events = events;
	made->changed = changed;
	made->arg = arg;
	made->by_index = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	made->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	made->busy = true;
	err = resync(made);
	made->busy = false;
	if (err < 0) {
		links_close(&made);
		return err;
	}
	made->source =
		g_unix_fd_add(mnl_socket_get_fd(events), G_IO_IN | G_IO_ERR, on_readable, made);
	*links = made;
	return 0;
}

const struct link *links_by_name(const struct links *links, const char *name)
{
	return g_hash_table_lookup(links->by_name, name);
}

bool link_is_wanted(const struct link *link, const char *wanted)
{
	char mac[MAC_TEXT_SIZE];

	if (g_str_has_prefix(wanted, LINK_ALIAS))
		return strcmp(link->alias, wanted + strlen(LINK_ALIAS)) == 0;
	if (g_str_has_prefix(wanted, LINK_MAC))
		return strcmp(mac_format(link->mac, mac), wanted + strlen(LINK_MAC)) == 0;
	return strcmp(link->name, wanted) == 0;
}

const struct link *links_find(const struct links *links, const char *wanted, unsigned int *count)
{
	const struct link *taps = NULL, *others = NULL;
	unsigned int tap_count = 0, other_count = 0;
	GHashTableIter iter;
	gpointer value;

	if (!strchr(wanted, ':')) {
		others = links_by_name(links, wanted);
		if (count)
			*count = others != NULL;
		return others;
	}
	g_hash_table_iter_init(&iter, links->by_index);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct link *link = value;

		if (!link_is_wanted(link, wanted))
			continue;
		if (link->tap) {
			taps = link;
			tap_count++;
		} else {
			others = link;
			other_count++;
		}
	}
	if (count)
		*count = tap_count ? tap_count : other_count;
	if (tap_count)
		return tap_count == 1 ? taps : NULL;
	return other_count == 1 ? others : NULL;
}

const struct link *links_by_index(const struct links *links, uint32_t ifindex)
{
	return g_hash_table_lookup(links->by_index, GUINT_TO_POINTER(ifindex));
}

void links_each(const struct links *links, void (*each)(const struct link *link, void *arg),
		void *arg)
{
	GHashTableIter iter;
	gpointer link;

	g_hash_table_iter_init(&iter, links->by_index);
	while (g_hash_table_iter_next(&iter, NULL, &link))
		each(link, arg);
}

void links_poll(struct links *links)
{
	drain(links);
}

void links_note_group(struct links *links, uint32_t ifindex, uint32_t group)
{
	struct link *known = g_hash_table_lookup(links->by_index, GUINT_TO_POINTER(ifindex));

	if (known)
		known->group = group;
}
