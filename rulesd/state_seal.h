/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_seal.h - files of the state directory that show any damage: a flipped bit, a cut, a hole.
 *
 * A sealed file begins with {"crc32":"0123abcd", and the eight digits are the CRC-32 of every byte
 * behind that comma, so what people look at is JSON as before. Files of rulesd before state version
 * 3 have no seal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#define STATE_SEAL_BYTES 20u

/*
 * state_file_prepare_parts of a text that begins with '{' and has at least one member, which the
 * seal takes the place of. 0 or -errno.
 */
int state_seal_prepare(int dir, const char *name, const struct iovec *parts, size_t count);
/* The same and state_file_commit. */
int state_seal_write(int dir, const char *name, const struct iovec *parts, size_t count);
int state_seal_write_text(int dir, const char *name, const char *text);
/*
 * state_file_read, and *sealed says whether there is a seal. -EBADMSG when it does not fit, or when
 * there is none and the file must have one.
 */
int state_seal_read(int dir, const char *name, bool must, char **data, size_t *length,
		    bool *sealed);
