/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_verify.c - sgctl verify: every map is spoiled behind rulesd's back, and programs, links and
 * pins are taken away; it is named, and repaired under traffic that loses nothing.
 *
 * Long because every kind of entry is spoiled in its own way.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "bpf/abi.h"
#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/crowd.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

static const char policy[] =
	"{ \"version\": 1,"
	"  \"prefix_lists\": { \"pl-far\": { \"entries\": [\"203.0.113.0/24\", \"203.0.113.64/26\"] } },"
	"  \"groups\": {"
	"    \"sg-web\": { \"ingress\": ["
	"      { \"id\": \"https\", \"protocol\": \"tcp\", \"ports\": [443, \"8000-8080\"],"
	"        \"from\": [\"sg-app\"] },"
	"      { \"id\": \"any\", \"protocol\": \"udp\", \"ports\": [443], \"from\": [\"sg-app\"] },"
	"      { \"id\": \"far\", \"protocol\": \"tcp\", \"ports\": [443], \"from\": [\"pl-far\","
	"        \"203.0.113.0/25\"] },"
	"      { \"id\": \"ops\", \"protocol\": \"tcp\", \"ports\": [22], \"from\": [\"sg-ops\"] } ] },"
	"    \"sg-app\": {}, \"sg-ops\": {} },"
	"  \"interfaces\": {"
	"    \"web\": { \"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\", \"vlans\": [7],"
	"      \"addresses\": [\"10.0.0.5\", \"fd00::5\"], \"allowed_addresses\": [\"10.5.0.0/16\"],"
	"      \"groups\": [\"sg-web\"] },"
	"    \"app\": { \"addresses\": [\"10.0.0.9\", \"fd00::9\"], \"groups\": [\"sg-app\"] },"
	"    \"ops\": { \"addresses\": [\"10.0.0.8\"], \"groups\": [\"sg-app\", \"sg-ops\"] } } }";

#define CONNECTIONS 32u

/* Otherwise it would repair by itself, within a second, what the test is to find. */
static const char *const by_hand[] = {"--verify-every", "0", NULL};

static struct scene_stage open_stage(void)
{
	return scene_stage_connected("verify", by_hand, policy);
}

/* ------------------------------------------------------------------ maps, behind its back */

static int open_pin(const struct scene_stage *stage, const char *folder, const char *name)
{
	g_autofree char *path = g_strdup_printf("%s/%s/%s", stage->daemon->bpffs, folder, name);
	int fd = bpf_obj_get(path);

	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return fd;
}

static void unpin(const struct scene_stage *stage, const char *folder, const char *name)
{
	g_autofree char *path = g_strdup_printf("%s/%s/%s", stage->daemon->bpffs, folder, name);

	if (unlink(path))
		fail_msg("%s: %s", path, strerror(errno));
}

static void read_entry(const struct scene_stage *stage, const char *map, const void *key,
		       void *value)
{
	AUTO_FD int fd = open_pin(stage, "maps", map);

	if (bpf_map_lookup_elem(fd, key, value))
		fail_msg("%s: lookup: %s", map, strerror(errno));
}

static void write_entry(const struct scene_stage *stage, const char *map, const void *key,
			const void *value)
{
	AUTO_FD int fd = open_pin(stage, "maps", map);

	if (bpf_map_update_elem(fd, key, value, BPF_ANY))
		fail_msg("%s: update: %s", map, strerror(errno));
}

static void delete_entry(const struct scene_stage *stage, const char *map, const void *key)
{
	AUTO_FD int fd = open_pin(stage, "maps", map);

	if (bpf_map_delete_elem(fd, key))
		fail_msg("%s: delete: %s", map, strerror(errno));
}

static void first_key(const struct scene_stage *stage, const char *map, void *key)
{
	AUTO_FD int fd = open_pin(stage, "maps", map);

	if (bpf_map_get_next_key(fd, NULL, key))
		fail_msg("%s: it is empty: %s", map, strerror(errno));
}

static void delete_first(const struct scene_stage *stage, const char *map)
{
	uint8_t key[64];

	first_key(stage, map, key);
	delete_entry(stage, map, key);
}

