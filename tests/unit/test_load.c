/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_load.c - policies to models: golden files of every error, merging, files that are none,
 * interfaces of the API.
 *
 * tests/golden/policy/invalid/NAME.json and NAME.err, several/NAME/ and NAME.err hold what the
 * loader says, read through by hand; valid/ and schemas/examples must load.
 *
 * It is long because the loader has many ways to be wrong, and one fixture shows them all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rulesd/load.h"
#include "rulesd/names.h"
#include "tests/lib/check.h"
#include "tests/lib/policy.h"

#define GOLDEN "tests/golden/policy"

static void read_file(const char *path, char **text, size_t *length)
{
	GError *error = NULL;

	if (!g_file_get_contents(path, text, length, &error))
		fail_msg("%s", error->message);
}

/* What is said about one file, read as users have it read, but named without its folder. */
static char *errors_of_file(const char *folder, const char *name)
{
	g_autoptr(GPtrArray) sources = load_sources_new();
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *text = NULL;
	size_t length;

	read_file(path, &text, &length);
	policy_add_source(sources, name, text, length);
	return policy_errors(sources);
}

static void assert_golden(const char *name, const char *errors, const char *golden)
{
	g_autofree char *expected = NULL;
	size_t length;

	read_file(golden, &expected, &length);
	if (strcmp(errors, expected) != 0)
		fail_msg("%s: expected\n%sgot\n%s", name, expected, errors);
}

static void every_error_of_a_file_is_listed_with_its_place(void **state)
{
	g_autoptr(GPtrArray) names = policy_list(GOLDEN "/invalid", ".json");

	(void)state;
	assert_true(names->len >= 50);
	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		g_autofree char *errors = errors_of_file(GOLDEN "/invalid", name);
		g_autofree char *golden =
			g_strdup_printf(GOLDEN "/invalid/%.*s.err", (int)strlen(name) - 5, name);

		assert_string_not_equal(errors, "");
		assert_golden(name, errors, golden);
	}
}

static void errors_of_several_files_name_all_places(void **state)
{
	g_autoptr(GPtrArray) names = policy_list(GOLDEN "/several", ".err");

	(void)state;
	assert_true(names->len >= 3);
	for (guint i = 0; i < names->len; i++) {
		const char *golden = names->pdata[i];
		g_autofree char *name = g_strndup(golden, strlen(golden) - 4);
		g_autofree char *folder = g_build_filename(GOLDEN "/several", name, NULL);
		g_autofree char *path = g_build_filename(GOLDEN "/several", golden, NULL);
		g_autoptr(GPtrArray) files = policy_list(folder, ".json");
		g_autoptr(GPtrArray) sources = load_sources_new();
		g_autofree char *errors = NULL;

		for (guint j = 0; j < files->len; j++) {
			g_autofree char *file = g_build_filename(folder, files->pdata[j], NULL);
			g_autofree char *shown = g_build_filename(name, files->pdata[j], NULL);
			g_autofree char *text = NULL;
			size_t length;

			read_file(file, &text, &length);
			policy_add_source(sources, shown, text, length);
		}
		errors = policy_errors(sources);
		assert_golden(name, errors, path);
	}
}

static void valid_files_load(void **state)
{
	g_autoptr(GPtrArray) names = policy_list(GOLDEN "/valid", ".json");

	(void)state;
	assert_true(names->len >= 5);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *errors = errors_of_file(GOLDEN "/valid", names->pdata[i]);

		assert_string_equal(errors, "");
	}
}

/* ------------------------------------------------------------------ what the model holds */

static const struct model_rule *rule_at(const struct model *model, const char *group,
					enum sg_dir dir, guint index)
{
	const struct model_group *found = model_group(model, MODEL_DEFAULT_NETWORK, group);

	assert_non_null(found);
	assert_true(index < found->rules[dir]->len);
	return found->rules[dir]->pdata[index];
}

