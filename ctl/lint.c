/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lint.c - sgctl lint: whether a policy is any good, by the checks of lint_check.c. */
#include "ctl/lint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/command.h"
#include "ctl/lint_baseline.h"
#include "ctl/lint_report.h"
#include "ctl/output.h"
#include "ctl/policy_files.h"
#include "ctl/units.h"
#include "rulesd/cleanup.h"
#include "rulesd/load.h"
#include "rulesd/nearest.h"

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_GCC, FORMAT_SARIF };
static const char *const formats[] = {"table", "json", "gcc", "sarif"};

#define FAIL_NEVER (LINT_ERROR + 1)

/* The command line, checked. */
struct request {
	const struct args *args;
	enum format format;
	int fail_on;		 /* enum lint_severity, or FAIL_NEVER */
	int severity;		 /* at least */
	bool hidden[LINT_CODES]; /* by --only and --ignore */
};

/* What was read and found. */
struct report {
	GPtrArray *sources;
	struct model *model;
	struct lint_live *live;
	struct lint_baseline *baseline; /* or NULL */
	struct lint_result result;
	unsigned int accepted;
};

static void report_clear(struct report *report)
{
	lint_result_clear(&report->result);
	lint_baseline_free(&report->baseline);
	lint_live_free(&report->live);
	model_free(&report->model);
	if (report->sources)
		g_ptr_array_unref(report->sources);
}

/* ------------------------------------------------------------------ the command line */

static int read_severity(const char *text, bool never, int *severity)
{
	for (int i = LINT_INFO; i <= LINT_ERROR; i++)
		if (strcmp(text, lint_severity_name((enum lint_severity)i)) == 0) {
			*severity = i;
			return 0;
		}
	if (!never || strcmp(text, "never") != 0)
		return -EINVAL;
	*severity = FAIL_NEVER;
	return 0;
}

static char *unknown_check(const char *name)
{
	struct nearest nearest = nearest_new(name);

	for (int i = 0; i < LINT_CODES; i++) {
		nearest_offer(&nearest, lint_checks[i].code);
		nearest_offer(&nearest, lint_checks[i].name);
	}
	if (nearest.best)
		return g_strdup_printf("there is no check \"%s\"; did you mean %s?", name,
				       nearest.best);
	return g_strdup_printf("there is no check \"%s\"; sgctl help lint lists them", name);
}

/* "SG101,SG102": each one becomes value. */
static int read_codes(struct request *request, const char *option, bool value, char **error)
{
	const char *text = args_value(request->args, option);
	g_auto(GStrv) names = text ? g_strsplit(text, ",", -1) : NULL;

	for (char **name = names; name && *name; name++) {
		const struct lint_check *check = lint_check_find(g_strstrip(*name));

		if (!check) {
			*error = unknown_check(*name);
			return -EINVAL;
		}
		request->hidden[check - lint_checks] = value;
	}
	return 0;
}

static int read_format(struct request *request, char **error)
{
	const char *text = args_value(request->args, "format");

	request->format = args_flag(request->args, "json") ? FORMAT_JSON : FORMAT_TABLE;
	if (!text)
		return 0;
	for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
		if (strcmp(text, formats[i]) != 0)
			continue;
		if (args_flag(request->args, "json") && i != FORMAT_JSON) {
			*error = g_strdup_printf("--json and --format %s: use one of them", text);
			return -EINVAL;
		}
		request->format = (enum format)i;
		return 0;
	}
	*error = g_strdup_printf("--format is table, json, gcc or sarif, not \"%s\"", text);
	return -EINVAL;
}

static int read_request(struct request *request, char **error)
{
	const char *fail_on = args_value(request->args, "fail-on");
	const char *severity = args_value(request->args, "severity");

	request->fail_on = LINT_ERROR;
	request->severity = LINT_INFO;
	if (fail_on && read_severity(fail_on, true, &request->fail_on)) {
		*error = g_strdup_printf("--fail-on is error, warning, info or never, not \"%s\"",
					 fail_on);
		return -EINVAL;
	}
	if (severity && read_severity(severity, false, &request->severity)) {
		*error = g_strdup_printf("--severity is error, warning or info, not \"%s\"",
					 severity);
		return -EINVAL;
	}
	for (int i = 0; i < LINT_CODES; i++)
		request->hidden[i] = args_value(request->args, "only");
	if (read_codes(request, "only", false, error) ||
	    read_codes(request, "ignore", true, error) || read_format(request, error))
		return -EINVAL;
	if (!args_operand(request->args, 0)) {
		*error = g_strdup_printf("incomplete; usage: sgctl %s",
					 request->args->command->usage);
		return -EINVAL;
	}
	return lint_check_columns(args_value(request->args, "output"), error);
}

/* ------------------------------------------------------------------ reading */

static int read_live(const struct args *args, struct report *report, struct diag *diag)
{
	AUTO_JSON json_t *rules = NULL;
	AUTO_JSON json_t *interfaces = NULL;
	int result = client_request(args, "GET", "/v1/rules", NULL, &rules, NULL, diag);
	unsigned int unknown;

	if (!result)
		result = client_request(args, "GET", "/v1/interfaces", NULL, &interfaces, NULL,
					diag);
	if (result)
		return result;
	report->live = lint_live_new(rules, interfaces);
	unknown = lint_live_unknown(report->live, report->model);
	if (unknown) {
		g_autofree char *count = units_count(unknown, "rule");

		output_warning("the daemon has another policy: %s of this one %s not counted there",
			       count, unknown == 1 ? "is" : "are");
	}
	return 0;
}

