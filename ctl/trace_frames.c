/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace_frames.c - see trace_frames.h. */
#include "ctl/trace_frames.h"

#include <errno.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/args.h"
#include "ctl/capture.h"
#include "ctl/endpoint.h"
#include "ctl/held_policy.h"
#include "ctl/offline.h"
#include "ctl/output.h"
#include "ctl/policy_files.h"
#include "ctl/table.h"
#include "ctl/trace_print.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"

#define SHOWN_DENIED 50 /* flows that are listed one by one */

/* The policy of --policy, else what the daemon holds, and the interface in it. */
static int open_policy(const struct args *args, struct offline **offline,
		       struct offline_compiled *compiled, struct diag *diag)
{
	const GPtrArray *paths = args_list(args, "policy");
	struct model *model = NULL;
	int error = paths ? policy_files_load(paths, &model, diag)
			  : held_policy_load(args, &model, diag);

	if (error)
		return error;
	*offline = offline_of_model(model);
	return offline_compile(*offline, args_value(args, "interface"), compiled, diag);
}

static enum exit_status compare(const struct args *args, const char *verdict)
{
	const char *expect = args_value(args, "expect");

	if (!expect || !strcmp(expect, verdict))
		return EXIT_DONE;
	fprintf(stderr, "sgctl: expected %s, but the verdict is %s\n", expect, verdict);
	return EXIT_FAILED;
}

/* ---------------------------------------------------------------- one frame */

static char *describe(const struct frame *frame)
{
	GString *text = g_string_new(NULL);
	char src[ADDR_TEXT_SIZE], dst[ADDR_TEXT_SIZE], mac[MAC_TEXT_SIZE], name[8];

	g_string_append_printf(text, "frame: %u bytes", frame->bytes);
	if (frame->bytes >= ETHER_HDR_LEN)
		g_string_append_printf(text, " from %s", mac_format(frame->source_mac, mac));
	if (frame->tagged)
		g_string_append_printf(text, ", VLAN %u", frame->vid);
	if (frame->problem != SG_REASONS) {
		g_string_append_printf(text, ": %s", reason_description(frame->problem));
		return g_string_free(text, FALSE);
	}
	if (frame->arp) {
		g_string_append_printf(text, ", ARP, sender %s",
				       addr_format(&frame->arp_sender, src));
		return g_string_free(text, FALSE);
	}
	g_string_append_printf(
		text, ", %s from %s to %s", protocol_format(frame->packet.protocol, name),
		addr_format(&frame->packet.src, src), addr_format(&frame->packet.dst, dst));
	if (frame->later_fragment)
		g_string_append(text, ", a later fragment");
	else if (protocol_has_ports(frame->packet.protocol))
		g_string_append_printf(text, " port %u", frame->packet.dport);
	else if (protocol_is_icmp(frame->packet.protocol))
		g_string_append_printf(text, " type %u code %u", frame->packet.icmp_type,
				       frame->packet.icmp_code);
	return g_string_free(text, FALSE);
}

/* A verdict that comes before the rules are asked, in the shape of a trace. */
static json_t *early_trace(const struct args *args, enum sg_reason reason, enum sg_dir dir)
{
	bool drop = sg_reason_is_drop(reason);
	g_autofree char *step =
		g_strdup_printf("%s: %s", drop ? "denied" : "allowed", reason_description(reason));

	return json_pack("{ss ss sn sn ss ss s[s]}", "verdict", drop ? "deny" : "allow", "reason",
			 reason_name(reason), "rule", "nearest", "interface",
			 args_value(args, "interface"), "direction", dir_name(dir), "steps", step);
}

static json_t *trace_of(const struct args *args, const struct offline_compiled *compiled,
			const struct frame *frame, enum sg_dir dir)
{
	enum sg_reason reason = capture_guard(compiled, frame, dir);
	g_autofree char *what = describe(frame);
	json_t *trace;

	if (reason == SG_REASONS && frame->later_fragment)
		reason = SG_DROP_FRAG_NO_FIRST;
	if (reason != SG_REASONS) {
		trace = early_trace(args, reason, dir);
	} else {
		CLEANUP(trace_free)
		struct trace *explained =
			trace_packet(compiled->model, compiled->image, compiled->numbers,
				     compiled->iface->id, &frame->packet);

		trace = trace_to_json(explained, compiled->iface->id, dir);
	}
	json_array_insert_new(json_object_get(trace, "steps"), 0, json_string(what));
	return trace;
}

