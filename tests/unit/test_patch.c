/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_patch.c - patch documents: what they change, what is wrong with them, and random ones, which
 * must lead to what the whole document says.
 *
 * It is long because half of it makes random policies and patches them as JSON, which nothing else
 * needs.
 */
#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/load.h"
#include "rulesd/model_diff.h"
#include "rulesd/validate.h"
#include "tests/lib/check.h"
#include "tests/lib/policy.h"

/* "" when the patch fits; the model then stays changed and *edit is the caller's. */
static char *patch_model(struct model *model, const char *text, struct model_edit **edit)
{
	g_autoptr(GPtrArray) sources = policy_sources(text, NULL);
	CLEANUP(diag_free) struct diag *diag = diag_new();
	int result = load_patch(sources, model, edit, diag);

	if (result == 0) {
		model_edit_apply(*edit, model);
		result = load_validate_patch(sources, model, *edit, diag);
		if (result < 0) {
			model_edit_undo(*edit, model);
			model_edit_free(edit);
		}
	}
	assert_int_equal(result, diag->entries->len ? -EINVAL : 0);
	return policy_diag_text(diag);
}

static const char base[] =
	"{\"version\": 1,\n"
	" \"networks\": {\"blue\": {\"peers\": [\"default\"]}},\n"
	" \"services\": {\"app\": {\"rules\": [{\"protocol\": \"tcp\", \"ports\": [8080]}]}},\n"
	" \"groups\": {\"sg-web\": {\"ingress\": [{\"service\": \"app\", \"from\": [\"any\"]}]},\n"
	"              \"sg-db\": {\"ingress\": [{\"protocol\": \"tcp\", \"from\": [\"sg-web\"]}]}},\n"
	" \"prefix_lists\": {\"pl-a\": {\"entries\": [\"10.0.0.0/8\"]}},\n"
	" \"interfaces\": {\"vm-1\": {\"addresses\": [\"10.0.0.1\"], \"groups\": [\"sg-web\"]},\n"
	"                  \"vm-2\": {\"addresses\": [\"10.0.0.2\"], \"device\": \"tap2\",\n"
	"                             \"groups\": [\"sg-db\"]}}}";

static const struct {
	const char *patch, *errors;
} wrong[] = {
	{"{\"version\": 1, \"interfaces\": {\"vm-3\": null}}",
	 "a.json:1:31: /interfaces/vm-3: there is no interface \"vm-3\" to remove in network "
	 "\"default\"; take it out of the patch\n"},
	{"{\"version\": 1, \"groups\": {\"sg-wbe\": null}}",
	 "a.json:1:27: /groups/sg-wbe: there is no group \"sg-wbe\" to remove in network "
	 "\"default\"; did you mean \"sg-web\"?\n"},
	{"{\"version\": 1, \"interfaces\": {\"sg-web\": null}}",
	 "a.json:1:31: /interfaces/sg-web: there is no interface \"sg-web\" to remove in network "
	 "\"default\"; it is a group: name it under \"groups\"\n"},
	{"{\"version\": 1, \"groups\": {\"pl-a\": null}}",
	 "a.json:1:27: /groups/pl-a: \"pl-a\" is no group id; letters, digits, '.', '_' and '-', at "
	 "most 63, starting with \"sg-\"\n"},
	{"{\"version\": 1, \"network\": \"blue\", \"interfaces\": {\"vm-1\": null}}",
	 "a.json:1:50: /interfaces/vm-1: there is no interface \"vm-1\" to remove in network "
	 "\"blue\"; it is in network \"default\": begin with \"network\": \"default\"\n"},
	{"{\"version\": 1, \"groups\": {\"sg-default\": null}}",
	 "a.json:1:27: /groups/sg-default: group \"sg-default\" is there without being written; "
	 "take it out of the patch\n"},
	{"{\"version\": 1, \"networks\": {\"default\": null}}",
	 "a.json:1:29: /networks/default: network \"default\" is there without being written; "
	 "write {} to take away its settings\n"},
	{"{\"version\": 1, \"groups\": {\"sg-web\": null}}",
	 "a.json:5:66: /groups/sg-db/ingress/0/from/0: there is no group \"sg-web\"; did you "
	 "mean \"sg-db\"?\n"
	 "a.json:7:17: /interfaces/vm-1/groups/0: there is no group \"sg-web\"; did you mean "
	 "\"sg-db\"?\n"},
	{"{\"version\": 1, \"interfaces\": {\"vm-3\": {\"addresses\": [\"10.0.0.9\", \"10.0.0.2\"]}}}",
	 "a.json:1:66: /interfaces/vm-3/addresses/1: interface \"vm-2\" has 10.0.0.2 already; an "
	 "address belongs to one interface of a network\n"},
	{"{\"version\": 1, \"interfaces\": {\"vm-1\": {\"groups\": [\"sg-wbe\"], \"vlan\": [1]},"
	 " \"vm-2\": []}}",
	 "a.json:1:62: /interfaces/vm-1/vlan: unknown field \"vlan\"; did you mean \"vlans\"?\n"
	 "a.json:1:84: /interfaces/vm-2: an array is not an object\n"},
	{"{\"version\": 1, \"services\": {\"app\": null}}",
	 "a.json:4:36: /groups/sg-web/ingress/0/service: rule sg-web/sgr-X uses service \"app\"; "
	 "change or remove the rule too\n"},
	{"{\"version\": 1, \"groups\": {\"x-note\": \"a\"}, \"x-why\": 1}",
	 "a.json:1:27: /groups/x-note: a remark in a section of a patch; a patch changes objects; "
	 "put remarks into them\n"},
	{"{\"version\": 1, \"network\": \"blue\", \"groups\": {\"sg-b\": {}},"
	 " \"networks\": {\"blue\": null}}",
	 "a.json:1:80: /networks/blue: network \"blue\" has 1 groups, 0 prefix lists and 0 "
	 "interfaces left; remove them too, or write {} to take away its settings only\n"},
	{"{\"version\": 2}",
	 "a.json:1:13: /version: version 2; this tapguard reads version 1; use a newer one\n"},
	{"{\"version\": 1, \"groups\": null}", "a.json:1:26: /groups: null is not an object\n"},
};

