/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_same.h - whether two objects mean the same, and whether their texts are the same too.
 */
#pragma once

#include "rulesd/model_edit.h"

/* Texts (descriptions, labels, remarks, names of services, places) do not count. Rule ids do:
 * counters and flows are shown by them. */
bool model_group_means_same(const struct model_group *a, const struct model_group *b);
bool model_prefix_list_means_same(const struct model_prefix_list *a,
				  const struct model_prefix_list *b);
bool model_interface_means_same(const struct model_interface *a, const struct model_interface *b);
/* Their settings. */
bool model_network_means_same(const struct model_network *a, const struct model_network *b);

/* Both must be there. */
bool model_object_means_same(enum model_kind kind, union model_object a, union model_object b);
/* Texts but places. */
bool model_object_texts_same(enum model_kind kind, union model_object a, union model_object b);
