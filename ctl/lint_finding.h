/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_finding.h - what lint found: a check, the object, its place, what is wrong and what to do.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "ctl/lint_check.h"
#include "rulesd/diag.h"
#include "rulesd/model.h"

/* 32 hex digits and NUL. */
#define LINT_FINGERPRINT_SIZE 33

struct lint_finding {
	const struct lint_check *check;
	char *network;
	char *subject;	    /* "sg-web/https", "sg-web", "pl-office", "web-1", "my-service" */
	char *rule;	    /* "sg-web/https", or NULL when it is not about a rule */
	struct place place; /* without a file for what is implied */
	char *pointer;	    /* RFC 6901 into that file, or NULL */
	char *message;
	char *fix;
	/*
	 * Of the code, the object's names and what exactly is wrong with it; neither of places nor
	 * of messages. It stays when lines or files move and when messages are worded anew.
	 */
	char fingerprint[LINT_FINGERPRINT_SIZE];
};

/* Where a finding is: an object of the model, on the stack of a check. */
struct lint_at {
	const char *network;
	const char
		*kind; /* "ingress", "egress" (rules), "group", "prefix_list", "interface", ... */
	const char *rule_id; /* or NULL */
	const char *id;	     /* of the group, the prefix list, the interface */
	struct place place;
	char pointer[256];
};

struct lint_at lint_at_group(const struct model_group *group);
struct lint_at lint_at_rule(const struct model_group *group, const struct model_rule *rule,
			    guint index);
struct lint_at lint_at_peer(const struct model_group *group, const struct model_rule *rule,
			    guint index, guint peer);
struct lint_at lint_at_list(const struct model_prefix_list *list);

/* The findings of one run. */
struct lint_findings {
	GPtrArray *all; /* of struct lint_finding, owned */
};

struct lint_findings *lint_findings_new(void);
void lint_findings_free(struct lint_findings **findings);
/* detail: what of the object is meant, for the fingerprint ("ssh any"), or NULL. fix is copied. */
void lint_add(struct lint_findings *findings, enum lint_code code, const struct lint_at *at,
	      const char *detail, const char *fix, const char *format, ...) G_GNUC_PRINTF(6, 7);
/* Frees those that keep refuses; the others stay in order. Returns how many it freed. */
typedef bool lint_keep(const struct lint_finding *finding, void *arg);
unsigned int lint_findings_filter(struct lint_findings *findings, lint_keep *keep, void *arg);
/* In the order of files (interned names, in the order of the command line) and of their text. */
void lint_findings_sort(struct lint_findings *findings, const GPtrArray *sources);
