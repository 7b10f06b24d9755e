/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_formats.h - the formats that sgctl import reads, and what their importers share.
 */
#pragma once

#include "ctl/import_policy.h"

/*
 * One reader a format: takes everything it knows out of a document. What it does not understand
 * is in the report; a document that is no such format at all is an entry in the diag.
 */
void import_aws(struct import *import, const struct import_node *root);
void import_terraform(struct import *import, const struct import_node *root);
void import_neutron(struct import *import, const struct import_node *root);

/* Whose document it is, by its keys. */
bool import_is_terraform(const struct import_node *root);
bool import_is_neutron(const struct import_node *root);
/* The place and the reason, as an entry of the diag. */
void import_refuse(struct import *import, const struct import_node *node, const char *code,
		   const char *fix, const char *format, ...) G_GNUC_PRINTF(5, 6);

/* import_aws_group.c: one object of each. */
void import_aws_group(struct import *import, const struct import_node *node);
void import_aws_rule(struct import *import, const struct import_node *node);	   /* sgr-… */
void import_aws_group_name(struct import *import, const struct import_node *node); /* id, name */
/* "sg-1", or "account/sg-1", as a peer; extra fields stay with the peer. */
struct import_peer *import_aws_group_peer(struct import *import, struct import_rule *rule,
					  const struct import_node *node, const char *id,
					  const char *description);
/* A tag list, [{"Key","Value"}], or an object, as labels; NULL when there are none. */
json_t *import_aws_tags(struct import *import, const struct import_node *node, const char *object);

/* import_aws_interface.c */
void import_aws_interface(struct import *import, const struct import_node *node);
void import_aws_instance(struct import *import, const struct import_node *node);

/* import_aws_prefix.c */
void import_aws_prefix_list(struct import *import, const struct import_node *node);
/* [{"Cidr","Description"}] of a file that names no list. */
void import_aws_entries(struct import *import, const struct import_node *node);
/* Appends entries of any of the shapes to the list. */
void import_aws_list_entries(struct import *import, struct import_list *list,
			     const struct import_node *entries, const char *cidr_key,
			     const char *description_key);
