/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_frame.c - frames of tests/lib/frame.h read back by a small parser that shares nothing with
 * it.
 */
#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/frame.h"

/* What the reader found. */
struct seen {
	unsigned int tags, ethertype, vid;
	unsigned int protocol, sport, dport, exts;
	size_t l3, l4, l4_length; /* offsets and length in the frame */
	bool fragment, more;
	unsigned int offset;
};

static unsigned int get16(const struct frame *frame, size_t at)
{
	assert_true(at + 2 <= frame->length);
	return (unsigned int)frame->bytes[at] << 8 | frame->bytes[at + 1];
}

/* Folded one's complement sum of 16 bit words, written differently from frame_sum. */
static unsigned int sum_of(const uint8_t *bytes, size_t length)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += i % 2 ? bytes[i] : 256u * bytes[i];
	return (unsigned int)(sum % 65535);
}

static void check_transport_sum(const struct frame *frame, const struct seen *seen, bool v6)
{
	uint8_t pseudo[40] = {0};
	const uint8_t *l4 = frame->bytes + seen->l4;

	memcpy(pseudo, frame->bytes + seen->l3 + (v6 ? 8 : 12), v6 ? 32 : 8);
	pseudo[34] = (uint8_t)(seen->l4_length >> 8);
	pseudo[35] = (uint8_t)seen->l4_length;
	pseudo[39] = (uint8_t)seen->protocol;
	if (seen->protocol == 6 || seen->protocol == 17 || seen->protocol == 58)
		assert_int_equal((sum_of(pseudo, 40) + sum_of(l4, seen->l4_length)) % 65535, 0);
	else if (seen->protocol == 1)
		assert_int_equal(sum_of(l4, seen->l4_length), 0);
}

static void read_ipv4(const struct frame *frame, struct seen *seen)
{
	const uint8_t *ip = frame->bytes + seen->l3;
	size_t header = (ip[0] & 15) * 4u;
	unsigned int flags = get16(frame, seen->l3 + 6);

	assert_int_equal(ip[0] >> 4, 4);
	assert_int_equal(sum_of(ip, header), 0);
	assert_int_equal(get16(frame, seen->l3 + 2), frame->length - seen->l3);
	seen->protocol = ip[9];
	seen->l4 = seen->l3 + header;
	seen->fragment = (flags & 0x3fff) != 0;
	seen->more = flags & 0x2000;
	seen->offset = (flags & 0x1fff) * 8;
}

static void read_ipv6(const struct frame *frame, struct seen *seen)
{
	const uint8_t *ip = frame->bytes + seen->l3;
	size_t at = seen->l3 + 40;
	unsigned int next = ip[6];

	assert_int_equal(ip[0] >> 4, 6);
	assert_int_equal(get16(frame, seen->l3 + 4), frame->length - at);
	while (next == 0 || next == 60 || next == 43 || next == 44 || next == 51) {
		seen->exts++;
		if (next == 44) {
			seen->fragment = true;
			seen->offset = get16(frame, at + 2) & 0xfff8u;
			seen->more = get16(frame, at + 2) & 1;
		}
		size_t length = next == 44   ? 8
				: next == 51 ? (frame->bytes[at + 1] + 2u) * 4
					     : (frame->bytes[at + 1] + 1u) * 8;
		next = frame->bytes[at];
		at += length;
	}
	seen->protocol = next;
	seen->l4 = at;
}

static struct seen read_frame(const struct frame *frame)
{
	struct seen seen = {.l3 = 14};

	seen.ethertype = get16(frame, 12);
	while (seen.ethertype == 0x8100 || seen.ethertype == 0x88a8) {
		seen.vid = get16(frame, seen.l3) & 0xfff;
		seen.ethertype = get16(frame, seen.l3 + 2);
		seen.l3 += 4;
		seen.tags++;
	}
	if (seen.ethertype == 0x0800)
		read_ipv4(frame, &seen);
	else if (seen.ethertype == 0x86dd)
		read_ipv6(frame, &seen);
	else
		return seen;
	seen.l4_length = frame->length - seen.l4;
	if (!seen.fragment)
		check_transport_sum(frame, &seen, seen.ethertype == 0x86dd);
	if (seen.offset == 0 &&
	    (seen.protocol == 6 || seen.protocol == 17 || seen.protocol == 132)) {
		seen.sport = get16(frame, seen.l4);
		seen.dport = get16(frame, seen.l4 + 2);
	}
	return seen;
}

