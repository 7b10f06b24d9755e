/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenarios.c - see scenarios.h. Long because of their number: each is a few lines.
 */
#include "tests/kill/scenarios.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <glib.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/abi.h"
#include "rulesd/cleanup.h"
#include "tests/kill/tracer.h"
#include "tests/kill/traffic.h"
#include "tests/kill/world.h"
#include "tests/lib/check.h"
#include "tests/lib/command.h"
#include "tests/lib/http.h"
#include "tests/lib/netns.h"

#define HANDFUL	    2	 /* rounds of traffic that show that all is as it was */
#define PATIENCE_MS 2000 /* of what was refused and may be tried again */

/* Both allow the connection. In the second one 8080 is open too, and a third tap is shut. */
#define POLICY_OF(id, ports, more)                                                                 \
	"{ \"version\": 1, \"groups\": { \"sg-web\": { \"ingress\": [ { \"id\": \"https\", "       \
	"\"protocol\": \"tcp\", \"ports\": [" ports "], \"from\": [\"any\"] }, "                   \
	"{ \"id\": \"ping\", \"protocol\": \"icmp\", \"from\": [\"sg-friends\"] } ], "             \
	"\"egress\": [] }, "                                                                       \
	"\"sg-friends\": {}, \"sg-shut\": { \"egress\": [] } }, "                                  \
	"\"interfaces\": { \"friend\": { \"addresses\": [\"10.0.0.9\"], \"groups\": "              \
	"[\"sg-friends\"] }, \"" id "\": { \"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\", " \
	"\"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-web\"] }" more " } }"
#define SHUT                                                                                    \
	", \"shut\": { \"device\": \"tap2\", \"addresses\": [\"10.0.0.7\"], \"groups\": [\"sg-" \
	"shut\"] }"

#define POLICY(ports, more) POLICY_OF("web", ports, more)

static const char old_policy[] = POLICY("443, 22", "");
static const char new_policy[] = POLICY("443, 8080", SHUT);
static const char other_id[] = POLICY_OF("www", "443, 8080", "");
static const char patch[] =
	"{ \"version\": 1, \"interfaces\": { \"friend\": null, \"other\": { \"addresses\": "
	"[\"10.0.0.11\"], \"groups\": [\"sg-friends\"] } } }";
/* Two ids of one group, each with the address of its device. */
#define ON(id, device, address)                                                        \
	"\"" id "\": { \"device\": \"" device "\", \"addresses\": [\"" address "\"], " \
	"\"groups\": [\"sg-web\"] }"
#define TWO(first, second)                                                                       \
	"{ \"version\": 1, \"groups\": { \"sg-web\": { \"ingress\": [ { \"id\": \"https\", "     \
	"\"protocol\": \"tcp\", \"ports\": [443], \"from\": [\"any\"] } ], \"egress\": [] } }, " \
	"\"interfaces\": { " ON(first, "tap0", "10.0.0.5") ", " ON(second, "tap2",               \
								   "10.0.0.7") " } }"
static const char two[] = TWO("web", "spare");
static const char two_swapped[] = TWO("spare", "web");
static const char by_hand_open[] =
	"{ \"device\": \"tap2\", \"addresses\": [\"10.0.0.7\"], \"groups\": [\"sg-friends\"] }";
static const char by_hand[] =
	"{ \"device\": \"tap2\", \"addresses\": [\"10.0.0.7\"], \"groups\": [\"sg-shut\"] }";

static void remove_guard(struct world *world);

void scenario_to_old(struct world *world)
{
	if (world->options)
		remove_guard(world);
	world_call(world, "DELETE", "/v1/interfaces/hand", NULL);
	world_call(world, "POST", "/v1/confirm", NULL);
	world_must(world, "PUT", "/v1/policy", old_policy);
}

static void to_new(struct world *world)
{
	scenario_to_old(world);
	world_must(world, "PUT", "/v1/policy", new_policy);
}

static void to_attached(struct world *world)
{
	scenario_to_old(world);
	world_must(world, "PUT", "/v1/interfaces/hand", by_hand);
}

/* A patch of this many bytes, of which two are more than a journal may have. */
#define LARGE_BYTES (600u << 10)

