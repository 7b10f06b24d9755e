/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_hooks.c - our programs on one device: XDP and tcx links (pinned, so that they outlive us), tc
 * filters where the kernel has no tcx.
 *
 * What the VM sends arrives at the device's receive side ("egress" here, as the VM sees it), what
 * it is sent leaves through the device's transmit side ("ingress"). XDP exists for the first only.
 *
 * kernel/bpf/tcx.c: to create or remove a tcx link waits for an RCU grace period (8 to 16 ms at 250
 * Hz) with the kernel's one rtnl lock held, so threads cannot do it side by side. Filters do not
 * wait. Many devices at once therefore begin with filters (`quick`), and links take over later, one
 * by one, from a thread (bpf_upgrade.c). That has its price, which a few devices do not pay: until
 * the filter is off, link and filter both judge and count a frame, and where a qdisc was made for
 * filters, its coming and going stops the device's queue for a moment (net/sched/sch_api.c,
 * qdisc_graft: dev_deactivate), which loses frames to the VM.
 *
 * Long because looking, putting on and taking off are about the same five places.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/names.h"

#define ATTACH_BEFORE (1u << 3) /* BPF_F_BEFORE without a relative: ahead of all others */

static const struct {
	const char *name;
	enum bpf_program_id program;
	int attach_type; /* of a link; -1: a tc filter */
	const char *pin; /* SLOT-pin under links/ */
	enum sg_dir dir; /* of a filter */
} places[PLACES] = {
	[PLACE_XDP] = {"xdp", PROGRAM_XDP, BPF_XDP, "xdp", SG_EGRESS},
	[PLACE_TCX_EGRESS] = {"tcx ingress", PROGRAM_TC_EGRESS, ATTACH_TCX_INGRESS, "egress",
			      SG_EGRESS},
	[PLACE_TCX_INGRESS] = {"tcx egress", PROGRAM_TC_INGRESS, ATTACH_TCX_EGRESS, "ingress",
			       SG_INGRESS},
	[PLACE_TC_EGRESS] = {"tc ingress", PROGRAM_TC_EGRESS, -1, NULL, SG_EGRESS},
	[PLACE_TC_INGRESS] = {"tc egress", PROGRAM_TC_INGRESS, -1, NULL, SG_INGRESS},
};

static bool is_link(enum hook_place place)
{
	return places[place].attach_type >= 0;
}

/* ------------------------------------------------------------------ asking the kernel */

/* What is there of ours. The descriptors are those of the pinned links. */
struct found {
	int fd[PLACES];		  /* -1: no such pin */
	uint32_t program[PLACES]; /* which runs there, on this device of this namespace; 0: none */
};

static void found_clear(struct found *found)
{
	for (enum hook_place place = 0; place < PLACES; place++)
		cleanup_fd(&found->fd[place]);
}

char *hooks_link_path(const struct dataplane *dataplane, uint32_t slot, enum hook_place place)
{
	g_autofree char *name = g_strdup_printf("%u-%s", slot, places[place].pin);

	return pin_path(dataplane, "links", name);
}

enum bpf_program_id hooks_program(enum hook_place place)
{
	return places[place].program;
}

bool hooks_have_tcx(void)
{
	uint32_t ids[64];
	LIBBPF_OPTS(bpf_prog_query_opts, options, .prog_ids = ids, .prog_cnt = 64);
	/* The loopback device is in every namespace, and its number is 1. */
	int code = bpf_prog_query_opts(1, ATTACH_TCX_INGRESS, &options);

	return !code || code == -ENOSPC || code == -E2BIG;
}

/*
 * Whether the device with that number in this namespace runs that program there. A link tells its
 * ifindex only, which another namespace may have too, so the device is asked.
 */
static int device_runs(uint32_t ifindex, enum hook_place place, uint32_t id,
		       const struct device_view *view, bool *runs)
{
	uint32_t ids[64] = {};
	LIBBPF_OPTS(bpf_prog_query_opts, query, .prog_ids = ids, .prog_cnt = 64);
	int code;

	*runs = false;
	if (!id || !view)
		return 0;
	if (place == PLACE_XDP) {
		*runs = view->xdp[0] == id || view->xdp[1] == id || view->xdp[2] == id;
		return 0;
	}
	code = bpf_fault(CALL_PROG_QUERY, places[place].name);
	if (!code)
		code = bpf_prog_query_opts((int)ifindex, places[place].attach_type, &query);
	if (code)
		return code == -ENODEV || code == -EINVAL ? 0 : code;
	for (uint32_t i = 0; i < MIN(query.prog_cnt, 64u); i++)
		*runs |= ids[i] == id;
	return 0;
}

