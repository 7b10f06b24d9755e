/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * export_aws.h - a policy as the AWS CLI would print it.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "ctl/import_report.h"
#include "rulesd/model.h"

/*
 * {"SecurityGroups": [...]} as describe-security-groups prints them, with "SecurityGroupRules",
 * "PrefixLists" and "NetworkInterfaces" where the policy has some: sgctl import aws makes the same
 * policy of it. What AWS cannot express is in the report. sources: struct load_source, of which
 * model was loaded. The caller's.
 */
json_t *export_aws(const GPtrArray *sources, const struct model *model,
		   struct import_report *report);

/* export_aws_rule.c: the permissions of one rule of a group, and the rule by itself. */
struct export_aws {
	const struct model *model;
	json_t *documents; /* network -> canonical document */
	struct import_report *report;
	json_t *rules; /* SecurityGroupRules */
};

/* An object of the policy as it is written: export_aws_object(e, "default", "groups", "sg-1"). */
const json_t *export_aws_object(const struct export_aws *export, const char *network,
				const char *section, const char *id);
/* What an import kept of the object in "x-aws"; NULL when there is nothing. */
const char *export_aws_kept(const json_t *object, const char *key);
/* The id that AWS knows the object by; NULL when it has only a name there. */
const char *export_aws_id(const json_t *object, const char *key, const char *id);
/* {"a": "b"} as [{"Key": "a", "Value": "b"}]; nothing for no labels. */
void export_aws_tags(json_t *out, const char *key, const json_t *object);
void export_aws_set(json_t *object, const char *key, const char *text); /* nothing for NULL */
/* Appends to permissions what the rule, written as the object, allows. */
void export_aws_rule(struct export_aws *export, const struct model_group *group,
		     const struct model_rule *rule, const json_t *object, json_t *permissions);
