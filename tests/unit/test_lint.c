/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_lint.c - every check of sgctl lint: a policy that it finds something in, and a twin that
 * differs in just that and is left alone; accepting findings; the manual and SARIF say what the
 * table says. Long because of the policies.
 */
#include <jansson.h>
#include <string.h>

#include "ctl/lint_baseline.h"
#include "ctl/lint_report.h"
#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/linted.h"

#define GROUPS(groups)	   "{\"version\": 1, \"groups\": {" groups "}}"
#define WEB(rules)	   GROUPS("\"sg-web\": {\"ingress\": [" rules "], \"egress\": []}")
#define TCP(ports, from)   "{\"protocol\": \"tcp\", \"ports\": [" ports "], \"from\": [" from "]}"
#define OPEN(ports)	   WEB(TCP(ports, "\"any\""))
#define IFACE(fields)	   "\"interfaces\": {\"i\": {" fields "}}}"
#define MINIMAL		   "{\"version\": 1, \"groups\": {\"sg-a\": {\"egress\": []}}, "
#define MAC		   "\"mac\": \"52:54:00:00:00:01\", "
#define TAP(fields)	   MINIMAL IFACE("\"device\": \"tap0\", \"groups\": [\"sg-a\"], " fields)
#define MEMBER(id, groups) "\"" id "\": {\"groups\": [" groups "]}"

struct example {
	enum lint_code code;
	const char *subject; /* NULL: whichever */
	const char *bad, *good;
};