enum exit_status trace_frame(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(offline_close) struct offline *offline = NULL;
	g_autofree uint8_t *bytes = NULL;
	g_autofree char *error = NULL;
	AUTO_JSON json_t *trace = NULL;
	struct offline_compiled compiled;
	struct frame frame;
	enum sg_dir dir;
	size_t length;

	if (!args_value(args, "direction"))
		return output_usage_error(args, "trace --frame needs --direction ingress|egress");
	if (endpoint_parse_direction(args_value(args, "direction"), &dir, &error))
		return output_usage_error(args, "%s", error);
	if (frame_parse_hex(args_value(args, "frame"), &bytes, &length))
		return output_usage_error(args, "--frame is not hexadecimal: digits in pairs, with "
						"spaces or colons between");
	if (open_policy(args, &offline, &compiled, diag))
		return output_failure(args, diag);
	frame_parse(bytes, length, length, dir, &frame);
	trace = trace_of(args, &compiled, &frame, dir);
	if (args_flag(args, "json"))
		output_json(trace);
	else
		trace_print(trace);
	return compare(args, json_string_value(json_object_get(trace, "verdict")));
}

/* ---------------------------------------------------------------- a capture */

struct tally {
	uint64_t packets, bytes, opened;
};

struct summary {
	uint64_t packets, foreign, denied;
	GHashTable *verdicts; /* "in|allow|rule|sg-web/https" -> struct tally */
	GHashTable *refused;  /* "in|tcp|src|dst|port|reason" -> struct tally */
};

static struct tally *tally_of(GHashTable *table, char *key)
{
	struct tally *tally = g_hash_table_lookup(table, key);

	if (tally) {
		g_free(key);
		return tally;
	}
	tally = g_new0(struct tally, 1);
	g_hash_table_insert(table, key, tally);
	return tally;
}

static void count(struct tally *tally, const struct capture_verdict *verdict)
{
	tally->packets++;
	tally->bytes += verdict->frame.bytes;
	tally->opened += verdict->opens && !sg_reason_is_drop(verdict->reason);
}

static char *refused_key(const struct capture_verdict *verdict)
{
	const struct eval_packet *packet = &verdict->frame.packet;
	char src[ADDR_TEXT_SIZE], dst[ADDR_TEXT_SIZE], name[8];
	g_autofree char *port = NULL;

	if (verdict->frame.arp || verdict->frame.problem != SG_REASONS)
		return g_strdup_printf("%s|%s|%s|-|-|%s", dir_name(verdict->direction),
				       verdict->frame.arp ? "arp" : "-",
				       mac_format(verdict->frame.source_mac, src),
				       reason_name(verdict->reason));
	if (protocol_has_ports(packet->protocol) && !verdict->frame.later_fragment)
		port = g_strdup_printf("%u", packet->dport);
	else if (protocol_is_icmp(packet->protocol) && !verdict->frame.later_fragment)
		port = g_strdup_printf("type %u", packet->icmp_type);
	return g_strdup_printf("%s|%s|%s|%s|%s|%s", dir_name(verdict->direction),
			       protocol_format(packet->protocol, name),
			       addr_format(&packet->src, src), addr_format(&packet->dst, dst),
			       port ? port : "-", reason_name(verdict->reason));
}

static void add(struct summary *summary, const struct capture_verdict *verdict)
{
	bool drop = sg_reason_is_drop(verdict->reason);

	summary->denied += drop;
	count(tally_of(summary->verdicts,
		       g_strdup_printf("%s|%s|%s|%s", dir_name(verdict->direction),
				       drop ? "deny" : "allow", reason_name(verdict->reason),
				       verdict->rule ? verdict->rule : "")),
	      verdict);
	if (drop)
		count(tally_of(summary->refused, refused_key(verdict)), verdict);
}

