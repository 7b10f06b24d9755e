/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard_table.c - the guard's rules as libnftnl objects, written by one batch and read back.
 *
 * Long because what is written and what is read back are the same objects, compared as words.
 */
#include "rulesd/guard_table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/gen.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <limits.h>
#include <linux/if.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_arp.h>
#include <linux/netfilter_bridge.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "rulesd/cleanup.h"
#include "rulesd/guard_message.h"

#define BATCH_BYTES   (1 << 20)
#define MESSAGE_BYTES 32768
#define PRIORITY      INT_MIN /* before connection tracking and defragmentation remember anything */
#define ANSWER_SECS   10
/* linux/netfilter/nf_tables.h of kernels before 6.9 does not know it. */
#define TABLE_PERSISTS (1u << 2)
#define OURS	       (NFT_TABLE_F_OWNER | TABLE_PERSISTS)
#define READ_ATTEMPTS  10 /* a dump in which others change their tables is begun again */

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order in which it is read */
static const struct watched {
	uint16_t family;
	const char *family_name, *chain;
	uint32_t hook;
	bool out;
} hooks[] = {
	{NFPROTO_BRIDGE, "bridge", "prerouting", NF_BR_PRE_ROUTING, false},
	{NFPROTO_BRIDGE, "bridge", "input", NF_BR_LOCAL_IN, false},
	{NFPROTO_BRIDGE, "bridge", "output", NF_BR_LOCAL_OUT, true},
	{NFPROTO_BRIDGE, "bridge", "postrouting", NF_BR_POST_ROUTING, true},
	{NFPROTO_INET, "inet", "prerouting", NF_INET_PRE_ROUTING, false},
	{NFPROTO_INET, "inet", "input", NF_INET_LOCAL_IN, false},
	{NFPROTO_INET, "inet", "output", NF_INET_LOCAL_OUT, true},
	{NFPROTO_INET, "inet", "postrouting", NF_INET_POST_ROUTING, true},
	{NFPROTO_ARP, "arp", "input", NF_ARP_IN, false},
	{NFPROTO_ARP, "arp", "output", NF_ARP_OUT, true},
};

static const uint16_t families[] = {NFPROTO_BRIDGE, NFPROTO_INET, NFPROTO_ARP};

static const char *family_name(uint32_t family)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(hooks); i++)
		if (hooks[i].family == family)
			return hooks[i].family_name;
	return "other";
}

/* A table of another family that has the name is not the guard's. */
static bool is_watched(uint32_t family)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(families); i++)
		if (families[i] == family)
			return true;
	return false;
}

static void close_socket(struct mnl_socket **socket)
{
	if (*socket)
		mnl_socket_close(*socket);
}

static void free_table(struct nftnl_table **table)
{
	if (*table)
		nftnl_table_free(*table);
}

static void free_chain(struct nftnl_chain **chain)
{
	if (*chain)
		nftnl_chain_free(*chain);
}

static void free_rule(struct nftnl_rule **rule)
{
	if (*rule)
		nftnl_rule_free(*rule);
}

static void free_note(struct nftnl_udata_buf **note)
{
	if (*note)
		nftnl_udata_buf_free(*note);
}

static int fail(char **error, int code, const char *what)
{
	*error = g_strdup_printf("--guard: %s: %s", what, g_strerror(-code));
	return code;
}

/* ------------------------------------------------------------------ the rules as objects */

static struct nftnl_chain *make_chain(const struct watched *hook, const char *table)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();

	nftnl_chain_set_u32(chain, NFTNL_CHAIN_FAMILY, hook->family);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, table);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, hook->chain);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter");
	nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, hook->hook);
	nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, PRIORITY);
	nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	return chain;
}

static void add_meta(struct nftnl_rule *rule, uint32_t key)
{
	struct nftnl_expr *expr = nftnl_expr_alloc("meta");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_DREG, NFT_REG_1);
	nftnl_rule_add_expr(rule, expr);
}

