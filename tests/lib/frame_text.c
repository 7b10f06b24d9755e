/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame_text.c - reads the one-line description of a frame (frame.h) into a struct frame_spec.
 */
#include "tests/lib/frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"

/* What the first word stands for. */
static const struct frame_kind {
	const char *name;
	enum frame_body body;
	uint8_t protocol;
	uint8_t type;
	uint8_t ttl;
} kinds[] = {
	{"tcp", FRAME_TCP, IPPROTO_TCP, 0, 64},
	{"udp", FRAME_UDP, IPPROTO_UDP, 0, 64},
	{"sctp", FRAME_SCTP, IPPROTO_SCTP, 0, 64},
	{"icmp", FRAME_ICMP, IPPROTO_ICMP, 8, 64},
	{"icmp6", FRAME_ICMP, IPPROTO_ICMPV6, 128, 64},
	{"rs", FRAME_ND, IPPROTO_ICMPV6, 133, 255},
	{"ra", FRAME_ND, IPPROTO_ICMPV6, 134, 255},
	{"ns", FRAME_ND, IPPROTO_ICMPV6, 135, 255},
	{"na", FRAME_ND, IPPROTO_ICMPV6, 136, 255},
	{"redirect", FRAME_ND, IPPROTO_ICMPV6, 137, 255},
	{"mld", FRAME_MLD, IPPROTO_ICMPV6, 143, 1},
	{"dhcp", FRAME_DHCP, IPPROTO_UDP, 1, 64},
	{"dhcp6", FRAME_DHCP6, IPPROTO_UDP, 1, 64},
	{"arp", FRAME_ARP, 0, 0, 0},
	{"eth", FRAME_ETH, 0, 0, 0},
};

enum value_kind { VALUE_U8, VALUE_U16, VALUE_U32, VALUE_INT, VALUE_SIZE, VALUE_MAC, VALUE_ADDR };

static const struct key {
	const char *name;
	enum value_kind kind;
	size_t offset;
} keys[] = {
#define KEY(name, kind, field)                                 \
	{                                                      \
		name, kind, offsetof(struct frame_spec, field) \
	}
	KEY("smac", VALUE_MAC, smac),
	KEY("dmac", VALUE_MAC, dmac),
	KEY("sha", VALUE_MAC, sha),
	KEY("tha", VALUE_MAC, tha),
	KEY("ethertype", VALUE_INT, ethertype),
	KEY("cut", VALUE_SIZE, cut),
	KEY("pad", VALUE_SIZE, pad),
	KEY("len", VALUE_SIZE, len),
	KEY("ttl", VALUE_U8, ttl),
	KEY("ipid", VALUE_U16, ipid),
	KEY("opts", VALUE_U32, option_words),
	KEY("seq", VALUE_U32, seq),
	KEY("ack", VALUE_U32, ack),
	KEY("win", VALUE_U16, win),
	KEY("chunk", VALUE_U8, chunk),
	KEY("cflags", VALUE_U8, chunk_flags),
	KEY("tag", VALUE_U32, tag),
	KEY("itag", VALUE_U32, init_tag),
	KEY("ws", VALUE_INT, ws),
	KEY("mss", VALUE_INT, mss),
	KEY("type", VALUE_U8, type),
	KEY("code", VALUE_U8, code),
	KEY("id", VALUE_U16, id),
	KEY("mtu", VALUE_U16, mtu),
	KEY("target", VALUE_ADDR, target),
	KEY("group", VALUE_ADDR, target),
	KEY("op", VALUE_U16, arp_op),
	KEY("ver", VALUE_INT, ver),
	KEY("ihl", VALUE_INT, ihl),
	KEY("tot", VALUE_INT, tot),
	KEY("doff", VALUE_INT, doff),
	KEY("udplen", VALUE_INT, udplen),
	KEY("htype", VALUE_INT, htype),
	KEY("hlen", VALUE_INT, hlen),
	KEY("plen", VALUE_INT, plen),
#undef KEY
};

void frame_spec_free(struct frame_spec **spec)
{
	if (!*spec)
		return;
	frame_spec_free(&(*spec)->inner);
	g_clear_pointer(spec, g_free);
}

/* ------------------------------------------------------------------ values */

static int parse_number(const char *text, uint64_t highest, uint64_t *value)
{
	g_autofree char *copy = g_strdup(text);
	char *end = NULL;
	guint64 number;

	errno = 0;
	number = g_ascii_strtoull(copy, &end, 0);
	if (errno || end == copy || *end || number > highest)
		return -EINVAL;
	*value = number;
	return 0;
}

