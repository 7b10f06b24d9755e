/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_match.c - what a rule lets pass: protocol, ports, ICMP type and code, services.
 */
#include "rulesd/load_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/names.h"
#include "rulesd/nearest.h"

#define PROTOCOLS "tcp, udp, icmp, icmpv6, sctp, gre, esp, ah, a number from 0 to 255, or all"
#define PORTS	  "a port from 0 to 65535, or a range as \"8000-8080\""

static bool unknown_protocol(struct load *load, uint32_t node, const char *text)
{
	static const char *const names[] = {"tcp", "udp", "icmp", "icmpv6", "sctp",
					    "gre", "esp", "ah",	  "all"};
	struct nearest nearest = nearest_new(text);
	g_autofree char *quoted = diag_quote(text);
	g_autofree char *fix = NULL;
	uint16_t number;

	for (unsigned int i = 0; i < G_N_ELEMENTS(names); i++)
		nearest_offer(&nearest, names[i]);
	if (protocol_parse(text, &number) == 0)
		fix = g_strdup_printf("write the number without quotes: %s", text);
	else if (strcmp(text, "-1") == 0 || strcmp(text, "any") == 0)
		fix = g_strdup("every protocol is \"all\"");
	else
		fix = nearest_fix(&nearest, PROTOCOLS);
	load_error(load, node, "protocol", fix, "%s is no protocol", quoted);
	return false;
}

static bool read_protocol(struct load *load, uint32_t node, uint16_t *protocol)
{
	CLEANUP(jdoc_text_clear) struct jdoc_text buffer = {.large = NULL};
	const char *text;
	int64_t number;

	if (jdoc_kind(load->doc, node) == JDOC_INTEGER) {
		number = jdoc_integer(load->doc, node);
		if (number < 0 || number > 255) {
			load_error(load, node, "protocol", PROTOCOLS,
				   "%" G_GINT64_FORMAT " is no protocol", number);
			return false;
		}
		*protocol = (uint16_t)number;
		return true;
	}
	if (jdoc_kind(load->doc, node) != JDOC_STRING) {
		load_wrong_kind(load, node, "protocol", PROTOCOLS);
		return false;
	}
	text = jdoc_read_string(load->doc, node, &buffer);
	if (g_ascii_isdigit(text[0]) || protocol_parse(text, protocol) < 0)
		return unknown_protocol(load, node, text);
	return true;
}

/* 0 to 65535 in decimal without leading zeros; moves *text behind it. */
static bool parse_port(const char **text, uint16_t *port)
{
	unsigned int value = 0, digits = 0;
	const char *p = *text;

	for (; g_ascii_isdigit(*p) && digits < 6; p++, digits++)
		value = value * 10 + (unsigned int)(*p - '0');
	if (digits == 0 || value > UINT16_MAX || ((*text)[0] == '0' && digits > 1))
		return false;
	*text = p;
	*port = (uint16_t)value;
	return true;
}

static bool read_range(struct load *load, uint32_t node, struct model_ports *ports)
{
	g_autofree char *text = jdoc_string(load->doc, node);
	g_autofree char *quoted = diag_quote(text);
	g_autofree char *fix = NULL;
	const char *p = text;
	struct model_ports range = {0};

	if (parse_port(&p, &range.first) && *p == '\0') {
		fix = g_strdup_printf("one port is a number: %u", range.first);
		load_error(load, node, "ports", fix, "%s is no range", quoted);
		return false;
	}
	p = text;
	if (!parse_port(&p, &range.first) || *p++ != '-' || !parse_port(&p, &range.last) || *p) {
		load_error(load, node, "ports", PORTS, "%s is no range of ports", quoted);
		return false;
	}
	if (range.first > range.last) {
		fix = g_strdup_printf("\"%u-%u\"", range.last, range.first);
		load_error(load, node, "ports", fix, "the range %s ends before it begins", quoted);
		return false;
	}
	*ports = range;
	return true;
}