static void what_is_wrong_is_said(void **state)
{
	CLEANUP(model_free) struct model *model = policy_model(base);
	unsigned int failed = 0;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		struct model_edit *edit = NULL;
		g_autofree char *errors = patch_model(model, wrong[i].patch, &edit);
		char *derived = strstr(errors, "sgr-");

		if (derived) { /* what it is derived from is not the matter here */
			memmove(derived + 5, derived + 12, strlen(derived + 12) + 1);
			derived[4] = 'X';
		}
		if (strcmp(errors, wrong[i].errors) != 0) {
			print_error("%s\n is said to be\n%s and not\n%s\n", wrong[i].patch, errors,
				    wrong[i].errors);
			failed++;
		}
		model_edit_free(&edit);
	}
	assert_int_equal(failed, 0);
}

static void two_documents_must_not_name_the_same(void **state)
{
	CLEANUP(model_free) struct model *model = policy_model(base);
	CLEANUP(diag_free) struct diag *diag = diag_new();
	g_autoptr(GPtrArray) sources = policy_sources(
		"{\"version\": 1, \"interfaces\": {\"vm-1\": null, \"vm-2\": null}}",
		"{\"version\": 1, \"interfaces\": {\"vm-1\": {}, \"vm-2\": null}}", NULL);
	struct model_edit *edit = NULL;
	g_autofree char *errors = NULL;

	(void)state;
	assert_int_equal(load_patch(sources, model, &edit, diag), -EINVAL);
	errors = policy_diag_text(diag);
	assert_string_equal(errors, "a.json:1:31: /interfaces/vm-1: interface \"vm-1\" is defined "
				    "at b.json:1:31 already; keep one of them\n"
				    "b.json:1:43: /interfaces/vm-2: interface \"vm-2\" is defined "
				    "at a.json:1:45 already; keep one of them\n");
}

static void what_is_attached_by_hand_is_left_alone(void **state)
{
	static const char object[] = "{\"addresses\": [\"10.0.0.7\"], \"groups\": [\"sg-web\"]}";
	static const char *const patches[] = {
		"{\"version\": 1, \"interfaces\": {\"hand\": null}}",
		"{\"version\": 1, \"interfaces\": {\"hand\": {}}}",
	};
	CLEANUP(model_free) struct model *model = policy_model(base);
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct model_interface *iface = NULL;

	(void)state;
	assert_int_equal(load_interface("hand", object, strlen(object), &iface, diag), 0);
	model_add_interface(model, iface);
	for (size_t i = 0; i < G_N_ELEMENTS(patches); i++) {
		struct model_edit *edit = NULL;
		g_autofree char *errors = patch_model(model, patches[i], &edit);

		assert_true(g_str_has_prefix(errors,
					     "a.json:1:31: /interfaces/hand: interface hand "
					     "is attached by hand"));
	}
	assert_ptr_equal(model_interface(model, "hand"), iface);
}

