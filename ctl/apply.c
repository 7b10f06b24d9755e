/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apply.c - sgctl apply: policy files become the policy that holds; the daemon decides. See
 * apply.h. */
#include "ctl/apply.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/endpoint.h"
#include "ctl/output.h"
#include "ctl/plan.h"
#include "ctl/policy_files.h"
#include "ctl/units.h"
#include "rulesd/cleanup.h"
#include "rulesd/load.h"

#define MOST_SECONDS 86400	/* of a trial */
#define LARGE_BYTES  (8u << 20) /* that take a second or more */

static void warn_interface(const json_t *iface)
{
	const char *id = json_string_value(json_object_get(iface, "id"));
	const char *state = json_string_value(json_object_get(iface, "state"));
	const char *device = json_string_value(json_object_get(iface, "device"));
	const char *error = json_string_value(json_object_get(iface, "error"));

	if (!id || !state)
		return;
	if (!strcmp(state, "waiting"))
		output_warning("%s waits for %s, which does not exist yet", id,
			       device ? device : "its device");
	else if (!strcmp(state, "failed"))
		output_warning("%s is not filtered: %s", id,
			       error ? error : "see the log of rulesd");
}

static void warn(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	AUTO_JSON json_t *interfaces = NULL;
	const json_t *iface;
	size_t i;

	if (client_request(args, "GET", "/v1/interfaces", NULL, &interfaces, NULL, diag)) {
		output_diag(diag);
		return;
	}
	json_array_foreach (interfaces, i, iface)
		warn_interface(iface);
}

static json_int_t of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void print_change(const json_t *answer)
{
	g_autofree char *writes = units_count((uint64_t)of(answer, "writes"), "write");

	if (!json_is_true(json_object_get(answer, "changed")))
		printf("nothing changed");
	else if (json_is_integer(json_object_get(answer, "writes")))
		printf("changed (%s)", writes);
	else
		printf("changed");
}

enum exit_status apply_report(const struct args *args, const json_t *answer)
{
	const json_t *interfaces = json_object_get(answer, "interfaces");
	json_int_t waiting = of(interfaces, "waiting"), failed = of(interfaces, "failed");

	if (args_flag(args, "json")) {
		output_json(answer);
	} else {
		g_autofree char *filtering =
			units_count((uint64_t)of(interfaces, "filtering"), "interface");

		printf("generation %" JSON_INTEGER_FORMAT ": ", of(answer, "generation"));
		print_change(answer);
		printf("; %s filtering", filtering);
		if (waiting)
			printf(", %" JSON_INTEGER_FORMAT " waiting", waiting);
		if (failed)
			printf(", %" JSON_INTEGER_FORMAT " failed", failed);
		putchar('\n');
	}
	fflush(stdout);
	if (waiting || failed)
		warn(args);
	/* The policy holds, but not where it should: nobody may take that for success. */
	return failed ? EXIT_FAILED : EXIT_DONE;
}

/* JSON cannot carry what is not UTF-8 or has NULs: the loader says where that is. */
static bool can_send(const struct load_source *source)
{
	return g_utf8_validate_len(source->text, source->length, NULL);
}

static json_t *request_body(const GPtrArray *sources, struct diag *diag)
{
	AUTO_JSON json_t *files = json_array();
	bool sendable = true;

	for (guint i = 0; i < sources->len; i++) {
		const struct load_source *source = g_ptr_array_index(sources, i);
		g_autofree char *name = g_utf8_make_valid(source->name, -1);

		if (!can_send(source)) {
			sendable = false;
			break;
		}
		json_array_append_new(files, json_pack("{s:s, s:s%}", "name", name, "text",
						       source->text, source->length));
	}
	if (!sendable) {
		CLEANUP(model_free) struct model *model = NULL;

		if (!load_policy(sources, &model, diag))
			diag_add(diag, "syntax", (struct place){0}, NULL, NULL,
				 "a policy file is not UTF-8");
		return NULL;
	}
	return json_pack("{s:O}", "files", files);
}

/* A policy of a million members takes seconds: silence would look like a hang. */
static void tell_size(const GPtrArray *sources)
{
	g_autofree char *text = NULL;
	uint64_t bytes = 0;

	for (guint i = 0; i < sources->len; i++)
		bytes += ((const struct load_source *)g_ptr_array_index(sources, i))->length;
	if (bytes < LARGE_BYTES || !isatty(STDERR_FILENO))
		return;
	text = units_bytes(bytes);
	fprintf(stderr, "sgctl: rulesd reads, compiles and writes %s of policy ...\n", text);
}

static enum exit_status usage_existing(const struct args *args, const char *existing)
{
	return output_usage_error(args, "--existing \"%s\" is neither reevaluate nor keep",
				  existing);
}

enum exit_status apply_send(const struct args *args, const char *method)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	const char *existing = args_value(args, "existing");
	const char *confirm = args_value(args, "confirm");
	enum exit_status status;
	g_autofree char *error = NULL;
	uint64_t seconds;
	g_autoptr(GPtrArray) sources = NULL;
	g_autoptr(GString) path = g_string_new("/v1/policy");
	AUTO_JSON json_t *body = NULL;
	AUTO_JSON json_t *answer = NULL;

	if (existing && strcmp(existing, "reevaluate") != 0 && strcmp(existing, "keep") != 0)
		return usage_existing(args, existing);
	if (confirm &&
	    endpoint_parse_number("--confirm", confirm, 1, MOST_SECONDS, &seconds, &error))
		return output_usage_error(args, "%s", error);
	if (args_flag(args, "dry-run"))
		return plan_command(args, !strcmp(method, "PATCH"));
	client_add_query(path, "confirm", confirm);
	client_add_query(path, "existing", existing);
	if (policy_files_read(args->operands, &sources, diag))
		return output_failure(args, diag);
	body = request_body(sources, diag);
	tell_size(sources);
	if (!body || client_request(args, method, path->str, body, &answer, NULL, diag))
		return output_failure(args, diag);
	status = apply_report(args, answer);
	if (confirm && json_is_true(json_object_get(answer, "changed")))
		fprintf(stderr,
			"sgctl: on trial: the policy before holds again in %s seconds, unless you "
			"run 'sgctl confirm'\n",
			confirm);
	return status;
}

enum exit_status command_apply(const struct args *args)
{
	return apply_send(args, "PUT");
}
