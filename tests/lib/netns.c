/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netns.c - see netns.h.
 */
#include "tests/lib/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rulesd/bpffs.h"
#include "rulesd/cleanup.h"
#include "tests/lib/check.h"

#define BPFFS "/sys/fs/bpf"

static int home = -1;
static pid_t owner;
static char bpffs[64];
static char workdir[64];

void netns_sysctl(const char *path, const char *value)
{
	AUTO_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return;
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		fail_msg("cannot write %s to %s: %s", value, path, strerror(errno));
}

static void loopback_up(void)
{
	AUTO_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		fail_msg("cannot set lo up: %s", strerror(errno));
}

int netns_new(void)
{
	int fd;

	if (home < 0)
		home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (unshare(CLONE_NEWNET) < 0)
		fail_msg("cannot make a network namespace: %s", strerror(errno));
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0 || fd < 0)
		fail_msg("cannot open /proc/self/ns/net: %s", strerror(errno));
	netns_sysctl("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	netns_sysctl("/proc/sys/net/bridge/bridge-nf-call-iptables", "0");
	netns_sysctl("/proc/sys/net/bridge/bridge-nf-call-ip6tables", "0");
	netns_sysctl("/proc/sys/net/bridge/bridge-nf-call-arptables", "0");
	loopback_up();
	return fd;
}

void netns_switch(int fd)
{
	if (setns(fd, CLONE_NEWNET) < 0)
		fail_msg("cannot enter a network namespace: %s", strerror(errno));
}

void netns_leave(void)
{
	if (home >= 0)
		netns_switch(home);
}

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
	(void)stat;
	(void)type;
	(void)walk;
	remove(path); /* what cannot be removed makes its directory fail, which the caller sees */
	return 0;
}

void netns_remove_tree(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	if (access(path, F_OK) == 0)
		fprintf(stderr, "cannot remove %s\n", path);
}

static void remove_mine(void)
{
	if (getpid() != owner) /* a child that left through exit() */
		return;
	if (bpffs[0])
		netns_remove_tree(bpffs);
	if (workdir[0])
		netns_remove_tree(workdir);
}

static void remember_to_remove(void)
{
	if (owner == getpid())
		return;
	owner = getpid();
	atexit(remove_mine);
}

const char *netns_bpffs(void)
{
	g_autofree char *error = NULL;

	if (bpffs[0])
		return bpffs;
	if (bpffs_mount(BPFFS "/tests", &error))
		fail_msg("%s", error);
	remember_to_remove();
	g_snprintf(bpffs, sizeof(bpffs), BPFFS "/tapguard-test-%d", (int)getpid());
	if (mkdir(bpffs, 0700) < 0 && errno != EEXIST)
		fail_msg("cannot make %s: %s", bpffs, strerror(errno));
	return bpffs;
}

const char *netns_workdir(void)
{
	if (workdir[0])
		return workdir;
	remember_to_remove();
	g_snprintf(workdir, sizeof(workdir), "/tmp/tapguard-test-%d", (int)getpid());
	if (mkdir(workdir, 0700) < 0 && errno != EEXIST)
		fail_msg("cannot make %s: %s", workdir, strerror(errno));
	return workdir;
}

int netns_group_setup(void **state)
{
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};

	(void)state;
	if (geteuid() != 0) {
		fprintf(stderr, "needs root: run it as 'sudo make test'\n");
		exit(77);
	}
	setrlimit(RLIMIT_MEMLOCK, &unlimited); /* Kernel < 5.11: BPF memory counts against it */
	return 0;
}