static const struct model_change *only_change(const struct model_edit *edit)
{
	assert_int_equal(edit->changes->len, 1);
	return model_edit_at(edit, 0);
}

static void texts_are_changes_that_nothing_enforces(void **state)
{
	static const struct {
		const char *patch;
		bool enforced;
	} cases[] = {
		{"{\"version\": 1, \"interfaces\": {\"vm-1\": {\"addresses\": [\"10.0.0.1\"],"
		 " \"groups\": [\"sg-web\"], \"description\": \"web\"}}}",
		 false},
		{"{\"version\": 1, \"interfaces\": {\"vm-1\": {\"addresses\": [\"10.0.0.1\"],"
		 " \"groups\": [\"sg-web\"], \"labels\": {\"a\": \"b\"}}}}",
		 false},
		{"{\"version\": 1, \"interfaces\": {\"vm-1\": {\"addresses\": [\"10.0.0.1\"],"
		 " \"groups\": [\"sg-web\"], \"spoof_guard\": false}}}",
		 true},
		{"{\"version\": 1, \"groups\": {\"sg-db\": {\"ingress\": [{\"protocol\": \"tcp\","
		 " \"from\": [{\"group\": \"sg-web\", \"description\": \"they\"}]}]}}}",
		 false},
		{"{\"version\": 1, \"groups\": {\"sg-db\": {\"ingress\": [{\"protocol\": \"udp\","
		 " \"from\": [\"sg-web\"]}]}}}",
		 true},
		{"{\"version\": 1, \"prefix_lists\": {\"pl-a\": {\"entries\": [\"10.0.0.0/8\"],"
		 " \"x-a\": []}}}",
		 false},
		{"{\"version\": 1, \"prefix_lists\": {\"pl-a\": {\"entries\": [\"10.0.0.0/7\"]}}}",
		 true},
		{"{\"version\": 1, \"prefix_lists\": {\"pl-a\": null}}", true},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		CLEANUP(model_free) struct model *model = policy_model(base);
		CLEANUP(model_free) struct model *again = policy_model(base);
		CLEANUP(model_edit_free) struct model_edit *edit = NULL;
		CLEANUP(model_edit_free) struct model_edit *back = NULL;
		g_autofree char *errors = patch_model(model, cases[i].patch, &edit);

		assert_string_equal(errors, "");
		assert_int_equal(only_change(edit)->enforced, cases[i].enforced);
		back = model_diff(model, &again);
		assert_int_equal(only_change(back)->enforced, cases[i].enforced);
	}
}

static void a_service_that_changes_takes_its_groups_along(void **state)
{
	CLEANUP(model_free) struct model *model = policy_model(base);
	CLEANUP(model_edit_free) struct model_edit *edit = NULL;
	g_autofree char *errors = patch_model(
		model,
		"{\"version\": 1, \"services\": {\"app\": {\"rules\": [{\"protocol\": \"udp\"}]}}}",
		&edit);
	const struct model_rule *rule;

	(void)state;
	assert_string_equal(errors, "");
	assert_int_equal(edit->changes->len, 2);
	assert_int_equal(model_edit_at(edit, 0)->kind, MODEL_KIND_SERVICE);
	assert_int_equal(model_edit_at(edit, 1)->kind, MODEL_KIND_GROUP);
	rule = model_group(model, "default", "sg-web")->rules[SG_INGRESS]->pdata[0];
	assert_int_equal(((const struct model_match *)rule->matches->pdata[0])->protocol, 17);
}

static void a_network_comes_and_goes_with_its_default_group(void **state)
{
	CLEANUP(model_free) struct model *model = policy_model(base);
	CLEANUP(model_edit_free) struct model_edit *comes = NULL;
	CLEANUP(model_edit_free) struct model_edit *goes = NULL;
	g_autofree char *first = patch_model(
		model, "{\"version\": 1, \"network\": \"green\", \"interfaces\": {\"g\": {}}}",
		&comes);
	g_autofree char *second = NULL;

	(void)state;
	assert_string_equal(first, "");
	assert_int_equal(comes->changes->len, 3);
	assert_int_equal(model_edit_at(comes, 0)->kind, MODEL_KIND_NETWORK);
	assert_int_equal(model_edit_at(comes, 1)->kind, MODEL_KIND_GROUP);
	assert_true(model_group(model, "green", MODEL_DEFAULT_GROUP)->implied);
	assert_string_equal(model_interface(model, "g")->network, "green");
	second = patch_model(
		model,
		"{\"version\": 1, \"network\": \"green\", \"interfaces\": {\"g\": null},"
		" \"networks\": {\"green\": null}}",
		&goes);
	assert_string_equal(second, "");
	assert_int_equal(goes->changes->len, 3);
	assert_int_equal(model_edit_at(goes, 2)->kind, MODEL_KIND_NETWORK);
	assert_null(model_network(model, "green"));
}

