/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_control.c - the control plane with 10,000 groups, 100,000 rules, 1,000,000 members and
 * 1,000 attached taps: loading all of it, and one small change from the request to its effect.
 *
 * The effect is a packet's: a test run of the pinned program on an attached interface, asked again
 * and again from the moment the request is sent until its verdict changes. Each packet comes from a
 * port of its own, so that no flow answers for the rules. nft and ipset do the same to sets as
 * large, as programs that are started for a change, which is how they are used; their change is in
 * force when they end. The file is long because all change one policy, in sizes that must be equal.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/bench/bench.h"
#include "tests/bench/client.h"
#include "tests/bench/elements.h"
#include "tests/bench/links.h"
#include "tests/bench/memory.h"
#include "tests/bench/syscalls.h"
#include "tests/lib/daemon.h"
#include "tests/lib/frame.h"
#include "tests/lib/netns.h"
#include "tests/lib/tap.h"

#define LOADS	       5
#define LOAD_MS	       2000.0
#define RESTARTS       5
#define RESTART_MS     2000.0
#define EFFECT_MS      1.0
#define RULESD_MB      300.0
#define BYTES_A_MEMBER 200.0
#define BASE_CHANGES   21 /* of nft and ipset: each starts a process */
#define PAUSE_US       20000
#define COUNTED	       50u /* changes whose system calls are counted */
#define DIGEST_SECONDS 120
#define RULES	       10	   /* of a group */
#define CARRIED	       100	   /* groups that the attached interfaces carry */
#define FIRST_MEMBER   0x0a000100u /* 10.0.1.0 */
#define FIRST_JOINER   0x0b000001u /* 11.0.0.1 */
#define FIRST_PORT     1000	   /* of a group's rules */
#define LIST_PORT      FIRST_PORT  /* rule 0 is for the prefix list */
#define MEMBER_PORT    (FIRST_PORT + 1)
#define CHANGED_PORT   20000u
#define CHANGED_PEER   0x0c000005u /* of the rule that changes: 12.0.0.5 */
#define STEP	       131	   /* rule r of group g lets members of g + STEP * r in */
#define FIRST_ENTRY    0x64000000u /* of the list, /24 each: 100.0.0.0 */
#define CHANGED_ENTRY  0xc0a80000u /* 192.168.N.0/24 */

static struct bench *bench;
static struct {
	unsigned int groups, members, taps, entries, changes;
} size;

static double now_ms(void)
{
	return (double)bench_now_ns() / 1e6;
}

static struct bench_series *series(const char *metric, const char *of, const char *unit)
{
	return bench_series(bench, metric, of, unit, "members=%u taps=%u", size.members, size.taps);
}

/* limit: 0 for none. */
static void note(const char *metric, const char *of, const char *unit, double value, double limit)
{
	struct bench_series *one = series(metric, of, unit);

	bench_sample(one, value);
	if (limit > 0)
		bench_limit(bench, one, limit);
}

/* ------------------------------------------------------------------ documents */

/* The group's object. port: what the rule for CHANGED_PEER lets in. */
static void add_group(GString *text, unsigned int group, unsigned int port)
{
	g_string_append_printf(text, "\"sg-%u\":{\"ingress\":[", group);
	for (unsigned int r = 0; r < RULES - 1; r++) {
		g_string_append_printf(text, "{\"id\":\"r%u\",\"protocol\":\"tcp\",\"ports\":[%u],",
				       r, FIRST_PORT + r);
		if (r == 0 && group < CARRIED)
			g_string_append(text, "\"from\":[\"pl-0\"]},");
		else
			g_string_append_printf(text, "\"from\":[\"sg-%u\"]},",
					       (group + STEP * r) % size.groups);
	}
	g_string_append_printf(text,
			       "{\"id\":\"r%u\",\"protocol\":\"tcp\",\"ports\":[%u],\"from\":["
			       "\"12.0.0.0/8\"]}]}",
			       RULES - 1, port);
}