/* -1 without an error when there is no such pin. */
static int open_pin(const char *path, int *fd, char **error)
{
	int code = bpf_fault(CALL_OBJ_GET, path), opened = -1;

	if (!code) {
		opened = bpf_obj_get(path);
		code = opened < 0 && errno != ENOENT ? -errno : 0;
	}
	if (code)
		return bpf_fail(error, code, "%s: bpf(OBJ_GET)", path);
	*fd = opened;
	return 0;
}

static int look_at_link(const struct dataplane *dataplane, uint32_t slot, uint32_t ifindex,
			enum hook_place place, const struct device_view *view, struct found *found,
			char **error)
{
	g_autofree char *path = hooks_link_path(dataplane, slot, place);
	struct bpf_link_info info = {};
	__u32 length = sizeof(info);
	bool runs = false;
	int code = open_pin(path, &found->fd[place], error);

	if (code || found->fd[place] < 0)
		return code;
	code = bpf_fault(CALL_INFO, path);
	if (!code && bpf_obj_get_info_by_fd(found->fd[place], &info, &length))
		code = -errno;
	if (!code && ifindex)
		code = device_runs(ifindex, place, info.prog_id, view, &runs);
	if (code)
		return bpf_fail(error, code, "%s: asking whether the link is on its device", path);
	found->program[place] = runs ? info.prog_id : 0;
	return 0;
}

/*
 * Everything of ours on a device. view: what rtnetlink says of it; NULL: there is no such device in
 * this namespace.
 */
static int look(const struct dataplane *dataplane, uint32_t slot, uint32_t ifindex,
		const struct device_view *view, struct found *found, char **error)
{
	int code = 0;

	for (enum hook_place place = 0; place < PLACES; place++) {
		cleanup_fd(&found->fd[place]);
		found->fd[place] = -1;
		found->program[place] = 0;
	}
	for (enum hook_place place = 0; !code && place < PLACES; place++) {
		if (is_link(place)) {
			code = look_at_link(dataplane, slot, ifindex, place, view, found, error);
		} else if (ifindex && view && view->clsact) {
			code = filter_look(ifindex, places[place].dir, &found->program[place]);
			if (code)
				bpf_fail(error, code, "ifindex %u: asking for its filters",
					 ifindex);
		}
	}
	return code;
}

/* Both directions are filtered; by which hook. */
static bool is_live(const struct found *found, enum model_hook *used)
{
	if (found->program[PLACE_XDP])
		*used = MODEL_HOOK_XDP;
	else if (found->program[PLACE_TCX_EGRESS])
		*used = MODEL_HOOK_TCX;
	else if (found->program[PLACE_TC_EGRESS])
		*used = MODEL_HOOK_TC;
	else
		return false;
	return found->program[PLACE_TCX_INGRESS] || found->program[PLACE_TC_INGRESS];
}

/* Asks rtnetlink where the caller has not; *view is NULL when there is no such device. */
static int view_device(uint32_t ifindex, struct device_view *own, const struct device_view **view,
		       char **error)
{
	int code = ifindex ? device_look(ifindex, own) : -ENODEV;

	*view = code ? NULL : own;
	if (!code || code == -ENODEV)
		return 0;
	return bpf_fail(error, code, "ifindex %u: asking for its programs", ifindex);
}

int hooks_look(struct dataplane *dataplane, uint32_t slot, uint32_t ifindex, GHashTable *views,
	       struct hooks_seen *seen, char **error)
{
	CLEANUP(found_clear) struct found found = {.fd = {-1, -1, -1, -1, -1}};
	const struct device_view *view = NULL;
	struct device_view own;
	int code = 0;

	if (views)
		view = g_hash_table_lookup(views, GUINT_TO_POINTER(ifindex));
	else
		code = view_device(ifindex, &own, &view, error);
	if (!code)
		code = look(dataplane, slot, ifindex, view, &found, error);
	if (code)
		return code;
	*seen = (struct hooks_seen){0};
	seen->live = is_live(&found, &seen->used);
	for (enum hook_place place = 0; place < PLACES; place++)
		seen->any |= found.program[place] != 0;
	for (enum hook_place place = 0; place < PLACES; place++)
		seen->pinned |= found.fd[place] >= 0;
	return 0;
}

