/* SPDX-License-Identifier: GPL-2.0-or-later */
/* detach.c - sgctl detach: a tap attached by hand is not filtered any more. */
#include <string.h>

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/known.h"
#include "ctl/output.h"
#include "rulesd/cleanup.h"

#define INTERFACES "/v1/interfaces"

/* Whether the device is one that rulesd keeps filtered without knowing whose it is. */
static bool is_kept(const struct args *args, const char *word, struct diag *diag)
{
	AUTO_JSON json_t *status = NULL;
	const json_t *kept;
	size_t i;

	if (client_request(args, "GET", "/v1/status", NULL, &status, NULL, diag))
		return false;
	json_array_foreach (json_object_get(status, "kept"), i, kept)
		if (!g_strcmp0(json_string_value(json_object_get(kept, "device")), word))
			return true;
	return false;
}

/* 0 and the id that word means: an id wins over a device name. -ENOENT when it is neither. */
static int resolve(const struct args *args, const char *word, char **id, struct diag *diag)
{
	AUTO_JSON json_t *list = NULL;
	const json_t *iface;
	const char *by_device = NULL;
	int result = client_request(args, "GET", INTERFACES, NULL, &list, NULL, diag);
	size_t i;

	if (result)
		return result;
	json_array_foreach (list, i, iface) {
		const char *name = json_string_value(json_object_get(iface, "id"));
		const char *device = json_string_value(json_object_get(iface, "device"));

		if (name && !strcmp(name, word)) {
			*id = g_strdup(word);
			return 0;
		}
		if (name && device && !strcmp(device, word))
			by_device = name;
	}
	if (by_device) {
		*id = g_strdup(by_device);
		return 0;
	}
	if (is_kept(args, word, diag)) {
		*id = g_strdup(word);
		return 0;
	}
	diag_add(diag, "unknown-interface", (struct place){0}, NULL, "see sgctl show interfaces",
		 "no interface has the id or device %s", word);
	known_suggest(args, INTERFACES, "device", word, diag);
	known_suggest(args, INTERFACES, "id", word, diag);
	return -ENOENT;
}

enum exit_status command_detach(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	g_autoptr(GString) path = g_string_new(INTERFACES);
	AUTO_JSON json_t *answer = NULL;
	g_autofree char *id = NULL;

	if (resolve(args, args_operand(args, 0), &id, diag))
		return output_failure(args, diag);
	client_add_segment(path, id);
	if (client_request(args, "DELETE", path->str, NULL, &answer, NULL, diag))
		return output_failure(args, diag);
	if (args_flag(args, "json"))
		output_json(answer);
	else
		output_text("%s: detached\n", id);
	return EXIT_DONE;
}