static void defaults_are_in_the_model(void **state)
{
	struct model *model = policy_model(
		"{\"version\": 1, \"groups\": {\"sg-a\": {}, \"sg-b\": {\"egress\": []}}, "
		"\"interfaces\": {\"i\": {}}}");
	const struct model_group *implied =
		model_group(model, MODEL_DEFAULT_NETWORK, MODEL_DEFAULT_GROUP);
	const struct model_interface *iface = model_interface(model, "i");
	const struct model_rule *egress = rule_at(model, "sg-a", SG_EGRESS, 0);
	const struct model_peer *self;
	struct model_conntrack conntrack = model_effective_conntrack(model, iface);

	(void)state;
	assert_string_equal(egress->id, MODEL_DEFAULT_EGRESS_RULE);
	assert_true(egress->implied);
	assert_int_equal(((struct model_match *)egress->matches->pdata[0])->protocol, SG_PROTO_ALL);
	assert_int_equal(((struct model_peer *)egress->peers->pdata[0])->kind, MODEL_PEER_ANY);
	assert_int_equal(model_group(model, "default", "sg-b")->rules[SG_EGRESS]->len, 0);
	assert_true(implied->implied);
	self = ((struct model_rule *)implied->rules[SG_INGRESS]->pdata[0])->peers->pdata[0];
	assert_string_equal(self->id, MODEL_DEFAULT_GROUP);
	assert_string_equal(self->network, MODEL_DEFAULT_NETWORK);
	assert_int_equal(implied->rules[SG_EGRESS]->len, 1);
	assert_int_equal(iface->groups->count, 1);
	assert_string_equal(iface->groups->ids[0], MODEL_DEFAULT_GROUP);
	assert_true(iface->settings->spoof_guard);
	assert_false(iface->attached);
	assert_int_equal(iface->settings->hook, MODEL_HOOK_AUTO);
	assert_int_equal(conntrack.max_flows, MODEL_DEFAULT_MAX_FLOWS);
	assert_int_equal(conntrack.tcp_established, MODEL_DEFAULT_TCP_ESTABLISHED);
	model_free(&model);
}

static void conntrack_of_an_interface_beats_its_networks(void **state)
{
	struct model *model = policy_model(
		"{\"version\": 1, \"networks\": {\"default\": {\"conntrack\": {\"udp\": 40, \"icmp\": 7}}}, "
		"\"interfaces\": {\"i\": {\"conntrack\": {\"udp\": 50, \"max_flows\": 9}}}}");
	struct model_conntrack conntrack =
		model_effective_conntrack(model, model_interface(model, "i"));

	(void)state;
	assert_int_equal(conntrack.udp, 50);
	assert_int_equal(conntrack.icmp, 7);
	assert_int_equal(conntrack.max_flows, 9);
	assert_int_equal(conntrack.other, MODEL_DEFAULT_OTHER);
	model_free(&model);
}

