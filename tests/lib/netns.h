/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netns.h - network namespaces without names: they end with the process, whatever happens to it.
 *
 * The mount namespace stays the machine's: rulesd refuses a bpffs that would not outlive it. Each
 * test process has a directory of its own in /sys/fs/bpf instead, removed when it exits; what a
 * killed one leaves is removed by tests/run.
 */
#pragma once

/*
 * Makes a namespace and enters it: loopback up, no IPv6 addresses or router solicitations of the
 * kernel's own, bridged frames not sent through iptables. Returns its descriptor, kept until exit.
 */
int netns_new(void);
void netns_switch(int fd);
/* Back to where the process started. */
void netns_leave(void);

/* Writes one value below /proc/sys; files that this kernel does not have are left alone. */
void netns_sysctl(const char *path, const char *value);

/* This process's directory in a bpffs, "/sys/fs/bpf/tapguard-test-PID". */
const char *netns_bpffs(void);
/* A directory on disk for this process, "/tmp/tapguard-test-PID", likewise removed at exit. */
const char *netns_workdir(void);
/* Removes a directory tree, also of a bpffs. */
void netns_remove_tree(const char *path);

/* 0, or prints why and ends the process with a skip when it is not root. Group setup of cmocka. */
int netns_group_setup(void **state);
