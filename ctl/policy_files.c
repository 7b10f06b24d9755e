/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_files.c - see policy_files.h. */
#include "ctl/policy_files.h"

#include <errno.h>

#include "rulesd/cleanup.h"
#include "rulesd/load.h"

/* A mistyped directory would otherwise be the empty policy, which closes every interface. */
static int refuse_nothing(const GPtrArray *paths, const char *fix, struct diag *diag)
{
	struct place place = {.file = g_intern_string(g_ptr_array_index(paths, 0))};

	diag_add(diag, "io", place, NULL, fix, "the directory holds no *.json");
	return -ENOENT;
}

int policy_files_read(const GPtrArray *paths, GPtrArray **sources, struct diag *diag)
{
	g_autoptr(GPtrArray) read = load_sources_new();
	int result = load_read_paths((char *const *)paths->pdata, paths->len, false, read, diag);

	if (!result && !read->len)
		result = refuse_nothing(paths, "for an empty policy: {\"version\": 1}", diag);
	if (!result)
		*sources = TAKE_PTR(read);
	return result;
}

int json_files_read(const GPtrArray *paths, bool utf16, GPtrArray **sources, struct diag *diag)
{
	const struct load_limits limits = {
		.file_bytes = JSON_FILE_BYTES,
		.all_bytes = JSON_FILES_BYTES,
		.utf16_bytes = utf16 ? JSON_UTF16_BYTES : 0,
		.files = LOAD_MAX_FILES,
	};
	g_autoptr(GPtrArray) read = load_sources_new();
	int result =
		load_read_limited((char *const *)paths->pdata, paths->len, &limits, read, diag);

	if (!result && !read->len)
		result = refuse_nothing(paths, NULL, diag);
	if (!result)
		*sources = TAKE_PTR(read);
	return result;
}

int policy_files_load(const GPtrArray *paths, struct model **model, struct diag *diag)
{
	g_autoptr(GPtrArray) sources = NULL;
	int result = policy_files_read(paths, &sources, diag);

	return result ? result : load_policy(sources, model, diag);
}
