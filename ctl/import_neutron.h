/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_neutron.h - what the two halves of the Neutron importer share: groups and rules
 * (import_neutron.c), ports (import_neutron_port.c).
 */
#pragma once

#include "ctl/import_formats.h"

/* When it was made and by whom; what it belongs to is said elsewhere. */
#define NEUTRON_HISTORY                                                               \
	"created_at updated_at revision_number project_id tenant_id normalized_cidr " \
	"belongs_to_default_sg standard_attr_id"

/* ["a", "b"] as {"a": "", "b": ""}; NULL without tags. */
json_t *neutron_labels(struct import *import, const struct import_node *node, const char *object);
const char *neutron_project(const struct import_node *node); /* or NULL */
/* The id of what has one; what is about to be made has a name at most. NULL, with a report. */
char *neutron_id(struct import *import, const struct import_node *node, const char *prefix);
void neutron_port(struct import *import, const struct import_node *node);