static const struct example examples[] = {
	{LINT_DUPLICATE_RULE, "sg-web/b",
	 WEB("{\"id\": \"a\", \"service\": \"https\", \"from\": [\"any\"]}, {\"id\": \"b\", "
	     "\"protocol\": 6, \"ports\": [\"443-443\"], \"from\": [\"0.0.0.0/0\", \"::/0\"]}"),
	 WEB("{\"id\": \"a\", \"service\": \"https\", \"from\": [\"any\"]}, {\"id\": \"b\", "
	     "\"protocol\": 17, \"ports\": [443], \"from\": [\"0.0.0.0/0\", \"::/0\"]}")},
	{LINT_SUBSUMED_RULE, NULL,
	 WEB(TCP("80", "\"10.1.0.0/16\"") ", " TCP("\"70-90\"", "\"10.0.0.0/8\"")),
	 WEB(TCP("80", "\"10.1.0.0/16\"") ", " TCP("\"81-90\"", "\"10.0.0.0/8\""))},
	{LINT_SHADOWED_RULE, NULL,
	 WEB(TCP("\"1-9\"", "\"sg-web\"") ", " TCP("\"1-5\"", "\"any\"") ", " TCP("\"6-9\"",
										  "\"any\"")),
	 WEB(TCP("\"1-9\"", "\"sg-web\"") ", " TCP("\"1-4\"", "\"any\"") ", " TCP("\"6-9\"",
										  "\"any\""))},
	{LINT_REDUNDANT_PEER, NULL, WEB(TCP("80", "\"10.0.0.0/8\", \"10.1.0.0/16\"")),
	 WEB(TCP("80", "\"10.0.0.0/8\", \"11.1.0.0/16\""))},
	{LINT_REDUNDANT_WITH_GROUP, "sg-b/b",
	 "{\"version\": 1, \"groups\": {\"sg-a\": {\"egress\": [], \"ingress\": [{\"id\": \"a\", "
	 "\"service\": \"https\", \"from\": [\"sg-a\"]}]}, \"sg-b\": {\"egress\": [], "
	 "\"ingress\": [{\"id\": \"b\", \"service\": \"https\", \"from\": [\"sg-a\"]}]}}, "
	 "\"interfaces\": {\"i\": {\"addresses\": [\"10.0.0.1\"], \"groups\": [\"sg-a\", "
	 "\"sg-b\"]}, \"j\": {\"addresses\": [\"10.0.0.2\"], \"groups\": [\"sg-a\"]}}}",
	 "{\"version\": 1, \"groups\": {\"sg-a\": {\"egress\": [], \"ingress\": [{\"id\": \"a\", "
	 "\"service\": \"https\", \"from\": [\"sg-a\"]}]}, \"sg-b\": {\"egress\": [], "
	 "\"ingress\": [{\"id\": \"b\", \"service\": \"https\", \"from\": [\"sg-b\"]}]}}, "
	 "\"interfaces\": {\"i\": {\"addresses\": [\"10.0.0.1\"], \"groups\": [\"sg-a\", "
	 "\"sg-b\"]}, \"j\": {\"addresses\": [\"10.0.0.2\"], \"groups\": [\"sg-b\"]}}}"},
	{LINT_EMPTY_RULE, "sg-web/db",
	 "{\"version\": 1, \"groups\": {\"sg-x\": {}, \"sg-web\": {\"ingress\": [{\"id\": "
	 "\"db\", \"protocol\": \"tcp\", \"from\": [\"sg-web\"]}]}}, " IFACE(
		 "\"addresses\": [\"10.0.0.1\"], \"groups\": [\"sg-x\"]"),
	 "{\"version\": 1, \"groups\": {\"sg-x\": {}, \"sg-web\": {\"ingress\": [{\"id\": "
	 "\"db\", \"protocol\": \"tcp\", \"from\": [\"sg-web\"]}]}}, " IFACE(
		 "\"addresses\": [\"10.0.0.1\"], \"groups\": [\"sg-web\"]")},
	{LINT_WRONG_FAMILY, NULL,
	 WEB("{\"service\": \"ping\", \"from\": [\"any\"]}, {\"protocol\": \"icmp\", \"from\": "
	     "[\"2001:db8::/32\"]}"),
	 WEB("{\"service\": \"ping\", \"from\": [\"2001:db8::/32\"]}, {\"protocol\": \"icmpv6\", "
	     "\"from\": [\"2001:db8::/32\"]}")},
	{LINT_WORLD_SSH, NULL, OPEN("\"20-30\""), WEB(TCP("22", "\"10.0.0.0/8\", \"fd00::/8\""))},
	{LINT_WORLD_SSH, NULL, WEB(TCP("22", "\"::/0\"")), WEB(TCP("22", "\"2001:db8::/32\""))},
	{LINT_WORLD_SSH, NULL, WEB(TCP("22", "\"0.0.0.0/1\", \"128.0.0.0/1\"")),
	 WEB(TCP("22", "\"0.0.0.0/1\", \"192.0.0.0/2\""))},
	{LINT_WORLD_SSH, NULL, WEB(TCP("22", "\"2000::/3\"")), WEB(TCP("22", "\"2000::/4\""))},
	{LINT_WORLD_SSH, NULL,
	 "{\"version\": 1, \"prefix_lists\": {\"pl-x\": {\"entries\": [\"0.0.0.0/0\"]}}, "
	 "\"groups\": {\"sg-web\": {\"ingress\": [" TCP("22", "\"pl-x\"") "]}}}",
	 "{\"version\": 1, \"prefix_lists\": {\"pl-x\": {\"entries\": [\"192.0.2.0/24\"]}}, "
	 "\"groups\": {\"sg-web\": {\"ingress\": [" TCP("22", "\"pl-x\"") "]}}}"},
	{LINT_WORLD_RDP, NULL, OPEN("3389"), OPEN("3390")},
	{LINT_WORLD_ADMIN, NULL, OPEN("445"), OPEN("443")},
	{LINT_WORLD_DATABASE, NULL, OPEN("5432"), OPEN("5433")},
	{LINT_WORLD_EVERYTHING, NULL, WEB("{\"protocol\": \"all\", \"from\": [\"0.0.0.0/0\"]}"),
	 WEB("{\"protocol\": \"all\", \"from\": [\"10.0.0.0/8\"]}")},
	{LINT_WORLD_ALL_PORTS, NULL, OPEN("\"0-65535\""), OPEN("\"10000-10010\"")},
	{LINT_WORLD_ALL_PORTS, NULL, WEB("{\"protocol\": \"udp\", \"from\": [\"any\"]}"),
	 WEB("{\"protocol\": \"gre\", \"from\": [\"any\"]}")},
	{LINT_WORLD_MANY_PORTS, NULL, OPEN("\"30000-31000\""), OPEN("\"30000-30999\"")},
	{LINT_WORLD_RISKY, NULL, OPEN("21"), OPEN("990")},
	{LINT_WORLD_HTTP, NULL, OPEN("80"), OPEN("443")},
	{LINT_SHORT_PREFIX, NULL, WEB(TCP("443", "\"128.0.0.0/7\"")),
	 WEB(TCP("443", "\"129.0.0.0/8\", \"fc00::/7\""))},
	{LINT_OPEN_EGRESS, "sg-web/default-egress", GROUPS("\"sg-web\": {}"),
	 GROUPS("\"sg-web\": {\"egress\": [{\"protocol\": \"all\", \"to\": [\"10.0.0.0/8\"]}]}")},
	{LINT_EGRESS_UNDONE, "sg-a",
	 "{\"version\": 1, \"groups\": {\"sg-a\": {\"egress\": []}, \"sg-b\": {}}, "
	 "\"interfaces\": {" MEMBER("i", "\"sg-a\", \"sg-b\"") "}}",
	 "{\"version\": 1, \"groups\": {\"sg-a\": {\"egress\": []}, \"sg-b\": {}}, "
	 "\"interfaces\": {" MEMBER("i", "\"sg-a\"") ", " MEMBER("j", "\"sg-b\"") "}}"},
	{LINT_WORLD_ICMP, NULL, WEB("{\"protocol\": \"icmp\", \"from\": [\"any\"]}"),
	 WEB("{\"service\": \"ping\", \"from\": [\"any\"]}")},
	{LINT_EXTERNAL_GROUP, NULL,
	 GROUPS("\"sg-x\": {\"external\": true}, \"sg-web\": {\"ingress\": [" TCP(
		 "1", "\"sg-x\", \"10.0.0.0/8\"") "]}"),
	 GROUPS("\"sg-x\": {}, \"sg-web\": {\"ingress\": [" TCP("1",
								"\"sg-x\", \"10.0.0.0/8\"") "]}")},
	{LINT_EXTERNAL_LIST, NULL,
	 "{\"version\": 1, \"prefix_lists\": {\"pl-x\": {\"external\": true}}, \"groups\": "
	 "{\"sg-web\": {\"ingress\": [" TCP("1", "\"pl-x\"") "]}}}",
	 "{\"version\": 1, \"prefix_lists\": {\"pl-x\": {\"entries\": [\"10.0.0.0/8\"]}}, "
	 "\"groups\": {\"sg-web\": {\"ingress\": [" TCP("1", "\"pl-x\"") "]}}}"},
	{LINT_UNUSED_GROUP, "sg-web", WEB(TCP("1", "\"sg-web\"")),
	 "{\"version\": 1, \"groups\": {\"sg-web\": {}}, \"interfaces\": "
	 "{" MEMBER("i", "\"sg-web\"") "}}"},
	{LINT_UNATTACHED_GROUP, "sg-x",
	 GROUPS("\"sg-x\": {}, \"sg-web\": {\"ingress\": [" TCP("1", "\"sg-x\"") "]}"),
	 "{\"version\": 1, \"groups\": {\"sg-x\": {}, \"sg-web\": {\"ingress\": [" TCP(
		 "1", "\"sg-x\"") "]}}, \"interfaces\": {" MEMBER("i", "\"sg-x\"") "}}"},
	{LINT_EMPTY_GROUP, "sg-x", GROUPS("\"sg-x\": {\"egress\": []}"), GROUPS("\"sg-x\": {}")},
	{LINT_UNUSED_LIST, "pl-x",
	 "{\"version\": 1, \"prefix_lists\": {\"pl-x\": {\"entries\": [\"10.0.0.0/8\"]}}}",
	 "{\"version\": 1, \"prefix_lists\": {\"pl-x\": {\"entries\": [\"10.0.0.0/8\"]}}, "
	 "\"groups\": {\"sg-web\": {\"egress\": [{\"protocol\": \"tcp\", \"to\": [\"pl-x\"]}]}}}"},
	{LINT_EMPTY_LIST, "pl-x",
	 "{\"version\": 1, \"prefix_lists\": {\"pl-x\": {\"entries\": []}}}",
	 "{\"version\": 1, \"prefix_lists\": {\"pl-x\": {\"entries\": [\"10.0.0.0/8\"]}}}"},
	{LINT_UNUSED_SERVICE, "app",
	 "{\"version\": 1, \"services\": {\"app\": {\"rules\": [{\"protocol\": \"tcp\"}]}}}",
	 "{\"version\": 1, \"services\": {\"app\": {\"rules\": [{\"protocol\": \"tcp\"}]}}, "
	 "\"groups\": {\"sg-a\": {\"ingress\": [{\"service\": \"app\", \"from\": "
	 "[\"sg-a\"]}]}}}"},
	{LINT_UNUSED_NETWORK_PEER, "default",
	 "{\"version\": 1, \"networks\": {\"default\": {\"peers\": [\"blue\"]}, \"blue\": {}}}",
	 "{\"version\": 1, \"networks\": {\"default\": {\"peers\": [\"blue\"]}, \"blue\": {}}, "
	 "\"groups\": {\"sg-a\": {\"ingress\": [" TCP("1", "\"blue:sg-default\"") "]}}}"},
	{LINT_DEFAULT_GROUP_OPEN, "sg-default", GROUPS("\"sg-default\": {}"),
	 GROUPS("\"sg-default\": {\"egress\": []}")},
	{LINT_DEFAULT_GROUP_OPEN, "sg-default",
	 "{\"version\": 1, \"interfaces\": {\"i\": {\"addresses\": [\"10.0.0.1\"]}}}",
	 "{\"version\": 1}"},
	{LINT_DEFAULT_GROUP_USED, "i",
	 "{\"version\": 1, \"interfaces\": {\"i\": {\"addresses\": [\"10.0.0.1\"]}}}",
	 MINIMAL IFACE("\"groups\": [\"sg-a\"]")},
	{LINT_NO_MAC, "i", TAP("\"addresses\": [\"10.0.0.1\"]"),
	 TAP(MAC "\"addresses\": [\"10.0.0.1\"]")},
	{LINT_NO_MAC, "i", TAP("\"addresses\": [\"10.0.0.1\"]"),
	 MINIMAL IFACE("\"groups\": [\"sg-a\"], \"addresses\": [\"10.0.0.1\"]")},
	{LINT_NO_SPOOF_GUARD, "i", TAP("\"spoof_guard\": false"), TAP("\"spoof_guard\": true")},
	{LINT_ALLOWED_WORLD, "i", TAP("\"allowed_addresses\": [\"::/0\"]"),
	 TAP("\"allowed_addresses\": [\"2001:db8::/32\"]")},
	{LINT_ALLOWED_WIDE, "i", TAP("\"allowed_addresses\": [\"128.0.0.0/1\"]"),
	 TAP("\"allowed_addresses\": [\"fc00::/7\"]")},
	{LINT_ALLOWED_TAKES_MEMBER, "i",
	 MINIMAL "\"interfaces\": {\"i\": {\"groups\": [\"sg-a\"], \"addresses\": "
		 "[\"10.0.0.1\"], \"allowed_addresses\": [\"10.0.0.0/30\"]}, \"j\": {\"groups\": "
		 "[\"sg-a\"], \"addresses\": [\"10.0.0.3\"]}}}",
	 MINIMAL "\"interfaces\": {\"i\": {\"groups\": [\"sg-a\"], \"addresses\": "
		 "[\"10.0.0.1\"], \"allowed_addresses\": [\"10.0.0.0/30\"]}, \"j\": {\"groups\": "
		 "[\"sg-a\"], \"addresses\": [\"10.0.0.4\"]}}}"},
	{LINT_NO_ADDRESS, "i", TAP(MAC "\"addresses\": []"), TAP("\"addresses\": [\"10.0.0.1\"]")},
	{LINT_GROUP_DESCRIPTION, "sg-x", GROUPS("\"sg-x\": {\"description\": \"\"}"),
	 GROUPS("\"sg-x\": {\"description\": \"x\"}")},
	{LINT_RULE_DESCRIPTION, NULL, WEB(TCP("1", "{\"cidr\": \"10.0.0.0/8\"}")),
	 WEB(TCP("1", "{\"cidr\": \"10.0.0.0/8\", \"description\": \"x\"}"))},
	{LINT_LIST_DESCRIPTION, "pl-x",
	 "{\"version\": 1, \"prefix_lists\": {\"pl-x\": {\"entries\": []}}}",
	 "{\"version\": 1, \"prefix_lists\": {\"pl-x\": {\"entries\": [], \"description\": "
	 "\"x\"}}}"},
	{LINT_IGNORE_WRONG, "/x-lint-ignore", "{\"version\": 1, \"x-lint-ignore\": 7}",
	 "{\"version\": 1, \"x-lint-ignore\": \"SG101\"}"},
	{LINT_IGNORE_WRONG, "/x-lint-ignore/0", "{\"version\": 1, \"x-lint-ignore\": [\"SG1\"]}",
	 "{\"version\": 1, \"x-lint-ignore\": [\"SG101\"]}"},
	{LINT_IGNORE_UNUSED, "/groups/sg-x/x-lint-ignore/SG601",
	 GROUPS("\"sg-x\": {\"description\": \"x\", \"x-lint-ignore\": {\"SG601\": \"why\"}}"),
	 GROUPS("\"sg-x\": {\"x-lint-ignore\": {\"SG601\": \"why\"}}")},
};

