/* SPDX-License-Identifier: GPL-2.0-or-later */
/* held_policy.c - see held_policy.h. */
#include "ctl/held_policy.h"

#include <string.h>

#include "ctl/client.h"
#include "rulesd/cleanup.h"
#include "rulesd/load.h"

/* Takes text. */
static void add_source(GPtrArray *sources, const char *name, char *text)
{
	struct load_source *source = g_new0(struct load_source, 1);

	source->name = g_strdup_printf("rulesd:%s", name);
	source->text = text;
	source->length = strlen(text);
	g_ptr_array_add(sources, source);
}

int held_policy_sources(const struct args *args, GPtrArray **sources, struct diag *diag)
{
	g_autoptr(GPtrArray) made = load_sources_new();
	AUTO_JSON json_t *answer = NULL;
	const json_t *files, *file;
	size_t index;
	int error = client_request(args, "GET", "/v1/policy", NULL, &answer, NULL, diag);

	if (error)
		return error;
	files = json_object_get(answer, "files");
	if (!files)
		add_source(made, "policy", json_dumps(answer, JSON_COMPACT));
	json_array_foreach (files, index, file) {
		const char *name = json_string_value(json_object_get(file, "name"));
		const char *text = json_string_value(json_object_get(file, "text"));

		if (!name || !text) {
			diag_add(diag, "protocol", (struct place){0}, NULL, NULL,
				 "rulesd's answer to GET /v1/policy is not understood");
			return -EPROTO;
		}
		add_source(made, name, g_strdup(text));
	}
	*sources = TAKE_PTR(made);
	return 0;
}

/* GET /v1/interfaces tells more than a policy says of an interface. */
static json_t *as_written(const json_t *iface)
{
	static const char *const fields[] = {"device",	    "match",	 "host",
					     "mac",	    "addresses", "groups",
					     "spoof_guard", "vlans",	 "allowed_addresses"};
	json_t *written = json_object();

	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		json_t *value = json_object_get(iface, fields[i]);

		/* The device of a match is the one that it is on just now. */
		if (!strcmp(fields[i], "device") && json_is_object(json_object_get(iface, "match")))
			continue;
		if (value && !json_is_null(value))
			json_object_set(written, fields[i], value);
	}
	return written;
}

int held_policy_add_attached(const struct args *args, GPtrArray *sources, struct diag *diag)
{
	AUTO_JSON json_t *interfaces = NULL;
	const json_t *iface;
	size_t index;
	int error = client_request(args, "GET", "/v1/interfaces", NULL, &interfaces, NULL, diag);

	json_array_foreach (interfaces, index, iface) {
		const char *id = json_string_value(json_object_get(iface, "id"));
		const char *source = json_string_value(json_object_get(iface, "source"));
		AUTO_JSON json_t *document = NULL;

		if (!id || !source || strcmp(source, "attached") != 0)
			continue;
		document = json_pack("{si sO s{so}}", "version", 1, "network",
				     json_object_get(iface, "network"), "interfaces", id,
				     as_written(iface));
		add_source(sources, id, json_dumps(document, JSON_COMPACT));
	}
	return error;
}

int held_policy_load(const struct args *args, struct model **model, struct diag *diag)
{
	g_autoptr(GPtrArray) sources = NULL;
	int error = held_policy_sources(args, &sources, diag);

	if (!error)
		error = held_policy_add_attached(args, sources, diag);
	return error ? error : load_policy(sources, model, diag);
}