static bool lacks_pin(const struct dataplane *dataplane, uint32_t slot, enum hook_place place)
{
	g_autofree char *path = hooks_link_path(dataplane, slot, place);

	return access(path, F_OK) && errno == ENOENT;
}

static void add_missing(const struct dataplane *dataplane, uint32_t slot, enum hook_place place,
			const char *joint, GString *text)
{
	g_autofree char *path = hooks_link_path(dataplane, slot, place);

	g_string_append_printf(text, "%s%s", text->len ? joint : "", path);
}

char *dataplane_missing_pins(const struct dataplane *dataplane, uint32_t slot, enum model_hook hook)
{
	GString *text = g_string_new(NULL);
	bool lacks_xdp, lacks_tcx;

	if (hook != MODEL_HOOK_TC && dataplane->tcx &&
	    lacks_pin(dataplane, slot, PLACE_TCX_INGRESS))
		add_missing(dataplane, slot, PLACE_TCX_INGRESS, "", text);
	lacks_xdp = lacks_pin(dataplane, slot, PLACE_XDP);
	lacks_tcx = lacks_pin(dataplane, slot, PLACE_TCX_EGRESS);
	/* Which of the two it was, if it had one, was for the device to say. */
	if (hook == MODEL_HOOK_AUTO && dataplane->tcx && lacks_xdp && lacks_tcx) {
		add_missing(dataplane, slot, PLACE_XDP, " and ", text);
		add_missing(dataplane, slot, PLACE_TCX_EGRESS, " or ", text);
	}
	if (hook == MODEL_HOOK_XDP && lacks_xdp)
		add_missing(dataplane, slot, PLACE_XDP, " and ", text);
	if (hook == MODEL_HOOK_TCX && lacks_tcx)
		add_missing(dataplane, slot, PLACE_TCX_EGRESS, " and ", text);
	return g_string_free(text, !text->len);
}

int hooks_compare(struct dataplane *dataplane, uint32_t slot, GHashTable *views,
		  hooks_differ_fn each, void *arg, char **error)
{
	CLEANUP(found_clear) struct found found = {.fd = {-1, -1, -1, -1, -1}};
	const struct held_slot *held = &dataplane->held[slot];
	bool filters = held->hook == MODEL_HOOK_TC, links = dataplane->tcx && !filters;
	const struct device_view *view =
		g_hash_table_lookup(views, GUINT_TO_POINTER(held->ifindex));
	enum model_hook used = MODEL_HOOK_AUTO;
	struct device_view own;
	int code = look(dataplane, slot, held->ifindex, view, &found, error);

	/* What was told of all devices a while ago may be old by now. */
	if (!code && !is_live(&found, &used)) {
		code = view_device(held->ifindex, &own, &view, error);
		if (!code)
			code = look(dataplane, slot, held->ifindex, view, &found, error);
	}
	/* A device that is gone takes its programs with it; rtnetlink is about to say so. */
	if (code || !view)
		return code;
	/* Filters stand in for links, or it is not known yet what shall be there. */
	if (held->quick || held->hook == MODEL_HOOK_AUTO) {
		if (!is_live(&found, &used))
			each("both directions", dataplane->program_id[PROGRAM_TC_INGRESS], 0, arg);
		return 0;
	}
	for (enum hook_place place = 0; place < PLACES; place++) {
		bool wanted = place == PLACE_XDP	   ? held->hook == MODEL_HOOK_XDP
			      : place == PLACE_TCX_EGRESS  ? held->hook == MODEL_HOOK_TCX
			      : place == PLACE_TCX_INGRESS ? links
			      : place == PLACE_TC_EGRESS   ? filters
							   : !links;
		uint32_t expected = wanted ? dataplane->program_id[places[place].program] : 0;

		if (found.program[place] != expected)
			each(places[place].name, expected, found.program[place], arg);
	}
	return 0;
}

/* ------------------------------------------------------------------ putting on, taking off */

static int unpin(const char *path, char **error)
{
	int code = bpf_fault(CALL_UNPIN, path);

	if (!code && unlink(path) && errno != ENOENT)
		code = -errno;
	return code ? bpf_fail(error, code, "%s: unlink", path) : 0;
}

