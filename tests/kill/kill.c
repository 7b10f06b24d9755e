/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kill.c - rulesd dies, or is refused, at every system call that changes the kernel or the disk,
 * while connections live on the taps that it filters.
 *
 * For each scenario (a change, a start) a first run counts its calls. Then it is run again and
 * again, and the Nth call is rulesd's last one, or fails with one error after the other. Each time:
 * no forbidden frame arrives and no frame of the connection is lost, also while nothing runs; what
 * holds afterwards, and after a restart, is what held before or what was asked for, also to
 * packets; the flows are there; kernel and rulesd agree (GET /v1/verify).
 *
 *   .build/tests/kill/kill [--points N] [--random N] [--seed N] [--older PATH] [--part I/N]
 *                          [SCENARIO...]
 *
 * --older PATH: another rulesd, of an older version, whose pins and state this one takes over in
 * the scenario "migrate". --points N: of each scenario and way at most N calls, spread over all of
 * them; 0 (the default): every one. --part I/N: of N processes that share the points this one is I,
 * from 0 (tests/kill/run). --random N: kills at random times.
 *
 * Long because scenarios, points and what is judged about each share one stage.
 */
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/kill/tracer.h"
#include "tests/kill/traffic.h"
#include "tests/lib/check.h"
#include "tests/lib/command.h"
#include "tests/lib/http.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

#define RULESD	 ".build/rulesd"
#define READY_MS 60000
#define HANDFUL	 2 /* rounds of traffic that show that all is as it was */

/* ------------------------------------------------------------------ the stage */

struct world {
	struct tap *outside, *web, *third;
	char *socket, *state_dir, *bpffs, *log;
	struct tracer *tracer;
	struct traffic *traffic;
	unsigned int passed, failed;
	const char *scenario; /* that runs */
	const char *rulesd, *older;
	unsigned int part, parts;
};

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
static const char by_hand[] =
	"{ \"device\": \"tap2\", \"addresses\": [\"10.0.0.7\"], \"groups\": [\"sg-shut\"] }";

/* What tells one policy from another, to a packet. */
static const struct {
	const char *name, *text;
	bool from_third; /* tap2 sends to the outside, else the outside to the VM */
} probes[] = {
	{"22", "tcp 10.0.0.9:5000 > 10.0.0.5:22 S", false},
	{"8080", "tcp 10.0.0.9:5000 > 10.0.0.5:8080 S", false},
	{"ping", "icmp 10.0.0.9 > 10.0.0.5 type=8 id=7", false},
	{"other", "icmp 10.0.0.11 > 10.0.0.5 type=8 id=8", false},
	{"third", "udp 10.0.0.7:1 > 10.0.0.9:2", true},
};

static void start(struct world *world, bool armed)
{
	const char *const argv[] = {world->rulesd,    "--socket", world->socket, "--state-dir",
				    world->state_dir, "--bpffs",  world->bpffs,	 NULL};

	if (!armed)
		tracer_disarm(world->tracer);
	tracer_start(world->tracer, argv, world->log);
}

/* Whether it answers; false when it ended before. */
static bool wait_ready(struct world *world)
{
	for (int waited = 0; waited < READY_MS; waited++) {
		if (world->tracer->pid < 0) {
			tracer_wait(world->tracer);
			return false;
		}
		if (world->tracer->pid > 0 && access(world->socket, F_OK) == 0) {
			AUTO_HTTP struct http_answer answer =
				http_request(world->socket, "GET", "/v1/status", NULL, NULL);

			if (answer.status == 200)
				return true;
		}
		g_usleep(1000);
	}
	fail_msg("%s: rulesd is never ready", world->scenario);
	return false;
}

static void must_start(struct world *world)
{
	unlink(world->socket);
	start(world, false);
	if (!wait_ready(world)) {
		g_autofree char *log = NULL;

		g_file_get_contents(world->log, &log, NULL, NULL);
		fail_msg("%s: rulesd does not start again:\n%s", world->scenario,
			 log && strlen(log) > 700 ? log + strlen(log) - 700 : log);
	}
}

static void flush(struct world *world)
{
	const char *const argv[] = {RULESD,	   "--flush",	  "--socket",
				    world->socket, "--state-dir", world->state_dir,
				    "--bpffs",	   world->bpffs,  NULL};
	AUTO_COMMAND struct command command = {0};

	tracer_kill(world->tracer);
	command = command_run(argv);
	if (command.status)
		fail_msg("rulesd --flush: %s", command.err);
}

