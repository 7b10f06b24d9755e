/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_device.c - what rtnetlink says of the programs on devices: XDP, and whether there is a clsact
 * qdisc that could have tc filters.
 *
 * libbpf's bpf_xdp_query dumps every device of the namespace to answer for one; this asks for one,
 * or takes one dump for all.
 */
#include "rulesd/bpf_internal.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "rulesd/cleanup.h"

#define MESSAGE_BYTES 32768 /* what the kernel packs into one answer of a dump at most */
#define DUMP_ATTEMPTS 5	    /* the kernel asks for another when devices change meanwhile */

static void close_socket(struct mnl_socket **socket)
{
	if (*socket)
		mnl_socket_close(*socket);
}

/* Sends one request on a socket of its own and gives each of its answers to heard. */
static int ask(const char *what, struct nlmsghdr *request, mnl_cb_t heard, void *arg)
{
	int result = bpf_fault(CALL_NETLINK, what);
	char buffer[MESSAGE_BYTES];
	bool dump = request->nlmsg_flags & NLM_F_DUMP;

	if (result)
		return result;
	CLEANUP(close_socket)
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	unsigned int port;

	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	port = mnl_socket_get_portid(socket);
	request->nlmsg_flags |= NLM_F_REQUEST;
	request->nlmsg_seq = 1;
	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	do {
		ssize_t length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		if (length < 0)
			return -errno;
		result = mnl_cb_run(buffer, (size_t)length, 1, port, heard, arg);
	} while (dump && result > MNL_CB_STOP);
	return result < 0 ? -errno : 0;
}

/* ------------------------------------------------------------------ answers */

static int read_xdp(const struct nlattr *attr, void *data)
{
	struct device_view *view = data;
	int type = mnl_attr_get_type(attr);

	if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
		return MNL_CB_OK;
	if (type == IFLA_XDP_PROG_ID)
		view->xdp[0] = mnl_attr_get_u32(attr);
	else if (type == IFLA_XDP_DRV_PROG_ID)
		view->xdp[1] = mnl_attr_get_u32(attr);
	else if (type == IFLA_XDP_SKB_PROG_ID)
		view->xdp[2] = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int read_attribute(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) == IFLA_XDP)
		return mnl_attr_parse_nested(attr, read_xdp, data);
	return MNL_CB_OK;
}

static int read_device(const struct nlmsghdr *header, void *data)
{
	if (header->nlmsg_type == RTM_NEWLINK)
		mnl_attr_parse(header, sizeof(struct ifinfomsg), read_attribute, data);
	return MNL_CB_OK;
}

static struct device_view *view_of(GHashTable *views, uint32_t ifindex)
{
	struct device_view *view = g_hash_table_lookup(views, GUINT_TO_POINTER(ifindex));

	if (!view) {
		view = g_new0(struct device_view, 1);
		g_hash_table_insert(views, GUINT_TO_POINTER(ifindex), view);
	}
	return view;
}

static int collect_device(const struct nlmsghdr *header, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(header);

	if (header->nlmsg_type == RTM_NEWLINK && info->ifi_index > 0)
		read_device(header, view_of(data, (uint32_t)info->ifi_index));
	return MNL_CB_OK;
}

static int collect_qdisc(const struct nlmsghdr *header, void *data)
{
	const struct tcmsg *qdisc = mnl_nlmsg_get_payload(header);

	if (header->nlmsg_type == RTM_NEWQDISC && qdisc->tcm_parent == TC_H_CLSACT &&
	    qdisc->tcm_ifindex > 0)
		view_of(data, (uint32_t)qdisc->tcm_ifindex)->clsact = true;
	return MNL_CB_OK;
}

/* ------------------------------------------------------------------ questions */

static struct nlmsghdr *link_request(char *buffer, uint32_t ifindex)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *info;

	request->nlmsg_type = RTM_GETLINK;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_index = (int)ifindex;
	mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return request;
}