static char *large_patch(char mark)
{
	g_autofree char *note = g_strnfill(LARGE_BYTES, mark);

	return g_strdup_printf("{ \"version\": 1, \"groups\": { \"sg-friends\": { \"x-note\": "
			       "\"%s\" } }, \"interfaces\": { \"friend-%c\": { \"addresses\": "
			       "[\"10.0.0.%u\"], \"groups\": [\"sg-friends\"] } } }",
			       note, mark, mark);
}

/* With an interface by hand and a large journal. */
static void to_long_journal(struct world *world)
{
	g_autofree char *large = large_patch('a');

	to_attached(world);
	world_must(world, "PATCH", "/v1/policy", large);
}

static void to_flows(struct world *world)
{
	scenario_to_old(world);
	for (unsigned int i = 0; i < 20; i++) {
		g_autofree char *text =
			g_strdup_printf("tcp 10.0.0.9:%u > 10.0.0.5:22 S", 6000 + i);

		traffic_asks(world->traffic, world->outside, world->web, text, true);
	}
}

static void to_end(struct world *world)
{
	to_attached(world);
	tracer_kill(world->tracer);
	unlink(world->socket);
}

/* As if another build had pinned the programs: they are loaded anew and replaced on the taps. */
static void to_other_build(struct world *world)
{
	g_autofree char *build = g_strdup_printf("%s/progs/build", world->bpffs);

	to_end(world);
	unlink(build);
}

static void to_nothing(struct world *world)
{
	if (world->options)
		remove_guard(world);
	traffic_pause(world->traffic);
	world_flush(world);
	world_forget_state(world);
}

/* What an older rulesd has pinned and saved, with the connection in its table. */
static void to_older(struct world *world)
{
	to_nothing(world);
	world->rulesd = world->older;
	world_must_start(world);
	world_must(world, "PUT", "/v1/policy", old_policy);
	world_must(world, "PUT", "/v1/interfaces/hand", by_hand);
	traffic_reconnect(world->traffic);
	traffic_rounds(world->traffic, HANDFUL);
	tracer_kill(world->tracer);
	unlink(world->socket);
	world->rulesd = RULESD;
	traffic_rounds(world->traffic, HANDFUL);
	traffic_fault(world->traffic);
}

/* What went wrong once must not go wrong in all that follows. */
void scenario_begin_anew(struct world *world)
{
	traffic_pause(world->traffic);
	world_flush(world);
	world_forget_state(world);
	world->options = NULL;
	world_must_start(world);
	world_must(world, "PUT", "/v1/policy", old_policy);
	traffic_reconnect(world->traffic);
	traffic_fault(world->traffic);
}

static long put(struct world *world)
{
	return world_call(world, "PUT", "/v1/policy", new_policy);
}

static long put_other_id(struct world *world)
{
	return world_call(world, "PUT", "/v1/policy", other_id);
}

static long patch_it(struct world *world)
{
	return world_call(world, "PATCH", "/v1/policy", patch);
}

/* The highest number of a file in policies/ that ends so. */
static unsigned long newest(struct world *world, const char *suffix)
{
	g_autofree char *policies = g_build_filename(world->state_dir, "policies", NULL);
	g_autoptr(GDir) dir = g_dir_open(policies, 0, NULL);
	unsigned long highest = 0;
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, suffix))
			highest = MAX(highest, strtoul(name, NULL, 10));
	return highest;
}

/* A patch, and what rulesd does with the journal after it has answered. */
static long compact(struct world *world)
{
	g_autofree char *large = large_patch('b');
	unsigned long before = newest(world, ".journal");
	long status = world_call(world, "PATCH", "/v1/policy", large);

	for (int waited = 0; waited < 10000 && tracer_runs(world->tracer) && !world->tracer->hit &&
			     newest(world, ".journal") == before;
	     waited++)
		g_usleep(1000);
	if (tracer_runs(world->tracer) && !world->tracer->hit &&
	    newest(world, ".journal") == before)
		fail_msg("%s: the journal is never compacted", world->scenario);
	/* What it does next, such as removing the old ones, or giving up. */
	g_usleep(50000);
	return status;
}

static long attach(struct world *world)
{
	return world_call(world, "PUT", "/v1/interfaces/hand", by_hand);
}

