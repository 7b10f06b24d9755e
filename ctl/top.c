/* SPDX-License-Identifier: GPL-2.0-or-later */
/* top.c - sgctl top: the screen and its keys. See top.h. */
#include "ctl/top.h"

#include <curses.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/args.h"
#include "ctl/command.h"
#include "ctl/endpoint.h"
#include "ctl/output.h"
#include "rulesd/cleanup.h"

#define DEFAULT_SECONDS "2"

struct screen {
	const struct args *args;
	enum top_view view;
	const char *sort[TOP_VIEWS];
	unsigned int seconds;
	bool paused;
	struct top_look *before, *now;
};

static void forget(struct screen *screen)
{
	top_look_free(&screen->before);
	top_look_free(&screen->now);
}

static int look(struct screen *screen, struct diag *diag)
{
	struct top_look *fresh = NULL;
	int error = top_look(screen->args, screen->view, &fresh, diag);

	if (error)
		return error;
	top_look_free(&screen->before);
	screen->before = TAKE_PTR(screen->now);
	screen->now = fresh;
	return 0;
}

/* ---------------------------------------------------------------- drawing */

static char *cell_text(const struct column *column, const json_t *row)
{
	const json_t *value = json_object_get(row, column->key);
	g_autofree char *text = column->cell ? column->cell(row, value) : table_cell(row, value);

	return output_escape(text);
}

static GArray *widths_of(const struct column *columns, const json_t *rows)
{
	GArray *widths = g_array_new(FALSE, TRUE, sizeof(glong));

	for (const struct column *c = columns; c->title; c++) {
		glong width = (glong)strlen(c->title);
		const json_t *row;
		size_t i;

		json_array_foreach (rows, i, row) {
			g_autofree char *text = cell_text(c, row);

			width = MAX(width, g_utf8_strlen(text, -1));
		}
		g_array_append_val(widths, width);
	}
	return widths;
}

static void draw_cell(int y, int *x, const char *text, glong width, bool right)
{
	int pad = (int)(width - g_utf8_strlen(text, -1));

	if (*x >= COLS)
		return;
	if (right && pad > 0 && *x + pad < COLS)
		mvaddnstr(y, *x + pad, text, COLS - *x - pad);
	else
		mvaddnstr(y, *x, text, COLS - *x);
	*x += (int)width + 1;
}

static void draw_head(const struct screen *screen, const struct column *columns,
		      const GArray *widths)
{
	int x = 0, i = 0;

	for (const struct column *c = columns; c->title; c++, i++) {
		bool sorted = !strcmp(c->key, screen->sort[screen->view]);

		attron(sorted ? A_REVERSE | A_BOLD : A_BOLD);
		draw_cell(2, &x, c->title, g_array_index(widths, glong, i),
			  c->flags & COLUMN_RIGHT);
		attroff(A_REVERSE | A_BOLD);
	}
}

static void draw_status(const struct screen *screen, size_t rows)
{
	move(0, 0);
	for (int view = 0; view < TOP_VIEWS; view++) {
		if (view == (int)screen->view)
			attron(A_REVERSE);
		printw(" %d %s ", view + 1, top_subjects[view].title);
		attroff(A_REVERSE);
	}
	printw("  %zu rows, every %u s%s", rows, screen->seconds,
	       screen->paused	? ", paused"
	       : screen->before ? ""
				: ", waiting for a second look");
	mvaddnstr(1, 0, "Tab or 1-3 view   < > sort   space pause   + - seconds   q quit", COLS);
}

static void draw(const struct screen *screen)
{
	const struct column *columns = top_subjects[screen->view].columns;
	AUTO_JSON json_t *rows = top_rows(screen->before, screen->now, screen->sort[screen->view]);
	size_t all = json_array_size(rows);
	const json_t *row;
	size_t i;

	erase();
	draw_status(screen, all);
	while (LINES > 4 && json_array_size(rows) > (size_t)LINES - 3)
		json_array_remove(rows, json_array_size(rows) - 1);
	g_autoptr(GArray) widths = widths_of(columns, rows);

	draw_head(screen, columns, widths);
	json_array_foreach (rows, i, row) {
		int x = 0, at = 0;

		for (const struct column *c = columns; c->title; c++, at++) {
			g_autofree char *text = cell_text(c, row);

			draw_cell((int)i + 3, &x, text, g_array_index(widths, glong, at),
				  c->flags & COLUMN_RIGHT);
		}
	}
	refresh();
}

/* ---------------------------------------------------------------- keys */