static void wipe(const struct scene_stage *stage, const char *map)
{
	AUTO_FD int fd = open_pin(stage, "maps", map);
	uint8_t key[64];

	while (!bpf_map_get_next_key(fd, NULL, key))
		assert_int_equal(bpf_map_delete_elem(fd, key), 0);
}

/* ------------------------------------------------------------------ what is spoiled */

static void member_gone(const struct scene_stage *stage)
{
	delete_first(stage, SG_MAP_MEMBERS);
}

static void members_wiped(const struct scene_stage *stage)
{
	wipe(stage, SG_MAP_MEMBERS);
}

/* Of 10.0.0.66, like the first one. */
static void member_smuggled(const struct scene_stage *stage)
{
	struct sg_member_key key;
	struct sg_version version;

	first_key(stage, SG_MAP_MEMBERS, &key);
	read_entry(stage, SG_MAP_MEMBERS, &key, &version);
	key.addr = (struct sg_addr){.b = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 66}};
	write_entry(stage, SG_MAP_MEMBERS, &key, &version);
}

/* The same where the programs look first. */
static void hint_smuggled(const struct scene_stage *stage)
{
	struct sg_member_key key;
	struct sg_version version;
	struct sg_hints hints;
	uint64_t who;
	uint32_t bucket;

	first_key(stage, SG_MAP_MEMBERS, &key);
	read_entry(stage, SG_MAP_MEMBERS, &key, &version);
	who = SG_HINT_WHO(key.zone, htonl(0x0a000042));
	bucket = SG_HINT_BUCKET(who);
	read_entry(stage, SG_MAP_HINTS, &bucket, &hints);
	hints.who[SG_HINTS - 1] = who;
	hints.set[SG_HINTS - 1] = version.after;
	write_entry(stage, SG_MAP_HINTS, &bucket, &hints);
}

static void member_to_come(const struct scene_stage *stage)
{
	struct sg_member_key key;
	struct sg_version version;

	first_key(stage, SG_MAP_MEMBERS, &key);
	read_entry(stage, SG_MAP_MEMBERS, &key, &version);
	version.before = version.after;
	version.after = 0;
	version.epoch = 1u << 30;
	write_entry(stage, SG_MAP_MEMBERS, &key, &version);
}

static void member_of_another_set(const struct scene_stage *stage)
{
	struct sg_member_key key;
	struct sg_version version;

	first_key(stage, SG_MAP_MEMBERS, &key);
	read_entry(stage, SG_MAP_MEMBERS, &key, &version);
	version.before = version.after = SG_SET_SINGLE | 4711;
	write_entry(stage, SG_MAP_MEMBERS, &key, &version);
}

static void prefix_gone(const struct scene_stage *stage)
{
	delete_first(stage, SG_MAP_PREFIXES);
}

/* Everybody is in the prefix list. */
static void prefix_smuggled(const struct scene_stage *stage)
{
	struct sg_prefix_key key;
	struct sg_version version;

	first_key(stage, SG_MAP_PREFIXES, &key);
	read_entry(stage, SG_MAP_PREFIXES, &key, &version);
	key.prefixlen = 32 + 96;
	memset(key.addr + 12, 0, 4);
	write_entry(stage, SG_MAP_PREFIXES, &key, &version);
}

static void set_gone(const struct scene_stage *stage)
{
	delete_first(stage, SG_MAP_SETS);
}

static void set_of_others(const struct scene_stage *stage)
{
	struct sg_set set;
	uint32_t number;

	first_key(stage, SG_MAP_SETS, &number);
	read_entry(stage, SG_MAP_SETS, &number, &set);
	set.peers[set.count++] = 4711;
	write_entry(stage, SG_MAP_SETS, &number, &set);
}

static void set_smuggled(const struct scene_stage *stage)
{
	struct sg_set set = {.count = 1, .peers = {SG_PEER_ANY}};
	uint32_t number = 4711;

	write_entry(stage, SG_MAP_SETS, &number, &set);
}

