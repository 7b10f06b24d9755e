/* SPDX-License-Identifier: GPL-2.0-or-later */
/* args.c - see args.h. */
#include "ctl/args.h"

#include <errno.h>
#include <string.h>

#include "ctl/command.h"
#include "rulesd/cleanup.h"
#include "rulesd/nearest.h"

/* An option as it stood on the command line, before the command was known. */
struct given {
	const struct option *option;
	char *value; /* NULL for a flag */
};

struct reader {
	struct args *args;
	GArray *given;		    /* of struct given */
	const struct option *lists; /* the list option that the word before belonged to, or NULL */
	char *unknown;		    /* the first option that no command has, as written */
};

static void free_given(void *data)
{
	g_free(((struct given *)data)->value);
}

static void free_strings(void *strings)
{
	g_ptr_array_unref(strings);
}

void args_free(struct args **args)
{
	if (!*args)
		return;
	g_ptr_array_unref((*args)->operands);
	g_hash_table_unref((*args)->values);
	g_free(TAKE_PTR(*args));
}

static void suggest_option(const struct command *command, const char *name, struct nearest *nearest)
{
	*nearest = nearest_new(name);
	for (const struct option *o = global_options; o->name; o++)
		nearest_offer(nearest, o->name);
	for (const struct option *o = command ? command->options : NULL; o && o->name; o++)
		nearest_offer(nearest, o->name);
}

static int unknown_option(const struct command *command, const char *written, char **error)
{
	g_autofree char *name = g_strndup(written + strspn(written, "-"),
					  strcspn(written + strspn(written, "-"), "="));
	g_autofree char *shown = g_strndup(written, strcspn(written, "="));
	g_autofree char *of = command ? g_strdup_printf(" of %s", command->name) : g_strdup("");
	struct nearest nearest;

	suggest_option(command, name, &nearest);
	if (nearest.best)
		*error = g_strdup_printf("unknown option %s%s; did you mean --%s?", shown, of,
					 nearest.best);
	else
		*error = g_strdup_printf("unknown option %s%s", shown, of);
	return -EINVAL;
}

static void keep(struct reader *reader, const struct option *option, const char *value)
{
	struct given given = {option, g_strdup(value)};

	g_array_append_val(reader->given, given);
	reader->lists = option->flags & OPTION_LIST ? option : NULL;
}

/* words[*i] starts with '-'; moves *i to the option's value when that is a word of its own. */
static int read_option(struct reader *reader, int count, char *const *words, int *i, char **error)
{
	const char *word = words[*i];
	const struct option *option;
	const char *value = NULL;
	g_autofree char *name = NULL;

	if (word[1] == '-') {
		const char *equals = strchr(word, '=');

		name = equals ? g_strndup(word + 2, (size_t)(equals - word) - 2)
			      : g_strdup(word + 2);
		option = option_find_anywhere(name);
		value = equals ? equals + 1 : NULL;
	} else {
		option = option_find_letter_anywhere(word[1]);
		value = word[1] && word[2] ? word + 2 : NULL;
		name = g_strdup(option ? option->name : word);
	}
	if (!option) {
		if (!reader->unknown)
			reader->unknown = g_strdup(word);
		reader->lists = NULL;
		return 0;
	}
	if (!option->argument && value) {
		*error = g_strdup_printf("--%s takes no value", name);
		return -EINVAL;
	}
	if (option->argument && !value) {
		if (*i + 1 >= count) {
			*error = g_strdup_printf("--%s needs a value (%s)", name, option->argument);
			return -EINVAL;
		}
		value = words[++*i];
	}
	if (option->argument && !*value) {
		*error = g_strdup_printf("--%s has an empty value (%s)", name, option->argument);
		return -EINVAL;
	}
	keep(reader, option, value);
	return 0;
}

static int unknown_command(const char *word, char **error)
{
	struct nearest nearest;

	nearest = nearest_new(word);
	for (const struct command *c = commands; c->name; c++)
		nearest_offer(&nearest, c->name);
	if (nearest.best)
		*error =
			g_strdup_printf("unknown command %s; did you mean %s?", word, nearest.best);
	else
		*error = g_strdup_printf("unknown command %s", word);
	return -EINVAL;
}

