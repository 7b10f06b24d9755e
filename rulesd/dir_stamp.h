/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dir_stamp.h - what a policy directory looks like from outside: which *.json are there, and the
 * identity, size, times, owner and mode of what each of them leads to. Two that are equal, before
 * and after a reading, say that what was read was there at one time.
 */
#pragma once

#include <glib.h>

/* Never fails: what cannot be looked at is part of it. */
GBytes *dir_stamp(const char *path);
