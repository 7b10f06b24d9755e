/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ctl_args.c - the command line: options anywhere, lists, what is refused and with which
 * words. */
#include "ctl/args.h"

#include <errno.h>
#include <string.h>

#include "ctl/command.h"
#include "rulesd/cleanup.h"
#include "tests/lib/check.h"

/* Words as a shell would split them; the caller frees both. */
static struct args *parse(const char *line, int expected, char **error)
{
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	struct args *args = NULL;

	assert_int_equal(args_parse((int)g_strv_length(words), words, &args, error), expected);
	/* operands borrow the words: they live as long as the test */
	for (guint i = 0; i < args->operands->len; i++)
		args->operands->pdata[i] =
			(void *)(uintptr_t)g_intern_string(args->operands->pdata[i]);
	return args;
}

static struct args *parse_good(const char *line)
{
	g_autofree char *error = NULL;
	struct args *args = parse(line, 0, &error);

	assert_null(error);
	return args;
}

static void assert_refused(const char *line, const char *message)
{
	g_autofree char *error = NULL;
	CLEANUP(args_free) struct args *args = parse(line, -EINVAL, &error);

	assert_non_null(args);
	assert_string_equal(error, message);
}

static void assert_list(const struct args *args, const char *option, const char *expected)
{
	const GPtrArray *list = args_list(args, option);
	g_autoptr(GString) joined = g_string_new(NULL);

	assert_non_null(list);
	for (guint i = 0; i < list->len; i++)
		g_string_append_printf(joined, "%s%s", i ? " " : "",
				       (const char *)g_ptr_array_index(list, i));
	assert_string_equal(joined->str, expected);
}

static void options_stand_before_and_after_the_command(void **state)
{
	static const char *const lines[] = {
		"sgctl --json --socket /s show status",
		"sgctl show --socket=/s status --json",
		"sgctl show status --json --socket /s",
		"sgctl --socket /s -- show status --json",
		"sgctl --socket /t show --socket /s status --json",
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		CLEANUP(args_free) struct args *args = parse_good(lines[i]);

		assert_string_equal(args->command->name, "show");
		assert_string_equal(args_operand(args, 0), "status");
		assert_null(args_operand(args, 1));
		assert_string_equal(args_value(args, "socket"), "/s");
		assert_true(args_flag(args, "json"));
	}

	CLEANUP(args_free) struct args *last = parse_good(lines[4]);

	assert_string_equal(args_value(last, "socket"), "/s");
	/* after "--" a word is an operand, whatever it looks like */
	CLEANUP(args_free) struct args *ended = parse_good(lines[3]);

	assert_false(args_flag(ended, "json"));
	assert_string_equal(args_operand(ended, 1), "--json");
}

static void options_of_a_command_may_stand_before_it(void **state)
{
	CLEANUP(args_free) struct args *args = parse_good("sgctl --interface web-1 flows");

	(void)state;
	assert_string_equal(args->command->name, "flows");
	assert_string_equal(args_value(args, "interface"), "web-1");
	assert_refused("sgctl --interface web-1 apply x.json",
		       "unknown option --interface of apply");
}

static void lists_take_commas_repeats_and_following_words(void **state)
{
	CLEANUP(args_free)
	struct args *attach = parse_good(
		"sgctl attach tap0 --id w --address 10.0.0.5,fd00::5 10.0.0.6 --group sg-a --group "
		"sg-b --address 10.0.0.7");
	CLEANUP(args_free)
	struct args *first = parse_good("sgctl attach --id w --address 10.0.0.5 tap0");

	(void)state;
	assert_list(attach, "address", "10.0.0.5 fd00::5 10.0.0.6 10.0.0.7");
	assert_list(attach, "group", "sg-a sg-b");
	assert_string_equal(args_operand(attach, 0), "tap0");
	assert_null(args_operand(attach, 1));
	/* the operand that is still missing comes before more of a list */
	assert_string_equal(args_operand(first, 0), "tap0");
	assert_list(first, "address", "10.0.0.5");
	assert_refused("sgctl attach tap0 --id w --address 10.0.0.5,",
		       "--address has an empty item in \"10.0.0.5,\"");
}