static void policy_key_gone(const struct scene_stage *stage)
{
	delete_first(stage, SG_MAP_POLICY);
}

/* Everything from everywhere. */
static void policy_key_smuggled(const struct scene_stage *stage)
{
	struct sg_policy_key key;
	struct sg_policy_ports ports = {.count = 1, .one = {.first = 0, .last = 65535, .rule = 1}};

	first_key(stage, SG_MAP_POLICY, &key);
	key.peer = SG_PEER_ANY;
	key.proto = SG_PROTO_ALL;
	key.dir = SG_INGRESS;
	write_entry(stage, SG_MAP_POLICY, &key, &ports);
}

/* Any of them may come first. */
static void policy_key_changed(const struct scene_stage *stage)
{
	struct sg_policy_key key;
	struct sg_policy_ports ports;

	first_key(stage, SG_MAP_POLICY, &key);
	read_entry(stage, SG_MAP_POLICY, &key, &ports);
	ports.one.last ^= 0x8000;
	ports.count = 1;
	write_entry(stage, SG_MAP_POLICY, &key, &ports);
}

static void policy_of_nobody(const struct scene_stage *stage)
{
	struct sg_policy_key key = {.policy = 4711, .peer = SG_PEER_ANY, .proto = 6};
	struct sg_policy_ports ports = {.count = 1};

	write_entry(stage, SG_MAP_POLICY, &key, &ports);
}

/* The one rule with two ranges of ports. */
static void interval_wider(const struct scene_stage *stage)
{
	struct sg_interval interval;
	uint32_t index = 1;

	read_entry(stage, SG_MAP_INTERVALS, &index, &interval);
	assert_int_equal(interval.first, 8000);
	interval.last = 65535;
	write_entry(stage, SG_MAP_INTERVALS, &index, &interval);
}

static void rule_gone(const struct scene_stage *stage)
{
	delete_first(stage, SG_MAP_RULES);
}

static void rule_of_nobody(const struct scene_stage *stage)
{
	struct sg_rule_stats stats = {.flows = 1};
	uint32_t rule = 4711;

	write_entry(stage, SG_MAP_RULES, &rule, &stats);
}

static void peer_lost_in_the_future(const struct scene_stage *stage)
{
	uint64_t generation = 1u << 30;
	uint32_t peer = 3;

	write_entry(stage, SG_MAP_PEERGONE, &peer, &generation);
}

static void guard_gone(const struct scene_stage *stage)
{
	delete_first(stage, SG_MAP_GUARD);
}

/* May send from everywhere. */
static void guard_smuggled(const struct scene_stage *stage)
{
	struct sg_version version = {.before = SG_GUARD_ALLOWED, .after = SG_GUARD_ALLOWED};
	struct sg_guard_key key = {.prefixlen = 32, .slot = 1};

	write_entry(stage, SG_MAP_GUARD, &key, &version);
}

static void vlan_gone(const struct scene_stage *stage)
{
	delete_first(stage, SG_MAP_VLANS);
}

static void vlan_smuggled(const struct scene_stage *stage)
{
	struct sg_version version = {.before = 1, .after = 1};
	struct sg_vlan_key key = {.slot = 1, .vid = 8};

	write_entry(stage, SG_MAP_VLANS, &key, &version);
}

static void device_of_nobody(const struct scene_stage *stage)
{
	uint32_t ifindex = stage->web->ifindex, slot = 0;

	write_entry(stage, SG_MAP_IFINDEX, &ifindex, &slot);
}

static void another_device(const struct scene_stage *stage)
{
	uint32_t ifindex = stage->outside->ifindex, slot = 1;

	write_entry(stage, SG_MAP_IFINDEX, &ifindex, &slot);
}

static void another_high_device(const struct scene_stage *stage)
{
	uint32_t ifindex = SG_MAX_IFINDEX + 7, slot = 1;

	write_entry(stage, SG_MAP_IFHIGH, &ifindex, &slot);
}

