/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_files.c - see policy_files.h. */
#include "ctl/policy_files.h"

#include <errno.h>

#include "rulesd/cleanup.h"
#include "rulesd/load.h"

static void free_source(void *source)
{
	load_source_free(source);
}

int policy_files_read(const GPtrArray *paths, GPtrArray **sources, struct diag *diag)
{
	g_autoptr(GPtrArray) read = g_ptr_array_new_with_free_func(free_source);
	int result = load_read_paths((char *const *)paths->pdata, paths->len, false, read, diag);

	if (result)
		return result;
	/* A mistyped directory would otherwise be the empty policy, which closes every interface.
	 */
	if (!read->len) {
		struct place place = {.file = g_intern_string(g_ptr_array_index(paths, 0))};

		diag_add(diag, "io", place, NULL, "for an empty policy: {\"version\": 1}",
			 "the directory holds no *.json");
		return -ENOENT;
	}
	*sources = TAKE_PTR(read);
	return 0;
}

int policy_files_load(const GPtrArray *paths, struct model **model, struct diag *diag)
{
	g_autoptr(GPtrArray) sources = NULL;
	int result = policy_files_read(paths, &sources, diag);

	return result ? result : load_policy(sources, model, diag);
}
