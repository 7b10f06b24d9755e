/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard_message.c - the types of nftables' attributes, and of which expressions a rule is made.
 *
 * libnftnl 1.2.4 ends the process when an attribute has not the type that it expects
 * (abi_breakage), reads a name behind its end when it has no NUL, and looks an expression without a
 * name up by strcmp of NULL. Others may put any rule into the guard's table, and its expressions
 * are the work of whatever nft and kernel are there.
 */
#include "rulesd/guard_message.h"

#include <glib.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdbool.h>
#include <string.h>

#define MOST_TYPES 32

/* By an attribute's number: its type, 0 where nothing reads it, and for a nest what is in it. */
struct shape {
	struct {
		uint8_t type;
		const struct shape *nest;
	} at[MOST_TYPES];
};

#define TEXT                                \
	{                                   \
		.type = MNL_TYPE_NUL_STRING \
	}
#define U32                          \
	{                            \
		.type = MNL_TYPE_U32 \
	}
#define U64                          \
	{                            \
		.type = MNL_TYPE_U64 \
	}
#define BYTES                           \
	{                               \
		.type = MNL_TYPE_BINARY \
	}
#define NEST(shape_)                                       \
	{                                                  \
		.type = MNL_TYPE_NESTED, .nest = &(shape_) \
	}

/* clang-format off */
static const struct shape table_shape = {{
	[NFTA_TABLE_NAME] = TEXT, [NFTA_TABLE_FLAGS] = U32, [NFTA_TABLE_USE] = U32,
	[NFTA_TABLE_HANDLE] = U64, [NFTA_TABLE_USERDATA] = BYTES, [NFTA_TABLE_OWNER] = U32,
}};

static const struct shape devices_shape = {{[NFTA_DEVICE_NAME] = TEXT}};

static const struct shape hook_shape = {{
	[NFTA_HOOK_HOOKNUM] = U32, [NFTA_HOOK_PRIORITY] = U32, [NFTA_HOOK_DEV] = TEXT,
	[NFTA_HOOK_DEVS] = NEST(devices_shape),
}};

static const struct shape counter_shape = {{
	[NFTA_COUNTER_BYTES] = U64, [NFTA_COUNTER_PACKETS] = U64,
}};

static const struct shape chain_shape = {{
	[NFTA_CHAIN_TABLE] = TEXT, [NFTA_CHAIN_HANDLE] = U64, [NFTA_CHAIN_NAME] = TEXT,
	[NFTA_CHAIN_HOOK] = NEST(hook_shape), [NFTA_CHAIN_POLICY] = U32, [NFTA_CHAIN_USE] = U32,
	[NFTA_CHAIN_TYPE] = TEXT, [NFTA_CHAIN_COUNTERS] = NEST(counter_shape),
	[NFTA_CHAIN_FLAGS] = U32, [NFTA_CHAIN_ID] = U32, [NFTA_CHAIN_USERDATA] = BYTES,
}};

static const struct shape verdict_shape = {{
	[NFTA_VERDICT_CODE] = U32, [NFTA_VERDICT_CHAIN] = TEXT, [NFTA_VERDICT_CHAIN_ID] = U32,
}};

static const struct shape data_shape = {{
	[NFTA_DATA_VALUE] = BYTES, [NFTA_DATA_VERDICT] = NEST(verdict_shape),
}};

static const struct shape meta_shape = {{
	[NFTA_META_DREG] = U32, [NFTA_META_KEY] = U32, [NFTA_META_SREG] = U32,
}};

static const struct shape cmp_shape = {{
	[NFTA_CMP_SREG] = U32, [NFTA_CMP_OP] = U32, [NFTA_CMP_DATA] = NEST(data_shape),
}};

static const struct shape immediate_shape = {{
	[NFTA_IMMEDIATE_DREG] = U32, [NFTA_IMMEDIATE_DATA] = NEST(data_shape),
}};

static const struct shape compat_shape = {{
	[NFTA_RULE_COMPAT_PROTO] = U32, [NFTA_RULE_COMPAT_FLAGS] = U32,
}};

/* What is in the expressions is for rule_kind. */
static const struct shape rule_shape = {{
	[NFTA_RULE_TABLE] = TEXT, [NFTA_RULE_CHAIN] = TEXT, [NFTA_RULE_HANDLE] = U64,
	[NFTA_RULE_EXPRESSIONS] = {.type = MNL_TYPE_NESTED},
	[NFTA_RULE_COMPAT] = NEST(compat_shape), [NFTA_RULE_POSITION] = U64,
	[NFTA_RULE_USERDATA] = BYTES, [NFTA_RULE_ID] = U32, [NFTA_RULE_POSITION_ID] = U32,
}};

