/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * build.h - models made by hand from short words, for tests of what comes after loading. A word
 * that does not parse fails the test.
 */
#pragma once

#include "rulesd/model.h"

/* Made if it is not there. */
struct model_network *build_network(struct model *model, const char *name);
struct model_group *build_group(struct model *model, const char *network, const char *id);
/* entries: "10.0.0.0/8 2001:db8::/32". */
struct model_prefix_list *build_prefix_list(struct model *model, const char *network,
					    const char *id, const char *entries);
/*
 * The group is made if it is not there. matches: "tcp 443,8000-8080", "icmp 8/0", "icmp 8", "47",
 * "all", several joined by " + ". peers: "any 10.0.0.0/8 sg-app blue:sg-app pl-office".
 */
struct model_rule *build_rule(struct model *model, const char *network, const char *group,
			      const char *id, enum sg_dir direction, const char *matches,
			      const char *peers);
/* device may be NULL. addresses, groups: words; the host stays open, spoof_guard is on, there is no
 * MAC. */
struct model_interface *build_interface(struct model *model, const char *network, const char *id,
					const char *device, const char *addresses,
					const char *groups);
/* Another of the same id in its place, with these settings; iface is freed. */
struct model_interface *build_changed(struct model *model, struct model_interface *iface,
				      const struct model_settings *settings);
/* match: "tcp 80", "udp", "all". */
void build_exempt(struct model *model, const char *network, const char *address, const char *match);

struct sg_addr build_addr(const char *text);
struct cidr build_cidr(const char *text);
