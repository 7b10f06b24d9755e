/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image_delta.c - the changes of an image as a list, kept, taken back or turned round.
 */
#include "rulesd/image_delta.h"

#include "rulesd/cleanup.h"
#include "rulesd/image_delta_log.h"

static struct image_delta *delta_new(void)
{
	struct image_delta *delta = g_new0(struct image_delta, 1);

	delta->members = g_array_new(FALSE, FALSE, sizeof(struct image_member_change));
	delta->prefixes = g_array_new(FALSE, FALSE, sizeof(struct image_prefix_change));
	delta->ifaces = g_array_new(FALSE, FALSE, sizeof(struct image_iface_change));
	delta->policies_new = g_ptr_array_new();
	delta->policies_gone = g_ptr_array_new();
	delta->sets_new = g_ptr_array_new();
	delta->sets_gone = g_ptr_array_new();
	return delta;
}

struct image_delta *image_delta_new(struct numbers *numbers)
{
	struct image_delta *delta = delta_new();

	delta->log = g_new0(struct image_delta_undo_log, 1);
	delta->log->journal = journal_new();
	delta->log->numbers = numbers;
	delta->log->slots = g_ptr_array_new_with_free_func(g_free);
	return delta;
}

static void delta_free(struct image_delta *delta)
{
	g_array_unref(delta->members);
	g_array_unref(delta->prefixes);
	g_array_unref(delta->ifaces);
	g_ptr_array_unref(delta->policies_new);
	g_ptr_array_unref(delta->policies_gone);
	g_ptr_array_unref(delta->sets_new);
	g_ptr_array_unref(delta->sets_gone);
	if (delta->log)
		g_ptr_array_unref(delta->log->slots);
	g_free(delta->log);
	g_free(delta);
}

void image_delta_free(struct image_delta **delta)
{
	struct image_delta *freed = TAKE_PTR(*delta);

	if (!freed)
		return;
	if (freed->log)
		journal_commit(&freed->log->journal);
	delta_free(freed);
}

void image_delta_undo(struct image *image, struct image_delta **delta)
{
	struct image_delta *undone = TAKE_PTR(*delta);

	(void)image; /* the journal knows where everything is */
	if (!undone)
		return;
	journal_undo(&undone->log->journal);
	for (guint i = 0; i < undone->log->slots->len; i++)
		numbers_release_slot(undone->log->numbers, undone->log->slots->pdata[i]);
	delta_free(undone);
}

bool image_delta_empty(const struct image_delta *delta)
{
	return !delta->members->len && !delta->prefixes->len && !delta->ifaces->len &&
	       !delta->policies_new->len && !delta->policies_gone->len && !delta->sets_new->len &&
	       !delta->sets_gone->len;
}

const uint32_t *image_delta_peers(const struct image *image, const struct image_delta *delta,
				  uint32_t set, uint32_t *single, guint *count)
{
	const struct image_set *several;

	*count = set ? 1 : 0;
	if (!set || set & SG_SET_SINGLE) {
		*single = set & ~SG_SET_SINGLE;
		return single;
	}
	several = image_set_by_number(image, set);
	for (guint i = 0; !several && i < delta->sets_gone->len; i++) {
		const struct image_set *gone = delta->sets_gone->pdata[i];

		several = gone->number == set ? gone : NULL;
	}
	*count = several ? several->peers->len : 0;
	return several ? (const uint32_t *)several->peers->data : single;
}

static void append_all(GPtrArray *to, const GPtrArray *from)
{
	for (guint i = 0; i < from->len; i++)
		g_ptr_array_add(to, from->pdata[i]);
}

struct image_delta *image_delta_inverse(const struct image_delta *delta)
{
	struct image_delta *inverse = delta_new();

	for (guint i = 0; i < delta->members->len; i++) {
		struct image_member_change change =
			g_array_index(delta->members, struct image_member_change, i);

		change = (struct image_member_change){change.key, change.after, change.before};
		g_array_append_val(inverse->members, change);
	}
	for (guint i = 0; i < delta->prefixes->len; i++) {
		struct image_prefix_change change =
			g_array_index(delta->prefixes, struct image_prefix_change, i);

		change = (struct image_prefix_change){change.key, change.after, change.before,
						      change.removed, change.created};
		g_array_append_val(inverse->prefixes, change);
	}
	for (guint i = 0; i < delta->ifaces->len; i++) {
		struct image_iface_change change =
			g_array_index(delta->ifaces, struct image_iface_change, i);

		change = (struct image_iface_change){change.after, change.before};
		g_array_append_val(inverse->ifaces, change);
	}
	append_all(inverse->policies_new, delta->policies_gone);
	append_all(inverse->policies_gone, delta->policies_new);
	append_all(inverse->sets_new, delta->sets_gone);
	append_all(inverse->sets_gone, delta->sets_new);
	return inverse;
}
