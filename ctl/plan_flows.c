/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan_flows.c - which live flows a policy would cut, and the rule that each loses. See plan.h. */
#include <stdlib.h>
#include <string.h>

#include "ctl/plan.h"
#include "rulesd/addr.h"
#include "rulesd/cleanup.h"
#include "rulesd/eval.h"
#include "rulesd/names.h"

/* The packet that would open the flow now; false when the daemon's answer is not understood. */
static bool packet_of(const json_t *flow, struct eval_packet *packet)
{
	const char *direction = NULL, *protocol = NULL, *src = NULL, *dst = NULL;
	int sport = 0, dport = 0;

	*packet = (struct eval_packet){0};
	if (json_unpack((json_t *)(uintptr_t)flow, "{s:s, s:s, s:s, s:s}", "direction", &direction,
			"protocol", &protocol, "src", &src, "dst", &dst) ||
	    dir_parse(direction, &packet->direction) ||
	    protocol_parse(protocol, &packet->protocol) || addr_parse(src, &packet->src) ||
	    addr_parse(dst, &packet->dst))
		return false;
	sport = (int)json_integer_value(json_object_get(flow, "sport"));
	dport = (int)json_integer_value(json_object_get(flow, "dport"));
	if (protocol_is_icmp(packet->protocol)) {
		packet->icmp_type = (uint8_t)dport; /* sport is the identifier */
	} else {
		packet->sport = (uint16_t)sport;
		packet->dport = (uint16_t)dport;
	}
	return true;
}

static gint by_interface(gconstpointer a, gconstpointer b)
{
	const json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;

	return g_strcmp0(json_string_value(json_object_get(left, "interface")),
			 json_string_value(json_object_get(right, "interface")));
}

static bool still_allowed(struct offline *after, const json_t *flow)
{
	CLEANUP(diag_free) struct diag *gone = diag_new();
	const char *id = json_string_value(json_object_get(flow, "interface"));
	struct offline_compiled compiled;
	struct eval_packet packet;

	if (!id || offline_compile(after, id, &compiled, gone))
		return false;
	if (!packet_of(flow, &packet))
		return true;
	return !sg_reason_is_drop(eval_packet(compiled.image,
					      image_iface(compiled.image, compiled.iface->id),
					      &packet)
					  .reason);
}

int plan_flows(struct offline *after, const json_t *flows, json_t *cut, struct diag *diag)
{
	g_autoptr(GPtrArray) sorted = g_ptr_array_new();
	json_t *flow;
	size_t i;

	if (!json_is_array(flows)) {
		diag_add(diag, "protocol", (struct place){0}, NULL, NULL,
			 "rulesd's answer to GET /v1/flows is not understood");
		return -EPROTO;
	}
	json_array_foreach (flows, i, flow)
		g_ptr_array_add(sorted, flow);
	/* Each interface is compiled once. */
	g_ptr_array_sort(sorted, by_interface);
	for (guint k = 0; k < sorted->len; k++)
		if (!still_allowed(after, sorted->pdata[k]))
			json_array_append(cut, sorted->pdata[k]);
	return 0;
}