static void every_field_arrives_where_the_model_has_it(void **state)
{
	g_autofree char *text = NULL;
	struct model *model;
	const struct model_interface *iface;
	const struct model_rule *rule;
	const struct model_match *match;
	const struct model_network *network;
	char buffer[CIDR_TEXT_SIZE];
	size_t length;

	(void)state;
	read_file(GOLDEN "/valid/every-field.json", &text, &length);
	model = policy_model(text);
	iface = model_interface(model, "web-1");
	assert_string_equal(iface->settings->device, "tap0");
	assert_string_equal(iface->settings->host, "h1.example.com");
	assert_string_equal(iface->settings->description, "first");
	assert_true(iface->settings->has_mac);
	assert_int_equal(iface->settings->mac[5], 0xef);
	assert_int_equal(iface->address_count, 3);
	assert_string_equal(addr_format(&iface->addresses[1], buffer), "fd00::5");
	assert_int_equal(iface->settings->allowed_count, 4);
	assert_int_equal(iface->settings->vlan_count, 3);
	assert_int_equal(iface->settings->vlans[0], 1);
	assert_int_equal(iface->settings->hook, MODEL_HOOK_TCX);
	assert_false(iface->settings->spoof_guard);
	assert_int_equal(iface->settings->conntrack.udp_stream, 90);
	assert_string_equal(iface->groups->ids[1], "sg-bastion");

	rule = rule_at(model, "sg-web", SG_INGRESS, 0);
	assert_string_equal(rule->id, "https");
	assert_false(rule->derived);
	assert_string_equal(rule->description, "the web");
	match = rule->matches->pdata[0];
	assert_int_equal(match->protocol, 6);
	assert_int_equal(match->ports->len, 2);
	assert_int_equal(g_array_index(match->ports, struct model_ports, 1).last, 8080);
	assert_int_equal(match->icmp_type, -1);

	/* The policy's own ssh hides the preset; dns is a preset of two protocols. */
	rule = rule_at(model, "sg-web", SG_INGRESS, 1);
	assert_string_equal(rule->service, "ssh");
	match = rule->matches->pdata[0];
	assert_int_equal(g_array_index(match->ports, struct model_ports, 0).first, 2222);
	assert_string_equal(((struct model_peer *)rule->peers->pdata[2])->description, "VPN");
	assert_string_equal(((struct model_peer *)rule->peers->pdata[2])->peer_id, "vpn");
	assert_int_equal(rule_at(model, "sg-web", SG_INGRESS, 2)->matches->len, 3);
	assert_true(rule_at(model, "sg-web", SG_INGRESS, 3)->matches->len >= 2);

	match = rule_at(model, "sg-web", SG_INGRESS, 5)->matches->pdata[0];
	assert_int_equal(match->icmp_type, 3);
	assert_int_equal(match->icmp_code, 3);
	assert_null(match->ports);
	rule = rule_at(model, "sg-web", SG_INGRESS, 10);
	assert_string_equal(((struct model_peer *)rule->peers->pdata[0])->network, "blue");
	assert_string_equal(((struct model_peer *)rule->peers->pdata[2])->network, "default");

	network = model_network(model, "default");
	assert_int_equal(network->exempt->len, 5);
	assert_null(((struct model_exempt *)network->exempt->pdata[4])->ports);
	assert_int_equal(((struct model_exempt *)network->exempt->pdata[2])->protocol,
			 SG_PROTO_ALL);
	assert_int_equal(network->peers->len, 2);
	assert_true(model_group(model, "default", "sg-elsewhere")->external);
	assert_int_equal(model_group(model, "default", "sg-elsewhere")->rules[SG_EGRESS]->len, 0);
	assert_int_equal(model_prefix_list(model, "default", "pl-office")->entries->len, 3);
	assert_false(model_group(model, "default", "sg-default")->implied);
	assert_true(model_group(model, "blue", "sg-default")->implied);
	model_free(&model);
}

/* ------------------------------------------------------------------ derived ids */

static const char *only_rule(struct model **model, const char *rule)
{
	g_autofree char *text = g_strdup_printf(
		"{\"version\": 1, \"groups\": {\"sg-a\": {\"ingress\": [%s]}}}", rule);

	*model = policy_model(text);
	return rule_at(*model, "sg-a", SG_INGRESS, 0)->id;
}

