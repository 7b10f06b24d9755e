/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * elements.h - what nft and ipset do when a member, a rule or an entry of a list changes: the
 * baseline of the control plane. They act on the network namespace that the caller is in.
 */
#pragma once

#include <stdbool.h>

enum elements_change {
	ELEMENTS_JOIN,
	ELEMENTS_LEAVE, /* of what joined with the same number */
	ELEMENTS_RULE,
	ELEMENTS_ENTRY, /* of a list of prefixes: one goes, another comes */
	ELEMENTS_CHANGES
};

struct elements {
	const char *name;
	/* What load takes: a hash set of so many members, a list of so many prefixes, rules. The
	 * caller frees. */
	char *(*load_text)(unsigned int members, unsigned int entries);
	void (*load)(const char *path);
	/* NULL: it has no such thing. Numbers grow from 0. */
	void (*change[ELEMENTS_CHANGES])(unsigned int number);
	/* Whether the kernel has it. */
	bool (*holds)(enum elements_change change, unsigned int number);
	void (*clear)(void);
};

extern const struct elements elements_nft, elements_ipset;
