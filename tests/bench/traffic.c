/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * traffic.c - see traffic.h.
 *
 * Frames are templates with their constant part summed up beforehand; ports, numbers and the
 * checksum are put in before each write. No memory per connection: all of them are at the same
 * place, since each pass over them gives every one a segment each way.
 */
#include "tests/bench/traffic.h"

#include <arpa/inet.h>
#include <glib.h>
#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <string.h>

#include "tests/bench/bench.h"
#include "tests/lib/check.h"
#include "tests/lib/frame.h"

#define FIRST_PORT 2000u
#define PORTS	   60000u /* of the client */
#define HEADERS	   (ETH_HLEN + sizeof(struct iphdr) + sizeof(struct tcphdr))
#define MSS	   1448u
#define LARGEST	   1514u
#define ISN_A	   1000u
#define ISN_B	   9000u
#define WINDOW	   65535u
#define SCALE	   7   /* of the window: 8 MB */
#define SYN_EXTRA  4   /* option bytes of a SYN: window scale and a NOP */
#define DENY_BATCH 400 /* frames, before a look at what leaked: fewer than a tap's queue holds */

struct template
{
	struct virtio_net_hdr_v1 vnet;
	uint8_t frame[66000];
	size_t length;	 /* of the frame */
	uint32_t sum;	 /* of what is constant in the segment, and the pseudo header */
	uint32_t pseudo; /* of the pseudo header alone, for offloaded checksums */
}
__attribute__((packed));

struct traffic {
	const struct path *path;
	bool vnet_hdr;
	struct template *data[2], *bare[2], *syn[2], *denied[2]; /* sent by a, by b */
	uint8_t *room;
	unsigned int open;     /* connections that stay: the first ones */
	unsigned int ended;    /* those that came and went: the last ones */
	unsigned int position; /* in the pass over the open ones */
	uint32_t payload;      /* bytes of a segment with data */
	uint32_t offset;       /* bytes each open connection sent before this pass, each way */
	uint32_t odd;	       /* makes denied frames differ */
	uint64_t leaked, lost;
};

/* ------------------------------------------------------------------ templates */

static struct tcphdr *tcp_of(struct template *template)
{
	return (struct tcphdr *)(void *)(template->frame + ETH_HLEN + sizeof(struct iphdr));
}

static uint32_t pseudo_sum(const struct iphdr *ip, size_t segment)
{
	uint8_t tail[4] = {0, IPPROTO_TCP, (uint8_t)(segment >> 8), (uint8_t)segment};

	return frame_sum(tail, sizeof(tail), frame_sum(&ip->saddr, 8, 0));
}

static void fill_ip(struct template *template, const char *from, const char *to)
{
	struct iphdr *ip = (struct iphdr *)(void *)(template->frame + ETH_HLEN);
	size_t segment = template->length - ETH_HLEN - sizeof(*ip);

	*ip = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tot_len = htons((uint16_t)(sizeof(*ip) + segment)),
		.frag_off = htons(IP_DF),
		.ttl = 64,
		.protocol = IPPROTO_TCP,
		.saddr = inet_addr(from),
		.daddr = inet_addr(to),
	};
	ip->check = htons((uint16_t)~frame_sum(ip, sizeof(*ip), 0));
	template->pseudo = pseudo_sum(ip, segment);
}

static void fill_offload(struct template *template)
{
	template->vnet = (struct virtio_net_hdr_v1){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = ETH_HLEN + sizeof(struct iphdr),
		.csum_offset = offsetof(struct tcphdr, check),
	};
	if (template->length > LARGEST) {
		template->vnet.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
		template->vnet.gso_size = MSS;
		template->vnet.hdr_len = HEADERS;
	}
	tcp_of(template)->check = htons((uint16_t) template->pseudo);
}

