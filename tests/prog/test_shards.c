/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_shards.c - the flow table while everybody is at it: packets of few tuples on several CPUs,
 * the collector, and flush, all at once; then whether any verdict was wrong, and whether as many
 * flows are counted as there are. And a shard whose buckets are full.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <glib.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/bucket.h"
#include "rulesd/bpf_internal.h"
#include "rulesd/names.h"
#include "tests/lib/cells.h"
#include "tests/lib/check.h"
#include "tests/lib/patience.h"
#include "tests/lib/proggy.h"

#define TUPLES	48u /* of each kind */
#define THREADS 3u
#define FRAMES	7u /* of a tuple */
#define SECONDS 4u

static const char policy[] =
	"{ \"version\": 1, \"groups\": { \"sg-in\": { \"egress\": [], \"ingress\": ["
	"  { \"protocol\": \"tcp\", \"ports\": [443], \"from\": [\"any\"] },"
	"  { \"protocol\": \"udp\", \"ports\": [443], \"from\": [\"any\"] } ] } },"
	"  \"interfaces\": { \"vm\": { \"device\": \"vm0\", \"mac\": \"52:54:00:00:00:05\","
	"    \"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-in\"],"
	"    \"conntrack\": { \"max_flows\": 8192 } } } }";

/* ------------------------------------------------------------------ packets */

/* What may happen to a frame, whatever the others do. */
enum expectation { OPENS, BELONGS, NEVER };

static const struct {
	enum sg_dir dir;
	enum expectation expectation;
	const char *format;
} shapes[FRAMES] = {
	{SG_INGRESS, OPENS, "tcp 10.0.0.9:%u > 10.0.0.5:443 S seq=100"},
	{SG_EGRESS, BELONGS, "tcp 10.0.0.5:443 > 10.0.0.9:%u SA seq=900 ack=101"},
	{SG_INGRESS, BELONGS, "tcp 10.0.0.9:%u > 10.0.0.5:443 A seq=101 ack=901"},
	{SG_INGRESS, OPENS, "udp 10.0.0.9:%u > 10.0.0.5:443 len=20"},
	{SG_EGRESS, BELONGS, "udp 10.0.0.5:443 > 10.0.0.9:%u len=20"},
	/* Of tuples that nothing ever allows: the same buckets, other ports. */
	{SG_INGRESS, NEVER, "tcp 10.0.0.9:%u > 10.0.0.5:444 S seq=100"},
	{SG_EGRESS, NEVER, "udp 10.0.0.5:444 > 10.0.0.9:%u len=20"},
};

struct race {
	struct frame frames[FRAMES][TUPLES];
	int programs[SG_DIRS];
	uint32_t ifindex;
	gint stop;
	gint wrong;   /* allowed though nothing ever allows it */
	gint refused; /* of those that a rule allows */
	gint passed[FRAMES];
};

struct racer {
	struct race *race;
	unsigned int cpu;
	GThread *thread;
};

static bool passes(const struct race *race, enum sg_dir dir, const struct frame *frame)
{
	struct __sk_buff skb = {.ifindex = race->ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->bytes,
		    .data_size_in = (uint32_t)frame->length, .ctx_in = &skb,
		    .ctx_size_in = sizeof(skb), .repeat = 1);

	if (bpf_prog_test_run_opts(race->programs[dir], &options))
		abort();
	return options.retval == (uint32_t)TC_ACT_UNSPEC;
}

