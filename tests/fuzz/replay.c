/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay.c - see replay.h.
 */
#include "tests/fuzz/replay.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/names.h"
#include "tests/fuzz/reference/plane.h"
#include "tests/lib/check.h"
#include "tests/lib/random_policy.h"

static struct ref_plane *reference;
static bool fragments_sent;

/* ------------------------------------------------------------------ the sequence */

static void free_step(gpointer data)
{
	struct replay_step *step = data;

	g_free(step->text);
	g_free(step);
}

struct replay *replay_new(const char *policy)
{
	struct replay *replay = g_new0(struct replay, 1);

	replay->policy = g_strdup(policy);
	replay->steps = g_ptr_array_new_with_free_func(free_step);
	return replay;
}

void replay_free(struct replay **replay)
{
	if (!*replay)
		return;
	g_ptr_array_unref((*replay)->steps);
	g_free((*replay)->policy);
	g_clear_pointer(replay, g_free);
}

struct replay_step *replay_add(struct replay *replay, enum replay_kind kind, size_t vm, char *text)
{
	struct replay_step *step = g_new0(struct replay_step, 1);

	step->kind = kind;
	step->vm = vm;
	step->text = text;
	g_ptr_array_add(replay->steps, step);
	return step;
}

/* ------------------------------------------------------------------ both sides */

/* Nothing in the dataplane ends fragmented datagrams before their time. */
static void forget_fragments(void)
{
	AUTO_FD int frags = proggy_map(SG_MAP_FRAGS), slots = proggy_map(SG_MAP_SLOTS);
	struct sg_frag_key key;

	while (bpf_map_get_next_key(frags, NULL, &key) == 0)
		bpf_map_delete_elem(frags, &key);
	for (size_t i = 0; i < RANDOM_VMS; i++) {
		uint32_t slot = proggy_slot(random_vms[i].id);
		struct sg_slot counters;

		if (bpf_map_lookup_elem(slots, &slot, &counters) < 0)
			fail_msg("cannot read %s[%u]", SG_MAP_SLOTS, slot);
		counters.frags = 0;
		if (bpf_map_update_elem(slots, &slot, &counters, BPF_ANY) < 0)
			fail_msg("cannot write %s[%u]", SG_MAP_SLOTS, slot);
	}
}

void replay_begin(const struct replay *replay)
{
	proggy_change(replay->policy, false);
	proggy_flush_flows();
	if (fragments_sent)
		forget_fragments();
	fragments_sent = false;
	if (!reference)
		reference = ref_plane_new();
	ref_plane_flush(reference);
	ref_plane_forget_fragments(reference);
	ref_plane_policy(reference, proggy_model(), proggy_numbers());
}

void replay_end(void)
{
	ref_plane_free(&reference);
}

static char *compare_rule(const struct replay_step *step, const struct ref_verdict *verdict,
			  unsigned int flows_before)
{
	const char *id = random_vms[step->vm].id, *rule;

	if (verdict->reason != SG_ALLOW_RULE || flows_before > 0 ||
	    ref_plane_flows(reference, id) != 1)
		return NULL;
	rule = proggy_flow_rule(id);
	if (g_strcmp0(rule, verdict->rule) == 0)
		return NULL;
	return g_strdup_printf("the kernel's flow names the rule %s, the reference %s",
			       rule ? rule : "(none)", verdict->rule);
}

static char *do_frame(struct replay_step *step)
{
	const char *id = random_vms[step->vm].id;
	enum sg_dir dir = proggy_dir(step->program);
	unsigned int flows = ref_plane_flows(reference, id);
	struct proggy_result result;
	struct ref_verdict verdict;
	struct frame frame;

	frame_make_text(&frame, step->text);
	result = proggy_run(step->program, id, &frame);
	step->reason = result.reason;
	/* Newer kernels test no skb that ends inside its IP header. */
	if (result.error == -EINVAL && step->program != PROGGY_XDP && frame.length < 14 + 40)
		return NULL;
	if (result.error < 0)
		return g_strdup_printf("BPF_PROG_TEST_RUN: %s", strerror(-result.error));
	if (result.reason >= SG_REASONS)
		return g_strdup("no single counter moved");
	if (result.allowed == !!sg_reason_is_drop(result.reason))
		return g_strdup_printf("the counter says %s, the verdict %s",
				       reason_name(result.reason),
				       result.allowed ? "pass" : "drop");
	if (!result.counted)
		return g_strdup("packets and bytes were not counted as one frame");
	if (!result.unchanged)
		return g_strdup("the frame came out changed");
	fragments_sent = true;
	verdict = ref_plane_judge(reference, id, dir, frame.bytes, frame.length, result.reason);
	if (verdict.reason != result.reason)
		return g_strdup_printf("the kernel says %s, the reference %s",
				       reason_name(result.reason), reason_name(verdict.reason));
	return compare_rule(step, &verdict, flows);
}

static char *count_flows(const struct replay_step *step)
{
	const char *id = random_vms[step->vm].id;
	unsigned int kernel = proggy_count_flows(id), ours = ref_plane_flows(reference, id);

	return kernel == ours
		       ? NULL
		       : g_strdup_printf("%s has %u flows in the kernel, %u in the reference", id,
					 kernel, ours);
}

