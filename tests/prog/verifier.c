/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verifier.c - loads every BPF object and prints what this kernel's verifier says of each program;
 * fails when one is over its budget (tests/verifier.budget), or has none.
 *
 * usage: verifier [OBJECT...]   (default: all of .build/bpf)
 *
 * The kernel gives up at 1,000,000 instructions and 512 bytes of stack, and what a change costs
 * differs from kernel to kernel: so that a program that still loads here has not outgrown another
 * one unseen, the budget is a line a kernel and program.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tests/lib/measured.h"

#define OBJECTS	  ".build/bpf"
#define BUDGET	  "tests/verifier.budget"
#define STATS	  4 /* BPF_LOG_STATS of linux/bpf_verifier.h: the summary alone */
#define LOG_BYTES 65536

struct budget {
	char *program;
	unsigned int insns, stack;
	bool used;
};

static char kernel[64]; /* "6.1" */
static unsigned int passed, failed;

/* ------------------------------------------------------------------ budget */

static void budget_free(gpointer data)
{
	struct budget *budget = data;

	g_free(budget->program);
	g_free(budget);
}

/* The lines of this kernel. Exits when the file is wrong: nothing can be said then. */
static GPtrArray *read_budget(void)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(budget_free);
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	g_auto(GStrv) all = NULL;

	if (!g_file_get_contents(BUDGET, &text, NULL, &error)) {
		fprintf(stderr, "%s\n", error->message);
		exit(2);
	}
	all = g_strsplit(text, "\n", -1);
	for (unsigned int i = 0; all[i]; i++) {
		char release[64], program[64], rest;
		struct budget *budget;
		unsigned int insns, stack;

		if (!*g_strstrip(all[i]) || *all[i] == '#')
			continue;
		if (sscanf(all[i], "%63s %63s %u %u %c", release, program, &insns, &stack, &rest) !=
		    4) {
			fprintf(stderr, "%s:%u: want KERNEL PROGRAM MAX-INSNS MAX-STACK\n", BUDGET,
				i + 1);
			exit(2);
		}
		if (strcmp(release, kernel) != 0)
			continue;
		budget = g_new0(struct budget, 1);
		budget->program = g_strdup(program);
		budget->insns = insns;
		budget->stack = stack;
		g_ptr_array_add(lines, budget);
	}
	return lines;
}

static struct budget *find_budget(const GPtrArray *lines, const char *program)
{
	for (unsigned int i = 0; i < lines->len; i++) {
		struct budget *budget = g_ptr_array_index(lines, i);

		if (strcmp(budget->program, program) == 0)
			return budget;
	}
	return NULL;
}

/* ------------------------------------------------------------------ judgement */

static bool over(const char *program, const char *what, unsigned int is, unsigned int budget)
{
	if (is <= budget)
		return false;
	printf("not ok  %s %s: %u %s, the budget is %u (%s)\n", kernel, program, is, what, budget,
	       BUDGET);
	return true;
}

static void print_measured(const char *program, const struct measured *m)
{
	unsigned int sum = 0;

	for (unsigned int f = 0; f < m->frames; f++)
		sum += m->depth[f];
	printf("%-5s %-18s %7u insns %6u states (peak %5u)  stack %3u in the deepest chain, %4u "
	       "in %2u functions  xlated %6u  jited %6u\n",
	       kernel, program, m->insns, m->states, m->peak_states, m->stack, sum, m->frames,
	       m->xlated_bytes, m->jited_bytes);
}

/* Without any line of this kernel, its own limits are all that can be held. */
static bool is_within(const char *program, const struct measured *m, const GPtrArray *lines)
{
	struct budget limits = {.insns = 1000000, .stack = 512};
	struct budget *budget = lines->len ? find_budget(lines, program) : &limits;
	bool bad;

	if (!budget) {
		printf("not ok  %s %s: no budget; add a line to %s\n", kernel, program, BUDGET);
		return false;
	}
	budget->used = true;
	bad = over(program, "instructions", m->insns, budget->insns);
	bad |= over(program, "bytes of stack", m->stack, budget->stack);
	return !bad;
}

static void judge_program(struct bpf_program *program, const char *log, const GPtrArray *lines)
{
	const char *name = bpf_program__name(program);
	struct measured measured = {};

	if (!measured_parse(log, &measured)) {
		printf("not ok  %s %s: no statistics in the verifier's log: %s\n", kernel, name,
		       log);
		failed++;
		return;
	}
	measured_loaded(bpf_program__fd(program), &measured);
	print_measured(name, &measured);
	if (!measured.stack) {
		printf("not ok  %s %s: the kernel does not tell which function calls which\n",
		       kernel, name);
		failed++;
	} else if (is_within(name, &measured, lines)) {
		passed++;
	} else {
		failed++;
	}
}