/* entry: the one that changes. */
static void add_list(GString *text, unsigned int entry)
{
	g_string_append(text, "\"prefix_lists\":{\"pl-0\":{\"entries\":[");
	for (unsigned int e = 1; e < size.entries; e++)
		g_string_append_printf(text, "\"100.%u.%u.0/24\",", e >> 8, e & 255);
	g_string_append_printf(text, "\"192.168.%u.0/24\"]}}", entry);
}

static void add_interface(GString *text, unsigned int i, bool device)
{
	unsigned int address = FIRST_MEMBER + i;

	g_string_append_printf(
		text, "%s\"m%u\":{\"addresses\":[\"%u.%u.%u.%u\"],\"groups\":[\"sg-%u\"]",
		i ? "," : "", i, address >> 24, address >> 16 & 255, address >> 8 & 255,
		address & 255, i < size.taps ? i % CARRIED : i % MAX(size.groups, 1u));
	if (device)
		g_string_append_printf(
			text, ",\"device\":\"ctl%u\",\"conntrack\":{\"max_flows\":256}", i);
	g_string_append_c(text, '}');
}

/* Everything; the interfaces without devices. One member short of the limit: somebody joins. */
static char *policy(void)
{
	GString *text = g_string_new("{\"version\":1,\"groups\":{");

	for (unsigned int g = 0; g < size.groups; g++) {
		if (g)
			g_string_append_c(text, ',');
		add_group(text, g, CHANGED_PORT);
	}
	g_string_append(text, "},");
	add_list(text, 0);
	g_string_append(text, ",\"interfaces\":{");
	for (unsigned int i = 0; i < size.members - 1; i++)
		add_interface(text, i, false);
	g_string_append(text, "}}");
	return g_string_free(text, FALSE);
}

static char *patch_of_devices(void)
{
	GString *text = g_string_new("{\"version\":1,\"interfaces\":{");

	for (unsigned int i = 0; i < size.taps; i++)
		add_interface(text, i, true);
	g_string_append(text, "}}");
	return g_string_free(text, FALSE);
}

/* ------------------------------------------------------------------ packets */

static int program; /* towards the VM */
static uint32_t ifindex;

/* Whether the first interface's VM may be sent a SYN now. */
static bool passes(uint32_t from, uint16_t port)
{
	static uint16_t source_port = 1024;
	struct __sk_buff skb = {.ifindex = ifindex};
	struct frame frame;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.bytes, .ctx_in = &skb,
		    .ctx_size_in = sizeof(skb));

	source_port = source_port < 65000 ? source_port + 1 : 1024;
	frame_make(&frame, "tcp %u.%u.%u.%u:%u > 10.0.1.0:%u S", from >> 24, from >> 16 & 255,
		   from >> 8 & 255, from & 255, source_port, port);
	options.data_size_in = (uint32_t)frame.length;
	if (bpf_prog_test_run_opts(program, &options))
		fail_msg("bpf(PROG_TEST_RUN): %s", strerror(errno));
	return (int32_t)options.retval == -1;
}

static void open_program(const struct daemon *daemon)
{
	g_autofree char *path = g_strdup_printf("%s/progs/sg_tc_ingress", daemon->bpffs);

	program = bpf_obj_get(path);
	if (program < 0)
		fail_msg("%s: %s", path, strerror(errno));
}

/* Of what nobody changes: a member of the group that a rule names, of another group, the list. */
static void verdicts(const char *when)
{
	unsigned int member =
		size.taps + (STEP + size.groups - size.taps % size.groups) % size.groups;

	bench_verdict(bench, passes(FIRST_MEMBER + member, MEMBER_PORT), "%s: member %u may not",
		      when, member);
	bench_verdict(bench, !passes(FIRST_MEMBER + member + 1, MEMBER_PORT),
		      "%s: who is no member may", when);
	bench_verdict(bench, passes(FIRST_ENTRY + 0x105, LIST_PORT), "%s: the list may not", when);
	bench_verdict(bench, !passes(FIRST_ENTRY + 5, LIST_PORT), "%s: who is not in it may", when);
}

/* ------------------------------------------------------------------ changes */

struct change {
	char *request;
	uint32_t from; /* who is let in, or no longer let in, to port */
	uint16_t port;
	bool after; /* whether it is let in when the change is in force */
};

