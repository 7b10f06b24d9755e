/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import.c - sgctl import: the security groups of other systems as a policy on standard output, and
 * what could not be carried over on standard error.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/command.h"
#include "ctl/import_print.h"
#include "ctl/import_read.h"
#include "ctl/output.h"
#include "ctl/policy_files.h"
#include "rulesd/cleanup.h"
#include "rulesd/nearest.h"

static int write_file(const char *directory, const struct load_source *source, struct diag *diag)
{
	g_autofree char *name = g_strconcat(source->name, ".json", NULL);
	g_autofree char *path = g_build_filename(directory, name, NULL);
	g_autoptr(GError) error = NULL;

	if (!g_file_set_contents_full(path, source->text, (gssize)source->length,
				      G_FILE_SET_CONTENTS_CONSISTENT, 0644, &error)) {
		diag_add(diag, "io", (struct place){0}, NULL, NULL, "cannot write %s: %s", path,
			 error->message);
		return -EIO;
	}
	return 0;
}

/* A file each, and their names on standard output. */
static int write_files(const struct args *args, const GPtrArray *sources, struct diag *diag)
{
	const char *directory = args_value(args, "output-dir");
	AUTO_JSON json_t *names = json_array();

	if (g_mkdir_with_parents(directory, 0755)) {
		diag_add(diag, "io", (struct place){0}, NULL, NULL, "cannot make %s: %s", directory,
			 g_strerror(errno));
		return -EIO;
	}
	for (guint i = 0; i < sources->len; i++) {
		const struct load_source *source = sources->pdata[i];

		if (write_file(directory, source, diag))
			return -EIO;
		json_array_append_new(names, json_sprintf("%s/%s.json", directory, source->name));
		if (!args_flag(args, "json"))
			output_text("%s/%s.json\n", directory, source->name);
	}
	if (args_flag(args, "json"))
		output_json(names);
	return 0;
}

static enum exit_status run(const struct args *args, const GPtrArray *sources,
			    const struct import_options *options, struct diag *diag)
{
	CLEANUP(import_free) struct import *import = NULL;
	bool apart = args_value(args, "output-dir") != NULL;
	g_autoptr(GPtrArray) policy = NULL;

	if (import_sources(args_operand(args, 0), sources, options, apart, &import, diag))
		return output_failure(args, diag);
	policy = import_policy_sources(import, apart, diag);
	if (!policy || (apart && write_files(args, policy, diag)))
		return output_failure(args, diag);
	if (!apart)
		fputs(((const struct load_source *)policy->pdata[0])->text, stdout);
	return import_print(args, import->report);
}

/* ------------------------------------------------------------------ the command line */

static enum exit_status unknown_format(const struct args *args)
{
	const char *format = args_operand(args, 0);
	struct nearest nearest = nearest_new(format);

	for (const char *const *name = import_formats; *name; name++)
		nearest_offer(&nearest, *name);
	if (nearest.best)
		return output_usage_error(args, "import knows no \"%s\"; did you mean %s?", format,
					  nearest.best);
	return output_usage_error(args, "import knows aws, terraform and neutron, not \"%s\"",
				  format);
}

static bool is_format(const char *name)
{
	for (const char *const *known = import_formats; *known; known++)
		if (!strcmp(name, *known))
			return true;
	return false;
}

/* {"eni-1": "tap0"}; the caller's. */
static json_t *read_map(const char *path, struct diag *diag)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	g_autoptr(GPtrArray) sources = NULL;
	json_t *map = NULL;
	const char *key;
	json_t *device;

	g_ptr_array_add(paths, (gpointer)(uintptr_t)path);
	if (json_files_read(paths, true, &sources, diag))
		return NULL;
	map = import_parse(sources->pdata[0], diag);
	if (map && !json_is_object(map)) {
		json_decref(map);
		map = NULL;
		diag_add(diag, "type", (struct place){.file = g_intern_string(path)}, "",
			 "{\"eni-0123\": \"tap0\"}", "a map is an object");
	}
	json_object_foreach (map, key, device)
		if (!json_is_string(device)) {
			diag_add(diag, "type", (struct place){.file = g_intern_string(path)}, NULL,
				 "{\"eni-0123\": \"tap0\"}", "the device of %s is no text", key);
			json_decref(map);
			return NULL;
		}
	return map;
}

/* "FILE=pl-1" of each --entries. NULL and a usage error when one is something else. */
static GHashTable *read_entries(const struct args *args, enum exit_status *status)
{
	GHashTable *entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	const GPtrArray *given = args_list(args, "entries");

	for (guint i = 0; given && i < given->len; i++) {
		const char *text = given->pdata[i];
		const char *equals = strrchr(text, '=');

		if (!equals || equals == text || !g_str_has_prefix(equals + 1, "pl-")) {
			*status = output_usage_error(args, "--entries \"%s\" is not FILE=pl-ID",
						     text);
			g_hash_table_unref(entries);
			return NULL;
		}
		g_hash_table_insert(entries, g_strndup(text, (size_t)(equals - text)),
				    g_strdup(equals + 1));
	}
	return entries;
}

enum exit_status command_import(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	g_autoptr(GPtrArray) sources = NULL;
	g_autoptr(GHashTable) entries = NULL;
	g_autofree char *error = NULL;
	AUTO_JSON json_t *map = NULL;
	enum exit_status status = EXIT_USAGE;
	struct import_options options = {
		.device = args_value(args, "device"),
		.network = args_value(args, "network"),
		.vpc = args_value(args, "vpc"),
	};

	if (!is_format(args_operand(args, 0)))
		return unknown_format(args);
	if (options.network && args_value(args, "output-dir"))
		return output_usage_error(args, "--output-dir makes a network of each VPC: it does "
						"not go with --network");
	if (options.network && !import_is_id(options.network))
		return output_usage_error(args, "--network \"%s\" is no id of a network",
					  options.network);
	if (options.device && import_device_check(options.device, &error))
		return output_usage_error(args, "%s", error);
	entries = read_entries(args, &status);
	if (!entries)
		return status;
	options.entries = entries;
	if (args_value(args, "map")) {
		map = read_map(args_value(args, "map"), diag);
		if (!map)
			return output_failure(args, diag);
		options.map = map;
	}
	for (guint i = 1; i < args->operands->len; i++)
		g_ptr_array_add(paths, args->operands->pdata[i]);
	if (json_files_read(paths, true, &sources, diag))
		return output_failure(args, diag);
	return run(args, sources, &options, diag);
}
