/* SPDX-License-Identifier: GPL-2.0-or-later */
/* top_rows.c - counters to rates. See top.h. */
#include <stdint.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/top.h"
#include "rulesd/cleanup.h"

struct top_look {
	enum top_view view;
	gint64 at_us; /* monotonic */
	json_t *answer;
	GHashTable *rows; /* identity -> json_t, borrowed from answer or own */
	GPtrArray *own;	  /* json_t that rows refers to */
};

static char *cell_rate(const json_t *row, const json_t *value)
{
	(void)row;
	return json_is_number(value) ? g_strdup_printf("%.0f", json_number_value(value))
				     : g_strdup("-");
}

static char *cell_bits(const json_t *row, const json_t *value)
{
	static const char units[] = " KMGT";
	double bits = json_number_value(value) * 8;
	unsigned int unit = 0;

	(void)row;
	if (!json_is_number(value))
		return g_strdup("-");
	while (bits >= 1000 && units[unit + 1]) {
		bits /= 1000;
		unit++;
	}
	return unit ? g_strdup_printf("%.1f%c", bits, units[unit]) : g_strdup_printf("%.0f", bits);
}

static const struct column interface_columns[] = {
	{"INTERFACE", "interface", NULL, 0},
	{"IN-PPS", "in_packets", cell_rate, COLUMN_RIGHT},
	{"IN-BPS", "in_bytes", cell_bits, COLUMN_RIGHT},
	{"OUT-PPS", "out_packets", cell_rate, COLUMN_RIGHT},
	{"OUT-BPS", "out_bytes", cell_bits, COLUMN_RIGHT},
	{"DROP-PPS", "dropped", cell_rate, COLUMN_RIGHT},
	{"FLOWS", "flows", NULL, COLUMN_RIGHT},
	{0},
};

static const struct column drop_columns[] = {
	{"INTERFACE", "interface", NULL, 0},
	{"REASON", "reason", NULL, 0},
	{"PPS", "rate", cell_rate, COLUMN_RIGHT},
	{"TOTAL", "packets", NULL, COLUMN_RIGHT},
	{0},
};

static const struct column flow_columns[] = {
	{"INTERFACE", "interface", NULL, 0},
	{"PROTO", "protocol", NULL, 0},
	{"SRC", "from", NULL, 0},
	{"DST", "to", NULL, 0},
	{"STATE", "state", NULL, 0},
	{"BPS", "rate", cell_bits, COLUMN_RIGHT},
	{"BYTES", "bytes", table_cell_bytes, COLUMN_RIGHT},
	{"RULE", "rule", NULL, COLUMN_RULE},
	{0},
};

