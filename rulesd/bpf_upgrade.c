/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_upgrade.c - links for an interface that began with tc filters, made by a thread: each waits
 * for a grace period, and the event loop does not.
 *
 * One interface at a time: the kernel makes such links one after the other anyway. Whoever touches
 * the hooks of that interface meanwhile waits for the thread first.
 */
#include "rulesd/bpf_internal.h"

#include "rulesd/cleanup.h"

struct upgrading {
	struct dataplane *dataplane; /* for its turn only */
	GThread *thread;
	gint cancel;
	uint32_t slot, ifindex;
	unsigned int count;
	struct {
		enum hook_place place;
		int program; /* borrowed */
		char *path;
	} links[2];
	GSourceFunc done;
	void *arg;
};

/* What fails here is tried again, and told, when the interface is attached again after it. */
static gpointer make_links(gpointer arg)
{
	struct upgrading *own = arg;
	int code = 0;

	for (unsigned int i = 0; !code && i < own->count; i++) {
		if (!reap_turn(own->dataplane, &own->cancel))
			break;
		code = hooks_create_link(own->links[i].program, own->ifindex, own->links[i].place,
					 0, own->links[i].path, NULL);
		g_rec_mutex_unlock(&own->dataplane->hooks_turn);
	}
	g_idle_add(own->done, own->arg);
	return NULL;
}

void upgrade_join(struct dataplane *dataplane, uint32_t slot)
{
	struct upgrading *own = dataplane->upgrading;

	if (!own || (slot && own->slot != slot))
		return;
	g_atomic_int_set(&own->cancel, 1);
	g_thread_join(own->thread);
	for (unsigned int i = 0; i < own->count; i++)
		g_free(own->links[i].path);
	g_clear_pointer(&dataplane->upgrading, g_free);
}

int dataplane_upgrade(struct dataplane *dataplane, const struct dataplane_request *request,
		      GSourceFunc done, void *arg, char **error)
{
	struct hooks_wish wish = {.device = request->iface->device,
				  .slot = request->iface->slot,
				  .ifindex = request->ifindex,
				  .hook = request->iface->hook,
				  .vnet_hdr = request->vnet_hdr};
	enum hook_place missing[2];
	unsigned int count = 0;
	struct upgrading *own;
	int code;

	upgrade_join(dataplane, 0);
	code = hooks_missing(dataplane, &wish, missing, &count, error);
	if (code)
		return code;
	own = g_new0(struct upgrading, 1);
	own->dataplane = dataplane;
	own->slot = wish.slot;
	own->ifindex = wish.ifindex;
	own->done = done;
	own->arg = arg;
	for (own->count = 0; own->count < count; own->count++) {
		own->links[own->count].place = missing[own->count];
		own->links[own->count].program =
			dataplane->program[hooks_program(missing[own->count])];
		own->links[own->count].path =
			hooks_link_path(dataplane, wish.slot, missing[own->count]);
	}
	dataplane->upgrading = own;
	own->thread = g_thread_new("upgrade", make_links, own);
	return 0;
}