static struct template *template_new(const struct traffic *traffic, bool from_b, const char *to,
				     bool syn, size_t payload)
{
	static const uint8_t options[SYN_EXTRA] = {TCPOPT_NOP, TCPOPT_WINDOW, TCPOLEN_WINDOW,
						   SCALE};
	size_t extra = syn ? SYN_EXTRA : 0;
	struct template *template = g_new0(struct template, 1);
	struct tcphdr *tcp = tcp_of(template);

	template->length = HEADERS + extra + payload;
	memcpy(template->frame, from_b ? traffic->path->gateway_b : traffic->path->gateway_a, 6);
	memcpy(template->frame + 6, from_b ? traffic->path->b_mac : traffic->path->a_mac, 6);
	template->frame[12] = ETH_P_IP >> 8;
	fill_ip(template, from_b ? traffic->path->b_address : traffic->path->a_address, to);
	tcp->doff = (sizeof(*tcp) + extra) / 4;
	tcp->window = htons(WINDOW);
	if (syn)
		memcpy(tcp + 1, options, sizeof(options));
	for (size_t i = 0; i < payload; i++)
		template->frame[HEADERS + extra + i] = (uint8_t)i;
	template->sum = frame_sum(tcp, template->length - ETH_HLEN - sizeof(struct iphdr),
				  template->pseudo);
	if (traffic->vnet_hdr)
		fill_offload(template);
	return template;
}

struct traffic *traffic_new(const struct path *path)
{
	struct traffic *traffic = g_new0(struct traffic, 1);
	const char *const to[2] = {path->b_address, path->a_address};
	const char *const refused[2] = {path->b_address, path->behind};

	traffic->path = path;
	traffic->vnet_hdr = path->a->vnet_hdr;
	traffic->room = g_malloc(PATH_FRAME);
	for (unsigned int b = 0; b < 2; b++) {
		traffic->bare[b] = template_new(traffic, b, to[b], false, 0);
		traffic->syn[b] = template_new(traffic, b, to[b], true, 0);
		traffic->denied[b] = template_new(traffic, b, refused[b], true, 0);
	}
	traffic_size(traffic, 64);
	return traffic;
}

void traffic_free(struct traffic **traffic)
{
	if (!*traffic)
		return;
	for (unsigned int b = 0; b < 2; b++) {
		g_free((*traffic)->data[b]);
		g_free((*traffic)->bare[b]);
		g_free((*traffic)->syn[b]);
		g_free((*traffic)->denied[b]);
	}
	g_free((*traffic)->room);
	g_clear_pointer(traffic, g_free);
}

/* ------------------------------------------------------------------ frames */

struct segment {
	uint16_t client, server; /* ports */
	uint32_t seq, ack;
	uint8_t flags;
};

static void send_segment(struct traffic *traffic, struct template *template, bool from_b,
			 const struct segment *segment)
{
	struct tcphdr *tcp = tcp_of(template);
	const struct tap *tap = from_b ? traffic->path->b : traffic->path->a;

	tcp->source = htons(from_b ? segment->server : segment->client);
	tcp->dest = htons(from_b ? segment->client : segment->server);
	tcp->seq = htonl(segment->seq);
	tcp->ack_seq = htonl(segment->ack);
	tcp->th_flags = segment->flags;
	if (traffic->vnet_hdr) {
		path_send(tap, &template->vnet, sizeof(template->vnet) + template->length);
		return;
	}
	/* The longest carry of these is two bits, so folding twice is enough. */
	uint32_t sum = template->sum + segment->client + segment->server + (segment->seq >> 16) +
		       (segment->seq & 0xffff) + (segment->ack >> 16) + (segment->ack & 0xffff) +
		       segment->flags;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	tcp->check = htons((uint16_t)~sum);
	path_send(tap, template->frame, template->length);
}

/* The frame that was just sent must be here, and nothing else. */
static void expect(struct traffic *traffic, const struct template *template, bool from_b)
{
	const struct tap *tap = from_b ? traffic->path->a : traffic->path->b;
	size_t length = template->length + (traffic->vnet_hdr ? sizeof(template->vnet) : 0);

	if (path_receive(tap, traffic->room) != (long)length)
		traffic->lost++;
}