static void spoil_iface(const struct scene_stage *stage, void (*spoil)(struct sg_iface *iface))
{
	struct sg_iface iface;
	uint32_t slot = 1;

	read_entry(stage, SG_MAP_IFACES, &slot, &iface);
	spoil(&iface);
	write_entry(stage, SG_MAP_IFACES, &slot, &iface);
}

static void no_ifindex(struct sg_iface *iface)
{
	iface->ifindex = 0;
}

static void no_guard(struct sg_iface *iface)
{
	iface->conf[0].flags = iface->conf[1].flags = 0;
}

static void no_policy(struct sg_iface *iface)
{
	iface->conf[0].policy = iface->conf[1].policy = 0;
}

static void never(struct sg_iface *iface)
{
	iface->since[0] = iface->since[1] = 1u << 30;
}

static void all_zero(struct sg_iface *iface)
{
	memset(iface, 0, sizeof(*iface));
}

static void interface_without_ifindex(const struct scene_stage *stage)
{
	spoil_iface(stage, no_ifindex);
}

static void interface_without_guard(const struct scene_stage *stage)
{
	spoil_iface(stage, no_guard);
}

static void interface_without_policy(const struct scene_stage *stage)
{
	spoil_iface(stage, no_policy);
}

static void interface_of_the_future(const struct scene_stage *stage)
{
	spoil_iface(stage, never);
}

static void interface_wiped(const struct scene_stage *stage)
{
	spoil_iface(stage, all_zero);
}

static void interface_smuggled(const struct scene_stage *stage)
{
	struct sg_iface iface = {.ifindex = stage->outside->ifindex, .slot = 2};
	uint32_t slot = 2;

	write_entry(stage, SG_MAP_IFACES, &slot, &iface);
}

static void flows_miscounted(const struct scene_stage *stage)
{
	struct sg_slot counters;
	uint32_t slot = 1;

	read_entry(stage, SG_MAP_SLOTS, &slot, &counters);
	counters.flows += 7;
	counters.half -= 3;
	write_entry(stage, SG_MAP_SLOTS, &slot, &counters);
}

static void half_open_table_gone(const struct scene_stage *stage)
{
	uint32_t slot = 1;

	delete_entry(stage, SG_MAP_HALF, &slot);
}

static void generation_set(const struct scene_stage *stage, uint64_t generation)
{
	struct sg_control control;
	uint32_t zero = 0;

	read_entry(stage, SG_MAP_CONTROL, &zero, &control);
	control.generation = generation;
	write_entry(stage, SG_MAP_CONTROL, &zero, &control);
}

static void generation_back(const struct scene_stage *stage)
{
	generation_set(stage, 0);
}

static void generation_ahead(const struct scene_stage *stage)
{
	struct sg_control control;
	uint32_t zero = 0;

	read_entry(stage, SG_MAP_CONTROL, &zero, &control);
	generation_set(stage, control.generation + 1000);
}

static void map_unpinned(const struct scene_stage *stage)
{
	unpin(stage, "maps", SG_MAP_MEMBERS);
}

static void map_replaced(const struct scene_stage *stage)
{
	AUTO_FD int other = open_pin(stage, "maps", SG_MAP_PREFIXES);
	g_autofree char *path = g_strdup_printf("%s/maps/%s", stage->daemon->bpffs, SG_MAP_SETS);

	assert_int_equal(unlink(path), 0);
	assert_int_equal(bpf_obj_pin(other, path), 0);
}

static void program_unpinned(const struct scene_stage *stage)
{
	unpin(stage, "progs", "sg_collect_half");
}

static void checksum_unpinned(const struct scene_stage *stage)
{
	unpin(stage, "progs", "build");
}

static void folders_removed(const struct scene_stage *stage)
{
	g_autofree char *maps = g_strdup_printf("%s/maps", stage->daemon->bpffs);
	g_autofree char *progs = g_strdup_printf("%s/progs", stage->daemon->bpffs);

	netns_remove_tree(maps);
	netns_remove_tree(progs);
}

static void link_detached(const struct scene_stage *stage)
{
	AUTO_FD int fd = open_pin(stage, "links", "1-ingress");

	assert_int_equal(bpf_link_detach(fd), 0);
}

