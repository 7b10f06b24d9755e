/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * privilege_syscalls.c - the filter of system calls: what rulesd and its libraries call, and
 * nothing else.
 *
 * 1. What only an attacker would call (another program, another process's memory, mounts,
 *    namespaces, modules, other users) kills rulesd; the kernel logs it. Filtering goes on without
 *    rulesd, and whoever starts it starts it again.
 * 2. What is allowed is allowed with the arguments that are needed: threads but no processes, no
 *    memory that can be executed, local, IP and netlink sockets.
 * 3. Everything else does not exist (ENOSYS), and the kernel logs it: a later libc tries new calls
 *    and falls back, which is to be seen and to be mended here.
 *
 * Two filters do it, because a filter logs all that it refuses or nothing: what is refused on
 * purpose is in a quiet one. The kernel takes the severer verdict.
 */
#include "rulesd/privilege.h"

#include <errno.h>
#include <glib.h>
#include <linux/bpf.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

#define CALL(name) SCMP_SYS(name)

static const int allowed[] = {
	/* descriptors */
	CALL(read),
	CALL(write),
	CALL(readv),
	CALL(writev),
	CALL(pread64),
	CALL(pwrite64),
	CALL(lseek),
	CALL(close),
	CALL(close_range),
	CALL(dup),
	CALL(dup2),
	CALL(dup3),
	CALL(fcntl),
	CALL(pipe2),
	CALL(eventfd2),
	CALL(signalfd4),
	CALL(timerfd_create),
	CALL(timerfd_settime),
	CALL(inotify_init1),
	CALL(inotify_add_watch),
	CALL(inotify_rm_watch),
	CALL(poll),
	CALL(ppoll),
	CALL(select),
	CALL(pselect6),
	CALL(epoll_create1),
	CALL(epoll_ctl),
	CALL(epoll_wait),
	CALL(epoll_pwait),
	CALL(epoll_pwait2),
	/* files */
	CALL(open),
	CALL(openat),
	CALL(stat),
	CALL(lstat),
	CALL(fstat),
	CALL(newfstatat),
	CALL(statx),
	CALL(statfs),
	CALL(fstatfs),
	CALL(access),
	CALL(faccessat),
	CALL(faccessat2),
	CALL(readlink),
	CALL(readlinkat),
	CALL(getcwd),
	CALL(getdents64),
	CALL(mkdir),
	CALL(mkdirat),
	CALL(rmdir),
	CALL(unlink),
	CALL(unlinkat),
	CALL(rename),
	CALL(renameat),
	CALL(renameat2),
	CALL(link),
	CALL(linkat),
	CALL(chmod),
	CALL(fchmod),
	CALL(fchmodat),
	CALL(chown),
	CALL(fchown),
	CALL(fchownat),
	CALL(setxattr),
	CALL(umask),
	CALL(ftruncate),
	CALL(fallocate),
	CALL(fadvise64),
	CALL(fsync),
	CALL(fdatasync),
	CALL(syncfs),
	CALL(flock),
	/* sockets, whose families socket() chooses */
	CALL(bind),
	CALL(listen),
	CALL(accept),
	CALL(accept4),
	CALL(connect),
	CALL(getsockname),
	CALL(getpeername),
	CALL(getsockopt),
	CALL(setsockopt),
	CALL(sendto),
	CALL(recvfrom),
	CALL(sendmsg),
	CALL(recvmsg),
	CALL(sendmmsg),
	CALL(recvmmsg),
	CALL(sendfile),
	CALL(shutdown),
	/* memory and threads */
	CALL(brk),
	CALL(munmap),
	CALL(mremap),
	CALL(madvise),
	CALL(mincore),
	CALL(futex),
	CALL(set_robust_list),
	CALL(rseq),
	CALL(membarrier),
	CALL(gettid),
	CALL(sched_yield),
	CALL(sched_getaffinity),
	CALL(sched_setaffinity),
	CALL(sched_getattr),
	CALL(sched_setattr),
	CALL(setpriority),
	CALL(sched_getparam),
	CALL(sched_getscheduler),
	CALL(exit),
	CALL(exit_group),
	/* signals and time */
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(rt_sigtimedwait),
	CALL(rt_sigpending),
	CALL(sigaltstack),
	CALL(restart_syscall),
	CALL(pause),
	CALL(clock_gettime),
	CALL(clock_getres),
	CALL(clock_nanosleep),
	CALL(nanosleep),
	CALL(gettimeofday),
	CALL(time),
	/* what it may know of itself and the machine */
	CALL(getpid),
	CALL(getppid),
	CALL(getuid),
	CALL(geteuid),
	CALL(getgid),
	CALL(getegid),
	CALL(getgroups),
	CALL(getrlimit),
	CALL(prlimit64),
	CALL(getrusage),
	CALL(uname),
	CALL(sysinfo),
	CALL(getcpu),
	CALL(getrandom),
	CALL(times),
};