/* The change number of its kind; the caller frees its request. */
typedef struct change (*make_change)(unsigned int number);

static struct change patch(GString *body, uint32_t from, unsigned int port, bool after)
{
	struct change change = {client_request("PATCH", "/v1/policy", body->str), from,
				(uint16_t)port, after};

	g_string_free(body, TRUE);
	return change;
}

/* Even ones join, odd ones leave. */
static struct change change_member(unsigned int number)
{
	unsigned int joiner = number / 2, address = FIRST_JOINER + joiner;
	GString *body = g_string_new("{\"version\":1,\"interfaces\":{");

	if (number % 2)
		g_string_append_printf(body, "\"joiner%u\":null}}", joiner);
	else
		g_string_append_printf(
			body,
			"\"joiner%u\":{\"addresses\":[\"%u.%u.%u.%u\"],\"groups\":[\"sg-%u\"]}}}",
			joiner, address >> 24, address >> 16 & 255, address >> 8 & 255,
			address & 255, STEP % size.groups);
	return patch(body, address, MEMBER_PORT, number % 2 == 0);
}

/* The rule of the first group gets another port. */
static struct change change_rule(unsigned int number)
{
	GString *body = g_string_new("{\"version\":1,\"groups\":{");
	unsigned int port = CHANGED_PORT + 1 + number % 1000;

	add_group(body, 0, port);
	g_string_append(body, "}}");
	return patch(body, CHANGED_PEER, port, true);
}

/* The list is sent as a whole: the last entry is another one. */
static struct change change_entry(unsigned int number)
{
	GString *body = g_string_new("{\"version\":1,");
	unsigned int entry = 1 + number % 250;

	add_list(body, entry);
	g_string_append_c(body, '}');
	return patch(body, CHANGED_ENTRY + (entry << 8) + 5, LIST_PORT, true);
}

/* ------------------------------------------------------------------ measuring */

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The value that 99 of 100 do not exceed. Sorts them. */
static double p99(double *values, unsigned int count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[(unsigned int)ceil(0.99 * count) - 1];
}

/* What one change took, in ms. */
struct took {
	double effect, answer;
	double writes;
};

static struct took run_change(const struct client *client, const struct change *change,
			      const char *what, unsigned int number)
{
	bool in_force = false;
	json_t *answer;
	struct took took;
	double at;

	bench_verdict(bench, passes(change->from, change->port) != change->after,
		      "%s %u: the packet proves nothing", what, number);
	at = now_ms();
	client_send(client, change->request);
	while (!in_force && !client_answered(client))
		in_force = passes(change->from, change->port) == change->after;
	took.effect = now_ms() - at;
	answer = client_receive(client);
	took.answer = now_ms() - at;
	took.writes = (double)json_integer_value(json_object_get(answer, "writes"));
	json_decref(answer);
	bench_verdict(bench, passes(change->from, change->port) == change->after,
		      "%s %u: answered, and not in force", what, number);
	return took;
}

/* What nft and ipset are compared with: of the paced changes. */
static struct bench_series *effects[ELEMENTS_CHANGES];

/* every: 1, or 2 for only the changes with the parity of first. */
static struct bench_series *report_changes(const char *what, const char *how,
					   const struct took *took, unsigned int first,
					   unsigned int every, bool limited)
{
	g_autofree double *sorted = g_new0(double, size.changes);
	g_autofree char *metric = g_strdup_printf("%s, to effect", what);
	g_autofree char *highest = g_strdup_printf("%s, to effect, p99", what);
	g_autofree char *answered = g_strdup_printf("%s, to answer", what);
	g_autofree char *answered_highest = g_strdup_printf("%s, to answer, p99", what);
	g_autofree char *writes = g_strdup_printf("%s, map writes", what);
	struct bench_series *effect = series(metric, how, "ms");
	struct bench_series *answer = series(answered, how, "ms");
	struct bench_series *written = series(writes, how, "writes");
	unsigned int count = 0;

	for (unsigned int i = first; i < size.changes; i += every) {
		bench_sample(effect, took[i].effect);
		bench_sample(answer, took[i].answer);
		bench_sample(written, took[i].writes);
		sorted[count++] = took[i].effect;
	}
	note(highest, how, "ms", p99(sorted, count), limited ? EFFECT_MS : 0);
	count = 0;
	for (unsigned int i = first; i < size.changes; i += every)
		sorted[count++] = took[i].answer;
	note(answered_highest, how, "ms", p99(sorted, count), 0);
	if (limited)
		bench_limit(bench, written, 5);
	return effect;
}