static void xdp_link_detached(const struct scene_stage *stage)
{
	AUTO_FD int fd = open_pin(stage, "links", "1-xdp");

	assert_int_equal(bpf_link_detach(fd), 0);
}

static void link_unpinned(const struct scene_stage *stage)
{
	unpin(stage, "links", "1-xdp");
}

/* The frames to the VM are judged as if it had sent them. */
static void program_replaced(const struct scene_stage *stage)
{
	AUTO_FD int link = open_pin(stage, "links", "1-ingress");
	AUTO_FD int other = open_pin(stage, "progs", "sg_tc_egress");

	assert_int_equal(bpf_link_update(link, other, NULL), 0);
}

static const struct spoiling {
	const char *what;
	void (*spoil)(const struct scene_stage *stage);
	const char *named; /* in what verify prints */
	bool links;	   /* needs tcx */
	bool harmless;	   /* flows that there are pass meanwhile */
} spoilings[] = {
	{"a member is gone", member_gone, "member ", false, true},
	{"all members are gone", members_wiped, "member 10.0.0.8", false, true},
	{"a member too many", member_smuggled, "member 10.0.0.66", false, true},
	{"a hint of a member too many", hint_smuggled, "hint of member 10.0.0.66", false, true},
	{"a member that goes later", member_to_come, "a change to come", false, true},
	{"a member of another set", member_of_another_set, "peer 4711", false, true},
	{"a prefix is gone", prefix_gone, "prefix 203.0.113.", false, true},
	{"a prefix too many", prefix_smuggled, "prefix 0.0.0.0/0", false, true},
	{"a set is gone", set_gone, "set ", false, true},
	{"a set has one more", set_of_others, "4711", false, true},
	{"a set too many", set_smuggled, "set 4711", false, true},
	{"a policy lacks a key", policy_key_gone, "policy ", false, true},
	{"a policy allows everything", policy_key_smuggled, "peer 1, protocol 256", false, true},
	{"a policy allows other ports", policy_key_changed, "policy ", false, true},
	{"a policy of nobody", policy_of_nobody, "policy 4711", false, true},
	{"a range of ports is wider", interval_wider, "interval 1", false, true},
	{"counters of a rule are gone", rule_gone, "counters of rule", false, true},
	{"counters of no rule", rule_of_nobody, "rule 4711", false, true},
	{"a peer lost somebody in the future", peer_lost_in_the_future, "peer 3", false, true},
	{"a guard is gone", guard_gone, "interface web: guard of", false, false},
	{"a guard too many", guard_smuggled, "interface web: guard of ::/0", false, true},
	{"a vlan is gone", vlan_gone, "interface web: vlan 7", false, true},
	{"a vlan too many", vlan_smuggled, "interface web: vlan 8", false, true},
	{"its device is nobody's", device_of_nobody, "slot 1", false, false},
	{"another device is its", another_device, "slot 1", false, true},
	{"another high device is its", another_high_device, "ifindex 65543", false, true},
	{"no ifindex", interface_without_ifindex, "interface web: ifindex", false, false},
	{"no guard", interface_without_guard, "interface web: guard", false, true},
	{"no policy", interface_without_policy, "interface web: policy", false, true},
	{"not yet", interface_of_the_future, "interface web: since", false, false},
	{"a wiped interface", interface_wiped, "interface web: ifindex", false, false},
	{"an interface too many", interface_smuggled, "slot 2", false, true},
	{"flows are miscounted", flows_miscounted, "interface web: number of", false, true},
	{"no table of half-open flows", half_open_table_gone, "half-open flows", false, true},
	{"an older generation", generation_back, "generation 0", false, false},
	{"a later generation", generation_ahead, "generation", false, true},
	{"a map is not pinned", map_unpinned, "maps/sg_members", false, true},
	{"another map is pinned", map_replaced, "maps/sg_sets", false, true},
	{"a program is not pinned", program_unpinned, "progs/sg_collect_half", false, true},
	{"no checksum is pinned", checksum_unpinned, "progs/build", false, true},
	{"nothing is pinned", folders_removed, "maps/sg_members", false, true},
	{"the link to the VM is detached", link_detached, "interface web: tcx egress", true, false},
	{"the XDP link is detached", xdp_link_detached, "interface web: xdp", true, false},
	{"the XDP link is not pinned", link_unpinned, "interface web: xdp", true, false},
	{"another program runs", program_replaced, "interface web: tcx egress", true, false},
};

