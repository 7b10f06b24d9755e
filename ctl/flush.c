/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flush.c - sgctl flush flows: forgets flows; the next packet of each is judged by the policy. */
#include <string.h>

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/filters.h"
#include "ctl/known.h"
#include "ctl/output.h"
#include "ctl/units.h"
#include "rulesd/cleanup.h"

static int flush(const struct args *args, const char *path, json_int_t *flushed, struct diag *diag)
{
	AUTO_JSON json_t *answer = NULL;
	int result = client_request(args, "DELETE", path, NULL, &answer, NULL, diag);

	if (!result)
		*flushed += json_integer_value(json_object_get(answer, "flushed"));
	return result;
}

/* --port P is --sport P, and then --dport P of what is left. */
static int flush_port(const struct args *args, const char *path, int port, json_int_t *flushed,
		      struct diag *diag)
{
	static const char *const ends[] = {"sport", "dport"};
	g_autofree char *text = g_strdup_printf("%d", port);

	for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autoptr(GString) one = g_string_new(path);
		int result;

		client_add_query(one, ends[i], text);
		result = flush(args, one->str, flushed, diag);
		if (result)
			return result;
	}
	return 0;
}

enum exit_status command_flush(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	const char *interface = args_value(args, "interface");
	g_autoptr(GString) path = g_string_new("/v1/flows");
	g_autofree char *error = NULL, *count = NULL;
	json_int_t flushed = 0;
	int port, result;

	if (strcmp(args_operand(args, 0), "flows") != 0)
		return output_usage_error(args, "flush knows flows, not \"%s\"",
					  args_operand(args, 0));
	if (filters_query(args, path, &port, &error))
		return output_usage_error(args, "%s", error);
	if (port >= 0 && (strstr(path->str, "sport=") || strstr(path->str, "dport=")))
		return output_usage_error(args,
					  "--port does not go with a port of --src, --dst, --sport "
					  "or --dport");
	result = port < 0 ? flush(args, path->str, &flushed, diag)
			  : flush_port(args, path->str, port, &flushed, diag);
	if (result == -ENOENT && interface)
		known_suggest(args, "/v1/interfaces", "id", interface, diag);
	if (result)
		return output_failure(args, diag);
	count = units_count((uint64_t)flushed, "flow");
	if (args_flag(args, "json")) {
		AUTO_JSON json_t *answer = json_pack("{s:I}", "flushed", flushed);

		output_json(answer);
	} else {
		output_text("%s flushed\n", count);
	}
	return EXIT_DONE;
}