static void derived_ids_depend_on_what_a_rule_means(void **state)
{
	static const char *const same[] = {
		"{\"protocol\": \"tcp\", \"ports\": [22, 80, 81], \"from\": [\"any\", \"10.0.0.0/8\"]}",
		"{\"from\": [\"10.0.0.0/8\", \"any\"], \"ports\": [\"80-81\", 22], \"protocol\": 6}",
		"{\"protocol\": \"tcp\", \"ports\": [\"80-81\", 22, 22], \"from\": [\"any\", \"any\", "
		"{\"cidr\": \"10.0.0.0/8\", \"description\": \"x\"}], \"description\": \"y\"}",
	};
	static const char *const different[] = {
		"{\"protocol\": \"tcp\", \"ports\": [22, 80], \"from\": [\"any\", \"10.0.0.0/8\"]}",
		"{\"protocol\": \"udp\", \"ports\": [22, 80, 81], \"from\": [\"any\", \"10.0.0.0/8\"]}",
		"{\"protocol\": \"tcp\", \"ports\": [22, 80, 81], \"from\": [\"any\"]}",
		"{\"protocol\": \"icmp\", \"from\": [\"any\"]}",
		"{\"protocol\": \"icmp\", \"icmp\": {\"type\": 0}, \"from\": [\"any\"]}",
		"{\"protocol\": \"icmp\", \"icmp\": {\"type\": 0, \"code\": 0}, \"from\": [\"any\"]}",
	};
	struct model *model;
	g_autofree char *id = g_strdup(only_rule(&model, same[0]));

	(void)state;
	model_free(&model);
	assert_int_equal(strlen(id), 12);
	assert_true(g_str_has_prefix(id, "sgr-"));
	assert_int_equal(strspn(id + 4, "0123456789abcdef"), 8);
	for (unsigned int i = 0; i < G_N_ELEMENTS(same); i++) {
		assert_string_equal(only_rule(&model, same[i]), id);
		model_free(&model);
	}
	for (unsigned int i = 0; i < G_N_ELEMENTS(different); i++) {
		assert_string_not_equal(only_rule(&model, different[i]), id);
		model_free(&model);
	}
}

/* Counters, flows and scripts hold on to these ids: they never change between versions. */
static void derived_ids_never_change(void **state)
{
	struct model *model;

	(void)state;
	assert_string_equal(only_rule(&model, "{\"protocol\": \"all\", \"from\": [\"any\"]}"),
			    "sgr-ff1255a0");
	model_free(&model);
	assert_string_equal(only_rule(&model, "{\"protocol\": \"tcp\", \"ports\": [443], \"from\": "
					      "[\"any\", \"sg-a\", \"10.0.0.0/8\"]}"),
			    "sgr-ec1da922");
	model_free(&model);
}

static void repeats_are_numbered_and_give_way_to_given_ids(void **state)
{
	g_autofree char *id = NULL;
	g_autofree char *text = NULL;
	g_autofree char *second = NULL;
	g_autofree char *third = NULL;
	struct model *model;
	const char *rule = "{\"protocol\": \"tcp\", \"ports\": [22], \"from\": [\"any\"]}";

	(void)state;
	id = g_strdup(only_rule(&model, rule));
	model_free(&model);
	second = g_strdup_printf("%s-2", id);
	third = g_strdup_printf("%s-3", id);
	text = g_strdup_printf("{\"version\": 1, \"groups\": {\"sg-a\": {\"ingress\": [%s, %s, "
			       "{\"id\": \"%s\", \"protocol\": \"udp\", \"from\": [\"any\"]}]}}}",
			       rule, rule, second);
	model = policy_model(text);
	assert_string_equal(rule_at(model, "sg-a", SG_INGRESS, 0)->id, id);
	assert_string_equal(rule_at(model, "sg-a", SG_INGRESS, 1)->id, third);
	assert_string_equal(rule_at(model, "sg-a", SG_INGRESS, 2)->id, second);
	model_free(&model);
}

/* ------------------------------------------------------------------ many and large */

static void a_thousand_errors_are_listed_and_the_rest_counted(void **state)
{
	GString *text = g_string_new("{\"version\": 1, \"interfaces\": {");
	g_autoptr(GPtrArray) sources = load_sources_new();
	struct diag *diag = diag_new();
	struct model *model = NULL;

	(void)state;
	for (int i = 0; i < 20000; i++)
		g_string_append_printf(text, "%s\"i-%d\": {\"groups\": [\"sg-%d\"], \"mak\": 1}",
				       i ? ", " : "", i, i);
	g_string_append(text, "}}");
	policy_add_source(sources, "a.json", text->str, text->len);
	assert_int_equal(load_policy(sources, &model, diag), -EINVAL);
	assert_null(model);
	assert_int_equal(diag->entries->len, DIAG_MAX);
	assert_int_equal(diag->left_out, 40000 - DIAG_MAX);
	diag_free(&diag);
	g_string_free(text, TRUE);
}