static unsigned int first_number; /* no change is made twice */

static struct took *run_changes(const struct daemon *daemon, make_change make, const char *what,
				unsigned int pause_us)
{
	struct took *took = g_new0(struct took, size.changes);
	struct client client = client_open(daemon->socket);

	bench_pin(bench);
	for (unsigned int i = 0; i < size.changes; i++) {
		struct change change = make(first_number + i);

		took[i] = run_change(&client, &change, what, i);
		g_free(change.request);
		g_usleep(pause_us);
	}
	bench_unpin(bench);
	client_close(&client);
	return took;
}

/* Without the clock: what counts them takes time. */
static void count_syscalls(const struct daemon *daemon)
{
	static const struct {
		const char *what;
		make_change make;
	} kinds[] = {{"one member joins or leaves", change_member},
		     {"one rule changes", change_rule},
		     {"one entry of a list changes", change_entry}};

	for (unsigned int k = 0; k < G_N_ELEMENTS(kinds); k++) {
		struct client client = client_open(daemon->socket);
		g_autofree char *text = NULL;
		unsigned long sum;

		syscalls_begin(daemon->pid);
		for (unsigned int i = 0; i < COUNTED; i++) {
			struct change change = kinds[k].make(first_number + i);

			client_send(&client, change.request);
			json_decref(client_receive(&client));
			g_free(change.request);
		}
		sum = syscalls_end(COUNTED, &text);
		client_close(&client);
		bench_verdict(bench, sum >= COUNTED, "%s: %lu system calls", kinds[k].what, sum);
		note(kinds[k].what, "tapguard, system calls", "calls", (double)sum / COUNTED, 0);
		bench_note(bench, "%s, system calls: %s", kinds[k].what, text);
	}
	first_number += COUNTED;
}

/* ------------------------------------------------------------------ the least that it could be */

static gpointer answer_bytes(gpointer data)
{
	int fd = *(const int *)data;
	char byte;

	while (read(fd, &byte, 1) == 1)
		if (write(fd, &byte, 1) != 1)
			break;
	return NULL;
}

/*
 * A thread that sleeps until it is asked, and answers: what any daemon takes at least, however
 * little it has to do. When other work wants the CPUs, it is most of the time that a change takes.
 */
static void measure_wakeups(unsigned int pause_us, const char *how)
{
	struct bench_series *all = series("a thread is woken and answers", how, "ms");
	g_autofree double *took = g_new(double, size.changes);
	GThread *thread;
	char byte = 0;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		fail_msg("socketpair: %s", strerror(errno));
	thread = g_thread_new("answer", answer_bytes, &fds[1]);
	bench_pin(bench);
	for (unsigned int i = 0; i < size.changes; i++) {
		double at;

		g_usleep(pause_us);
		at = now_ms();
		bench_verdict(bench, write(fds[0], &byte, 1) == 1, "socket: %s", strerror(errno));
		while (recv(fds[0], &byte, 1, MSG_DONTWAIT) != 1)
			;
		took[i] = now_ms() - at;
		bench_sample(all, took[i]);
	}
	bench_unpin(bench);
	shutdown(fds[0], SHUT_RDWR);
	g_thread_join(thread);
	close(fds[0]);
	close(fds[1]);
	note("a thread is woken and answers, p99", how, "ms", p99(took, size.changes), 0);
}

