/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * export.c - sgctl export: a policy in the words of another system, from files or from the daemon.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/command.h"
#include "ctl/export_aws.h"
#include "ctl/export_nft.h"
#include "ctl/held_policy.h"
#include "ctl/import_print.h"
#include "ctl/output.h"
#include "ctl/policy_files.h"
#include "rulesd/cleanup.h"
#include "rulesd/load.h"

/* The texts: of the files that are named, else of the daemon. */
static int read_sources(const struct args *args, GPtrArray **sources, struct diag *diag)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new();

	for (guint i = 1; i < args->operands->len; i++)
		g_ptr_array_add(paths, args->operands->pdata[i]);
	return paths->len ? policy_files_read(paths, sources, diag)
			  : held_policy_sources(args, sources, diag);
}

static enum exit_status to_aws(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(model_free) struct model *model = NULL;
	CLEANUP(import_report_free) struct import_report *report = import_report_new();
	g_autoptr(GPtrArray) sources = NULL;
	AUTO_JSON json_t *document = NULL;

	if (read_sources(args, &sources, diag) || load_policy(sources, &model, diag))
		return output_failure(args, diag);
	document = export_aws(sources, model, report);
	output_json(document);
	return import_print(args, report);
}

static enum exit_status to_nft(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(model_free) struct model *model = NULL;
	g_autoptr(GPtrArray) sources = NULL;
	const char *family = args_value(args, "family");
	g_autofree char *text = NULL;

	if (args_flag(args, "json"))
		return output_usage_error(args, "export nft has no --json");
	if (family && strcmp(family, "bridge") != 0 && strcmp(family, "inet") != 0)
		return output_usage_error(args, "unknown --family \"%s\"; there are bridge, inet",
					  family);
	if (read_sources(args, &sources, diag) || load_policy(sources, &model, diag))
		return output_failure(args, diag);
	text = export_nft(model, family ? family : "inet");
	fputs(text, stdout);
	return EXIT_DONE;
}

enum exit_status command_export(const struct args *args)
{
	const char *format = args_operand(args, 0);

	if (!strcmp(format, "aws"))
		return to_aws(args);
	if (!strcmp(format, "nft"))
		return to_nft(args);
	return output_usage_error(args, "export knows aws and nft, not \"%s\"", format);
}
