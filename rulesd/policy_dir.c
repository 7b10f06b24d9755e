/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_dir.c - watching the policy directory, and handing what is in it to the engine.
 */
#include "rulesd/policy_dir.h"

#include <errno.h>
#include <glib-unix.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/dir_stamp.h"
#include "rulesd/load.h"
#include "rulesd/log.h"

/* Writers touch several files, or one several times: nothing is read until it has been quiet for so
 * long; when that does not come for long, it is said. */
#define QUIET_MS     100
#define RESTLESS_US  (5 * G_USEC_PER_SEC)
#define START_TRIES  10 /* of a reading at start that is overtaken by a change */
#define START_GAP_US 20000
/* inotify hears nothing of what a symbolic link in the directory leads to, of a network's file
 * system, and of the path itself: the directory is looked at, too. */
#define LOOK_MS	   1000
#define LOOK_SHARE 200 /* of the time at most: where a look takes long, they are rarer */
/* What failed for something else than what the files say (a full disk, no descriptor, who may write
 * a directory above, an interface attached by hand) is tried again: nothing here changes when it is
 * over. Where that takes long, it is rarer. */
#define AGAIN_US    (5 * G_USEC_PER_SEC)
#define AGAIN_SHARE 20 /* of the time at most */
#define WATCHED                                                                             \
	(IN_MODIFY | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | \
	 IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define WATCHED_ABOVE (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR)

struct policy_dir {
	struct engine *engine;
	char *path;
	char *above;  /* the directory that holds the name of the path */
	char *name;   /* that name */
	char *source; /* "policy-dir:PATH" */
	int inotify;
	int watch;	 /* -1: the directory is not there */
	int watch_above; /* likewise */
	guint fd_source;
	guint timer;	  /* of the next reading */
	int64_t since_us; /* when the first change that is not read yet was seen; 0: none */
	guint look_timer;
	GBytes *seen;	  /* its stamp when it was read last */
	int64_t again_us; /* when it is read again though it looks the same; 0: never */
};

/* "FILE:LINE:COLUMN: ", or "FILE: " when the mistake is about the file as a whole. */
static char *place_text(const struct policy_dir *dir, const struct place *place)
{
	const char *file = place->file ? place->file : dir->path;

	if (!place->line)
		return g_strdup_printf("%s: ", file);
	return g_strdup_printf("%s:%u:%u: ", file, place->line, place->column);
}

/* false: it was known. */
static bool remember_error(const struct policy_dir *dir, const struct diag *diag)
{
	const struct diag_entry *first = diag->entries->pdata[0];
	g_autofree char *place = place_text(dir, &first->place);
	g_autofree char *more = diag->entries->len > 1
					? g_strdup_printf(" (and %u more)", diag->entries->len - 1)
					: g_strdup("");
	g_autofree char *error = g_strconcat(place, first->message, more, NULL);

	if (g_strcmp0(error, dir->engine->policy_error) == 0)
		return false;
	g_free(dir->engine->policy_error);
	dir->engine->policy_error = TAKE_PTR(error);
	return true;
}

/* Whether the files may be taken later as they are. */
static bool may_pass(int err, const struct diag *diag)
{
	for (guint i = 0; i < diag->entries->len; i++) {
		const struct diag_entry *entry = diag->entries->pdata[i];

		/* By hand: the interface, or what is in its network. */
		if (strcmp(entry->code, "attached") == 0 ||
		    strcmp(entry->code, "unknown-network") == 0)
			return true;
	}
	return err != -EBADMSG && err != -EINVAL && err != -EFBIG;
}

static void log_errors(const struct policy_dir *dir, const struct diag *diag)
{
	for (guint i = 0; i < diag->entries->len; i++) {
		const struct diag_entry *entry = diag->entries->pdata[i];
		g_autofree char *place = place_text(dir, &entry->place);

		log_error("policy: %s%s%s%s%s%s", place, entry->pointer ? entry->pointer : "",
			  entry->pointer ? ": " : "", entry->message, entry->fix ? "; " : "",
			  entry->fix ? entry->fix : "");
	}
	log_error("policy: %s was refused; the policy that held goes on holding", dir->path);
}

/* A file in the place of the directory would be read like one on the command line. */
static int check_directory(const struct policy_dir *dir, struct diag *diag)
{
	struct stat st;

	if (stat(dir->path, &st) < 0 || S_ISDIR(st.st_mode))
		return 0; /* what cannot be looked at, cannot be read: that says why */
	diag_add(diag, "file-type", (struct place){.file = g_intern_string(dir->path)}, NULL,
		 "name the directory that holds the *.json", "it is no directory");
	return -ENOTDIR;
}

/* 1: it changed meanwhile. */
static int read_sources(struct policy_dir *dir, GPtrArray *sources, struct diag *diag)
{
	g_autoptr(GBytes) before = dir_stamp(dir->path);
	g_autoptr(GBytes) after = NULL;
	char *paths[] = {dir->path};
	int err = check_directory(dir, diag);

	if (err == 0)
		err = load_read_paths(paths, 1, true, sources, diag);
	after = dir_stamp(dir->path);
	if (!g_bytes_equal(before, after))
		return 1;
	g_clear_pointer(&dir->seen, g_bytes_unref);
	dir->seen = TAKE_PTR(after);
	if (err == 0 && sources->len == 0) {
		/* More often an accident (a mount that is missing) than the wish to open all. */
		diag_add(diag, "empty", (struct place){.file = g_intern_string(dir->path)}, NULL,
			 "for a policy without anything write {\"version\":1} into a file there",
			 "no *.json in it");
		return -ENOENT;
	}
	return err;
}

static int read_and_apply(struct policy_dir *dir, struct diag *diag)
{
	g_autoptr(GPtrArray) sources = load_sources_new();
	struct engine_result result = {0};
	int err = read_sources(dir, sources, diag);

	if (err != 0)
		return err;
	return engine_replace_policy(dir->engine, TAKE_PTR(sources), dir->source, false, false,
				     &result, diag);
}

static void schedule(struct policy_dir *dir);

/* false: it is changing just now, and nothing was done. again: what is known is not said again. */
static bool reload(struct policy_dir *dir, bool again)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	const int64_t started = g_get_monotonic_time();
	int err = read_and_apply(dir, diag);
	const int64_t ended = g_get_monotonic_time();

	if (err > 0)
		return false;
	g_clear_handle_id(&dir->timer, g_source_remove);
	dir->since_us = dir->again_us = 0;
	if (err == 0) {
		g_clear_pointer(&dir->engine->policy_error, g_free);
		return true;
	}
	if (may_pass(err, diag))
		dir->again_us = ended + MAX(AGAIN_US, (ended - started) * AGAIN_SHARE);
	if (!diag_any(diag) || remember_error(dir, diag) || !again)
		log_errors(dir, diag);
	return true;
}