static void add_cmp(struct nftnl_rule *rule, uint32_t op, const void *data, size_t length)
{
	struct nftnl_expr *expr = nftnl_expr_alloc("cmp");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set(expr, NFTNL_EXPR_CMP_DATA, data, (uint32_t)length);
	nftnl_rule_add_expr(rule, expr);
}

/* A prefix is compared without what follows it, a name with its NUL and padding. */
static void add_pattern(struct nftnl_rule *rule, const char *pattern)
{
	char name[IFNAMSIZ] = "";
	size_t length = strlen(pattern);
	bool prefix = length && pattern[length - 1] == '*';

	g_strlcpy(name, pattern, sizeof(name));
	add_cmp(rule, NFT_CMP_EQ, name, prefix ? length - 1 : sizeof(name));
}

static struct nftnl_rule *make_rule(const struct watched *hook, const struct guard_table *table,
				    const char *pattern)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();
	struct nftnl_expr *verdict = nftnl_expr_alloc("immediate");

	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, hook->family);
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, table->name);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, hook->chain);
	add_meta(rule, hook->out ? NFT_META_OIFNAME : NFT_META_IIFNAME);
	add_pattern(rule, pattern);
	add_meta(rule, hook->out ? NFT_META_OIFGROUP : NFT_META_IIFGROUP);
	add_cmp(rule, NFT_CMP_NEQ, &table->group, sizeof(table->group));
	nftnl_rule_add_expr(rule, nftnl_expr_alloc("counter"));
	nftnl_expr_set_u32(verdict, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(verdict, NFTNL_EXPR_IMM_VERDICT, NF_DROP);
	nftnl_rule_add_expr(rule, verdict);
	return rule;
}

/* ------------------------------------------------------------------ in words */

/* "bridge" or "bridge input" -> GString; sorted by key when they are joined. */
struct words {
	GHashTable *parts;
	struct guard_counters counters;
	uint32_t group;
	const char *table; /* the one that it is about */
	uint32_t port;	   /* of the socket that owns it; 0: nobody */
};

static void free_text(void *text)
{
	g_string_free(text, TRUE);
}

static struct words words_new(const char *table, const struct mnl_socket *owner)
{
	return (struct words){
		.port = owner ? mnl_socket_get_portid(owner) : 0,
		.parts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_text),
		.table = table};
}

static void words_clear(struct words *words)
{
	g_hash_table_unref(words->parts);
}

static GString *part(struct words *words, const char *family, const char *chain)
{
	g_autofree char *key = g_strjoin(" ", family, chain, NULL);
	GString *text = g_hash_table_lookup(words->parts, key);

	if (!text) {
		text = g_string_new(NULL);
		g_hash_table_insert(words->parts, TAKE_PTR(key), text);
	}
	return text;
}

static void say_table(struct words *words, uint32_t family, uint32_t flags, uint32_t owner)
{
	const char *whose = "table, dormant or of somebody else\n";

	if (!flags)
		whose = "table\n";
	else if (flags == OURS && owner && owner == words->port)
		whose = "table of this rulesd\n";
	else if (flags == TABLE_PERSISTS)
		whose = "table of one that ended\n";
	g_string_prepend(part(words, family_name(family), NULL), whose);
}

static void say_chain(struct words *words, const struct nftnl_chain *chain)
{
	const char *type = nftnl_chain_get_str(chain, NFTNL_CHAIN_TYPE);
	g_autofree char *line = NULL;

	if (nftnl_chain_is_set(chain, NFTNL_CHAIN_HOOKNUM))
		line = g_strdup_printf("chain %s hook %u priority %d policy %u\n", type ? type : "",
				       nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM),
				       nftnl_chain_get_s32(chain, NFTNL_CHAIN_PRIO),
				       nftnl_chain_get_u32(chain, NFTNL_CHAIN_POLICY));
	else
		line = g_strdup("chain without a hook\n");
	g_string_prepend(part(words, family_name(nftnl_chain_get_u32(chain, NFTNL_CHAIN_FAMILY)),
			      nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME)),
			 line);
}