static const int deadly[] = {
	CALL(execve),
	CALL(execveat),
	CALL(fork),
	CALL(vfork),
	CALL(ptrace),
	CALL(process_vm_readv),
	CALL(process_vm_writev),
	CALL(pidfd_getfd),
	CALL(kcmp),
	CALL(mount),
	CALL(umount2),
	CALL(pivot_root),
	CALL(move_mount),
	CALL(open_tree),
	CALL(fsopen),
	CALL(fsconfig),
	CALL(fsmount),
	CALL(fspick),
	CALL(mount_setattr),
	CALL(chroot),
	CALL(setns),
	CALL(unshare),
	CALL(init_module),
	CALL(finit_module),
	CALL(delete_module),
	CALL(kexec_load),
	CALL(kexec_file_load),
	CALL(reboot),
	CALL(swapon),
	CALL(swapoff),
	CALL(acct),
	CALL(quotactl),
	CALL(iopl),
	CALL(ioperm),
	CALL(modify_ldt),
	CALL(perf_event_open),
	CALL(userfaultfd),
	CALL(io_uring_setup),
	CALL(io_uring_register),
	CALL(add_key),
	CALL(keyctl),
	CALL(request_key),
	CALL(open_by_handle_at),
	CALL(mknod),
	CALL(mknodat),
	CALL(setuid),
	CALL(setreuid),
	CALL(setresuid),
	CALL(setgid),
	CALL(setregid),
	CALL(setresgid),
	CALL(setgroups),
	CALL(setfsuid),
	CALL(setfsgid),
	CALL(capset),
	CALL(sethostname),
	CALL(setdomainname),
	CALL(settimeofday),
	CALL(clock_settime),
	CALL(clock_adjtime),
	CALL(adjtimex),
	CALL(syslog),
	CALL(personality),
	CALL(memfd_create),
	CALL(memfd_secret),
	CALL(pkey_mprotect),
};

/* A call that is allowed if (argument & mask) == value. */
struct argument_rule {
	int call;
	unsigned int argument;
	scmp_datum_t mask;
	scmp_datum_t value;
};

#define WHOLE UINT32_MAX

