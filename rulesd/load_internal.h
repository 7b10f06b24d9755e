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
#include "rulesd/model_edit.h"

/* What a patch removes: null in place of an object. */
struct load_removal {
	enum model_kind kind;
	const struct jdoc *doc;
	uint32_t node;
	char *id;
	char *network; /* of the document */
	struct place place;
};

struct load {
	struct model *model;
	struct diag *diag;
	GHashTable *services;	    /* name -> struct model_service, of all documents */
	GHashTable *network_places; /* name -> struct place of the settings of a network */
	GHashTable *base_services;  /* those of the policy that a patch is for, or NULL */
	GArray *removals;	    /* of struct load_removal; NULL unless a patch is read */
	struct load_draft *draft;   /* what load_interface.c works with, made when first needed */
	uint32_t remarks;	    /* of the object of a section that is being read */
	bool incomplete;	    /* objects may be missing: dangling references say nothing */
	const struct jdoc *doc;	    /* being read */
	const char *network;	    /* that its objects belong to */
	struct model_network *into; /* the same, while sections of objects are read */
};

/* An object of a section that is not in the model yet, and its member. */
struct load_made {
	void *object;
	uint32_t node;
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
/* The same for a short while; text is to be cleared even then. */
const char *load_short_string(struct load *load, uint32_t node, const char *fix,
			      struct jdoc_text *text);
/* True and the integer, or false and an error. */
bool load_integer(struct load *load, uint32_t node, int64_t low, int64_t high, int64_t *value);

/* Reads the fields of an object; "description" and "labels" are checked when not in the table. */
void load_object(struct load *load, uint32_t node, const struct load_field *fields, void *object);

/*
 * A section: a map of ids. Every key passes load_id with prefix. What a large section holds is read
 * by several threads when its objects can be made (make, never NULL) without a look at any other
 * one and given to the model (take) one after the other: read does both. take reports an object
 * whose id is there already, and frees it.
 */
typedef void load_member_reader(struct load *load, uint32_t node, const char *id);
typedef void *load_maker(struct load *load, uint32_t node, const char *id);
typedef void load_taker(struct load *load, const struct load_made *made, uint32_t count);
struct load_section {
	enum model_kind kind;
	const char *what;   /* "group", for messages */
	const char *name;   /* "groups" */
	const char *prefix; /* of ids; "" for any */
	load_member_reader *read;
	load_maker *make; /* this and the following: NULL when it is never large */
	load_taker *take; /* takes over all of them */
	void (*discard)(void *object);
	uint32_t large; /* objects from which on threads are worth it */
};
void load_draft_free(struct load_draft **draft);
extern const struct load_section load_services, load_networks, load_groups, load_prefix_lists,
	load_interfaces;
/* Whether a key of the section is its kind of id, as load_map wants it. */
bool load_is_id(const char *id, const char *prefix);
/* Reads the members of a large section on all CPUs; false, and nothing has happened, when it is not
 * large, or when there is something to say about any of them: that is load_map's, in order. */
bool load_map_parallel(struct load *load, uint32_t node, const struct load_section *section);
/* Calls read for every member; null is noted in load->removals where that is one. node 0: nothing.
 */
void load_map(struct load *load, uint32_t node, const struct load_section *section);

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

/* The service of that name which the policy defines, or NULL. */
const struct model_service *load_find_service(const struct load *load, const char *name);
/* Ids of the rules that were given none; the derived ones of before are forgotten. */
void load_derive_ids(struct model_group *group, enum sg_dir direction);

/* A source while it is read; nodes of its sections, 0 when missing. */
struct load_document {
	struct jdoc *doc; /* NULL when the text is not JSON */
	bool usable;	  /* a version that we know */
	char *network;
	uint32_t version, network_name;
	uint32_t services, networks, groups, prefix_lists, interfaces;
};

/* Of all sources; struct load_document. */
GPtrArray *load_documents(const GPtrArray *sources, struct diag *diag);
/* Version, network and the sections of one; sets usable. */
void load_header(struct load *load, struct load_document *document);
/* Calls read for every usable document, with load->doc and load->network set. */
typedef void load_document_reader(struct load *load, const struct load_document *document);
void load_each_document(struct load *load, const GPtrArray *documents, load_document_reader *read);
load_document_reader load_definitions; /* services and networks, before... */
load_document_reader load_objects;     /* ...groups, prefix lists and interfaces */
/* validate.c knows objects and pointers; the place of the value is in the document. */
void load_locate(const GPtrArray *documents, const struct diag *diag, guint first);
/* Entries from first on: in the order of the sources and of their text, whichever pass found them.
 */
void load_sort_errors(struct diag *diag, guint first, const GPtrArray *sources);

/* An error that names the other place. */
void load_defined_twice(struct load *load, uint32_t node, const char *what, const char *id,
			struct place first);