static int say_expression(struct nftnl_expr *expr, void *arg)
{
	const char *name = nftnl_expr_get_str(expr, NFTNL_EXPR_NAME);
	GString *text = arg;
	char buffer[256] = "";

	g_string_append_printf(text, " [%s", name);
	/* What has been counted is no difference. */
	if (strcmp(name, "counter") != 0) {
		nftnl_expr_snprintf(buffer, sizeof(buffer), expr, NFTNL_OUTPUT_DEFAULT, 0);
		g_string_append_printf(text, " %s", buffer);
	}
	g_string_append_c(text, ']');
	return 0;
}

static void say_rule(struct words *words, const struct nftnl_rule *rule)
{
	GString *text = part(words, family_name(nftnl_rule_get_u32(rule, NFTNL_RULE_FAMILY)),
			     nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN));

	g_string_append(text, "rule");
	nftnl_expr_foreach((struct nftnl_rule *)(uintptr_t)rule, say_expression, text);
	g_string_append_c(text, '\n');
}

static gint compare_keys(gconstpointer a, gconstpointer b)
{
	return strcmp(a, b);
}

static char *words_join(const struct words *words)
{
	g_autoptr(GString) all = g_string_new(NULL);
	GList *keys = g_list_sort(g_hash_table_get_keys(words->parts), compare_keys);

	for (const GList *at = keys; at; at = at->next) {
		const GString *text = g_hash_table_lookup(words->parts, at->data);

		g_string_append_printf(all, "%s: %s", (const char *)at->data, text->str);
	}
	g_list_free(keys);
	return g_strdup(all->str);
}

static char *table_text(const struct guard_table *table, uint32_t flags)
{
	CLEANUP(words_clear) struct words words = words_new(table->name, table->owner);

	for (unsigned int i = 0; i < G_N_ELEMENTS(families); i++)
		say_table(&words, families[i], flags, words.port);
	for (unsigned int i = 0; i < G_N_ELEMENTS(hooks); i++) {
		CLEANUP(free_chain)
		struct nftnl_chain *chain = make_chain(&hooks[i], table->name);

		for (unsigned int k = 0; k < table->count; k++) {
			CLEANUP(free_rule)
			struct nftnl_rule *rule = make_rule(&hooks[i], table, table->patterns[k]);

			say_rule(&words, rule);
		}
		say_chain(&words, chain);
	}
	return words_join(&words);
}

char *guard_table_text(const struct guard_table *table)
{
	return table_text(table, table->owner ? OURS : 0);
}

char *guard_table_orphan_text(const struct guard_table *table)
{
	return table_text(table, TABLE_PERSISTS);
}

/* ------------------------------------------------------------------ sockets */