static void short_options_take_their_value_joined_or_apart(void **state)
{
	CLEANUP(args_free) struct args *apart = parse_good("sgctl show rules -o RULE,PORTS");
	CLEANUP(args_free) struct args *joined = parse_good("sgctl show rules -oRULE,PORTS");
	CLEANUP(args_free) struct args *help = parse_good("sgctl attach -h");

	(void)state;
	assert_string_equal(args_value(apart, "output"), "RULE,PORTS");
	assert_string_equal(args_value(joined, "output"), "RULE,PORTS");
	/* help is given although the command line lacks what the command needs */
	assert_true(args_flag(help, "help"));
}

static void a_dash_is_an_operand(void **state)
{
	CLEANUP(args_free) struct args *args = parse_good("sgctl fmt -");

	(void)state;
	assert_string_equal(args_operand(args, 0), "-");
}

static void mistakes_are_named_with_what_would_be_right(void **state)
{
	(void)state;
	assert_refused("sgctl shwo", "unknown command shwo; did you mean show?");
	assert_refused("sgctl xyzzy", "unknown command xyzzy");
	assert_refused("sgctl flows --protocl tcp",
		       "unknown option --protocl of flows; did you mean --protocol?");
	assert_refused("sgctl --sokcet /s show status",
		       "unknown option --sokcet; did you mean --socket?");
	assert_refused("sgctl stats -q", "unknown option -q of stats");
	assert_refused("sgctl flows --protocol", "--protocol needs a value (P)");
	assert_refused("sgctl flows --protocol=", "--protocol has an empty value (P)");
	assert_refused("sgctl flows --json=yes", "--json takes no value");
	assert_refused("sgctl attach tap0 --address 10.0.0.5", "attach needs --id ID");
	assert_refused("sgctl validate", "incomplete; usage: sgctl validate PATH...");
	assert_refused("sgctl detach a b", "detach does not take \"b\"");
}

static void commands_of_later_take_any_option(void **state)
{
	CLEANUP(args_free)
	struct args *args = parse_good("sgctl lint --fail-on warning policy.json --json");

	(void)state;
	assert_string_equal(args->command->name, "lint");
	assert_true(args_flag(args, "json"));
}

/* What lets words before the command be read without knowing it. */
static void an_option_has_one_arity_in_every_command(void **state)
{
	(void)state;
	for (const struct command *c = commands; c->name; c++)
		for (const struct option *o = c->options; o && o->name; o++) {
			const struct option *anywhere = option_find_anywhere(o->name);

			if (!o->argument != !anywhere->argument)
				fail_msg("--%s of %s takes a value in one command only", o->name,
					 c->name);
			if ((o->flags & OPTION_LIST) != (anywhere->flags & OPTION_LIST))
				fail_msg("--%s of %s is a list in one command only", o->name,
					 c->name);
			if (o->letter)
				assert_ptr_equal(option_find_letter_anywhere(o->letter)->name,
						 option_find_anywhere(o->name)->name);
			for (const struct option *g = global_options; g->name; g++)
				assert_string_not_equal(g->name, o->name);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_stand_before_and_after_the_command),
		cmocka_unit_test(options_of_a_command_may_stand_before_it),
		cmocka_unit_test(lists_take_commas_repeats_and_following_words),
		cmocka_unit_test(short_options_take_their_value_joined_or_apart),
		cmocka_unit_test(a_dash_is_an_operand),
		cmocka_unit_test(mistakes_are_named_with_what_would_be_right),
		cmocka_unit_test(commands_of_later_take_any_option),
		cmocka_unit_test(an_option_has_one_arity_in_every_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
