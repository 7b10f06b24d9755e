/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan.c - sgctl plan: what apply would change, asked of the files and of what the daemon holds. */
#include "ctl/plan.h"

#include <string.h>

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/command.h"
#include "ctl/held_policy.h"
#include "ctl/output.h"
#include "ctl/policy_files.h"
#include "rulesd/cleanup.h"
#include "rulesd/load.h"
#include "rulesd/model_diff.h"

/* What the files make of the policy that holds: as a whole, with the interfaces that stay because
 * they were attached by hand, or as a patch of it. 0 and *edit, applied to the model. */
static int edit_whole(const struct args *args, const GPtrArray *paths, struct model *model,
		      struct model_edit **edit, struct diag *diag)
{
	g_autoptr(GPtrArray) sources = NULL;
	CLEANUP(model_free) struct model *new = NULL;
	int error = policy_files_read(paths, &sources, diag);

	if (!error)
		error = held_policy_add_attached(args, sources, diag);
	if (!error)
		error = load_policy(sources, &new, diag);
	if (error)
		return error;
	*edit = model_diff(model, &new);
	model_edit_apply(*edit, model);
	return 0;
}

static int edit_patch(const GPtrArray *paths, struct model *model, struct model_edit **edit,
		      struct diag *diag)
{
	g_autoptr(GPtrArray) sources = NULL;
	int error = policy_files_read(paths, &sources, diag);

	if (!error)
		error = load_patch(sources, model, edit, diag);
	if (error)
		return error;
	model_edit_apply(*edit, model);
	return load_validate_patch(sources, model, *edit, diag);
}

static void count(const json_t *changes, const json_t *flows, json_t *summary)
{
	static const char *const actions[] = {"add", "change", "remove", "move", "text"};
	json_int_t counts[G_N_ELEMENTS(actions)] = {0};
	const json_t *change;
	size_t i;

	json_array_foreach (changes, i, change)
		for (size_t k = 0; k < G_N_ELEMENTS(actions); k++)
			counts[k] += !g_strcmp0(
				actions[k], json_string_value(json_object_get(change, "action")));
	for (size_t k = 0; k < G_N_ELEMENTS(actions); k++)
		json_object_set_new(summary, actions[k], json_integer(counts[k]));
	json_object_set_new(summary, "flows", json_integer((json_int_t)json_array_size(flows)));
}

/* Live flows that the model would not allow. keep: they may stay. */
static int cut_flows(const struct args *args, struct model *model, json_t *cut, struct diag *diag)
{
	CLEANUP(offline_close) struct offline *after = offline_of_model(model);
	const char *existing = args_value(args, "existing");
	AUTO_JSON json_t *flows = NULL;
	int error;

	if (existing && !strcmp(existing, "keep"))
		return 0;
	error = client_request(args, "GET", "/v1/flows", NULL, &flows, NULL, diag);
	return error ? error : plan_flows(after, flows, cut, diag);
}

int plan_make(const struct args *args, const GPtrArray *paths, bool patch, json_t **plan,
	      struct diag *diag)
{
	CLEANUP(model_free) struct model *model = NULL;
	CLEANUP(model_edit_free) struct model_edit *edit = NULL;
	CLEANUP(plan_reach_free) struct plan_reach *before = NULL;
	CLEANUP(plan_reach_free) struct plan_reach *after = NULL;
	AUTO_JSON json_t *made = json_pack("{s[] s[] s[] s[] s{}}", "changes", "meaning", "members",
					   "flows", "summary");
	json_t *changes = json_object_get(made, "changes"), *flows = json_object_get(made, "flows");
	int error = held_policy_load(args, &model, diag);

	if (error)
		return error;
	before = plan_reach_of(model);
	error = patch ? edit_patch(paths, model, &edit, diag)
		      : edit_whole(args, paths, model, &edit, diag);
	if (error)
		return error;
	after = plan_reach_of(model);
	plan_changes(edit, changes);
	plan_meaning(before, after, json_object_get(made, "meaning"));
	plan_members(edit, json_object_get(made, "members"));
	model_edit_free(&edit);
	if (json_array_size(changes))
		error = cut_flows(args, TAKE_PTR(model), flows, diag);
	if (error)
		return error;
	count(changes, flows, json_object_get(made, "summary"));
	*plan = TAKE_PTR(made);
	return 0;
}

static enum exit_status plan_report(const struct args *args, const json_t *plan)
{
	bool changes = json_array_size(json_object_get(plan, "changes"));

	if (args_flag(args, "json"))
		output_json(plan);
	else
		plan_print(plan);
	return changes ? EXIT_CHANGES : EXIT_DONE;
}

enum exit_status plan_command(const struct args *args, bool patch)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	const char *existing = args_value(args, "existing");
	AUTO_JSON json_t *plan = NULL;

	if (existing && strcmp(existing, "reevaluate") != 0 && strcmp(existing, "keep") != 0)
		return output_usage_error(args, "--existing \"%s\" is neither reevaluate nor keep",
					  existing);
	if (plan_make(args, args->operands, patch, &plan, diag))
		return output_failure(args, diag);
	return plan_report(args, plan);
}

enum exit_status command_plan(const struct args *args)
{
	return plan_command(args, false);
}