static void forget_state(struct world *world)
{
	netns_remove_tree(world->state_dir);
	unlink(world->socket);
}

static long call(struct world *world, const char *method, const char *path, const char *body)
{
	AUTO_HTTP struct http_answer answer = http_request(world->socket, method, path, body, NULL);

	return answer.status;
}

static void must(struct world *world, const char *method, const char *path, const char *body)
{
	AUTO_HTTP struct http_answer answer = http_request(world->socket, method, path, body, NULL);

	if (answer.status < 200 || answer.status > 299)
		fail_msg("%s: %s %s: %ld %s", world->scenario, method, path, answer.status,
			 answer.text ? answer.text : "");
}

/* ------------------------------------------------------------------ what holds */

static json_t *get(struct world *world, const char *path)
{
	AUTO_HTTP struct http_answer answer = http_request(world->socket, "GET", path, NULL, NULL);

	if (answer.status != 200 || !answer.json) {
		g_autofree char *log = NULL;

		g_file_get_contents(world->log, &log, NULL, NULL);
		fail_msg("%s: GET %s: %ld; the log:\n%s", world->scenario, path, answer.status,
			 log && strlen(log) > 800 ? log + strlen(log) - 800 : log);
	}
	return json_incref(answer.json);
}

static int compare_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* With the digest of the policy, which takes a while when it is large. */
static json_t *status_of(struct world *world)
{
	for (int waited = 0; waited < READY_MS; waited += 20) {
		json_t *status = get(world, "/v1/status");

		if (json_is_string(json_object_get(status, "policy_sha256")) ||
		    strcmp(json_string_value(json_object_get(status, "source")), "none") == 0)
			return status;
		json_decref(status);
		g_usleep(20000);
	}
	fail_msg("%s: the policy never has a digest", world->scenario);
	return NULL;
}

/* Policy and interfaces as rulesd tells, and as packets find them: one line. */
static char *holds(struct world *world)
{
	AUTO_JSON json_t *status = status_of(world);
	AUTO_JSON json_t *interfaces = get(world, "/v1/interfaces");
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	GString *text = g_string_new(NULL);
	const char *sha = json_string_value(json_object_get(status, "policy_sha256"));
	json_t *one;
	size_t i;

	g_string_append_printf(text, "%.8s%s%s", sha ? sha : "none",
			       json_is_null(json_object_get(status, "on_trial")) ? "" : " trial",
			       json_is_null(json_object_get(status, "state_error")) ? ""
										    : " DAMAGED");
	json_array_foreach (interfaces, i, one)
		g_ptr_array_add(names,
				g_strdup_printf(" %s=%s",
						json_string_value(json_object_get(one, "id")),
						json_string_value(json_object_get(one, "state"))));
	g_ptr_array_sort(names, compare_text);
	for (i = 0; i < names->len; i++)
		g_string_append(text, names->pdata[i]);
	for (i = 0; i < G_N_ELEMENTS(probes); i++) {
		const struct tap *from = probes[i].from_third ? world->third : world->outside;
		const struct tap *to = probes[i].from_third ? world->outside : world->web;
		bool arrived = false;

		/* A busy machine may be late with one that passes, never with one that does not. */
		for (int again = 0; !arrived && again < 3; again++)
			arrived = traffic_asks(world->traffic, from, to, probes[i].text, false);
		g_string_append_printf(text, " %s%s", arrived ? "+" : "-", probes[i].name);
	}
	return g_string_free(text, FALSE);
}

/* The connection is in the table, with its rule. */
static bool has_connection(struct world *world)
{
	AUTO_JSON json_t *flows = get(world, "/v1/flows?protocol=tcp&dport=443");
	json_t *list = json_is_array(flows) ? flows : json_object_get(flows, "flows");
	unsigned int found = 0;
	json_t *one;
	size_t i;

	json_array_foreach (list, i, one)
		found += json_integer_value(json_object_get(one, "sport")) == 4000 &&
			 json_integer_value(json_object_get(one, "dport")) == 443 &&
			 g_strcmp0(json_string_value(json_object_get(one, "rule")),
				   "sg-web/https") == 0;
	return found == 1;
}

