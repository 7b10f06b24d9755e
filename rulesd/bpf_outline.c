/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_outline.c - what a compiled policy may allow at all, beside it in the kernel: made of its
 * rules, written, read back, given back; and from when on the flows of an interface are none but
 * what its policy may allow.
 *
 * A policy without one is slower, not different: where there is no room, none is made.
 *
 * The programs do not look for the flow of a packet that its outline does not admit, once they know
 * that there is none (sg_slot.clean_from). Flows that a policy before allowed are evaluated at
 * their next packet (DESIGN: revocation without a scan); those without one time out. So a time-out
 * after the flip that removed something none of them is left. Flows that `--existing keep` exempts
 * live on: then it is never known.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"

static void set_bit(__u64 *words, unsigned int bit)
{
	words[bit / 64] |= 1ULL << bit % 64;
}

static void add_ports(struct sg_outline_set *set, unsigned int first, unsigned int last)
{
	for (unsigned int high = first >> 8; high <= last >> 8; high++)
		set_bit(set->high, high);
	for (unsigned int port = first; port <= last && port < first + 256; port++)
		set_bit(set->low, port & 255);
}

static void add_interval(struct sg_outline_part *part, unsigned int proto,
			 const struct sg_interval *interval)
{
	bool all = proto == SG_PROTO_ALL;

	if (all || proto == SG_IPPROTO_TCP)
		add_ports(&part->ports[SG_OUTLINE_TCP], interval->first, interval->last);
	if (all || proto == SG_IPPROTO_UDP)
		add_ports(&part->ports[SG_OUTLINE_UDP], interval->first, interval->last);
	if (all || (proto != SG_IPPROTO_TCP && proto != SG_IPPROTO_UDP))
		add_ports(&part->ports[SG_OUTLINE_OTHER], interval->first, interval->last);
	if (all)
		memset(part->protocols, 0xff, sizeof(part->protocols));
	else
		set_bit(part->protocols, proto & 255);
}

void outline_of(GBytes *content, uint32_t policy, struct sg_outline *outline)
{
	struct held_cursor cursor = held_cursor_of(content);
	const struct sg_interval *intervals;
	const struct held_ports *ports;

	*outline = (struct sg_outline){.policy = policy};
	while ((ports = held_cursor_next(&cursor, &intervals))) {
		unsigned int dir = ports->dir == SG_DIR_EXEMPT ? SG_EGRESS : ports->dir & 1;
		unsigned int peers =
			ports->peer == SG_PEER_ANY ? SG_OUTLINE_ANY : SG_OUTLINE_OTHERS;

		/* Exempt endpoints are looked for among the prefixes, also if one is any. */
		if (ports->dir == SG_DIR_EXEMPT)
			peers = SG_OUTLINE_OTHERS;
		for (uint32_t i = 0; i < ports->count; i++)
			add_interval(&outline->part[dir][peers], ports->proto, &intervals[i]);
	}
}

static int write_outline(struct dataplane *dataplane, uint32_t index,
			 const struct sg_outline *outline, unsigned int *writes, char **error)
{
	struct sg_outline found = {};
	int code = table_update(dataplane, TABLE_OUTLINES, &index, outline, BPF_ANY, error);

	if (code)
		return code;
	++*writes;
	code = table_lookup(dataplane, TABLE_OUTLINES, &index, &found);
	if (!code && memcmp(&found, outline, sizeof(found)) != 0)
		code = -EIO;
	return code ? bpf_fail(error, code, "map %s: reading back policy %u", SG_MAP_OUTLINES,
			       outline->policy)
		    : 0;
}

int outline_write(struct dataplane *dataplane, uint32_t policy, GBytes *content, uint32_t *index,
		  unsigned int *writes, char **error)
{
	struct sg_outline outline;
	uint32_t free_one;

	if (intervals_take(dataplane->free_outlines, 1, &free_one))
		return 0;
	/* Also when it fails: whoever removes the policy gives it back. */
	*index = free_one;
	outline_of(content, policy, &outline);
	return write_outline(dataplane, free_one, &outline, writes, error);
}

/* As large words as there are; all of them are bits. */
static void add_outline(struct sg_outline *to, const struct sg_outline *from)
{
	__u64 *words = (__u64 *)to->part;
	const __u64 *more = (const __u64 *)from->part;

	for (size_t i = 0; i < sizeof(to->part) / sizeof(*words); i++)
		words[i] |= more[i];
}

/* Whether the kernel's is one of that policy; otherwise nobody uses it. */
static int kernel_outline(struct dataplane *dataplane, const struct held_policy *policy,
			  struct sg_outline *outline, char **error)
{
	int code = table_lookup(dataplane, TABLE_OUTLINES, &policy->outline, outline);

	return code ? bpf_fail(error, code, "map %s: reading policy %u", SG_MAP_OUTLINES,
			       policy->number)
		    : 0;
}

