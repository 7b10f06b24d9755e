/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cleanup.h - ownership: cleanup attributes for what GLib's g_autofree and g_autoptr do not cover.
 *
 * Every owning local carries one and has an initial value; what leaves a function goes through
 * TAKE_PTR or TAKE_FD.
 */
#pragma once

#include <errno.h>
#include <glib.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#define TAKE_PTR(p)                     \
	({                              \
		typeof(p) _taken = (p); \
		(p) = NULL;             \
		_taken;                 \
	})
#define TAKE_FD(fd)                \
	({                         \
		int _taken = (fd); \
		(fd) = -1;         \
		_taken;            \
	})

static inline void cleanup_fd(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void cleanup_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

static inline void cleanup_json(json_t **json)
{
	json_decref(*json);
}

#define CLEANUP(function) __attribute__((cleanup(function)))
#define AUTO_FD		  CLEANUP(cleanup_fd)
#define AUTO_FILE	  CLEANUP(cleanup_file)
#define AUTO_JSON	  CLEANUP(cleanup_json)