static void pass(struct traffic *traffic, struct template *template, bool from_b,
		 const struct segment *segment)
{
	send_segment(traffic, template, from_b, segment);
	expect(traffic, template, from_b);
}

/* ------------------------------------------------------------------ connections */

static struct segment segment_of(unsigned int connection)
{
	return (struct segment){
		.client = (uint16_t)(FIRST_PORT + connection % PORTS),
		.server = (uint16_t)(TRAFFIC_PORT_LOW + connection / PORTS),
	};
}

/* A segment of a connection that is so many bytes into its life, each way. */
static struct segment segment_at(unsigned int connection, bool from_b, uint32_t a_bytes,
				 uint32_t b_bytes, uint8_t flags)
{
	struct segment segment = segment_of(connection);

	segment.seq = from_b ? ISN_B + b_bytes : ISN_A + a_bytes;
	segment.ack = from_b ? ISN_A + a_bytes : ISN_B + b_bytes;
	segment.flags = flags;
	return segment;
}

/* One of the six frames of a connection. at: bytes that the numbers begin with. */
static void step(struct traffic *traffic, unsigned int connection, uint32_t at,
		 enum traffic_step step)
{
	static const struct {
		bool from_b, syn;
		uint32_t a_bytes, b_bytes;
		uint8_t flags;
	} steps[TRAFFIC_STEPS] = {
		[TRAFFIC_SYN] = {false, true, 0, 0, TH_SYN},
		[TRAFFIC_SYN_ACK] = {true, true, 1, 0, TH_SYN | TH_ACK},
		[TRAFFIC_ACK] = {false, false, 1, 1, TH_ACK},
		[TRAFFIC_FIN] = {false, false, 1, 1, TH_FIN | TH_ACK},
		[TRAFFIC_FIN_ACK] = {true, false, 2, 1, TH_FIN | TH_ACK},
		[TRAFFIC_LAST_ACK] = {false, false, 2, 2, TH_ACK},
	};
	bool from_b = steps[step].from_b;
	struct segment segment = segment_at(connection, from_b, at + steps[step].a_bytes,
					    at + steps[step].b_bytes, steps[step].flags);

	if (!(segment.flags & TH_ACK))
		segment.ack = 0;
	pass(traffic, (steps[step].syn ? traffic->syn : traffic->bare)[from_b], from_b, &segment);
}

static void handshake(struct traffic *traffic, unsigned int connection, uint32_t at)
{
	for (unsigned int i = TRAFFIC_SYN; i <= TRAFFIC_ACK; i++)
		step(traffic, connection, at, i);
}

static void exchange_one(struct traffic *traffic)
{
	/* A prime that divides no number of connections, so that every one has its turn. */
	uint64_t stride = 2654435761u;
	unsigned int half = (traffic->position + traffic->open / 2) % traffic->open;
	unsigned int forth = (unsigned int)(traffic->position * stride % traffic->open);
	unsigned int back = (unsigned int)(half * stride % traffic->open);
	uint32_t bytes = traffic->offset + 1;
	struct segment segment = segment_at(forth, false, bytes, bytes, TH_ACK | TH_PUSH);

	pass(traffic, traffic->data[0], false, &segment);
	segment = segment_at(back, true, bytes, bytes, TH_ACK | TH_PUSH);
	pass(traffic, traffic->data[1], true, &segment);
	if (++traffic->position < traffic->open)
		return;
	traffic->position = 0;
	traffic->offset += traffic->payload;
}

/* So that all open connections are at the same place. */
static void finish_pass(struct traffic *traffic)
{
	while (traffic->position != 0)
		exchange_one(traffic);
}

void traffic_open(struct traffic *traffic, unsigned int count)
{
	finish_pass(traffic);
	if (count > TRAFFIC_MOST - traffic->open - traffic->ended)
		fail_msg("more than %u connections of a path are not foreseen", TRAFFIC_MOST);
	while (count-- > 0)
		handshake(traffic, traffic->open++, traffic->offset);
}

