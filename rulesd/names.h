/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names.h - names of the field for numbers: protocols, ICMP types, services, hooks, reasons, flow
 * states.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "rulesd/model.h"

/* Decimal 0-255 in the one usual spelling: no sign, no space, no leading zero. 0 or -EINVAL. */
int number_parse_octet(const char *text, int *value);

/* "tcp", "udp", ... "all", or a number; 0 or -EINVAL. */
int protocol_parse(const char *text, uint16_t *protocol);
/* The name where there is one, else the number, in a buffer of at least 8 bytes. Returns text. */
const char *protocol_format(uint16_t protocol, char text[8]);
bool protocol_has_ports(uint16_t protocol); /* tcp, udp, sctp */
bool protocol_is_icmp(uint16_t protocol);   /* icmp, icmpv6 */

/*
 * Names of RFC 792 / 4443 types and codes as iptables and nft spell them ("echo-request",
 * "port-unreachable"), by protocol (1 or 58), or a decimal number 0-255. A code name is that of its
 * type. 0 or -EINVAL.
 */
int icmp_type_parse(uint16_t protocol, const char *text, int *type);
int icmp_code_parse(uint16_t protocol, int type, const char *text, int *code);
const char *icmp_type_name(uint16_t protocol, int type); /* or NULL */

/* A preset: the one table behind "service", sgctl show services and sgctl import. */
struct service_match {
	uint16_t protocol;
	uint16_t first; /* tcp, udp, sctp: ports, both ends included; 0 otherwise */
	uint16_t last;
	int16_t icmp_type; /* icmp, icmpv6: 0-255, or -1 for every type; -1 otherwise */
	int16_t icmp_code; /* 0-255, or -1 for every code */
};
struct service {
	const char *name; /* lower case, '-' between words: "ssh", "dns", "postgresql" */
	const char *description;
	const struct service_match *matches;
	unsigned int count;
};
const struct service *service_find(const char *name);
const struct service *service_at(unsigned int index); /* sorted by name; NULL at the end */
/*
 * [{"name","description","matches":[{"protocol","ports":"53"|null,"icmp":{"type","code"}}]}];
 * "icmp" only where a type is chosen, "code" only where a code is. The caller owns it.
 */
json_t *services_to_json(void);

const char *reason_name(uint32_t reason);	 /* enum sg_reason -> "no_rule" */
const char *reason_description(uint32_t reason); /* its sentence */
int reason_parse(const char *name, uint32_t *reason);
const char *dir_name(enum sg_dir dir); /* "egress", "ingress" */
int dir_parse(const char *name, enum sg_dir *dir);
const char *hook_name(enum model_hook hook);
int hook_parse(const char *name, enum model_hook *hook);
/* Flow states of `flows`: "syn_sent" ... "closed" for TCP; "new" (one way) and "established" for
 * the rest. */
const char *flow_state_name(uint8_t protocol, uint32_t state_word);
