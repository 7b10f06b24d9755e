/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fmt.c - sgctl fmt: policy files in their canonical form. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/args.h"
#include "ctl/command.h"
#include "ctl/output.h"
#include "ctl/policy_files.h"
#include "rulesd/cleanup.h"
#include "rulesd/load.h"

/* The canonical form of one of the files. */
static char *canonical(struct load_source *source)
{
	g_autoptr(GPtrArray) one = g_ptr_array_new();

	g_ptr_array_add(one, source);
	return load_canonical(one);
}

static bool is_canonical(const struct load_source *source, const char *text)
{
	return strlen(text) == source->length && !memcmp(text, source->text, source->length);
}

/* Through a temporary file, so that a crash leaves the old text or the new; a symbolic link stays
 * one. */
static int replace(const char *name, const char *text, struct diag *diag)
{
	g_autofree char *path = realpath(name, NULL);
	g_autoptr(GError) error = NULL;
	struct stat status;

	if (!path || stat(path, &status)) {
		int saved = errno;

		diag_add(diag, "file", (struct place){0}, NULL, NULL, "cannot find %s again: %s",
			 name, strerror(saved));
		return -saved;
	}
	if (!g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT,
				      (int)(status.st_mode & 07777), &error)) {
		diag_add(diag, "file", (struct place){0}, NULL, NULL, "cannot write %s: %s", name,
			 error->message);
		return -EIO;
	}
	return 0;
}

static enum exit_status format_all(const struct args *args, const GPtrArray *sources)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	AUTO_JSON json_t *changed = json_array();
	bool check = args_flag(args, "check"), printed = false;

	for (guint i = 0; i < sources->len; i++) {
		struct load_source *source = g_ptr_array_index(sources, i);
		g_autofree char *text = canonical(source);

		if (!strcmp(source->name, "-") && !check) {
			fputs(text, stdout);
			printed = true;
			continue;
		}
		if (is_canonical(source, text))
			continue;
		json_array_append_new(changed, json_string(source->name));
		if (!check && replace(source->name, text, diag))
			return output_failure(args, diag);
		if (!args_flag(args, "json"))
			output_text("%s\n", source->name);
	}
	if (args_flag(args, "json") && !printed)
		output_json(changed);
	return check && json_array_size(changed) ? EXIT_FAILED : EXIT_DONE;
}

enum exit_status command_fmt(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(model_free) struct model *model = NULL;
	g_autoptr(GPtrArray) sources = NULL;
	char hex[65];

	if (args_flag(args, "check") && args_flag(args, "sha256"))
		return output_usage_error(args, "--check and --sha256 exclude each other");
	if (args->operands->len > 1 && !args_flag(args, "sha256"))
		for (guint i = 0; i < args->operands->len; i++)
			if (!strcmp(args_operand(args, i), "-"))
				return output_usage_error(
					args, "\"-\" filters; it does not go with files");
	if (policy_files_read(args->operands, &sources, diag))
		return output_failure(args, diag);
	/* One file of several may name what is in the others; the digest is that of a whole policy.
	 */
	if (!args_flag(args, "sha256"))
		return load_check(sources, diag) ? output_failure(args, diag)
						 : format_all(args, sources);
	if (load_policy(sources, &model, diag))
		return output_failure(args, diag);
	load_sha256(sources, hex);
	if (args_flag(args, "json")) {
		AUTO_JSON json_t *document = json_pack("{s:s}", "policy_sha256", hex);

		output_json(document);
	} else {
		printf("%s\n", hex);
	}
	return EXIT_DONE;
}
