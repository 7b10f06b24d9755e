/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.c - see report.h.
 */
#include "tests/bench/report.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

#define DIRECTORY ".build/bench"

/* ------------------------------------------------------------------ the machine */

static double load_now(void)
{
	double load = 0;

	return getloadavg(&load, 1) == 1 ? load : -1;
}

/* The first line of a file without its newline, or "". The caller frees. */
static char *first_line(const char *path)
{
	char *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return g_strdup("");
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* The value of "KEY : VALUE" in a file of /proc, or "". The caller frees. */
static char *proc_value(const char *path, const char *key)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return g_strdup("");
	lines = g_strsplit(text, "\n", -1);
	for (unsigned int i = 0; lines[i]; i++) {
		const char *colon = strchr(lines[i], ':');

		if (colon && g_str_has_prefix(lines[i], key))
			return g_strstrip(g_strdup(colon + 1));
	}
	return g_strdup("");
}

static struct bench_ticks ticks_now(unsigned int measuring)
{
	struct bench_ticks ticks = {0};
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (!g_file_get_contents("/proc/stat", &text, NULL, NULL))
		return ticks;
	lines = g_strsplit(text, "\n", -1);
	for (unsigned int i = 0; lines[i]; i++) {
		unsigned long long user, nice, system, idle, wait, irq, soft, steal, all;
		unsigned int cpu;

		if (sscanf(lines[i], "cpu%u %llu %llu %llu %llu %llu %llu %llu %llu", &cpu, &user,
			   &nice, &system, &idle, &wait, &irq, &soft, &steal) != 9)
			continue;
		all = user + nice + system + idle + wait + irq + soft + steal;
		if (cpu == measuring) {
			ticks.own = all;
			ticks.stolen = steal;
		} else {
			ticks.others += all;
			ticks.others_busy += all - idle - wait;
		}
	}
	return ticks;
}

static double percent(unsigned long long part, unsigned long long of)
{
	return of ? 100.0 * (double)part / (double)of : 0;
}

/* What else happened while it ran, in percent of the time: the hypervisor had the measuring CPU;
 * the other CPUs were busy, the benchmark's own daemons among them. */
static double stolen(const struct bench *bench)
{
	struct bench_ticks now = ticks_now(bench->cpu);

	return percent(now.stolen - bench->ticks_before.stolen, now.own - bench->ticks_before.own);
}

static double others_busy(const struct bench *bench)
{
	struct bench_ticks now = ticks_now(bench->cpu);

	return percent(now.others_busy - bench->ticks_before.others_busy,
		       now.others - bench->ticks_before.others);
}

static json_t *machine(const struct bench *bench)
{
	g_autofree char *cpu = proc_value("/proc/cpuinfo", "model name");
	g_autofree char *memory = proc_value("/proc/meminfo", "MemTotal");
	g_autofree char *spectre = first_line("/sys/devices/system/cpu/vulnerabilities/spectre_v2");
	g_autofree char *jit = first_line("/proc/sys/net/core/bpf_jit_enable");
	g_autofree char *hypervisor = proc_value("/proc/cpuinfo", "flags");
	struct utsname kernel = {0};

	uname(&kernel);
	return json_pack("{s:s, s:i, s:s, s:b, s:s, s:s, s:s, s:s, s:i, s:f, s:f, s:f, s:f}", "cpu",
			 cpu, "cpus", (int)sysconf(_SC_NPROCESSORS_ONLN), "memory", memory,
			 "virtual", strstr(hypervisor, " hypervisor") != NULL, "kernel",
			 kernel.release, "architecture", kernel.machine, "spectre_v2", spectre,
			 "bpf_jit_enable", jit, "measured_on_cpu", (int)bench->cpu, "load_before",
			 bench->load_before, "load_after", load_now(), "percent_stolen",
			 stolen(bench), "percent_other_cpus_busy", others_busy(bench));
}

/* ------------------------------------------------------------------ JSON */

/* "flows=1 hook=xdp": numbers where they are numbers. */
static json_t *parameters_json(const char *parameters)
{
	json_t *object = json_object();
	g_auto(GStrv) words = g_strsplit(parameters, " ", -1);

	for (unsigned int i = 0; words[i]; i++) {
		const char *equals = strchr(words[i], '=');
		g_autofree char *key = NULL;
		char *end;
		double number;

		if (!equals)
			continue;
		key = g_strndup(words[i], (gsize)(equals - words[i]));
		number = g_ascii_strtod(equals + 1, &end);
		if (*end || end == equals + 1)
			json_object_set_new(object, key, json_string(equals + 1));
		else if (number == (double)(json_int_t)number)
			json_object_set_new(object, key, json_integer((json_int_t)number));
		else
			json_object_set_new(object, key, json_real(number));
	}
	return object;
}