static char *differences(struct world *world)
{
	for (int again = 0; again < 50; again++) {
		AUTO_HTTP struct http_answer answer =
			http_request(world->socket, "GET", "/v1/verify", NULL, NULL);

		if (answer.status == 409) {
			g_usleep(20000);
			continue;
		}
		if (answer.status != 200 ||
		    json_integer_value(json_object_get(answer.json, "found")) != 0)
			return g_strdup(answer.text ? answer.text : "no answer");
		return NULL;
	}
	return g_strdup("never verified");
}

/* ------------------------------------------------------------------ scenarios */

struct scenario {
	const char *name;
	void (*prepare)(struct world *world); /* to what holds before; may find anything */
	long (*act)(struct world *world);     /* the change; an HTTP status, or 0 */
	bool starts;			      /* the change is a start */
	bool bare;			      /* nothing is filtered before */
};

static void to_old(struct world *world)
{
	call(world, "DELETE", "/v1/interfaces/hand", NULL);
	call(world, "POST", "/v1/confirm", NULL);
	must(world, "PUT", "/v1/policy", old_policy);
}

static void to_new(struct world *world)
{
	to_old(world);
	must(world, "PUT", "/v1/policy", new_policy);
}

static void to_attached(struct world *world)
{
	to_old(world);
	must(world, "PUT", "/v1/interfaces/hand", by_hand);
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
	must(world, "PATCH", "/v1/policy", large);
}

