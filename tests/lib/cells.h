/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cells.h - the flow table's own memory, for tests that make or look for what frames alone do not
 * show. Of the shard that proggy's interface has.
 */
#pragma once

#include <stdint.h>

#include "bpf/abi.h"

/* The shard of an interface, mapped whole; count buckets. */
struct sg_bucket *cells_of(const char *interface_id, uint32_t *count);
void cells_release(struct sg_bucket **buckets, uint32_t count);
/* The only live flow in it. Fails the test unless there is one. */
struct sg_cell *cells_only(struct sg_bucket *buckets, uint32_t count);
