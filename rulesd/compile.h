/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile.h - model to image. Pure: no system call, no clock; the same input gives the same image.
 * compile_image() makes one from nothing; compile_change() follows a change of the model at the
 * cost of what changes, and gives what compile_image() would, but for numbers.
 *
 * Order of precedence, so that every evaluator names the same rule for a packet that several rules
 * allow:
 *   0. exempt endpoints of the network (egress), under SG_DIR_EXEMPT;
 *   1. the peer any, then the peers of the address's set (member set, then prefix set), each in
 * ascending number;
 *   2. within a peer the packet's protocol, then SG_PROTO_ALL;
 *   3. within (peer, protocol) the interval that holds the port; where rules overlap, the first in
 * the order of the interface's groups and of the rules in the file owns the overlap.
 */
#pragma once

#include "rulesd/image.h"
#include "rulesd/image_delta.h"
#include "rulesd/model.h"
#include "rulesd/model_edit.h"
#include "rulesd/numbers.h"

/*
 * The order above is also why an exempt endpoint of the network, which is a peer like any CIDR,
 * shows up as `exempt` only where no rule with the peer any allows the same packet: both allow it.
 */

/*
 * previous (may be NULL) lends the numbers of policies and sets whose content is unchanged, so that
 * applying the same policy twice changes nothing. host is this host's name: interfaces with a
 * device and no other host become image_iface. NULL compiles for explanation only: every interface
 * becomes one, with or without a device, and no slot is taken (slot 0). 0 and an image that the
 * caller owns and that borrows the model, or -EINVAL with entries in diag (too many peers on an
 * address, slots exhausted).
 */
int compile_image(const struct model *model, struct numbers *numbers, const struct image *previous,
		  const char *host, struct image **image, struct diag *diag);

/*
 * Brings an image of the model up to date after edit was applied to it. host is the one that the
 * image was made for. 0 and what differs (image_delta.h), which the caller keeps or undoes; or
 * -EINVAL with entries in diag, as those of compile_image(), and the image is what it was: the
 * caller takes the edit back. Numbers that were given out meanwhile keep their names, which does no
 * harm; slots are given back.
 *
 * It costs what changes: a member that comes or goes, its addresses; a rule, the policies with its
 * group; the first or last rule that names a group, the group's members, for they become or stop
 * being peers; an entry of a prefix list, what lies inside it. A group or list that becomes or is
 * no longer external costs a look at every rule of the networks that name it, settings of a network
 * a look at its interfaces here and its lists of groups.
 */
int compile_change(struct image *image, const struct model *model, const struct model_edit *edit,
		   struct numbers *numbers, const char *host, struct image_delta **delta,
		   struct diag *diag);

/*
 * An image without interfaces, to which compile_interface() adds those that are asked about: for
 * explaining packets of a few out of a million. Otherwise as compile_image().
 */
int compile_bare_image(const struct model *model, struct numbers *numbers, struct image **image,
		       struct diag *diag);

/*
 * Adds one interface of the image's model as an image_iface without a slot, if it is not there, so
 * that packets of it can be explained. 0 or -EINVAL with entries in diag.
 */
int compile_interface(struct image *image, const struct model_interface *iface,
		      struct numbers *numbers, struct diag *diag);

/*
 * Names in the registry, owned by the caller. A peer's (NUMBER_PEER) is NULL for what matches
 * nothing here: an external group or prefix list. network is the one whose rule names the peer.
 */
char *compile_peer_name(const struct model *model, const struct model_network *network,
			const struct model_peer *peer);
char *compile_rule_name(const struct model_group *group, const struct model_rule *rule);
/* Ports as written, in the order of the file. */
char *compile_exempt_name(const struct model_network *network, const struct model_exempt *exempt);
