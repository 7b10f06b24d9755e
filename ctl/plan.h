/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan.h - what a policy would change, as one JSON document (schemas/sgctl.schema.json, plan).
 *
 *   plan_changes.c  objects and rules     plan_meaning.c  who may reach more, and who less
 *   plan_flows.c    live flows that nothing would allow any more     plan_print.c  for people
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "ctl/command.h"
#include "ctl/offline.h"
#include "rulesd/model.h"
#include "rulesd/model_edit.h"

struct args;

/* Appends to changes: what each change of the edit is, rules one by one. */
void plan_changes(const struct model_edit *edit, json_t *changes);

/* What the interfaces of a model may reach and be reached by, before and after. */
struct plan_reach;
struct plan_reach *plan_reach_of(const struct model *model);
void plan_reach_free(struct plan_reach **reach);
/* Appends to meaning: peers that gain or lose something on interfaces with a device that both have.
 */
void plan_meaning(const struct plan_reach *before, const struct plan_reach *after, json_t *meaning);
/* Appends to members: addresses that groups gain or lose. */
void plan_members(const struct model_edit *edit, json_t *members);
/*
 * Appends to cut: of the flows (the array of GET /v1/flows) those that the new policy would not
 * allow. 0, or -errno and why in diag.
 */
int plan_flows(struct offline *after, const json_t *flows, json_t *cut, struct diag *diag);

/* sgctl plan, and the dry runs of apply and patch: of the files named, as a whole policy or as a
 * patch, against what the daemon holds. EXIT_DONE when nothing changes, else EXIT_CHANGES. */
enum exit_status plan_command(const struct args *args, bool patch);
/* 0 and *plan (the caller's), or -errno and why in diag. */
int plan_make(const struct args *args, const GPtrArray *paths, bool patch, json_t **plan,
	      struct diag *diag);
void plan_print(const json_t *plan);