/* The next or previous column becomes the one that sorts. */
static void move_sort(struct screen *screen, int step)
{
	const struct column *columns = top_subjects[screen->view].columns;
	int count = 0, at = 0;

	for (; columns[count].title; count++)
		if (!strcmp(columns[count].key, screen->sort[screen->view]))
			at = count;
	if (count)
		screen->sort[screen->view] = columns[(at + step + count) % count].key;
}

static void change_view(struct screen *screen, enum top_view view)
{
	if (view == screen->view)
		return;
	screen->view = view;
	forget(screen);
}

/* False: quit. */
static bool press(struct screen *screen, int key)
{
	switch (key) {
	case 'q':
	case 27: /* escape */
		return false;
	case '\t':
		change_view(screen, (screen->view + 1) % TOP_VIEWS);
		break;
	case '1':
	case '2':
	case '3':
		change_view(screen, (enum top_view)(key - '1'));
		break;
	case '<':
	case KEY_LEFT:
		move_sort(screen, -1);
		break;
	case '>':
	case KEY_RIGHT:
		move_sort(screen, 1);
		break;
	case ' ':
		screen->paused = !screen->paused;
		break;
	case '+':
		screen->seconds++;
		break;
	case '-':
		screen->seconds = MAX(screen->seconds - 1, 1);
		break;
	default:
		break;
	}
	return true;
}

static int show(struct screen *screen, struct diag *diag)
{
	gint64 next = 0;

	for (;;) {
		gint64 left;
		int key;

		if (!screen->now || (!screen->paused && g_get_monotonic_time() >= next)) {
			int error = look(screen, diag);

			if (error)
				return error;
			next = g_get_monotonic_time() +
			       (screen->before ? screen->seconds * G_USEC_PER_SEC : 500000);
		}
		draw(screen);
		left = (next - g_get_monotonic_time()) / 1000;
		timeout(screen->paused ? -1 : (int)CLAMP(left, 10, 1000));
		key = getch();
		if (key != ERR && !press(screen, key))
			return 0;
	}
}

/* ---------------------------------------------------------------- without a screen */

static int print_batch(struct screen *screen, uint64_t rounds, struct diag *diag)
{
	int error = look(screen, diag);

	for (uint64_t i = 0; !error && i < rounds; i++) {
		AUTO_JSON json_t *rows = NULL;

		sleep(screen->seconds);
		error = look(screen, diag);
		if (error)
			return error;
		rows = top_rows(screen->before, screen->now, screen->sort[screen->view]);
		if (args_flag(screen->args, "json"))
			output_json(rows);
		else
			table_print(top_subjects[screen->view].columns, rows, NULL, NULL);
		fflush(stdout);
	}
	return error;
}

static int read_view(const char *text, enum top_view *view)
{
	for (unsigned int i = 0; i < TOP_VIEWS; i++)
		if (!text || !strcmp(text, top_subjects[i].title)) {
			*view = (enum top_view)i;
			return 0;
		}
	return -EINVAL;
}

enum exit_status command_top(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct screen screen = {.args = args};
	const char *seconds = args_value(args, "seconds"), *rounds = args_value(args, "batch");
	g_autofree char *error = NULL;
	uint64_t number = 0, count = 1;
	int result;

	if (read_view(args_value(args, "view"), &screen.view))
		return output_usage_error(
			args, "unknown --view \"%s\"; there are interfaces, drops, flows",
			args_value(args, "view"));
	if (endpoint_parse_number("--seconds", seconds ? seconds : DEFAULT_SECONDS, 1, 3600,
				  &number, &error) ||
	    (rounds && endpoint_parse_number("--batch", rounds, 1, 1000000, &count, &error)))
		return output_usage_error(args, "%s", error);
	if (args_flag(args, "json") && !rounds)
		return output_usage_error(args, "--json needs --batch N");
	if (!rounds && (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO)))
		return output_usage_error(args, "top needs a terminal; --batch N prints N times");
	screen.seconds = (unsigned int)number;
	for (int view = 0; view < TOP_VIEWS; view++)
		screen.sort[view] = top_subjects[view].sort;
	if (rounds) {
		result = print_batch(&screen, count, diag);
	} else {
		/* A daemon that does not answer is said before the screen is taken. */
		result = look(&screen, diag);
		if (!result) {
			initscr();
			cbreak();
			noecho();
			curs_set(0);
			keypad(stdscr, TRUE);
			result = show(&screen, diag);
			endwin();
		}
	}
	forget(&screen);
	return result ? output_failure(args, diag) : EXIT_DONE;
}