/* A MAC, or N for 52:54:00:00:00:N; any MAC, also those that no interface may have. */
static int parse_mac(const char *text, uint8_t mac[6])
{
	unsigned int part[6];
	uint64_t last;
	char after;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &part[0], &part[1], &part[2], &part[3],
		   &part[4], &part[5], &after) == 6) {
		for (unsigned int i = 0; i < 6; i++)
			mac[i] = (uint8_t)part[i];
		return 0;
	}
	if (parse_number(text, 255, &last) < 0)
		return -EINVAL;
	memcpy(mac, (const uint8_t[]){0x52, 0x54, 0, 0, 0, (uint8_t)last}, 6);
	return 0;
}

static int store_value(struct frame_spec *spec, const struct key *key, const char *text)
{
	static const uint64_t highest[] = {
		[VALUE_U8] = UINT8_MAX,	  [VALUE_U16] = UINT16_MAX,  [VALUE_U32] = UINT32_MAX,
		[VALUE_INT] = UINT16_MAX, [VALUE_SIZE] = FRAME_ROOM,
	};
	void *at = (char *)spec + key->offset;
	uint64_t value = 0;

	if (key->kind == VALUE_MAC)
		return parse_mac(text, at);
	if (key->kind == VALUE_ADDR)
		return inet_pton(AF_INET6, text, at) == 1 ? 0 : -EINVAL;
	if (parse_number(text, highest[key->kind], &value) < 0)
		return -EINVAL;
	if (key->kind == VALUE_U8)
		*(uint8_t *)at = (uint8_t)value;
	else if (key->kind == VALUE_U16)
		*(uint16_t *)at = (uint16_t)value;
	else if (key->kind == VALUE_U32)
		*(uint32_t *)at = (uint32_t)value;
	else if (key->kind == VALUE_INT)
		*(int *)at = (int)value;
	else
		*(size_t *)at = (size_t)value;
	return 0;
}

/* "A", "A4:PORT", "A6", "[A6]:PORT" */
static int parse_endpoint(const char *text, struct sg_addr *addr, bool *v6, uint16_t *port)
{
	g_autofree char *host = NULL;
	const char *port_text = NULL;
	uint64_t number = 0;

	if (*text == '[') {
		const char *end = strchr(text, ']');

		if (!end || end[1] != ':')
			return -EINVAL;
		host = g_strndup(text + 1, (gsize)(end - text - 1));
		port_text = end + 2;
	} else if (strchr(text, ':') && strchr(text, ':') == strrchr(text, ':')) {
		port_text = strchr(text, ':') + 1;
		host = g_strndup(text, (gsize)(port_text - 1 - text));
	} else {
		host = g_strdup(text);
	}
	/* Not addr_parse: tests also send what no policy may name, as IPv4-mapped IPv6. */
	*v6 = inet_pton(AF_INET6, host, addr->b) == 1;
	if (!*v6) {
		memset(addr->b, 0, 10);
		memset(addr->b + 10, 0xff, 2);
		if (inet_pton(AF_INET, host, addr->b + 12) != 1)
			return -EINVAL;
	}
	if (port_text) {
		if (parse_number(port_text, UINT16_MAX, &number) < 0)
			return -EINVAL;
		*port = (uint16_t)number;
	}
	return 0;
}

/* ------------------------------------------------------------------ what follows from the rest */

static bool mac_is_unset(const uint8_t mac[6])
{
	return memcmp(mac, (const uint8_t[6]){0}, 6) == 0;
}

static void mac_of_address(const struct sg_addr *addr, bool v6, uint8_t mac[6])
{
	bool v4 = !v6;
	bool unspecified = addr->b[15] == 0 && addr->b[14] == 0;

	if (v4 && memcmp(addr->b + 12, "\xff\xff\xff\xff", 4) == 0) {
		memset(mac, 0xff, 6);
	} else if (v4 && addr->b[12] >> 4 == 14) {
		memcpy(mac, (const uint8_t[]){1, 0, 0x5e}, 3);
		mac[3] = addr->b[13] & 0x7f;
		memcpy(mac + 4, addr->b + 14, 2);
	} else if (!v4 && addr->b[0] == 0xff) {
		memset(mac, 0x33, 2);
		memcpy(mac + 2, addr->b + 12, 4);
	} else {
		memcpy(mac, (const uint8_t[]){0x52, 0x54, 0, 0, 0, unspecified ? 5 : addr->b[15]},
		       6);
	}
}