static int open_socket(struct mnl_socket **socket)
{
	CLEANUP(close_socket)
	struct mnl_socket *opened = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	const struct timeval limit = {.tv_sec = ANSWER_SECS};
	int bytes = BATCH_BYTES;

	if (!opened || mnl_socket_bind(opened, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	setsockopt(mnl_socket_get_fd(opened), SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	setsockopt(mnl_socket_get_fd(opened), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	if (setsockopt(mnl_socket_get_fd(opened), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) <
	    0)
		return -errno;
	*socket = TAKE_PTR(opened);
	return 0;
}

int guard_table_own(struct mnl_socket **owner)
{
	return open_socket(owner);
}

void guard_table_disown(struct mnl_socket **owner)
{
	close_socket(owner);
	*owner = NULL;
}

/* ------------------------------------------------------------------ reading */

static int broken(void)
{
	errno = EPROTO;
	return MNL_CB_ERROR;
}

static int hear_table(const struct nlmsghdr *header, void *data)
{
	CLEANUP(free_table) struct nftnl_table *table = nftnl_table_alloc();
	struct words *words = data;

	if (guard_message_kind(header, words->table) == GUARD_MESSAGE_BROKEN ||
	    nftnl_table_nlmsg_parse(header, table) < 0)
		return broken();
	if (g_strcmp0(nftnl_table_get_str(table, NFTNL_TABLE_NAME), words->table) != 0 ||
	    !is_watched(nftnl_table_get_u32(table, NFTNL_TABLE_FAMILY)))
		return MNL_CB_OK;
	say_table(words, nftnl_table_get_u32(table, NFTNL_TABLE_FAMILY),
		  nftnl_table_get_u32(table, NFTNL_TABLE_FLAGS),
		  nftnl_table_get_u32(table, NFTNL_TABLE_OWNER));
	return MNL_CB_OK;
}

static int hear_chain(const struct nlmsghdr *header, void *data)
{
	CLEANUP(free_chain) struct nftnl_chain *chain = nftnl_chain_alloc();
	struct words *words = data;

	if (guard_message_kind(header, words->table) == GUARD_MESSAGE_BROKEN ||
	    nftnl_chain_nlmsg_parse(header, chain) < 0)
		return broken();
	if (g_strcmp0(nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE), words->table) == 0 &&
	    is_watched(nftnl_chain_get_u32(chain, NFTNL_CHAIN_FAMILY)))
		say_chain(words, chain);
	return MNL_CB_OK;
}

static int sum_expression(struct nftnl_expr *expr, void *arg)
{
	const char *name = nftnl_expr_get_str(expr, NFTNL_EXPR_NAME);
	struct words *words = arg;

	if (strcmp(name, "counter") == 0) {
		words->counters.packets += nftnl_expr_get_u64(expr, NFTNL_EXPR_CTR_PACKETS);
		words->counters.bytes += nftnl_expr_get_u64(expr, NFTNL_EXPR_CTR_BYTES);
	} else if (strcmp(name, "cmp") == 0 &&
		   nftnl_expr_get_u32(expr, NFTNL_EXPR_CMP_OP) == NFT_CMP_NEQ) {
		uint32_t length = 0;
		const void *value = nftnl_expr_get(expr, NFTNL_EXPR_CMP_DATA, &length);

		if (length == sizeof(words->group))
			memcpy(&words->group, value, length);
	}
	return 0;
}

static int hear_rule(const struct nlmsghdr *header, void *data)
{
	CLEANUP(free_rule) struct nftnl_rule *rule = nftnl_rule_alloc();
	const struct nfgenmsg *family = mnl_nlmsg_get_payload(header);
	struct words *words = data;
	enum guard_message kind = guard_message_kind(header, words->table);

	if (kind == GUARD_MESSAGE_OTHER)
		return MNL_CB_OK;
	if (kind == GUARD_MESSAGE_FOREIGN) {
		g_string_append(part(words, family_name(family->nfgen_family), NULL),
				"rule of somebody else\n");
		return MNL_CB_OK;
	}
	if (kind == GUARD_MESSAGE_BROKEN || nftnl_rule_nlmsg_parse(header, rule) < 0)
		return broken();
	say_rule(words, rule);
	nftnl_expr_foreach(rule, sum_expression, words);
	return MNL_CB_OK;
}

static int dump(struct mnl_socket *socket, uint16_t type, uint16_t family, mnl_cb_t hear,
		struct words *words)
{
	g_autofree char *buffer = g_malloc(MESSAGE_BYTES);
	struct nlmsghdr *request = nftnl_nlmsg_build_hdr(buffer, type, family, NLM_F_DUMP, type);
	unsigned int port = mnl_socket_get_portid(socket);
	int result = MNL_CB_OK;

	if (type == NFT_MSG_GETRULE)
		mnl_attr_put_strz(request, NFTA_RULE_TABLE, words->table);
	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	while (result > MNL_CB_STOP) {
		ssize_t length = mnl_socket_recvfrom(socket, buffer, MESSAGE_BYTES);

		if (length < 0)
			return -errno;
		result = mnl_cb_run(buffer, (size_t)length, type, port, hear, words);
	}
	return result < 0 ? -errno : 0;
}

/* The socket is new each time: what is left of a dump that was broken off goes with it. */
static int read_once(struct words *words)
{
	CLEANUP(close_socket) struct mnl_socket *socket = NULL;
	int code = open_socket(&socket);

	/* Rules of one table name are told of the first family only that has it. */
	for (unsigned int i = 0; !code && i < G_N_ELEMENTS(families); i++)
		code = dump(socket, NFT_MSG_GETRULE, families[i], hear_rule, words);
	if (!code)
		code = dump(socket, NFT_MSG_GETCHAIN, NFPROTO_UNSPEC, hear_chain, words);
	if (!code)
		code = dump(socket, NFT_MSG_GETTABLE, NFPROTO_UNSPEC, hear_table, words);
	return code;
}

int guard_table_read(const char *name, const struct mnl_socket *owner, char **text,
		     struct guard_counters *counters, uint32_t *group, char **error)
{
	int code = -EINTR;

	for (int i = 0; code == -EINTR && i < READ_ATTEMPTS; i++) {
		CLEANUP(words_clear) struct words words = words_new(name, owner);

		code = read_once(&words);
		if (code)
			continue;
		*text = words_join(&words);
		if (counters)
			*counters = words.counters;
		if (group)
			*group = words.group;
	}
	return code ? fail(error, code, "reading the nftables tables") : 0;
}

static int hear_generation(const struct nlmsghdr *header, void *data)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, header,
			  sizeof(struct nfgenmsg)) if (mnl_attr_get_type(attr) == NFTA_GEN_ID &&
						       mnl_attr_validate(attr, MNL_TYPE_U32) >= 0) *
		(uint32_t *)data = ntohl(mnl_attr_get_u32(attr));
	return MNL_CB_STOP;
}

int guard_table_generation(uint32_t *generation)
{
	CLEANUP(close_socket) struct mnl_socket *socket = NULL;
	char buffer[1024];
	struct nlmsghdr *request =
		nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETGEN, NFPROTO_UNSPEC, 0, 1);
	uint32_t found = 0;
	ssize_t length;
	int code = open_socket(&socket);

	if (code)
		return code;
	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
	if (length < 0 || mnl_cb_run(buffer, (size_t)length, 1, mnl_socket_get_portid(socket),
				     hear_generation, &found) < 0)
		return -errno;
	*generation = found;
	return 0;
}

