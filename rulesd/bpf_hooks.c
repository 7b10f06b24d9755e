/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_hooks.c - our programs on one device: XDP and tcx links (pinned, so that they outlive us), tc
 * filters where the kernel has no tcx.
 *
 * What the VM sends arrives at the device's receive side ("egress" here, as the VM sees it), what
 * it is sent leaves through the device's transmit side ("ingress"). XDP exists for the first only.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/names.h"

/* linux/bpf.h of kernels before 6.6 does not know them. */
#define ATTACH_TCX_INGRESS 46
#define ATTACH_TCX_EGRESS  47
#define ATTACH_BEFORE	   (1u << 3) /* BPF_F_BEFORE without a relative: ahead of all others */

/* Our filters among others of a clsact qdisc; the first priority, so that none is before them. */
#define TC_HANDLE   0x7467
#define TC_PRIORITY 1

/* Where a program of ours can be. */
enum hook_place {
	PLACE_XDP,
	PLACE_TCX_EGRESS,
	PLACE_TCX_INGRESS,
	PLACE_TC_EGRESS,
	PLACE_TC_INGRESS,
	PLACES,
};

static const struct {
	const char *name;
	enum bpf_program_id program;
	int attach_type;		       /* of a link; -1: a tc filter */
	const char *pin;		       /* SLOT-pin under links/ */
	enum bpf_tc_attach_point tc_direction; /* of a filter */
} places[PLACES] = {
	[PLACE_XDP] = {"xdp", PROGRAM_XDP, BPF_XDP, "xdp", 0},
	[PLACE_TCX_EGRESS] = {"tcx ingress", PROGRAM_TC_EGRESS, ATTACH_TCX_INGRESS, "egress", 0},
	[PLACE_TCX_INGRESS] = {"tcx egress", PROGRAM_TC_INGRESS, ATTACH_TCX_EGRESS, "ingress", 0},
	[PLACE_TC_EGRESS] = {"tc ingress", PROGRAM_TC_EGRESS, -1, NULL, BPF_TC_INGRESS},
	[PLACE_TC_INGRESS] = {"tc egress", PROGRAM_TC_INGRESS, -1, NULL, BPF_TC_EGRESS},
};

static bool is_link(enum hook_place place)
{
	return places[place].attach_type >= 0;
}

/* ------------------------------------------------------------------ asking the kernel */

static char *link_path(const struct dataplane *dataplane, uint32_t slot, enum hook_place place)
{
	g_autofree char *name = g_strdup_printf("%u-%s", slot, places[place].pin);

	return pin_path(dataplane, "links", name);
}

/* Kernel 6.6 and later. */
static bool has_tcx(uint32_t ifindex)
{
	uint32_t ids[64];
	LIBBPF_OPTS(bpf_prog_query_opts, options, .prog_ids = ids, .prog_cnt = 64);
	int code = bpf_prog_query_opts((int)ifindex, ATTACH_TCX_INGRESS, &options);

	return !code || code == -ENOSPC || code == -E2BIG;
}

/*
 * Whether the device with that number in this namespace runs that program there. A link tells its
 * ifindex only, which another namespace may have too, so the device is asked.
 */
static bool device_runs(uint32_t ifindex, enum hook_place place, uint32_t id)
{
	uint32_t ids[64] = {};
	LIBBPF_OPTS(bpf_prog_query_opts, query, .prog_ids = ids, .prog_cnt = 64);
	LIBBPF_OPTS(bpf_xdp_query_opts, xdp);

	if (!id)
		return false;
	if (place == PLACE_XDP) {
		if (bpf_xdp_query((int)ifindex, 0, &xdp))
			return false;
		return xdp.prog_id == id || xdp.drv_prog_id == id || xdp.skb_prog_id == id;
	}
	if (bpf_prog_query_opts((int)ifindex, places[place].attach_type, &query))
		return false;
	for (uint32_t i = 0; i < MIN(query.prog_cnt, 64u); i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* The pinned link of a place if it is alive on this device; -1 otherwise. */
static int live_link(const struct dataplane *dataplane, uint32_t slot, uint32_t ifindex,
		     enum hook_place place)
{
	g_autofree char *path = link_path(dataplane, slot, place);
	AUTO_FD int fd = bpf_obj_get(path);
	struct bpf_link_info info = {};
	__u32 length = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length))
		return -1;
	return device_runs(ifindex, place, info.prog_id) ? TAKE_FD(fd) : -1;
}

static struct bpf_tc_hook tc_hook(uint32_t ifindex, enum hook_place place)
{
	return (struct bpf_tc_hook){.sz = sizeof(struct bpf_tc_hook),
				    .ifindex = (int)ifindex,
				    .attach_point = places[place].tc_direction};
}

