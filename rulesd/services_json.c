/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * services_json.c - the service table as GET /v1/services and sgctl show services give it.
 */
#include "rulesd/names.h"

#include "rulesd/cleanup.h"

static json_t *ports_json(const struct service_match *match)
{
	g_autofree char *range = NULL;

	if (!protocol_has_ports(match->protocol))
		return json_null();
	range = match->first == match->last ? g_strdup_printf("%u", match->first)
					    : g_strdup_printf("%u-%u", match->first, match->last);
	return json_string(range);
}

/* A name where there is one, as people write it in policies. */
static json_t *icmp_json(const struct service_match *match)
{
	const char *name = icmp_type_name(match->protocol, match->icmp_type);
	json_t *icmp = json_object();

	json_object_set_new(icmp, "type",
			    name ? json_string(name) : json_integer(match->icmp_type));
	if (match->icmp_code >= 0)
		json_object_set_new(icmp, "code", json_integer(match->icmp_code));
	return icmp;
}

static json_t *match_json(const struct service_match *match)
{
	char protocol[8];
	json_t *json =
		json_pack("{s:s, s:o}", "protocol", protocol_format(match->protocol, protocol),
			  "ports", ports_json(match));

	if (match->icmp_type >= 0)
		json_object_set_new(json, "icmp", icmp_json(match));
	return json;
}

json_t *services_to_json(void)
{
	json_t *list = json_array();
	const struct service *service = NULL;

	for (unsigned int i = 0; (service = service_at(i)); i++) {
		json_t *matches = json_array();

		for (unsigned int j = 0; j < service->count; j++)
			json_array_append_new(matches, match_json(&service->matches[j]));
		json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "name", service->name,
						      "description", service->description,
						      "matches", matches));
	}
	return list;
}