/* ------------------------------------------------------------------ tests */

/* Every ten seconds rulesd looks by itself whether the programs run, and puts them back; how often
 * it has found that they do not. */
static unsigned int put_back(const struct scene_stage *stage)
{
	g_autofree char *log = daemon_log(stage->daemon);
	unsigned int count = 0;

	for (const char *at = log; (at = strstr(at, "were removed by somebody else")); at++)
		count++;
	return count;
}

static bool is_named(const struct command *found, const struct spoiling *spoiling)
{
	return found->status == 1 && strstr(found->out, spoiling->named);
}

static bool was_repaired(const struct command *done)
{
	return done->status == 0 && strstr(done->out, "yes");
}

/* false: rulesd has come before verify. */
static bool name_and_repair(const struct scene_stage *stage, const struct spoiling *spoiling)
{
	unsigned int before = put_back(stage);
	AUTO_COMMAND struct command found = {0};
	AUTO_COMMAND struct command done = {0};

	spoiling->spoil(stage);
	found = sgctl_run(stage->daemon, "verify", NULL);
	done = sgctl_run(stage->daemon, "verify", "--repair", NULL);
	if (is_named(&found, spoiling) && was_repaired(&done))
		return true;
	if (put_back(stage) == before)
		fail_msg("%s: sgctl verify: exit %d: %s%s; --repair: exit %d: %s%s", spoiling->what,
			 found.status, found.out, found.err, done.status, done.out, done.err);
	return false;
}

static void check_clean(const struct scene_stage *stage, const char *what)
{
	AUTO_COMMAND struct command found = sgctl_run(stage->daemon, "verify", NULL);

	if (found.status != 0 || !strstr(found.out, "no difference"))
		fail_msg("%s: sgctl verify: exit %d: %s%s", what, found.status, found.out,
			 found.err);
}

static void repair(const struct scene_stage *stage, const char *what)
{
	AUTO_COMMAND struct command done = sgctl_run(stage->daemon, "verify", "--repair", NULL);

	if (!was_repaired(&done))
		fail_msg("%s: sgctl verify --repair: exit %d: %s%s", what, done.status, done.out,
			 done.err);
}

static void check_filtering(struct scene_stage *stage, const char *what)
{
	if (!scene_exchange(&stage->connection))
		fail_msg("%s: repaired, and a live flow is cut", what);
	assert_passes(stage->outside, stage->web, "tcp 10.0.0.9:4001 > 10.0.0.5:443 S");
	assert_passes(stage->outside, stage->web, "tcp 203.0.113.9:4001 > 10.0.0.5:443 S");
	assert_drops(stage->outside, stage->web, "tcp 10.0.0.66:4001 > 10.0.0.5:443 S");
	assert_drops(stage->outside, stage->web, "tcp 10.0.0.9:4001 > 10.0.0.5:444 S");
	assert_drops(stage->outside, stage->web, "tcp 10.0.0.9:4001 > 10.0.0.5:9000 S");
	assert_drops(stage->outside, stage->web, "tcp 203.0.114.9:4001 > 10.0.0.5:443 S");
	assert_drops(stage->web, stage->outside, "udp 10.9.0.5:4001 > 10.0.0.9:53");
	assert_drops(stage->web, stage->outside, "udp 10.0.0.5:4001 > 10.0.0.9:53 smac=6");
}