/* Whether our filter is there; *id its program. Somebody else's under our handle is not ours. */
static bool tc_filter(uint32_t ifindex, enum hook_place place, uint32_t *id)
{
	struct bpf_tc_hook hook = tc_hook(ifindex, place);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = TC_HANDLE, .priority = TC_PRIORITY);
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	if (bpf_tc_query(&hook, &options))
		return false;
	AUTO_FD int fd = bpf_prog_get_fd_by_id(options.prog_id);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length) ||
	    !g_str_has_prefix(info.name, "sg_tc_"))
		return false;
	*id = options.prog_id;
	return true;
}

static bool is_live(const struct dataplane *dataplane, uint32_t slot, uint32_t ifindex,
		    enum hook_place place)
{
	uint32_t id;

	if (!is_link(place))
		return tc_filter(ifindex, place, &id);
	AUTO_FD int fd = live_link(dataplane, slot, ifindex, place);

	return fd >= 0;
}

/* ------------------------------------------------------------------ putting on, taking off */

static int take_off_link(struct dataplane *dataplane, uint32_t slot, enum hook_place place,
			 char **error)
{
	g_autofree char *path = link_path(dataplane, slot, place);
	AUTO_FD int fd = bpf_obj_get(path);

	if (fd < 0 && errno == ENOENT)
		return 0;
	/* At once, also when somebody else holds the link; a link whose device is gone is detached
	 * already. */
	if (fd >= 0)
		bpf_link_detach(fd);
	if (unlink(path) && errno != ENOENT)
		return bpf_fail(error, -errno, "%s: unlink", path);
	return 0;
}

static int take_off_filter(uint32_t ifindex, enum hook_place place, char **error)
{
	struct bpf_tc_hook hook = tc_hook(ifindex, place);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = TC_HANDLE, .priority = TC_PRIORITY);
	uint32_t id;
	int code;

	if (!ifindex || !tc_filter(ifindex, place, &id))
		return 0;
	code = bpf_tc_detach(&hook, &options);
	if (code && code != -ENOENT && code != -ENODEV)
		return bpf_fail(error, code, "ifindex %u: detaching from %s", ifindex,
				places[place].name);
	return 0;
}

static int take_off(struct dataplane *dataplane, uint32_t slot, uint32_t ifindex,
		    enum hook_place place, char **error)
{
	if (is_link(place))
		return take_off_link(dataplane, slot, place, error);
	return take_off_filter(ifindex, place, error);
}

static int put_on_link(struct dataplane *dataplane, const char *device, uint32_t slot,
		       uint32_t ifindex, enum hook_place place, uint32_t flags, char **error)
{
	g_autofree char *path = link_path(dataplane, slot, place);
	int program = dataplane->program[places[place].program];
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
	AUTO_FD int old = live_link(dataplane, slot, ifindex, place);
	int code;

	if (old >= 0) {
		if (bpf_link_update(old, program, NULL))
			return bpf_fail(error, -errno, "device %s: bpf(LINK_UPDATE) of %s", device,
					places[place].name);
		return 0;
	}
	code = take_off_link(dataplane, slot, place, error);
	if (code)
		return code;
	AUTO_FD int fd =
		bpf_link_create(program, (int)ifindex, places[place].attach_type, &options);

	if (fd < 0)
		return bpf_fail(error, fd, "device %s: bpf(LINK_CREATE) on %s", device,
				places[place].name);
	if (bpf_obj_pin(fd, path))
		return bpf_fail(error, -errno, "%s: bpf(OBJ_PIN)", path);
	return 0;
}

static int put_on_filter(struct dataplane *dataplane, const char *device, uint32_t ifindex,
			 enum hook_place place, char **error)
{
	struct bpf_tc_hook hook = tc_hook(ifindex, place);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = TC_HANDLE, .priority = TC_PRIORITY,
		    .prog_fd = dataplane->program[places[place].program],
		    .flags = BPF_TC_F_REPLACE);
	int code = bpf_tc_hook_create(&hook);

	if (code && code != -EEXIST)
		return bpf_fail(error, code, "device %s: creating its clsact qdisc", device);
	code = bpf_tc_attach(&hook, &options);
	if (code)
		return bpf_fail(error, code, "device %s: attaching to %s", device,
				places[place].name);
	return 0;
}

static int put_on(struct dataplane *dataplane, const char *device, uint32_t slot, uint32_t ifindex,
		  enum hook_place place, char **error)
{
	if (!is_link(place))
		return put_on_filter(dataplane, device, ifindex, place, error);
	return put_on_link(dataplane, device, slot, ifindex, place,
			   place == PLACE_XDP ? 0 : ATTACH_BEFORE, error);
}

/* ------------------------------------------------------------------ hooks */

static enum hook_place ingress_place(bool tcx)
{
	return tcx ? PLACE_TCX_INGRESS : PLACE_TC_INGRESS;
}