/* Made by code: what a file would be too long for. */
static const enum lint_code elsewhere[] = {LINT_NEVER_HIT, LINT_QUOTA_RULES, LINT_QUOTA_GROUPS,
					   LINT_QUOTA_PRODUCT};

static bool has(const char *policy, const struct lint_live *live, enum lint_code code,
		const char *subject)
{
	CLEANUP(linted_free) struct linted *linted = linted_new(policy, live);
	const struct lint_finding *finding = linted_find(linted, lint_checks[code].code);

	if (finding && subject)
		assert_string_equal(finding->subject, subject);
	return finding;
}

static void every_check_finds_and_lets_pass(void **state)
{
	(void)state;
	for (guint i = 0; i < G_N_ELEMENTS(examples); i++) {
		const struct example *example = &examples[i];
		const char *code = lint_checks[example->code].code;

		if (!has(example->bad, NULL, example->code, example->subject))
			fail_msg("no %s in %s", code, example->bad);
		if (has(example->good, NULL, example->code, NULL))
			fail_msg("%s in %s", code, example->good);
	}
}

static void every_check_has_an_example(void **state)
{
	(void)state;
	for (int code = 0; code < LINT_CODES; code++) {
		bool found = false;

		for (guint i = 0; i < G_N_ELEMENTS(examples); i++)
			found |= examples[i].code == (enum lint_code)code;
		for (guint i = 0; i < G_N_ELEMENTS(elsewhere); i++)
			found |= elsewhere[i] == (enum lint_code)code;
		if (!found)
			fail_msg("%s has no example", lint_checks[code].code);
		/* In order, so that help and manual are. */
		assert_true(!code ||
			    strcmp(lint_checks[code - 1].code, lint_checks[code].code) < 0);
	}
}