static long detach(struct world *world)
{
	return world_call(world, "DELETE", "/v1/interfaces/hand", NULL);
}

static long roll_back(struct world *world)
{
	return world_call(world, "POST", "/v1/rollback", NULL);
}

static long confirm(struct world *world)
{
	long status = world_call(world, "PUT", "/v1/policy?confirm=1000", new_policy);

	return status == 200 ? world_call(world, "POST", "/v1/confirm", NULL) : status;
}

static long flush_flows(struct world *world)
{
	return world_call(world, "DELETE", "/v1/flows?interface=web&dport=22", NULL);
}

/* Half-open flows time out; two passes of the collector, which come once a second. */
static long collect(struct world *world)
{
	unsigned int before = world->tracer->count;

	for (int waited = 0; waited < 3000 && tracer_runs(world->tracer) && !world->tracer->hit &&
			     world->tracer->count < before + 8;
	     waited++)
		g_usleep(1000);
	return 0;
}

static void to_trial(struct world *world)
{
	scenario_to_old(world);
	world_must(world, "PUT", "/v1/policy?confirm=1000", new_policy);
}

/* Two on the same devices, with the same rules. */
static void to_two(struct world *world)
{
	scenario_to_old(world);
	world_must(world, "PUT", "/v1/policy", two);
}

/* Each id has the device of the other one from now on. */
static long swap(struct world *world)
{
	return world_call(world, "PUT", "/v1/policy", two_swapped);
}

/* ------------------------------------------------------------------ what was spoiled */

static void wipe(struct world *world, const char *map)
{
	g_autofree char *path = g_strdup_printf("%s/maps/%s", world->bpffs, map);
	AUTO_FD int fd = bpf_obj_get(path);
	uint8_t key[64];

	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	while (!bpf_map_get_next_key(fd, NULL, key))
		if (bpf_map_delete_elem(fd, key))
			fail_msg("%s: delete: %s", path, strerror(errno));
}

static void to_spoiled(struct world *world)
{
	scenario_to_old(world);
	wipe(world, SG_MAP_MEMBERS);
	wipe(world, SG_MAP_POLICY);
	wipe(world, SG_MAP_SETS);
}

/* With repairs. */
static long verify(struct world *world)
{
	long status = world_call(world, "POST", "/v1/verify", NULL);

	/* While it verifies by itself, or the policy changes. */
	for (int again = 0; status == 409 && again < 100; again++) {
		g_usleep(20000);
		status = world_call(world, "POST", "/v1/verify", NULL);
	}
	return status;
}

/* ------------------------------------------------------------------ a policy directory */

static void write_policy(struct world *world, const char *which, const char *text)
{
	g_autofree char *folder = g_strdup_printf("%s.%s", world->policy_dir, which);
	g_autofree char *path = g_strdup_printf("%s/policy.json", folder);

	if (g_mkdir_with_parents(folder, 0700) || !g_file_set_contents(path, text, -1, NULL))
		fail_msg("%s: %s", path, strerror(errno));
}

/* As git and Kubernetes do. */
static void point_at(struct world *world, const char *which)
{
	g_autofree char *folder = g_strdup_printf("%s.%s", world->policy_dir, which);
	g_autofree char *next = g_strdup_printf("%s.next", world->policy_dir);

	unlink(next);
	if (symlink(folder, next) || rename(next, world->policy_dir))
		fail_msg("%s: %s", world->policy_dir, strerror(errno));
}

static void restart_with(struct world *world, const char *const *options)
{
	tracer_kill(world->tracer);
	world->options = options;
	world_must_start(world);
}

static void to_policy_dir(struct world *world)
{
	static const char *options[] = {"--policy-dir", NULL, NULL};

	scenario_to_old(world);
	options[1] = world->policy_dir;
	write_policy(world, "old", old_policy);
	write_policy(world, "new", new_policy);
	point_at(world, "old");
	restart_with(world, options);
}

/* Of the status; -1 when nobody answers any more. */
static json_int_t number_of(struct world *world, const char *object, const char *name)
{
	AUTO_HTTP struct http_answer answer =
		http_request(world->socket, "GET", "/v1/status", NULL, NULL);
	const json_t *from = object ? json_object_get(answer.json, object) : answer.json;

	return json_is_object(from) ? json_integer_value(json_object_get(from, name)) : -1;
}