static const struct shape expression_shape = {{
	[NFTA_EXPR_NAME] = TEXT, [NFTA_EXPR_DATA] = {.type = MNL_TYPE_NESTED},
}};
/* clang-format on */

/* The expressions that the guard's rules are made of. */
static const struct {
	const char *name;
	const struct shape *shape;
} expressions[] = {
	{"meta", &meta_shape},
	{"cmp", &cmp_shape},
	{"counter", &counter_shape},
	{"immediate", &immediate_shape},
};

struct look {
	const struct shape *shape;
	const struct nlattr *found[MOST_TYPES]; /* the last of each number */
	bool broken;
};

static int look_at(const struct nlattr *attr, void *data);

static struct look look_into(const struct nlattr *nest, const struct shape *shape)
{
	struct look look = {.shape = shape};

	mnl_attr_parse_nested(nest, look_at, &look);
	return look;
}

static int look_at(const struct nlattr *attr, void *data)
{
	struct look *look = data;
	uint16_t number = mnl_attr_get_type(attr);

	if (number >= MOST_TYPES || !look->shape->at[number].type)
		return MNL_CB_OK;
	look->found[number] = attr;
	if (mnl_attr_validate(attr, look->shape->at[number].type) < 0)
		look->broken = true;
	else if (look->shape->at[number].nest)
		look->broken |= look_into(attr, look->shape->at[number].nest).broken;
	return MNL_CB_OK;
}

static enum guard_message expression_kind(const struct nlattr *element)
{
	struct look look = look_into(element, &expression_shape);
	const struct nlattr *name = look.found[NFTA_EXPR_NAME];
	const struct nlattr *content = look.found[NFTA_EXPR_DATA];

	if (look.broken || !name)
		return GUARD_MESSAGE_BROKEN;
	for (unsigned int i = 0; i < G_N_ELEMENTS(expressions); i++) {
		if (strcmp(mnl_attr_get_str(name), expressions[i].name) != 0)
			continue;
		return content && look_into(content, expressions[i].shape).broken
			       ? GUARD_MESSAGE_BROKEN
			       : GUARD_MESSAGE_KNOWN;
	}
	return GUARD_MESSAGE_FOREIGN;
}

static int look_at_element(const struct nlattr *attr, void *data)
{
	enum guard_message *kind = data, own = GUARD_MESSAGE_BROKEN;

	if (mnl_attr_get_type(attr) == NFTA_LIST_ELEM &&
	    mnl_attr_validate(attr, MNL_TYPE_NESTED) == 0)
		own = expression_kind(attr);
	if (own != GUARD_MESSAGE_KNOWN && *kind != GUARD_MESSAGE_BROKEN)
		*kind = own;
	return MNL_CB_OK;
}

static enum guard_message rule_kind(const struct look *rule, const char *table)
{
	const struct nlattr *name = rule->found[NFTA_RULE_TABLE];
	enum guard_message kind = GUARD_MESSAGE_KNOWN;

	if (!name || strcmp(mnl_attr_get_str(name), table) != 0)
		return GUARD_MESSAGE_OTHER;
	if (!rule->found[NFTA_RULE_CHAIN])
		return GUARD_MESSAGE_BROKEN;
	if (rule->found[NFTA_RULE_EXPRESSIONS])
		mnl_attr_parse_nested(rule->found[NFTA_RULE_EXPRESSIONS], look_at_element, &kind);
	return kind;
}

enum guard_message guard_message_kind(const struct nlmsghdr *header, const char *table)
{
	struct look look = {0};

	switch (header->nlmsg_type & 0xff) {
	case NFT_MSG_NEWTABLE:
		look.shape = &table_shape;
		break;
	case NFT_MSG_NEWCHAIN:
		look.shape = &chain_shape;
		break;
	case NFT_MSG_NEWRULE:
		look.shape = &rule_shape;
		break;
	default:
		return GUARD_MESSAGE_BROKEN;
	}
	mnl_attr_parse(header, sizeof(struct nfgenmsg), look_at, &look);
	if (look.broken)
		return GUARD_MESSAGE_BROKEN;
	return look.shape == &rule_shape ? rule_kind(&look, table) : GUARD_MESSAGE_KNOWN;
}
