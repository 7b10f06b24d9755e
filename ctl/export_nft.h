/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * export_nft.h - a policy as a commented ruleset for nft(8): to read, to compare, or to load on a
 * host without rulesd.
 */
#pragma once

#include "rulesd/model.h"

/*
 * A table of that family: "inet" for taps that are routed, "bridge" for taps in a bridge (the
 * kernel needs nf_conntrack_bridge). Interfaces with a device are filtered; what nft cannot say is
 * a comment at its place. The caller frees the text.
 */
char *export_nft(const struct model *model, const char *family);
