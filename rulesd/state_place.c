/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_place.c - whether what is written is where the next start looks for it: somebody may have
 * removed or replaced the state directory, or files in it, and descriptors go on working.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rulesd/state.h"
#include "rulesd/state_json.h"

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Whether that name leads to what is open. Who cannot look it up cannot tell. */
static int check_name(int dir, const char *name, int flags, int fd, struct stat *there)
{
	struct stat opened;

	if (fstatat(dir, name, there, flags) < 0)
		return errno == ENOENT || errno == ENOTDIR ? -ESTALE : -errno;
	if (fd < 0)
		return 0;
	if (fstat(fd, &opened) < 0)
		return -errno;
	return is_same(there, &opened) ? 0 : -ESTALE;
}

int state_check_place(const struct state *state)
{
	struct stat there;
	int err = check_name(AT_FDCWD, state->path, 0, state->dir, &there);

	if (err == 0)
		err = check_name(state->dir, "policies", AT_SYMLINK_NOFOLLOW, state->policies,
				 &there);
	return err == -ESTALE ? err : 0;
}

int state_check_journal(const struct state *state, const char *name)
{
	const struct state_generation *current = state_current(state);
	struct stat there;
	int err = state_check_place(state);

	if (err == 0 && current)
		err = check_name(state->policies, current->file, AT_SYMLINK_NOFOLLOW, -1, &there);
	if (err == 0 && state->journal.records) {
		err = check_name(state->policies, name, AT_SYMLINK_NOFOLLOW, state->journal.fd,
				 &there);
		if (err == 0 && (uint64_t)there.st_size < state->journal.length)
			err = -ESTALE;
	}
	return err == -ESTALE ? err : 0;
}
