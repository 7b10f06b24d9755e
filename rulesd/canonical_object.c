/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * canonical_object.c - the canonical form of networks, services, prefix lists, groups, interfaces.
 *
 * It is long because every object is one table of fields over the same few writers, which nobody
 * else needs.
 */
#include "rulesd/canonical_internal.h"

#include <string.h>

#include "rulesd/load_internal.h"
#include "rulesd/names.h"

/* One object while it is written. */
struct object {
	struct canonical *canonical;
	const struct canonical_source *source;
	const struct jdoc *doc;
	struct json_writer *writer;
	uint32_t node;
};

/* A field in the order of the documentation. write is called with its value. */
struct field {
	const char *name; /* NULL ends a table */
	void (*write)(const struct object *object, uint32_t node);
	bool (*leave_out)(const struct object *object, uint32_t node); /* NULL: never */
};

/* For the readers of load_*.c, which know what a value means. */
static struct load reader(const struct object *object)
{
	return (struct load){
		.diag = object->canonical->diag,
		.doc = object->doc,
		.network = object->source->network,
	};
}

static void write_plain(const struct object *object, uint32_t node)
{
	json_write_node(object->writer, object->doc, node);
}

static bool is_empty(const struct object *object, uint32_t node)
{
	return !jdoc_first(object->doc, node);
}

#define DESCRIPTION                              \
	{                                        \
		"description", write_plain, NULL \
	}
#define LABELS                                  \
	{                                       \
		"labels", write_plain, is_empty \
	}

/* What may stand in any object and is not in its table. */
static void write_annotations(const struct object *object)
{
	json_write_members(object->writer, object->doc, object->node, json_is_annotation);
}

#define MOST_FIELDS 16

/* The members that are fields, in one walk; 0 where there is none. */
static void find_values(const struct object *object, const struct field *fields,
			uint32_t values[MOST_FIELDS])
{
	for (uint32_t member = jdoc_first(object->doc, object->node); member;
	     member = jdoc_next(object->doc, member)) {
		size_t length;
		const char *plain = jdoc_plain_key(object->doc, member, &length);

		for (unsigned int i = 0; fields[i].name; i++) {
			bool same = plain ? strncmp(fields[i].name, plain, length) == 0 &&
						    fields[i].name[length] == '\0'
					  : jdoc_key_is(object->doc, member, fields[i].name);

			g_assert(i < MOST_FIELDS);
			if (same)
				values[i] = member;
		}
	}
}

static void write_object(struct canonical *canonical, const struct canonical_source *source,
			 uint32_t node, const struct field *fields)
{
	const struct object object = {
		.canonical = canonical,
		.source = source,
		.doc = source->doc,
		.writer = &canonical->writer,
		.node = node,
	};

	uint32_t values[MOST_FIELDS] = {0};

	find_values(&object, fields, values);
	json_open(object.writer, '{');
	for (const struct field *field = fields; field->name; field++) {
		uint32_t value = values[field - fields];

		if (!value || (field->leave_out && field->leave_out(&object, value)))
			continue;
		json_key(object.writer, field->name);
		field->write(&object, value);
	}
	write_annotations(&object);
	json_close(object.writer, '}');
}

/* An array of objects with the same fields; their order is kept. */
static void write_objects(const struct object *object, uint32_t array, const struct field *fields)
{
	json_open(object->writer, '[');
	for (uint32_t item = jdoc_first(object->doc, array); item;
	     item = jdoc_next(object->doc, item)) {
		json_item(object->writer);
		write_object(object->canonical, object->source, item, fields);
	}
	json_close(object->writer, ']');
}

/* ------------------------------------------------------------------ lists of scalars */

/* Adds a JSON string to texts. */
static void add_string(GPtrArray *texts, const char *text)
{
	g_ptr_array_add(texts, json_quote(text));
}

/* Adds text, which it takes, unless it is there already. */
static void add_once(GPtrArray *texts, GHashTable *seen, char *text)
{
	if (g_hash_table_add(seen, text))
		g_ptr_array_add(texts, text);
	else
		g_free(text);
}

static int compare_cidrs(gconstpointer a, gconstpointer b)
{
	return cidr_compare(a, b);
}

