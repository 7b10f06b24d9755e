/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timeout.h - which idle timeout holds for a flow. Pure logic: the packet path, the collector and
 * `sgctl flows` share it.
 */
#pragma once

#include "bpf/abi.h"

/* word is sg_flow.state. */
static __inline __attribute__((always_inline)) __u32 sg_timeout_of(__u8 proto, __u32 word)
{
	switch (SG_FLOW_STATE(word)) {
	case SG_TCP_NONE:
		if (proto == SG_IPPROTO_UDP)
			return SG_FLOW_FLAGS(word) & SG_FLOW_REPLIED ? SG_TIMEOUT_UDP_STREAM
								     : SG_TIMEOUT_UDP;
		if (proto == SG_IPPROTO_ICMP || proto == SG_IPPROTO_ICMPV6)
			return SG_TIMEOUT_ICMP;
		return SG_TIMEOUT_OTHER;
	case SG_TCP_SYN_SENT:
	case SG_TCP_SYN_RECV:
	case SG_SCTP_COOKIE_WAIT:
	case SG_SCTP_COOKIE_ECHOED:
		return SG_TIMEOUT_TCP_HALF;
	case SG_TCP_ESTABLISHED:
		return SG_TIMEOUT_TCP_ESTABLISHED;
	case SG_SCTP_ESTABLISHED: /* its heartbeats keep it: RFC 9260, 8.3 */
		return SG_TIMEOUT_OTHER;
	case SG_TCP_CLOSED:
	case SG_SCTP_CLOSED:
		return SG_TIMEOUT_TCP_CLOSED;
	default:
		return SG_TIMEOUT_TCP_CLOSING;
	}
}
