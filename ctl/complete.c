/* SPDX-License-Identifier: GPL-2.0-or-later */
/* complete.c - candidates for shells, out of the table of commands. See complete.h. */
#include "ctl/complete.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/command.h"
#include "ctl/policy_files.h"
#include "ctl/show.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"

#define PATIENCE_S 2
#define MOST_IDS   500

struct completion {
	const struct args *args; /* of the words before the one being typed */
	const char *word;	 /* the one being typed */
	guint offered;
};

static void offer(struct completion *completion, const char *candidate, const char *what)
{
	if (!g_str_has_prefix(candidate, completion->word) || completion->offered >= MOST_IDS)
		return;
	completion->offered++;
	if (what)
		printf("%s\t%s\n", candidate, what);
	else
		printf("%s\n", candidate);
}

static void offer_words(struct completion *completion, const char *words)
{
	g_auto(GStrv) list = g_strsplit(words, "|", -1);

	for (char **word = list; *word; word++)
		offer(completion, *word, NULL);
}

static void offer_files(void)
{
	printf(":files\n");
}

/* ---------------------------------------------------------------- ids */

static void offer_ids(struct completion *completion, const char *path, const char *key)
{
	CLEANUP(diag_free) struct diag *ignored = diag_new();
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	AUTO_JSON json_t *list = NULL;
	const json_t *object;
	size_t i;

	if (client_request(completion->args, "GET", path, NULL, &list, NULL, ignored))
		return;
	json_array_foreach (list, i, object) {
		const json_t *value = json_object_get(object, key);
		g_autofree char *number = json_is_integer(value)
						  ? g_strdup_printf("%" JSON_INTEGER_FORMAT,
								    json_integer_value(value))
						  : NULL;
		const char *id = number ? number : json_string_value(value);

		/* The list outlives the loop, a number's text does not: numbers are unique anyway.
		 */
		if (id && (number || g_hash_table_add(seen, (gpointer)(uintptr_t)id)))
			offer(completion, id, NULL);
	}
}

static void offer_keys(struct completion *completion, GHashTable *table)
{
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		offer(completion, key, NULL);
}

static void offer_interfaces(struct completion *completion, const struct model_network *network)
{
	for (guint i = 0; i < network->interfaces->len; i++)
		offer(completion,
		      ((const struct model_interface *)g_ptr_array_index(network->interfaces, i))
			      ->id,
		      NULL);
}

static void offer_rules(struct completion *completion, const struct model_network *network)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, network->groups);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct model_group *group = value;

		for (int dir = 0; dir < SG_DIRS; dir++)
			for (guint i = 0; i < group->rules[dir]->len; i++) {
				const struct model_rule *rule =
					g_ptr_array_index(group->rules[dir], i);
				g_autofree char *name =
					g_strdup_printf("%s/%s", group->id, rule->id);

				offer(completion, name, rule->description);
			}
	}
}

/* What an option or operand names, where the daemon lists it, and under which key. */
static const struct kind {
	const char *name;
	const char *path;
	const char *key;
} kinds[] = {
	{"interface", "/v1/interfaces", "id"},
	{"id", "/v1/interfaces", "id"},
	{"group", "/v1/groups", "id"},
	{"network", "/v1/groups", "network"},
	{"rule", "/v1/rules", "rule"},
	{"generation", "/v1/generations", "generation"},
	{0},
};

static void offer_of_model(struct completion *completion, const struct model *model,
			   const char *name)
{
	GHashTableIter iter;
	gpointer value;

	if (!strcmp(name, "network"))
		offer_keys(completion, model->networks);
	g_hash_table_iter_init(&iter, model->networks);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct model_network *network = value;

		if (!strcmp(name, "interface"))
			offer_interfaces(completion, network);
		else if (!strcmp(name, "group"))
			offer_keys(completion, network->groups);
		else if (!strcmp(name, "rule"))
			offer_rules(completion, network);
	}
}

/* Whether it is a kind of thing that has ids. */
static bool offer_kind(struct completion *completion, const char *name)
{
	const GPtrArray *paths = args_list(completion->args, "policy");
	CLEANUP(diag_free) struct diag *ignored = diag_new();
	CLEANUP(model_free) struct model *model = NULL;
	const struct kind *kind = kinds;

	while (kind->name && strcmp(kind->name, name) != 0)
		kind++;
	if (!kind->name)
		return false;
	if (!paths)
		offer_ids(completion, kind->path, kind->key);
	else if (!policy_files_load(paths, &model, ignored))
		offer_of_model(completion, model, name);
	return true;
}