static json_t *series_json(const struct bench_series *series)
{
	json_t *samples = json_array();

	for (guint i = 0; i < series->samples->len; i++)
		json_array_append_new(samples,
				      json_real(g_array_index(series->samples, double, i)));
	return json_pack("{s:s, s:s, s:o, s:s, s:f, s:f, s:f, s:i, s:o}", "metric", series->metric,
			 "variant", series->variant, "parameters",
			 parameters_json(series->parameters), "unit", series->unit, "median",
			 bench_median(series), "low", bench_quantile(series, 0.25), "high",
			 bench_quantile(series, 0.75), "runs", (int)series->samples->len, "samples",
			 samples);
}

static double value_of(const struct bench_comparison *comparison)
{
	return comparison->base ? bench_ratio(comparison->series, comparison->base)
				: bench_median(comparison->series);
}

static bool met(const struct bench_comparison *comparison)
{
	return value_of(comparison) <= comparison->goal;
}

static json_t *comparison_json(const struct bench_comparison *comparison)
{
	json_t *object = json_pack("{s:s, s:s, s:o, s:f}", "metric", comparison->series->metric,
				   "variant", comparison->series->variant, "parameters",
				   parameters_json(comparison->series->parameters),
				   comparison->base ? "ratio" : "amount", value_of(comparison));

	if (comparison->base)
		json_object_set_new(object, "baseline",
				    json_pack("{s:s, s:s, s:o}", "metric", comparison->base->metric,
					      "variant", comparison->base->variant, "parameters",
					      parameters_json(comparison->base->parameters)));
	if (comparison->goal > 0) {
		json_object_set_new(object, "goal", json_real(comparison->goal));
		json_object_set_new(object, "met", json_boolean(met(comparison)));
	}
	return object;
}

static void write_json(const struct bench *bench)
{
	AUTO_JSON json_t *document = json_object();
	json_t *results = json_array(), *comparisons = json_array(), *notes = json_array();
	g_autofree char *path = g_strdup_printf(DIRECTORY "/%s.json", bench->name);
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *date = g_date_time_format_iso8601(now);

	for (guint i = 0; i < bench->series->len; i++)
		json_array_append_new(results, series_json(g_ptr_array_index(bench->series, i)));
	for (guint i = 0; i < bench->comparisons->len; i++)
		json_array_append_new(comparisons,
				      comparison_json(&g_array_index(bench->comparisons,
								     struct bench_comparison, i)));
	for (guint i = 0; i < bench->notes->len; i++)
		json_array_append_new(notes, json_string(g_ptr_array_index(bench->notes, i)));
	json_object_set_new(document, "benchmark", json_string(bench->name));
	json_object_set_new(document, "what", json_string(bench->what));
	json_object_set_new(document, "date", json_string(date));
	/* tests/bench/run tells: it is no business of a program to know a repository. */
	json_object_set_new(document, "version",
			    json_string(getenv("BENCH_VERSION") ? getenv("BENCH_VERSION") : ""));
	json_object_set_new(document, "quick", json_boolean(bench->quick));
	json_object_set_new(document, "seconds",
			    json_real((double)(bench_now_ns() - bench->start_ns) / 1e9));
	json_object_set_new(document, "machine", machine(bench));
	json_object_set_new(document, "verdicts", json_integer(bench->verdicts));
	json_object_set_new(document, "wrong_verdicts", json_integer(bench->wrong));
	json_object_set_new(document, "notes", notes);
	json_object_set_new(document, "results", results);
	json_object_set_new(document, "comparisons", comparisons);
	if (g_mkdir_with_parents(DIRECTORY, 0755) < 0 ||
	    json_dump_file(document, path, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) < 0)
		fail_msg("cannot write %s: %s", path, strerror(errno));
	printf("written: %s\n\n", path);
}

/* ------------------------------------------------------------------ the tables */

static void cleanup_table(struct libscols_table **table)
{
	scols_unref_table(*table);
}

/* Titles that begin with '>' are of columns of numbers. */
static struct libscols_table *new_table(const char *const *titles, unsigned int count)
{
	struct libscols_table *table = scols_new_table();