/* ------------------------------------------------------------------ random patches */

#define ROUNDS	40
#define PATCHES 40

static unsigned int pick(unsigned int count)
{
	return (unsigned int)g_random_int_range(0, (gint32)count);
}

static bool chance(unsigned int percent)
{
	return pick(100) < percent;
}

static const char *const networks[] = {"default", "blue", "green"};
static const char *const group_ids[] = {"sg-a", "sg-b", "sg-c", "sg-default"};
static const char *const list_ids[] = {"pl-a", "pl-b"};
static const char *const services[] = {"app", "ssh", "dns"};

static void remark(json_t *object)
{
	if (chance(15))
		json_object_set_new(object, "description", json_string(chance(50) ? "one" : "two"));
	if (chance(15))
		json_object_set_new(object, "labels",
				    json_pack("{ss}", "a", chance(50) ? "b" : "c"));
	if (chance(5))
		json_object_set_new(object, "x-note", json_integer((int)pick(3)));
}

static json_t *random_peers(const char *network)
{
	json_t *peers = json_array();

	for (unsigned int i = 1 + pick(2); i; i--) {
		if (chance(30))
			json_array_append_new(peers, json_string(list_ids[pick(2)]));
		else if (chance(20) && strcmp(network, "blue") == 0)
			json_array_append_new(peers,
					      json_sprintf("default:%s", group_ids[pick(4)]));
		else if (chance(70))
			json_array_append_new(peers, json_string(group_ids[pick(4)]));
		else if (chance(50))
			json_array_append_new(peers, json_pack("{ss ss}", "cidr", "10.0.0.0/8",
							       "description", "x"));
		else
			json_array_append_new(peers, json_string("any"));
	}
	return peers;
}

static json_t *random_rule(const char *network, bool ingress)
{
	json_t *rule = json_object();

	if (chance(40))
		json_object_set_new(rule, "id", json_sprintf("r%u", pick(8)));
	if (chance(40))
		json_object_set_new(rule, "service", json_string(services[pick(3)]));
	else
		json_object_set_new(rule, "protocol", json_string(chance(50) ? "tcp" : "udp"));
	json_object_set_new(rule, ingress ? "from" : "to", random_peers(network));
	remark(rule);
	return rule;
}

static json_t *random_group(const char *network)
{
	json_t *group = json_object();

	remark(group);
	if (chance(5)) {
		json_object_set_new(group, "external", json_true());
		return group;
	}
	for (int dir = 0; dir < 2; dir++) {
		json_t *rules = json_array();

		for (unsigned int i = pick(3); i; i--)
			json_array_append_new(rules, random_rule(network, dir == 0));
		json_object_set_new(group, dir == 0 ? "ingress" : "egress", rules);
		if (chance(20))
			json_object_del(group, "egress");
	}
	return group;
}

static json_t *random_list(void)
{
	json_t *list = json_object();
	json_t *entries = json_array();

	remark(list);
	for (unsigned int i = pick(4); i; i--)
		json_array_append_new(entries, json_sprintf("10.%u.0.0/16", pick(5)));
	json_object_set_new(list, "entries", entries);
	return list;
}

static json_t *random_interface(void)
{
	json_t *iface = json_pack("{s[s]}", "addresses", "10.0.0.1");
	json_t *addresses = json_array();
	unsigned int first = pick(4);

	for (unsigned int i = pick(3); i; i--)
		json_array_append_new(addresses, json_sprintf("10.0.%u.%u", i, pick(40)));
	json_object_set_new(iface, "addresses", addresses);
	if (chance(80)) {
		json_t *groups = json_array();

		for (unsigned int i = 0, count = 1 + pick(2); i < count; i++)
			json_array_append_new(groups, json_string(group_ids[(first + i) % 4]));
		json_object_set_new(iface, "groups", groups);
	}
	if (chance(30))
		json_object_set_new(iface, "device", json_sprintf("tap%u", pick(30)));
	if (chance(20))
		json_object_set_new(iface, "host", json_string(chance(50) ? "here" : "there"));
	if (chance(10))
		json_object_set_new(iface, "vlans", json_pack("[ii]", 7, 3));
	if (chance(10))
		json_object_set_new(iface, "conntrack", json_pack("{si}", "udp", 31));
	remark(iface);
	return iface;
}