/*
 * Waits until a number of the status has changed; where a call was made to fail, for as long as it
 * takes to be sure that it was given up. 200 or 0.
 */
static long wait_for_change(struct world *world, const char *object, const char *name,
			    json_int_t before)
{
	for (int waited = 0, after = 0; waited < 60000 && after < PATIENCE_MS; waited += 10) {
		json_int_t now = number_of(world, object, name);

		if (!tracer_runs(world->tracer) ||
		    (world->tracer->hit && world->tracer->action == TRACER_KILL))
			return 0;
		if (now >= 0 && now != before)
			return 200;
		after += world->tracer->hit ? 10 : 0;
		g_usleep(10000);
	}
	if (!world->tracer->hit)
		fail_msg("%s: nothing is noticed", world->scenario);
	return 0;
}

static long swap_link(struct world *world)
{
	json_int_t before = number_of(world, NULL, "generation");

	point_at(world, "new");
	return wait_for_change(world, NULL, "generation", before);
}

/* ------------------------------------------------------------------ a second one */

struct second {
	struct world *world;
	bool stop;   /* atomic */
	char *wrong; /* what it said */
};

/* One that begins with what another one has: while that one lives it must end by itself. */
static gpointer begin_second(gpointer arg)
{
	struct second *second = arg;
	struct world *world = second->world;
	g_autofree char *state = g_strdup(world->state_dir);
	const char *const argv[] = {"timeout", "-s",	   "KILL",	  "2",
				    RULESD,    "--socket", world->socket, "--state-dir",
				    state,     "--bpffs",  world->bpffs,  NULL};

	do {
		bool lived = tracer_runs(world->tracer) && !world->tracer->hit;
		AUTO_COMMAND struct command command = command_run(argv);
		bool lives = tracer_runs(world->tracer) && !world->tracer->hit;

		/* One that was ended before it said anything was slow. */
		if (!second->wrong && lived && lives &&
		    (strstr(command.err, "ready:") ||
		     (command.status < 128 && !strstr(command.err, "another rulesd"))))
			second->wrong = g_strdup_printf("exit %d: %s", command.status, command.err);
	} while (!__atomic_load_n(&second->stop, __ATOMIC_ACQUIRE) && tracer_runs(world->tracer) &&
		 !world->tracer->hit);
	return NULL;
}

static long put_beside_second(struct world *world)
{
	struct second second = {.world = world};
	GThread *thread = g_thread_new("second", begin_second, &second);
	long status;

	g_usleep((gulong)g_random_int_range(0, 20000));
	status = put(world);
	__atomic_store_n(&second.stop, true, __ATOMIC_RELEASE);
	g_thread_join(thread);
	if (second.wrong)
		fail_msg("%s: a second rulesd runs beside the first: %s", world->scenario,
			 second.wrong);
	return status;
}

/* ------------------------------------------------------------------ the guard */

/* The connection's tap, which is filtered, and one that is not. */
static const char *const guarded[] = {"--guard", "tap0", "--guard", "tap2", NULL};
static const char *const guard_shared[] = {"--guard", "tap0",		"--guard",
					   "tap2",    "--guard-shared", NULL};

/* With the table of a rulesd that has ended, which belongs to nobody. */
static void remove_guard(struct world *world)
{
	tracer_kill(world->tracer);
	command_check("nft", "flush", "ruleset", NULL);
	command_check("ip", "link", "set", "tap0", "group", "default", NULL);
	command_check("ip", "link", "set", "tap2", "group", "default", NULL);
	world->options = NULL;
	world_must_start(world);
}

static void to_guarded(struct world *world)
{
	scenario_to_old(world);
	restart_with(world, guarded);
}

static void to_guarded_attached(struct world *world)
{
	to_guarded(world);
	world_must(world, "PUT", "/v1/interfaces/hand", by_hand_open);
}

static void to_guard_shared(struct world *world)
{
	scenario_to_old(world);
	restart_with(world, guard_shared);
}

static void to_unguarded(struct world *world)
{
	scenario_to_old(world);
	tracer_kill(world->tracer);
	unlink(world->socket);
	world->options = guarded;
}

