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

/* Networks and services belong to the whole policy. The caller frees it. */
static char *patched_key(const char *section, const char *network, const char *id)
{
	bool whole = strcmp(section, "networks") == 0 || strcmp(section, "services") == 0;

	return g_strdup_printf("%s %s %s", section, whole ? "" : network, id);
}

static bool is_patched(const struct canonical *canonical, const char *section,
		       const struct canonical_source *source, const char *id)
{
	g_autofree char *key = NULL;

	if (!g_hash_table_size(canonical->patched))
		return false;
	key = patched_key(section, source->network, id);
	return g_hash_table_contains(canonical->patched, key);
}

/* NULL collects from the documents themselves. */
static void collect(const struct canonical *canonical, const struct canonical_source *source,
		    const char *section, member_filter *filter, bool with_text, GArray *members)
{
	uint32_t object =
		section ? jdoc_member(source->doc, JDOC_ROOT, section) : (uint32_t)JDOC_ROOT;

	if (section && !object)
		return;
	for (uint32_t node = jdoc_first(source->doc, object); node;
	     node = jdoc_next(source->doc, node)) {
		struct member member = {.source = source, .node = node};

		member.key = jdoc_key(source->doc, node);
		if (!filter(member.key) ||
		    (section && is_patched(canonical, section, source, member.key))) {
			g_free(member.key);
			continue;
		}
		if (with_text)
			member.text = node_text(source->doc, node);
		g_array_append_val(members, member);
	}
}

/* What patches put into a section. */
static void collect_patched(const struct canonical *canonical, const char *network,
			    const char *section, GArray *members)
{
	g_autofree char *prefix = patched_key(section, network, "");
	GHashTableIter iter;
	gpointer key, value;

	g_hash_table_iter_init(&iter, canonical->patched);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		const struct canonical_patched *patched = value;
		struct member member = {.source = patched->source, .node = patched->node};

		if (!g_str_has_prefix(key, prefix) ||
		    jdoc_kind(patched->source->doc, patched->node) == JDOC_NULL)
			continue;
		member.key = jdoc_key(patched->source->doc, patched->node);
		g_array_append_val(members, member);
	}
}

static bool is_sorted(const GArray *members)
{
	for (guint i = 1; i < members->len; i++)
		if (compare_members(&g_array_index(members, struct member, i - 1),
				    &g_array_index(members, struct member, i)) > 0)
			return false;
	return true;
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
			collect(canonical, source, section, filter, with_text, members);
	}
	if (section && filter == is_id)
		collect_patched(canonical, network ? network : "", section, members);
	/* Most policies are written by programs, in order. */
	if (!is_sorted(members))
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

#define FLUSH_BYTES (1u << 20)

