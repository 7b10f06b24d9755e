/* SPDX-License-Identifier: GPL-2.0-or-later */
/* confirm.c - sgctl confirm: the policy on trial stays. */
#include <stdio.h>

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/output.h"
#include "rulesd/cleanup.h"

enum exit_status command_confirm(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	AUTO_JSON json_t *answer = NULL;

	if (client_request(args, "POST", "/v1/confirm", NULL, &answer, NULL, diag))
		return output_failure(args, diag);
	if (args_flag(args, "json"))
		output_json(answer);
	else
		printf("generation %" JSON_INTEGER_FORMAT ": confirmed\n",
		       json_integer_value(json_object_get(answer, "generation")));
	return EXIT_DONE;
}