static void read_kept(uint64_t kept[RANDOM_VMS])
{
	AUTO_FD int ifaces = proggy_map(SG_MAP_IFACES);

	for (size_t i = 0; i < RANDOM_VMS; i++) {
		uint32_t slot = proggy_slot(random_vms[i].id);
		struct sg_iface iface;

		if (bpf_map_lookup_elem(ifaces, &slot, &iface) < 0)
			fail_msg("cannot read %s[%u]", SG_MAP_IFACES, slot);
		kept[i] = iface.keep_until;
	}
}

/* Which interfaces a change touches is the compiler's to say: flows of the others are not kept, but
 * must not be cut by it either, which the next packets show. */
static void change_policy(const struct replay_step *step)
{
	uint64_t before[RANDOM_VMS], after[RANDOM_VMS];

	read_kept(before);
	if (step->keep)
		ref_plane_settle(reference);
	proggy_change(step->text, step->keep);
	ref_plane_policy(reference, proggy_model(), proggy_numbers());
	read_kept(after);
	for (size_t i = 0; i < RANDOM_VMS; i++)
		if (after[i] != before[i])
			ref_plane_keep(reference, random_vms[i].id);
}

char *replay_do(struct replay_step *step)
{
	switch (step->kind) {
	case REPLAY_FRAME:
		return do_frame(step);
	case REPLAY_CHANGE:
		change_policy(step);
		return NULL;
	case REPLAY_FLUSH:
		proggy_flush_flows();
		ref_plane_flush(reference);
		return NULL;
	case REPLAY_COUNT:
		return count_flows(step);
	}
	return NULL;
}

/* ------------------------------------------------------------------ shrinking */

/* Does all of it; NULL, or the first difference. What follows the difference is dropped. */
static char *run(const struct replay *replay)
{
	replay_begin(replay);
	for (guint i = 0; i < replay->steps->len; i++) {
		char *difference = replay_do(g_ptr_array_index(replay->steps, i));

		if (!difference)
			continue;
		g_ptr_array_set_size(replay->steps, (int)i + 1);
		return difference;
	}
	return NULL;
}

/* Leaves out count steps from `from` on; keeps it so when a difference remains. */
static bool leave_out(struct replay *replay, guint from, guint count, char **difference)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	char *found;

	for (guint i = 0; i < replay->steps->len; i++)
		g_ptr_array_add(all, g_ptr_array_index(replay->steps, i));
	g_ptr_array_set_free_func(replay->steps, NULL);
	g_ptr_array_remove_range(replay->steps, from, count);
	found = run(replay);
	if (found) {
		/* What run() or we dropped is lost on purpose: a failing test leaves anyway. */
		g_free(*difference);
		*difference = found;
		return true;
	}
	g_ptr_array_set_size(replay->steps, 0);
	for (guint i = 0; i < all->len; i++)
		g_ptr_array_add(replay->steps, g_ptr_array_index(all, i));
	return false;
}

void replay_shrink(struct replay *replay, char **difference)
{
	for (guint size = MAX(replay->steps->len / 2, 1); size >= 1; size /= 2) {
		for (guint at = 0; at < replay->steps->len;) {
			guint count = MIN(size, replay->steps->len - at);

			if (!leave_out(replay, at, count, difference))
				at += count;
		}
	}
}

/* ------------------------------------------------------------------ printing */

static void print_policy(const char *name, const char *policy)
{
	printf("policy %s\n%s\nend\n\n", name, policy);
}

static void print_frame(const struct replay_step *step)
{
	printf("%s%s %s = %s\n", step->reason < SG_REASONS ? "" : "# not run: ",
	       proggy_dir(step->program) == SG_EGRESS ? "out" : "in", step->text,
	       step->reason < SG_REASONS ? reason_name(step->reason) : "?");
}

void replay_print(const struct replay *replay, const char *difference)
{
	const char *on = "vm";

	/* Not print_message, which cuts long texts. */
	print_policy("found-0", replay->policy);
	for (guint i = 0; i < replay->steps->len; i++) {
		const struct replay_step *step = g_ptr_array_index(replay->steps, i);
		g_autofree char *name = g_strdup_printf("found-%u", i);

		if (step->kind == REPLAY_CHANGE)
			print_policy(name, step->text);
	}
	printf("case %s\nwith found-0\n", difference);
	for (guint i = 0; i < replay->steps->len; i++) {
		const struct replay_step *step = g_ptr_array_index(replay->steps, i);

		if (strcmp(on, random_vms[step->vm].id) != 0 && step->kind == REPLAY_FRAME) {
			on = random_vms[step->vm].id;
			printf("on %s\n", on);
		}
		if (step->kind == REPLAY_FRAME)
			print_frame(step);
		else if (step->kind == REPLAY_CHANGE)
			printf("change found-%u%s\n", i, step->keep ? " keep" : "");
		else if (step->kind == REPLAY_FLUSH)
			printf("flush\n");
	}
	printf("# the last line: %s%s\n", difference,
	       replay->steps->len == 0 ? " (gone when done again)" : "");
}