static void offer_devices(struct completion *completion)
{
	g_autoptr(GDir) dir = g_dir_open("/sys/class/net", 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		offer(completion, name, NULL);
}

/* ---------------------------------------------------------------- where the cursor stands */

static void offer_states(struct completion *completion)
{
	const char *before = "";

	for (uint32_t state = 0; state < 16; state++) {
		const char *name = flow_state_name(IPPROTO_TCP, state);

		if (name && strcmp(name, before) != 0)
			offer(completion, name, NULL);
		before = name ? name : "";
	}
}

static void offer_value(struct completion *completion, const struct option *option)
{
	if (strchr(option->argument, '|'))
		offer_words(completion, option->argument);
	else if (!strcmp(option->name, "protocol"))
		offer_words(completion, "tcp|udp|icmp|icmpv6|sctp|gre|esp|ah|all");
	else if (!strcmp(option->name, "state"))
		offer_states(completion);
	else if (!offer_kind(completion, option->name))
		offer_files();
}

static void offer_options(struct completion *completion, const struct option *options)
{
	for (const struct option *o = options; o && o->name; o++) {
		g_autofree char *word = g_strconcat("--", o->name, NULL);

		offer(completion, word, o->help);
	}
}

static void offer_commands(struct completion *completion)
{
	for (const struct command *c = commands; c->name; c++)
		if (c->summary)
			offer(completion, c->name, c->summary);
}

/* "flows" of "flush flows [FILTER...]", "aws|nft" of "export aws|nft"; NULL when there is none. */
static char *operand_words(const struct command *command)
{
	const char *operand = strchr(command->usage, ' ');

	if (!operand || !g_ascii_islower(operand[1]))
		return NULL;
	return g_strndup(operand + 1, strcspn(operand + 1, " "));
}

static void offer_operand(struct completion *completion, const struct command *command)
{
	guint before = completion->args->operands->len;
	g_autofree char *words = operand_words(command);

	if (command->run == command_show && before == 0)
		for (const struct subject *s = show_subjects; s->name; s++)
			offer(completion, s->name, s->summary);
	else if (command->run == command_show)
		offer_kind(completion, "group");
	else if (command->run == command_help)
		offer_commands(completion);
	else if (command->run == command_rollback)
		offer_kind(completion, "generation");
	else if (command->run == command_attach || command->run == command_detach)
		offer_devices(completion);
	else if (command->run == command_wait)
		offer_kind(completion, "interface");
	else if (words && before == 0)
		offer_words(completion, words);
	else if (command->operands_max > before)
		offer_files();
	if (command->run == command_detach)
		offer_kind(completion, "interface");
}

/* The name of the option whose value is being typed, or NULL. bash makes words of "--format", "="
 * and "svg". */
static const char *value_of(struct completion *completion, int *count, char *const *words)
{
	const struct option *option = NULL;
	int last = *count - 1;

	if (last >= 1 && !strcmp(completion->word, "=")) {
		completion->word = "";
		(*count)--;
	} else if (last >= 2 && !strcmp(words[last - 1], "=")) {
		(*count)--;
	}
	last = *count - 1;
	if (last >= 1 && g_str_has_prefix(words[last - 1], "--"))
		option = option_find_anywhere(words[last - 1] + 2);
	if (!option || !option->argument)
		return NULL;
	(*count)--; /* without its value it would be an error to the parser */
	return words[last - 1] + 2;
}

void complete_print(int count, char *const *words)
{
	CLEANUP(args_free) struct args *args = NULL;
	g_autofree char *ignored = NULL;
	g_autofree char **line = g_new0(char *, count + 2);
	struct completion completion = {.word = count ? words[count - 1] : ""};
	const char *name = value_of(&completion, &count, words);
	const struct option *option;
	g_autofree char *program = g_strdup("sgctl");

	alarm(PATIENCE_S);
	line[0] = program;
	for (int i = 0; i + 1 < count; i++)
		line[i + 1] = words[i];
	args_parse(MAX(count, 1), line, &args, &ignored);
	completion.args = args;
	option = name ? option_find(args->command, name) : NULL;
	if (name) {
		offer_value(&completion, option ? option : option_find_anywhere(name));
	} else if (*completion.word == '-') {
		offer_options(&completion, args->command ? args->command->options : NULL);
		offer_options(&completion, global_options);
	} else if (args->command) {
		offer_operand(&completion, args->command);
	} else {
		offer_commands(&completion);
	}
}