static void derive(struct frame_spec *spec)
{
	static const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};

	if (mac_is_unset(spec->smac))
		mac_of_address(&spec->src, spec->v6, spec->smac);
	if (mac_is_unset(spec->dmac)) {
		if (spec->body == FRAME_ARP && spec->arp_op == 1)
			memcpy(spec->dmac, broadcast, 6);
		else
			mac_of_address(&spec->dst, spec->v6, spec->dmac);
	}
	if (mac_is_unset(spec->sha))
		memcpy(spec->sha, spec->smac, 6);
	if (mac_is_unset(spec->tha) && spec->body == FRAME_ARP && spec->arp_op != 1)
		memcpy(spec->tha, spec->dmac, 6);
	if (spec->body == FRAME_DHCP) {
		bool reply = spec->type == 2 || spec->type == 5 || spec->type == 6;

		spec->sport = spec->sport ? spec->sport : (reply ? 67 : 68);
		spec->dport = spec->dport ? spec->dport : (reply ? 68 : 67);
	}
	if (spec->body == FRAME_DHCP6) {
		bool reply = spec->type == 2 || spec->type == 7;

		spec->sport = spec->sport ? spec->sport : (reply ? 547 : 546);
		spec->dport = spec->dport ? spec->dport : (reply ? 546 : 547);
	}
	if (spec->body == FRAME_MLD && !strchr(spec->ext, 'h')) {
		g_autofree char *rest = g_strdup(spec->ext);

		g_snprintf(spec->ext, sizeof(spec->ext), "h%s", rest);
	}
	if (spec->fragment && spec->v6 && !strchr(spec->ext, 'f'))
		g_strlcat(spec->ext, "f", sizeof(spec->ext));
}

/* ------------------------------------------------------------------ words */

static int parse_tag(struct frame_spec *spec, const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, "/", 2);
	uint64_t vid;

	if (spec->tag_count == FRAME_MAX_TAGS || parse_number(parts[0], UINT16_MAX, &vid) < 0)
		return -EINVAL;
	spec->tags[spec->tag_count].vid = (uint16_t)vid;
	spec->tags[spec->tag_count].tpid = g_strcmp0(parts[1], "ad") == 0 ? 0x88a8 : 0x8100;
	spec->tag_count++;
	return 0;
}

static int parse_poke(struct frame_spec *spec, const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, ":", 2);
	uint64_t at, value;

	if (spec->poke_count == FRAME_MAX_POKES || !parts[0] || !parts[1] ||
	    parse_number(parts[0], FRAME_ROOM - 1, &at) < 0 ||
	    parse_number(parts[1], UINT8_MAX, &value) < 0)
		return -EINVAL;
	spec->pokes[spec->poke_count].at = (uint16_t)at;
	spec->pokes[spec->poke_count].value = (uint8_t)value;
	spec->poke_count++;
	return 0;
}

static int parse_fragment(struct frame_spec *spec, const char *text)
{
	g_autofree char *number = g_strdup(text);
	size_t length = strlen(number);
	uint64_t offset;

	if (length > 0 && number[length - 1] == '+') {
		spec->more = true;
		number[length - 1] = '\0';
	}
	if (parse_number(number, 65528, &offset) < 0 || offset % 8 != 0)
		return -EINVAL;
	spec->fragment = true;
	spec->fragment_offset = (unsigned int)offset;
	return 0;
}

static int parse_ext(struct frame_spec *spec, const char *text)
{
	if (strlen(text) > FRAME_MAX_EXT || strspn(text, "hdrRfan") != strlen(text))
		return -EINVAL;
	g_strlcpy(spec->ext, text, sizeof(spec->ext));
	return 0;
}