/* Sorted, without repeats. */
static void write_cidrs(const struct object *object, uint32_t node)
{
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GArray) cidrs = g_array_new(FALSE, FALSE, sizeof(struct cidr));
	struct load load = reader(object);

	for (uint32_t item = jdoc_first(object->doc, node); item;
	     item = jdoc_next(object->doc, item)) {
		struct cidr cidr;

		if (load_cidr(&load, item, &cidr))
			g_array_append_val(cidrs, cidr);
	}
	g_array_sort(cidrs, compare_cidrs);
	for (guint i = 0; i < cidrs->len; i++) {
		const struct cidr *cidr = &g_array_index(cidrs, struct cidr, i);
		char text[CIDR_TEXT_SIZE];

		if (!i || cidr_compare(cidr - 1, cidr) != 0)
			add_string(texts, cidr_format(cidr, text));
	}
	json_write_scalars(object->writer, texts);
}

static void write_address(const struct object *object, uint32_t node)
{
	struct load load = reader(object);
	char text[ADDR_TEXT_SIZE];
	struct sg_addr addr = {0};

	load_address(&load, node, &addr);
	json_write_string(object->writer, addr_format(&addr, text));
}

static void write_addresses(const struct object *object, uint32_t node)
{
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
	struct load load = reader(object);

	for (uint32_t item = jdoc_first(object->doc, node); item;
	     item = jdoc_next(object->doc, item)) {
		char text[ADDR_TEXT_SIZE];
		struct sg_addr addr;

		if (load_address(&load, item, &addr))
			add_string(texts, addr_format(&addr, text));
	}
	json_write_scalars(object->writer, texts);
}

static void write_mac(const struct object *object, uint32_t node)
{
	g_autofree char *text = jdoc_string(object->doc, node);
	char canonical[MAC_TEXT_SIZE];
	uint8_t mac[6] = {0};

	mac_parse(text, mac);
	json_write_string(object->writer, mac_format(mac, canonical));
}

static int compare_numbers(gconstpointer a, gconstpointer b)
{
	return *(const int *)a - *(const int *)b;
}

static void write_vlans(const struct object *object, uint32_t node)
{
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GArray) vlans = g_array_new(FALSE, FALSE, sizeof(int));

	for (uint32_t item = jdoc_first(object->doc, node); item;
	     item = jdoc_next(object->doc, item)) {
		int vlan = (int)jdoc_integer(object->doc, item);

		g_array_append_val(vlans, vlan);
	}
	g_array_sort(vlans, compare_numbers);
	for (guint i = 0; i < vlans->len; i++) {
		const int *vlan = &g_array_index(vlans, int, i);

		if (!i || vlan[-1] != vlan[0])
			g_ptr_array_add(texts, g_strdup_printf("%d", *vlan));
	}
	json_write_scalars(object->writer, texts);
}

