/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_edit.h - a change of a model: which objects are replaced, added and removed.
 *
 * It is made of a patch document (load_patch), of one interface attached or detached by hand
 * (model_edit_set), or of the difference of two models (model_diff). Applying it swaps objects and
 * keeps the old ones, so that it can be taken back, and so that what is compiled from the model can
 * be brought up to date by looking at nothing else.
 *
 * Whose is what: before it is applied the old objects are the model's and the new ones the edit's;
 * while it is applied it is the other way round. model_edit_free frees what the edit owns then.
 * Nothing may change the model between making, applying and undoing an edit, and edits are undone
 * in the opposite order of their application.
 */
#pragma once

#include "rulesd/diag.h"
#include "rulesd/model.h"

/* In the order in which they stand in an edit, but for networks that go, which stand last. */
enum model_kind {
	MODEL_KIND_SERVICE, /* of no meaning to the compiler: the groups that use it change too */
	MODEL_KIND_NETWORK, /* its settings: description, exempt, peers, conntrack */
	MODEL_KIND_PREFIX_LIST,
	MODEL_KIND_GROUP,
	MODEL_KIND_INTERFACE,
};

/*
 * NULL when there is none. Of a network only the settings are meant: that of an edit has no groups,
 * prefix lists and interfaces of its own. One that comes has an implied sg-default (a change of its
 * own, MODEL_KIND_GROUP), as has one that goes; where a written sg-default goes or comes, the
 * implied one is the new or the old object.
 */
union model_object {
	void *any;
	struct model_service *service;
	struct model_network *network;
	struct model_prefix_list *list;
	struct model_group *group;
	struct model_interface *iface;
};

struct model_change {
	enum model_kind kind;
	char *network; /* name; of a network: its own; NULL of a service */
	char *id;      /* of a network: its name */
	union model_object old;
	union model_object new; /* at least one of them is not NULL */
	struct place place;	/* in a patch, of what removes it; otherwise unknown */
	bool enforced; /* false: the texts differ (description, labels, remarks), not the meaning */
};

struct model_edit {
	GArray *changes; /* of struct model_change; at most one an object */
	bool applied;
	struct hash_index by_object; /* position + 1 in changes as a pointer */
};

static inline struct model_change *model_edit_at(const struct model_edit *edit, guint i)
{
	return &g_array_index(edit->changes, struct model_change, i);
}

struct model_edit *model_edit_new(void);
void model_edit_free(struct model_edit **edit);

/*
 * Adds a change, or replaces the one that the edit has of that object: takes object, NULL removes
 * it. network and id are copied. Objects of networks that neither the model nor the edit has make
 * the network, too. False, and nothing is added, when there is nothing to remove, or when network
 * or default group are implied already. Removing a network that has objects left is refused by
 * model_validate_edit.
 */
bool model_edit_set(struct model_edit *edit, const struct model *model, enum model_kind kind,
		    const char *network, const char *id, void *object);

/* The change of that object, or NULL. */
struct model_change *model_edit_find(const struct model_edit *edit, enum model_kind kind,
				     const char *network, const char *id);

/* Puts the changes into their order; model_edit_apply does it, too. */
void model_edit_sort(struct model_edit *edit);
/* Swaps the objects in the model. Takes as long as the edit, not the model, is large. */
void model_edit_apply(struct model_edit *edit, struct model *model);
/* The model is again what it was, object by object. */
void model_edit_undo(struct model_edit *edit, struct model *model);
