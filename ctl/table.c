/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table.c - see table.h. */
#include "ctl/table.h"

#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <string.h>

#include "ctl/output.h"
#include "ctl/units.h"
#include "rulesd/cleanup.h"
#include "rulesd/nearest.h"

#define GAP	   1u /* between columns */
#define LIST_LEAST 8u /* no column is made narrower than this */

/* A column that is shown, with its cells as text. */
struct shown {
	const struct column *column;
	GPtrArray *cells;   /* of char * */
	unsigned int width; /* that it is given, in cells of the terminal */
	unsigned int least; /* that it needs */
};

static void free_shown(void *data)
{
	g_ptr_array_unref(((struct shown *)data)->cells);
}

char *table_cell(const json_t *row, const json_t *value)
{
	GString *joined;
	const json_t *item;
	size_t i;

	switch (json_typeof(value)) {
	case JSON_STRING:
		return g_strdup(json_string_value(value));
	case JSON_INTEGER:
		return g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	case JSON_REAL:
		return g_strdup_printf("%.3g", json_real_value(value));
	case JSON_TRUE:
		return g_strdup("yes");
	case JSON_FALSE:
		return g_strdup("no");
	case JSON_ARRAY:
		joined = g_string_new(NULL);
		json_array_foreach (value, i, item) {
			g_autofree char *text = table_cell(row, item);

			g_string_append_printf(joined, "%s%s", i ? ", " : "", text);
		}
		if (!joined->len)
			g_string_append(joined, "-");
		return g_string_free(joined, FALSE);
	default:
		return g_strdup("-");
	}
}

char *table_cell_bytes(const json_t *row, const json_t *value)
{
	return json_is_integer(value) ? units_bytes((uint64_t)json_integer_value(value))
				      : table_cell(row, value);
}

char *table_cell_age(const json_t *row, const json_t *value)
{
	return json_is_number(value) ? units_age(json_number_value(value)) : table_cell(row, value);
}

char *table_cell_direction(const json_t *row, const json_t *value)
{
	const char *name = json_string_value(value);

	if (name && !strcmp(name, "ingress"))
		return g_strdup("in");
	if (name && !strcmp(name, "egress"))
		return g_strdup("out");
	return table_cell(row, value);
}

static const struct column *find(const struct column *columns, const char *title, size_t length)
{
	for (const struct column *c = columns; c->title; c++)
		if (strlen(c->title) == length && !g_ascii_strncasecmp(c->title, title, length))
			return c;
	return NULL;
}

static int unknown_column(const struct column *columns, const char *name, char **error)
{
	g_autofree char *upper = g_ascii_strup(name, -1);
	g_autoptr(GString) all = g_string_new(NULL);
	struct nearest nearest;

	nearest = nearest_new(upper);
	for (const struct column *c = columns; c->title; c++) {
		nearest_offer(&nearest, c->title);
		g_string_append_printf(all, "%s%s", all->len ? "," : "", c->title);
	}
	if (nearest.best)
		*error = g_strdup_printf("unknown column %s; did you mean %s?", name, nearest.best);
	else
		*error = g_strdup_printf("unknown column %s; there are %s", name, all->str);
	return -EINVAL;
}

/* Appends the columns that chosen names to list. */
static int choose(const struct column *columns, const char *chosen, GPtrArray *list, char **error)
{
	g_auto(GStrv) names = NULL;

	if (!chosen || *chosen == '+')
		for (const struct column *c = columns; c->title; c++)
			if (!(c->flags & COLUMN_EXTRA))
				g_ptr_array_add(list, (void *)(uintptr_t)c);
	if (!chosen)
		return 0;
	names = g_strsplit(chosen + (*chosen == '+'), ",", -1);
	for (char **name = names; *name; name++) {
		const struct column *column = find(columns, *name, strlen(*name));

		if (!column)
			return unknown_column(columns, *name, error);
		if (!g_ptr_array_find(list, column, NULL))
			g_ptr_array_add(list, (void *)(uintptr_t)column);
	}
	return 0;
}