static int take_off_link(struct dataplane *dataplane, uint32_t slot, enum hook_place place, int fd,
			 char **error)
{
	g_autofree char *path = hooks_link_path(dataplane, slot, place);
	int code = bpf_fault(CALL_LINK_DETACH, path);

	/* At once, also when somebody else holds the link; a link whose device is gone is detached
	 * already. */
	if (!code && bpf_link_detach(fd) && errno != ENOLINK)
		code = -errno;
	if (code && code != -EINVAL && code != -EOPNOTSUPP)
		return bpf_fail(error, code, "%s: bpf(LINK_DETACH)", path);
	return unpin(path, error);
}

/* The same, and it decides nothing from now on; that it is gone may take a while. */
static int let_go_of_link(struct dataplane *dataplane, uint32_t slot, enum hook_place place,
			  int *fd, char **error)
{
	g_autofree char *path = hooks_link_path(dataplane, slot, place);
	int code;

	/* XDP does not wait, and a device has room for one only. Where it fails there is no device
	 * any more, or no memory. */
	if (place == PLACE_XDP || reap_idle(dataplane, *fd))
		return take_off_link(dataplane, slot, place, *fd, error);
	code = unpin(path, error);
	if (!code)
		reap_link(dataplane, fd);
	return code;
}

/* Also when somebody has removed the whole folder. */
static int pin_link(int fd, const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);

	if (!bpf_obj_pin(fd, path))
		return 0;
	if (errno != ENOENT || g_mkdir_with_parents(folder, 0700) || bpf_obj_pin(fd, path))
		return -errno;
	return 0;
}

int hooks_create_link(int program, uint32_t ifindex, enum hook_place place, uint32_t flags,
		      const char *path, char **error)
{
	LIBBPF_OPTS(bpf_link_create_opts, options,
		    .flags = place == PLACE_XDP ? flags : ATTACH_BEFORE);
	int code = bpf_fault(CALL_LINK_CREATE, places[place].name);
	AUTO_FD int fd =
		code ? code
		     : bpf_link_create(program, (int)ifindex, places[place].attach_type, &options);

	if (fd < 0)
		return bpf_fail(error, fd, "ifindex %u: bpf(LINK_CREATE) on %s", ifindex,
				places[place].name);
	code = bpf_fault(CALL_OBJ_PIN, path);
	if (!code)
		code = pin_link(fd, path);
	if (code)
		return bpf_fail(error, code, "%s: bpf(OBJ_PIN)", path);
	return 0;
}

static int put_on_link(struct dataplane *dataplane, const struct hooks_wish *wish,
		       struct found *found, enum hook_place place, uint32_t flags, char **error)
{
	enum bpf_program_id program = places[place].program;
	g_autofree char *path = hooks_link_path(dataplane, wish->slot, place);
	int code = 0;

	if (found->program[place] == dataplane->program_id[program])
		return 0;
	if (found->program[place]) {
		code = bpf_fault(CALL_LINK_UPDATE, path);
		if (!code && bpf_link_update(found->fd[place], dataplane->program[program], NULL))
			code = -errno;
		return code ? bpf_fail(error, code, "device %s: bpf(LINK_UPDATE) of %s",
				       wish->device, places[place].name)
			    : 0;
	}
	if (found->fd[place] >= 0)
		code = take_off_link(dataplane, wish->slot, place, found->fd[place], error);
	if (!code) {
		cleanup_fd(&found->fd[place]);
		found->fd[place] = -1;
		code = hooks_create_link(dataplane->program[program], wish->ifindex, place, flags,
					 path, error);
	}
	if (code && error && *error) {
		g_autofree char *what = TAKE_PTR(*error);

		*error = g_strdup_printf("device %s: %s", wish->device, what);
	}
	return code;
}

static int put_on(struct dataplane *dataplane, const struct hooks_wish *wish, struct found *found,
		  enum hook_place place, char **error)
{
	enum bpf_program_id program = places[place].program;

	if (is_link(place))
		return put_on_link(dataplane, wish, found, place, 0, error);
	if (found->program[place] == dataplane->program_id[program])
		return 0;
	return filter_put(wish->ifindex, places[place].dir, dataplane->program[program],
			  wish->device, &dataplane->qdisc_made[wish->slot], error);
}

/* ------------------------------------------------------------------ hooks */

/* Where a wish leads. */
struct target {
	enum model_hook hook;
	enum hook_place ingress, egress;
	bool quick;
};

static enum hook_place ingress_place(const struct dataplane *dataplane,
				     const struct hooks_wish *wish, const struct found *found,
				     bool *quick)
{
	if (!dataplane->tcx || wish->hook == MODEL_HOOK_TC)
		return PLACE_TC_INGRESS;
	if (!wish->quick || found->program[PLACE_TCX_INGRESS])
		return PLACE_TCX_INGRESS;
	*quick = true;
	return PLACE_TC_INGRESS;
}

