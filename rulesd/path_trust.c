/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * path_trust.c - see path_trust.h. A walk over names, not descriptors: whoever could change a name
 * between the walk and the opening is who the walk refuses.
 */
#include "rulesd/path_trust.h"

#include <errno.h>
#include <glib.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

#define MOST_LINKS 40 /* as the kernel's */

struct walk {
	GString *at;   /* where we are: absolute, without "." or "..", "" is / */
	GString *left; /* what is still to be walked */
	unsigned int links;
	char **fix;
};

static bool ours(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

static const char *shown(const struct walk *walk)
{
	return walk->at->len ? walk->at->str : "/";
}

static char *judge_owner(const struct walk *walk, const struct stat *st, const char *what)
{
	if (ours(st))
		return NULL;
	*walk->fix = g_strdup_printf("chown -h root %s", shown(walk));
	return g_strdup_printf("the %s %s on the way to it belongs to neither root nor the user "
			       "that rulesd runs as",
			       what, shown(walk));
}

static char *judge_directory(const struct walk *walk, const struct stat *st)
{
	char *why = judge_owner(walk, st, "directory");

	if (why || !(st->st_mode & (S_IWGRP | S_IWOTH)) || st->st_mode & S_ISVTX)
		return why;
	*walk->fix = g_strdup_printf("chmod go-w %s", shown(walk));
	return g_strdup_printf("others than root and its owner can write the directory %s on the "
			       "way to it",
			       shown(walk));
}

/* The next name of what is left; NULL at the end. The caller frees it. */
static char *next_name(struct walk *walk)
{
	const char *start = walk->left->str + strspn(walk->left->str, "/");
	const size_t length = strcspn(start, "/");
	char *name = length ? g_strndup(start, length) : NULL;

	g_string_erase(walk->left, 0, start + length - walk->left->str);
	return name;
}

static void step_back(struct walk *walk)
{
	const char *slash = strrchr(walk->at->str, '/');

	g_string_truncate(walk->at, slash ? (gsize)(slash - walk->at->str) : 0);
}

/* What the link says comes before what is left. false: it cannot be followed. */
static bool follow(struct walk *walk)
{
	char target[PATH_MAX];
	ssize_t length = readlink(walk->at->str, target, sizeof(target));

	if (length <= 0 || length == sizeof(target) || ++walk->links > MOST_LINKS)
		return false;
	g_string_prepend_c(walk->left, '/');
	g_string_prepend_len(walk->left, target, length);
	if (*target == '/')
		g_string_truncate(walk->at, 0);
	else
		step_back(walk);
	return true;
}

/* One name further. *over: there is nothing more to be seen. */
static char *step(struct walk *walk, const char *name, bool *over)
{
	struct stat st;
	char *why;

	if (strcmp(name, ".") == 0)
		return NULL;
	if (strcmp(name, "..") == 0) {
		step_back(walk);
		return NULL;
	}
	g_string_append_printf(walk->at, "/%s", name);
	if (lstat(walk->at->str, &st) < 0) {
		*over = true;
		return NULL;
	}
	if (S_ISDIR(st.st_mode))
		return judge_directory(walk, &st);
	if (!S_ISLNK(st.st_mode)) {
		*over = true;
		return NULL;
	}
	why = judge_owner(walk, &st, "symbolic link");
	*over = !why && !follow(walk);
	return why;
}

char *path_distrust(const char *path, char **fix)
{
	g_autofree char *here = *path == '/' ? NULL : g_get_current_dir();
	struct walk walk = {.at = g_string_new(NULL), .left = g_string_new(here), .fix = fix};
	struct stat root;
	bool over = false;
	char *why;
	char *name;

	*fix = NULL;
	g_string_append_printf(walk.left, "/%s", path);
	why = lstat("/", &root) < 0 ? NULL : judge_directory(&walk, &root);
	while (!why && !over && (name = next_name(&walk))) {
		why = step(&walk, name, &over);
		g_free(name);
	}
	g_string_free(walk.at, TRUE);
	g_string_free(walk.left, TRUE);
	return why;
}
