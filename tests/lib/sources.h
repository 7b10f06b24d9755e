/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sources.h - texts as policy files that were read, for what takes those: the state directory.
 */
#pragma once

#include <glib.h>

/* One file, "a.json", of this text: an array of struct load_source that owns them. */
GPtrArray *sources_of(const char *text);
