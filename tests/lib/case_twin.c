/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * case_twin.c - see case_twin.h.
 */
#include "tests/lib/case_twin.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"

/* ------------------------------------------------------------------ a frame as fields */

/* "10.0.0.9:4000", "[fd00::9]:4000" or an address alone; *port is "" without one. */
static void split_endpoint(const char *text, char **address, char **port)
{
	const char *colon = strrchr(text, ':');

	if (*text == '[') {
		*address = g_strndup(text + 1, strcspn(text, "]") - 1);
		*port = g_strdup(colon + 1);
	} else if (colon && strchr(text, ':') == colon) {
		*address = g_strndup(text, (gsize)(colon - text));
		*port = g_strdup(colon + 1);
	} else {
		*address = g_strdup(text);
		*port = g_strdup("");
	}
}

static void set(GHashTable *fields, const char *prefix, const char *name, char *value)
{
	char *key = g_strconcat(prefix, name, NULL);

	while (g_hash_table_contains(fields, key)) { /* vlan=7 vlan=8 */
		char *next = g_strconcat(key, "+", NULL);

		g_free(key);
		key = next;
	}
	g_hash_table_insert(fields, key, value);
}

static bool is_flags(const char *word)
{
	return strcmp(word, "-") == 0 || strspn(word, "SAFRPUEC") == strlen(word);
}

/* A packet between two IPv4-mapped addresses is one of IPv4 whose form is one field more. */
static void see_mapped(GHashTable *fields)
{
	static const char *const ends[] = {"src", "dst"};

	for (unsigned int i = 0; i < 2; i++)
		if (!g_str_has_prefix(g_hash_table_lookup(fields, ends[i]) ?: "", "::ffff:"))
			return;
	for (unsigned int i = 0; i < 2; i++)
		g_hash_table_replace(
			fields, g_strdup(ends[i]),
			g_strdup((const char *)g_hash_table_lookup(fields, ends[i]) + 7));
	g_hash_table_insert(fields, g_strdup("mapped"), g_strdup("yes"));
}

static GHashTable *frame_fields(const char *text)
{
	GHashTable *fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_auto(GStrv) words = g_strsplit_set(text, " \t", -1);
	const char *prefix = "";
	unsigned int place = 0; /* protocol, source, ">", destination, words */

	for (char **word = words; *word; word++) {
		const char *equals = strchr(*word, '=');

		if (!**word || strcmp(*word, ">") == 0 || strcmp(*word, "}") == 0)
			continue;
		if (strcmp(*word, "{") == 0) {
			prefix = "inner ";
			place = 0;
		} else if (place == 0) {
			set(fields, prefix, "protocol", g_strdup(*word));
			place = strcmp(*word, "eth") == 0 ? 3 : 1;
		} else if (place < 3) {
			char *address = NULL, *port = NULL;

			split_endpoint(*word, &address, &port);
			set(fields, prefix, place == 1 ? "src" : "dst", address);
			set(fields, prefix, place == 1 ? "sport" : "dport", port);
			place++;
		} else if (equals) {
			g_autofree char *name = g_strndup(*word, (gsize)(equals - *word));

			set(fields, prefix, name, g_strdup(equals + 1));
		} else {
			set(fields, prefix, is_flags(*word) ? "flags" : *word, g_strdup(*word));
		}
	}
	see_mapped(fields);
	return fields;
}

unsigned int case_frames_differ(const char *a, const char *b)
{
	g_autoptr(GHashTable) one = frame_fields(a), other = frame_fields(b);
	unsigned int count = 0;
	GHashTableIter each;
	gpointer key, value;
	bool flags = g_strcmp0(g_hash_table_lookup(one, "flags"),
			       g_hash_table_lookup(other, "flags")) != 0;

	g_hash_table_iter_init(&each, one);
	while (g_hash_table_iter_next(&each, &key, &value))
		if (g_strcmp0(g_hash_table_lookup(other, key), value) != 0 &&
		    !(flags && strcmp(key, "ack") == 0))
			count++;
	g_hash_table_iter_init(&each, other);
	while (g_hash_table_iter_next(&each, &key, &value))
		if (!g_hash_table_contains(one, key) && !(flags && strcmp(key, "ack") == 0))
			count++;
	return count;
}

/* ------------------------------------------------------------------ a case as one text */

static const char *kind_of_v4(const uint8_t *b)
{
	if (b[0] == 0)
		return b[1] || b[2] || b[3] ? "this-network" : "unspecified";
	if (b[0] == 127)
		return "loopback";
	if (b[0] == 255)
		return "broadcast";
	if (b[0] >= 240)
		return "reserved";
	if (b[0] >= 224)
		return "multicast";
	if (b[0] == 169 && b[1] == 254)
		return "link-local";
	return b[0] == 10 && b[3] != 255 && b[3] ? "host" : "elsewhere";
}