static int read_baseline(const struct args *args, struct report *report, struct diag *diag)
{
	const char *path = args_value(args, "baseline"),
		   *written = args_value(args, "write-baseline");

	if (path)
		return lint_baseline_read(path, &report->baseline, diag);
	if (!written || !g_file_test(written, G_FILE_TEST_EXISTS))
		return 0;
	/* Written anew: what people noted in it stays. */
	return lint_baseline_read(written, &report->baseline, diag);
}

static int read_all(const struct args *args, struct report *report, struct diag *diag)
{
	int result = policy_files_read(args->operands, &report->sources, diag);

	if (!result)
		result = load_policy(report->sources, &report->model, diag);
	if (!result)
		result = read_baseline(args, report, diag);
	if (!result && args_flag(args, "live"))
		result = read_live(args, report, diag);
	return result;
}

/* ------------------------------------------------------------------ results */

static bool is_asked_for(const struct lint_finding *finding, void *arg)
{
	const struct request *request = arg;

	return !request->hidden[finding->check - lint_checks] &&
	       (int)finding->check->severity >= request->severity;
}

static void accept(const struct args *args, struct report *report)
{
	unsigned int gone = 0;

	report->accepted = report->result.ignored;
	if (!args_value(args, "baseline"))
		return;
	report->accepted += lint_baseline_apply(report->baseline, report->result.findings, &gone);
	if (gone) {
		g_autofree char *count = units_count(gone, "finding");

		output_warning("%s of %s %s gone: --write-baseline writes it anew", count,
			       args_value(args, "baseline"), gone == 1 ? "is" : "are");
	}
}

static void print_summary(const struct report *report)
{
	unsigned int counts[LINT_ERROR + 1] = {0};
	const GPtrArray *all = report->result.findings->all;
	g_autoptr(GString) line = g_string_new(all->len ? "\n" : "OK: no findings");

	for (guint i = 0; i < all->len; i++)
		counts[((const struct lint_finding *)all->pdata[i])->check->severity]++;
	for (int i = LINT_ERROR, first = 1; i >= LINT_INFO; i--) {
		g_autofree char *count =
			units_count(counts[i], lint_severity_name((enum lint_severity)i));

		if (!counts[i])
			continue;
		g_string_append_printf(line, "%s%s", first ? "" : ", ", count);
		first = 0;
	}
	if (report->accepted)
		g_string_append_printf(line, "; %u accepted", report->accepted);
	printf("%s\n", line->str);
}

static void print(const struct request *request, const struct report *report)
{
	const struct lint_findings *findings = report->result.findings;
	g_autofree char *error = NULL;
	AUTO_JSON json_t *json = NULL;

	switch (request->format) {
	case FORMAT_JSON:
		json = lint_findings_to_json(findings);
		break;
	case FORMAT_SARIF:
		json = lint_findings_to_sarif(findings, report->sources);
		break;
	case FORMAT_GCC:
		lint_print_lines(findings);
		return;
	case FORMAT_TABLE:
		if (findings->all->len)
			lint_print_table(findings, args_value(request->args, "output"), &error);
		print_summary(report);
		return;
	}
	output_json(json);
}

static enum exit_status write_baseline(const struct request *request, const struct report *report,
				       struct diag *diag)
{
	const char *path = args_value(request->args, "write-baseline");
	const struct lint_findings *findings = report->result.findings;
	g_autofree char *count = units_count(findings->all->len, "finding");

	if (lint_baseline_write(path, findings, report->baseline, diag))
		return output_failure(request->args, diag);
	if (request->format == FORMAT_TABLE)
		output_text("%s: %s accepted\n", path, count);
	else
		print(request, report);
	return EXIT_DONE;
}

static enum exit_status verdict(const struct request *request, const struct lint_findings *findings)
{
	for (guint i = 0; i < findings->all->len; i++)
		if ((int)((const struct lint_finding *)findings->all->pdata[i])->check->severity >=
		    request->fail_on)
			return EXIT_FAILED;
	return EXIT_DONE;
}

static enum exit_status explain(const struct args *args)
{
	const char *name = args_value(args, "explain");
	const struct lint_check *check = lint_check_find(name);
	g_autofree char *error = check ? NULL : unknown_check(name);

	if (!check)
		return output_usage_error(args, "%s", error);
	lint_print_check(check);
	return EXIT_DONE;
}

enum exit_status command_lint(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(report_clear) struct report report = {0};
	struct request request = {.args = args};
	g_autofree char *error = NULL;

	if (args_value(args, "explain"))
		return explain(args);
	if (read_request(&request, &error))
		return output_usage_error(args, "%s", error);
	if (read_all(args, &report, diag))
		return output_failure(args, diag);
	lint_run(report.sources, report.model, report.live, &report.result);
	if (args_value(args, "write-baseline")) {
		lint_findings_filter(report.result.findings, is_asked_for, &request);
		return write_baseline(&request, &report, diag);
	}
	accept(args, &report);
	lint_findings_filter(report.result.findings, is_asked_for, &request);
	print(&request, &report);
	return verdict(&request, report.result.findings);
}
