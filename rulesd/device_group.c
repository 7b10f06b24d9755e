/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * device_group.c - RTM_SETLINK with IFLA_GROUP, many in one send.
 */
#include "rulesd/device_group.h"

#include <errno.h>
#include <glib.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "rulesd/cleanup.h"

#define TOGETHER      64u /* their acknowledgements fit into any receive buffer */
#define REQUEST_BYTES 64
#define ANSWER_BYTES  8192

static void close_socket(struct mnl_socket **socket)
{
	if (*socket)
		mnl_socket_close(*socket);
}

static int open_socket(struct mnl_socket **socket)
{
	CLEANUP(close_socket)
	struct mnl_socket *opened = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int yes = 1;

	if (!opened || mnl_socket_bind(opened, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	/* An acknowledgement without the request in it. */
	mnl_socket_setsockopt(opened, NETLINK_CAP_ACK, &yes, sizeof(yes));
	*socket = TAKE_PTR(opened);
	return 0;
}

static int send_requests(struct mnl_socket *socket, const uint32_t *ifindexes, unsigned int count,
			 uint32_t group)
{
	char buffer[TOGETHER * REQUEST_BYTES];
	size_t used = 0;

	for (unsigned int i = 0; i < count; i++) {
		struct nlmsghdr *request = mnl_nlmsg_put_header(buffer + used);
		struct ifinfomsg *info;

		request->nlmsg_type = RTM_SETLINK;
		request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
		request->nlmsg_seq = i;
		info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
		info->ifi_index = (int)ifindexes[i];
		mnl_attr_put_u32(request, IFLA_GROUP, group);
		used += request->nlmsg_len;
	}
	return mnl_socket_sendto(socket, buffer, used) < 0 ? -errno : 0;
}

static int hear_answers(struct mnl_socket *socket, unsigned int count, int *codes)
{
	for (unsigned int heard = 0; heard < count;) {
		char buffer[ANSWER_BYTES];
		const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)buffer;
		ssize_t length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		int left = (int)length;

		if (length < 0)
			return -errno;
		for (; mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left)) {
			const struct nlmsgerr *said = mnl_nlmsg_get_payload(header);

			if (header->nlmsg_type != NLMSG_ERROR || header->nlmsg_seq >= count ||
			    mnl_nlmsg_get_payload_len(header) < sizeof(*said))
				continue;
			codes[header->nlmsg_seq] = said->error;
			heard++;
		}
	}
	return 0;
}

void device_group_set(const uint32_t *ifindexes, unsigned int count, uint32_t group, int *codes)
{
	CLEANUP(close_socket) struct mnl_socket *socket = NULL;
	int code = count ? open_socket(&socket) : 0;

	for (unsigned int done = 0; done < count; done += TOGETHER) {
		unsigned int part = MIN(count - done, TOGETHER);

		for (unsigned int i = 0; i < part; i++)
			codes[done + i] = code;
		if (!code)
			code = send_requests(socket, ifindexes + done, part, group);
		if (!code)
			code = hear_answers(socket, part, codes + done);
		for (unsigned int i = 0; code && i < part; i++)
			codes[done + i] = code;
	}
}

static int read_group(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) == IFLA_GROUP && mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
		*(uint32_t *)data = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int read_link(const struct nlmsghdr *header, void *data)
{
	if (header->nlmsg_type == RTM_NEWLINK)
		mnl_attr_parse(header, sizeof(struct ifinfomsg), read_group, data);
	return MNL_CB_STOP;
}

int device_group_get(uint32_t ifindex, uint32_t *group)
{
	CLEANUP(close_socket) struct mnl_socket *socket = NULL;
	char buffer[ANSWER_BYTES];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *info;
	uint32_t found = 0;
	ssize_t length;
	int code = open_socket(&socket);

	if (code)
		return code;
	request->nlmsg_type = RTM_GETLINK;
	request->nlmsg_flags = NLM_F_REQUEST;
	request->nlmsg_seq = 1;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_index = (int)ifindex;
	mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
	if (length < 0 || mnl_cb_run(buffer, (size_t)length, 1, mnl_socket_get_portid(socket),
				     read_link, &found) < 0)
		return -errno;
	*group = found;
	return 0;
}