/* A group with so many rules of one port and peer each, beside default-egress. */
static char *group_of(const char *id, int rules)
{
	GString *text = g_string_new(NULL);

	g_string_append_printf(text, "\"%s\": {\"ingress\": [", id);
	for (int i = 0; i < rules; i++)
		g_string_append_printf(text,
				       "%s{\"protocol\": \"tcp\", \"ports\": [%d], \"from\": "
				       "[\"10.0.0.0/8\"]}",
				       i ? ", " : "", 10000 + 2 * i);
	g_string_append(text, "]}");
	return g_string_free(text, FALSE);
}

static char *quota_policy(int groups, int rules)
{
	GString *text = g_string_new("{\"version\": 1, \"groups\": {");
	GString *ids = g_string_new(NULL);

	for (int i = 0; i < groups; i++) {
		g_autofree char *id = g_strdup_printf("sg-%d", i);
		g_autofree char *group = group_of(id, rules);

		g_string_append_printf(text, "%s%s", i ? ", " : "", group);
		g_string_append_printf(ids, "%s\"%s\"", i ? ", " : "", id);
	}
	g_string_append_printf(text, "}, \"interfaces\": {\"i\": {\"groups\": [%s]}}}", ids->str);
	g_string_free(ids, TRUE);
	return g_string_free(text, FALSE);
}