static void all_changes(const struct daemon *daemon)
{
	static const struct {
		const char *how;
		unsigned int pause_us;
	} paces[] = {{"tapguard, paced", PAUSE_US}, {"tapguard, one after the other", 0}};

	for (unsigned int p = 0; p < G_N_ELEMENTS(paces); p++) {
		const char *how = paces[p].how;
		struct bench_series *effect[ELEMENTS_CHANGES];
		struct took *took;

		measure_wakeups(paces[p].pause_us,
				paces[p].pause_us ? "paced" : "one after the other");
		took = run_changes(daemon, change_member, "member", paces[p].pause_us);
		effect[ELEMENTS_JOIN] = report_changes("one member joins", how, took, 0, 2, true);
		effect[ELEMENTS_LEAVE] = report_changes("one member leaves", how, took, 1, 2, true);
		g_free(took);
		took = run_changes(daemon, change_rule, "rule", paces[p].pause_us);
		effect[ELEMENTS_RULE] = report_changes("one rule changes", how, took, 0, 1, true);
		g_free(took);
		took = run_changes(daemon, change_entry, "entry", paces[p].pause_us);
		effect[ELEMENTS_ENTRY] =
			report_changes("one entry of a list changes", how, took, 0, 1, false);
		g_free(took);
		if (paces[p].pause_us)
			memcpy(effects, effect, sizeof(effects));
		first_number += size.changes;
	}
}

/* ------------------------------------------------------------------ loading */

static double timed(const struct daemon *daemon, const char *method, const char *body)
{
	g_autofree char *request = client_request(method, "/v1/policy", body);
	struct client client = client_open(daemon->socket);
	double at = now_ms(), took;

	client_send(&client, request);
	json_decref(client_receive(&client));
	took = now_ms() - at;
	client_close(&client);
	return took;
}

static void note_memory(const struct daemon *daemon, const char *when, double limit)
{
	note("memory of rulesd, resident", when, "MB",
	     memory_of_process(daemon->pid, "VmRSS:") / 1e3, limit);
}

/* What a status asks for is worked out, and the memory for it given back. */
static void wait_for_digest(const struct daemon *daemon)
{
	bool known = false;
	double at = now_ms();

	while (!known && now_ms() < at + DIGEST_SECONDS * 1e3) {
		AUTO_JSON json_t *status = sgctl_json(daemon, "show", "status", NULL);

		known = json_is_string(json_object_get(status, "policy_sha256"));
		g_usleep(known ? 0 : 200000);
	}
	bench_verdict(bench, known, "the digest of the policy is not known in %d s",
		      DIGEST_SECONDS);
	note("digest of the policy, in a thread", "tapguard", "ms", now_ms() - at, 0);
}

/* Into a daemon that has nothing, each time another one; the last one stays. */
static struct daemon *load(void)
{
	unsigned int loads = bench_quick(bench) ? 1 : LOADS;
	struct bench_series *took = series("cold load (PUT /v1/policy)", "tapguard", "ms");
	g_autofree char *text = policy();
	struct daemon *daemon = NULL;
	double empty = 0;

	for (unsigned int i = 0; i < loads; i++) {
		g_autofree char *name = g_strdup_printf("control%u", i);

		if (daemon)
			daemon_delete(daemon);
		daemon = daemon_start(name, NULL);
		empty = memory_of_maps(daemon->bpffs, NULL, NULL);
		bench_sample(took, timed(daemon, "PUT", text));
	}
	bench_limit(bench, took, LOAD_MS);
	note_memory(daemon, "after the load", 0);
	g_usleep(2000000);
	note_memory(daemon, "2 s after the load", RULESD_MB);
	note("memory of rulesd, resident", "highest", "MB",
	     memory_of_process(daemon->pid, "VmHWM:") / 1e3, 0);
	note("memory of maps a member", "tapguard", "bytes",
	     (memory_of_maps(daemon->bpffs, NULL, NULL) - empty) / size.members, BYTES_A_MEMBER);
	return daemon;
}