static gpointer send(gpointer arg)
{
	const struct racer *racer = arg;
	struct race *race = racer->race;
	g_autoptr(GRand) rand = g_rand_new_with_seed(racer->cpu);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(racer->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	while (!g_atomic_int_get(&race->stop)) {
		unsigned int tuple = (unsigned int)g_rand_int_range(rand, 0, TUPLES);
		unsigned int shape = (unsigned int)g_rand_int_range(rand, 0, FRAMES);
		bool passed = passes(race, shapes[shape].dir, &race->frames[shape][tuple]);

		if (passed)
			g_atomic_int_inc(&race->passed[shape]);
		if (passed && shapes[shape].expectation == NEVER)
			g_atomic_int_inc(&race->wrong);
		if (!passed && shapes[shape].expectation == OPENS)
			g_atomic_int_inc(&race->refused);
	}
	return NULL;
}

/* Whatever a rule allows has passed at least once. */
static bool all_passed(const struct race *race)
{
	for (unsigned int i = 0; i < FRAMES; i++)
		if (!g_atomic_int_get(&race->passed[i]) && shapes[i].expectation != NEVER)
			return false;
	return true;
}

static struct race *race_new(void)
{
	struct race *race = g_new0(struct race, 1);

	for (unsigned int i = 0; i < FRAMES; i++)
		for (unsigned int tuple = 0; tuple < TUPLES; tuple++)
			frame_make(&race->frames[i][tuple], shapes[i].format, 4000 + tuple);
	race->programs[SG_EGRESS] = proggy_program_fd(PROGGY_TC_EGRESS);
	race->programs[SG_INGRESS] = proggy_program_fd(PROGGY_TC_INGRESS);
	race->ifindex = proggy_ifindex("vm");
	return race;
}

/* ------------------------------------------------------------------ what is left */

struct census {
	uint32_t flows, half, twice;
};

static struct census count_flows(void)
{
	g_autoptr(GHashTable) keys = g_hash_table_new(g_bytes_hash, g_bytes_equal);
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	struct census census = {0};
	uint32_t count;
	struct sg_bucket *buckets = cells_of("vm", &count);

	for (uint32_t b = 0; b < count; b++)
		for (unsigned int i = 0; i < SG_BUCKET_CELLS; i++) {
			const struct sg_cell *cell = &buckets[b].cells[i];
			uint32_t status = SG_TAG_STATUS(buckets[b].tags[i]);
			GBytes *key;

			assert_int_not_equal(status, SG_TAG_BUSY);
			if (status != SG_TAG_LIVE)
				continue;
			assert_int_equal(cell->flow.state & SG_FLOW_DEAD << 8, 0);
			/* Nobody ever allowed another. */
			assert_int_equal(GUINT16_FROM_BE(cell->key.lport), 443);
			if (cell->flow.state & SG_FLOW_HALF << 8)
				census.half++;
			else
				census.flows++;
			key = g_bytes_new(&cell->key, sizeof(cell->key));
			g_ptr_array_add(all, key);
			census.twice += !g_hash_table_add(keys, key);
		}
	cells_release(&buckets, count);
	return census;
}

static void check_counts(const char *when)
{
	const struct sg_slot *counters = &proggy_dataplane()->slots[proggy_slot("vm")];
	struct census census = count_flows();

	if (census.flows != counters->flows || census.half != counters->half)
		fail_msg("%s: %u flows and %u half-open are counted, %u and %u there are", when,
			 counters->flows, counters->half, census.flows, census.half);
	/* Possible (bpf/shard.bpf.h), and rare. */
	if (census.twice > 1)
		fail_msg("%s: %u tuples are there twice", when, census.twice);
}

static void flush_in_kernel(void)
{
	struct dataplane *dataplane = proggy_dataplane();
	const struct sg_iface_conf *conf = plan_current_conf(dataplane, proggy_slot("vm"), NULL);
	struct sg_collect pass = {.shard = conf->shard, .flags = SG_COLLECT_FLUSH};

	assert_int_equal(collect_pass(dataplane, PROGRAM_COLLECT_FLOWS, &pass, NULL), 0);
}

static void everybody_at_once(void **state)
{
	struct racer racers[THREADS];
	struct race *race;
	gint64 end;
	unsigned int turns = 0;

	(void)state;
	proggy_policy(policy);
	race = race_new();
	for (unsigned int i = 0; i < THREADS; i++) {
		racers[i] = (struct racer){.race = race, .cpu = i};
		racers[i].thread = g_thread_new("racer", send, &racers[i]);
	}
	end = g_get_monotonic_time() + SECONDS * G_USEC_PER_SEC;
	for (;
	     g_get_monotonic_time() < end || (!all_passed(race) && !patience_over(end, GIVE_UP_MS));
	     turns++) {
		if (turns & 1)
			flush_in_kernel();
		else
			proggy_flush_flows();
		/* Long enough for connections to be confirmed, at times. */
		g_usleep(turns % 16 ? 0 : 2000);
	}
	g_atomic_int_set(&race->stop, 1);
	for (unsigned int i = 0; i < THREADS; i++)
		g_thread_join(racers[i].thread);
	print_message("%u flushes; passed", turns);
	for (unsigned int i = 0; i < FRAMES; i++)
		print_message(" %d", race->passed[i]);
	print_message("; refused, though a rule allows them: %d\n", race->refused);
	assert_int_equal(race->wrong, 0);
	assert_true(all_passed(race));
	check_counts("afterwards");
	proggy_flush_flows();
	flush_in_kernel();
	check_counts("flushed");
	assert_int_equal(count_flows().flows + count_flows().half, 0);
	/* Nobody keeps anything from a connection now. */
	for (unsigned int tuple = 0; tuple < TUPLES; tuple++)
		for (unsigned int i = 0; i < FRAMES; i++)
			assert_int_equal(passes(race, shapes[i].dir, &race->frames[i][tuple]),
					 shapes[i].expectation != NEVER);
	check_counts("connected");
	g_free(race);
}

/* ------------------------------------------------------------------ a full bucket */

static void set_tags(uint32_t from, uint32_t to)
{
	uint32_t count;
	struct sg_bucket *buckets = cells_of("vm", &count);

	for (uint32_t b = 0; b < count; b++)
		for (unsigned int i = 0; i < SG_BUCKET_CELLS; i++)
			if (buckets[b].tags[i] == from)
				buckets[b].tags[i] = to;
	cells_release(&buckets, count);
}

static uint32_t reason_of(enum proggy_program program, const char *text)
{
	struct frame frame;

	frame_make_text(&frame, text);
	return proggy_run(program, "vm", &frame).reason;
}

/* A flow that finds no cell in the shard begins in the LRU, and ends where it must be confirmed. No
 * live flow makes room for it. */
static void a_full_bucket_refuses_what_must_be_confirmed(void **state)
{
	const struct sg_slot *counters;
	uint32_t other = SG_TAG(SG_TAG_BUSY, 0) | 77;
	struct sg_slot before;

	(void)state;
	proggy_policy(policy);
	flush_in_kernel();
	counters = &proggy_dataplane()->slots[proggy_slot("vm")];
	assert_int_equal(reason_of(PROGGY_TC_INGRESS, "udp 10.0.0.9:9000 > 10.0.0.5:443 len=20"),
			 SG_ALLOW_RULE);
	assert_int_equal(reason_of(PROGGY_TC_EGRESS, "udp 10.0.0.5:443 > 10.0.0.9:9000 len=20"),
			 SG_ALLOW_FLOW);
	before = *counters;
	g_usleep(600000); /* the cells of the test before have rested */
	{
		uint32_t count;
		struct sg_bucket *buckets = cells_of("vm", &count);

		for (uint32_t b = 0; b < count; b++)
			for (unsigned int i = 0; i < SG_BUCKET_CELLS; i++)
				if (SG_TAG_STATUS(buckets[b].tags[i]) != SG_TAG_LIVE)
					buckets[b].tags[i] = other;
		cells_release(&buckets, count);
	}
	assert_int_equal(reason_of(PROGGY_TC_INGRESS, "udp 10.0.0.9:9001 > 10.0.0.5:443 len=20"),
			 SG_ALLOW_RULE);
	assert_int_equal(counters->half, before.half);
	assert_int_equal(reason_of(PROGGY_TC_EGRESS, "udp 10.0.0.5:443 > 10.0.0.9:9001 len=20"),
			 SG_DROP_TABLE_FULL);
	assert_int_equal(counters->flows, before.flows);
	assert_int_equal(reason_of(PROGGY_TC_EGRESS, "udp 10.0.0.5:443 > 10.0.0.9:9000 len=20"),
			 SG_ALLOW_FLOW);
	set_tags(other, 0);
	assert_int_equal(reason_of(PROGGY_TC_EGRESS, "udp 10.0.0.5:443 > 10.0.0.9:9001 len=20"),
			 SG_ALLOW_FLOW);
	assert_int_equal(counters->flows, before.flows + 1);
	check_counts("with room again");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_at_once),
		cmocka_unit_test(a_full_bucket_refuses_what_must_be_confirmed),
	};

	return cmocka_run_group_tests(tests, proggy_setup, proggy_teardown);
}
