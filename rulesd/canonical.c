/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * canonical.c - the one text of a policy: what several files say together, written one way.
 *
 * Members of sections are sorted by id; lists whose order means nothing are sorted and lose
 * repeats; rules, peers, addresses and groups of an interface keep their order, which decides which
 * rule is named and which address is the first. Remarks ("description", "labels", "x-…", "$schema")
 * are kept. There is one document for each value of "network" that the files have, sorted by it;
 * the first one holds the "networks" and "services" of all, which belong to the whole policy.
 */
#include "rulesd/load.h"

#include <string.h>

#include "rulesd/canonical_internal.h"

/* A member of the same object in several documents, for example one group of "groups". */
struct member {
	char *key;
	const struct canonical_source *source;
	uint32_t node;
	char *text; /* canonical, of members that several documents may have */
};

static void member_clear(gpointer data)
{
	struct member *member = data;

	g_free(member->key);
	g_free(member->text);
}

static int is_empty(const struct member *member)
{
	return !jdoc_first(member->source->doc, member->node);
}

static int compare_members(gconstpointer a, gconstpointer b)
{
	const struct member *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	if (order == 0 && x->text)
		order = strcmp(x->text, y->text);
	/* Several files may name a network; only one of them has settings. */
	return order ? order : is_empty(x) - is_empty(y);
}

static char *node_text(const struct jdoc *doc, uint32_t node)
{
	struct json_writer writer = {.out = g_string_new(NULL)};

	json_write_node(&writer, doc, node);
	return g_string_free(writer.out, FALSE);
}

typedef bool member_filter(const char *key);

static bool is_id(const char *key)
{
	return !json_is_annotation(key);
}

static bool is_x_key(const char *key)
{
	return g_str_has_prefix(key, "x-");
}

static bool is_any(const char *key)
{
	(void)key;
	return true;
}

/* NULL collects from the documents themselves. */
static void collect(const struct canonical_source *source, const char *section,
		    member_filter *filter, bool with_text, GArray *members)
{
	uint32_t object =
		section ? jdoc_member(source->doc, JDOC_ROOT, section) : (uint32_t)JDOC_ROOT;

	if (section && !object)
		return;
	for (uint32_t node = jdoc_first(source->doc, object); node;
	     node = jdoc_next(source->doc, node)) {
		struct member member = {.source = source, .node = node};

		member.key = jdoc_key(source->doc, node);
		if (!filter(member.key)) {
			g_free(member.key);
			continue;
		}
		if (with_text)
			member.text = node_text(source->doc, node);
		g_array_append_val(members, member);
	}
}

/* All documents, or those of one network. */
static GArray *collect_all(const struct canonical *canonical, const char *network,
			   const char *section, member_filter *filter, bool with_text)
{
	GArray *members = g_array_new(FALSE, FALSE, sizeof(struct member));

	g_array_set_clear_func(members, member_clear);
	for (guint i = 0; i < canonical->sources->len; i++) {
		const struct canonical_source *source = canonical->sources->pdata[i];

		if (!network || strcmp(source->network, network) == 0)
			collect(source, section, filter, with_text, members);
	}
	g_array_sort(members, compare_members);
	return members;
}

/*
 * Remarks of one name in several files: the one whose text sorts first stays, so that the order of
 * the files does not matter.
 */
static void write_remarks(struct json_writer *writer, const GArray *members)
{
	for (guint i = 0; i < members->len; i++) {
		const struct member *member = &g_array_index(members, struct member, i);

		if (i && strcmp(member[-1].key, member->key) == 0)
			continue;
		json_key(writer, member->key);
		json_write_node(writer, member->source->doc, member->node);
	}
}

/* Sections hold the objects of a network, networks and services those of the policy. */
static void write_section(struct canonical *canonical, const char *network, const char *section,
			  canonical_object_writer *write)
{
	struct json_writer *writer = &canonical->writer;
	g_autoptr(GArray) members = collect_all(canonical, network, section, is_id, false);
	g_autoptr(GArray) remarks =
		collect_all(canonical, network, section, json_is_annotation, true);

	if (members->len + remarks->len == 0)
		return;
	json_key(writer, section);
	json_open(writer, '{');
	for (guint i = 0; i < members->len; i++) {
		const struct member *member = &g_array_index(members, struct member, i);

		if (i && strcmp(member[-1].key, member->key) == 0)
			continue;
		json_key(writer, member->key);
		write(canonical, member->source, member->node);
	}
	write_remarks(writer, remarks);
	json_close(writer, '}');
}

static bool is_schema(const char *key)
{
	return strcmp(key, "$schema") == 0;
}

static bool is_description(const char *key)
{
	return strcmp(key, "description") == 0;
}

static void write_document_remarks(struct canonical *canonical, const char *network,
				   member_filter *filter)
{
	g_autoptr(GArray) members = collect_all(canonical, network, NULL, filter, true);

	write_remarks(&canonical->writer, members);
}