static void restarts(struct daemon *daemon)
{
	struct bench_series *took = series("restart with everything pinned", "tapguard", "ms");
	struct bench_series *digest =
		series("restart with everything pinned", "until a status has the digest", "ms");

	for (unsigned int i = 0; i < RESTARTS; i++) {
		double at;

		daemon_stop(daemon);
		at = now_ms();
		daemon_restart_until(daemon, "generations");
		bench_sample(took, now_ms() - at);
		sgctl_check(daemon, "show", "status", NULL);
		bench_sample(digest, now_ms() - at);
	}
	bench_limit(bench, took, RESTART_MS);
}

/* ------------------------------------------------------------------ nft and ipset */

static void base_changes(const struct elements *elements)
{
	static const char *const what[ELEMENTS_CHANGES] = {
		"one member joins, to effect", "one member leaves, to effect",
		"one rule changes, to effect", "one entry of a list changes, to effect"};
	struct bench_series *took[ELEMENTS_CHANGES];

	for (unsigned int c = 0; c < ELEMENTS_CHANGES; c++)
		took[c] = elements->change[c] ? series(what[c], elements->name, "ms") : NULL;
	for (unsigned int i = 0; i < BASE_CHANGES; i++) {
		for (unsigned int c = 0; c < ELEMENTS_CHANGES; c++) {
			double at = now_ms();

			if (!took[c])
				continue;
			elements->change[c](i);
			bench_sample(took[c], now_ms() - at);
			/* To ask for one element it reads a million, for 15 s; what it was not
			 * able to delete would have been an error. */
			if (bench_quick(bench) || elements == &elements_ipset)
				bench_verdict(bench, elements->holds(c, i),
					      "%s: %s %u is not in force", elements->name, what[c],
					      i);
		}
	}
	for (unsigned int c = 0; c < ELEMENTS_CHANGES; c++)
		if (took[c])
			bench_compare(bench, effects[c], took[c], 0);
}

static void baselines(void)
{
	const struct elements *const all[] = {&elements_nft, &elements_ipset};

	for (unsigned int i = 0; i < G_N_ELEMENTS(all); i++) {
		g_autofree char *text = all[i]->load_text(size.members, size.entries);
		double at;

		policy_file("elements", text);
		at = now_ms();
		all[i]->load(policy_file("elements", text));
		note("cold load (the members, one set)", all[i]->name, "ms", now_ms() - at, 0);
		base_changes(all[i]);
		all[i]->clear();
	}
}

/* ------------------------------------------------------------------ run */

static void run(struct bench *running)
{
	struct rlimit files = {65536, 65536};
	g_autofree char *devices = NULL;
	struct daemon *daemon;

	bench = running;
	size.groups = bench_quick(bench) ? 100 : 10000;
	size.members = bench_quick(bench) ? 20000 : 1000000;
	size.taps = bench_quick(bench) ? 20 : 1000;
	size.entries = bench_quick(bench) ? 1000 : 10000;
	size.changes = bench_quick(bench) ? 20 : 300;
	setrlimit(RLIMIT_NOFILE, &files);
	setenv("PATIENCE", "12", 0); /* a restart with all that, on a busy machine */
	netns_new();
	for (unsigned int i = 0; i < size.taps; i++) {
		g_autofree char *name = g_strdup_printf("ctl%u", i);
		struct tap *tap = tap_new(name, false);

		if (i == 0)
			ifindex = tap->ifindex;
	}
	daemon = load();
	devices = patch_of_devices();
	note("attach all taps (PATCH /v1/policy)", "tapguard", "ms",
	     timed(daemon, "PATCH", devices), 0);
	links_wait(50, 90);
	open_program(daemon);
	verdicts("loaded");
	all_changes(daemon);
	count_syscalls(daemon);
	verdicts("after changes");
	note_memory(daemon, "after all changes", RULESD_MB);
	close(program);
	restarts(daemon);
	open_program(daemon);
	verdicts("restarted");
	wait_for_digest(daemon);
	note_memory(daemon, "after a restart", RULESD_MB);
	note("memory of rulesd, resident", "highest, after a restart", "MB",
	     memory_of_process(daemon->pid, "VmHWM:") / 1e3, 0);
	close(program);
	daemon_delete_all();
	baselines();
	tap_delete_all();
	netns_leave();
}

BENCH_MAIN("control", "loading a million members, and small changes with them loaded", run)