/* The file, or standard input for "-"; NULL and why in diag. A FIFO or a device by name would have
 * us wait, or read, for ever. */
static FILE *open_capture(const char *path, struct place place, struct diag *diag)
{
	AUTO_FD int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : -1;
	struct stat st;
	FILE *file;

	if (fd < 0 && stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		diag_add(diag, "file-type", place, NULL,
			 "to read from a pipe, name \"-\" and redirect it",
			 "it is no regular file");
		return NULL;
	}
	if (fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	file = fd < 0 ? NULL : fdopen(fd, "rb");
	if (!file) {
		diag_add(diag, "io", place, NULL, NULL, "cannot open it: %s", g_strerror(errno));
		return NULL;
	}
	(void)TAKE_FD(fd);
	return file;
}

static int read_capture(const char *path, struct capture *capture, struct summary *summary,
			struct diag *diag)
{
	struct place place = {.file = g_intern_string(path)};
	char why[PCAP_ERRBUF_SIZE] = "";
	CLEANUP(cleanup_file) FILE *file = open_capture(path, place, diag);
	pcap_t *pcap = file ? pcap_fopen_offline(file, why) : NULL;
	struct pcap_pkthdr *header;
	const unsigned char *bytes;
	int got;

	if (!file)
		return -EINVAL;
	if (!pcap) {
		diag_add(diag, "pcap", place, NULL, NULL, "cannot be read as a capture: %s", why);
		return -EINVAL;
	}
	(void)TAKE_PTR(file); /* pcap_close closes it */
	if (pcap_datalink(pcap) != DLT_EN10MB) {
		diag_add(diag, "pcap", place, NULL, "capture on the tap itself: tcpdump -i tap0 -w",
			 "holds %s, not Ethernet frames",
			 pcap_datalink_val_to_name(pcap_datalink(pcap))
				 ? pcap_datalink_val_to_name(pcap_datalink(pcap))
				 : "unknown packets");
		pcap_close(pcap);
		return -EINVAL;
	}
	while ((got = pcap_next_ex(pcap, &header, &bytes)) == 1) {
		struct capture_verdict verdict;
		enum sg_dir dir;

		summary->packets++;
		if (!capture_direction(capture, bytes, header->caplen, header->len, &dir)) {
			summary->foreign++;
			continue;
		}
		verdict = capture_judge(capture, dir, bytes, header->caplen, header->len);
		add(summary, &verdict);
	}
	/* What was read before it broke off still counts: captures are cut off all the time. */
	if (got == PCAP_ERROR)
		output_warning("%s: %s", path, pcap_geterr(pcap));
	pcap_close(pcap);
	return 0;
}

static gint by_packets(gconstpointer a, gconstpointer b)
{
	const json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;
	json_int_t one = json_integer_value(json_object_get(left, "packets"));
	json_int_t other = json_integer_value(json_object_get(right, "packets"));
	g_autofree char *text = NULL, *other_text = NULL;

	if (one != other)
		return one > other ? -1 : 1;
	text = json_dumps(left, JSON_COMPACT | JSON_SORT_KEYS);
	other_text = json_dumps(right, JSON_COMPACT | JSON_SORT_KEYS);
	return strcmp(text, other_text);
}

/* Rows of a table of tallies, the busiest first. */
static json_t *rows_of(GHashTable *table, const char *const *fields, size_t count_of_fields)
{
	g_autoptr(GPtrArray) rows = g_ptr_array_new();
	json_t *sorted = json_array();
	GHashTableIter iter;
	gpointer key, value;

	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		g_auto(GStrv) parts = g_strsplit(key, "|", (int)count_of_fields);
		const struct tally *tally = value;
		json_t *row = json_object();

		for (size_t i = 0; i < count_of_fields; i++)
			json_object_set_new(row, fields[i],
					    parts[i] && *parts[i] && strcmp(parts[i], "-") != 0
						    ? json_string(parts[i])
						    : json_null());
		json_object_set_new(row, "packets", json_integer((json_int_t)tally->packets));
		json_object_set_new(row, "bytes", json_integer((json_int_t)tally->bytes));
		json_object_set_new(row, "flows", json_integer((json_int_t)tally->opened));
		g_ptr_array_add(rows, row);
	}
	g_ptr_array_sort(rows, by_packets);
	for (guint i = 0; i < rows->len; i++)
		json_array_append_new(sorted, rows->pdata[i]);
	return sorted;
}

