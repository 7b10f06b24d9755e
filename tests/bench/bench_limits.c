/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_limits.c - the documented limits, all of them at once: what they take of memory, that they
 * hold, and that what is beyond is refused before anything is touched.
 *
 * 10,000 groups (a hundred of them with 1,000 rules, the others with 10), 20 lists of 10,000
 * prefixes, 1,000,000 members, 4,096 taps attached with 256 flows each: 1,048,576 flows, which are
 * opened and confirmed by test runs of the pinned programs.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bpf/abi.h"
#include "rulesd/cleanup.h"
#include "tests/bench/bench.h"
#include "tests/bench/memory.h"
#include "tests/lib/daemon.h"
#include "tests/lib/http.h"
#include "tests/lib/netns.h"
#include "tests/lib/tap.h"

/* What stands in the manual. */
struct limits {
	unsigned int groups, rules, large, lists, entries, members, taps, flows;
};

static struct bench *bench;
static struct limits limits;

static double now_ms(void)
{
	return (double)bench_now_ns() / 1e6;
}

static void note(const char *metric, const char *of, const char *unit, double value)
{
	bench_sample(bench_series(bench, metric, of, unit, "members=%u taps=%u", limits.members,
				  limits.taps),
		     value);
}

/* ------------------------------------------------------------------ a policy as large as it gets
 */

static void add_groups(GString *text, unsigned int groups)
{
	for (unsigned int i = 0; i < groups; i++) {
		unsigned int rules = i < limits.large ? limits.rules : 10;

		g_string_append_printf(text, "%s\"sg-%u\":{\"ingress\":[", i ? "," : "", i);
		for (unsigned int r = 0; r < rules; r++)
			g_string_append_printf(
				text,
				"%s{\"id\":\"r%u\",\"protocol\":\"tcp\",\"ports\":[%u],\"from\":[\"%s%u\"]}",
				r ? "," : "", r, 1000 + r, r % 5 ? "sg-" : "pl-",
				r % 5 ? (i + r) % limits.groups : r % limits.lists);
		g_string_append(text, "]}");
	}
}

static void add_lists(GString *text, unsigned int entries)
{
	for (unsigned int i = 0; i < limits.lists; i++) {
		g_string_append_printf(text, "%s\"pl-%u\":{\"entries\":[", i ? "," : "", i);
		for (unsigned int e = 0; e < (i ? limits.entries : entries); e++) {
			unsigned int n = i * (limits.entries + 1) + e;

			g_string_append_printf(text, "%s\"%u.%u.%u.0/24\"", e ? "," : "",
					       100 + (n >> 16), n >> 8 & 255, n & 255);
		}
		g_string_append(text, "]}");
	}
}

static void add_interfaces(GString *text, unsigned int taps, unsigned int members)
{
	for (unsigned int i = 0; i < members; i++) {
		g_string_append_printf(text,
				       "%s\"m%u\":{\"addresses\":[\"10.%u.%u.%u\"],\"groups\":["
				       "\"sg-%u\"]",
				       i ? "," : "", i, i >> 16, i >> 8 & 255, i & 255,
				       i % limits.groups);
		if (i < taps)
			g_string_append_printf(text,
					       ",\"device\":\"lim%u\",\"conntrack\":{\"max_flows\":"
					       "%u}",
					       i, limits.flows / limits.taps);
		g_string_append_c(text, '}');
	}
}

static const char *policy_path(unsigned int groups, unsigned int entries, unsigned int taps,
			       unsigned int members)
{
	g_autoptr(GString) text = g_string_new("{\"version\":1,\"groups\":{");

	add_groups(text, groups);
	g_string_append(text, "},\"prefix_lists\":{");
	add_lists(text, entries);
	g_string_append(text, "},\"interfaces\":{");
	add_interfaces(text, taps, members);
	g_string_append(text, "}}");
	return policy_file("limits.json", text->str);
}

/* ------------------------------------------------------------------ flows */

static int pinned_program(const struct daemon *daemon, const char *name)
{
	g_autofree char *path = g_strdup_printf("%s/progs/%s", daemon->bpffs, name);
	int fd = bpf_obj_get(path);

	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return fd;
}

static void put_checksum(uint8_t *ip)
{
	uint32_t sum = 0;

	memset(ip + 10, 0, 2);
	for (unsigned int i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16)) & 0xffff;
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

/* As the VM sends it when out, and the answer to that otherwise. */
static bool runs(int program, uint32_t ifindex, unsigned int member, unsigned int flow, bool out)
{
	uint32_t vm = htonl(0x0a000000u | member), peer = htonl(0xcb007100u | (flow >> 8 & 255));
	uint16_t vm_port = htons((uint16_t)(2000 + flow)), peer_port = htons(53);
	struct __sk_buff skb = {.ifindex = ifindex};
	uint8_t frame[14 + 20 + 8 + 22] = {0x02, 0, 0, 0, 0, 9, 0x02, 0, 0, 0, 0, 5, 0x08, 0x00};
	uint8_t *ip = frame + 14;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .ctx_in = &skb, .ctx_size_in = sizeof(skb));

	memcpy(ip, (const uint8_t[]){0x45, 0, 0, 50, 0, 0, 0, 0, 64, 17}, 10);
	memcpy(ip + 12, out ? &vm : &peer, 4);
	memcpy(ip + 16, out ? &peer : &vm, 4);
	memcpy(ip + 20, out ? &vm_port : &peer_port, 2);
	memcpy(ip + 22, out ? &peer_port : &vm_port, 2);
	ip[25] = 30;
	put_checksum(ip);
	return !bpf_prog_test_run_opts(program, &options) && (int32_t)options.retval == -1;
}

