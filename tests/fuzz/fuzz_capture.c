/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_capture.c - any bytes as a capture (pcap, pcapng), as frames, and as the text of --frame:
 * every frame gets a verdict, the same ones again in the same order, and hexadecimal is read back
 * as it was written.
 *
 * The first byte chooses: a capture as libpcap reads it; frames, each behind a byte that says how
 * long it is; hexadecimal.
 */
#include <pcap/pcap.h>
#include <string.h>

#include "ctl/capture.h"
#include "rulesd/cleanup.h"
#include "rulesd/load.h"
#include "rulesd/names.h"
#include "tests/fuzz/fuzz.h"

static const char policy[] =
	"{\"version\": 1, \"groups\": {\"sg-a\": {"
	" \"ingress\": [{\"protocol\": \"tcp\", \"ports\": [443], \"from\": [\"any\"]},"
	"  {\"protocol\": \"icmp\", \"from\": [\"any\"]}, {\"protocol\": \"icmpv6\","
	"   \"from\": [\"any\"]}],"
	" \"egress\": [{\"protocol\": \"udp\", \"to\": [\"10.0.0.0/8\"]}]}},"
	" \"interfaces\": {\"vm\": {\"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\","
	"  \"addresses\": [\"10.0.0.5\", \"fd00::5\"], \"vlans\": [7], \"groups\": [\"sg-a\"]}}}";

static struct offline *offline;
static struct offline_compiled compiled;

static void make_world(void)
{
	struct load_source source = {.name = (char[]){"world"}, .length = strlen(policy)};
	g_autofree char *text = g_strdup(policy);
	g_autoptr(GPtrArray) sources = g_ptr_array_new();
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct model *model = NULL;

	source.text = text;
	g_ptr_array_add(sources, &source);
	FUZZ_EXPECT(load_policy(sources, &model, diag) == 0, "the world is refused");
	offline = offline_of_model(model);
	FUZZ_EXPECT(offline_compile(offline, "vm", &compiled, diag) == 0, "no interface");
}

static uint32_t judge(struct capture *capture, const void *bytes, size_t captured, size_t length)
{
	struct capture_verdict verdict;
	enum sg_dir dir;

	if (!capture_direction(capture, bytes, captured, length, &dir))
		return SG_REASONS;
	verdict = capture_judge(capture, dir, bytes, captured, length);
	FUZZ_EXPECT(verdict.reason < SG_REASONS, "reason %u", (unsigned int)verdict.reason);
	FUZZ_EXPECT(reason_name(verdict.reason), "a reason without a name");
	FUZZ_EXPECT(verdict.direction == dir, "the direction changed");
	return (uint32_t)verdict.reason;
}

/* Digests the verdicts. */
static uint32_t read_capture(const uint8_t *data, size_t size)
{
	CLEANUP(capture_free) struct capture *capture = capture_new(&compiled);
	char why[PCAP_ERRBUF_SIZE] = "";
	FILE *file = size ? fmemopen((void *)(uintptr_t)data, size, "rb") : NULL;
	pcap_t *pcap = file ? pcap_fopen_offline(file, why) : NULL;
	struct pcap_pkthdr *header;
	const unsigned char *bytes;
	uint32_t sum = 0;

	if (file && !pcap)
		fclose(file);
	if (!pcap)
		return 0;
	if (pcap_datalink(pcap) == DLT_EN10MB)
		while (pcap_next_ex(pcap, &header, &bytes) == 1)
			sum = sum * 31 + judge(capture, bytes, header->caplen, header->len);
	pcap_close(pcap);
	return sum;
}

static uint32_t read_frames(const uint8_t *data, size_t size)
{
	CLEANUP(capture_free) struct capture *capture = capture_new(&compiled);
	uint32_t sum = 0;

	while (size) {
		const size_t length = MIN(*data, size - 1);
		/* Of its own size, so that a byte too many is noticed. */
		g_autofree uint8_t *frame = g_malloc(MAX(length, 1));

		memcpy(frame, data + 1, length);
		sum = sum * 31 + judge(capture, frame, length, length + (size & 1) * 1000);
		data += length + 1;
		size -= length + 1;
	}
	return sum;
}

static void read_hex(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autofree uint8_t *bytes = NULL, *again = NULL;
	g_autoptr(GString) written = g_string_new(NULL);
	size_t length = 0, same = 0;
	struct frame frame;

	if (frame_parse_hex(text, &bytes, &length) < 0)
		return;
	FUZZ_EXPECT(length, "no byte");
	for (size_t i = 0; i < length; i++)
		g_string_append_printf(written, i % 2 ? "%02x " : "%02X:", bytes[i]);
	FUZZ_EXPECT(frame_parse_hex(written->str, &again, &same) == 0 && same == length &&
			    memcmp(bytes, again, length) == 0,
		    "%s is read as something else", written->str);
	frame_parse(bytes, length, length, SG_EGRESS, &frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!offline)
		make_world();
	if (size < 2)
		return 0;
	switch (data[0] % 3) {
	case 0:
		FUZZ_EXPECT(read_capture(data + 1, size - 1) == read_capture(data + 1, size - 1),
			    "verdicts change");
		break;
	case 1:
		FUZZ_EXPECT(read_frames(data + 1, size - 1) == read_frames(data + 1, size - 1),
			    "verdicts change");
		break;
	default:
		read_hex(data + 1, size - 1);
	}
	return 0;
}
