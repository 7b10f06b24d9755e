/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_dir.c - inotify on the policy directory, and handing what is in it to the engine.
 */
#include "rulesd/policy_dir.h"

#include <errno.h>
#include <glib-unix.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/load.h"
#include "rulesd/log.h"

/* Writers touch several files, or one several times: wait until it has been quiet for so long, but
 * never longer than the other. */
#define QUIET_MS      100
#define IMPATIENT_US  (1 * G_USEC_PER_SEC)
#define LOOK_AGAIN_MS 1000 /* for a directory that is not there */

#define WATCHED                                                                             \
	(IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | \
	 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

struct policy_dir {
	struct engine *engine;
	char *path;
	char *source; /* "policy-dir:PATH" */
	int inotify;
	int watch; /* -1: the directory is not there */
	guint fd_source;
	guint timer;	  /* of the next reading */
	int64_t since_us; /* when the first change that is not read yet was seen; 0: none */
	guint look_timer;
};

/* "FILE:LINE:COLUMN: ", or "FILE: " when the mistake is about the file as a whole. */
static char *place_text(const struct policy_dir *dir, const struct place *place)
{
	const char *file = place->file ? place->file : dir->path;

	if (!place->line)
		return g_strdup_printf("%s: ", file);
	return g_strdup_printf("%s:%u:%u: ", file, place->line, place->column);
}

static void remember_error(const struct policy_dir *dir, const struct diag *diag)
{
	const struct diag_entry *first = diag->entries->pdata[0];
	g_autofree char *place = place_text(dir, &first->place);
	g_autofree char *more = diag->entries->len > 1
					? g_strdup_printf(" (and %u more)", diag->entries->len - 1)
					: g_strdup("");

	g_free(dir->engine->policy_error);
	dir->engine->policy_error = g_strconcat(place, first->message, more, NULL);
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

static int read_and_apply(struct policy_dir *dir, struct diag *diag)
{
	g_autoptr(GPtrArray) sources =
		g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))load_source_free);
	char *paths[] = {dir->path};
	struct engine_result result = {0};
	int err = load_read_paths(paths, 1, true, sources, diag);

	if (err < 0)
		return err;
	if (sources->len == 0) {
		/* More often an accident (a mount that is missing) than the wish to open all. */
		diag_add(diag, "empty", (struct place){.file = g_intern_string(dir->path)}, NULL,
			 "for a policy without anything write {\"version\":1} into a file there",
			 "no *.json in it");
		return -ENOENT;
	}
	return engine_replace_policy(dir->engine, TAKE_PTR(sources), dir->source, false, false,
				     &result, diag);
}

void policy_dir_reload(struct policy_dir *dir)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();

	g_clear_handle_id(&dir->timer, g_source_remove);
	dir->since_us = 0;
	if (read_and_apply(dir, diag) == 0) {
		g_clear_pointer(&dir->engine->policy_error, g_free);
		return;
	}
	if (diag_any(diag))
		remember_error(dir, diag);
	log_errors(dir, diag);
}

static gboolean quiet(gpointer arg)
{
	struct policy_dir *dir = arg;

	dir->timer = 0;
	policy_dir_reload(dir);
	return G_SOURCE_REMOVE;
}

static void schedule(struct policy_dir *dir)
{
	const int64_t now = g_get_monotonic_time();

	if (!dir->since_us)
		dir->since_us = now;
	if (dir->timer && now - dir->since_us > IMPATIENT_US)
		return; /* it stays as it is, and comes */
	g_clear_handle_id(&dir->timer, g_source_remove);
	dir->timer = g_timeout_add(QUIET_MS, quiet, dir);
}

static gboolean look_for_directory(gpointer arg)
{
	struct policy_dir *dir = arg;

	dir->watch = inotify_add_watch(dir->inotify, dir->path, WATCHED);
	if (dir->watch < 0)
		return G_SOURCE_CONTINUE;
	dir->look_timer = 0;
	schedule(dir);
	return G_SOURCE_REMOVE;
}

static void lost(struct policy_dir *dir)
{
	if (dir->watch >= 0)
		inotify_rm_watch(dir->inotify, dir->watch);
	dir->watch = -1;
	if (!dir->look_timer)
		dir->look_timer = g_timeout_add(LOOK_AGAIN_MS, look_for_directory, dir);
}

/* Whether an event may change what the directory says. */
static bool matters(const struct inotify_event *event)
{
	return event->mask & IN_Q_OVERFLOW || event->len == 0 ||
	       g_str_has_suffix(event->name, ".json") || g_str_has_prefix(event->name, "..");
}

static gboolean readable(gint fd, GIOCondition condition, gpointer arg)
{
	struct policy_dir *dir = arg;
	char buffer[4096 + NAME_MAX] __attribute__((aligned(8)));
	bool changed = false;
	bool gone = false;
	ssize_t got;

	(void)condition;
	while ((got = read(fd, buffer, sizeof(buffer))) > 0) {
		for (ssize_t at = 0; at < got;) {
			const struct inotify_event *event = (const void *)(buffer + at);

			at += (ssize_t)(sizeof(*event) + event->len);
			if (!(event->mask & IN_Q_OVERFLOW) && event->wd != dir->watch)
				continue; /* of a directory that was replaced */
			changed |= matters(event);
			gone |= (event->mask &
				 (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) != 0;
		}
	}
	if (gone)
		lost(dir);
	if (changed)
		schedule(dir);
	return G_SOURCE_CONTINUE;
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
	made->source = g_strconcat("policy-dir:", path, NULL);
	made->inotify = fd;
	made->fd_source = g_unix_fd_add(fd, G_IO_IN, readable, made);
	/* The watch comes before the reading, so that no change falls in between. */
	made->watch = inotify_add_watch(fd, path, WATCHED);
	if (made->watch < 0)
		lost(made);
	policy_dir_reload(made);
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
	g_free(d->path);
	g_free(d->source);
	g_free(d);
}
