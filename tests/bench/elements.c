/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * elements.c - see elements.h.
 */
#include "tests/bench/elements.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "tests/lib/command.h"

#define FIRST_MEMBER 0x0a000100u
#define FIRST_JOINER 0x0b000001u
#define ENTRIES	     240 /* that change in turn: 192.168.N.0/24 */
#define CHANGED_PORT 20000u

static void add_address(GString *text, const char *before, unsigned int address)
{
	g_string_append_printf(text, "%s%u.%u.%u.%u", before, address >> 24, address >> 16 & 255,
			       address >> 8 & 255, address & 255);
}

static char *joiner(unsigned int number)
{
	unsigned int address = FIRST_JOINER + number;

	return g_strdup_printf("%u.%u.%u.%u", address >> 24, address >> 16 & 255,
			       address >> 8 & 255, address & 255);
}

static char *entry(unsigned int number)
{
	return g_strdup_printf("192.168.%u.0/24", number % ENTRIES);
}

static bool succeeds(const char *first, ...) G_GNUC_NULL_TERMINATED;
static bool succeeds(const char *first, ...)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	AUTO_COMMAND struct command command = {0};
	va_list words;

	va_start(words, first);
	for (const char *word = first; word; word = va_arg(words, const char *))
		g_ptr_array_add(argv, (gpointer)(uintptr_t)word);
	va_end(words);
	g_ptr_array_add(argv, NULL);
	command = command_run((const char *const *)argv->pdata);
	return command.status == 0;
}

/* ------------------------------------------------------------------ nft */

static char *nft_text(unsigned int members, unsigned int entries)
{
	GString *text = g_string_new("table ip bench {\n set members {\n  type ipv4_addr\n"
				     "  elements = { ");

	for (unsigned int i = 0; i < members; i++)
		add_address(text, i ? ", " : "", FIRST_MEMBER + i);
	g_string_append(text, " }\n }\n set prefixes {\n  type ipv4_addr; flags interval\n"
			      "  elements = { 192.168.239.0/24");
	for (unsigned int e = 1; e < entries; e++)
		g_string_append_printf(text, ", 100.%u.%u.0/24", e >> 8, e & 255);
	g_string_append(text, " }\n }\n chain vm {\n  ip saddr @members tcp dport 1001 accept\n"
			      "  ip saddr @prefixes tcp dport 1000 accept\n }\n"
			      " chain forward {\n  type filter hook forward priority 0\n"
			      "  jump vm\n }\n}\n");
	return g_string_free(text, FALSE);
}

static void nft_load(const char *path)
{
	command_check("nft", "-f", path, NULL);
}

static void nft_join(unsigned int number)
{
	g_autofree char *address = joiner(number);
	g_autofree char *line = g_strdup_printf("add element ip bench members { %s }", address);

	command_check("nft", line, NULL);
}

static void nft_leave(unsigned int number)
{
	g_autofree char *address = joiner(number);
	g_autofree char *line = g_strdup_printf("delete element ip bench members { %s }", address);

	command_check("nft", line, NULL);
}

/* The rules of one VM again, one of them with another port. */
static void nft_rule(unsigned int number)
{
	g_autofree char *lines =
		g_strdup_printf("flush chain ip bench vm; "
				"add rule ip bench vm ip saddr @members tcp dport 1001 accept; "
				"add rule ip bench vm ip saddr @prefixes tcp dport 1000 accept; "
				"add rule ip bench vm ip saddr 12.0.0.0/8 tcp dport %u accept",
				CHANGED_PORT + number);

	command_check("nft", lines, NULL);
}

static void nft_entry(unsigned int number)
{
	g_autofree char *old = entry(number + ENTRIES - 1), *new = entry(number);
	g_autofree char *lines = g_strdup_printf("delete element ip bench prefixes { %s }; "
						 "add element ip bench prefixes { %s }",
						 old, new);

	command_check("nft", lines, NULL);
}

static bool nft_holds(enum elements_change change, unsigned int number)
{
	g_autofree char *address = joiner(number), *prefix = entry(number);
	g_autofree char *element = g_strdup_printf("{ %s }", address);
	g_autofree char *list_element = g_strdup_printf("{ %s }", prefix);
	g_autofree char *port = g_strdup_printf("dport %u accept", CHANGED_PORT + number);
	const char *const chain[] = {"nft", "list", "chain", "ip", "bench", "vm", NULL};
	AUTO_COMMAND struct command rules = {0};

	switch (change) {
	case ELEMENTS_RULE:
		rules = command_run(chain);
		return rules.status == 0 && strstr(rules.out, port);
	case ELEMENTS_ENTRY:
		return succeeds("nft", "get", "element", "ip", "bench", "prefixes", list_element,
				NULL);
	default:
		return succeeds("nft", "get", "element", "ip", "bench", "members", element, NULL) ==
		       (change == ELEMENTS_JOIN);
	}
}

static void nft_clear(void)
{
	command_check("nft", "delete", "table", "ip", "bench", NULL);
}

const struct elements elements_nft = {
	"nft", nft_text, nft_load, {nft_join, nft_leave, nft_rule, nft_entry}, nft_holds, nft_clear,
};

/* ------------------------------------------------------------------ ipset */

static char *ipset_text(unsigned int members, unsigned int entries)
{
	GString *text = g_string_new(NULL);

	g_string_append_printf(text,
			       "create members hash:ip maxelem %u hashsize %u\n"
			       "create list hash:net maxelem %u\n",
			       members + 1000, members, entries + 1000);
	for (unsigned int i = 0; i < members; i++) {
		add_address(text, "add members ", FIRST_MEMBER + i);
		g_string_append_c(text, '\n');
	}
	g_string_append(text, "add list 192.168.239.0/24\n");
	for (unsigned int e = 1; e < entries; e++)
		g_string_append_printf(text, "add list 100.%u.%u.0/24\n", e >> 8, e & 255);
	return g_string_free(text, FALSE);
}

static void ipset_load(const char *path)
{
	command_check("ipset", "restore", "-file", path, NULL);
}

static void ipset_join(unsigned int number)
{
	g_autofree char *address = joiner(number);

	command_check("ipset", "add", "members", address, NULL);
}

static void ipset_leave(unsigned int number)
{
	g_autofree char *address = joiner(number);

	command_check("ipset", "del", "members", address, NULL);
}

static void ipset_entry(unsigned int number)
{
	g_autofree char *old = entry(number + ENTRIES - 1), *new = entry(number);

	command_check("ipset", "del", "list", old, NULL);
	command_check("ipset", "add", "list", new, NULL);
}

static bool ipset_holds(enum elements_change change, unsigned int number)
{
	g_autofree char *address = joiner(number), *prefix = entry(number);

	if (change == ELEMENTS_ENTRY)
		return succeeds("ipset", "test", "list", prefix, NULL);
	return succeeds("ipset", "test", "members", address, NULL) == (change == ELEMENTS_JOIN);
}

static void ipset_clear(void)
{
	command_check("ipset", "destroy", NULL);
}

/* A rule is iptables' to change. */
const struct elements elements_ipset = {
	"ipset",     ipset_text,  ipset_load, {ipset_join, ipset_leave, NULL, ipset_entry},
	ipset_holds, ipset_clear,
};