static enum hook_place egress_place(enum model_hook hook)
{
	if (hook == MODEL_HOOK_XDP)
		return PLACE_XDP;
	return hook == MODEL_HOOK_TCX ? PLACE_TCX_EGRESS : PLACE_TC_EGRESS;
}

/* The VM's sending side by exactly this hook. */
static int install_egress(struct dataplane *dataplane, const char *device, uint32_t slot,
			  uint32_t ifindex, enum model_hook hook, bool automatic, char **error)
{
	int code;

	if (hook != MODEL_HOOK_XDP)
		return put_on(dataplane, device, slot, ifindex, egress_place(hook), error);
	/* Without the driver's help XDP copies every frame: worth having only when asked for, and
	 * no way around a program that is there already. */
	code = put_on_link(dataplane, device, slot, ifindex, PLACE_XDP, XDP_FLAGS_DRV_MODE, error);
	if (code && !automatic && code != -EBUSY)
		code = put_on_link(dataplane, device, slot, ifindex, PLACE_XDP, XDP_FLAGS_SKB_MODE,
				   error);
	return code;
}

static int choose(bool tcx, enum model_hook hook, bool vnet_hdr, enum model_hook *chosen,
		  const char *device, char **error)
{
	if (hook == MODEL_HOOK_TCX && !tcx)
		return bpf_fail(error, -EOPNOTSUPP,
				"device %s: hook tcx needs Linux 6.6; use tc or auto", device);
	if (hook != MODEL_HOOK_AUTO)
		*chosen = hook;
	else if (!vnet_hdr)
		*chosen = MODEL_HOOK_XDP;
	else
		*chosen = tcx ? MODEL_HOOK_TCX : MODEL_HOOK_TC;
	return 0;
}

int hooks_install(struct dataplane *dataplane, const char *device, uint32_t slot, uint32_t ifindex,
		  enum model_hook hook, bool vnet_hdr, enum model_hook *used, char **error)
{
	bool tcx = has_tcx(ifindex), automatic = hook == MODEL_HOOK_AUTO;
	enum model_hook chosen = hook, verified = hook;
	enum hook_place ingress, egress;
	int code = choose(tcx, hook, vnet_hdr, &chosen, device, error);

	if (code)
		return code;
	ingress = ingress_place(tcx && hook != MODEL_HOOK_TC);
	code = put_on(dataplane, device, slot, ifindex, ingress, error);
	if (code)
		return code;
	code = install_egress(dataplane, device, slot, ifindex, chosen, automatic, error);
	if (code && automatic && chosen == MODEL_HOOK_XDP) {
		chosen = tcx ? MODEL_HOOK_TCX : MODEL_HOOK_TC;
		code = install_egress(dataplane, device, slot, ifindex, chosen, false, error);
	}
	if (code)
		return code;
	if (error)
		g_clear_pointer(error, g_free); /* of attempts that others made up for */
	egress = egress_place(chosen);
	for (enum hook_place place = 0; place < PLACES; place++) {
		if (place == ingress || place == egress)
			continue;
		code = take_off(dataplane, slot, ifindex, place, error);
		if (code)
			return code;
	}
	if (!hooks_verify(dataplane, slot, ifindex, &verified) || verified != chosen)
		return bpf_fail(
			error, -EIO,
			"device %s: the programs were attached to %s but are not there; does "
			"something else manage its filters?",
			device, hook_name(chosen));
	*used = chosen;
	return 0;
}

int hooks_remove(struct dataplane *dataplane, uint32_t slot, uint32_t ifindex, char **error)
{
	int first = 0;

	for (enum hook_place place = 0; place < PLACES; place++) {
		int code = take_off(dataplane, slot, ifindex, place, first ? NULL : error);

		if (code && !first)
			first = code;
	}
	return first;
}

void hooks_remove_filters(uint32_t ifindex)
{
	take_off_filter(ifindex, PLACE_TC_EGRESS, NULL);
	take_off_filter(ifindex, PLACE_TC_INGRESS, NULL);
}

bool hooks_any(struct dataplane *dataplane, uint32_t slot, uint32_t ifindex)
{
	for (enum hook_place place = 0; place < PLACES; place++)
		if (is_live(dataplane, slot, ifindex, place))
			return true;
	return false;
}

bool hooks_verify(struct dataplane *dataplane, uint32_t slot, uint32_t ifindex,
		  enum model_hook *used)
{
	if (is_live(dataplane, slot, ifindex, PLACE_XDP))
		*used = MODEL_HOOK_XDP;
	else if (is_live(dataplane, slot, ifindex, PLACE_TCX_EGRESS))
		*used = MODEL_HOOK_TCX;
	else if (is_live(dataplane, slot, ifindex, PLACE_TC_EGRESS))
		*used = MODEL_HOOK_TC;
	else
		return false;
	return is_live(dataplane, slot, ifindex, PLACE_TCX_INGRESS) ||
	       is_live(dataplane, slot, ifindex, PLACE_TC_INGRESS);
}
