/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * world.c - see world.h.
 */
#include "tests/kill/world.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/kill/tracer.h"
#include "tests/kill/traffic.h"
#include "tests/lib/check.h"
#include "tests/lib/command.h"
#include "tests/lib/http.h"
#include "tests/lib/netns.h"

#define READY_MS 60000

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

void world_start(struct world *world, bool armed)
{
	const char *argv[16] = {world->rulesd,	  "--socket", world->socket, "--state-dir",
				world->state_dir, "--bpffs",  world->bpffs};
	unsigned int count = 7;

	for (unsigned int i = 0; world->options && world->options[i]; i++)
		argv[count++] = world->options[i];

	if (!armed)
		tracer_disarm(world->tracer);
	tracer_start(world->tracer, argv, world->log);
}

/* Whether it answers; false when it ended before. */
bool world_wait_ready(struct world *world)
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

void world_must_start(struct world *world)
{
	unlink(world->socket);
	world_start(world, false);
	if (!world_wait_ready(world)) {
		g_autofree char *log = NULL;

		g_file_get_contents(world->log, &log, NULL, NULL);
		fail_msg("%s: rulesd does not start again:\n%s", world->scenario,
			 log && strlen(log) > 700 ? log + strlen(log) - 700 : log);
	}
}

void world_flush(struct world *world)
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

void world_forget_state(struct world *world)
{
	netns_remove_tree(world->state_dir);
	unlink(world->socket);
}

long world_call(struct world *world, const char *method, const char *path, const char *body)
{
	AUTO_HTTP struct http_answer answer = http_request(world->socket, method, path, body, NULL);

	return answer.status;
}

void world_must(struct world *world, const char *method, const char *path, const char *body)
{
	AUTO_HTTP struct http_answer answer = http_request(world->socket, method, path, body, NULL);

	if (answer.status < 200 || answer.status > 299)
		fail_msg("%s: %s %s: %ld %s", world->scenario, method, path, answer.status,
			 answer.text ? answer.text : "");
}

/* ------------------------------------------------------------------ what holds */

json_t *world_get(struct world *world, const char *path)
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
		json_t *status = world_get(world, "/v1/status");

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
char *world_holds(struct world *world)
{
	AUTO_JSON json_t *status = status_of(world);
	AUTO_JSON json_t *interfaces = world_get(world, "/v1/interfaces");
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
bool world_has_connection(struct world *world)
{
	AUTO_JSON json_t *flows = world_get(world, "/v1/flows?protocol=tcp&dport=443");
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

char *world_differences(struct world *world)
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