static bool read_port(struct load *load, uint32_t node, struct model_ports *ports)
{
	int64_t port;

	if (jdoc_kind(load->doc, node) == JDOC_STRING)
		return read_range(load, node, ports);
	if (jdoc_kind(load->doc, node) != JDOC_INTEGER) {
		load_wrong_kind(load, node, "port", PORTS);
		return false;
	}
	if (!load_integer(load, node, 0, UINT16_MAX, &port))
		return false;
	ports->first = ports->last = (uint16_t)port;
	return true;
}

static void read_ports(struct load *load, uint32_t node, struct model_match *match)
{
	char name[8];

	if (!load_expect(load, node, JDOC_ARRAY, "ports look like [443, \"8000-8080\"]"))
		return;
	if (!match->ports) {
		load_error_at_key(load, node, "conflict", "only tcp, udp and sctp have ports",
				  "ports of protocol %s", protocol_format(match->protocol, name));
		return;
	}
	if (!jdoc_first(load->doc, node))
		load_error(load, node, "empty", "for every port leave \"ports\" out",
			   "no port is listed");
	for (uint32_t item = jdoc_first(load->doc, node); item; item = jdoc_next(load->doc, item)) {
		struct model_ports ports;

		if (read_port(load, item, &ports))
			g_array_append_val(match->ports, ports);
	}
	model_ports_merge(match->ports);
}

/* A type or a code: a number from 0 to 255 or a name. */
static bool read_icmp_number(struct load *load, uint32_t node, const char *what, uint16_t protocol,
			     int type, int *number)
{
	g_autofree char *text = NULL;
	g_autofree char *quoted = NULL;
	char name[8];
	int64_t value;

	if (jdoc_kind(load->doc, node) == JDOC_INTEGER) {
		if (!load_integer(load, node, 0, 255, &value))
			return false;
		*number = (int)value;
		return true;
	}
	if (jdoc_kind(load->doc, node) != JDOC_STRING) {
		load_wrong_kind(load, node, what, "a number from 0 to 255, or a name");
		return false;
	}
	text = jdoc_string(load->doc, node);
	/* Numbers are numbers in JSON: one way to write a thing. */
	if (!g_ascii_isdigit(text[0]) &&
	    (strcmp(what, "type") == 0 ? icmp_type_parse(protocol, text, number)
				       : icmp_code_parse(protocol, type, text, number)) == 0)
		return true;
	quoted = diag_quote(text);
	load_error(load, node, "icmp", "a number from 0 to 255, or a name as \"echo-request\"",
		   "%s is no %s of %s", quoted, what, protocol_format(protocol, name));
	return false;
}

static const struct load_field icmp_fields[] = {
	{.name = "type", .read = load_keep, .offset = 0},
	{.name = "code", .read = load_keep, .offset = sizeof(uint32_t)},
	{0},
};

static void read_icmp(struct load *load, uint32_t node, struct model_match *match)
{
	uint32_t type_code[2] = {0};
	char name[8];

	if (!protocol_is_icmp(match->protocol)) {
		load_error_at_key(load, node, "conflict", "only icmp and icmpv6 have types",
				  "\"icmp\" of protocol %s",
				  protocol_format(match->protocol, name));
		return;
	}
	if (!load_expect(load, node, JDOC_OBJECT, "as {\"type\": \"echo-request\"}"))
		return;
	load_object(load, node, icmp_fields, type_code);
	if (!type_code[0]) {
		load_error(load, node, "missing",
			   type_code[1] ? "add the type, as {\"type\": 3, \"code\": 1}"
					: "for every type leave \"icmp\" out",
			   type_code[1] ? "a code without a \"type\"" : "\"type\" is missing");
		return;
	}
	read_icmp_number(load, type_code[0], "type", match->protocol, -1, &match->icmp_type);
	/* What a name of a code means depends on the type. */
	if (type_code[1] &&
	    (match->icmp_type >= 0 || jdoc_kind(load->doc, type_code[1]) != JDOC_STRING))
		read_icmp_number(load, type_code[1], "code", match->protocol, match->icmp_type,
				 &match->icmp_code);
}