static void write_document_labels(struct canonical *canonical, const char *network)
{
	g_autoptr(GArray) labels = collect_all(canonical, network, "labels", is_any, true);

	if (labels->len == 0)
		return;
	json_key(&canonical->writer, "labels");
	json_open(&canonical->writer, '{');
	write_remarks(&canonical->writer, labels);
	json_close(&canonical->writer, '}');
}

static void write_document(struct canonical *canonical, const char *network, bool is_first)
{
	struct json_writer *writer = &canonical->writer;

	json_open(writer, '{');
	write_document_remarks(canonical, network, is_schema);
	json_key(writer, "version");
	g_string_append_c(writer->out, '1');
	json_key(writer, "network");
	json_write_string(writer, network);
	write_document_remarks(canonical, network, is_description);
	write_document_labels(canonical, network);
	if (is_first) {
		write_section(canonical, NULL, "networks", canonical_write_network);
		write_section(canonical, NULL, "services", canonical_write_service);
	}
	write_section(canonical, network, "prefix_lists", canonical_write_prefix_list);
	write_section(canonical, network, "groups", canonical_write_group);
	write_section(canonical, network, "interfaces", canonical_write_interface);
	write_document_remarks(canonical, network, is_x_key);
	json_close(writer, '}');
	g_string_append_c(writer->out, '\n');
}

static void source_free(gpointer data)
{
	struct canonical_source *source = data;

	jdoc_free(&source->doc);
	g_free(source->network);
	g_free(source);
}

static GPtrArray *parse_sources(const GPtrArray *sources, struct diag *diag)
{
	GPtrArray *parsed = g_ptr_array_new_with_free_func(source_free);

	for (guint i = 0; i < sources->len; i++) {
		const struct load_source *text = sources->pdata[i];
		struct canonical_source *source = g_new0(struct canonical_source, 1);
		uint32_t network;

		source->doc = jdoc_parse(text->name, text->text, text->length, diag);
		g_assert(source->doc); /* load_policy read it */
		network = jdoc_member(source->doc, JDOC_ROOT, "network");
		source->network = network ? jdoc_string(source->doc, network)
					  : g_strdup(MODEL_DEFAULT_NETWORK);
		g_ptr_array_add(parsed, source);
	}
	return parsed;
}

/* "groups", "labels" and the like, which the canonical form leaves out when they are empty. */
static bool is_section(const struct jdoc *doc, uint32_t node)
{
	g_autofree char *key = jdoc_key(doc, node);

	return jdoc_kind(doc, node) == JDOC_OBJECT && !json_is_annotation(key);
}

/* A document that says nothing of its own: the default network exists anyway. */
static bool is_idle(const struct canonical_source *source)
{
	static const char *const elsewhere[] = {"version", "network", "networks", "services"};

	for (uint32_t node = jdoc_first(source->doc, JDOC_ROOT); node;
	     node = jdoc_next(source->doc, node)) {
		bool counts = true;

		for (unsigned int i = 0; i < G_N_ELEMENTS(elsewhere); i++)
			if (jdoc_key_is(source->doc, node, elsewhere[i]))
				counts = false;
		/* An empty section says nothing, a remark does even when it is empty. */
		if (counts && (!is_section(source->doc, node) || jdoc_first(source->doc, node)))
			return false;
	}
	return strcmp(source->network, MODEL_DEFAULT_NETWORK) == 0;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Networks that get a document, sorted, at least one. */
static GPtrArray *document_networks(const GPtrArray *sources)
{
	GPtrArray *names = g_ptr_array_new();

	for (guint i = 0; i < sources->len; i++) {
		const struct canonical_source *source = sources->pdata[i];

		if (!is_idle(source) &&
		    !g_ptr_array_find_with_equal_func(names, source->network, g_str_equal, NULL))
			g_ptr_array_add(names, source->network);
	}
	if (names->len == 0) {
		static char default_network[] = MODEL_DEFAULT_NETWORK;

		g_ptr_array_add(names, default_network);
	}
	g_ptr_array_sort(names, compare_names);
	return names;
}

char *load_canonical(const GPtrArray *sources)
{
	struct diag *diag = diag_new();
	g_autoptr(GPtrArray) parsed = parse_sources(sources, diag);
	g_autoptr(GPtrArray) networks = document_networks(parsed);
	struct canonical canonical = {
		.writer = {.out = g_string_new(NULL)},
		.sources = parsed,
		.diag = diag,
	};

	for (guint i = 0; i < networks->len; i++)
		write_document(&canonical, networks->pdata[i], i == 0);
	diag_free(&diag);
	return g_string_free(canonical.writer.out, FALSE);
}

void load_sha256(const GPtrArray *sources, char hex[65])
{
	g_autofree char *text = load_canonical(sources);
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);

	g_strlcpy(hex, digest, 65);
}