static void random_bytes_and_mutated_policies_never_crash(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(99);
	g_autofree char *seed = NULL;
	size_t length;

	(void)state;
	read_file(GOLDEN "/valid/every-field.json", &seed, &length);
	for (int round = 0; round < 3000; round++) {
		g_autofree char *text = g_memdup2(seed, length);
		g_autoptr(GPtrArray) sources = load_sources_new();
		g_autofree char *errors = NULL;

		for (int changes = g_rand_int_range(rand, 1, 4); changes; changes--) {
			gint32 from = g_rand_int_range(rand, 0, (gint32)length - 8);
			gint32 to = g_rand_int_range(rand, 0, (gint32)length - 8);

			/* Moves a bit of the file elsewhere, or spoils a byte. */
			if (g_rand_boolean(rand))
				memmove(text + to, seed + from,
					(size_t)g_rand_int_range(rand, 1, 8));
			else
				text[to] = (char)g_rand_int_range(rand, 0, 256);
		}
		policy_add_source(sources, "a.json", text, length);
		errors = policy_errors(sources);
		assert_non_null(errors);
	}
}

static void no_source_at_all_is_the_empty_policy(void **state)
{
	g_autoptr(GPtrArray) sources = load_sources_new();
	g_autofree char *errors = policy_errors(sources);

	(void)state;
	assert_string_equal(errors, "");
}

/* ------------------------------------------------------------------ files and folders */

static char folder[] = "/tmp/tapguard-load-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	const char *argv[] = {"rm", "-rf", folder, NULL};

	(void)state;
	return g_spawn_sync(NULL, (char **)(uintptr_t)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
			    NULL, NULL, NULL, NULL)
		       ? 0
		       : -1;
}