static enum hook_place egress_place(const struct hooks_wish *wish, const struct found *found,
				    enum model_hook hook, bool *quick)
{
	if (hook == MODEL_HOOK_XDP)
		return PLACE_XDP;
	if (hook == MODEL_HOOK_TC)
		return PLACE_TC_EGRESS;
	if (!wish->quick || found->program[PLACE_TCX_EGRESS])
		return PLACE_TCX_EGRESS;
	*quick = true;
	return PLACE_TC_EGRESS;
}

/* The VM's sending side by exactly this hook. */
static int install_egress(struct dataplane *dataplane, const struct hooks_wish *wish,
			  struct found *found, struct target *target, char **error)
{
	int code;

	target->egress = egress_place(wish, found, target->hook, &target->quick);
	if (target->egress != PLACE_XDP)
		return put_on(dataplane, wish, found, target->egress, error);
	/* A device has room for one. */
	code = early_remove(dataplane, wish->slot, error);
	if (code)
		return code;
	/* Without the driver's help XDP copies every frame: worth having only when asked for, and
	 * no way around a program that is there already. */
	code = put_on_link(dataplane, wish, found, PLACE_XDP, XDP_FLAGS_DRV_MODE, error);
	if (code && wish->hook != MODEL_HOOK_AUTO && code != -EBUSY)
		code = put_on_link(dataplane, wish, found, PLACE_XDP, XDP_FLAGS_SKB_MODE, error);
	return code;
}

static int choose(const struct dataplane *dataplane, const struct hooks_wish *wish,
		  enum model_hook *chosen, char **error)
{
	if (wish->hook == MODEL_HOOK_TCX && !dataplane->tcx)
		return bpf_fail(error, -EOPNOTSUPP,
				"device %s: hook tcx needs Linux 6.6; use tc or auto",
				wish->device);
	if (wish->hook != MODEL_HOOK_AUTO)
		*chosen = wish->hook;
	else if (!wish->vnet_hdr)
		*chosen = MODEL_HOOK_XDP;
	else
		*chosen = dataplane->tcx ? MODEL_HOOK_TCX : MODEL_HOOK_TC;
	return 0;
}

static int take_off_others(struct dataplane *dataplane, const struct hooks_wish *wish,
			   const struct found *found, const struct target *target, char **error)
{
	for (enum hook_place place = 0; place < PLACES; place++) {
		int code = 0;

		if (place == target->ingress || place == target->egress)
			continue;
		if (is_link(place) && found->fd[place] >= 0)
			code = take_off_link(dataplane, wish->slot, place, found->fd[place], error);
		else if (!is_link(place) && found->program[place])
			code = filter_remove(wish->ifindex, places[place].dir, error);
		if (code)
			return code;
	}
	/* The qdisc that was made for filters of the meantime stays until the device is detached:
	 * to remove it from a running device stops its queue for a moment (net/sched/sch_api.c,
	 * qdisc_graft: dev_deactivate), and frames of live flows are lost. */
	return 0;
}

/* Reads both directions back: what was put on may not be there. */
static int verify(struct dataplane *dataplane, const struct hooks_wish *wish, struct found *found,
		  const struct target *target, char **error)
{
	struct device_view own;
	const struct device_view *view = NULL;
	int code = view_device(wish->ifindex, &own, &view, error);

	if (!code)
		code = look(dataplane, wish->slot, wish->ifindex, view, found, error);
	if (code)
		return code;
	if (found->program[target->ingress] && found->program[target->egress])
		return 0;
	return bpf_fail(error, view ? -EIO : -ENODEV,
			"device %s: the programs were attached to %s but are not there; does "
			"something else manage its filters?",
			wish->device, hook_name(target->hook));
}

static bool is_settled(const struct dataplane *dataplane, const struct found *found,
		       const struct target *target)
{
	for (enum hook_place place = 0; place < PLACES; place++) {
		bool wanted = place == target->ingress || place == target->egress;

		if (wanted && found->program[place] != dataplane->program_id[places[place].program])
			return false;
		if (!wanted && (found->program[place] || found->fd[place] >= 0))
			return false;
	}
	return true;
}