static const struct argument_rule argument_rules[] = {
	{CALL(socket), 0, WHOLE, AF_UNIX},
	{CALL(socket), 0, WHOLE, AF_NETLINK},
	{CALL(socket), 0, WHOLE, AF_INET},
	{CALL(socket), 0, WHOLE, AF_INET6},
	{CALL(socketpair), 0, WHOLE, AF_UNIX},
	{CALL(mmap), 2, PROT_EXEC, 0},
	{CALL(mprotect), 2, PROT_EXEC, 0},
	{CALL(clone), 0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM},
	{CALL(prctl), 0, WHOLE, PR_SET_NAME},
	{CALL(prctl), 0, WHOLE, PR_SET_VMA},
	{CALL(ioctl), 1, WHOLE, TCGETS}, /* isatty */
	{CALL(ioctl), 1, WHOLE, FIONREAD},
	{CALL(ioctl), 1, WHOLE, FIONBIO},
	{CALL(bpf), 0, WHOLE, BPF_MAP_CREATE},
	{CALL(bpf), 0, WHOLE, BPF_MAP_LOOKUP_ELEM},
	{CALL(bpf), 0, WHOLE, BPF_MAP_UPDATE_ELEM},
	{CALL(bpf), 0, WHOLE, BPF_MAP_DELETE_ELEM},
	{CALL(bpf), 0, WHOLE, BPF_MAP_GET_NEXT_KEY},
	{CALL(bpf), 0, WHOLE, BPF_MAP_LOOKUP_AND_DELETE_ELEM},
	{CALL(bpf), 0, WHOLE, BPF_MAP_LOOKUP_BATCH},
	{CALL(bpf), 0, WHOLE, BPF_MAP_LOOKUP_AND_DELETE_BATCH},
	{CALL(bpf), 0, WHOLE, BPF_MAP_UPDATE_BATCH},
	{CALL(bpf), 0, WHOLE, BPF_MAP_DELETE_BATCH},
	{CALL(bpf), 0, WHOLE, BPF_MAP_FREEZE},
	{CALL(bpf), 0, WHOLE, BPF_PROG_LOAD},
	{CALL(bpf), 0, WHOLE, BPF_PROG_TEST_RUN},
	{CALL(bpf), 0, WHOLE, BPF_PROG_QUERY},
	{CALL(bpf), 0, WHOLE, BPF_PROG_BIND_MAP},
	{CALL(bpf), 0, WHOLE, BPF_BTF_LOAD},
	{CALL(bpf), 0, WHOLE, BPF_OBJ_PIN},
	{CALL(bpf), 0, WHOLE, BPF_OBJ_GET},
	{CALL(bpf), 0, WHOLE, BPF_OBJ_GET_INFO_BY_FD},
	{CALL(bpf), 0, WHOLE, BPF_LINK_CREATE},
	{CALL(bpf), 0, WHOLE, BPF_LINK_UPDATE},
	{CALL(bpf), 0, WHOLE, BPF_LINK_DETACH},
};

static void free_filter(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

static int add_plain(scmp_filter_ctx filter)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < G_N_ELEMENTS(allowed); i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; err == 0 && i < G_N_ELEMENTS(argument_rules); i++) {
		const struct argument_rule *rule = &argument_rules[i];

		err = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, rule->call, 1,
			SCMP_CMP(rule->argument, SCMP_CMP_MASKED_EQ, rule->mask, rule->value));
	}
	return err;
}

/* abort() and raise(): signals to itself only. */
static int add_own_signals(scmp_filter_ctx filter)
{
	const scmp_datum_t self = (scmp_datum_t)getpid();
	int err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(tgkill), 1,
				   SCMP_CMP(0, SCMP_CMP_MASKED_EQ, WHOLE, self));

	return err ? err
		   : seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(kill), 1,
				      SCMP_CMP(0, SCMP_CMP_MASKED_EQ, WHOLE, self));
}

static int add_deadly(scmp_filter_ctx filter)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < G_N_ELEMENTS(deadly); i++)
		err = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
	return err;
}

#ifdef __SANITIZE_ADDRESS__
/* make SAN=1: the leak check at the end traces and reads its own process, which the filter is there
 * to forbid. */
static const bool is_sanitized = true;
#else
static const bool is_sanitized = false;
#endif

/* A filter for every thread that there is; those to come inherit it. */
static int begin(scmp_filter_ctx filter)
{
	int err = filter ? seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) : -ENOMEM;

	if (err == 0) /* 32-bit calls and x32; by default only the thread would die */
		err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (err == 0) /* a binary tree: some ten comparisons a call instead of two hundred */
		err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return err;
}

/* What is refused on purpose. clone3: its flags cannot be looked at, and glibc falls back to clone.
 */
static int install_quiet(void)
{
	CLEANUP(free_filter) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int err = begin(filter);

	if (err == 0)
		err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0);
	if (err == 0)
		err = add_deadly(filter);
	return err < 0 ? err : seccomp_load(filter);
}

/* Everything that is not allowed. */
static int install_logging(void)
{
	CLEANUP(free_filter) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int err = begin(filter);

	if (err == 0)
		err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	if (err == 0) /* the other one refuses it */
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(clone3), 0);
	if (err == 0)
		err = add_plain(filter);
	if (err == 0)
		err = add_own_signals(filter);
	return err < 0 ? err : seccomp_load(filter);
}

int syscall_filter_install(void)
{
	int err = is_sanitized ? 0 : install_quiet();

	return err < 0 || is_sanitized ? err : install_logging();
}