static bool quota_has(enum lint_code code, int groups, int rules)
{
	g_autofree char *policy = quota_policy(groups, rules);

	return has(policy, NULL, code, NULL);
}

static void quotas_at_their_edges(void **state)
{
	(void)state;
	assert_false(quota_has(LINT_QUOTA_RULES, 1, 60));
	assert_true(quota_has(LINT_QUOTA_RULES, 1, 61));
	assert_false(quota_has(LINT_QUOTA_GROUPS, 5, 1));
	assert_true(quota_has(LINT_QUOTA_GROUPS, 6, 1));
	assert_false(quota_has(LINT_QUOTA_PRODUCT, 10, 100));
	assert_true(quota_has(LINT_QUOTA_PRODUCT, 10, 101));
}

/* ------------------------------------------------------------------ the daemon's counters */

#define LIVE_POLICY                                                                    \
	"{\"version\": 1, \"groups\": {\"sg-web\": {\"egress\": [], \"ingress\": ["    \
	"{\"id\": \"https\", \"service\": \"https\", \"from\": [\"10.0.0.0/8\"]}]}}, " \
	"\"interfaces\": {\"i\": {\"addresses\": [\"10.0.0.1\"], \"groups\": [\"sg-web\"]}}}"

static struct lint_live *live_of(int packets, int flows, const char *carried)
{
	AUTO_JSON json_t *rules =
		json_pack("[{ss ss ss si si}]", "network", "default", "direction", "ingress",
			  "rule", "sg-web/https", "packets", packets, "flows", flows);
	AUTO_JSON json_t *interfaces = json_pack("[{ss ss s[s]}]", "source", "attached", "network",
						 "default", "groups", carried);