static json_t *random_network(void)
{
	json_t *network = json_object();

	remark(network);
	if (chance(70))
		json_object_set_new(network, "peers", json_pack("[s]", networks[pick(10) ? 0 : 2]));
	if (chance(20))
		json_object_set_new(
			network, "exempt",
			json_pack("[{ss ss}]", "address", "169.254.169.254", "protocol", "tcp"));
	if (chance(20))
		json_object_set_new(network, "conntrack", json_pack("{si}", "udp", 40));
	return network;
}

static json_t *random_service(void)
{
	return json_pack("{s[{ss s[i]}]}", "rules", "protocol", chance(50) ? "tcp" : "udp", "ports",
			 (int)(8080 + pick(2)));
}

static json_t *new_document(const char *network)
{
	return json_pack("{si ss}", "version", 1, "network", network);
}

static json_t *section_of(json_t *document, const char *name)
{
	json_t *section = json_object_get(document, name);

	if (!section) {
		section = json_object();
		json_object_set_new(document, name, section);
	}
	return section;
}

/* Documents of networks; the first is that of the default one and has networks and services. */
static json_t *find_document(json_t *documents, const char *network)
{
	for (size_t i = 0; i < json_array_size(documents); i++) {
		json_t *document = json_array_get(documents, i);

		if (strcmp(json_string_value(json_object_get(document, "network")), network) == 0)
			return document;
	}
	return NULL;
}

static const char *const own_sections[] = {"groups", "prefix_lists", "interfaces"};

static bool is_empty(json_t *document)
{
	for (size_t i = 0; document && i < G_N_ELEMENTS(own_sections); i++)
		if (json_object_size(json_object_get(document, own_sections[i])))
			return false;
	return true;
}

/* One section of the patch into one of the documents; false when something to remove is missing. */
static bool patch_section(json_t *document, json_t *patch, const char *name)
{
	json_t *section = section_of(document, name), *value;
	const char *id;
	bool fine = true;

	json_object_foreach (json_object_get(patch, name), id, value) {
		if (!json_is_null(value))
			json_object_set_new(section, id, json_deep_copy(value));
		else if (strcmp(name, "networks") != 0 && json_object_del(section, id) < 0)
			fine = false;
	}
	return fine;
}

/* The same as JSON; false when the patch cannot be right. */
static bool patch_documents(json_t *documents, json_t *patch)
{
	const char *network = json_string_value(json_object_get(patch, "network")), *name;
	json_t *first = json_array_get(documents, 0), *value;
	json_t *own = find_document(documents, network);
	bool fine = true, is_new = !own;

	if (!own) {
		own = new_document(network);
		json_array_append_new(documents, own);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(own_sections); i++)
		fine &= patch_section(own, patch, own_sections[i]);
	fine &= patch_section(first, patch, "networks") & patch_section(first, patch, "services");
	json_object_foreach (json_object_get(patch, "networks"), name, value) {
		json_t *of_network = find_document(documents, name);
		bool named = json_object_del(section_of(first, "networks"), name) == 0;

		if (!json_is_null(value)) {
			json_object_set_new(section_of(first, "networks"), name,
					    json_deep_copy(value));
			continue;
		}
		if (strcmp(name, "default") == 0 ||
		    (!named && (!of_network || (is_new && of_network == own))) ||
		    !is_empty(of_network))
			fine = false;
		for (size_t i = 1; i < json_array_size(documents); i++)
			if (json_array_get(documents, i) == of_network)
				json_array_remove(documents, i);
	}
	return fine;
}

