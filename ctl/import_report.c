/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import_report.c - see import_report.h. */
#include "ctl/import_report.h"

#include <stdarg.h>

#include "rulesd/cleanup.h"

static const char *const effects[] = {
	[IMPORT_SAME] = "same",	  [IMPORT_ASSUMED] = "assumed",	  [IMPORT_NARROWER] = "narrower",
	[IMPORT_WIDER] = "wider", [IMPORT_LEFT_OUT] = "left-out",
};

struct import_report *import_report_new(void)
{
	struct import_report *report = g_new0(struct import_report, 1);

	report->findings = json_array();
	return report;
}

void import_report_free(struct import_report **report)
{
	if (!*report)
		return;
	json_decref((*report)->findings);
	g_free(TAKE_PTR(*report));
}

static void add(struct import_report *report, enum import_effect effect, const char *code,
		const char *object, const char *file, const char *pointer, const char *format,
		va_list args)
{
	g_autofree char *message = NULL;

	if (json_array_size(report->findings) >= IMPORT_MAX_FINDINGS) {
		report->left_out++;
		return;
	}
	message = g_strdup_vprintf(format, args);
	json_array_append_new(report->findings,
			      json_pack("{s:s, s:s, s:s?, s:s, s:s?, s:s?}", "effect",
					effects[effect], "code", code, "object", object, "message",
					message, "file", file, "pointer", pointer));
}

void import_report_add(struct import_report *report, enum import_effect effect, const char *code,
		       const char *object, const struct import_node *node, const char *format, ...)
{
	g_autofree char *pointer = node ? import_pointer(node) : NULL;
	va_list args;

	va_start(args, format);
	add(report, effect, code, object, node ? node->file : NULL, pointer, format, args);
	va_end(args);
}

void import_report_add_at(struct import_report *report, enum import_effect effect, const char *code,
			  const char *object, const char *file, const char *pointer,
			  const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(report, effect, code, object, file, pointer, format, args);
	va_end(args);
}

unsigned int import_report_count(const struct import_report *report)
{
	return (unsigned int)json_array_size(report->findings) + report->left_out;
}