	return lint_live_new(rules, interfaces);
}

static void rules_that_were_never_hit(void **state)
{
	CLEANUP(lint_live_free) struct lint_live *never = live_of(0, 0, "sg-x");
	CLEANUP(lint_live_free) struct lint_live *packets = live_of(1, 0, "sg-x");
	CLEANUP(lint_live_free) struct lint_live *flows = live_of(0, 1, "sg-x");

	(void)state;
	assert_true(has(LIVE_POLICY, never, LINT_NEVER_HIT, "sg-web/https"));
	assert_false(has(LIVE_POLICY, packets, LINT_NEVER_HIT, NULL));
	assert_false(has(LIVE_POLICY, flows, LINT_NEVER_HIT, NULL));
	assert_false(has(LIVE_POLICY, NULL, LINT_NEVER_HIT, NULL));
}

static void interfaces_attached_by_hand_count(void **state)
{
	static const char policy[] =
		"{\"version\": 1, \"groups\": {\"sg-a\": {}, \"sg-web\": {\"ingress\": "
		"[" TCP("1", "\"sg-web\"") "]}}, \"interfaces\": {" MEMBER("i", "\"sg-a\"") "}}";
	CLEANUP(lint_live_free) struct lint_live *ours = live_of(0, 0, "sg-web");
	CLEANUP(lint_live_free) struct lint_live *others = live_of(0, 0, "sg-x");

	(void)state;
	assert_false(has(policy, ours, LINT_UNUSED_GROUP, NULL));
	assert_false(has(policy, ours, LINT_EMPTY_RULE, NULL));
	assert_true(has(policy, others, LINT_UNUSED_GROUP, NULL));
	assert_true(has(policy, others, LINT_EMPTY_RULE, NULL));
}

/* ------------------------------------------------------------------ redundancy across groups */