static void every_kind_reads_back(void **state)
{
	static const struct {
		const char *text;
		unsigned int ethertype, tags, protocol, sport, dport;
		size_t l4_length;
	} rows[] = {
		{"tcp 10.0.0.9:4000 > 10.0.0.5:443 S", 0x800, 0, 6, 4000, 443, 20},
		{"tcp 10.0.0.9:4000 > 10.0.0.5:443 S ws=7 mss=1460 len=3", 0x800, 0, 6, 4000, 443,
		 31},
		{"tcp [fd00::9]:1 > [fd00::5]:2 FPAU seq=5 ack=6", 0x86dd, 0, 6, 1, 2, 20},
		{"udp 10.0.0.9:53 > 10.0.0.5:54 len=7 opts=3", 0x800, 0, 17, 53, 54, 15},
		{"udp [fd00::9]:53 > [fd00::5]:54 len=1", 0x86dd, 0, 17, 53, 54, 9},
		{"sctp 10.0.0.9:53 > 10.0.0.5:54", 0x800, 0, 132, 53, 54, 32},
		{"icmp 10.0.0.9 > 10.0.0.5 id=7 seq=9 len=56", 0x800, 0, 1, 0, 0, 64},
		{"icmp6 fd00::9 > fd00::5 type=129 id=7", 0x86dd, 0, 58, 0, 0, 8},
		{"icmp 10.0.0.9 > 10.0.0.5 type=3 code=4 mtu=1400 { tcp 10.0.0.5:9 > 10.0.0.9:8 A }",
		 0x800, 0, 1, 0, 0, 8 + 20 + 20},
		{"icmp6 fd00::1 > fd00::5 type=2 { udp [fd00::5]:9 > [fd00::9]:8 len=8 }", 0x86dd,
		 0, 58, 0, 0, 8 + 40 + 8 + 8},
		{"ns fe80::9 > ff02::1:ff00:5 target=fd00::5 lla=9", 0x86dd, 0, 58, 0, 0, 32},
		{"na fd00::5 > fd00::9 target=fd00::5 lla=5", 0x86dd, 0, 58, 0, 0, 32},
		{"rs fe80::5 > ff02::2", 0x86dd, 0, 58, 0, 0, 8},
		{"ra fe80::9 > ff02::1", 0x86dd, 0, 58, 0, 0, 16},
		{"redirect fe80::9 > fd00::5 target=fd00::8", 0x86dd, 0, 58, 0, 0, 40},
		{"mld fe80::5 > ff02::16 group=ff02::1:ff00:5", 0x86dd, 0, 58, 0, 0, 28},
		{"mld fe80::5 > ff02::1:ff00:5 type=131 group=ff02::1:ff00:5", 0x86dd, 0, 58, 0, 0,
		 24},
		{"dhcp 0.0.0.0 > 255.255.255.255 type=1", 0x800, 0, 17, 68, 67, 308},
		{"dhcp 10.0.0.1 > 10.0.0.5 type=5", 0x800, 0, 17, 67, 68, 308},
		{"dhcp6 fe80::5 > ff02::1:2", 0x86dd, 0, 17, 546, 547, 12},
		{"ip/47 10.0.0.9 > 10.0.0.5 len=40", 0x800, 0, 47, 0, 0, 40},
		{"ip/112 fd00::9 > fd00::5 len=40 ext=hdrda", 0x86dd, 0, 112, 0, 0, 40},
		{"tcp 10.0.0.9:4000 > 10.0.0.5:443 S vlan=7", 0x800, 1, 6, 4000, 443, 20},
		{"tcp 10.0.0.9:4000 > 10.0.0.5:443 S vlan=9/ad vlan=7", 0x800, 2, 6, 4000, 443, 20},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct frame frame;
		struct seen seen;

		frame_make_text(&frame, rows[i].text);
		seen = read_frame(&frame);
		if (seen.ethertype != rows[i].ethertype || seen.tags != rows[i].tags ||
		    seen.protocol != rows[i].protocol || seen.sport != rows[i].sport ||
		    seen.dport != rows[i].dport || seen.l4_length != rows[i].l4_length)
			fail_msg("%s: ethertype %x, %u tags, protocol %u, ports %u and %u, %zu "
				 "bytes",
				 rows[i].text, seen.ethertype, seen.tags, seen.protocol, seen.sport,
				 seen.dport, seen.l4_length);
	}
}

static void addresses_and_macs_are_where_they_belong(void **state)
{
	struct frame frame;
	struct in_addr src;

	(void)state;
	frame_make_text(&frame, "tcp 10.0.0.9:4000 > 10.0.0.5:443 S");
	assert_memory_equal(frame.bytes, "\x52\x54\0\0\0\x05\x52\x54\0\0\0\x09", 12);
	inet_pton(AF_INET, "10.0.0.9", &src);
	assert_memory_equal(frame.bytes + 26, &src, 4);
	assert_int_equal(frame.bytes[14 + 20 + 13], 2);
	frame_make_text(&frame, "udp 10.0.0.9:1 > 224.0.0.251:2");
	assert_memory_equal(frame.bytes, "\x01\x00\x5e\x00\x00\xfb", 6);
	frame_make_text(&frame, "ns fe80::9 > ff02::1:ff00:5 target=fd00::5");
	assert_memory_equal(frame.bytes, "\x33\x33\xff\x00\x00\x05", 6);
	frame_make_text(&frame, "arp 10.0.0.5 > 10.0.0.9 sha=7 smac=02:00:00:00:00:01");
	assert_memory_equal(frame.bytes, "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x01", 12);
	assert_int_equal(frame.length, 42);
	assert_memory_equal(frame.bytes + 14, "\0\1\x08\0\6\4\0\1\x52\x54\0\0\0\x07\x0a\0\0\x05",
			    18);
	frame_make_text(&frame, "icmp6 ::ffff:10.0.0.9 > fd00::5");
	assert_int_equal(frame.bytes[12] << 8 | frame.bytes[13], 0x86dd);
}

