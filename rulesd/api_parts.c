/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_parts.c - see api_parts.h.
 */
#include "rulesd/api_parts.h"

#include "rulesd/cleanup.h"
#include "rulesd/http_loop.h"

struct job {
	struct api_request *request;
	api_part_fn part;
	void *work;
	GDestroyNotify work_free;
};

/* One who asked; those of one uid who may write and who may only read are two. */
struct user {
	uid_t uid;
	bool writer;
	GQueue jobs; /* of struct job: the first one is being made */
};

struct api_parts {
	GQueue users; /* of struct user, with jobs each; the first one is the next */
	guint timer;
	int64_t *readers_from;
	const guint *source;
};

struct api_parts *api_parts_new(int64_t *readers_from, const guint *source)
{
	struct api_parts *parts = g_new0(struct api_parts, 1);

	g_queue_init(&parts->users);
	parts->readers_from = readers_from;
	parts->source = source;
	return parts;
}

bool api_parts_turn(struct api_request *request, api_part_fn part, void *work)
{
	const int64_t end = g_get_monotonic_time() + API_PART_US;
	bool more = true;

	while (more && g_get_monotonic_time() < end)
		more = part(request, work);
	return more;
}

static struct user *user_of(struct api_parts *parts, const struct api_request *request)
{
	const bool writer = request->right == API_WRITE;
	struct user *made;

	for (GList *item = parts->users.head; item; item = item->next) {
		struct user *user = item->data;

		if (user->uid == request->uid && user->writer == writer)
			return user;
	}
	made = g_new0(struct user, 1);
	made->uid = request->uid;
	made->writer = writer;
	g_queue_init(&made->jobs);
	g_queue_push_tail(&parts->users, made);
	return made;
}

static void job_end(const struct api_parts *parts, struct job *job)
{
	job->work_free(job->work);
	MHD_resume_connection(job->request->connection);
	http_wake(*parts->source);
	g_free(job);
}

static gboolean take_turn(gpointer arg);

static void plan(struct api_parts *parts)
{
	int64_t wait_us = *parts->readers_from - g_get_monotonic_time();

	if (parts->timer || !parts->users.length)
		return;
	for (const GList *item = parts->users.head; item; item = item->next)
		if (((const struct user *)item->data)->writer)
			wait_us = 0;
	/* Not at once: everything else that is ready comes in between. */
	parts->timer =
		g_timeout_add(wait_us > 0 ? (guint)(wait_us / 1000 + 1) : 1, take_turn, parts);
}

/* The first one who may; it goes behind the others. */
static struct user *next_user(struct api_parts *parts)
{
	const bool readers = g_get_monotonic_time() >= *parts->readers_from;

	for (GList *item = parts->users.head; item; item = item->next) {
		struct user *user = item->data;

		if (!user->writer && !readers)
			continue;
		g_queue_unlink(&parts->users, item);
		g_queue_push_tail_link(&parts->users, item);
		return user;
	}
	return NULL;
}

static gboolean take_turn(gpointer arg)
{
	struct api_parts *parts = arg;
	const int64_t began = g_get_monotonic_time();
	struct user *user = next_user(parts);
	struct job *job = user ? g_queue_peek_head(&user->jobs) : NULL;

	parts->timer = 0;
	if (job && !api_parts_turn(job->request, job->part, job->work)) {
		g_queue_pop_head(&user->jobs);
		job_end(parts, job);
	}
	if (user && !user->writer) {
		const int64_t now = g_get_monotonic_time();

		*parts->readers_from = now + (now - began);
	}
	if (user && !user->jobs.length) {
		g_queue_remove(&parts->users, user);
		g_free(user);
	}
	plan(parts);
	return G_SOURCE_REMOVE;
}

void api_parts_add(struct api_parts *parts, struct api_request *request, api_part_fn part,
		   void *work, GDestroyNotify work_free)
{
	struct job *job = g_new0(struct job, 1);

	*job = (struct job){request, part, work, work_free};
	http_phase(request->connection, HTTP_WORK, 0);
	MHD_suspend_connection(request->connection);
	g_queue_push_tail(&user_of(parts, request)->jobs, job);
	plan(parts);
}

void api_parts_close(struct api_parts *parts)
{
	struct user *user;
	struct job *job;

	g_clear_handle_id(&parts->timer, g_source_remove);
	while ((user = g_queue_pop_head(&parts->users))) {
		while ((job = g_queue_pop_head(&user->jobs))) {
			api_fail_stopping(job->request);
			job_end(parts, job);
		}
		g_free(user);
	}
}

void api_parts_free(struct api_parts **parts)
{
	g_free(TAKE_PTR(*parts));
}