const struct top_subject top_subjects[TOP_VIEWS] = {
	[TOP_INTERFACES] = {"interfaces", interface_columns, "in_bytes"},
	[TOP_DROPS] = {"drops", drop_columns, "rate"},
	[TOP_FLOWS] = {"flows", flow_columns, "rate"},
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static json_int_t counter(const json_t *stats, const char *what, const char *direction,
			  const char *unit)
{
	return json_integer_value(
		json_object_get(json_object_get(json_object_get(stats, what), direction), unit));
}

/* ---------------------------------------------------------------- what was seen, by identity */

static void remember(struct top_look *look, char *identity, json_t *row)
{
	g_ptr_array_add(look->own, row);
	g_hash_table_replace(look->rows, identity, row);
}

static void see_interface(struct top_look *look, const json_t *stats)
{
	json_t *row =
		json_pack("{ss sI sI sI sI sI sO?}", "interface", text_of(stats, "interface"),
			  "in_packets", counter(stats, "allowed", "ingress", "packets"), "in_bytes",
			  counter(stats, "allowed", "ingress", "bytes"), "out_packets",
			  counter(stats, "allowed", "egress", "packets"), "out_bytes",
			  counter(stats, "allowed", "egress", "bytes"), "dropped",
			  counter(stats, "dropped", "ingress", "packets") +
				  counter(stats, "dropped", "egress", "packets"),
			  "flows", json_object_get(stats, "flows"));

	remember(look, g_strdup(text_of(stats, "interface")), row);
}

static void see_drops(struct top_look *look, const json_t *stats)
{
	json_t *drops = json_object_get(stats, "drops");
	const char *reason;
	json_t *packets;

	json_object_foreach (drops, reason, packets)
		remember(look, g_strdup_printf("%s %s", text_of(stats, "interface"), reason),
			 json_pack("{ss ss sO sO}", "interface", text_of(stats, "interface"),
				   "reason", reason, "rate", packets, "packets", packets));
}

static char *end_of(const json_t *flow, const char *address, const char *port)
{
	const char *text = text_of(flow, address);
	json_int_t number = json_integer_value(json_object_get(flow, port));

	return g_strdup_printf(strchr(text, ':') ? "[%s]:%d" : "%s:%d", text, (int)number);
}

static void see_flow(struct top_look *look, const json_t *flow)
{
	g_autofree char *from = end_of(flow, "src", "sport"), *to = end_of(flow, "dst", "dport");
	char *identity =
		g_strdup_printf("%s %s %s %s %s", text_of(flow, "interface"),
				text_of(flow, "direction"), text_of(flow, "protocol"), from, to);

	remember(look, identity,
		 json_pack("{ss ss ss ss ss sO sO sO}", "interface", text_of(flow, "interface"),
			   "protocol", text_of(flow, "protocol"), "from", from, "to", to, "state",
			   text_of(flow, "state"), "rate", json_object_get(flow, "bytes"), "bytes",
			   json_object_get(flow, "bytes"), "rule", json_object_get(flow, "rule")));
}

static void free_json(void *json)
{
	json_decref(json);
}

int top_look(const struct args *args, enum top_view view, struct top_look **look, struct diag *diag)
{
	const char *path = view == TOP_FLOWS ? "/v1/flows" : "/v1/stats";
	json_t *answer = NULL;
	struct top_look *made;
	const json_t *object;
	size_t i;
	int error = client_request(args, "GET", path, NULL, &answer, NULL, diag);

	if (error)
		return error;
	made = g_new0(struct top_look, 1);
	made->view = view;
	made->at_us = g_get_monotonic_time();
	made->answer = answer;
	made->rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	made->own = g_ptr_array_new_with_free_func(free_json);
	json_array_foreach (answer, i, object) {
		if (view == TOP_FLOWS)
			see_flow(made, object);
		else if (view == TOP_DROPS)
			see_drops(made, object);
		else
			see_interface(made, object);
	}
	*look = made;
	return 0;
}

void top_look_free(struct top_look **look)
{
	struct top_look *freed = TAKE_PTR(*look);

	if (!freed)
		return;
	g_hash_table_unref(freed->rows);
	g_ptr_array_unref(freed->own);
	json_decref(freed->answer);
	g_free(freed);
}

/* ---------------------------------------------------------------- rates */

static const char *const rate_keys[] = {"in_packets", "in_bytes", "out_packets",
					"out_bytes",  "dropped",  "rate"};

static json_t *row_of(const json_t *before, const json_t *now, double seconds)
{
	json_t *row = json_copy((json_t *)(uintptr_t)now);

	for (size_t i = 0; i < G_N_ELEMENTS(rate_keys); i++) {
		const json_t *value = json_object_get(now, rate_keys[i]);
		/* What was not there before began meanwhile; a counter that fell began anew. */
		double old = json_number_value(json_object_get(before, rate_keys[i]));
		double difference = json_number_value(value) - old;

		if (!value)
			continue;
		json_object_set_new(row, rate_keys[i],
				    seconds > 0 ? json_real(MAX(difference, 0) / seconds)
						: json_null());
	}
	return row;
}

static gint by_key(gconstpointer a, gconstpointer b, gpointer key)
{
	const json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;
	const json_t *one = json_object_get(left, key), *other = json_object_get(right, key);

	if (json_is_string(one) && json_is_string(other))
		return strcmp(json_string_value(one), json_string_value(other));
	if (json_number_value(one) != json_number_value(other))
		return json_number_value(one) > json_number_value(other) ? -1 : 1;
	return strcmp(text_of(left, "interface"), text_of(right, "interface"));
}

json_t *top_rows(const struct top_look *before, const struct top_look *now, const char *sort)
{
	double seconds = before ? (double)(now->at_us - before->at_us) / G_USEC_PER_SEC : 0;
	g_autoptr(GPtrArray) rows = g_ptr_array_new();
	json_t *sorted = json_array();
	GHashTableIter iter;
	gpointer identity, row;

	g_hash_table_iter_init(&iter, now->rows);
	while (g_hash_table_iter_next(&iter, &identity, &row))
		g_ptr_array_add(rows,
				row_of(before ? g_hash_table_lookup(before->rows, identity) : NULL,
				       row, seconds));
	g_ptr_array_sort_with_data(rows, by_key, (gpointer)(uintptr_t)sort);
	for (guint i = 0; i < rows->len; i++)
		json_array_append_new(sorted, rows->pdata[i]);
	return sorted;
}
