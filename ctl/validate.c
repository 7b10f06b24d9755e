/* SPDX-License-Identifier: GPL-2.0-or-later */
/* validate.c - sgctl validate: every error of some policy files, without a daemon. */
#include <stdio.h>

#include "ctl/args.h"
#include "ctl/command.h"
#include "ctl/output.h"
#include "ctl/policy_files.h"
#include "ctl/units.h"
#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "rulesd/image.h"
#include "rulesd/numbers.h"

struct counts {
	uint64_t groups;
	uint64_t rules;
	uint64_t interfaces;
};

/* What somebody wrote: an implied group or rule is not counted. */
static void count_group(struct counts *counts, const struct model_group *group)
{
	counts->groups += !group->implied;
	for (unsigned int dir = 0; dir < SG_DIRS; dir++)
		for (guint i = 0; i < group->rules[dir]->len; i++) {
			const struct model_rule *rule = g_ptr_array_index(group->rules[dir], i);

			counts->rules += !rule->implied;
		}
}

static struct counts count(const struct model *model)
{
	struct counts counts = {0};
	GHashTableIter networks, groups;
	void *network, *group;

	g_hash_table_iter_init(&networks, model->networks);
	while (g_hash_table_iter_next(&networks, NULL, &network)) {
		counts.interfaces += ((const struct model_network *)network)->interfaces->len;
		g_hash_table_iter_init(&groups, ((struct model_network *)network)->groups);
		while (g_hash_table_iter_next(&groups, NULL, &group))
			count_group(&counts, group);
	}
	return counts;
}

/* Some limits show only when the policy is compiled, such as how many peers one address has. */
static int try_to_compile(const struct model *model, struct diag *diag)
{
	CLEANUP(numbers_free) struct numbers *numbers = numbers_new();
	CLEANUP(image_free) struct image *image = NULL;

	return compile_bare_image(model, numbers, &image, diag);
}

enum exit_status command_validate(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(model_free) struct model *model = NULL;
	int result = policy_files_load(args->operands, &model, diag);

	if (!result)
		result = try_to_compile(model, diag);
	if (args_flag(args, "json")) {
		AUTO_JSON json_t *errors = diag_to_json(diag);

		output_json(errors);
	} else if (result) {
		output_diag(diag);
	} else {
		struct counts counts = count(model);
		g_autofree char *groups = units_count(counts.groups, "group");
		g_autofree char *rules = units_count(counts.rules, "rule");
		g_autofree char *interfaces = units_count(counts.interfaces, "interface");

		printf("OK: %s, %s, %s\n", groups, rules, interfaces);
	}
	return result ? EXIT_FAILED : EXIT_DONE;
}
