/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace_offline.c - see trace_offline.h. */
#include "ctl/trace_offline.h"

#include <string.h>

#include "ctl/policy_files.h"
#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "rulesd/eval.h"
#include "rulesd/nearest.h"
#include "rulesd/numbers.h"

static void each_interface(struct model *model, void (*visit)(struct model_interface *, void *),
			   void *arg)
{
	GHashTableIter networks, interfaces;
	void *network, *iface;

	g_hash_table_iter_init(&networks, model->networks);
	while (g_hash_table_iter_next(&networks, NULL, &network)) {
		g_hash_table_iter_init(&interfaces, ((struct model_network *)network)->interfaces);
		while (g_hash_table_iter_next(&interfaces, NULL, &iface))
			visit(iface, arg);
	}
}

static void offer(struct model_interface *iface, void *nearest)
{
	nearest_offer(nearest, iface->id);
}

static int unknown_interface(struct model *model, const char *id, struct diag *diag)
{
	g_autofree char *fix = NULL;
	struct nearest nearest;

	nearest = nearest_new(id);
	each_interface(model, offer, &nearest);
	if (nearest.best)
		fix = g_strdup_printf("did you mean %s?", nearest.best);
	diag_add(diag, "unknown-interface", (struct place){0}, NULL, fix,
		 "the policy has no interface %s", id);
	return -ENOENT;
}

/* The compiler makes an image_iface of every interface with a device here: that shall be the traced
 * one alone. */
static void keep_device_of(struct model_interface *iface, void *traced)
{
	if (iface == traced) {
		if (!iface->device)
			iface->device = g_strdup("traced");
		g_free(TAKE_PTR(iface->host));
	} else {
		g_free(TAKE_PTR(iface->device));
	}
}

static int trace_model(struct model *model, const char *id, const struct eval_packet *packet,
		       json_t **result, struct diag *diag)
{
	CLEANUP(numbers_free) struct numbers *numbers = numbers_new();
	CLEANUP(image_free) struct image *image = NULL;
	CLEANUP(trace_free) struct trace *trace = NULL;
	int error = compile_image(model, numbers, NULL, "", &image, diag);

	if (error)
		return error;
	trace = trace_packet(model, image, numbers, id, packet);
	*result = trace_to_json(trace, id, packet->direction);
	return 0;
}

int trace_offline(const GPtrArray *paths, const char *host, const json_t *request, json_t **trace,
		  struct diag *diag)
{
	CLEANUP(model_free) struct model *model = NULL;
	g_autofree char *id = NULL;
	struct eval_packet packet = {0};
	struct model_interface *iface;
	int error = trace_packet_from_json(request, &id, &packet, diag);

	if (!error)
		error = policy_files_load(paths, &model, diag);
	if (error)
		return error;
	iface = model_interface(model, id);
	if (!iface)
		return unknown_interface(model, id, diag);
	if (host && iface->host && strcmp(host, iface->host) != 0) {
		diag_add(diag, "remote", (struct place){0}, NULL, NULL,
			 "interface %s belongs to host %s: %s does not filter it", id, iface->host,
			 host);
		return -EINVAL;
	}
	each_interface(model, keep_device_of, iface);
	return trace_model(model, id, &packet, trace, diag);
}