static const char *kind_of_v6(const uint8_t *b)
{
	static const uint8_t zeros[16], mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (memcmp(b, zeros, 12) == 0)
		return b[15] == 1 ? "loopback6" : b[15] ? "compatible6" : "unspecified6";
	if (memcmp(b, mapped, 12) == 0)
		return "mapped6";
	if (b[0] == 0xff)
		return "multicast6";
	if (b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
		return b[11] == 0xff && b[12] == 0xfe ? "link-local-of-mac6" : "link-local6";
	return b[0] == 0xfd ? "host6" : "elsewhere6";
}

static const char *kind_of(const char *address)
{
	uint8_t b[16];

	if (inet_pton(AF_INET6, address, b) == 1)
		return kind_of_v6(b);
	return inet_pton(AF_INET, address, b) == 1 ? kind_of_v4(b) : address;
}

/* Ports that decide: none at all, zero, DHCP and DHCPv6. */
static bool port_means_something(const char *port)
{
	static const char *const known[] = {"", "0", "67", "68", "546", "547"};

	for (unsigned int i = 0; i < G_N_ELEMENTS(known); i++)
		if (strcmp(port, known[i]) == 0)
			return true;
	return false;
}

/* Its number in order of appearance. */
static unsigned int number_of(GHashTable *seen, const char *value)
{
	if (!g_hash_table_contains(seen, value))
		g_hash_table_insert(seen, g_strdup(value),
				    GUINT_TO_POINTER(g_hash_table_size(seen) + 1));
	return GPOINTER_TO_UINT(g_hash_table_lookup(seen, value));
}

static gint by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(a, b);
}

static void append_frame(GString *out, GHashTable *seen, const char *frame)
{
	g_autoptr(GHashTable) fields = frame_fields(frame);
	g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(fields), by_text);

	for (GList *key = keys; key; key = key->next) {
		const char *name = key->data, *value = g_hash_table_lookup(fields, name);
		const char *last = strrchr(name, ' ') ? strrchr(name, ' ') + 1 : name;

		if (strcmp(last, "src") == 0 || strcmp(last, "dst") == 0 ||
		    strcmp(last, "target") == 0 || strcmp(last, "group") == 0)
			g_string_append_printf(out, " %s=%s%u", name, kind_of(value),
					       number_of(seen, value));
		else if (g_str_has_suffix(last, "port") && !port_means_something(value))
			g_string_append_printf(out, " %s=port%u", name, number_of(seen, value));
		else if (strcmp(last, "ipid") == 0)
			g_string_append_printf(out, " ipid%u", number_of(seen, value));
		else
			g_string_append_printf(out, " %s=%s", name, value);
	}
}

/* A policy without its numbers, so that no port or address in it makes a difference. */
static void append_policy(GString *out, const char *json)
{
	for (const char *at = json ? json : ""; *at; at++)
		if (!g_ascii_isspace(*at) && !g_ascii_isdigit(*at))
			g_string_append_c(out, *at);
}

char *case_canonical(const struct case_list *list, const struct prog_case *test)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GString *out = g_string_new(NULL);

	for (unsigned int i = 0; i < test->lines->len; i++) {
		const struct case_line *line = g_ptr_array_index(test->lines, i);
		bool sends = g_str_has_prefix(line->text, "out ");
		struct case_packet packet;

		if (sends || g_str_has_prefix(line->text, "in ")) {
			if (!case_packet_read(line->text + (sends ? 4 : 3), &packet))
				fail_msg("%s:%u: no packet", list->file, line->number);
			g_string_append(out, sends ? "out" : "in");
			append_frame(out, seen, packet.frame);
			g_string_append_printf(out, " -> %s %s", packet.reason,
					       packet.state ? packet.state : "");
			case_packet_clear(&packet);
		} else {
			g_auto(GStrv) words = g_strsplit(line->text, " ", 3);

			g_string_append(out, line->text);
			if (words[1] &&
			    (strcmp(words[0], "with") == 0 || strcmp(words[0], "change") == 0)) {
				g_string_truncate(out, out->len - strlen(line->text));
				g_string_append_printf(out, "%s %s ", words[0],
						       words[2] ? words[2] : "");
				append_policy(out, case_policy_find(list, words[1]));
			}
		}
		g_string_append_c(out, '\n');
	}
	return g_string_free(out, FALSE);
}