/* Each makes the other's rule redundant: only one of them may go. */
static void of_two_groups_one_keeps_its_rule(void **state)
{
	static const char policy[] =
		"{\"version\": 1, \"groups\": {\"sg-a\": {\"egress\": [], \"ingress\": "
		"[" TCP("1", "\"any\"") "]}, \"sg-b\": {\"egress\": [], \"ingress\": "
					"[" TCP("1", "\"any\"") "]}}, \"interfaces\": {" MEMBER(
						"i", "\"sg-a\", \"sg-b\"") "}}";
	CLEANUP(linted_free) struct linted *linted = linted_new(policy, NULL);
	g_autofree char *text = linted_text(linted, "SG101 SG102 SG103 SG104 SG105");

	(void)state;
	assert_true(g_str_has_prefix(text, "SG105 sg-a/"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

/* ------------------------------------------------------------------ accepting */

static void an_ignore_holds_for_what_is_within(void **state)
{
	static const char inner[] = WEB("{\"x-lint-ignore\": [\"world-open-ssh\"], \"protocol\": "
					"\"tcp\", \"ports\": [22], \"from\": [\"any\"]}");
	static const char beside[] = WEB(
		"{\"protocol\": \"tcp\", \"ports\": [22], \"from\": [\"any\"]}, "
		"{\"x-lint-ignore\": \"SG201\", \"protocol\": \"udp\", \"from\": [\"sg-web\"]}");
	static const char document[] =
		"{\"version\": 1, \"x-lint-ignore\": \"SG201\", \"groups\": {\"sg-web\": "
		"{\"ingress\": [{\"service\": \"ssh\", \"from\": [\"any\"]}]}}}";
	/* Of a name that begins like another one's. */
	static const char longer[] =
		GROUPS("\"sg-we\": {\"x-lint-ignore\": \"SG201\"}, \"sg-web\": {\"ingress\": "
		       "[{\"service\": \"ssh\", \"from\": [\"any\"]}]}");

	(void)state;
	assert_false(has(inner, NULL, LINT_WORLD_SSH, NULL));
	assert_true(has(beside, NULL, LINT_WORLD_SSH, NULL));
	assert_true(has(beside, NULL, LINT_IGNORE_UNUSED, NULL));
	assert_false(has(document, NULL, LINT_WORLD_SSH, NULL));
	assert_true(has(longer, NULL, LINT_WORLD_SSH, NULL));
}

static char *fingerprint(const char *policy, const char *code)
{
	CLEANUP(linted_free) struct linted *linted = linted_new(policy, NULL);
	const struct lint_finding *finding = linted_find(linted, code);

	assert_non_null(finding);
	return g_strdup(finding->fingerprint);
}

static void fingerprints_know_the_finding(void **state)
{
	static const char ssh[] = "{\"id\": \"a\", \"service\": \"ssh\", \"from\": [\"any\"]}";
	g_autofree char *rule = g_strdup_printf(WEB("%s"), ssh);
	g_autofree char *moved = g_strdup_printf(
		"\n\n" WEB("{\"service\": \"dns\", \"from\": [\"sg-web\"]},\n %s"), ssh);
	g_autofree char *first = fingerprint(rule, "SG201");
	g_autofree char *second = fingerprint(moved, "SG201");
	g_autofree char *other = fingerprint(
		WEB("{\"id\": \"a\", \"service\": \"ssh\", \"from\": [\"::/0\"]}"), "SG201");

	(void)state;
	assert_string_equal(first, second);
	/* What was accepted of IPv4 says nothing of IPv6. */
	assert_string_not_equal(first, other);
}

static void no_two_findings_share_a_fingerprint(void **state)
{
	(void)state;
	for (guint i = 0; i < G_N_ELEMENTS(examples); i++) {
		CLEANUP(linted_free) struct linted *linted = linted_new(examples[i].bad, NULL);
		g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
		const GPtrArray *all = linted->result.findings->all;

		for (guint j = 0; j < all->len; j++) {
			struct lint_finding *finding = g_ptr_array_index(all, j);

			if (!g_hash_table_add(seen, finding->fingerprint))
				fail_msg("%s %s twice in %s", finding->check->code,
					 finding->subject, examples[i].bad);
		}
	}
}

/* ------------------------------------------------------------------ documents */

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text || !*text)
		fail_msg("SARIF: no \"%s\"", key);
	return text;
}

static void check_sarif_rules(const json_t *rules)
{
	size_t i;
	const json_t *rule;

	assert_int_equal(json_array_size(rules), LINT_CODES);
	json_array_foreach (rules, i, rule) {
		assert_string_equal(text_at(rule, "id"), lint_checks[i].code);
		text_at(json_object_get(rule, "shortDescription"), "text");
		text_at(json_object_get(rule, "fullDescription"), "text");
		text_at(json_object_get(rule, "help"), "text");
		text_at(json_object_get(rule, "help"), "markdown");
		text_at(json_object_get(rule, "defaultConfiguration"), "level");
		text_at(json_object_get(rule, "properties"), "security-severity");
	}
}

static void check_sarif_result(const json_t *result)
{
	static const char *const levels[] = {"note", "warning", "error", NULL};
	const json_t *location = json_array_get(json_object_get(result, "locations"), 0);
	const json_t *physical = json_object_get(location, "physicalLocation");
	const json_t *region = json_object_get(physical, "region");
	json_int_t index = json_integer_value(json_object_get(result, "ruleIndex"));

	assert_string_equal(text_at(result, "ruleId"), lint_checks[index].code);
	assert_true(g_strv_contains(levels, text_at(result, "level")));
	text_at(json_object_get(result, "message"), "text");
	text_at(json_object_get(result, "partialFingerprints"), "tapguardLint/v1");
	if (!physical)
		return;
	assert_string_equal(text_at(json_object_get(physical, "artifactLocation"), "uri"),
			    "a.json");
	assert_true(json_integer_value(json_object_get(region, "startLine")) >= 1);
	assert_true(json_integer_value(json_object_get(region, "startColumn")) >= 1);
}

static void sarif_has_what_code_hosts_read(void **state)
{
	(void)state;
	for (guint i = 0; i < G_N_ELEMENTS(examples); i++) {
		CLEANUP(linted_free) struct linted *linted = linted_new(examples[i].bad, NULL);
		AUTO_JSON json_t *sarif =
			lint_findings_to_sarif(linted->result.findings, linted->sources);
		const json_t *run = json_array_get(json_object_get(sarif, "runs"), 0);
		const json_t *driver = json_object_get(json_object_get(run, "tool"), "driver");
		const json_t *results = json_object_get(run, "results"), *result;
		size_t j;

		assert_string_equal(text_at(sarif, "version"), "2.1.0");
		text_at(sarif, "$schema");
		text_at(driver, "name");
		check_sarif_rules(json_object_get(driver, "rules"));
		assert_int_equal(json_array_size(results), linted->result.findings->all->len);
		json_array_foreach (results, j, result)
			check_sarif_result(result);
	}
}

/* One space between words, no line ends. */
static char *unfold(const char *text)
{
	g_auto(GStrv) words = g_strsplit_set(text, " \n", -1);
	GString *out = g_string_new(NULL);

	for (char **word = words; *word; word++)
		if (**word)
			g_string_append_printf(out, "%s%s", out->len ? " " : "", *word);
	return g_string_free(out, FALSE);
}

static void the_manual_explains_every_check(void **state)
{
	g_autofree char *page = NULL;
	g_autofree char *words = NULL;

	(void)state;
	assert_true(g_file_get_contents("ctl/sgctl.1", &page, NULL, NULL));
	words = unfold(page);
	for (int i = 0; i < LINT_CODES; i++) {
		const struct lint_check *check = &lint_checks[i];
		g_autofree char *expected = g_strdup_printf(
			".It Sy %s Cm %s Pq %s %c%s. %s", check->code, check->name,
			lint_severity_name(check->severity), g_ascii_toupper(*check->title),
			check->title + 1, check->text);

		if (!strstr(words, expected))
			fail_msg("ctl/sgctl.1 does not say: %s", expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_check_finds_and_lets_pass),
		cmocka_unit_test(every_check_has_an_example),
		cmocka_unit_test(quotas_at_their_edges),
		cmocka_unit_test(rules_that_were_never_hit),
		cmocka_unit_test(interfaces_attached_by_hand_count),
		cmocka_unit_test(of_two_groups_one_keeps_its_rule),
		cmocka_unit_test(an_ignore_holds_for_what_is_within),
		cmocka_unit_test(fingerprints_know_the_finding),
		cmocka_unit_test(no_two_findings_share_a_fingerprint),
		cmocka_unit_test(sarif_has_what_code_hosts_read),
		cmocka_unit_test(the_manual_explains_every_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
