/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_check.c - the table of checks. See lint_check.h.
 *
 * Sources: CIS Amazon Web Services Foundations Benchmark, "Networking" (5.2 to 5.4 in versions 1.4
 * to 3.0); the checks of Checkov (CKV_AWS_23, 24, 25, 260, 277, 382, CKV2_AWS_5, 12), Prowler
 * (ec2_securitygroup_*) and AWS Config (vpc-sg-restricted-common-ports); AWS' quotas.
 */
#include "ctl/lint_check.h"

#include <glib.h>

const struct lint_check lint_checks[LINT_CODES] = {
	[LINT_DUPLICATE_RULE] =
		{"SG101", "duplicate-rule", LINT_WARNING, "a rule that repeats another one",
		 "Both allow exactly the same packets, however they are written. Remove one: as long "
		 "as the other stands, removing this one closes nothing."},
	[LINT_SUBSUMED_RULE] =
		{"SG102", "subsumed-rule", LINT_WARNING, "a rule that lies within another one",
		 "Another rule of the same group and direction allows all that this one does, and "
		 "more. Remove this one, or narrow the other if it allows more than was meant."},
	[LINT_SHADOWED_RULE] =
		{"SG103", "shadowed-rule", LINT_WARNING,
		 "a rule that several others cover together",
		 "No single rule allows all that this one does, but together they do: by ranges of "
		 "ports that join, or by prefixes that make up its own. It changes no verdict."},
	[LINT_REDUNDANT_PEER] =
		{"SG104", "redundant-peer", LINT_INFO, "a peer that is allowed already",
		 "Other peers of the rule, or other rules of the group, allow all that this peer "
		 "adds. Groups count by name, prefix lists by their entries."},
	[LINT_REDUNDANT_WITH_GROUP] =
		{"SG105", "redundant-with-group", LINT_INFO,
		 "a rule that other groups of the same interfaces have",
		 "Every interface of the policy that carries this group carries other groups too "
		 "that allow the same, so that the rule changes nothing now. It would, on an "
		 "interface that carries this group alone."},
	[LINT_EMPTY_RULE] =
		{"SG106", "empty-rule", LINT_WARNING, "a rule that matches nothing",
		 "None of its peers stands for an address: groups that no interface with an address "
		 "carries, prefix lists without entries, or what is only known by name."},
	[LINT_WRONG_FAMILY] =
		{"SG107", "wrong-family", LINT_WARNING, "ICMP of the wrong family for a peer",
		 "icmp is IPv4's and icmpv6 is IPv6's: no packet of the one comes from an address of "
		 "the other. Most often the rule for the other protocol is missing."},
	[LINT_NEVER_HIT] =
		{"SG108", "never-hit", LINT_INFO, "a rule that allowed nothing so far",
		 "Only with --live: the daemon has counted neither a packet nor a flow by this rule, "
		 "although interfaces carry its group. Look at how long it has been counting before "
		 "you remove it."},
	[LINT_WORLD_SSH] =
		{"SG201", "world-open-ssh", LINT_ERROR, "SSH is open to the world",
		 "Port 22 is reached from every public address. CIS 5.2 (IPv4) and 5.3 (IPv6), "
		 "Checkov CKV_AWS_24, Prowler tcp_port_22. Allow the networks of administrators or a "
		 "bastion's group instead."},
	[LINT_WORLD_RDP] =
		{"SG202", "world-open-rdp", LINT_ERROR, "RDP is open to the world",
		 "Port 3389 is reached from every public address. CIS 5.2 (IPv4) and 5.3 (IPv6), "
		 "Checkov CKV_AWS_25, Prowler tcp_port_3389. Allow the networks of administrators or "
		 "a gateway's group instead."},
	[LINT_WORLD_ADMIN] =
		{"SG203", "world-open-admin", LINT_ERROR,
		 "a port of administration is open to the world",
		 "Telnet, VNC, WinRM, SMB, RPC, NFS, SNMP, IPMI, the interfaces of Docker, "
		 "Kubernetes, etcd and the like: whoever reaches one may own the host. CIS 5.2 and "
		 "5.3 (remote server administration ports), Prowler and AWS Config name most of "
		 "them."},
	[LINT_WORLD_DATABASE] =
		{"SG204", "world-open-database", LINT_ERROR, "a database is open to the world",
		 "MySQL, PostgreSQL, SQL Server, Oracle, MongoDB, Redis, memcached, Cassandra, "
		 "Elasticsearch, Kafka and others belong to the groups of their clients. Prowler "
		 "checks each of them, AWS Config most."},
	[LINT_WORLD_EVERYTHING] =
		{"SG205", "world-open-everything", LINT_ERROR,
		 "every protocol is open to the world",
		 "The group filters nothing. Checkov CKV_AWS_277, Prowler all_ports. Nothing else "
		 "is said of the ports of such a rule."},
	[LINT_WORLD_ALL_PORTS] =
		{"SG206", "world-open-all-ports", LINT_ERROR,
		 "every port of a protocol is open to the world",
		 "0-65535, or 1-65535, or no ports at all, which means the same. It includes SSH, "
		 "RDP and each database; they are not listed one by one."},
	[LINT_WORLD_MANY_PORTS] =
		{"SG207", "world-open-many-ports", LINT_WARNING,
		 "a wide range of ports is open to the world",
		 "More than 1,000 ports of one protocol. Replies need no rule here, so nobody needs "
		 "to open the ephemeral ports."},
	[LINT_WORLD_RISKY] =
		{"SG208", "world-open-risky", LINT_WARNING, "a risky port is open to the world",
		 "FTP, TFTP, mail in the clear, and ports where programs under development listen. "
		 "Prowler high_risk_tcp_ports and AWS Config vpc-sg-restricted-common-ports name "
		 "them. Some servers mean it: accept the finding there."},
	[LINT_WORLD_HTTP] = {"SG209", "world-open-http", LINT_INFO,
			     "HTTP without TLS is open to the world",
			     "Port 80. Checkov CKV_AWS_260. Usual for a redirect to https."},
	[LINT_SHORT_PREFIX] =
		{"SG210", "short-prefix", LINT_WARNING, "a prefix of 1 to 7 bits",
		 "Most often a way to write the whole internet in halves that checks for /0 do not "
		 "see, or a mistyped length. fc00::/7, IPv6's private addresses, is let pass."},
	[LINT_OPEN_EGRESS] =
		{"SG211", "open-egress", LINT_INFO, "everything may go out",
		 "Every protocol to the whole world, written or because \"egress\" is missing. "
		 "Checkov CKV_AWS_382. A VM that was broken into reaches everything."},
	[LINT_EGRESS_UNDONE] =
		{"SG212", "egress-undone", LINT_WARNING,
		 "egress rules that another group of the interface makes pointless",
		 "Groups add up. One group of the interface lists what may go out, another one has "
		 "no \"egress\" and so lets everything out. Write \"egress\": [] in that one."},
	[LINT_WORLD_ICMP] =
		{"SG213", "world-open-icmp", LINT_INFO, "every ICMP type is open to the world",
		 "Errors that belong to a flow pass without a rule, and a ping needs echo-request "
		 "alone (service ping)."},
	[LINT_EXTERNAL_GROUP] =
		{"SG301", "external-group", LINT_WARNING,
		 "a peer that is a group known by name only",
		 "The group is declared external, so that it has no members here and the peer "
		 "matches nothing: what a reference that dangles becomes on import. Define the "
		 "group, or remove the peer."},
	[LINT_EXTERNAL_LIST] =
		{"SG302", "external-prefix-list", LINT_WARNING,
		 "a peer that is a prefix list known by name only",
		 "The prefix list is declared external, so that it has no entries here and the peer "
		 "matches nothing. Define it, or remove the peer."},
	[LINT_UNUSED_GROUP] =
		{"SG303", "unused-group", LINT_WARNING, "a group that nothing uses",
		 "No interface carries it and no rule of another group names it. Prowler "
		 "ec2_securitygroup_not_used. With --live, interfaces that are attached by hand "
		 "count too."},
	[LINT_UNATTACHED_GROUP] =
		{"SG304", "unattached-group", LINT_INFO, "a group that no interface carries",
		 "Rules name it as a peer, but it has no members, and its own rules hold nowhere. "
		 "Checkov CKV2_AWS_5. With --live, interfaces that are attached by hand count too."},
	[LINT_EMPTY_GROUP] =
		{"SG305", "empty-group", LINT_INFO, "a group that allows nothing",
		 "It has no rule in either direction. Right for a quarantine, or for a group that is "
		 "only a name for its members; then accept the finding."},
	[LINT_UNUSED_LIST] = {"SG306", "unused-prefix-list", LINT_WARNING,
			      "a prefix list that no rule uses", "Remove it, or use it."},
	[LINT_EMPTY_LIST] = {"SG307", "empty-prefix-list", LINT_WARNING,
			     "a prefix list without entries",
			     "It matches nothing, so that rules with this peer do nothing."},
	[LINT_UNUSED_SERVICE] = {"SG308", "unused-service", LINT_INFO,
				 "a service of the policy that no rule uses",
				 "Remove it, or use it."},
	[LINT_UNUSED_NETWORK_PEER] =
		{"SG309", "unused-network-peer", LINT_INFO,
		 "a network whose groups may be named, and no rule does",
		 "An entry of \"peers\" of a network that no rule needs is a permission too many."},
	[LINT_DEFAULT_GROUP_OPEN] =
		{"SG401", "default-group-open", LINT_WARNING, "sg-default allows something",
		 "Whoever forgets \"groups\" gets this group: it should allow nothing in either "
		 "direction. CIS 5.4, Checkov CKV2_AWS_12. Where no file defines sg-default, its "
		 "rules are implied, and this is said once an interface carries it."},
	[LINT_DEFAULT_GROUP_USED] =
		{"SG402", "default-group-used", LINT_INFO, "an interface carries sg-default",
		 "CIS 5.4: keep the default group for what was forgotten, and give each interface a "
		 "group of its own kind."},
	[LINT_NO_MAC] =
		{"SG403", "no-mac", LINT_WARNING, "an interface without a mac",
		 "Its source MAC is not checked: the VM may send as any other one of its bridge."},
	[LINT_NO_SPOOF_GUARD] =
		{"SG404", "no-spoof-guard", LINT_WARNING,
		 "an interface whose senders are not checked",
		 "With \"spoof_guard\": false the VM may send from any address, also from those that "
		 "rules elsewhere allow. For a router list what it routes in allowed_addresses."},
	[LINT_ALLOWED_WORLD] =
		{"SG405", "allowed-any", LINT_WARNING,
		 "allowed_addresses is every address of a family",
		 "The VM may send from all of them: the source check does nothing for that family. "
		 "List what it routes."},
	[LINT_ALLOWED_WIDE] = {"SG406", "allowed-wide", LINT_WARNING,
			       "allowed_addresses is a prefix of 1 to 7 bits",
			       "Nearly the same as every address. List what it routes."},
	[LINT_ALLOWED_TAKES_MEMBER] =
		{"SG407", "allowed-takes-member", LINT_WARNING,
		 "allowed_addresses holds the address of another interface",
		 "The VM may send as that interface, and rules that allow that interface's groups "
		 "will let it in. List the prefix without it, or accept it for a pair that shares "
		 "an address on purpose."},
	[LINT_NO_ADDRESS] =
		{"SG408", "no-address", LINT_WARNING, "an interface without an address",
		 "With spoof_guard nothing but DHCP and the like passes, and as a member it stands "
		 "for nothing."},
	[LINT_QUOTA_RULES] =
		{"SG501", "aws-rules", LINT_INFO, "more rules than a group may have in AWS",
		 "60 for each direction and family is the default there; a rule there has one range "
		 "of ports and one peer, and a prefix list counts with its entries. Nothing is wrong "
		 "with it here."},
	[LINT_QUOTA_GROUPS] =
		{"SG502", "aws-groups", LINT_INFO, "more groups than an interface may carry in AWS",
		 "5 is the default there, 16 the most. Nothing is wrong with it here."},
	[LINT_QUOTA_PRODUCT] =
		{"SG503", "aws-product", LINT_INFO, "more rules on an interface than AWS takes",
		 "The quota of groups of an interface times that of rules of a group is at most "
		 "1,000 there; the groups of this interface have more rules together in one "
		 "direction and family. Nothing is wrong with it here."},
	[LINT_GROUP_DESCRIPTION] = {"SG601", "group-description", LINT_INFO,
				    "a group without a description",
				    "Checkov CKV_AWS_23. Say what the members of the group are."},
	[LINT_RULE_DESCRIPTION] =
		{"SG602", "rule-description", LINT_INFO, "a rule without a description",
		 "Checkov CKV_AWS_23. Say who needs it, so that somebody can remove it one day. "
		 "Descriptions of all its peers do as well."},
	[LINT_LIST_DESCRIPTION] = {"SG603", "prefix-list-description", LINT_INFO,
				   "a prefix list without a description",
				   "Say whose addresses they are."},
	[LINT_IGNORE_WRONG] =
		{"SG901", "ignore-wrong", LINT_WARNING, "an x-lint-ignore that is not understood",
		 "It is a code, an array of codes, or an object of codes with the reason of each. It "
		 "holds for the object that has it and all within."},
	[LINT_IGNORE_UNUSED] =
		{"SG902", "ignore-unused", LINT_INFO, "an x-lint-ignore that accepts nothing",
		 "What it accepted is gone. Remove it, so that it does not accept something new."},
};

const struct lint_check *lint_check_find(const char *name)
{
	for (int i = 0; i < LINT_CODES; i++)
		if (g_ascii_strcasecmp(lint_checks[i].code, name) == 0 ||
		    g_ascii_strcasecmp(lint_checks[i].name, name) == 0)
			return &lint_checks[i];
	return NULL;
}

const char *lint_severity_name(enum lint_severity severity)
{
	static const char *const names[] = {
		[LINT_INFO] = "info", [LINT_WARNING] = "warning", [LINT_ERROR] = "error"};

	return names[severity];
}