static int compare_texts(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of networks: sorted, without repeats. */
static void write_names(const struct object *object, uint32_t node)
{
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (uint32_t item = jdoc_first(object->doc, node); item;
	     item = jdoc_next(object->doc, item)) {
		g_autofree char *name = jdoc_string(object->doc, item);

		add_once(texts, seen, json_quote(name));
	}
	g_ptr_array_sort(texts, compare_texts);
	json_write_scalars(object->writer, texts);
}

/* ------------------------------------------------------------------ what a rule matches */

/* NULL when the object has no protocol. The caller frees it. */
static struct model_match *read_match(const struct object *object)
{
	struct load load = reader(object);
	const struct load_match nodes = {
		.protocol = jdoc_member(object->doc, object->node, "protocol"),
		.ports = jdoc_member(object->doc, object->node, "ports"),
		.icmp = jdoc_member(object->doc, object->node, "icmp"),
	};

	return nodes.protocol ? load_match(&load, &nodes) : NULL;
}

static void write_protocol(const struct object *object, uint32_t node)
{
	struct model_match *match = read_match(object);
	char text[8];

	(void)node;
	protocol_format(match->protocol, text);
	if (g_ascii_isdigit(text[0]))
		g_string_append(object->writer->out, text);
	else
		json_write_string(object->writer, text);
	model_match_free(match);
}

static void write_ports(const struct object *object, uint32_t node)
{
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
	struct model_match *match = read_match(object);

	(void)node;
	for (guint i = 0; i < match->ports->len; i++) {
		const struct model_ports *ports =
			&g_array_index(match->ports, struct model_ports, i);

		if (ports->first == ports->last)
			g_ptr_array_add(texts, g_strdup_printf("%u", ports->first));
		else
			g_ptr_array_add(texts,
					g_strdup_printf("\"%u-%u\"", ports->first, ports->last));
	}
	json_write_scalars(object->writer, texts);
	model_match_free(match);
}

/* Every port is what no "ports" says. */
static bool are_all_ports(const struct object *object, uint32_t node)
{
	struct model_match *match = read_match(object);
	bool all = match->ports->len == 0;

	(void)node;
	model_match_free(match);
	return all;
}

/* The protocol stands in the object around, so the numbers are read there. */
static void write_icmp(const struct object *object, uint32_t node)
{
	static const struct field remarks[] = {DESCRIPTION, LABELS, {0}};
	struct model_match *match = read_match(object);
	const char *name = icmp_type_name(match->protocol, match->icmp_type);
	struct object inner = *object;

	inner.node = node;
	json_open(inner.writer, '{');
	json_key(inner.writer, "type");
	if (name)
		json_write_string(inner.writer, name);
	else
		g_string_append_printf(inner.writer->out, "%d", match->icmp_type);
	if (match->icmp_code >= 0) {
		json_key(inner.writer, "code");
		g_string_append_printf(inner.writer->out, "%d", match->icmp_code);
	}
	for (const struct field *field = remarks; field->name; field++) {
		uint32_t value = jdoc_member(inner.doc, node, field->name);

		if (!value || (field->leave_out && field->leave_out(&inner, value)))
			continue;
		json_key(inner.writer, field->name);
		field->write(&inner, value);
	}
	write_annotations(&inner);
	json_close(inner.writer, '}');
	model_match_free(match);
}

#define MATCH                                                                      \
	{"protocol", write_protocol, NULL}, {"ports", write_ports, are_all_ports}, \
	{                                                                          \
		"icmp", write_icmp, NULL                                           \
	}

/* ------------------------------------------------------------------ rules */

/* The caller frees it. */
static char *peer_text(const struct object *object, uint32_t node)
{
	struct load load = reader(object);
	struct model_peer *peer = load_peer(&load, node);
	char cidr[CIDR_TEXT_SIZE];
	char *text;

	if (peer->kind == MODEL_PEER_ANY)
		text = g_strdup("any");
	else if (peer->kind == MODEL_PEER_CIDR)
		text = g_strdup(cidr_format(&peer->cidr, cidr));
	else if (strcmp(peer->network, object->source->network) == 0)
		text = g_strdup(peer->id);
	else
		text = g_strconcat(peer->network, ":", peer->id, NULL);
	model_peer_free(peer);
	return text;
}

/* The object form of one of them; object is the peer. */
static void write_target(const struct object *object, uint32_t node)
{
	g_autofree char *text = peer_text(object, object->node);

	(void)node;
	json_write_string(object->writer, text);
}

static const struct field peer_fields[] = {
	{"cidr", write_target, NULL},
	{"group", write_target, NULL},
	{"prefix_list", write_target, NULL},
	{"id", write_plain, NULL},
	DESCRIPTION,
	LABELS,
	{0},
};

/* A peer that says no more than its text: one field, and at most labels that are left out. */
static bool is_simple_peer(const struct object *object, uint32_t node)
{
	uint32_t labels = jdoc_member(object->doc, node, "labels");
	uint32_t left_out = labels && is_empty(object, labels) ? 1 : 0;

	return jdoc_kind(object->doc, node) == JDOC_STRING ||
	       jdoc_count(object->doc, node) == 1 + left_out;
}

/* A list with objects in it: one peer a line. */
static void write_mixed_peers(const struct object *object, uint32_t array)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	json_open(object->writer, '[');
	for (uint32_t item = jdoc_first(object->doc, array); item;
	     item = jdoc_next(object->doc, item)) {
		g_autofree char *text = NULL;

		if (!is_simple_peer(object, item)) {
			json_item(object->writer);
			write_object(object->canonical, object->source, item, peer_fields);
			continue;
		}
		text = peer_text(object, item);
		if (g_hash_table_contains(seen, text))
			continue;
		json_item(object->writer);
		json_write_string(object->writer, text);
		g_hash_table_add(seen, g_steal_pointer(&text));
	}
	json_close(object->writer, ']');
}