int table_check(const struct column *columns, const char *chosen, char **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new();

	return choose(columns, chosen, list, error);
}

static unsigned int text_width(const char *text)
{
	unsigned int width = 0;

	for (const char *p = text; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		width += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
	}
	return width;
}

static unsigned int widest(const struct shown *shown)
{
	unsigned int width = text_width(shown->column->title);

	for (guint i = 0; i < shown->cells->len; i++)
		width = MAX(width, text_width(g_ptr_array_index(shown->cells, i)));
	return width;
}

/* The end of the part that text starts with and that stays on one line. */
static const char *part_end(const char *text, unsigned int flags)
{
	const char *end = text + strcspn(text, flags & COLUMN_RULE ? " /" : " ");

	return *end == '/' ? end + 1 : end;
}

static unsigned int part_width(const char *text, const char *end)
{
	g_autofree char *part = g_strndup(text, (size_t)(end - text));

	return text_width(part);
}

static bool may_wrap(const struct shown *shown)
{
	return shown->column->flags & (COLUMN_LIST | COLUMN_RULE);
}

/* How narrow a column may become: its longest part. */
static unsigned int narrowest(const struct shown *shown)
{
	unsigned int width = MAX(LIST_LEAST, text_width(shown->column->title));

	for (guint i = 0; i < shown->cells->len; i++)
		for (const char *p = g_ptr_array_index(shown->cells, i); *p;) {
			const char *end = part_end(p, shown->column->flags);

			width = MAX(width, part_width(p, end));
			p = *end == ' ' ? end + 1 : end;
		}
	return MIN(width, widest(shown));
}

/* Breaks text between its parts so that no line is wider than width, where they permit. */
static char *fill(const char *text, unsigned int flags, unsigned int width)
{
	GString *out = g_string_new(NULL);
	unsigned int column = 0;
	bool space = false;

	for (const char *p = text; *p;) {
		const char *end = part_end(p, flags);
		unsigned int length = part_width(p, end);

		if (column && column + space + length > width) {
			g_string_append_c(out, '\n');
			column = 0;
		} else if (column && space) {
			g_string_append_c(out, ' ');
			column++;
		}
		g_string_append_len(out, p, end - p);
		column += length;
		space = *end == ' ';
		p = end + space;
	}
	return g_string_free(out, FALSE);
}

/* The widest column that can still become narrower, or NULL. */
static struct shown *widest_that_gives(GArray *shown)
{
	struct shown *best = NULL;

	for (guint i = 0; i < shown->len; i++) {
		struct shown *s = &g_array_index(shown, struct shown, i);

		if (s->width > s->least && (!best || s->width > best->width))
			best = s;
	}
	return best;
}

/* Makes list columns narrower, the widest first, until the table fits or they cannot give more. */
static void fit(GArray *shown, unsigned int terminal)
{
	unsigned int total = shown->len ? GAP * (shown->len - 1) : 0;
	struct shown *gives;

	for (guint i = 0; i < shown->len; i++) {
		struct shown *s = &g_array_index(shown, struct shown, i);

		s->width = widest(s);
		s->least = may_wrap(s) ? narrowest(s) : s->width;
		total += s->width;
	}
	while (total > terminal && (gives = widest_that_gives(shown))) {
		gives->width--;
		total--;
	}
	for (guint i = 0; i < shown->len; i++) {
		struct shown *s = &g_array_index(shown, struct shown, i);

		if (!may_wrap(s))
			continue;
		for (guint j = 0; j < s->cells->len; j++) {
			char *old = s->cells->pdata[j];

			s->cells->pdata[j] = fill(old, s->column->flags, s->width);
			g_free(old);
		}
	}
}

static struct shown render(const struct column *column, const json_t *rows)
{
	struct shown shown = {.column = column, .cells = g_ptr_array_new_with_free_func(g_free)};
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		const json_t *value = json_object_get(row, column->key);
		g_autofree char *text = NULL;

		if (column->cell)
			text = column->cell(row, value);
		else
			text = value ? table_cell(row, value) : g_strdup("-");
		g_ptr_array_add(shown.cells, output_escape(text));
	}
	return shown;
}