/* ------------------------------------------------------------------ writing */

/* What a message of a batch is about, by its sequence number, for the error. */
struct batch {
	struct mnl_nlmsg_batch *messages;
	GPtrArray *about;
	struct nlmsghdr *last;
};

static void batch_clear(struct batch *batch)
{
	mnl_nlmsg_batch_stop(batch->messages);
	g_ptr_array_unref(batch->about);
}

static struct nlmsghdr *batch_add(struct batch *batch, uint16_t type, uint16_t family,
				  uint16_t flags, char *about)
{
	uint32_t sequence = batch->about->len;

	g_ptr_array_add(batch->about, about);
	batch->last = nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(batch->messages), type, family,
					    flags, sequence);
	return batch->last;
}

/* flags: 0 or OURS. */
static void add_tables(struct batch *batch, uint16_t type, const char *name, const char *instance,
		       uint32_t flags)
{
	CLEANUP(free_note)
	struct nftnl_udata_buf *note = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);
	g_autofree char *comment = g_strdup_printf("rulesd --guard of %.80s", instance);

	nftnl_udata_put_strz(note, NFTNL_UDATA_TABLE_COMMENT, comment);
	for (unsigned int i = 0; i < G_N_ELEMENTS(families); i++) {
		CLEANUP(free_table) struct nftnl_table *table = nftnl_table_alloc();

		nftnl_table_set_str(table, NFTNL_TABLE_NAME, name);
		if (type == NFT_MSG_NEWTABLE)
			nftnl_table_set_data(table, NFTNL_TABLE_USERDATA,
					     nftnl_udata_buf_data(note), nftnl_udata_buf_len(note));
		if (flags)
			nftnl_table_set_u32(table, NFTNL_TABLE_FLAGS, flags);
		nftnl_table_nlmsg_build_payload(
			batch_add(batch, type, families[i],
				  type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0,
				  g_strdup_printf("%s table", family_name(families[i]))),
			table);
		mnl_nlmsg_batch_next(batch->messages);
	}
}