static void open_flows(const struct daemon *daemon, struct tap *const *taps)
{
	AUTO_FD int out = pinned_program(daemon, "sg_tc_egress");
	AUTO_FD int in = pinned_program(daemon, "sg_tc_ingress");
	unsigned int each = limits.flows / limits.taps, wrong = 0;
	double at = now_ms();

	for (unsigned int i = 0; i < limits.taps; i++)
		for (unsigned int f = 0; f < each; f++)
			wrong += !runs(out, taps[i]->ifindex, i, f, true) ||
				 !runs(in, taps[i]->ifindex, i, f, false);
	note("opening all flows (test runs, two frames each)", "tapguard", "ms", now_ms() - at);
	bench_verdict(bench, !wrong, "%u of %u flows are refused", wrong, limits.flows);
	/* Its allowance is exact: one more is not confirmed. */
	runs(out, taps[0]->ifindex, 0, each, true);
	bench_verdict(bench, !runs(in, taps[0]->ifindex, 0, each, false),
		      "an interface has more flows than its allowance");
}

/* ------------------------------------------------------------------ memory */

/* Those of a megabyte and more by themselves. */
static void note_map(const char *name, double bytes, void *context)
{
	(void)context;
	if (bytes >= 1e6)
		note("memory of maps", name, "MB", bytes / 1e6);
}

static void report_maps(const struct daemon *daemon)
{
	note("memory of maps", "all", "MB", memory_of_maps(daemon->bpffs, note_map, NULL) / 1e6);
}

/* ------------------------------------------------------------------ beyond */

static json_int_t number_of(const struct daemon *daemon, const char *name)
{
	AUTO_JSON json_t *status = sgctl_json(daemon, "show", "status", NULL);
	const json_t *value = json_object_get(status, name);

	return json_is_object(value) ? json_integer_value(json_object_get(value, "filtering"))
				     : json_integer_value(value);
}

static void refuses(const struct daemon *daemon, const char *what, const char *path,
		    const char *words)
{
	json_int_t before = number_of(daemon, "generation");
	AUTO_COMMAND struct command command = sgctl_run(daemon, "apply", path, NULL);

	bench_verdict(bench, command.status == 1 && strstr(command.err, words),
		      "%s: exit %d: %.200s", what, command.status, command.err);
	bench_verdict(bench, number_of(daemon, "generation") == before, "%s: something was changed",
		      what);
}

static void refuses_more(const struct daemon *daemon)
{
	refuses(daemon, "one group more",
		policy_path(limits.groups + 1, limits.entries, limits.taps, limits.members),
		"10000");
	refuses(daemon, "one entry of a list more",
		policy_path(limits.groups, limits.entries + 1, limits.taps, limits.members),
		"10000");
	refuses(daemon, "one member more",
		policy_path(limits.groups, limits.entries, limits.taps, limits.members + 1),
		"1000000");
	refuses(daemon, "one interface more",
		policy_path(limits.groups, limits.entries, limits.taps + 1, limits.members),
		"4096");
}

/* ------------------------------------------------------------------ run */

static void apply(const struct daemon *daemon)
{
	const char *path = policy_path(limits.groups, limits.entries, limits.taps, limits.members);
	double at = now_ms();

	sgctl_check(daemon, "apply", path, NULL);
	note("apply of it all, taps attached", "tapguard", "ms", now_ms() - at);
}

static void run(struct bench *running)
{
	struct rlimit files = {65536, 65536};
	g_autofree struct tap **taps = NULL;
	struct daemon *daemon;
	double at;

	bench = running;
	limits = (struct limits){10000, 1000, 100, 20, 10000, 1000000, 4096, 1048576};
	if (bench_quick(bench))
		limits = (struct limits){1000, 1000, 10, 20, 1000, 10000, 64, 16384};
	setrlimit(RLIMIT_NOFILE, &files);
	netns_new();
	taps = g_new0(struct tap *, limits.taps);
	for (unsigned int i = 0; i < limits.taps; i++) {
		g_autofree char *name = g_strdup_printf("lim%u", i);

		taps[i] = tap_new(name, false);
	}
	daemon = daemon_start("limits", NULL);
	apply(daemon);
	bench_verdict(bench, number_of(daemon, "interfaces") >= (json_int_t)limits.taps,
		      "not every interface is there");
	open_flows(daemon, taps);
	bench_verdict(bench, number_of(daemon, "flows") == (json_int_t)limits.flows,
		      "%u flows are live", (unsigned int)number_of(daemon, "flows"));
	report_maps(daemon);
	note("memory of rulesd, resident", "after apply", "MB",
	     memory_of_process(daemon->pid, "VmRSS:") / 1e3);
	note("memory of rulesd, resident", "highest", "MB",
	     memory_of_process(daemon->pid, "VmHWM:") / 1e3);
	if (!bench_quick(bench))
		refuses_more(daemon);
	daemon_stop(daemon);
	at = now_ms();
	daemon_restart(daemon, NULL);
	note("restart of rulesd that adopts it all", "tapguard", "ms", now_ms() - at);
	bench_verdict(bench, number_of(daemon, "flows") == (json_int_t)limits.flows,
		      "a restart loses flows");
	daemon_delete_all();
	tap_delete_all();
	netns_leave();
}

BENCH_MAIN("limits", "every limit of the manual at once", run)