/* ------------------------------------------------------------------ loading */

static char last_line[512];

static int keep_line(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level == LIBBPF_WARN && !last_line[0])
		vsnprintf(last_line, sizeof(last_line), format, arguments);
	return 0;
}

/* Why the verifier refuses is at the end of its long log. */
static void show_refusal(const char *log)
{
	g_auto(GStrv) lines = g_strsplit(log, "\n", -1);
	unsigned int count = g_strv_length(lines);

	for (unsigned int i = count > 12 ? count - 12 : 0; i < count; i++)
		printf("        %s\n", lines[i]);
}

static void load_object(const char *path, const GPtrArray *lines)
{
	g_autoptr(GPtrArray) logs = g_ptr_array_new_with_free_func(g_free);
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program;
	struct bpf_map *map;
	unsigned int i = 0;
	int code;

	if (!object) {
		printf("not ok  %s: cannot open it: %s\n", path, strerror(errno));
		failed++;
		return;
	}
	/* Maps of its own: this looks at programs, and shares nothing with an instance. */
	bpf_object__for_each_map(map, object) bpf_map__set_pin_path(map, NULL);
	bpf_object__for_each_program(program, object)
	{
		char *log = g_malloc0(LOG_BYTES);

		g_ptr_array_add(logs, log);
		bpf_program__set_log_level(program, STATS);
		bpf_program__set_log_buf(program, log, LOG_BYTES);
	}
	last_line[0] = '\0';
	code = bpf_object__load(object);
	bpf_object__for_each_program(program, object)
	{
		const char *log = g_ptr_array_index(logs, i++);

		if (bpf_program__fd(program) >= 0) {
			judge_program(program, log, lines);
		} else if (*log) {
			printf("not ok  %s %s: refused\n", kernel, bpf_program__name(program));
			show_refusal(log);
			failed++;
		}
	}
	if (code) {
		printf("not ok  %s %s: %s: %s\n", kernel, path, strerror(-code),
		       g_strchomp(last_line));
		failed++;
	}
	bpf_object__close(object);
}

static gint by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *object_files(int argc, char **argv)
{
	GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) error = NULL;
	g_autoptr(GDir) dir = NULL;
	const char *name;

	for (int i = 1; i < argc; i++)
		g_ptr_array_add(files, g_strdup(argv[i]));
	if (files->len > 0)
		return files;
	dir = g_dir_open(OBJECTS, 0, &error);
	if (!dir) {
		fprintf(stderr, "%s\n", error->message);
		exit(2);
	}
	while ((name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, ".bpf.o"))
			g_ptr_array_add(files, g_build_filename(OBJECTS, name, NULL));
	g_ptr_array_sort(files, by_text);
	return files;
}

/* A line of a program that is gone would be taken for one that holds. */
static void check_all_used(const GPtrArray *lines)
{
	for (unsigned int i = 0; i < lines->len; i++) {
		const struct budget *budget = g_ptr_array_index(lines, i);

		if (budget->used)
			continue;
		printf("not ok  %s %s: a budget, but no such program was loaded\n", kernel,
		       budget->program);
		failed++;
	}
}

int main(int argc, char **argv)
{
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	g_autoptr(GPtrArray) lines = NULL, files = NULL;
	unsigned int major = 0, minor = 0;
	struct utsname name;

	if (geteuid() != 0) {
		printf("skip: needs root: run it as 'sudo make verifier'\n");
		return 77;
	}
	if (uname(&name) || sscanf(name.release, "%u.%u", &major, &minor) != 2) {
		fprintf(stderr, "uname: no version in '%s'\n", name.release);
		return 2;
	}
	g_snprintf(kernel, sizeof(kernel), "%u.%u", major, minor);
	lines = read_budget();
	files = object_files(argc, argv);
	setrlimit(RLIMIT_MEMLOCK, &unlimited); /* Kernel < 5.11: BPF memory counts against it */
	libbpf_set_print(keep_line);
	for (unsigned int i = 0; i < files->len; i++)
		load_object(g_ptr_array_index(files, i), lines);
	if (argc == 1)
		check_all_used(lines);
	if (!lines->len) {
		printf("skip: %s says nothing of kernel %s: only its own limits were held\n",
		       BUDGET, kernel);
		printf("%u passed, %u failed, 1 skipped\n", passed, failed);
	} else {
		printf("%u passed, %u failed\n", passed, failed);
	}
	return failed != 0;
}