static void to_flows(struct world *world)
{
	to_old(world);
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

/* What an older rulesd has pinned and saved, with the connection in its table. */
static void to_older(struct world *world)
{
	flush(world);
	forget_state(world);
	world->rulesd = world->older;
	must_start(world);
	must(world, "PUT", "/v1/policy", old_policy);
	must(world, "PUT", "/v1/interfaces/hand", by_hand);
	traffic_reconnect(world->traffic);
	traffic_rounds(world->traffic, HANDFUL);
	tracer_kill(world->tracer);
	unlink(world->socket);
	world->rulesd = RULESD;
	traffic_rounds(world->traffic, HANDFUL);
	traffic_fault(world->traffic);
}

static void to_nothing(struct world *world)
{
	flush(world);
	forget_state(world);
	/* To take a program off a running tap may lose a frame, and it takes a while to know. */
	traffic_rounds(world->traffic, HANDFUL);
	traffic_fault(world->traffic);
}

static long put(struct world *world)
{
	return call(world, "PUT", "/v1/policy", new_policy);
}

static long put_other_id(struct world *world)
{
	return call(world, "PUT", "/v1/policy", other_id);
}

static long patch_it(struct world *world)
{
	return call(world, "PATCH", "/v1/policy", patch);
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
	long status = call(world, "PATCH", "/v1/policy", large);

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
	return call(world, "PUT", "/v1/interfaces/hand", by_hand);
}

static long detach(struct world *world)
{
	return call(world, "DELETE", "/v1/interfaces/hand", NULL);
}

static long roll_back(struct world *world)
{
	return call(world, "POST", "/v1/rollback", NULL);
}

static long confirm(struct world *world)
{
	long status = call(world, "PUT", "/v1/policy?confirm=1000", new_policy);

	return status == 200 ? call(world, "POST", "/v1/confirm", NULL) : status;
}

static long flush_flows(struct world *world)
{
	return call(world, "DELETE", "/v1/flows?interface=web&dport=22", NULL);
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

static long begin(struct world *world)
{
	start(world, true);
	return wait_ready(world) ? 200 : 0;
}

static const struct scenario scenarios[] = {
	{"apply", to_old, put, false, false},
	{"other-id", to_old, put_other_id, false, false},
	{"patch", to_old, patch_it, false, false},
	{"compact", to_long_journal, compact, false, false},
	{"attach", to_old, attach, false, false},
	{"detach", to_attached, detach, false, false},
	{"rollback", to_new, roll_back, false, false},
	{"confirm", to_old, confirm, false, false},
	{"flush-flows", to_flows, flush_flows, false, false},
	{"collect", to_flows, collect, false, false},
	{"restart", to_end, begin, true, false},
	{"upgrade", to_other_build, begin, true, false},
	{"migrate", to_older, begin, true, false},
	{"first-start", to_nothing, begin, true, true},
};

/* ------------------------------------------------------------------ one point */

static void fault(struct world *world, const char *way, unsigned int point, const char *format, ...)
	G_GNUC_PRINTF(4, 5);
static void fault(struct world *world, const char *way, unsigned int point, const char *format, ...)
{
	va_list arguments;
	g_autofree char *what = NULL;

	va_start(arguments, format);
	what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	printf("FAILED %s, %s at call %u, %s: %s\n", world->scenario, way, point,
	       world->tracer->what, what);
}

struct point {
	const struct scenario *scenario;
	GPtrArray *
		known; /* what may hold afterwards: first what was before, last what is asked for */
	const char *way;
	enum tracer_action action;
	int error;
	unsigned int number;
};

static bool is_known(const struct point *point, const char *text)
{
	for (guint i = 0; i < point->known->len; i++)
		if (strcmp(point->known->pdata[i], text) == 0)
			return true;
	return false;
}

/* Kernel and rulesd agree; where things were pulled from under it, after it has noticed. */
static bool check_kernel(struct world *world, const struct point *point, const char *when)
{
	g_autofree char *drift = differences(world);

	for (int waited = 0; drift && point->scenario->bare && waited < 10000; waited += 100) {
		g_usleep(100000);
		g_clear_pointer(&drift, g_free);
		drift = differences(world);
	}
	if (drift)
		fault(world, point->way, point->number, "%s: %s", when, drift);
	return !drift;
}

/* Frames, flows, kernel. */
static bool check(struct world *world, const struct point *point, const char *when)
{
	const char *said;

	/* Where nothing was ever filtered, everything passes. */
	if (point->scenario->bare)
		return !tracer_runs(world->tracer) || check_kernel(world, point, when);
	traffic_rounds(world->traffic, HANDFUL);
	said = traffic_fault(world->traffic);
	if (said) {
		fault(world, point->way, point->number, "%s: %s", when, said);
		return false;
	}
	if (!tracer_runs(world->tracer))
		return true;
	if (!has_connection(world)) {
		fault(world, point->way, point->number, "%s: the connection is not in the table",
		      when);
		return false;
	}
	return check_kernel(world, point, when);
}

/* Ends what is left, starts it as ever, and looks at what holds; *text is it. */
static bool check_after_restart(struct world *world, const struct point *point, char **text)
{
	tracer_kill(world->tracer);
	if (!check(world, point, "while nothing runs"))
		return false;
	must_start(world);
	*text = holds(world);
	if (!is_known(point, *text)) {
		fault(world, point->way, point->number, "after a restart \"%s\" holds", *text);
		return false;
	}
	return check(world, point, "after a restart");
}

/* What was answered holds. */
static bool check_after_kill(struct world *world, const struct point *point, long status)
{
	g_autofree char *text = NULL;
	const char *asked_for = point->known->pdata[point->known->len - 1];

	if (!check_after_restart(world, point, &text))
		return false;
	if (point->scenario->starts || status < 200 || status > 299 || strcmp(text, asked_for) == 0)
		return true;
	fault(world, point->way, point->number, "was answered %ld, but \"%s\" holds", status, text);
	return false;
}

static bool check_alive(struct world *world, const struct point *point, long status)
{
	g_autofree char *now = NULL;
	g_autofree char *later = NULL;
	const char *wanted =
		point->known->pdata[status >= 200 && status < 300 ? point->known->len - 1 : 0];

	if (!tracer_runs(world->tracer)) {
		if (!point->scenario->starts) {
			fault(world, point->way, point->number, "rulesd has ended");
			return false;
		}
		return check_after_restart(world, point, &later);
	}
	now = holds(world);
	if (point->known->len <= 2 && strcmp(now, wanted) != 0) {
		fault(world, point->way, point->number, "answered %ld, but \"%s\" holds", status,
		      now);
		return false;
	}
	if (!is_known(point, now)) {
		fault(world, point->way, point->number, "\"%s\" holds", now);
		return false;
	}
	if (!check(world, point, "while it goes on") || !check_after_restart(world, point, &later))
		return false;
	/* What a disk that failed for good was to take back, it may say again: rulesd mends it when
	 * it can be written, for which there is no time here. */
	if (strcmp(now, later) == 0 || point->action == TRACER_FAIL_DISK)
		return true;
	fault(world, point->way, point->number, "\"%s\" held, after a restart \"%s\"", now, later);
	return false;
}

static void ensure_runs(struct world *world)
{
	tracer_disarm(world->tracer);
	if (world->tracer->pid < 0)
		tracer_wait(world->tracer);
	if (!tracer_runs(world->tracer))
		must_start(world);
}

/* What went wrong once must not go wrong in all that follows. */
static void begin_anew(struct world *world)
{
	flush(world);
	forget_state(world);
	must_start(world);
	must(world, "PUT", "/v1/policy", old_policy);
	traffic_reconnect(world->traffic);
	traffic_fault(world->traffic);
}

/* Whether the call was reached at all. */
static bool try_point(struct world *world, const struct point *point)
{
	bool good;
	long status;

	ensure_runs(world);
	point->scenario->prepare(world);
	if (traffic_fault(world->traffic) && !point->scenario->bare)
		fault(world, point->way, point->number, "before: a frame went wrong");
	tracer_arm(world->tracer, point->action, point->error, point->number);
	status = point->scenario->act(world);
	if (!world->tracer->hit) {
		tracer_disarm(world->tracer);
		return false;
	}
	if (point->scenario->bare)
		traffic_fault(world->traffic);
	if (point->error) {
		tracer_disarm(world->tracer);
		good = check_alive(world, point, status);
	} else {
		tracer_wait(world->tracer);
		good = check_after_kill(world, point, status);
	}
	world->passed += good;
	world->failed += !good;
	if (!good || point->scenario->bare)
		begin_anew(world);
	return true;
}

/* ------------------------------------------------------------------ all points of a scenario */

static const struct {
	const char *name;
	enum tracer_action action;
	int error;
} ways[] = {
	{"killed", TRACER_KILL, 0},	 {"EIO", TRACER_FAIL, EIO},
	{"ENOSPC", TRACER_FAIL, ENOSPC}, {"ENOMEM", TRACER_FAIL, ENOMEM},
	{"EPERM", TRACER_FAIL, EPERM},	 {"EROFS..", TRACER_FAIL_DISK, EROFS},
};

/* What holds before and after it, and how many calls it makes. */
static unsigned int rehearse(struct world *world, const struct scenario *scenario, GPtrArray *known)
{
	unsigned int count;

	ensure_runs(world);
	scenario->prepare(world);
	if (!scenario->starts)
		g_ptr_array_add(known, holds(world));
	tracer_arm(world->tracer, TRACER_KILL, 0, 0);
	scenario->act(world);
	count = world->tracer->count;
	tracer_disarm(world->tracer);
	g_ptr_array_add(known, holds(world));
	/* In between: the policy on trial. */
	if (strcmp(scenario->name, "confirm") == 0) {
		to_old(world);
		must(world, "PUT", "/v1/policy?confirm=1000", new_policy);
		g_ptr_array_insert(known, 1, holds(world));
		must(world, "POST", "/v1/confirm", NULL);
	}
	if (scenario->bare)
		begin_anew(world);
	return count;
}

static void run_scenario(struct world *world, const struct scenario *scenario, unsigned int points)
{
	g_autoptr(GPtrArray) known = g_ptr_array_new_with_free_func(g_free);
	unsigned int count;

	world->scenario = scenario->name;
	count = rehearse(world, scenario, known);
	for (guint i = 0; i < known->len; i++)
		printf("%s: %s\n", scenario->name, (char *)known->pdata[i]);
	for (unsigned int way = 0; way < G_N_ELEMENTS(ways); way++) {
		struct point point = {.scenario = scenario,
				      .known = known,
				      .way = ways[way].name,
				      .action = ways[way].action,
				      .error = ways[way].error};
		unsigned int passed = world->passed, failed = world->failed;
		unsigned int missed = 0, wanted = points ? MIN(points, count) : count;

		/* Which calls there are is not the same in every run: threads and timers. */
		for (unsigned int i = 0; i < wanted || (!points && missed < 2); i++) {
			point.number = points ? 1 + (way + i * G_N_ELEMENTS(ways)) * count /
								(wanted * G_N_ELEMENTS(ways))
					      : 1 + i;
			if (point.number % world->parts != world->part)
				continue;
			missed = try_point(world, &point) ? 0 : missed + 1;
			if (i > 2 * count + 50)
				break;
		}
		printf("%-12s %-7s %4u calls: %u passed, %u failed\n", scenario->name,
		       ways[way].name, count, world->passed - passed, world->failed - failed);
	}
	ensure_runs(world);
}

/* ------------------------------------------------------------------ random times */

static long patch_a(struct world *world)
{
	g_autofree char *large = large_patch('a');

	return call(world, "PATCH", "/v1/policy", large);
}

static long patch_b(struct world *world)
{
	g_autofree char *large = large_patch('b');

	return call(world, "PATCH", "/v1/policy", large);
}

static gpointer change_all_the_time(gpointer arg)
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

/* No forbidden frame, no lost frame; and the next one starts with what kernel and disk agree on. */
static void kill_at_random(struct world *world, unsigned int times)
{
	g_autoptr(GPtrArray) none = g_ptr_array_new();
	const struct scenario any = {.name = "random"};
	struct point point = {.scenario = &any, .known = none, .way = "killed"};
	unsigned int passed = world->passed, failed = world->failed;

	world->scenario = "random";
	for (unsigned int i = 0; i < times; i++) {
		unsigned int us = (unsigned int)g_random_int_range(0, 200000);
		GThread *client;
		g_autofree char *now = NULL;
		bool good;

		ensure_runs(world);
		to_old(world);
		client = g_thread_new("client", change_all_the_time, world);
		g_usleep(us);
		kill(world->tracer->pid, SIGKILL);
		g_thread_join(client);
		point.number = us;
		tracer_wait(world->tracer);
		good = check(world, &point, "while nothing runs");
		must_start(world);
		now = holds(world);
		if (strstr(now, "DAMAGED") || strstr(now, "failed"))
			fault(world, "killed", us, "\"%s\" holds", now);
		good &= !strstr(now, "DAMAGED") && !strstr(now, "failed");
		good &= check(world, &point, "after a restart");
		world->passed += good;
		world->failed += !good;
	}
	printf("%-12s killed  at random times: %u passed, %u failed\n", "random",
	       world->passed - passed, world->failed - failed);
}

/* ------------------------------------------------------------------ main */

static struct world set_up(void)
{
	struct world world = {.scenario = "the beginning", .rulesd = RULESD};

	netns_group_setup(NULL);
	scene_setup(NULL);
	world.web = scene_tap("tap0");
	world.outside = scene_tap("tap1");
	world.third = scene_tap("tap2");
	world.socket = g_strdup_printf("%s/kill.sock", netns_workdir());
	world.state_dir = g_strdup_printf("%s/kill.state", netns_workdir());
	world.log = g_strdup_printf("%s/kill.log", netns_workdir());
	world.bpffs = g_strdup_printf("%s/kill", netns_bpffs());
	world.tracer = tracer_new();
	g_strlcpy(world.tracer->state_dir, world.state_dir, sizeof(world.tracer->state_dir));
	must_start(&world);
	must(&world, "PUT", "/v1/policy", old_policy);
	world.traffic = traffic_start(world.outside, world.web);
	return world;
}

static bool is_asked_for(char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	unsigned int points = 0, random = 0;
	guint32 seed = 1;
	unsigned int part = 0, parts = 1;
	const char *older = NULL;
	struct world world;

	for (; argc > 2 && strncmp(argv[1], "--", 2) == 0; argc -= 2, argv += 2) {
		unsigned int number = (unsigned int)atoi(argv[2]);

		if (strcmp(argv[1], "--points") == 0)
			points = number;
		else if (strcmp(argv[1], "--random") == 0)
			random = number;
		else if (strcmp(argv[1], "--seed") == 0)
			seed = number;
		else if (strcmp(argv[1], "--older") == 0)
			older = argv[2];
		else if (strcmp(argv[1], "--part") == 0 &&
			 sscanf(argv[2], "%u/%u", &part, &parts) == 2 && part < parts)
			continue;
		else
			return 2;
	}
	g_random_set_seed(seed + part);
	setvbuf(stdout, NULL, _IOLBF, 0);
	world = set_up();
	world.part = part;
	world.parts = parts;
	world.older = older;
	for (unsigned int i = 0; i < G_N_ELEMENTS(scenarios); i++) {
		if (argv[1] && !is_asked_for(argv + 1, scenarios[i].name))
			continue;
		if (scenarios[i].prepare == to_older && !older)
			continue;
		run_scenario(&world, &scenarios[i], points);
	}
	if (random)
		kill_at_random(&world, random / parts + (part < random % parts));
	printf("%lu frames\n", traffic_frames(world.traffic));
	traffic_stop(&world.traffic);
	flush(&world);
	forget_state(&world);
	unlink(world.log);
	tap_delete_all();
	printf("%u passed, %u failed\n", world.passed, world.failed);
	return world.failed != 0;
}
