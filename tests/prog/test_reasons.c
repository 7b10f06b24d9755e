/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_reasons.c - every reason of abi.h is shown by a case, or by a test here, or stands in a list
 * that says why no frame can provoke it. A new reason fails this until it has its case.
 */
#include <bpf/bpf.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/names.h"
#include "tests/lib/cases.h"
#include "tests/lib/check.h"
#include "tests/lib/proggy.h"

#define CASES_DIR "tests/prog/cases"

/* Shown by the tests of this file; flow_table_full by test_shards.c. */
static const uint32_t shown_here[] = {SG_DROP_NO_INTERFACE, SG_DROP_NO_POLICY, SG_DROP_TRUNCATED,
				      SG_DROP_FRAG_ALLOWANCE, SG_DROP_TABLE_FULL};

static const struct {
	uint32_t reason;
	const char *why;
} unprovoked[] = {
	{SG_DROP_FLOW_BUSY, "the collector must hold the entry at the very moment"},
	{SG_DROP_INTERNAL, "a helper must fail on maps that are there"},
};

static const char policy[] =
	"{ \"version\": 1, \"groups\": { \"sg-open\": {"
	"  \"ingress\": [ { \"protocol\": \"all\", \"from\": [\"any\"] } ] } },"
	"  \"interfaces\": { \"vm\": { \"device\": \"vm0\", \"mac\": \"52:54:00:00:00:05\","
	"    \"addresses\": [\"10.0.0.5\", \"fd00::5\"], \"groups\": [\"sg-open\"] } } }";

static void count_file(const char *path, unsigned int covered[SG_REASONS])
{
	struct case_list *list = cases_read(path);

	for (unsigned int i = 0; i < list->cases->len; i++) {
		const struct prog_case *test = g_ptr_array_index(list->cases, i);

		for (unsigned int j = 0; j < test->lines->len; j++) {
			const struct case_line *line = g_ptr_array_index(test->lines, j);
			const char *equals = g_strrstr(line->text, " = ");
			g_auto(GStrv) words = equals ? g_strsplit(equals + 3, " ", 2) : NULL;
			uint32_t reason;

			if (words && reason_parse(words[0], &reason) == 0)
				covered[reason]++;
		}
	}
	cases_free(&list);
}

static void every_reason_has_a_case(void **state)
{
	unsigned int covered[SG_REASONS] = {0};
	g_autoptr(GDir) dir = g_dir_open(CASES_DIR, 0, NULL);
	const char *name;

	(void)state;
	assert_non_null(dir);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(CASES_DIR, name, NULL);

		count_file(path, covered);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(shown_here); i++)
		covered[shown_here[i]]++;
	for (size_t i = 0; i < G_N_ELEMENTS(unprovoked); i++) {
		if (covered[unprovoked[i].reason])
			fail_msg("%s has a case: take it off the list",
				 reason_name(unprovoked[i].reason));
		print_message("%s: no case: %s\n", reason_name(unprovoked[i].reason),
			      unprovoked[i].why);
		covered[unprovoked[i].reason]++;
	}
	for (uint32_t reason = 0; reason < SG_REASONS; reason++)
		if (!covered[reason])
			fail_msg("no case shows the reason %s", reason_name(reason));
}

/* A SYN to or from the VM, at each hook. */
static struct proggy_result run_syn(enum proggy_program program, const char *interface_id)
{
	struct frame frame;

	if (proggy_dir(program) == SG_INGRESS)
		frame_make_text(&frame, "tcp 10.0.0.9:4000 > 10.0.0.5:443 S");
	else
		frame_make_text(&frame, "tcp 10.0.0.5:4000 > 10.0.0.9:443 S");
	return proggy_run(program, interface_id, &frame);
}

static void a_device_that_is_not_attached_passes_nothing(void **state)
{
	(void)state;
	proggy_policy(policy);
	for (enum proggy_program program = 0; program < PROGGY_PROGRAMS; program++) {
		struct proggy_result result = run_syn(program, NULL);

		assert_int_equal(result.error, 0);
		assert_false(result.allowed);
		assert_int_equal(result.reason, SG_DROP_NO_INTERFACE);
		assert_true(run_syn(program, "vm").allowed);
		proggy_flush_flows();
	}
}