static void random_change(json_t *documents, json_t *patch, const char *network)
{
	json_t *known = find_document(documents, network);
	unsigned int kind = pick(100);
	const char *name = kind < 35   ? "groups"
			   : kind < 50 ? "prefix_lists"
			   : kind < 85 ? "interfaces"
			   : kind < 95 ? "networks"
				       : "services";
	json_t *section = section_of(patch, name), *value = NULL;
	g_autofree char *id = kind < 35	  ? g_strdup(group_ids[pick(4)])
			      : kind < 50 ? g_strdup(list_ids[pick(2)])
			      : kind < 85 ? g_strdup_printf("vm-%u", pick(12))
			      : kind < 95 ? g_strdup(networks[1 + pick(2)])
					  : g_strdup("app");
	const char *any;

	if (chance(35)) {
		json_t *there =
			json_object_get(kind < 85 ? known : json_array_get(documents, 0), name);
		unsigned int skip = json_object_size(there) ? pick(json_object_size(there)) : 0;

		/* Mostly one that is there. */
		json_object_foreach (there, any, value)
			if (skip-- == 0) {
				g_free(id);
				id = g_strdup(any);
				break;
			}
		json_object_set_new(section, id, json_null());
		return;
	}
	json_object_set_new(section, id,
			    kind < 35	? random_group(network)
			    : kind < 50 ? random_list()
			    : kind < 85 ? random_interface()
			    : kind < 95 ? random_network()
					: random_service());
}

static json_t *random_patch(json_t *documents)
{
	const char *network = networks[pick(10) < 6 ? 0 : 1 + pick(2)];
	json_t *patch = new_document(network);

	if (chance(20))
		json_object_set_new(patch, "description", json_string("of the patch"));
	for (unsigned int i = 1 + pick(3); i; i--)
		random_change(documents, patch, network);
	return patch;
}

static json_t *random_base(void)
{
	json_t *first = new_document("default");

	for (size_t i = 0; i < 3; i++)
		json_object_set_new(section_of(first, "groups"), group_ids[i],
				    json_pack("{s[]}", "ingress"));
	for (size_t i = 0; i < G_N_ELEMENTS(list_ids); i++)
		json_object_set_new(section_of(first, "prefix_lists"), list_ids[i], random_list());
	json_object_set_new(section_of(first, "services"), "app", random_service());
	json_object_set_new(section_of(first, "networks"), "blue",
			    json_pack("{s[s]}", "peers", "default"));
	return json_pack("[o]", first);
}

static void add_json(GPtrArray *sources, const char *name, const json_t *document)
{
	char *text = json_dumps(document, JSON_INDENT(1));

	policy_add_source(sources, name, text, strlen(text));
	free(text);
}

static GPtrArray *sources_of(const json_t *documents)
{
	GPtrArray *sources = load_sources_new();

	for (size_t i = 0; i < json_array_size(documents); i++)
		add_json(sources, "base.json", json_array_get(documents, i));
	return sources;
}

static struct model *load_documents_of(const json_t *documents, char **errors)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	g_autoptr(GPtrArray) sources = sources_of(documents);
	struct model *model = NULL;

	load_policy(sources, &model, diag);
	*errors = policy_diag_text(diag);
	return model;
}

static void assert_same_models(const struct model *model, const json_t *documents)
{
	g_autofree char *errors = NULL;
	struct model *other = load_documents_of(documents, &errors);
	CLEANUP(model_edit_free) struct model_edit *difference = NULL;

	assert_string_equal(errors, "");
	assert_int_equal(model->interfaces, other->interfaces);
	difference = model_diff(model, &other);
	for (guint i = 0; i < difference->changes->len; i++) {
		const struct model_change *change = model_edit_at(difference, i);

		fail_msg("%s %s differs (kind %u)", change->network, change->id, change->kind);
	}
}

struct history {
	json_t *base, *documents; /* before and after the patches */
	GPtrArray *patches;	  /* struct load_source */
	struct model *model;
	unsigned int fine, refused;
};

static void assert_same_texts(const struct history *history)
{
	g_autoptr(GPtrArray) sources = sources_of(history->base);
	g_autoptr(GPtrArray) whole = sources_of(history->documents);
	g_autofree char *patched = load_canonical_patched(sources, history->patches);
	g_autofree char *wanted = load_canonical(whole);

	assert_string_equal(patched, wanted);
}

