/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_device.c - which tap an imported interface is: by a map, else by a pattern.
 *
 * A pattern is text with %i, the interface's id, %I, the id without its first word ("eni-"), %m,
 * the digits of its MAC address, and %%; a number before the letter (%.11i) takes so many
 * characters.
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/import_policy.h"
#include "rulesd/cleanup.h"

/* What a letter stands for; NULL when it is none. The caller frees it. */
static char *text_of(char letter, const struct import_interface *iface)
{
	const char *dash = strchr(iface->id, '-');
	const uint8_t *mac = iface->mac;

	switch (letter) {
	case 'i':
		return g_strdup(iface->id);
	case 'I':
		return g_strdup(dash && g_str_has_prefix(iface->id, "eni-") ? dash + 1 : iface->id);
	case 'm':
		return g_strdup_printf("%02x%02x%02x%02x%02x%02x", mac[0], mac[1], mac[2], mac[3],
				       mac[4], mac[5]);
	case '%':
		return g_strdup("%");
	default:
		return NULL;
	}
}

/* Expands the pattern; NULL and *error when it is wrong. The caller frees both. */
static char *expand(const char *pattern, const struct import_interface *iface, char **error)
{
	g_autoptr(GString) out = g_string_new(NULL);

	for (const char *c = pattern; *c; c++) {
		unsigned long width = 0;
		char *end;
		g_autofree char *text = NULL;

		if (*c != '%') {
			g_string_append_c(out, *c);
			continue;
		}
		c++;
		if (*c == '.') {
			width = strtoul(c + 1, &end, 10);
			c = end;
		}
		text = *c ? text_of(*c, iface) : NULL;
		if (!text) {
			*error = g_strdup_printf("--device \"%s\" has no %%i, %%I or %%m after a "
						 "%% (%%%% is the character)",
						 pattern);
			return NULL;
		}
		g_string_append_len(out, text,
				    (gssize)(width && width < strlen(text) ? width : strlen(text)));
	}
	return g_strdup(out->str);
}

int import_device_check(const char *pattern, char **error)
{
	char id[] = "i";
	const struct import_interface iface = {.id = id};
	g_autofree char *text = expand(pattern, &iface, error);

	return text ? 0 : -EINVAL;
}

/* By id, or by MAC address; NULL when the map says nothing. */
static const char *mapped(const struct import *import, const struct import_interface *iface,
			  GHashTable *used)
{
	char mac[MAC_TEXT_SIZE];
	const char *keys[2] = {iface->id, iface->has_mac ? mac_format(iface->mac, mac) : ""};

	for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
		const char *device =
			json_string_value(json_object_get(import->options.map, keys[i]));

		if (!device)
			continue;
		g_hash_table_add(used, g_strdup(keys[i]));
		return device;
	}
	return NULL;
}

static int set_device(struct import *import, struct import_interface *iface, const char *device)
{
	const struct place place = {.file = iface->place.file};

	if (!*device || strlen(device) >= IFNAMSIZ || strpbrk(device, "/: \t\n")) {
		diag_add(import->diag, "device", place, iface->place.pointer,
			 "at most 15 bytes, without '/', ':' and white space, as --device tap%.11I",
			 "\"%s\" is no name of a device (interface %s)", device, iface->id);
		return -EINVAL;
	}
	import_set(&iface->device, device);
	return 0;
}

static int choose(struct import *import, struct import_interface *iface, GHashTable *used)
{
	const char *device = mapped(import, iface, used);
	g_autofree char *text = NULL;
	g_autofree char *error = NULL;

	if (device)
		return set_device(import, iface, device);
	if (!import->options.device)
		return 0;
	text = expand(import->options.device, iface, &error);
	return set_device(import, iface, text);
}

static int check_twice(struct import *import, const GPtrArray *ids)
{
	g_autoptr(GHashTable) devices = g_hash_table_new(g_str_hash, g_str_equal);
	int result = 0;

	for (guint i = 0; i < ids->len; i++) {
		const struct import_interface *iface =
			g_hash_table_lookup(import->interfaces, ids->pdata[i]);
		const struct import_interface *other =
			iface->device ? g_hash_table_lookup(devices, iface->device) : NULL;

		if (iface->device && !other) {
			g_hash_table_insert(devices, iface->device, (void *)(uintptr_t)iface);
			continue;
		}
		/* The same device on two hosts is two devices. */
		if (!other || (other->host && iface->host && strcmp(other->host, iface->host) != 0))
			continue;
		diag_add(import->diag, "duplicate-device",
			 (struct place){.file = iface->place.file}, iface->place.pointer,
			 "a longer part of the id in --device, or --map FILE",
			 "%s and %s would both be the device %s", other->id, iface->id,
			 iface->device);
		result = -EINVAL;
	}
	return result;
}

static int by_id(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void report_unused(struct import *import, GHashTable *used)
{
	void *members = (void *)(uintptr_t)import->options.map;
	const char *key;
	json_t *value;

	json_object_foreach (members, key, value)
		if (!g_hash_table_contains(used, key))
			import_report_add(import->report, IMPORT_LEFT_OUT, "map", key, NULL,
					  "--map names an interface that is not imported");
}

int import_devices(struct import *import)
{
	g_autoptr(GHashTable) used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GPtrArray) ids = g_ptr_array_new();
	GHashTableIter iter;
	void *id;
	int result = 0;

	g_hash_table_iter_init(&iter, import->interfaces);
	while (g_hash_table_iter_next(&iter, &id, NULL))
		g_ptr_array_add(ids, id);
	g_ptr_array_sort(ids, by_id);
	for (guint i = 0; i < ids->len; i++)
		if (choose(import, g_hash_table_lookup(import->interfaces, ids->pdata[i]), used))
			result = -EINVAL;
	report_unused(import, used);
	return check_twice(import, ids) ? -EINVAL : result;
}