/* Between the programs and the configuration, as an attach that dies halfway leaves it. */
static void an_interface_without_a_policy_passes_nothing(void **state)
{
	AUTO_FD int fd = -1;
	size_t size = SG_MAX_SLOTS * sizeof(struct sg_iface);
	struct sg_iface *ifaces, kept;
	uint32_t slot;

	(void)state;
	proggy_policy(policy);
	fd = proggy_map(SG_MAP_IFACES);
	slot = proggy_slot("vm");
	ifaces = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(ifaces, MAP_FAILED);
	kept = ifaces[slot];
	ifaces[slot].since[0] = SG_NEVER;
	ifaces[slot].since[1] = SG_NEVER;
	for (enum proggy_program program = 0; program < PROGGY_PROGRAMS; program++) {
		struct proggy_result result = run_syn(program, "vm");

		if (result.allowed || result.reason != SG_DROP_NO_POLICY)
			fail_msg("%s: %s", proggy_name(program),
				 result.reason < SG_REASONS ? reason_name(result.reason)
							    : "no single counter");
	}
	ifaces[slot] = kept;
	for (enum proggy_program program = 0; program < PROGGY_PROGRAMS; program++) {
		assert_true(run_syn(program, "vm").allowed);
		proggy_flush_flows();
	}
	munmap(ifaces, size);
}

static void a_frame_that_ends_inside_a_header_is_truncated(void **state)
{
	struct proggy_result result;
	struct frame frame;

	(void)state;
	proggy_policy(policy);
	frame_make_text(&frame, "arp 10.0.0.9 > 10.0.0.5 cut=41");
	result = proggy_run(PROGGY_TC_INGRESS, "vm", &frame);
	assert_int_equal(result.reason, SG_DROP_TRUNCATED);
	frame_make_text(&frame, "arp 10.0.0.5 > 10.0.0.9 cut=41");
	result = proggy_run(PROGGY_XDP, "vm", &frame);
	assert_int_equal(result.reason, SG_DROP_TRUNCATED);
	frame_make_text(&frame, "arp 10.0.0.5 > 10.0.0.9 cut=42");
	result = proggy_run(PROGGY_XDP, "vm", &frame);
	assert_int_equal(result.reason, SG_ALLOW_ARP);
}

/* A flood of first fragments costs its own interface alone. */
static void an_interface_has_an_allowance_of_unfinished_datagrams(void **state)
{
	struct proggy_result result;
	struct frame frame;

	(void)state;
	proggy_policy(policy);
	for (unsigned int i = 0; i <= SG_SLOT_FRAGMENTS; i++) {
		frame_make(&frame,
			   "udp 10.0.0.9:4000 > 10.0.0.5:53 frag=0+ len=8 udplen=24 ipid=%u", i);
		result = proggy_run(PROGGY_TC_INGRESS, "vm", &frame);
		if (result.allowed != (i < SG_SLOT_FRAGMENTS))
			fail_msg("datagram %u: %s", i, reason_name(result.reason));
	}
	assert_int_equal(result.reason, SG_DROP_FRAG_ALLOWANCE);
	/* One of them ends: there is room for another. */
	frame_make_text(&frame, "udp 10.0.0.9:4000 > 10.0.0.5:53 frag=16 len=8 ipid=7");
	assert_int_equal(proggy_run(PROGGY_TC_INGRESS, "vm", &frame).reason, SG_ALLOW_FRAGMENT);
	frame_make_text(&frame,
			"udp 10.0.0.9:4000 > 10.0.0.5:53 frag=0+ len=8 udplen=24 ipid=9999");
	assert_true(proggy_run(PROGGY_TC_INGRESS, "vm", &frame).allowed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_has_a_case),
		cmocka_unit_test(a_device_that_is_not_attached_passes_nothing),
		cmocka_unit_test(an_interface_without_a_policy_passes_nothing),
		cmocka_unit_test(an_interface_has_an_allowance_of_unfinished_datagrams),
		cmocka_unit_test(a_frame_that_ends_inside_a_header_is_truncated),
	};

	return cmocka_run_group_tests(tests, proggy_setup, proggy_teardown);
}
