/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_check.h - the table of what sgctl lint looks for: codes, severities, explanations.
 *
 * sgctl help lint, --explain, SARIF's rules and the manual page all come from it. A code never
 * changes its meaning and is never used again: baselines and x-lint-ignore rely on it.
 */
#pragma once

enum lint_severity { LINT_INFO, LINT_WARNING, LINT_ERROR };

enum lint_code {
	/* SG1xx: rules that change nothing */
	LINT_DUPLICATE_RULE,
	LINT_SUBSUMED_RULE,
	LINT_SHADOWED_RULE,
	LINT_REDUNDANT_PEER,
	LINT_REDUNDANT_WITH_GROUP,
	LINT_EMPTY_RULE,
	LINT_WRONG_FAMILY,
	LINT_NEVER_HIT,
	/* SG2xx: what the whole internet reaches */
	LINT_WORLD_SSH,
	LINT_WORLD_RDP,
	LINT_WORLD_ADMIN,
	LINT_WORLD_DATABASE,
	LINT_WORLD_EVERYTHING,
	LINT_WORLD_ALL_PORTS,
	LINT_WORLD_MANY_PORTS,
	LINT_WORLD_RISKY,
	LINT_WORLD_HTTP,
	LINT_SHORT_PREFIX,
	LINT_OPEN_EGRESS,
	LINT_EGRESS_UNDONE,
	LINT_WORLD_ICMP,
	/* SG3xx: what nothing uses, or what is not there */
	LINT_EXTERNAL_GROUP,
	LINT_EXTERNAL_LIST,
	LINT_UNUSED_GROUP,
	LINT_UNATTACHED_GROUP,
	LINT_EMPTY_GROUP,
	LINT_UNUSED_LIST,
	LINT_EMPTY_LIST,
	LINT_UNUSED_SERVICE,
	LINT_UNUSED_NETWORK_PEER,
	/* SG4xx: the default group and interfaces */
	LINT_DEFAULT_GROUP_OPEN,
	LINT_DEFAULT_GROUP_USED,
	LINT_NO_MAC,
	LINT_NO_SPOOF_GUARD,
	LINT_ALLOWED_WORLD,
	LINT_ALLOWED_WIDE,
	LINT_ALLOWED_TAKES_MEMBER,
	LINT_NO_ADDRESS,
	/* SG5xx: what AWS would refuse */
	LINT_QUOTA_RULES,
	LINT_QUOTA_GROUPS,
	LINT_QUOTA_PRODUCT,
	/* SG6xx: descriptions */
	LINT_GROUP_DESCRIPTION,
	LINT_RULE_DESCRIPTION,
	LINT_LIST_DESCRIPTION,
	/* SG9xx: lint itself */
	LINT_IGNORE_WRONG,
	LINT_IGNORE_UNUSED,
	LINT_CODES
};

struct lint_check {
	const char *code; /* "SG101" */
	const char *name; /* "duplicate-rule" */
	enum lint_severity severity;
	const char *title; /* one line, no full stop */
	const char *text;  /* sentences: what it means, whose benchmark asks for it, what to do */
};

extern const struct lint_check lint_checks[LINT_CODES];

/* "SG101" or "duplicate-rule", in either case; NULL when there is none. */
const struct lint_check *lint_check_find(const char *name);
const char *lint_severity_name(enum lint_severity severity); /* "error", "warning", "info" */
