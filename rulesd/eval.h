/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * eval.h - the offline evaluator: what the dataplane would decide about a packet that opens a flow,
 * in plain C.
 *
 * It reads the image that the dataplanes load and follows the order of bpf/: guard, then what is
 * always allowed, then policy. It knows no flows: replies to a live flow pass in the kernel without
 * being asked here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "rulesd/image.h"
#include "rulesd/model.h"

struct eval_packet {
	enum sg_dir direction;
	uint16_t protocol; /* 0-255 */
	struct sg_addr src;
	struct sg_addr dst;
	uint16_t sport; /* host order; tcp, udp, sctp */
	uint16_t dport;
	uint8_t icmp_type; /* icmp, icmpv6 */
	uint8_t icmp_code;
};

struct eval_verdict {
	enum sg_reason reason;
	uint32_t rule; /* number, 0 when none */
	uint32_t peer; /* the peer that matched */
};

/* iface must belong to image. */
struct eval_verdict eval_packet(const struct image *image, const struct image_iface *iface,
				const struct eval_packet *packet);

/* One step of the explanation: "guard: 10.0.0.5 is its own address", "10.0.0.9 is in sg-app,
 * pl-office". */
struct trace {
	struct eval_verdict verdict;
	const char *rule; /* "sg-web/https" or NULL; borrowed from the image */
	char *nearest; /* the rule that differs in the fewest dimensions, or NULL; only on a deny by
			  no_rule or icmp_unrelated */
	GPtrArray *differs; /* of const char *: "protocol", "port", "peer", "type" */
	GPtrArray *steps;   /* of char * */
};

/* Explains eval_packet's verdict with the model that the image was compiled from. The caller frees.
 */
struct trace *trace_packet(const struct model *model, const struct image *image,
			   const struct numbers *numbers, const char *interface_id,
			   const struct eval_packet *packet);
void trace_free(struct trace **trace);
/* {"verdict","reason","rule","nearest","interface","direction","steps"} of INTERFACES.md. */
json_t *trace_to_json(const struct trace *trace, const char *interface_id, enum sg_dir direction);
/*
 * {"interface","direction","protocol","src","dst"} with src and dst as "A", "A:PORT" or
 * "[v6]:port", or with sport and dport apart; icmp: "icmp": {"type","code"}, default echo-request.
 * Errors go to diag. 0 or -EINVAL.
 */
int trace_packet_from_json(const json_t *request, char **interface_id, struct eval_packet *packet,
			   struct diag *diag);
