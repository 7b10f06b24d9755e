/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rollback.c - sgctl rollback: an earlier policy holds again. */
#include "ctl/apply.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/endpoint.h"
#include "ctl/output.h"
#include "rulesd/cleanup.h"

enum exit_status command_rollback(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	const char *generation = args_operand(args, 0);
	AUTO_JSON json_t *body = json_object();
	AUTO_JSON json_t *answer = NULL;
	g_autofree char *error = NULL;
	uint64_t number;

	if (generation) {
		if (endpoint_parse_number("generation", generation, 0, INT64_MAX, &number, &error))
			return output_usage_error(args, "%s", error);
		json_object_set_new(body, "generation", json_integer((json_int_t)number));
	}
	if (client_request(args, "POST", "/v1/rollback", body, &answer, NULL, diag))
		return output_failure(args, diag);
	return apply_report(args, answer);
}
