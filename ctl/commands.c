/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commands.c - the table of commands and their options. See command.h. */
#include <string.h>

#include "ctl/command.h"
#include "ctl/filters.h"

const struct option global_options[] = {
	{"json", NULL, "one JSON document on standard output", 0, 0},
	{"socket", "PATH", "API socket (TAPGUARD_SOCKET, /run/tapguard/api.sock)", 0, 0},
	{"help", NULL, "help about the command", 0, 'h'},
	{"version", NULL, "print the version", 0, 'V'},
	{0},
};

static const struct option import_options[] = {
	{"device", "PATTERN", "devices of interfaces: tap-%i, tap%.11I, %m", 0, 0},
	{"map", "FILE", "devices of interfaces: {\"eni-1\": \"tap0\"}, by id or MAC", 0, 0},
	{"network", "N", "network of the policy (default: default)", 0, 0},
	{"vpc", "VPC", "only what is in this VPC", 0, 0},
	{"output-dir", "DIR", "a file a VPC, each a network of its own", 0, 0},
	{"entries", "FILE=PL", "whose entries a get-managed-prefix-list-entries FILE has",
	 OPTION_LIST, 0},
	{"strict", NULL, "exit 1 when anything was reported", 0, 0},
	{0},
};

static const struct option export_options[] = {
	{"family", "inet|bridge", "nft: routed taps (default), or taps in a bridge", 0, 0},
	{"strict", NULL, "exit 1 when anything was reported", 0, 0},
	{0},
};

#define OUTPUT_OPTION                                                                            \
	{                                                                                        \
		"output", "COLUMNS", "which columns: ID,STATE; +MAC adds one to the usual ones", \
			0, 'o'                                                                   \
	}

static const struct option lint_options[] = {
	OUTPUT_OPTION,
	{"fail-on", "LEVEL", "exit 1 from error (default), warning, info; or never", 0, 0},
	{"severity", "LEVEL", "leave out what is less: error, warning, info (default)", 0, 0},
	{"only", "CODES", "these checks alone: SG101,SG102", 0, 0},
	{"ignore", "CODES", "not these checks", 0, 0},
	{"format", "FORMAT", "table (default), json, gcc (lines for editors), sarif", 0, 0},
	{"baseline", "FILE", "leave out the findings that this file accepts", 0, 0},
	{"write-baseline", "FILE", "accept all that is found: write it to this file", 0, 0},
	{"live", NULL, "ask the daemon too: counters, what is attached by hand", 0, 0},
	{"explain", "CODE", "what a check means, instead", 0, 0},
	{0},
};

static const struct option apply_options[] = {
	{"dry-run", NULL, "change nothing: sgctl plan", 0, 0},
	{"confirm", "SECONDS", "go back unless 'sgctl confirm' comes in time", 0, 0},
	{"existing", "reevaluate|keep", "live flows that nothing allows now", 0, 0},
	{0},
};

static const struct option plan_options[] = {
	{"existing", "reevaluate|keep", "live flows that nothing allows then", 0, 0},
	{0},
};

static const struct option attach_options[] = {
	{"id", "ID", "the interface's id", OPTION_REQUIRED, 0},
	{"address", "A", "its addresses: lists repeat, and take commas",
	 OPTION_REQUIRED | OPTION_LIST, 0},
	{"allowed", "CIDR", "what it may also send from and be reached at", OPTION_LIST, 0},
	{"mac", "M", "its MAC; without it the source MAC is not checked", 0, 0},
	{"group", "SG", "a group it carries; without any: sg-default", OPTION_LIST, 0},
	{"network", "N", "its network (default: default)", 0, 0},
	{"hook", "auto|xdp|tcx|tc", "where it is filtered (default: auto)", 0, 0},
	{"wait", NULL, "record it when the device does not exist yet", 0, 0},
	{"no-spoof-guard", NULL, "do not judge the addresses it sends from", 0, 0},
	{"vlan", "N", "a VLAN id whose tagged frames pass", OPTION_LIST, 0},
	{"max-flows", "N", "flows it may have (default: 16384)", 0, 0},
	{"adopt-flows", "SECONDS", "let TCP connections that run already go on", 0, 0},
	{0},
};

static const struct option wait_options[] = {
	{"timeout", "S", "give up after so many seconds (default: 30)", 0, 0},
	{0},
};

static const struct option show_options[] = {
	OUTPUT_OPTION,
	{"network", "N", "members and rules: the group of this network", 0, 0},
	{0},
};

