/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_seal.c - a checksum at the head of a file of JSON.
 */
#include "rulesd/state_seal.h"

#include <errno.h>
#include <glib.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include "rulesd/cleanup.h"
#include "rulesd/state_file.h"

#define SEAL_BEGIN  "{\"crc32\":\""
#define SEAL_FORMAT SEAL_BEGIN "%08lx\","

static void seal_of(unsigned long sum, char seal[STATE_SEAL_BYTES + 1])
{
	g_snprintf(seal, STATE_SEAL_BYTES + 1, SEAL_FORMAT, sum);
}

int state_seal_prepare(int dir, const char *name, const struct iovec *parts, size_t count)
{
	g_autoptr(GArray) sealed = g_array_new(FALSE, FALSE, sizeof(struct iovec));
	char seal[STATE_SEAL_BYTES + 1];
	struct iovec head = {.iov_base = seal, .iov_len = STATE_SEAL_BYTES};
	uLong sum = crc32_z(0, NULL, 0);

	if (!count || parts[0].iov_len < 2 || *(const char *)parts[0].iov_base != '{')
		return -EINVAL;
	g_array_append_val(sealed, head);
	for (size_t i = 0; i < count; i++) {
		struct iovec part = parts[i];

		if (i == 0) {
			part.iov_base = (char *)part.iov_base + 1;
			part.iov_len--;
		}
		sum = crc32_z(sum, part.iov_base, part.iov_len);
		g_array_append_val(sealed, part);
	}
	seal_of(sum, seal);
	return state_file_prepare_parts(dir, name, (const struct iovec *)(void *)sealed->data,
					sealed->len);
}

int state_seal_write(int dir, const char *name, const struct iovec *parts, size_t count)
{
	int err = state_seal_prepare(dir, name, parts, count);

	if (err < 0)
		return err;
	err = state_file_commit(dir, name);
	if (err < 0)
		state_file_abort(dir, name);
	return err;
}

int state_seal_write_text(int dir, const char *name, const char *text)
{
	/* writev(2) has no const either. */
	struct iovec part = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};

	return state_seal_write(dir, name, &part, 1);
}

int state_seal_read(int dir, const char *name, bool must, char **data, size_t *length, bool *sealed)
{
	g_autofree char *text = NULL;
	char seal[STATE_SEAL_BYTES + 1];
	size_t size = 0;
	int err = state_file_read(dir, name, &text, &size);
	bool has;

	if (err < 0)
		return err;
	has = g_str_has_prefix(text, SEAL_BEGIN);
	if (!has && must)
		return -EBADMSG;
	if (has && size < STATE_SEAL_BYTES)
		return -EBADMSG;
	if (has) {
		seal_of(crc32_z(crc32_z(0, NULL, 0), (const Bytef *)text + STATE_SEAL_BYTES,
				size - STATE_SEAL_BYTES),
			seal);
		if (memcmp(text, seal, STATE_SEAL_BYTES) != 0)
			return -EBADMSG;
	}
	if (sealed)
		*sealed = has;
	*data = TAKE_PTR(text);
	*length = size;
	return 0;
}