static void fragments_say_where_they_belong(void **state)
{
	struct frame frame;
	struct seen seen;

	(void)state;
	frame_make_text(&frame, "udp 10.0.0.9:1 > 10.0.0.5:2 frag=0+ len=24 ipid=77");
	seen = read_frame(&frame);
	assert_true(seen.fragment && seen.more && seen.offset == 0 && seen.dport == 2);
	frame_make_text(&frame, "udp 10.0.0.9:1 > 10.0.0.5:2 frag=32 len=24 ipid=77");
	seen = read_frame(&frame);
	assert_true(seen.fragment && !seen.more && seen.offset == 32 && seen.l4_length == 24);
	frame_make_text(&frame, "udp [fd00::9]:1 > [fd00::5]:2 frag=1448+ len=8 ext=hd");
	seen = read_frame(&frame);
	assert_true(seen.fragment && seen.more && seen.offset == 1448 && seen.exts == 3);
}

static void lies_are_told(void **state)
{
	struct frame frame;

	(void)state;
	frame_make_text(&frame, "udp 10.0.0.9:1 > 10.0.0.5:2 ihl=4 ver=5 tot=1000 udplen=3");
	assert_int_equal(frame.bytes[14], 0x54);
	assert_int_equal(get16(&frame, 16), 1000);
	assert_int_equal(get16(&frame, 34 + 4), 3);
	frame_make_text(&frame, "tcp 10.0.0.9:1 > 10.0.0.5:2 S doff=3 cut=40 pad=9");
	assert_int_equal(frame.bytes[34 + 12 - 0] >> 4, 3);
	assert_int_equal(frame.length, 40);
	frame_make_text(&frame, "eth ethertype=0x88cc len=46 smac=5 dmac=9");
	assert_int_equal(frame.length, 60);
	assert_int_equal(get16(&frame, 12), 0x88cc);
	frame_make_text(&frame, "udp [fd00::9]:1 > [fd00::5]:2 pad=9");
	assert_int_equal(frame.length, 14 + 40 + 8 + 9);
}

static void sctp_checksum_is_crc32c(void **state)
{
	(void)state;
	/* RFC 3720, B.4: 32 bytes of zeroes, and "123456789" as every CRC catalogue has it. */
	assert_int_equal(frame_crc32c((const uint8_t[32]){0}, 32), 0x8a9136aa);
	assert_int_equal(frame_crc32c("123456789", 9), 0xe3069283);
}

static void wrong_text_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"tpc 10.0.0.9:1 > 10.0.0.5:2",
		"tcp 10.0.0.9:1 10.0.0.5:2",
		"tcp 10.0.0.9:1 > fd00::5",
		"tcp 10.0.0.9:70000 > 10.0.0.5:2",
		"tcp 10.0.0.9:1 > 10.0.0.5:2 SX",
		"udp 10.0.0.9:1 > 10.0.0.5:2 S",
		"udp 10.0.0.9:1 > 10.0.0.5:2 frag=7",
		"udp 10.0.0.9:1 > 10.0.0.5:2 ttl=256",
		"udp 10.0.0.9:1 > 10.0.0.5:2 nonsense=1",
		"icmp 10.0.0.9 > 10.0.0.5 { tcp 10.0.0.5:1 > 10.0.0.9:2 A",
		"icmp 10.0.0.9 > 10.0.0.5 }",
		"icmp6 fd00::9 > fd00::5 ext=hx",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		__attribute__((cleanup(frame_spec_free))) struct frame_spec *spec = NULL;
		g_autofree char *error = NULL;

		if (frame_spec_parse(wrong[i], &spec, &error) == 0)
			fail_msg("accepted: %s", wrong[i]);
		assert_non_null(error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_reads_back),
		cmocka_unit_test(addresses_and_macs_are_where_they_belong),
		cmocka_unit_test(fragments_say_where_they_belong),
		cmocka_unit_test(lies_are_told),
		cmocka_unit_test(sctp_checksum_is_crc32c),
		cmocka_unit_test(wrong_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