static const struct column verdict_columns[] = {
	{"DIR", "direction", table_cell_direction, 0},
	{"VERDICT", "verdict", NULL, 0},
	{"REASON", "reason", NULL, 0},
	{"RULE", "rule", NULL, COLUMN_RULE},
	{"FLOWS", "flows", NULL, COLUMN_RIGHT},
	{"PACKETS", "packets", NULL, COLUMN_RIGHT},
	{"BYTES", "bytes", table_cell_bytes, COLUMN_RIGHT},
	{0},
};

static const struct column denied_columns[] = {
	{"DIR", "direction", table_cell_direction, 0},
	{"PROTO", "protocol", NULL, 0},
	{"SRC", "src", NULL, 0},
	{"DST", "dst", NULL, 0},
	{"DPORT", "dport", NULL, COLUMN_RIGHT},
	{"REASON", "reason", NULL, 0},
	{"PACKETS", "packets", NULL, COLUMN_RIGHT},
	{0},
};

static void print_summary(const struct args *args, const struct summary *summary)
{
	static const char *const verdict_fields[] = {"direction", "verdict", "reason", "rule"};
	static const char *const denied_fields[] = {"direction", "protocol", "src",
						    "dst",	 "dport",    "reason"};
	AUTO_JSON json_t *verdicts =
		rows_of(summary->verdicts, verdict_fields, G_N_ELEMENTS(verdict_fields));
	AUTO_JSON json_t *denied =
		rows_of(summary->refused, denied_fields, G_N_ELEMENTS(denied_fields));
	AUTO_JSON json_t *document = NULL;
	size_t all = json_array_size(denied);
	json_t *row;
	size_t i;

	json_array_foreach (denied, i, row)
		json_object_del(row, "flows");
	if (args_flag(args, "json")) {
		document = json_pack(
			"{ss sI sI sI sO sO}", "interface", args_value(args, "interface"),
			"packets", (json_int_t)summary->packets, "foreign",
			(json_int_t)summary->foreign, "denied", (json_int_t)summary->denied,
			"verdicts", verdicts, "denied_flows", denied);
		output_json(document);
		return;
	}
	output_text(
		"%" PRIu64 " packets of the capture, %" PRIu64 " not of %s, %" PRIu64 " denied\n",
		summary->packets, summary->foreign, args_value(args, "interface"), summary->denied);
	if (json_array_size(verdicts))
		table_print(verdict_columns, verdicts, NULL, NULL);
	if (!all)
		return;
	while (json_array_size(denied) > SHOWN_DENIED)
		json_array_remove(denied, SHOWN_DENIED);
	output_text("\nDenied:\n");
	table_print(denied_columns, denied, NULL, NULL);
	if (all > SHOWN_DENIED)
		output_text("and %zu more; --json lists all\n", all - SHOWN_DENIED);
}

enum exit_status trace_pcap(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(offline_close) struct offline *offline = NULL;
	CLEANUP(capture_free) struct capture *capture = NULL;
	struct summary summary = {
		.verdicts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
		.refused = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
	};
	struct offline_compiled compiled;
	enum exit_status status = EXIT_FAILED;
	int error = open_policy(args, &offline, &compiled, diag);

	if (!error) {
		capture = capture_new(&compiled);
		error = read_capture(args_value(args, "pcap"), capture, &summary, diag);
	}
	if (error) {
		output_failure(args, diag);
	} else {
		print_summary(args, &summary);
		status = compare(args, summary.denied ? "deny" : "allow");
	}
	g_hash_table_unref(summary.verdicts);
	g_hash_table_unref(summary.refused);
	return status;
}
