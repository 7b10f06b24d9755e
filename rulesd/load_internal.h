/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_internal.h - what the load_*.c files share: one run over documents, the fields of objects.
 *
 * A reader that finds an error reports it and goes on; where an element of an array is unusable, a
 * placeholder keeps the positions of the others right. A model with any error is thrown away.
 */
#pragma once

#include "rulesd/diag.h"
#include "rulesd/json_doc.h"
#include "rulesd/model.h"

/* A service that a policy defines: "services": {"my-app": {"rules": [{"protocol", "ports"}]}}. */
struct load_service {
	GPtrArray *matches; /* of struct model_match */
	struct place place;
};

struct load {
	struct model *model;
	struct diag *diag;
	GHashTable *services;	    /* name -> struct load_service, of all documents */
	GHashTable *network_places; /* name -> struct place of the settings of a network */
	bool incomplete;	    /* objects may be missing: dangling references say nothing */
	const struct jdoc *doc;	    /* being read */
	const char *network;	    /* that its objects belong to */
};

struct load_field;
typedef void load_reader(struct load *load, const struct load_field *field, uint32_t node,
			 void *out);

/* A field of an object: read stores it at offset of the object's struct. */
struct load_field {
	const char *name; /* NULL ends a table */
	load_reader *read;
	size_t offset;
	int64_t low, high; /* load_number */
};

/* Errors at a value, and at its key (at the value when it has none). */
void load_error(struct load *load, uint32_t node, const char *code, const char *fix,
		const char *format, ...) G_GNUC_PRINTF(5, 6);
void load_error_at_key(struct load *load, uint32_t node, const char *code, const char *fix,
		       const char *format, ...) G_GNUC_PRINTF(5, 6);
/* False, and an error that shows fix, when the value is of another kind. */
bool load_expect(struct load *load, uint32_t node, enum jdoc_kind kind, const char *fix);
/* An error for a value that may be of several kinds and is of none. */
void load_wrong_kind(struct load *load, uint32_t node, const char *what, const char *fix);
/* The string, which the caller frees, or NULL and an error that shows fix. */
char *load_string(struct load *load, uint32_t node, const char *fix);
/* True and the integer, or false and an error. */
bool load_integer(struct load *load, uint32_t node, int64_t low, int64_t high, int64_t *value);

/* Reads the fields of an object; "description" and "labels" are checked when not in the table. */
void load_object(struct load *load, uint32_t node, const struct load_field *fields, void *object);
/* Calls read for every member of a map of ids; every key passes load_id with prefix first. */
typedef void load_member_reader(struct load *load, uint32_t node, const char *id);
void load_map(struct load *load, uint32_t node, const char *what, const char *prefix,
	      load_member_reader *read);

/* Readers for tables of fields. */
load_reader load_text;	    /* char *: any string */
load_reader load_flag;	    /* bool */
load_reader load_number;    /* uint32_t, low to high */
load_reader load_keep;	    /* uint32_t: the node itself, for a closer look later */
load_reader load_conntrack; /* struct model_conntrack */

/* Ids: letters, digits, '.', '_', '-', at most MODEL_MAX_ID, beginning with prefix (may be ""). */
bool load_id(struct load *load, uint32_t node, const char *id, const char *what,
	     const char *prefix);

/* Addresses: false and an error when the text is none. */
bool load_address(struct load *load, uint32_t node, struct sg_addr *addr);
bool load_cidr(struct load *load, uint32_t node, struct cidr *cidr);
/* An error for text that is no CIDR; expected says what would be. */
void load_cidr_error(struct load *load, uint32_t node, const char *text, int error,
		     const struct cidr *canonical, const char *expected);

/* What a rule matches: the nodes of its "protocol", "ports" and "icmp", 0 when missing. */
struct load_match {
	uint32_t protocol;
	uint32_t ports;
	uint32_t icmp;
};
/* NULL when the protocol cannot be read (an error) or is missing (the caller's error). */
struct model_match *load_match(struct load *load, const struct load_match *nodes);
/* Appends copies of the service's matches; false and an error when there is no such service. */
bool load_service_matches(struct load *load, uint32_t node, const char *name, GPtrArray *matches);
/* Never NULL: a placeholder for what cannot be read. */
struct model_peer *load_peer(struct load *load, uint32_t node);
void load_rules(struct load *load, uint32_t node, enum sg_dir direction, struct model_group *group);

GHashTable *load_services_new(void);

/* The sections of a document. */
load_member_reader load_service;
load_member_reader load_network;
load_member_reader load_group;
load_member_reader load_prefix_list;
load_member_reader load_policy_interface;

/* An error that names the other place. */
void load_defined_twice(struct load *load, uint32_t node, const char *what, const char *id,
			struct place first);
