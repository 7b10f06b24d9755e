/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options.bpf.h - the TCP options of a SYN: only its window scale matters (RFC 7323, 2.2).
 *
 * Verifier: a loop over options inside the parser multiplies its states beyond the limit, so they
 * are copied and walked by bpf_loop in functions of their own, which only SYNs pay for.
 */
#pragma once

#include "bpf/packet.bpf.h"

#define SG_OPTIONS_MAX 40u

struct sg_options {
	__u8 byte[SG_OPTIONS_MAX + 8]; /* room for the reads at the last kind */
	__u32 length;
	__u32 at;
	__u32 scale;
};

/* Unknown options are skipped; a bad length ends the walk, as Linux's tcp_parse_options() does. */
static long sg_option_step(__u32 index, void *context)
{
	struct sg_options *options = context;
	__u32 at = options->at;
	__u8 kind, size;

	if (at >= options->length || at >= SG_OPTIONS_MAX)
		return 1;
	kind = options->byte[at];
	if (kind == 0)
		return 1;
	if (kind == 1) {
		options->at = at + 1;
		return 0;
	}
	size = options->byte[at + 1];
	if (size < 2)
		return 1;
	if (kind == 3 && size == 3 && at + 3 <= options->length) {
		options->scale = options->byte[at + 2];
		return 1;
	}
	options->at = at + size;
	return 0;
}

/*
 * The same walk over bytes that two helpers fetch. Lengths are multiples of 4, 4 to 40. Kernel 6.1
 * takes a length that was compared with 0 for one that may be 0 ("invalid zero-sized read"); a
 * bound on length - 1 holds, and the asm keeps clang from undoing it.
 */
__noinline int sg_options_tc(struct __sk_buff *skb, __u32 offset, __u32 length)
{
	struct sg_options options = {.scale = SG_TCP_NO_SCALE};

	__u32 less_one = length - 1;

	asm volatile("" : "+r"(less_one));
	if (less_one >= SG_OPTIONS_MAX)
		return SG_TCP_NO_SCALE;
	options.length = less_one + 1;
	if (bpf_skb_load_bytes(skb, offset, options.byte, less_one + 1))
		return SG_TCP_NO_SCALE;
	bpf_loop(SG_OPTIONS_MAX, sg_option_step, &options, 0);
	return options.scale;
}

__noinline int sg_options_xdp(struct xdp_md *ctx, __u32 offset, __u32 length)
{
	struct sg_options options = {.scale = SG_TCP_NO_SCALE};

	__u32 less_one = length - 1;

	asm volatile("" : "+r"(less_one));
	if (less_one >= SG_OPTIONS_MAX)
		return SG_TCP_NO_SCALE;
	options.length = less_one + 1;
	if (bpf_xdp_load_bytes(ctx, offset, options.byte, less_one + 1))
		return SG_TCP_NO_SCALE;
	bpf_loop(SG_OPTIONS_MAX, sg_option_step, &options, 0);
	return options.scale;
}