static void one_patch(struct history *history)
{
	AUTO_JSON json_t *patch = random_patch(history->documents);
	AUTO_JSON json_t *next = json_deep_copy(history->documents);
	g_autoptr(GPtrArray) sources = load_sources_new();
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(model_edit_free) struct model_edit *edit = NULL;
	g_autofree char *errors = NULL;
	CLEANUP(model_free) struct model *wanted = NULL;
	bool possible = patch_documents(next, patch);
	int result;

	add_json(sources, "patch.json", patch);
	wanted = load_documents_of(next, &errors);
	result = load_patch(sources, history->model, &edit, diag);
	if (result == 0) {
		model_edit_apply(edit, history->model);
		result = load_validate_patch(sources, history->model, edit, diag);
		assert_int_equal(result == 0, diag->entries->len == 0);
	}
	if ((result == 0) != (possible && wanted)) {
		g_autofree char *said = policy_diag_text(diag);
		g_autofree char *text = json_dumps(patch, JSON_INDENT(1));

		fail_msg("%s\npatch: %s; whole document: %s", text, said, errors);
	}
	if (result == 0) {
		json_decref(history->documents);
		history->documents = json_incref(next);
		g_ptr_array_add(history->patches, g_ptr_array_steal_index(sources, 0));
		history->fine++;
		assert_same_models(history->model, history->documents);
		return;
	}
	history->refused++;
	if (edit) {
		model_edit_undo(edit, history->model);
		assert_false(model_may_repeat(history->model));
		assert_same_models(history->model, history->documents);
	}
}

/* As a restart does. How many patches were left out. */
static unsigned int replay(const struct history *history)
{
	g_autoptr(GPtrArray) patches =
		g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))g_ptr_array_unref);
	CLEANUP(diag_free) struct diag *diag = diag_new();
	g_autofree char *errors = NULL;
	g_autofree bool *superseded = NULL;
	CLEANUP(model_free) struct model *model = load_documents_of(history->base, &errors);
	unsigned int left_out = 0;

	for (guint i = 0; i < history->patches->len; i++) {
		GPtrArray *patch = g_ptr_array_new();

		g_ptr_array_add(patch, history->patches->pdata[i]);
		g_ptr_array_add(patches, patch);
	}
	superseded = load_superseded(patches);
	for (guint i = 0; i < patches->len; i++) {
		CLEANUP(model_edit_free) struct model_edit *edit = NULL;

		left_out += superseded[i];
		if (superseded[i])
			continue;
		if (load_patch(patches->pdata[i], model, &edit, diag) < 0) {
			errors = policy_diag_text(diag);
			fail_msg("patch %u of a restart: %s", i, errors);
		}
		model_edit_apply(edit, model);
	}
	assert_int_equal(model_validate(model, diag), 0);
	assert_same_models(model, history->documents);
	return left_out;
}

/* One patch each, from..to of the history; the caller frees it. */
static GPtrArray *patches_of(const struct history *history, guint from, guint to)
{
	GPtrArray *patches =
		g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))g_ptr_array_unref);

	for (guint i = from; i < to; i++) {
		GPtrArray *patch = g_ptr_array_new();

		g_ptr_array_add(patch, history->patches->pdata[i]);
		g_ptr_array_add(patches, patch);
	}
	return patches;
}

static GPtrArray *flat(const GPtrArray *patches)
{
	GPtrArray *all = g_ptr_array_new();

	for (guint i = 0; i < patches->len; i++)
		g_ptr_array_extend(all, patches->pdata[i], NULL, NULL);
	return all;
}

static void assert_reduced(const struct history *history, const GPtrArray *patches)
{
	g_autoptr(GPtrArray) sources = sources_of(history->base);
	g_autoptr(GPtrArray) reduced = load_reduced(sources, patches);
	CLEANUP(diag_free) struct diag *diag = diag_new();
	g_autofree char *errors = NULL;
	CLEANUP(model_free) struct model *model = load_documents_of(history->base, &errors);
	g_autofree char *wanted = load_canonical_patched(sources, history->patches);
	g_autoptr(GPtrArray) documents = NULL;
	g_autofree char *text = NULL;

	assert_non_null(reduced);
	assert_in_range(reduced->len, 0, 2);
	for (guint i = 0; i < reduced->len; i++) {
		CLEANUP(model_edit_free) struct model_edit *edit = NULL;

		if (load_patch(reduced->pdata[i], model, &edit, diag) < 0) {
			errors = policy_diag_text(diag);
			fail_msg("the reduced patch %u: %s", i, errors);
		}
		model_edit_apply(edit, model);
	}
	assert_int_equal(model_validate(model, diag), 0);
	assert_same_models(model, history->documents);
	documents = flat(reduced);
	text = load_canonical_patched(sources, documents);
	assert_string_equal(text, wanted);
}

/* As a journal that is compacted, once, or twice with patches in between. */
static void reduce(const struct history *history)
{
	guint half = history->patches->len / 2;
	g_autoptr(GPtrArray) sources = sources_of(history->base);
	g_autoptr(GPtrArray) all = patches_of(history, 0, history->patches->len);
	g_autoptr(GPtrArray) first = patches_of(history, 0, half);
	g_autoptr(GPtrArray) rest = patches_of(history, half, history->patches->len);
	g_autoptr(GPtrArray) twice = load_reduced(sources, first);

	assert_non_null(twice);
	g_ptr_array_extend_and_steal(twice, g_steal_pointer(&rest));
	assert_reduced(history, all);
	assert_reduced(history, twice);
}

