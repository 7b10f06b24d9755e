/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load.h - policy files to a model: strict JSON, merging, every error with its place.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stddef.h>

#include "rulesd/diag.h"
#include "rulesd/model.h"
#include "rulesd/model_edit.h"

/* One text of a policy. Several merge: an id defined twice is an error that names both places. */
struct load_source {
	char *name; /* what messages call it: a path, "-", or the name the API client gave */
	char *text; /* not necessarily NUL-free: length counts */
	size_t length;
};

void load_source_free(struct load_source *source);
/* Empty, of struct load_source, which go with it; and of such arrays, the texts of a patch each.
 * The caller unrefs them. */
GPtrArray *load_sources_new(void);
GPtrArray *load_patches_new(void);

/* Of the files of a policy together; of one, JDOC_MAX_BYTES. */
#define LOAD_MAX_BYTES (512u * 1024 * 1024)
#define LOAD_MAX_FILES 10000u /* of a directory */

/*
 * Reads the files and directories named ("-" is standard input). A directory stands for its *.json,
 * sorted by name, not recursively. Appends struct load_source to sources; what cannot be read is an
 * error in diag. owner_check refuses what others than root and the file's owner can write (rulesd;
 * sgctl does not ask for it), and what they could replace (path_trust.h). 0 or -errno of the first
 * failure.
 */
int load_read_paths(char *const *paths, size_t count, bool owner_check, GPtrArray *sources,
		    struct diag *diag);

struct load_limits {
	size_t file_bytes, all_bytes;
	size_t utf16_bytes; /* of a file in UTF-16, which the caller takes; 0: it does not */
	unsigned int files; /* of a directory */
};
/* The same of files that are no policies, without a look at their owners. */
int load_read_limited(char *const *paths, size_t count, const struct load_limits *limits,
		      GPtrArray *sources, struct diag *diag);

/*
 * Parses, merges and validates everything, the references and limits included. 0 and a model that
 * the caller owns, or -EINVAL with at least one entry in diag and *model untouched.
 */
int load_policy(const GPtrArray *sources, struct model **model, struct diag *diag);

/*
 * Whether the sources are well formed by themselves: all that load_policy checks but whether what
 * they refer to exists, which may be in files that are not among them (sgctl fmt FILE). 0 or
 * -EINVAL with entries in diag.
 */
int load_check(const GPtrArray *sources, struct diag *diag);

/*
 * A patch of a policy: documents like those of a policy, in which each object of a section takes
 * the whole place of the one with its id, null removes it, and all else stays. "description",
 * "labels", "$schema" and "x-..." of a document are remarks on the patch and go nowhere. Checks the
 * objects themselves and that what is removed is there; the rest is load_validate_patch's. 0 and an
 * edit of the model, not applied, that the caller owns, or -EINVAL with entries in diag.
 */
int load_patch(const GPtrArray *sources, const struct model *model, struct model_edit **edit,
	       struct diag *diag);
/*
 * Which of these patches (arrays of struct load_source, in the order of their application, each
 * accepted when it came) may be left out, because later ones write whole all that they write: the
 * model is the same after the last one. The caller frees the array (g_free).
 */
bool *load_superseded(const GPtrArray *patches);
/*
 * The same as these patches, one after the other, to these sources, as at most two: what the last
 * of them wrote of each object. NULL when they are not what was accepted once, or when a document
 * would be larger than JDOC_MAX_BYTES. The caller frees it.
 */
GPtrArray *load_reduced(const GPtrArray *sources, const GPtrArray *patches);
/* model_validate_edit of the edit, which is applied, with the places that sources give. */
int load_validate_patch(const GPtrArray *sources, const struct model *model,
			const struct model_edit *edit, struct diag *diag);

/*
 * One interface, as the policy's object plus "network" (PUT /v1/interfaces/{id}). Checks the object
 * itself; whether the network and the groups exist, and no id, address or device is taken, is
 * model_validate's. Same results as load_policy.
 */
int load_interface(const char *id, const char *text, size_t length, struct model_interface **iface,
		   struct diag *diag);

/*
 * The canonical form of what the sources say together: fields in the order of the documentation,
 * ids sorted, addresses canonical, ports merged, nothing that means something else. It is one JSON
 * document for each value of "network" in the sources, sorted by it and each ended by a newline: a
 * single source gives a single document, which sgctl fmt prints. Its SHA-256 is policy_sha256. The
 * sources must have passed load_policy or load_check. Returns a NUL-terminated text that the caller
 * frees.
 */
char *load_canonical(const GPtrArray *sources);
/* 64 hex digits and NUL of the canonical form of the sources. */
void load_sha256(const GPtrArray *sources, char hex[65]);
/*
 * The same of sources to which patches (struct load_source, in the order of their application; NULL
 * for none) were applied: that of the documents that say the same without patches.
 */
char *load_canonical_patched(const GPtrArray *sources, const GPtrArray *patches);
void load_sha256_patched(const GPtrArray *sources, const GPtrArray *patches, char hex[65]);