static struct nlmsghdr *tc_request(char *buffer, uint16_t type, uint32_t ifindex, uint32_t parent)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct tcmsg *tc;

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_DUMP;
	tc = mnl_nlmsg_put_extra_header(request, sizeof(*tc));
	tc->tcm_ifindex = (int)ifindex;
	tc->tcm_parent = parent;
	return request;
}

int device_look(uint32_t ifindex, struct device_view *view)
{
	char buffer[256];
	/* Whether there is a clsact is not asked: the filters themselves are, then. */
	struct device_view seen = {.clsact = true};
	int code = ask("link", link_request(buffer, ifindex), read_device, &seen);

	if (!code)
		*view = seen;
	return code;
}

int device_look_all(GHashTable **views)
{
	int code = -EINTR;

	for (int i = 0; code == -EINTR && i < DUMP_ATTEMPTS; i++) {
		g_autoptr(GHashTable) seen = g_hash_table_new_full(NULL, NULL, NULL, g_free);
		char buffer[256];
		struct nlmsghdr *request = link_request(buffer, 0);

		request->nlmsg_flags = NLM_F_DUMP;
		code = ask("links", request, collect_device, seen);
		if (!code)
			code = ask("qdiscs", tc_request(buffer, RTM_GETQDISC, 0, 0), collect_qdisc,
				   seen);
		if (!code)
			*views = TAKE_PTR(seen);
	}
	return code;
}

static int read_bpf(const struct nlattr *attr, void *data)
{
	struct device_filter *filter = data;

	if (mnl_attr_get_type(attr) == TCA_BPF_ID && !mnl_attr_validate(attr, MNL_TYPE_U32))
		filter->program = mnl_attr_get_u32(attr);
	else if (mnl_attr_get_type(attr) == TCA_BPF_NAME &&
		 !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
		g_strlcpy(filter->name, mnl_attr_get_str(attr), sizeof(filter->name));
	return MNL_CB_OK;
}

static int read_options(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) == TCA_OPTIONS)
		return mnl_attr_parse_nested(attr, read_bpf, data);
	return MNL_CB_OK;
}

static int read_filter(const struct nlmsghdr *header, void *data)
{
	if (header->nlmsg_type == RTM_NEWTFILTER)
		mnl_attr_parse(header, sizeof(struct tcmsg), read_options, data);
	return MNL_CB_OK;
}

int device_filter(uint32_t ifindex, uint32_t parent, uint32_t handle, uint16_t priority,
		  struct device_filter *filter)
{
	struct device_filter found = {0};
	char buffer[256];
	struct nlmsghdr *request = tc_request(buffer, RTM_GETTFILTER, ifindex, parent);
	struct tcmsg *tc = mnl_nlmsg_get_payload(request);
	int code;

	request->nlmsg_flags = 0;
	tc->tcm_handle = handle;
	tc->tcm_info = TC_H_MAKE((uint32_t)priority << 16, g_htons(ETH_P_ALL));
	mnl_attr_put_strz(request, TCA_KIND, "bpf");
	code = ask("filter", request, read_filter, &found);
	if (!code)
		*filter = found;
	return code;
}

static int count_filter(const struct nlmsghdr *header, void *data)
{
	if (header->nlmsg_type == RTM_NEWTFILTER)
		++*(unsigned int *)data;
	return MNL_CB_OK;
}

int device_filters(uint32_t ifindex, unsigned int *count)
{
	static const uint32_t sides[] = {TC_H_MIN_INGRESS, TC_H_MIN_EGRESS};
	unsigned int found = 0;

	for (unsigned int i = 0; i < G_N_ELEMENTS(sides); i++) {
		char buffer[256];
		int code = ask("filters",
			       tc_request(buffer, RTM_GETTFILTER, ifindex,
					  TC_H_MAKE(TC_H_CLSACT, sides[i])),
			       count_filter, &found);

		if (code)
			return code;
	}
	*count = found;
	return 0;
}
