/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rule_text.h - parts of rules in a few words, for tables, plans and pictures. The caller frees. */
#pragma once

#include "rulesd/model.h"

/* "tcp 443, 8000-8080", "icmp echo-request", "all". */
char *rule_match_text(const struct model_match *match);
/* "https" of a rule that was written with a service, else its matches, joined by "; ". */
char *rule_what_text(const struct model_rule *rule);
/* "any", "10.0.0.0/8", "10.0.0.9" (a host), "sg-web", "blue:sg-web" where network is another,
 * "pl-office". */
char *rule_peer_text(const struct model_peer *peer, const char *network);