static const struct option trace_options[] = {
	{"interface", "ID", "whose rules", OPTION_REQUIRED, 0},
	{"direction", "ingress|egress", "to the VM or from it", 0, 0},
	{"protocol", "P", "tcp, udp, icmp, icmpv6, sctp, gre, esp, ah, number", 0, 0},
	{"src", "A", "source: A, A:PORT or [v6]:PORT", 0, 0},
	{"dst", "A", "destination, likewise", 0, 0},
	{"icmp-type", "T", "number or name (default: echo-request)", 0, 0},
	{"icmp-code", "C", "number or name (default: 0)", 0, 0},
	{"expect", "allow|deny", "exit 1 when the verdict is another", 0, 0},
	{"frame", "HEX", "instead of a packet: a frame of it in hexadecimal", 0, 0},
	{"pcap", "FILE", "instead of a packet: a capture, summed up", 0, 0},
	{"policy", "PATH", "ask these files and directories instead of the daemon", OPTION_LIST, 0},
	{"host", "NAME", "with --policy: refuse interfaces of other hosts", 0, 0},
	{0},
};

static const struct option test_options[] = {
	{"format", "table|json|junit", "default: table; junit is XML for CI servers", 0, 0},
	{"policy", "PATH", "ask these files and directories instead of the daemon", OPTION_LIST, 0},
	{0},
};

static const struct option flows_options[] = {OUTPUT_OPTION, FILTER_OPTIONS, {0}};
static const struct option flush_options[] = {FILTER_OPTIONS, {0}};

static const struct option stats_options[] = {
	OUTPUT_OPTION,
	{"interface", "ID", "of this interface alone", 0, 0},
	{0},
};

static const struct option verify_options[] = {
	OUTPUT_OPTION,
	{"repair", NULL, "put right what differs", 0, 0},
	{0},
};

static const struct option events_options[] = {
	{"follow", NULL, "until interrupted", 0, 'f'},
	{"drops", NULL, "drops alone, no new flows", 0, 0},
	{"interface", "ID", "of this interface alone", 0, 0},
	{"seconds", "N", "for so long (default: 5)", 0, 0},
	{0},
};

static const struct option top_options[] = {
	{"view", "interfaces|drops|flows", "what is shown first", 0, 0},
	{"seconds", "N", "between two looks (default: 2)", 0, 0},
	{"batch", "N", "no screen: print N times, also as JSON", 0, 0},
	{0},
};

static const struct option fmt_options[] = {
	{"check", NULL, "change nothing; name what would change and exit 1", 0, 0},
	{"sha256", NULL, "print the digest of the canonical form instead", 0, 0},
	{0},
};

static const struct option graph_options[] = {
	{"format", "dot|mermaid|svg|html", "default: dot; svg and html need graphviz", 0, 0},
	{"network", "N", "the groups of this network alone", 0, 0},
	{"nodes", "N", "join groups until at most so many nodes are left (default: 40)", 0, 0},
	{0},
};