static char *put(const char *name, const char *text, mode_t mode)
{
	char *path = g_build_filename(folder, name, NULL);

	assert_true(g_file_set_contents(path, text, -1, NULL));
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

/* The result, and what is said with the folder's name left out. */
static int read_one(const char *path, bool owner_check, GPtrArray *sources, char **errors)
{
	struct diag *diag = diag_new();
	char *copy = g_strdup(path);
	int result = load_read_paths(&copy, 1, owner_check, sources, diag);
	g_autofree char *text = policy_diag_text(diag);
	GString *plain = g_string_new(text);

	g_string_replace(plain, folder, "DIR", 0);
	*errors = g_string_free(plain, FALSE);
	assert_int_equal(result != 0, diag_any(diag));
	g_free(copy);
	diag_free(&diag);
	return result;
}

static void assert_read(const char *path, bool owner_check, int result, const char *expected)
{
	g_autoptr(GPtrArray) sources = load_sources_new();
	g_autofree char *errors = NULL;

	assert_int_equal(read_one(path, owner_check, sources, &errors), result);
	assert_string_equal(errors, expected);
	if (result && strcmp(path, folder) != 0)
		assert_int_equal(sources->len, 0);
}

static void a_directory_stands_for_its_json_files_in_order(void **state)
{
	g_autofree char *b = put("b.json", "{\"version\": 1}", 0644);
	g_autofree char *a = put("a.json", "{\"version\": 1}\n", 0644);
	g_autofree char *other = put("a.txt", "not json", 0666);
	g_autofree char *hidden = put(".a.json.swp", "not json", 0666);
	g_autofree char *hidden2 = put(".hidden.json", "not json", 0666);
	g_autoptr(GPtrArray) sources = load_sources_new();
	g_autofree char *errors = NULL;
	const struct load_source *first;

	(void)state;
	assert_int_equal(read_one(folder, true, sources, &errors), 0);
	assert_int_equal(sources->len, 2);
	first = sources->pdata[0];
	assert_string_equal(first->name, a);
	assert_int_equal(first->length, 15);
	assert_string_equal(((const struct load_source *)sources->pdata[1])->name, b);
	unlink(hidden);
	unlink(hidden2);
}

static void what_is_no_regular_file_is_an_error_and_never_blocks(void **state)
{
	g_autofree char *fifo = g_build_filename(folder, "fifo.json", NULL);
	g_autofree char *sub = g_build_filename(folder, "sub.json", NULL);
	g_autofree char *none = g_build_filename(folder, "none.json", NULL);
	g_autofree char *empty = put("empty.json", "", 0644);

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_read(
		fifo, false, -EINVAL,
		"DIR/fifo.json: neither a regular file nor a directory; to read from a pipe, name "
		"\"-\" and redirect it\n");
	assert_read(
		folder, false, -EINVAL,
		"DIR/fifo.json: neither a regular file nor a directory; to read from a pipe, name "
		"\"-\" and redirect it\n");
	assert_int_equal(unlink(fifo), 0);
	assert_int_equal(mkdir(sub, 0755), 0);
	assert_read(folder, false, -EISDIR,
		    "DIR/sub.json: a directory inside a directory; a policy is a regular file\n");
	assert_int_equal(rmdir(sub), 0);
	assert_read(
		"/dev/zero", false, -EINVAL,
		"/dev/zero: neither a regular file nor a directory; a policy is a regular file\n");
	assert_read(none, false, -ENOENT,
		    "DIR/none.json: cannot open it: No such file or directory\n");
	assert_read(empty, false, 0, "");
	unlink(empty);
}

static void a_file_beyond_the_limit_is_not_read(void **state)
{
	g_autofree char *large = put("large.json", "", 0644);

	(void)state;
	assert_int_equal(truncate(large, 256l * 1024 * 1024 + 1), 0);
	assert_read(large, false, -EFBIG,
		    "DIR/large.json: larger than 256 MiB; split it into several files\n");
	unlink(large);
}

static void one_file_of_several_can_be_checked_alone(void **state)
{
	const char *part = "{\"version\": 1, \"groups\": {\"sg-a\": {\"ingress\": [{\"service\": "
			   "\"app\", \"from\": [\"sg-b\", \"pl-b\", \"blue:sg-c\"]}]}}, "
			   "\"interfaces\": {\"i\": {\"groups\": [\"sg-b\"]}}}";
	g_autoptr(GPtrArray) sources = policy_sources(part, NULL);
	g_autoptr(GPtrArray) bad = policy_sources("{\"version\": 1, \"groups\": 1}", NULL);
	g_autofree char *errors = policy_errors(sources);
	g_autofree char *form = NULL;
	struct diag *diag = diag_new();

	(void)state;
	assert_string_not_equal(errors, "");
	assert_int_equal(load_check(sources, diag), 0);
	assert_false(diag_any(diag));
	form = load_canonical(sources);
	assert_non_null(strstr(form, "\"service\": \"app\""));
	assert_int_equal(load_check(bad, diag), -EINVAL);
	assert_true(diag_any(diag));
	diag_free(&diag);
}

static void files_that_others_can_write_are_refused_when_asked(void **state)
{
	g_autofree char *group = put("group.json", "{\"version\": 1}", 0664);
	g_autofree char *fine = put("fine.json", "{\"version\": 1}", 0644);
	struct stat st;

	(void)state;
	assert_read(group, false, 0, "");
	assert_read(group, true, -EPERM,
		    "DIR/group.json: others than root and its owner can write it; "
		    "chmod go-w DIR/group.json\n");
	assert_int_equal(chmod(group, 0646), 0);
	assert_read(group, true, -EPERM,
		    "DIR/group.json: others than root and its owner can write it; "
		    "chmod go-w DIR/group.json\n");
	assert_read(fine, true, 0, "");
	assert_int_equal(unlink(group), 0);
	assert_int_equal(chmod(folder, 0777), 0);
	assert_read(folder, true, -EPERM,
		    "DIR: others than root and its owner can write it; chmod go-w DIR\n");
	assert_int_equal(chmod(folder, 0700), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(fine, 65534, 65534), 0);
		assert_read(
			fine, true, -EPERM,
			"DIR/fine.json: it belongs to neither root nor the user that rulesd runs "
			"as; chown root DIR/fine.json\n");
	}
	assert_int_equal(stat(fine, &st), 0);
}