static void reload_or_wait(struct policy_dir *dir, bool again)
{
	if (!reload(dir, again))
		schedule(dir);
}

void policy_dir_reload(struct policy_dir *dir)
{
	reload_or_wait(dir, false);
}

static gboolean quiet(gpointer arg)
{
	struct policy_dir *dir = arg;

	dir->timer = 0;
	policy_dir_reload(dir);
	return G_SOURCE_REMOVE;
}

/* A part of what somebody is about to write could open what the whole does not. */
static void complain_of_unrest(struct policy_dir *dir)
{
	const char *held = "it keeps changing: nothing of it is applied before it has been quiet "
			   "for 100 ms";

	if (dir->engine->policy_error && strstr(dir->engine->policy_error, held))
		return;
	log_warning("policy: %s: %s", dir->path, held);
	g_free(dir->engine->policy_error);
	dir->engine->policy_error = g_strdup_printf("%s: %s", dir->path, held);
}

static void schedule(struct policy_dir *dir)
{
	const int64_t now = g_get_monotonic_time();

	if (!dir->since_us)
		dir->since_us = now;
	else if (now - dir->since_us > RESTLESS_US)
		complain_of_unrest(dir);
	g_clear_handle_id(&dir->timer, g_source_remove);
	dir->timer = g_timeout_add(QUIET_MS, quiet, dir);
}

/* ---------------------------------------------------------------- watching */

/* The descriptor of a watch belongs to the directory itself, wherever it is moved: another one says
 * that the path leads elsewhere now. */
static void watch(struct policy_dir *dir)
{
	int now = inotify_add_watch(dir->inotify, dir->path, WATCHED);

	if (dir->watch >= 0 && dir->watch != now)
		inotify_rm_watch(dir->inotify, dir->watch);
	dir->watch = now;
	now = inotify_add_watch(dir->inotify, dir->above, WATCHED_ABOVE);
	if (dir->watch_above >= 0 && dir->watch_above != now && dir->watch_above != dir->watch)
		inotify_rm_watch(dir->inotify, dir->watch_above);
	dir->watch_above = now;
}