static int read_word(struct reader *reader, char *word, char **error)
{
	struct args *args = reader->args;

	if (!args->command) {
		args->command = command_find(word);
		reader->lists = NULL;
		if (args->command)
			return 0;
		/* The word may be the value of the option that nobody knows. */
		return reader->unknown ? unknown_option(NULL, reader->unknown, error)
				       : unknown_command(word, error);
	}
	if (reader->lists && args->operands->len >= args->command->operands_min) {
		keep(reader, reader->lists, word);
	} else {
		g_ptr_array_add(args->operands, word);
		reader->lists = NULL;
	}
	return 0;
}

static int add_value(struct args *args, const struct given *given, char **error)
{
	GPtrArray *values = g_hash_table_lookup(args->values, given->option->name);

	if (!values) {
		values = g_ptr_array_new_with_free_func(g_free);
		g_hash_table_insert(args->values, g_strdup(given->option->name), values);
	}
	if (!given->value)
		return 0;
	if (!(given->option->flags & OPTION_LIST)) {
		g_ptr_array_set_size(values, 0);
		g_ptr_array_add(values, g_strdup(given->value));
		return 0;
	}

	g_auto(GStrv) parts = g_strsplit(given->value, ",", -1);

	for (char **part = parts; *part; part++) {
		char *item = g_strstrip(*part);

		if (!*item) {
			*error = g_strdup_printf("--%s has an empty item in \"%s\"",
						 given->option->name, given->value);
			return -EINVAL;
		}
		g_ptr_array_add(values, g_strdup(item));
	}
	return 0;
}

/* What the command says about its options and operands. */
static int check(const struct reader *reader, char **error)
{
	struct args *args = reader->args;
	const struct command *command = args->command;

	for (guint i = 0; i < reader->given->len; i++) {
		const struct given *given = &g_array_index(reader->given, struct given, i);
		const char *name = given->option->name;

		/* Without a command only "sgctl --help" and "sgctl --version" make sense; main sees
		 * to it. */
		if (command && !option_find(command, name)) {
			g_autofree char *written = g_strdup_printf("--%s", name);

			return unknown_option(command, written, error);
		}
		if (add_value(args, given, error))
			return -EINVAL;
	}
	if (reader->unknown)
		return unknown_option(command, reader->unknown, error);
	if (!command || args_flag(args, "help"))
		return 0;
	if (args->operands->len > command->operands_max) {
		*error = g_strdup_printf("%s does not take \"%s\"", command->name,
					 args_operand(args, command->operands_max));
		return -EINVAL;
	}
	if (args->operands->len < command->operands_min) {
		*error = g_strdup_printf("incomplete; usage: sgctl %s", command->usage);
		return -EINVAL;
	}
	for (const struct option *o = command->options; o && o->name; o++)
		if (o->flags & OPTION_REQUIRED && !args_flag(args, o->name)) {
			*error = g_strdup_printf("%s needs --%s %s", command->name, o->name,
						 o->argument);
			return -EINVAL;
		}
	return 0;
}

static int read_all(struct reader *reader, int count, char *const *words, char **error)
{
	bool options = true;

	for (int i = 1; i < count; i++) {
		int result = 0;

		if (options && !strcmp(words[i], "--"))
			options = false;
		else if (options && words[i][0] == '-' && words[i][1])
			result = read_option(reader, count, words, &i, error);
		else
			result = read_word(reader, words[i], error);
		if (result)
			return result;
	}
	return check(reader, error);
}

int args_parse(int count, char *const *words, struct args **args, char **error)
{
	struct reader reader = {.args = g_new0(struct args, 1)};
	int result;

	reader.args->operands = g_ptr_array_new();
	reader.args->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_strings);
	reader.given = g_array_new(FALSE, FALSE, sizeof(struct given));
	g_array_set_clear_func(reader.given, free_given);
	*args = reader.args;
	result = read_all(&reader, count, words, error);
	g_array_unref(reader.given);
	g_free(reader.unknown);
	return result;
}

bool args_flag(const struct args *args, const char *option)
{
	return g_hash_table_contains(args->values, option);
}

const GPtrArray *args_list(const struct args *args, const char *option)
{
	return g_hash_table_lookup(args->values, option);
}

const char *args_value(const struct args *args, const char *option)
{
	const GPtrArray *values = args_list(args, option);

	return values && values->len ? g_ptr_array_index(values, values->len - 1) : NULL;
}

const char *args_operand(const struct args *args, unsigned int index)
{
	return index < args->operands->len ? g_ptr_array_index(args->operands, index) : NULL;
}