/* ------------------------------------------------------------------ interfaces of the API */

static char *interface_errors(const char *id, const char *text)
{
	struct diag *diag = diag_new();
	struct model_interface *iface = NULL;
	int result = load_interface(id, text, strlen(text), &iface, diag);
	char *errors = policy_diag_text(diag);

	assert_int_equal(result, errors[0] ? -EINVAL : 0);
	assert_int_equal(iface != NULL, result == 0);
	model_interface_free(iface);
	diag_free(&diag);
	return errors;
}

static void an_interface_of_the_api_knows_its_network(void **state)
{
	const char *text =
		"{\"device\": \"tap0\", \"network\": \"blue\", \"addresses\": [\"10.0.0.5\"]}";
	struct diag *diag = diag_new();
	struct model_interface *iface = NULL;

	(void)state;
	assert_int_equal(load_interface("vm-1", text, strlen(text), &iface, diag), 0);
	assert_string_equal(iface->id, "vm-1");
	assert_string_equal(iface->network, "blue");
	assert_string_equal(iface->settings->device, "tap0");
	assert_true(iface->attached);
	assert_string_equal(iface->groups->ids[0], MODEL_DEFAULT_GROUP);
	model_interface_free(iface);
	diag_free(&diag);
}

static void bad_interfaces_of_the_api_are_refused_with_every_error(void **state)
{
	static const struct {
		const char *id, *text, *errors;
	} cases[] = {
		{"vm-1", "{\"adresses\": 1, \"mac\": \"x\"}",
		 "/adresses: unknown field \"adresses\"; did you mean \"addresses\"?\n"
		 "/mac: \"x\" is no MAC address of an interface; as \"52:54:00:00:00:01\", neither "
		 "multicast nor zero\n"},
		{"a b", "{}",
		 "\"a b\" is no interface id; letters, digits, '.', '_' and '-', at most 63\n"},
		{"vm-1", "[]", "an array is not an object\n"},
		{"vm-1", "{\"network\": \"a/b\"}",
		 "/network: \"a/b\" is no network id; letters, digits, '.', '_' and '-', at most 63\n"},
		{"vm-1", "{\"groups\": []}",
		 "/groups: an interface without a group; for sg-default leave \"groups\" out\n"},
		{"vm-1", "{", "the file ends, but '{' of line 1 is still open\n"},
	};

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *errors = interface_errors(cases[i].id, cases[i].text);

		assert_string_equal(errors, cases[i].errors);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_error_of_a_file_is_listed_with_its_place),
		cmocka_unit_test(errors_of_several_files_name_all_places),
		cmocka_unit_test(valid_files_load),
		cmocka_unit_test(defaults_are_in_the_model),
		cmocka_unit_test(conntrack_of_an_interface_beats_its_networks),
		cmocka_unit_test(every_field_arrives_where_the_model_has_it),
		cmocka_unit_test(derived_ids_depend_on_what_a_rule_means),
		cmocka_unit_test(derived_ids_never_change),
		cmocka_unit_test(repeats_are_numbered_and_give_way_to_given_ids),
		cmocka_unit_test(a_thousand_errors_are_listed_and_the_rest_counted),
		cmocka_unit_test(random_bytes_and_mutated_policies_never_crash),
		cmocka_unit_test(no_source_at_all_is_the_empty_policy),
		cmocka_unit_test(a_directory_stands_for_its_json_files_in_order),
		cmocka_unit_test(what_is_no_regular_file_is_an_error_and_never_blocks),
		cmocka_unit_test(a_file_beyond_the_limit_is_not_read),
		cmocka_unit_test(one_file_of_several_can_be_checked_alone),
		cmocka_unit_test(files_that_others_can_write_are_refused_when_asked),
		cmocka_unit_test(an_interface_of_the_api_knows_its_network),
		cmocka_unit_test(bad_interfaces_of_the_api_are_refused_with_every_error),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