static void nothing_differs_of_what_rulesd_has_done(void **state)
{
	struct scene_stage stage = open_stage();

	(void)state;
	check_clean(&stage, "after apply");
	check_filtering(&stage, "nothing");
	check_clean(&stage, "with flows");
	daemon_kill(stage.daemon);
	daemon_restart(stage.daemon, by_hand);
	check_clean(&stage, "adopted");
	daemon_apply(stage.daemon, "{ \"version\": 1 }");
	check_clean(&stage, "without a policy");
}

static void whatever_is_spoiled_is_named_and_repaired(void **state)
{
	struct scene_stage stage = open_stage();

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(spoilings); i++) {
		const struct spoiling *spoiling = &spoilings[i];

		if (spoiling->links && !daemon_has_tcx(stage.daemon))
			continue;
		while (!name_and_repair(&stage, spoiling))
			print_message("  %s: rulesd came first\n", spoiling->what);
		check_clean(&stage, spoiling->what);
		check_filtering(&stage, spoiling->what);
	}
}

static void flows_that_something_wrong_let_in_end(void **state)
{
	struct scene_stage stage = open_stage();
	struct scene_connection bad = stage.connection;

	(void)state;
	member_smuggled(&stage);
	bad.client_address = "10.0.0.66";
	scene_connect(&bad);
	assert_true(scene_exchange(&bad));
	repair(&stage, "a member too many");
	assert_true(scene_is_cut(&bad));
	check_filtering(&stage, "a member too many");
}

/* A table of flows that somebody took away: they are gone, and new ones pass again. */
static void a_table_of_flows_that_was_taken_away_comes_back_with_them(void **state)
{
	struct scene_stage stage = open_stage();
	uint32_t shard = 0;

	(void)state;
	delete_entry(&stage, SG_MAP_FLOWS, &shard);
	assert_true(scene_is_cut(&stage.connection));
	repair(&stage, "the table of flows");
	check_clean(&stage, "the table of flows");
	assert_true(scene_exchange(&stage.connection));
	stage.connection.client_port++;
	scene_connect(&stage.connection);
	assert_true(scene_exchange(&stage.connection));
}

static unsigned int strangers;

static void count_stranger(const struct frame *frame, void *arg)
{
	(void)frame;
	(void)arg;
	strangers++;
}

static void repairs_under_traffic_lose_nothing(void **state)
{
	struct scene_stage stage = open_stage();
	const struct crowd_options options = {
		.vm = {stage.web, "10.0.0.5", "fd00::5"},
		.peer = {stage.outside, "10.0.0.9", "fd00::9"},
		.count = CONNECTIONS,
		.udp = CONNECTIONS / 4,
		.port = 443,
		.cpu_vm = -1,
		.cpu_peer = -1,
		.other = count_stranger,
	};
	struct crowd *crowd;
	struct crowd_count count;

	(void)state;
	crowd = crowd_new(&options);
	crowd_start(crowd);
	for (size_t i = 0; i < G_N_ELEMENTS(spoilings); i++) {
		if (!spoilings[i].harmless)
			continue;
		/* A repair has every flow judged again, at its next packet: not by what is spoiled
		 * next. */
		crowd_wait_round(crowd);
		spoilings[i].spoil(&stage);
		repair(&stage, spoilings[i].what);
		check_clean(&stage, spoilings[i].what);
	}
	crowd_stop(crowd);
	count = crowd_count(crowd);
	print_message("  repaired during %" PRIu64 " frames to the VM and %" PRIu64 " from it\n",
		      count.to_vm_sent, count.from_vm_sent);
	assert_int_equal(count.to_vm_seen, count.to_vm_sent);
	assert_int_equal(count.from_vm_seen, count.from_vm_sent);
	assert_int_equal(count.gaps, 0);
	assert_int_equal(count.idle, 0);
	assert_int_equal(strangers, 0);
}

static int teardown(void **state)
{
	crowd_delete_all();
	return scene_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, scene_setup, teardown)
		T(nothing_differs_of_what_rulesd_has_done),
		T(whatever_is_spoiled_is_named_and_repaired),
		T(flows_that_something_wrong_let_in_end),
		T(a_table_of_flows_that_was_taken_away_comes_back_with_them),
		T(repairs_under_traffic_lose_nothing),
#undef T
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
