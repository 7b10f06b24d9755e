// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * store.bpf.c - changes an entry of a compiled policy while packets read it: two stores, in an
 * order that rulesd chooses (rulesd/bpf_edit.c), where an update from user space would put another
 * element in its place.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/maps.bpf.h"
#include "bpf/packet.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SEC("syscall")
int sg_policy_store(struct sg_policy_store *store)
{
	struct sg_policy_key key = store->key;
	__u64 *words = bpf_map_lookup_elem(&sg_policy, &key);
	__u64 word = *(__u64 *)&store->value, one = *(__u64 *)&store->value.one;
	__u32 flags = store->flags;

	if (!words)
		return SG_STORE_MISSING;
	if (flags & SG_STORE_IF && READ_ONCE(words[0]) != store->expected)
		return SG_STORE_DIFFERS;
	if (flags & SG_STORE_ONE_FIRST) {
		WRITE_ONCE(words[1], one);
		WRITE_ONCE(words[0], word);
	} else {
		WRITE_ONCE(words[0], word);
		WRITE_ONCE(words[1], one);
	}
	return SG_STORED;
}