static long attach_open(struct world *world)
{
	return world_call(world, "PUT", "/v1/interfaces/hand", by_hand_open);
}

/* A filtered tap leaves the group of those that may pass, by somebody's hand. */
static long spoil_group(struct world *world)
{
	json_int_t before = number_of(world, "guard", "group_repairs");

	command_check("ip", "link", "set", "tap2", "group", "default", NULL);
	return wait_for_change(world, "guard", "group_repairs", before);
}

static long remove_table(struct world *world)
{
	json_int_t before = number_of(world, "guard", "repairs");

	command_check("nft", "flush", "ruleset", NULL);
	return wait_for_change(world, "guard", "repairs", before);
}

/* ------------------------------------------------------------------ starts and ends */

/* Nobody may say what arrives meanwhile. */
static void to_end_of_all(struct world *world)
{
	to_end(world);
	traffic_pause(world->traffic);
}

/* rulesd --flush, as purging the package runs it. */
static long flush(struct world *world)
{
	static const char *const options[] = {"--flush", NULL};

	world->options = options;
	world_start(world, true);
	world->options = NULL;
	while (tracer_runs(world->tracer))
		g_usleep(1000);
	tracer_wait(world->tracer);
	return 0;
}

static long begin(struct world *world)
{
	world_start(world, true);
	return world_wait_ready(world) ? 200 : 0;
}

/* ------------------------------------------------------------------ all of them */

const struct scenario scenarios[] = {
	{.name = "apply", .prepare = scenario_to_old, .act = put},
	{.name = "other-id", .prepare = scenario_to_old, .act = put_other_id},
	{.name = "swap", .prepare = to_two, .act = swap},
	{.name = "patch", .prepare = scenario_to_old, .act = patch_it},
	{.name = "compact", .prepare = to_long_journal, .act = compact},
	{.name = "attach", .prepare = scenario_to_old, .act = attach},
	{.name = "detach", .prepare = to_attached, .act = detach},
	{.name = "rollback", .prepare = to_new, .act = roll_back},
	{.name = "confirm", .prepare = scenario_to_old, .act = confirm, .between = to_trial},
	{.name = "flush-flows", .prepare = to_flows, .act = flush_flows},
	{.name = "collect", .prepare = to_flows, .act = collect},
	{.name = "verify", .prepare = to_spoiled, .act = verify, .spoiled = true},
	{.name = "policy-dir", .prepare = to_policy_dir, .act = swap_link, .rereads = true},
	{.name = "second", .prepare = scenario_to_old, .act = put_beside_second},
	{.name = "guard-attach", .prepare = to_guarded, .act = attach_open},
	{.name = "guard-detach", .prepare = to_guarded_attached, .act = detach},
	{.name = "guard-group", .prepare = to_guarded_attached, .act = spoil_group},
	{.name = "guard-table", .prepare = to_guard_shared, .act = remove_table},
	{.name = "guard", .prepare = to_unguarded, .act = begin, .starts = true},
	{.name = "restart", .prepare = to_end, .act = begin, .starts = true},
	{.name = "upgrade", .prepare = to_other_build, .act = begin, .starts = true},
	{.name = "migrate", .prepare = to_older, .act = begin, .starts = true, .older = true},
	{.name = "first-start", .prepare = to_nothing, .act = begin, .starts = true, .bare = true},
	{.name = "flush", .prepare = to_end_of_all, .act = flush, .starts = true, .bare = true},
};
const unsigned int scenarios_count = G_N_ELEMENTS(scenarios);

/* ------------------------------------------------------------------ at random times */

static long patch_a(struct world *world)
{
	g_autofree char *large = large_patch('a');

	return world_call(world, "PATCH", "/v1/policy", large);
}

static long patch_b(struct world *world)
{
	g_autofree char *large = large_patch('b');

	return world_call(world, "PATCH", "/v1/policy", large);
}

void *scenario_change_all(void *arg)
{
	struct world *world = arg;

	for (unsigned int i = 0; tracer_runs(world->tracer); i++) {
		static long (*const acts[])(struct world *) = {
			put,	 attach, patch_it, patch_a,   patch_b, flush_flows,
			patch_a, detach, patch_b,  roll_back, confirm};

		acts[i % G_N_ELEMENTS(acts)](world);
	}
	return NULL;
}