static void add_chains(struct batch *batch, const struct guard_table *table)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(hooks); i++) {
		CLEANUP(free_chain)
		struct nftnl_chain *chain = make_chain(&hooks[i], table->name);

		nftnl_chain_nlmsg_build_payload(
			batch_add(batch, NFT_MSG_NEWCHAIN, hooks[i].family, NLM_F_CREATE,
				  g_strdup_printf("%s hook %s", hooks[i].family_name,
						  hooks[i].chain)),
			chain);
		mnl_nlmsg_batch_next(batch->messages);
	}
}

static void add_rules(struct batch *batch, const struct guard_table *table)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(hooks); i++) {
		for (unsigned int k = 0; k < table->count; k++) {
			CLEANUP(free_rule)
			struct nftnl_rule *rule = make_rule(&hooks[i], table, table->patterns[k]);

			nftnl_rule_nlmsg_build_payload(
				batch_add(batch, NFT_MSG_NEWRULE, hooks[i].family,
					  NLM_F_CREATE | NLM_F_APPEND,
					  g_strdup_printf("%s rule for %s", hooks[i].family_name,
							  table->patterns[k])),
				rule);
			mnl_nlmsg_batch_next(batch->messages);
		}
	}
}

/* What the first message that failed was about, and what can be done. */
static int refused(const struct batch *batch, uint32_t sequence, int code, char **error)
{
	const char *about = sequence < batch->about->len ? batch->about->pdata[sequence]
							 : (const char *)batch->about->pdata[0];
	const char *fix = "";

	if (code == -EOPNOTSUPP || code == -EAFNOSUPPORT || code == -EPROTONOSUPPORT)
		fix = g_str_has_prefix(about, "bridge")
			      ? "; the kernel needs nf_tables with the bridge family "
				"(CONFIG_NF_TABLES_BRIDGE)"
			      : "; the kernel needs nf_tables (CONFIG_NF_TABLES, "
				"CONFIG_NF_TABLES_INET, CONFIG_NF_TABLES_ARP; modprobe nf_tables)";
	else if (g_str_has_prefix(about, "bridge rule") && code == -ENOENT)
		fix = "; load what reads the device group there: modprobe nft_meta_bridge";
	else if (code == -EPERM)
		fix = "; it takes CAP_NET_ADMIN, and a table of that name that nobody else owns";
	*error = g_strdup_printf("--guard: the kernel refuses the nftables %s: %s%s", about,
				 g_strerror(-code), fix);
	return code;
}

/* Answers come in order; the last message asks for one in any case. */
static int hear_answers(struct mnl_socket *socket, const struct batch *batch, char **error)
{
	g_autofree char *buffer = g_malloc(MESSAGE_BYTES);
	const uint32_t last = batch->last->nlmsg_seq;

	for (;;) {
		ssize_t length = mnl_socket_recvfrom(socket, buffer, MESSAGE_BYTES);
		const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)buffer;
		int left = (int)length;

		if (length < 0)
			return fail(error, -errno, "writing the nftables tables");
		for (; mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left)) {
			const struct nlmsgerr *said = mnl_nlmsg_get_payload(header);

			if (header->nlmsg_type != NLMSG_ERROR ||
			    mnl_nlmsg_get_payload_len(header) < sizeof(*said))
				continue;
			if (said->error)
				return refused(batch, header->nlmsg_seq, said->error, error);
			if (header->nlmsg_seq == last)
				return 0;
		}
	}
}