unsigned int traffic_opened(const struct traffic *traffic)
{
	return traffic->open;
}

void traffic_size(struct traffic *traffic, size_t frame_bytes)
{
	finish_pass(traffic);
	assert_in_range(frame_bytes, 64, HEADERS + 65495);
	assert_true(frame_bytes <= LARGEST || traffic->vnet_hdr);
	traffic->payload = (uint32_t)(frame_bytes - HEADERS);
	for (unsigned int b = 0; b < 2; b++) {
		g_free(traffic->data[b]);
		traffic->data[b] = template_new(
			traffic, b, b ? traffic->path->a_address : traffic->path->b_address, false,
			traffic->payload);
	}
}

/* ------------------------------------------------------------------ what is measured */

double traffic_exchange(struct traffic *traffic, unsigned int pairs)
{
	uint64_t start = bench_cpu_ns();

	for (unsigned int i = 0; i < pairs; i++)
		exchange_one(traffic);
	return (double)(bench_cpu_ns() - start) / (2.0 * pairs);
}

/* The first of so many connections that are ended: they go down from it. */
static unsigned int take_connections(struct traffic *traffic, unsigned int count)
{
	unsigned int first = TRAFFIC_MOST - 1 - traffic->ended;

	if (count > TRAFFIC_MOST - traffic->open - traffic->ended)
		fail_msg("more than %u connections of a path are not foreseen", TRAFFIC_MOST);
	traffic->ended += count;
	return first;
}

double traffic_connect(struct traffic *traffic, unsigned int count)
{
	unsigned int first = take_connections(traffic, count);
	uint64_t start = bench_cpu_ns();

	for (unsigned int i = 0; i < count; i++)
		for (unsigned int j = 0; j < TRAFFIC_STEPS; j++)
			step(traffic, first - i, 0, j);
	return (double)(bench_cpu_ns() - start) / count;
}

void traffic_connect_steps(struct traffic *traffic, unsigned int count, double ns[TRAFFIC_STEPS])
{
	unsigned int first = take_connections(traffic, count);
	uint64_t spent[TRAFFIC_STEPS] = {0}, before = bench_now_ns();

	for (unsigned int i = 0; i < count; i++)
		for (unsigned int j = 0; j < TRAFFIC_STEPS; j++) {
			uint64_t now;

			step(traffic, first - i, 0, j);
			now = bench_now_ns();
			spent[j] += now - before;
			before = now;
		}
	for (unsigned int j = 0; j < TRAFFIC_STEPS; j++)
		ns[j] = (double)spent[j] / count;
}

static void look_for_leaks(struct traffic *traffic)
{
	while (path_receive(traffic->path->a, traffic->room) > 0 ||
	       path_receive(traffic->path->b, traffic->room) > 0)
		traffic->leaked++;
}

double traffic_deny(struct traffic *traffic, bool outbound, unsigned int count)
{
	unsigned int total = count;
	uint64_t spent = 0;

	while (count > 0) {
		unsigned int batch = MIN(count, DENY_BATCH);
		uint64_t start = bench_cpu_ns();

		for (unsigned int i = 0; i < batch; i++) {
			uint16_t changing = (uint16_t)(FIRST_PORT + traffic->odd++ % PORTS);
			struct segment segment = {.seq = traffic->odd, .flags = TH_SYN};

			segment.client = outbound ? TRAFFIC_DENIED : changing;
			segment.server = outbound ? changing : TRAFFIC_DENIED;
			send_segment(traffic, traffic->denied[outbound], outbound, &segment);
		}
		spent += bench_cpu_ns() - start;
		look_for_leaks(traffic);
		count -= batch;
	}
	return (double)spent / total;
}

uint64_t traffic_leaked(const struct traffic *traffic)
{
	return traffic->leaked;
}

uint64_t traffic_lost(const struct traffic *traffic)
{
	return traffic->lost;
}