const struct command commands[] = {
	{"validate", command_validate, "validate PATH...", "check policy files, without a daemon",
	 "Prints every error of every file as FILE:LINE:COLUMN: /pointer: what is wrong. A\n"
	 "PATH is a file, a directory (its *.json) or - (standard input). With --json: an\n"
	 "array, [] when all is well.",
	 NULL, 1, OPERANDS_ANY},
	{"lint", command_lint, "lint PATH... [OPTION...]",
	 "find what is wrong or pointless in policy files",
	 "Prints findings, each with a code, its place and what is wrong; -o +FIX adds\n"
	 "what to do. Exits 1 when one is at least as severe as --fail-on says. Findings\n"
	 "are accepted by --baseline, or in the policy: \"x-lint-ignore\": {\"SG201\": \"the\n"
	 "reason\"} in any object holds for it and all within.\n\n"
	 "  sgctl lint --fail-on warning --baseline accepted.json /etc/tapguard",
	 lint_options, 0, OPERANDS_ANY},
	{"plan", command_plan, "plan PATH... [--existing reevaluate|keep]",
	 "show what apply would change",
	 "Rule by rule; what it means for who may reach whom; members that groups gain and\n"
	 "lose; and the live flows that nothing would allow any more, with the rule that each\n"
	 "loses. + is added, - removed, ~ changed, > the same under another id. Exits 0 when\n"
	 "nothing changes and 3 when something does. A policy that says the same in another\n"
	 "order, in other files, or in other words for ports changes nothing.",
	 plan_options, 1, OPERANDS_ANY},
	{"apply", command_apply, "apply PATH... [--existing reevaluate|keep]",
	 "replace the policy, all or nothing",
	 "Interfaces attached by hand stay. Exits 1 when the policy is refused: then the\n"
	 "old one holds. Interfaces whose device does not exist yet are named on standard\n"
	 "error and filtered when it appears. Exits 1 also when a device that exists cannot\n"
	 "be filtered: the policy holds then, but not there. Live flows that no rule allows\n"
	 "any more are cut at their next packet; with --existing keep they go on until they\n"
	 "end.",
	 apply_options, 1, OPERANDS_ANY},
	{"patch", command_patch, "patch PATH... [--existing reevaluate|keep]",
	 "replace, add or remove single objects of the policy",
	 "A patch is a document like a policy's. Each object that it names takes the whole\n"
	 "place of the one with its id, null removes it, and everything else stays. It costs\n"
	 "what it changes, whatever the policy holds besides; exit status and output are\n"
	 "those of apply.\n\n"
	 "  echo '{\"version\": 1, \"interfaces\": {\"web-9\": null}}' | sgctl patch -",
	 apply_options, 1, OPERANDS_ANY},
	{"confirm", command_confirm, "confirm", "keep the policy that apply --confirm put on trial",
	 "Unless it comes in time rulesd goes back by itself, also after a crash or a\n"
	 "reboot. Until then other changes of the policy are refused; rollback goes back at\n"
	 "once.",
	 NULL, 0, 0},
	{"rollback", command_rollback, "rollback [GENERATION]", "return to an earlier policy",
	 "Without GENERATION: the one before. sgctl show generations lists them.", NULL, 0, 1},
	{"attach", command_attach, "attach DEVICE --id ID --address A... [OPTION...]",
	 "filter a tap now and after restarts",
	 "Again with the same id changes it. Exits 0 when the device is filtered, or\n"
	 "recorded with --wait.\n\n"
	 "  sgctl attach tap0 --id web-1 --address 10.0.0.5,fd00::5 --group sg-web",
	 attach_options, 1, 1},
	{"detach", command_detach, "detach ID|DEVICE",
	 "stop filtering a tap that was attached by hand",
	 "An id wins over the name of a device. Its membership and flows end at once.", NULL, 1, 1},
	{"wait", command_wait, "wait ID [--timeout S]", "wait until an interface is filtered",
	 "Exits 0 as soon as it is: then its VM may start. Exits 1, saying why, when that\n"
	 "failed, when another host attaches it, or when the time is up. Also an interface\n"
	 "that nobody has defined yet, and a daemon that does not run yet, are waited for.",
	 wait_options, 1, 1},
	{"show", command_show,
	 "show status|groups|rules [SG]|interfaces|prefix-lists|members SG|services|generations",
	 "show the present state", NULL, show_options, 1, 2},
	{"trace", command_trace,
	 "trace --interface ID --direction ingress|egress --protocol P --src A[:PORT] --dst A[:PORT]",
	 "which rule allows a packet, or why none does",
	 "Of a packet that opens a flow: replies to an allowed flow pass without a rule.\n"
	 "--frame takes the packet from a frame, --pcap every packet of a capture of the\n"
	 "interface, with flows, and sums up what would have become of them. Exits 0 for\n"
	 "either verdict unless --expect fails.\n\n"
	 "  sgctl trace --interface web-1 --direction ingress --protocol tcp \\\n"
	 "      --src 192.0.2.1 --dst 10.0.0.5:443",
	 trace_options, 0, 0},
	{"test", command_test, "test FILE... [--policy PATH...]",
	 "check that a policy allows and denies what it should",
	 "A FILE holds an array of packets with what is expected, or {\"version\": 1,\n"
	 "\"tests\": [...]}. The other side may be one address, or any, a CIDR, a group, a\n"
	 "prefix list: then the verdict must hold for every packet from there, and a packet\n"
	 "that shows it is named when it does not. Without an address of its own it is each of\n"
	 "the interface's, and without a port every port; name, rule and reason may be left\n"
	 "out. Exits 1 when one fails, 2 when a file cannot be read.\n\n"
	 "  [{\"interface\": \"web-1\", \"direction\": \"ingress\", \"protocol\": \"tcp\",\n"
	 "    \"src\": \"any\", \"dport\": 443, \"expect\": \"allow\"},\n"
	 "   {\"name\": \"only the application\", \"interface\": \"db-1\", \"direction\": \"ingress\",\n"
	 "    \"protocol\": \"tcp\", \"src\": \"10.77.0.12\", \"dst\": \"10.77.0.13:5432\",\n"
	 "    \"expect\": \"allow\", \"rule\": \"sg-db/postgresql\"}]",
	 test_options, 1, OPERANDS_ANY},
	{"flows", command_flows, "flows [FILTER...]",
	 "list live flows, each with the rule that allowed it",
	 "Addresses and ports are as the opener sent them.", flows_options, 0, 1},
	{"flush", command_flush, "flush flows [FILTER...]", "forget flows",
	 "Without a filter: all of them. The next packet of a forgotten flow is judged by\n"
	 "the rules.",
	 flush_options, 1, 1},
	{"stats", command_stats, "stats [--interface ID]",
	 "count packets by interface and drop reason", NULL, stats_options, 0, 0},
	{"verify", command_verify, "verify [--repair]",
	 "compare what rulesd believes with what the kernel holds",
	 "Programs on devices, pins, maps and every entry of them, and how many flows are\n"
	 "counted, while everything goes on. Exits 1 when something differs that is not\n"
	 "repaired. --repair lets nothing pass that no rule allows, and cuts no flow that\n"
	 "one does.",
	 verify_options, 0, 0},
	{"events", command_events, "events [--follow] [--drops] [--interface ID]",
	 "show drops and new flows as they happen",
	 "Each with its reason or its rule, for five seconds, or until interrupted with\n"
	 "--follow. With --json: an object a line. Nothing is reported by the kernel while\n"
	 "nobody listens.",
	 events_options, 0, 0},
	{"top", command_top, "top [--view interfaces|drops|flows]",
	 "watch interfaces, drops and flows by the second",
	 "Tab or 1 to 3 choose what is shown, < and > what it is sorted by, space pauses, +\n"
	 "and - change the seconds, q quits. Rates are packets and bits a second.",
	 top_options, 0, 0},
	{"fmt", command_fmt, "fmt FILE...", "rewrite policy files in canonical form",
	 "In place, and names the files it changed; - reads standard input and prints. What\n"
	 "a file refers to may be in files that are not named; whether it is there, validate\n"
	 "tells. --sha256 wants the whole policy.",
	 fmt_options, 1, OPERANDS_ANY},
	{"graph", command_graph, "graph [--format dot|mermaid|svg|html] [PATH...]",
	 "draw who may reach whom",
	 "Of policy files, or of what the daemon holds. Edges point from who opens a\n"
	 "connection: solid is what a group lets in, dashed what a group with limited egress\n"
	 "lets out, dotted what is let in there and not let out here. A group whose egress\n"
	 "is not limited has no dashed edges. Groups with the same edges are joined when\n"
	 "there are many; \"some:\" marks an edge that does not hold for all that were joined.\n\n"
	 "  sgctl graph --format svg policy.json >policy.svg",
	 graph_options, 0, OPERANDS_ANY},
	{"import", command_import, "import aws|terraform|neutron FILE... [OPTION...]",
	 "make a policy of another system's security groups",
	 "The policy is printed on standard output, in canonical form. What it cannot say as\n"
	 "the source does is listed on standard error: nothing is dropped in silence. Several\n"
	 "FILEs belong together: groups, rules, interfaces and prefix lists may come from one\n"
	 "call each. aws reads what the AWS CLI and AWS Config print, terraform state files and\n"
	 "terraform show -json, neutron the JSON of OpenStack's API.\n\n"
	 "  aws ec2 describe-security-groups >groups.json\n"
	 "  aws ec2 describe-network-interfaces >interfaces.json\n"
	 "  sgctl import aws groups.json interfaces.json --device 'tap%.11I' >policy.json",
	 import_options, 2, OPERANDS_ANY},
	{"export", command_export, "export aws|nft [PATH...]",
	 "print a policy in the words of another system",
	 "Of policy files, or of what the daemon holds. aws prints {\"SecurityGroups\": [...]}\n"
	 "as the AWS CLI does, with interfaces and prefix lists where there are some; sgctl\n"
	 "import aws makes the same policy of it. What AWS cannot say is listed on standard\n"
	 "error. nft prints a commented ruleset for nft -f: what the rules come to on a host\n"
	 "without rulesd.",
	 export_options, 1, OPERANDS_ANY},
	{"completion", command_completion, "completion bash|zsh",
	 "print a completion script for a shell",
	 "Commands, options and what may follow them; ids are those of the files after\n"
	 "--policy, else those that the daemon has.\n\n"
	 "  source <(sgctl completion bash)\n"
	 "  sgctl completion zsh >\"${fpath[1]}/_sgctl\"",
	 NULL, 1, 1},
	{"help", command_help, "help [COMMAND]", "help about sgctl or a command", NULL, NULL, 0, 1},
	{0},
};

const struct command *command_find(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static const struct option *in_list(const struct option *list, const char *name, char letter)
{
	for (const struct option *o = list; o && o->name; o++)
		if (name ? !strcmp(o->name, name) : o->letter && o->letter == letter)
			return o;
	return NULL;
}

static const struct option *anywhere(const char *name, char letter)
{
	const struct option *option = in_list(global_options, name, letter);

	for (const struct command *c = commands; c->name && !option; c++)
		option = in_list(c->options, name, letter);
	return option;
}

const struct option *option_find(const struct command *command, const char *name)
{
	const struct option *option = in_list(global_options, name, 0);

	return option || !command ? option : in_list(command->options, name, 0);
}

const struct option *option_find_anywhere(const char *name)
{
	return anywhere(name, 0);
}

const struct option *option_find_letter_anywhere(char letter)
{
	return anywhere(NULL, letter);
}
