/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_sarif.c - findings as SARIF 2.1.0 (Static Analysis Results Interchange Format, OASIS).
 *
 * "security-severity" and "precision" in the properties of a rule, and partialFingerprints, are
 * what GitHub reads beside the standard's own fields; GitLab and Azure DevOps read those.
 */
#include <string.h>

#include "ctl/lint_report.h"
#include "rulesd/cleanup.h"
#include "rulesd/load.h"

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

static const char *const levels[] = {
	[LINT_INFO] = "note", [LINT_WARNING] = "warning", [LINT_ERROR] = "error"};
/* CVSS-like, as text: 7.0 and more is "high" on GitHub, 4.0 "medium". */
static const char *const scores[] = {
	[LINT_INFO] = "2.0", [LINT_WARNING] = "5.0", [LINT_ERROR] = "8.0"};

/* ------------------------------------------------------------------ rules */

static json_t *sarif_rule(const struct lint_check *check)
{
	g_autofree char *title =
		g_strdup_printf("%c%s.", g_ascii_toupper(*check->title), check->title + 1);
	g_autofree char *markdown =
		g_strdup_printf("**%s** (`%s`)\n\n%s", title, check->name, check->text);

	return json_pack("{ss ss s{ss} s{ss} s{ss ss} s{ss} s{s[ss] ss ss}}", "id", check->code,
			 "name", check->name, "shortDescription", "text", title, "fullDescription",
			 "text", check->text, "help", "text", check->text, "markdown", markdown,
			 "defaultConfiguration", "level", levels[check->severity], "properties",
			 "tags", "security", "network", "precision", "very-high",
			 "security-severity", scores[check->severity]);
}

static json_t *sarif_rules(void)
{
	json_t *rules = json_array();

	for (int i = 0; i < LINT_CODES; i++)
		json_array_append_new(rules, sarif_rule(&lint_checks[i]));
	return rules;
}

/* ------------------------------------------------------------------ places */

/* Relative to the working directory, which CI has at the top of the repository, where possible. */
static char *uri_of(const char *file)
{
	g_autofree char *here = g_get_current_dir();
	g_autofree char *prefix = g_strconcat(here, strcmp(here, "/") ? "/" : "", NULL);
	g_autofree char *path = NULL;
	g_autofree char *escaped = NULL;

	if (strcmp(file, "-") == 0)
		return g_strdup("stdin");
	path = g_canonicalize_filename(file, here);
	if (g_str_has_prefix(path, prefix))
		return g_uri_escape_string(path + strlen(prefix), "/", TRUE);
	escaped = g_uri_escape_string(path, "/", TRUE);
	return g_strconcat("file://", escaped, NULL);
}

static const struct load_source *source_of(const GPtrArray *sources, const char *file)
{
	for (guint i = 0; i < sources->len; i++) {
		const struct load_source *source = g_ptr_array_index(sources, i);

		if (strcmp(source->name, file) == 0)
			return source;
	}
	return NULL;
}

/* Reads sources once from front to back: findings are sorted by place. */
struct reader {
	const GPtrArray *sources;
	const struct load_source *source;
	unsigned int line; /* that begins at offset */
	size_t offset;
};

static const char *line_at(struct reader *reader, const struct place *place, size_t *length)
{
	const char *end;

	if (!reader->source || strcmp(reader->source->name, place->file) != 0 ||
	    place->line < reader->line) {
		reader->source = source_of(reader->sources, place->file);
		reader->line = 1;
		reader->offset = 0;
	}
	if (!reader->source)
		return NULL;
	end = reader->source->text + reader->source->length;
	while (reader->line < place->line) {
		const char *from = reader->source->text + reader->offset;
		const char *feed = memchr(from, '\n', (size_t)(end - from));

		if (!feed)
			return NULL;
		reader->offset = (size_t)(feed - reader->source->text) + 1;
		reader->line++;
	}
	*length = reader->source->length - reader->offset;
	return reader->source->text + reader->offset;
}

/* Ours count bytes; SARIF's default is UTF-16 code units, from 1. The texts are valid UTF-8. */
static unsigned int column_of(struct reader *reader, const struct place *place)
{
	size_t length = 0;
	const char *line = line_at(reader, place, &length);
	unsigned int units = 1;

	if (!line)
		return place->column;
	for (size_t i = 0; i + 1 < place->column && i < length; i++) {
		uint8_t byte = (uint8_t)line[i];

		/* Each character once, by its first byte; beyond U+FFFF it takes two. */
		units += (byte & 0xc0) != 0x80;
		units += byte >= 0xf0;
	}
	return units;
}

static json_t *sarif_location(const struct lint_finding *finding, struct reader *reader)
{
	json_t *location = json_pack("{s[{ss ss}]}", "logicalLocations", "fullyQualifiedName",
				     finding->subject, "kind", "resource");
	g_autofree char *uri = NULL;

	if (!finding->place.file)
		return location;
	uri = uri_of(finding->place.file);
	json_object_set_new(location, "physicalLocation",
			    json_pack("{s{ss} s{si si}}", "artifactLocation", "uri", uri, "region",
				      "startLine", (int)finding->place.line, "startColumn",
				      (int)column_of(reader, &finding->place)));
	return location;
}

/* ------------------------------------------------------------------ results */

static json_t *sarif_result(const struct lint_finding *finding, struct reader *reader)
{
	g_autofree char *text =
		g_strdup_printf("%s: %s%s%s.", finding->subject, finding->message,
				finding->fix ? "; " : "", finding->fix ? finding->fix : "");

	return json_pack("{ss si ss s{ss} s[o] s{ss}}", "ruleId", finding->check->code, "ruleIndex",
			 (int)(finding->check - lint_checks), "level",
			 levels[finding->check->severity], "message", "text", text, "locations",
			 sarif_location(finding, reader), "partialFingerprints", "tapguardLint/v1",
			 finding->fingerprint);
}

json_t *lint_findings_to_sarif(const struct lint_findings *findings, const GPtrArray *sources)
{
	struct reader reader = {.sources = sources};
	json_t *results = json_array();

	for (guint i = 0; i < findings->all->len; i++)
		json_array_append_new(results,
				      sarif_result(g_ptr_array_index(findings->all, i), &reader));
	return json_pack("{ss ss s[{s{s{ss ss so}} ss so}]}", "$schema", SCHEMA, "version", "2.1.0",
			 "runs", "tool", "driver", "name", "sgctl lint", "semanticVersion",
			 TAPGUARD_VERSION, "rules", sarif_rules(), "columnKind", "utf16CodeUnits",
			 "results", results);
}