static bool says_something(const struct shown *shown)
{
	for (guint i = 0; i < shown->cells->len; i++) {
		const char *cell = g_ptr_array_index(shown->cells, i);

		if (strcmp(cell, "-") != 0 && strcmp(cell, "default") != 0)
			return true;
	}
	return false;
}

static const char *color_of(const char *cell)
{
	static const struct {
		const char *text;
		const char *color;
	} colors[] = {{"failed", "red"}, {"waiting", "yellow"}, {"filtering", "green"}};

	for (guint i = 0; i < G_N_ELEMENTS(colors); i++)
		if (!strcmp(cell, colors[i].text))
			return colors[i].color;
	return NULL;
}

static void cleanup_table(struct libscols_table **table)
{
	scols_unref_table(*table);
}

static void print(FILE *out, const GArray *shown, guint rows, unsigned int terminal)
{
	CLEANUP(cleanup_table) struct libscols_table *table = scols_new_table();
	bool colors = out == stdout && output_colors();

	if (!table)
		g_error("libsmartcols cannot make a table");
	scols_table_set_stream(table, out);
	scols_table_enable_colors(table, colors);
	if (terminal)
		scols_table_set_termwidth(table, terminal);
	for (guint i = 0; i < shown->len; i++) {
		const struct column *c = g_array_index(shown, struct shown, i).column;
		struct libscols_column *column = scols_table_new_column(
			table, c->title, 0,
			(c->flags & COLUMN_RIGHT ? SCOLS_FL_RIGHT : 0) |
				(c->flags & (COLUMN_LIST | COLUMN_RULE) ? SCOLS_FL_WRAP : 0));

		if (c->flags & (COLUMN_LIST | COLUMN_RULE)) {
			scols_column_set_safechars(column, "\n");
			scols_column_set_wrapfunc(column, scols_wrapnl_chunksize,
						  scols_wrapnl_nextchunk, NULL);
		}
	}
	for (guint j = 0; j < rows; j++) {
		struct libscols_line *line = scols_table_new_line(table, NULL);

		for (guint i = 0; i < shown->len; i++) {
			GPtrArray *cells = g_array_index(shown, struct shown, i).cells;
			const char *color = colors ? color_of(cells->pdata[j]) : NULL;

			/* The line's from now on: there may be a million. */
			scols_line_refer_data(line, i, g_steal_pointer(&cells->pdata[j]));
			if (color)
				scols_cell_set_color(scols_line_get_cell(line, i), color);
		}
	}
	scols_print_table(table);
}

static int print_rows(FILE *out, const struct column *columns, const json_t *rows,
		      const char *chosen, char **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	g_autoptr(GArray) shown = g_array_new(FALSE, FALSE, sizeof(struct shown));
	unsigned int terminal = output_width_of(fileno(out));

	if (choose(columns, chosen, list, error))
		return -EINVAL;
	g_array_set_clear_func(shown, free_shown);
	for (guint i = 0; i < list->len; i++) {
		struct shown one = render(g_ptr_array_index(list, i), rows);

		if (one.column->flags & COLUMN_AUTO && !says_something(&one) &&
		    (!chosen || *chosen == '+'))
			free_shown(&one);
		else
			g_array_append_val(shown, one);
	}
	if (terminal)
		fit(shown, terminal);
	if (json_array_size(rows))
		print(out, shown, (guint)json_array_size(rows), terminal);
	else
		/* libsmartcols prints nothing at all for an empty table, which looks like a
		 * failure. */
		for (guint i = 0; i < shown->len; i++)
			fprintf(out, "%s%c", g_array_index(shown, struct shown, i).column->title,
				i + 1 < shown->len ? ' ' : '\n');
	return 0;
}

int table_print(const struct column *columns, const json_t *rows, const char *chosen, char **error)
{
	return print_rows(stdout, columns, rows, chosen, error);
}

void table_print_to(FILE *out, const struct column *columns, const json_t *rows)
{
	print_rows(out, columns, rows, NULL, NULL);
}