int outline_widen(struct dataplane *dataplane, struct held_policy *policy, GBytes *content,
		  unsigned int *writes, char **error)
{
	struct sg_outline found, wide, more;
	int code;

	if (!policy->outline)
		return 0;
	code = kernel_outline(dataplane, policy, &found, error);
	if (code)
		return code;
	wide = found;
	outline_of(content, policy->number, &more);
	add_outline(&wide, &more);
	/* What the old rules have and the new ones have not is to go later. */
	policy->wide |= memcmp(&wide, &more, sizeof(wide)) != 0;
	if (!memcmp(&wide, &found, sizeof(wide)))
		return 0;
	policy->wide = true;
	return write_outline(dataplane, policy->outline, &wide, writes, error);
}

int outline_narrow(struct dataplane *dataplane, struct held_policy *policy, char **error)
{
	struct sg_outline found, own;
	unsigned int writes = 0;
	int code;

	if (!policy->wide)
		return 0;
	code = kernel_outline(dataplane, policy, &found, error);
	if (code)
		return code;
	outline_of(policy->content, policy->number, &own);
	if (memcmp(&found, &own, sizeof(own)) != 0) {
		/* First: then flows that it does not admit any more are looked for. */
		for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++)
			if (dataplane->held[slot].ifindex &&
			    plan_current_conf(dataplane, slot, NULL)->policy == policy->number)
				outline_unclean(dataplane, slot);
		code = write_outline(dataplane, policy->outline, &own, &writes, error);
	}
	policy->wide = code != 0;
	return code;
}

void outline_give(struct dataplane *dataplane, uint32_t index)
{
	if (index)
		intervals_give(dataplane->free_outlines, index, 1);
}

/* An outline is a policy's when it says what that policy's rules say; one that a killed predecessor
 * had not written to its end does not. */
static bool read_outline(const void *key, const void *value, void *arg)
{
	struct dataplane *dataplane = arg;
	const struct sg_outline *outline = value;
	uint32_t index = *(const uint32_t *)key;
	struct held_policy *policy = held_policy_at(dataplane, outline->policy);
	struct sg_outline own, wide;

	if (!index)
		return true;
	if (outline->policy && policy && policy->complete && !policy->outline) {
		outline_of(policy->content, policy->number, &own);
		wide = *outline;
		add_outline(&wide, &own);
		/* A change that was not finished leaves it wider than it has to be. */
		if (!memcmp(&wide, outline, sizeof(wide))) {
			policy->outline = index;
			policy->wide = memcmp(&own, outline, sizeof(own)) != 0;
			return true;
		}
	}
	intervals_give(dataplane->free_outlines, index, 1);
	return true;
}

int outlines_read(struct dataplane *dataplane, char **error)
{
	const struct bpf_table *table = &dataplane->table[TABLE_OUTLINES];
	int code;

	if (table->value_size != sizeof(struct sg_outline))
		return bpf_fail(error, -EPROTONOSUPPORT, "map %s has another shape", table->name);
	code = table_each(table, read_outline, dataplane);
	return code ? bpf_fail(error, code, "map %s: reading it back", table->name) : 0;
}

/* ------------------------------------------------------------------ flows of a policy before */

void outline_unclean(struct dataplane *dataplane, uint32_t slot)
{
	dataplane->unclean = true;
	__atomic_store_n(&dataplane->slots[slot].clean_from, SG_NEVER, __ATOMIC_RELEASE);
}

static uint64_t longest_timeout(const struct sg_iface_conf *conf)
{
	uint32_t longest = 0;

	for (unsigned int i = 0; i < SG_TIMEOUTS; i++)
		longest = MAX(longest, conf->timeout[i]);
	return longest;
}

void outline_unclean_older(struct dataplane *dataplane, const struct iface_change *change)
{
	const struct sg_iface_conf *conf = plan_current_conf(dataplane, change->slot, NULL);

	if (dataplane->slots[change->slot].clean_from &&
	    memcmp(conf->timeout, change->conf.timeout, sizeof(conf->timeout)) != 0)
		outline_unclean(dataplane, change->slot);
}

void outline_clean(struct dataplane *dataplane, uint64_t jiffies)
{
	if (!dataplane->unclean)
		return;
	dataplane->unclean = false;
	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++) {
		const struct sg_iface *iface = &dataplane->ifaces[slot];
		struct sg_slot *counters = &dataplane->slots[slot];
		uint64_t from;

		if (!iface->ifindex || counters->clean_from != SG_NEVER || iface->keep_until)
			continue;
		/* A second for packets that began before the flip. */
		from = jiffies + dataplane->hz +
		       longest_timeout(plan_current_conf(dataplane, slot, NULL));
		__atomic_store_n(&counters->clean_from, from, __ATOMIC_RELEASE);
	}
}