/* Of an earlier write that failed: its other messages were answered, too. */
static void throw_away_answers(struct mnl_socket *socket)
{
	char buffer[1024];

	while (recv(mnl_socket_get_fd(socket), buffer, sizeof(buffer), MSG_DONTWAIT) >= 0 ||
	       errno == ENOBUFS)
		;
}

/* What add puts into one transaction: all of it, or nothing. */
static int commit(const char *name, const struct guard_table *table,
		  void (*add)(struct batch *batch, const char *name,
			      const struct guard_table *table),
		  char **error)
{
	CLEANUP(close_socket) struct mnl_socket *own = NULL;
	struct mnl_socket *socket = table ? table->owner : NULL;
	g_autofree char *buffer = g_malloc0(2 * BATCH_BYTES);
	CLEANUP(batch_clear)
	struct batch batch = {.messages = mnl_nlmsg_batch_start(buffer, BATCH_BYTES),
			      .about = g_ptr_array_new_with_free_func(g_free)};
	int code = socket ? 0 : open_socket(&own);

	if (code)
		return fail(error, code,
			    "the kernel has no nfnetlink (CONFIG_NETFILTER_NETLINK; modprobe "
			    "nfnetlink nf_tables)");
	socket = socket ? socket : own;
	throw_away_answers(socket);
	g_ptr_array_add(batch.about, g_strdup("transaction"));
	nftnl_batch_begin(mnl_nlmsg_batch_current(batch.messages), 0);
	mnl_nlmsg_batch_next(batch.messages);
	add(&batch, name, table);
	batch.last->nlmsg_flags |= NLM_F_ACK;
	nftnl_batch_end(mnl_nlmsg_batch_current(batch.messages), batch.about->len);
	mnl_nlmsg_batch_next(batch.messages);
	if (mnl_socket_sendto(socket, mnl_nlmsg_batch_head(batch.messages),
			      mnl_nlmsg_batch_size(batch.messages)) < 0)
		return fail(error, -errno, "writing the nftables tables");
	return hear_answers(socket, &batch, error);
}

static uint32_t flags_of(const struct guard_table *table)
{
	return table->owner ? OURS : 0;
}

/* To delete what may not be there: it is made first, if need be. */
static void add_removal(struct batch *batch, const char *name, const struct guard_table *table)
{
	add_tables(batch, NFT_MSG_NEWTABLE, name, table ? table->instance : "", 0);
	add_tables(batch, NFT_MSG_DELTABLE, name, "", 0);
}

static void add_whole(struct batch *batch, const char *name, const struct guard_table *table)
{
	add_removal(batch, name, table);
	add_tables(batch, NFT_MSG_NEWTABLE, name, table->instance, flags_of(table));
	add_chains(batch, table);
	add_rules(batch, table);
}

static void add_adoption(struct batch *batch, const char *name, const struct guard_table *table)
{
	add_tables(batch, NFT_MSG_NEWTABLE, name, table->instance, flags_of(table));
}

int guard_table_write(const struct guard_table *table, char **error)
{
	return commit(table->name, table, add_whole, error);
}

int guard_table_adopt(const struct guard_table *table, char **error)
{
	return commit(table->name, table, add_adoption, error);
}

int guard_table_remove(const char *name, char **error)
{
	g_autofree char *text = NULL;
	int code = guard_table_read(name, NULL, &text, NULL, NULL, error);

	/* A kernel without nf_tables has no table. */
	if (code == -EPROTONOSUPPORT || code == -EOPNOTSUPP || code == -EAFNOSUPPORT ||
	    code == -EINVAL) {
		g_clear_pointer(error, g_free);
		return 0;
	}
	return code || !*text ? code : commit(name, NULL, add_removal, error);
}