/* What is wrong with ports and types whatever the protocol. */
static void check_without_protocol(struct load *load, const struct load_match *nodes)
{
	struct model_match *any = model_match_new(IPPROTO_TCP);

	if (nodes->ports)
		read_ports(load, nodes->ports, any);
	if (nodes->icmp)
		load_expect(load, nodes->icmp, JDOC_OBJECT, "as {\"type\": \"echo-request\"}");
	model_match_free(any);
}

struct model_match *load_match(struct load *load, const struct load_match *nodes)
{
	struct model_match *match;
	uint16_t protocol = 0;

	if (!nodes->protocol || !read_protocol(load, nodes->protocol, &protocol)) {
		check_without_protocol(load, nodes);
		return NULL;
	}
	match = model_match_new(protocol);
	if (nodes->ports)
		read_ports(load, nodes->ports, match);
	if (nodes->icmp)
		read_icmp(load, nodes->icmp, match);
	return match;
}

/* A preset names each range of ports by itself: ranges of one protocol become one match. */
static void add_preset_match(GPtrArray *matches, const struct service_match *preset)
{
	struct model_match *match = NULL;

	for (guint i = 0; i < matches->len && protocol_has_ports(preset->protocol); i++)
		if (((struct model_match *)matches->pdata[i])->protocol == preset->protocol)
			match = matches->pdata[i];
	if (!match) {
		match = model_match_new(preset->protocol);
		g_ptr_array_add(matches, match);
	}
	match->icmp_type = preset->icmp_type;
	match->icmp_code = preset->icmp_code;
	if (match->ports) {
		const struct model_ports ports = {preset->first, preset->last};

		g_array_append_val(match->ports, ports);
	}
}

static void unknown_service(struct load *load, uint32_t node, const char *name)
{
	struct nearest nearest = nearest_new(name);
	g_autofree char *quoted = diag_quote(name);
	g_autofree char *fix = NULL;
	GHashTableIter iter;
	gpointer own;

	if (!diag_may_suggest(
		    load->diag,
		    g_hash_table_size(load->services) +
			    (load->base_services ? g_hash_table_size(load->base_services) : 0))) {
		load_error(load, node, "unknown-service", NULL, "there is no service %s", quoted);
		return;
	}
	for (unsigned int i = 0; service_at(i); i++)
		nearest_offer(&nearest, service_at(i)->name);
	g_hash_table_iter_init(&iter, load->services);
	while (g_hash_table_iter_next(&iter, &own, NULL))
		nearest_offer(&nearest, own);
	if (load->base_services)
		g_hash_table_iter_init(&iter, load->base_services);
	while (load->base_services && g_hash_table_iter_next(&iter, &own, NULL))
		if (load_find_service(load, own))
			nearest_offer(&nearest, own);
	fix = nearest_fix(&nearest, "sgctl show services lists the presets; a policy may define "
				    "its own under \"services\"");
	load_error(load, node, "unknown-service", fix, "there is no service %s", quoted);
}

const struct model_service *load_find_service(const struct load *load, const char *name)
{
	const struct model_service *own = g_hash_table_lookup(load->services, name);

	if (own || !load->base_services)
		return own;
	for (guint i = 0; i < load->removals->len; i++) {
		const struct load_removal *removal =
			&g_array_index(load->removals, struct load_removal, i);

		if (removal->kind == MODEL_KIND_SERVICE && strcmp(removal->id, name) == 0)
			return NULL;
	}
	return g_hash_table_lookup(load->base_services, name);
}

bool load_service_matches(struct load *load, uint32_t node, const char *name, GPtrArray *matches)
{
	const struct model_service *own = load_find_service(load, name);
	const struct service *preset = own ? NULL : service_find(name);

	if (!own && !preset) {
		if (!load->incomplete)
			unknown_service(load, node, name);
		return false;
	}
	for (guint i = 0; own && i < own->matches->len; i++)
		g_ptr_array_add(matches, model_match_copy(own->matches->pdata[i]));
	for (unsigned int i = 0; preset && i < preset->count; i++)
		add_preset_match(matches, &preset->matches[i]);
	for (guint i = 0; i < matches->len; i++) {
		struct model_match *match = matches->pdata[i];

		if (match->ports)
			model_ports_merge(match->ports);
	}
	return true;
}