/* What is written goes into the digest: a text of a million members need not be held. */
static void flush(struct canonical *canonical, size_t more_than)
{
	GString *out = canonical->writer.out;

	if (!canonical->digest || out->len <= more_than)
		return;
	g_checksum_update(canonical->digest, (const guchar *)out->str, (gssize)out->len);
	g_string_truncate(out, 0);
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
		flush(canonical, FLUSH_BYTES);
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

/* Whether a section has anything that no patch took away. */
static bool has_members(const struct canonical *canonical, const struct canonical_source *source,
			uint32_t section)
{
	g_autofree char *name = jdoc_key(source->doc, section);

	for (uint32_t node = jdoc_first(source->doc, section); node;
	     node = jdoc_next(source->doc, node)) {
		g_autofree char *id = jdoc_key(source->doc, node);

		if (!is_patched(canonical, name, source, id))
			return true;
	}
	return false;
}

/* A document that says nothing of its own: the default network exists anyway. */
static bool is_idle(const struct canonical *canonical, const struct canonical_source *source)
{
	static const char *const elsewhere[] = {"version", "network", "networks", "services"};

	for (uint32_t node = jdoc_first(source->doc, JDOC_ROOT); node;
	     node = jdoc_next(source->doc, node)) {
		bool counts = true;

		for (unsigned int i = 0; i < G_N_ELEMENTS(elsewhere); i++)
			if (jdoc_key_is(source->doc, node, elsewhere[i]))
				counts = false;
		/* An empty section says nothing, a remark does even when it is empty. */
		if (counts &&
		    (!is_section(source->doc, node) || has_members(canonical, source, node)))
			return false;
	}
	return strcmp(source->network, MODEL_DEFAULT_NETWORK) == 0;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_name(GPtrArray *names, const char *name)
{
	if (!g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
		g_ptr_array_add(names, (gpointer)(uintptr_t)name);
}

/* A patch that names a network makes it; null under "networks" takes it away again. */
static void patch_names(GPtrArray *names, const struct canonical_source *patch)
{
	uint32_t networks = jdoc_member(patch->doc, JDOC_ROOT, "networks");

	if (strcmp(patch->network, MODEL_DEFAULT_NETWORK) != 0)
		add_name(names, patch->network);
	for (uint32_t node = networks ? jdoc_first(patch->doc, networks) : 0; node;
	     node = jdoc_next(patch->doc, node)) {
		g_autofree char *name = jdoc_key(patch->doc, node);
		guint index;

		if (jdoc_kind(patch->doc, node) == JDOC_NULL &&
		    g_ptr_array_find_with_equal_func(names, name, g_str_equal, &index))
			g_ptr_array_remove_index(names, index);
	}
}

/* Whether patches leave something in the default network. */
static bool is_default_patched(const struct canonical *canonical)
{
	GHashTableIter iter;
	gpointer key, value;

	g_hash_table_iter_init(&iter, canonical->patched);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		const struct canonical_patched *patched = value;

		if (jdoc_kind(patched->source->doc, patched->node) != JDOC_NULL &&
		    !g_str_has_prefix(key, "networks ") && !g_str_has_prefix(key, "services ") &&
		    strcmp(patched->source->network, MODEL_DEFAULT_NETWORK) == 0)
			return true;
	}
	return false;
}

/* Networks that get a document, sorted, at least one. */
static GPtrArray *document_networks(const struct canonical *canonical, const GPtrArray *patches)
{
	GPtrArray *names = g_ptr_array_new();

	for (guint i = 0; i < canonical->sources->len; i++) {
		const struct canonical_source *source = canonical->sources->pdata[i];

		if (!is_idle(canonical, source))
			add_name(names, source->network);
	}
	for (guint i = 0; i < patches->len; i++)
		patch_names(names, patches->pdata[i]);
	if (names->len == 0 || is_default_patched(canonical))
		add_name(names, MODEL_DEFAULT_NETWORK);
	g_ptr_array_sort(names, compare_names);
	return names;
}

static void note_section(struct canonical *canonical, const struct canonical_source *patch,
			 const char *section)
{
	uint32_t object = jdoc_member(patch->doc, JDOC_ROOT, section);

	for (uint32_t node = object ? jdoc_first(patch->doc, object) : 0; node;
	     node = jdoc_next(patch->doc, node)) {
		g_autofree char *id = jdoc_key(patch->doc, node);
		const struct canonical_patched patched = {patch, node};

		g_hash_table_replace(canonical->patched, patched_key(section, patch->network, id),
				     g_memdup2(&patched, sizeof(patched)));
	}
}

/* In the order of the patches: the last one counts. */
static void note_patches(struct canonical *canonical, const GPtrArray *patches)
{
	static const char *const sections[] = {"networks", "services", "prefix_lists", "groups",
					       "interfaces"};

	for (guint i = 0; i < patches->len; i++)
		for (unsigned int j = 0; j < G_N_ELEMENTS(sections); j++)
			note_section(canonical, patches->pdata[i], sections[j]);
}

/* The text, or what of it the digest has not taken; the caller frees it. */
static char *write_all(const GPtrArray *sources, const GPtrArray *patches, GChecksum *digest)
{
	struct diag *diag = diag_new();
	g_autoptr(GPtrArray) parsed = parse_sources(sources, diag);
	g_autoptr(GPtrArray) parsed_patches =
		patches ? parse_sources(patches, diag) : g_ptr_array_new();
	g_autoptr(GHashTable) patched =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(GPtrArray) networks = NULL;
	struct canonical canonical = {
		.writer = {.out = g_string_new(NULL)},
		.digest = digest,
		.sources = parsed,
		.patched = patched,
		.diag = diag,
	};

	note_patches(&canonical, parsed_patches);
	networks = document_networks(&canonical, parsed_patches);
	for (guint i = 0; i < networks->len; i++)
		write_document(&canonical, networks->pdata[i], i == 0);
	flush(&canonical, 0);
	diag_free(&diag);
	return g_string_free(canonical.writer.out, FALSE);
}

char *load_canonical_patched(const GPtrArray *sources, const GPtrArray *patches)
{
	return write_all(sources, patches, NULL);
}

char *load_canonical(const GPtrArray *sources)
{
	return load_canonical_patched(sources, NULL);
}

void load_sha256_patched(const GPtrArray *sources, const GPtrArray *patches, char hex[65])
{
	g_autoptr(GChecksum) digest = g_checksum_new(G_CHECKSUM_SHA256);
	g_autofree char *rest = write_all(sources, patches, digest);

	g_strlcpy(hex, g_checksum_get_string(digest), 65);
}

void load_sha256(const GPtrArray *sources, char hex[65])
{
	load_sha256_patched(sources, NULL, hex);
}