	if (!table)
		g_error("libsmartcols cannot make a table");
	scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	scols_table_enable_nowrap(table, 1);
	for (unsigned int i = 0; i < count; i++) {
		bool number = titles[i][0] == '>';

		scols_table_new_column(table, titles[i] + number, 0, number ? SCOLS_FL_RIGHT : 0);
	}
	return table;
}

static void cell(struct libscols_line *line, size_t column, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void cell(struct libscols_line *line, size_t column, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	scols_line_set_data(line, column, text);
	g_free(text);
}

/* As many digits as there is in it. */
static void number_cell(struct libscols_line *line, size_t column, double value)
{
	cell(line, column, "%.*f", ABS(value) < 10 ? 2 : ABS(value) < 100 ? 1 : 0, value);
}

static void print_series(const struct bench *bench)
{
	static const char *const titles[] = {"METRIC", "PARAMETERS", "VARIANT", ">MEDIAN",
					     ">LOW",   ">HIGH",	     "UNIT",	">RUNS"};
	CLEANUP(cleanup_table)
	struct libscols_table *table = new_table(titles, G_N_ELEMENTS(titles));

	for (guint i = 0; i < bench->series->len; i++) {
		const struct bench_series *series = g_ptr_array_index(bench->series, i);
		struct libscols_line *line = scols_table_new_line(table, NULL);

		cell(line, 0, "%s", series->metric);
		cell(line, 1, "%s", series->parameters);
		cell(line, 2, "%s", series->variant);
		number_cell(line, 3, bench_median(series));
		number_cell(line, 4, bench_quantile(series, 0.25));
		number_cell(line, 5, bench_quantile(series, 0.75));
		cell(line, 6, "%s", series->unit);
		cell(line, 7, "%u", series->samples->len);
	}
	scols_print_table(table);
	printf("\n");
}

static unsigned int print_comparisons(const struct bench *bench)
{
	static const char *const titles[] = {"METRIC",	 "PARAMETERS", "VARIANT", ">RATIO",
					     "BASELINE", ">GOAL",      ""};
	CLEANUP(cleanup_table)
	struct libscols_table *table = new_table(titles, G_N_ELEMENTS(titles));
	unsigned int missed = 0;

	for (guint i = 0; i < bench->comparisons->len; i++) {
		const struct bench_comparison *comparison =
			&g_array_index(bench->comparisons, struct bench_comparison, i);
		const struct bench_series *series = comparison->series, *base = comparison->base;
		struct libscols_line *line = scols_table_new_line(table, NULL);

		cell(line, 0, "%s", series->metric);
		cell(line, 1, "%s", series->parameters);
		cell(line, 2, "%s", series->variant);
		cell(line, 3, base || value_of(comparison) < 10 ? "%.3f" : "%.0f",
		     value_of(comparison));
		if (!base)
			cell(line, 4, "(%s)", series->unit);
		else if (strcmp(base->variant, series->variant) == 0)
			cell(line, 4, "%s", base->parameters);
		else
			cell(line, 4, "%s", base->variant);
		if (comparison->goal <= 0)
			continue;
		cell(line, 5, base ? "%.2f" : "%.0f", comparison->goal);
		cell(line, 6, "%s", met(comparison) ? "met" : "MISSED");
		missed += !met(comparison);
	}
	if (bench->comparisons->len) {
		scols_print_table(table);
		printf("\n");
	}
	return missed;
}

void report_begin(struct bench *bench)
{
	bench->load_before = load_now();
	bench->ticks_before = ticks_now(bench->cpu);
	scols_init_debug(0);
	printf("\n%s: %s\n\n", bench->name, bench->what);
}

unsigned int report_end(const struct bench *bench)
{
	struct utsname kernel = {0};
	unsigned int missed;

	print_series(bench);
	missed = print_comparisons(bench);
	for (guint i = 0; i < bench->notes->len; i++)
		printf("note: %s\n", (const char *)g_ptr_array_index(bench->notes, i));
	uname(&kernel);
	printf("%s: %u verdicts, %u wrong; medians of as many runs as stand there, on CPU %u (%.1f %% "
	       "stolen), the other CPUs %.0f %% busy, load %.1f before, %.1f after; kernel %s; %.0f "
	       "s%s\n",
	       bench->name, bench->verdicts, bench->wrong, bench->cpu, stolen(bench),
	       others_busy(bench), bench->load_before, load_now(), kernel.release,
	       (double)(bench_now_ns() - bench->start_ns) / 1e9, bench->quick ? " (quick)" : "");
	write_json(bench);
	return missed;
}