static int parse_pair(struct frame_spec *spec, const char *name, const char *value)
{
	if (strcmp(name, "vlan") == 0)
		return parse_tag(spec, value);
	if (strcmp(name, "poke") == 0)
		return parse_poke(spec, value);
	if (strcmp(name, "frag") == 0)
		return parse_fragment(spec, value);
	if (strcmp(name, "ext") == 0)
		return parse_ext(spec, value);
	if (strcmp(name, "lla") == 0) {
		spec->has_lla = true;
		return parse_mac(value, spec->lla);
	}
	if (strcmp(name, "seq") == 0 && spec->body == FRAME_ICMP)
		name = "icmp-seq";
	if (strcmp(name, "icmp-seq") == 0) {
		uint64_t number;

		if (parse_number(value, UINT16_MAX, &number) < 0)
			return -EINVAL;
		spec->icmp_seq = (uint16_t)number;
		return 0;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
		if (strcmp(name, keys[i].name) == 0)
			return store_value(spec, &keys[i], value);
	return -EINVAL;
}

static int parse_word(struct frame_spec *spec, const char *word)
{
	const char *equals = strchr(word, '=');

	if (equals) {
		g_autofree char *name = g_strndup(word, (gsize)(equals - word));

		return parse_pair(spec, name, equals + 1);
	}
	if (strcmp(word, "df") == 0) {
		spec->df = true;
		return 0;
	}
	if (strcmp(word, "badsum") == 0) {
		spec->badsum = true;
		return 0;
	}
	if (spec->body == FRAME_TCP &&
	    (strcmp(word, "-") == 0 || strspn(word, "SAFRPUEC") == strlen(word))) {
		g_strlcpy(spec->tcp_flags, word, sizeof(spec->tcp_flags));
		return 0;
	}
	return -EINVAL;
}

static int parse_kind(struct frame_spec *spec, const char *word)
{
	uint64_t protocol;

	if (g_str_has_prefix(word, "ip/")) {
		if (parse_number(word + 3, 255, &protocol) < 0)
			return -EINVAL;
		spec->body = FRAME_RAW;
		spec->protocol = (uint8_t)protocol;
		spec->ttl = 64;
		return 0;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (strcmp(word, kinds[i].name) != 0)
			continue;
		spec->body = kinds[i].body;
		spec->protocol = kinds[i].protocol;
		spec->type = kinds[i].type;
		spec->ttl = kinds[i].ttl;
		return 0;
	}
	return -EINVAL;
}

static struct frame_spec *spec_new(void)
{
	struct frame_spec *spec = g_new0(struct frame_spec, 1);

	spec->ethertype = spec->ver = spec->ihl = spec->tot = spec->doff = -1;
	spec->udplen = spec->htype = spec->hlen = spec->plen = spec->ws = spec->mss = -1;
	spec->win = 64240;
	spec->arp_op = 1;
	spec->chunk = 1;
	spec->init_tag = 0x01020304;
	spec->ipid = 1;
	return spec;
}

/* Source and destination, for everything but eth. */
static int parse_addresses(char **words, size_t *at, struct frame_spec *spec)
{
	bool dst_v6 = false;

	if (spec->body == FRAME_ETH)
		return 0;
	if (!words[*at] || parse_endpoint(words[*at], &spec->src, &spec->v6, &spec->sport) < 0)
		return -EINVAL;
	(*at)++;
	if (!words[*at] || strcmp(words[*at], ">") != 0)
		return -EINVAL;
	(*at)++;
	if (!words[*at] || parse_endpoint(words[*at], &spec->dst, &dst_v6, &spec->dport) < 0)
		return -EINVAL;
	(*at)++;
	return spec->v6 == dst_v6 ? 0 : -EINVAL;
}

/* Reads words from *at on until the end or "}", which it leaves. NOLINTNEXTLINE(misc-no-recursion)
 */
static int parse_words(char **words, size_t *at, struct frame_spec *spec)
{
	if (!words[*at] || parse_kind(spec, words[*at]) < 0)
		return -EINVAL;
	(*at)++;
	if (parse_addresses(words, at, spec) < 0)
		return -EINVAL;
	for (; words[*at] && strcmp(words[*at], "}") != 0; (*at)++) {
		if (strcmp(words[*at], "{") == 0) {
			spec->inner = spec_new();
			(*at)++;
			if (parse_words(words, at, spec->inner) < 0 || !words[*at])
				return -EINVAL;
		} else if (parse_word(spec, words[*at]) < 0) {
			return -EINVAL;
		}
	}
	derive(spec);
	return 0;
}

int frame_spec_parse(const char *text, struct frame_spec **spec, char **error)
{
	__attribute__((cleanup(frame_spec_free))) struct frame_spec *made = spec_new();
	g_auto(GStrv) words = NULL;
	g_autoptr(GPtrArray) kept = g_ptr_array_new();
	size_t at = 0;

	words = g_strsplit_set(text, " \t\n", -1);
	for (char **word = words; *word; word++)
		if (**word)
			g_ptr_array_add(kept, *word);
	g_ptr_array_add(kept, NULL);
	if (parse_words((char **)kept->pdata, &at, made) < 0 || g_ptr_array_index(kept, at)) {
		const char *bad = g_ptr_array_index(kept, at);

		*error = g_strdup_printf("frame \"%s\": wrong at \"%s\"", text,
					 bad ? bad : "its end");
		return -EINVAL;
	}
	*spec = TAKE_PTR(made);
	return 0;
}

void frame_make_text(struct frame *frame, const char *text)
{
	__attribute__((cleanup(frame_spec_free))) struct frame_spec *spec = NULL;
	g_autofree char *error = NULL;

	if (frame_spec_parse(text, &spec, &error) < 0)
		fail_msg("%s", error);
	frame_build(spec, frame);
}

void frame_make(struct frame *frame, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	frame_make_text(frame, text);
}
