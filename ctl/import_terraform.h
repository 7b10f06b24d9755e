/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_terraform.h - what the parts of the Terraform importer share: documents to resources
 * (import_terraform.c), groups and rules (import_terraform_rule.c), other resources
 * (import_terraform_resource.c).
 */
#pragma once

#include "ctl/import_formats.h"

/* One instance of a resource. */
struct terraform_resource {
	const char *type;
	const char *address;	   /* "module.a.aws_security_group.web[0]", or NULL */
	bool data;		   /* read, not managed */
	struct import_node values; /* its attributes */
	/* In a plan, what its expressions refer to; without a value elsewhere. */
	struct import_node expressions;
};

struct terraform {
	struct import *import;
	GPtrArray *resources; /* of struct terraform_resource, owned */
	GPtrArray *nodes;     /* of struct import_node: parents of the values, owned */
	GHashTable *ids; /* address -> the id of a group or prefix list, or its address; owned */
};

/* Fills ids, those that a plan does not know yet included. */
void terraform_name_resources(struct terraform *terraform);
void terraform_read_resource(struct terraform *terraform,
			     const struct terraform_resource *resource);
/*
 * The id that an attribute names; in a plan that does not know it yet, that of the resource which
 * its expression refers to. NULL when nothing does. The caller frees it.
 */
char *terraform_reference(struct terraform *terraform, const struct terraform_resource *resource,
			  const char *attribute);

/* The resource's id as one of ours, or NULL. The caller frees it. */
char *terraform_id(struct terraform *terraform, const struct terraform_resource *resource,
		   const char *prefix);
/* True, with a report, when id is NULL. */
bool terraform_lacks_id(struct import *import, const struct terraform_resource *resource,
			const char *id);
json_t *terraform_labels(struct import *import, const struct import_node *values,
			 const char *object);

/* import_terraform_rule.c: a resource of each type. */
void terraform_group(struct terraform *terraform, const struct terraform_resource *resource);
void terraform_rule(struct terraform *terraform, const struct terraform_resource *resource);
void terraform_vpc_rule(struct terraform *terraform, const struct terraform_resource *resource);