/* a, b, ...: patches; 1 for one that may be left out. */
static void patches_that_later_ones_write_whole_are_left_out(void **state)
{
	static const struct {
		const char *patches[4], *left_out;
	} cases[] = {
		{{"\"prefix_lists\":{\"pl-a\":{\"entries\":[]}}",
		  "\"prefix_lists\":{\"pl-a\":{\"entries\":[\"10.0.0.0/8\"]}}",
		  "\"prefix_lists\":{\"pl-a\":{\"entries\":[]}}"},
		 "110"},
		{{"\"groups\":{\"sg-a\":{},\"sg-b\":{}}", "\"groups\":{\"sg-a\":{}}",
		  "\"groups\":{\"sg-b\":{}}"},
		 "100"},
		{{"\"groups\":{\"sg-a\":{}}", "\"groups\":{\"sg-a\":null}",
		  "\"groups\":{\"sg-a\":{}}"},
		 "000"},
		{{"\"network\":\"blue\",\"groups\":{\"sg-a\":{}}", "\"groups\":{\"sg-a\":{}}"},
		 "00"},
		{{"\"groups\":{\"sg-a\":{}}", "\"services\":{}", "\"groups\":{\"sg-a\":{}}"},
		 "000"},
		{{"\"groups\":{\"sg-a\":{}}", "\"interfaces\":{\"a\":null}",
		  "\"groups\":{\"sg-a\":{}}"},
		 "100"},
		{{"\"interfaces\":{\"a\":{}}", "\"interfaces\":{\"a\":{}}"}, "00"},
		{{"\"x-a\":1", "\"groups\":{\"sg-\\u0061\":{}}", "\"groups\":{\"sg-a\":{}}"},
		 "110"},
	};

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GPtrArray) patches = g_ptr_array_new_with_free_func(
			(GDestroyNotify)(void (*)(void))g_ptr_array_unref);
		g_autoptr(GString) found = g_string_new(NULL);
		g_autofree bool *superseded = NULL;

		for (unsigned int k = 0; cases[i].patches[k]; k++) {
			g_autofree char *text =
				g_strdup_printf("{\"version\":1,%s}", cases[i].patches[k]);

			g_ptr_array_add(patches, policy_sources(text, NULL));
		}
		superseded = load_superseded(patches);
		for (guint k = 0; k < patches->len; k++)
			g_string_append_c(found, superseded[k] ? '1' : '0');
		if (strcmp(found->str, cases[i].left_out) != 0)
			fail_msg("case %u: %s, not %s", i, found->str, cases[i].left_out);
	}
}

static void random_patches_lead_to_what_the_whole_document_says(void **state)
{
	unsigned int fine = 0, refused = 0, left_out = 0;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct history history = {
			.base = random_base(),
			.patches = load_sources_new(),
		};
		g_autofree char *errors = NULL;

		history.documents = json_deep_copy(history.base);
		history.model = load_documents_of(history.base, &errors);
		assert_string_equal(errors, "");
		for (int i = 0; i < PATCHES; i++) {
			one_patch(&history);
			if (i % 8 == 0)
				assert_same_texts(&history);
		}
		assert_same_texts(&history);
		left_out += replay(&history);
		reduce(&history);
		fine += history.fine;
		refused += history.refused;
		g_ptr_array_unref(history.patches);
		json_decref(history.base);
		json_decref(history.documents);
		model_free(&history.model);
	}
	print_message("%u patches fit, %u were refused; %u are not read at a restart\n", fine,
		      refused, left_out);
	assert_true(left_out > 0);
	assert_true(fine > ROUNDS * PATCHES / 5 && refused > ROUNDS * PATCHES / 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(two_documents_must_not_name_the_same),
		cmocka_unit_test(what_is_attached_by_hand_is_left_alone),
		cmocka_unit_test(texts_are_changes_that_nothing_enforces),
		cmocka_unit_test(a_service_that_changes_takes_its_groups_along),
		cmocka_unit_test(a_network_comes_and_goes_with_its_default_group),
		cmocka_unit_test(patches_that_later_ones_write_whole_are_left_out),
		cmocka_unit_test(random_patches_lead_to_what_the_whole_document_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