int hooks_install(struct dataplane *dataplane, const struct hooks_wish *wish, bool *quick,
		  enum model_hook *used, char **error)
{
	CLEANUP(found_clear) struct found found = {.fd = {-1, -1, -1, -1, -1}};
	const struct device_view *view = NULL;
	struct target target = {.hook = wish->hook};
	struct device_view own;
	bool ingress_quick = false;
	int code = choose(dataplane, wish, &target.hook, error);

	upgrade_join(dataplane, wish->slot);
	if (!code && wish->views)
		view = g_hash_table_lookup(wish->views, GUINT_TO_POINTER(wish->ifindex));
	else if (!code)
		code = view_device(wish->ifindex, &own, &view, error);
	if (!code)
		code = look(dataplane, wish->slot, wish->ifindex, view, &found, error);
	if (code)
		return code;
	target.ingress = ingress_place(dataplane, wish, &found, &ingress_quick);
	target.egress = egress_place(wish, &found, target.hook, &target.quick);
	if (!is_settled(dataplane, &found, &target)) {
		code = put_on(dataplane, wish, &found, target.ingress, error);
		if (code)
			return code;
		code = install_egress(dataplane, wish, &found, &target, error);
		if (code && wish->hook == MODEL_HOOK_AUTO && target.hook == MODEL_HOOK_XDP) {
			target.hook = dataplane->tcx ? MODEL_HOOK_TCX : MODEL_HOOK_TC;
			code = install_egress(dataplane, wish, &found, &target, error);
		}
		if (code)
			return code;
		if (error)
			g_clear_pointer(error, g_free); /* of attempts that others made up for */
		code = take_off_others(dataplane, wish, &found, &target, error);
		if (!code)
			code = verify(dataplane, wish, &found, &target, error);
		if (code)
			return code;
	}
	*quick = ingress_quick || target.quick;
	*used = target.egress == PLACE_TC_EGRESS ? MODEL_HOOK_TC : target.hook;
	return 0;
}

int hooks_missing(struct dataplane *dataplane, const struct hooks_wish *wish,
		  enum hook_place missing[2], unsigned int *count, char **error)
{
	CLEANUP(found_clear) struct found found = {.fd = {-1, -1, -1, -1, -1}};
	const struct device_view *view = NULL;
	struct device_view own;
	int code = view_device(wish->ifindex, &own, &view, error);

	if (!code)
		code = look(dataplane, wish->slot, wish->ifindex, view, &found, error);
	if (code)
		return code;
	*count = 0;
	if (!dataplane->tcx || wish->hook == MODEL_HOOK_TC)
		return 0;
	/* Where there is a pin, whatever it is worth, the one who attaches decides. */
	if (found.fd[PLACE_TCX_INGRESS] < 0 && found.program[PLACE_TC_INGRESS])
		missing[(*count)++] = PLACE_TCX_INGRESS;
	if (found.fd[PLACE_TCX_EGRESS] < 0 && found.program[PLACE_TC_EGRESS] &&
	    wish->hook != MODEL_HOOK_XDP)
		missing[(*count)++] = PLACE_TCX_EGRESS;
	return 0;
}

int hooks_remove(struct dataplane *dataplane, uint32_t slot, uint32_t ifindex, char **error)
{
	int first = 0;

	upgrade_join(dataplane, slot);
	first = early_remove(dataplane, slot, error);
	for (enum hook_place place = 0; place < PLACES; place++) {
		char **say = first ? NULL : error;
		int code = 0;

		if (is_link(place)) {
			g_autofree char *path = hooks_link_path(dataplane, slot, place);
			AUTO_FD int fd = -1;

			code = open_pin(path, &fd, say);
			if (!code && fd >= 0)
				code = let_go_of_link(dataplane, slot, place, &fd, say);
		} else {
			code = filter_remove(ifindex, places[place].dir, say);
		}
		if (code && !first)
			first = code;
	}
	if (!first && ifindex && dataplane->qdisc_made[slot])
		filter_remove_qdisc(ifindex);
	if (!first)
		dataplane->qdisc_made[slot] = false;
	return first;
}

unsigned int hooks_remove_filters(uint32_t ifindex)
{
	static const enum sg_dir dirs[] = {SG_EGRESS, SG_INGRESS};
	unsigned int count = 0;

	for (unsigned int i = 0; i < G_N_ELEMENTS(dirs); i++) {
		uint32_t program = 0;
		bool there = !filter_look(ifindex, dirs[i], &program) && program;

		count += !filter_remove(ifindex, dirs[i], NULL) && there;
	}
	return count;
}