static gboolean look(gpointer arg)
{
	struct policy_dir *dir = arg;
	const int64_t started = g_get_monotonic_time();
	g_autoptr(GBytes) now = NULL;
	int64_t took_ms;

	watch(dir);
	now = dir_stamp(dir->path);
	/* What is about to be read needs no further delay. */
	if (!dir->timer && (!dir->seen || !g_bytes_equal(now, dir->seen)))
		schedule(dir);
	took_ms = (g_get_monotonic_time() - started) / 1000;
	if (!dir->timer && dir->again_us && started >= dir->again_us)
		reload_or_wait(dir, true);
	dir->look_timer = g_timeout_add((guint)MAX(LOOK_MS, took_ms * LOOK_SHARE), look, dir);
	return G_SOURCE_REMOVE;
}

/* Whether an event may change what the directory says. */
static bool matters(const struct inotify_event *event)
{
	return event->len == 0 || g_str_has_suffix(event->name, ".json") ||
	       g_str_has_prefix(event->name, "..");
}

struct heard {
	bool changed; /* files of the directory */
	bool moved;   /* the directory, or what the path leads to */
};

static void hear(const struct policy_dir *dir, const struct inotify_event *event,
		 struct heard *heard)
{
	if (event->mask & IN_Q_OVERFLOW) {
		log_warning("policy: %s: events were lost; it is read again", dir->path);
		heard->changed = heard->moved = true;
	} else if (event->wd == dir->watch) {
		heard->changed |= matters(event);
		heard->moved |= (event->mask &
				 (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) != 0;
	}
	if (event->wd == dir->watch_above)
		heard->moved |= event->len && strcmp(event->name, dir->name) == 0;
}

static gboolean readable(gint fd, GIOCondition condition, gpointer arg)
{
	struct policy_dir *dir = arg;
	char buffer[4096 + NAME_MAX] __attribute__((aligned(8)));
	struct heard heard = {0};
	ssize_t got;

	(void)condition;
	while ((got = read(fd, buffer, sizeof(buffer))) > 0) {
		for (ssize_t at = 0; at < got;) {
			const struct inotify_event *event = (const void *)(buffer + at);

			at += (ssize_t)(sizeof(*event) + event->len);
			hear(dir, event, &heard);
		}
	}
	if (heard.moved)
		watch(dir);
	if (heard.changed || heard.moved)
		schedule(dir);
	return G_SOURCE_CONTINUE;
}

/* At start nothing waits for quiet: who starts has written. */
static void read_first(struct policy_dir *dir)
{
	for (unsigned int i = 0; i < START_TRIES; i++) {
		if (reload(dir, false))
			return;
		g_usleep(START_GAP_US);
	}
	complain_of_unrest(dir);
	schedule(dir);
}

/* g_path_get_dirname() of "/etc/policy/" is "/etc/policy". */
static char *above_of(const char *path)
{
	size_t length = strlen(path);
	g_autofree char *plain = NULL;

	while (length > 1 && path[length - 1] == '/')
		length--;
	plain = g_strndup(path, length);
	return g_path_get_dirname(plain);
}

int policy_dir_open(struct engine *engine, const char *path, struct policy_dir **dir, char **error)
{
	struct policy_dir *made;
	int fd;

	if (g_file_test(path, G_FILE_TEST_EXISTS) && !g_file_test(path, G_FILE_TEST_IS_DIR)) {
		*error = g_strdup_printf("--policy-dir %s: it is no directory: name the one that "
					 "holds the *.json",
					 path);
		return -ENOTDIR;
	}
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (fd < 0) {
		int saved = errno;

		*error = g_strdup_printf("--policy-dir %s: inotify: %s", path, g_strerror(saved));
		return -saved;
	}
	made = g_new0(struct policy_dir, 1);
	made->engine = engine;
	made->path = g_strdup(path);
	made->name = g_path_get_basename(path);
	made->above = above_of(path);
	made->source = g_strconcat("policy-dir:", path, NULL);
	made->inotify = fd;
	made->watch = made->watch_above = -1;
	made->fd_source = g_unix_fd_add(fd, G_IO_IN, readable, made);
	/* The watch comes before the reading, so that no change falls in between. */
	watch(made);
	read_first(made);
	made->look_timer = g_timeout_add(LOOK_MS, look, made);
	*dir = made;
	return 0;
}

void policy_dir_close(struct policy_dir **dir)
{
	struct policy_dir *d = TAKE_PTR(*dir);

	if (!d)
		return;
	g_clear_handle_id(&d->timer, g_source_remove);
	g_clear_handle_id(&d->look_timer, g_source_remove);
	g_clear_handle_id(&d->fd_source, g_source_remove);
	close(d->inotify);
	g_clear_pointer(&d->seen, g_bytes_unref);
	g_free(d->path);
	g_free(d->above);
	g_free(d->name);
	g_free(d->source);
	g_free(d);
}