static void write_peers(const struct object *object, uint32_t array)
{
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (uint32_t item = jdoc_first(object->doc, array); item;
	     item = jdoc_next(object->doc, item)) {
		g_autofree char *text = NULL;

		if (!is_simple_peer(object, item)) {
			write_mixed_peers(object, array);
			return;
		}
		text = peer_text(object, item);
		add_once(texts, seen, json_quote(text));
	}
	json_write_scalars(object->writer, texts);
}

static const struct field rule_fields[] = {
	{"id", write_plain, NULL},
	DESCRIPTION,
	LABELS,
	MATCH,
	{"service", write_plain, NULL},
	{"from", write_peers, NULL},
	{"to", write_peers, NULL},
	{0},
};

static void write_rules(const struct object *object, uint32_t node)
{
	write_objects(object, node, rule_fields);
}

/* ------------------------------------------------------------------ objects of sections */

static const struct field group_fields[] = {
	DESCRIPTION,
	LABELS,
	{"external", write_plain, NULL},
	{"ingress", write_rules, NULL},
	{"egress", write_rules, NULL},
	{0},
};

void canonical_write_group(struct canonical *canonical, const struct canonical_source *source,
			   uint32_t node)
{
	write_object(canonical, source, node, group_fields);
}

static const struct field prefix_list_fields[] = {
	DESCRIPTION, LABELS, {"external", write_plain, NULL}, {"entries", write_cidrs, NULL}, {0},
};

void canonical_write_prefix_list(struct canonical *canonical, const struct canonical_source *source,
				 uint32_t node)
{
	write_object(canonical, source, node, prefix_list_fields);
}

static const struct field conntrack_fields[] = {
	DESCRIPTION,
	LABELS,
	{"max_flows", write_plain, NULL},
	{"tcp_established", write_plain, NULL},
	{"udp", write_plain, NULL},
	{"udp_stream", write_plain, NULL},
	{"icmp", write_plain, NULL},
	{"other", write_plain, NULL},
	{0},
};

static void write_conntrack(const struct object *object, uint32_t node)
{
	write_object(object->canonical, object->source, node, conntrack_fields);
}

static const struct field match_fields[] = {
	DESCRIPTION, LABELS, {"alias", write_plain, NULL}, {"mac", write_mac, NULL}, {0},
};

static void write_match(const struct object *object, uint32_t node)
{
	write_object(object->canonical, object->source, node, match_fields);
}

static const struct field interface_fields[] = {
	DESCRIPTION,
	LABELS,
	{"device", write_plain, NULL},
	{"match", write_match, NULL},
	{"host", write_plain, NULL},
	{"mac", write_mac, NULL},
	{"addresses", write_addresses, NULL},
	{"groups", write_plain, NULL},
	{"allowed_addresses", write_cidrs, NULL},
	{"spoof_guard", write_plain, NULL},
	{"vlans", write_vlans, NULL},
	{"hook", write_plain, NULL},
	{"conntrack", write_conntrack, is_empty},
	{0},
};

void canonical_write_interface(struct canonical *canonical, const struct canonical_source *source,
			       uint32_t node)
{
	write_object(canonical, source, node, interface_fields);
}

static const struct field service_rule_fields[] = {DESCRIPTION, LABELS, MATCH, {0}};

static void write_service_rules(const struct object *object, uint32_t node)
{
	write_objects(object, node, service_rule_fields);
}

static const struct field service_fields[] = {
	DESCRIPTION,
	LABELS,
	{"rules", write_service_rules, NULL},
	{0},
};

void canonical_write_service(struct canonical *canonical, const struct canonical_source *source,
			     uint32_t node)
{
	write_object(canonical, source, node, service_fields);
}

static const struct field exempt_fields[] = {
	DESCRIPTION, LABELS, {"address", write_address, NULL}, MATCH, {0},
};

static void write_exempts(const struct object *object, uint32_t node)
{
	write_objects(object, node, exempt_fields);
}

static const struct field network_fields[] = {
	DESCRIPTION,
	LABELS,
	{"peers", write_names, NULL},
	{"exempt", write_exempts, NULL},
	{"conntrack", write_conntrack, is_empty},
	{0},
};

void canonical_write_network(struct canonical *canonical, const struct canonical_source *source,
			     uint32_t node)
{
	write_object(canonical, source, node, network_fields);
}
