/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracer.c - see tracer.h. The tracer is a process of its own, because ptrace ties a traced process
 * to one thread, and the test has other things to wait for.
 */
#include "tests/kill/tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"

#ifndef __x86_64__
#error "the registers of a system call are those of x86-64"
#endif

static const struct {
	const char *name;
	int number;
} calls[] = {
	{"bpf", SYS_bpf},
	{"write", SYS_write},
	{"pwrite64", SYS_pwrite64},
	{"writev", SYS_writev},
	{"rename", SYS_rename},
	{"renameat", SYS_renameat},
	{"renameat2", SYS_renameat2},
	{"fsync", SYS_fsync},
	{"fdatasync", SYS_fdatasync},
	{"ftruncate", SYS_ftruncate},
	{"unlink", SYS_unlink},
	{"unlinkat", SYS_unlinkat},
	{"mkdir", SYS_mkdir},
	{"mkdirat", SYS_mkdirat},
	{"openat", SYS_openat},
	{"sendto", SYS_sendto},
	{"sendmsg", SYS_sendmsg},
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

/* Commands of bpf(2) that only ask, of which there are very many. */
static const unsigned int questions[] = {
	BPF_MAP_LOOKUP_ELEM,	BPF_MAP_GET_NEXT_KEY, BPF_OBJ_GET,
	BPF_OBJ_GET_INFO_BY_FD, BPF_MAP_GET_FD_BY_ID, BPF_MAP_LOOKUP_BATCH,
};
#define QUESTIONS (sizeof(questions) / sizeof(questions[0]))

static void install_filter(void)
{
	struct sock_filter filter[1 + CALLS + 1 + 1 + QUESTIONS + 1 + 2];
	struct sock_fprog program = {.filter = filter};
	unsigned int at = 0, trace = sizeof(filter) / sizeof(filter[0]) - 1;
	/* bpf is the first of them. */
	const unsigned int bpf = 1 + CALLS + 1;

	filter[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						    offsetof(struct seccomp_data, nr));
	for (unsigned int i = 0; i < CALLS; i++, at++)
		filter[at] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i].number,
			(uint8_t)((calls[i].number == SYS_bpf ? bpf : trace) - at - 1), 0);
	filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	filter[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						    offsetof(struct seccomp_data, args[0]));
	for (unsigned int i = 0; i < QUESTIONS; i++, at++)
		filter[at] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, questions[i],
							  (uint8_t)(trace - 1 - at - 1), 0);
	/* Anything else is a change. */
	filter[at] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0);
	filter[trace - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	filter[trace] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	program.len = (unsigned short)(trace + 1);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
		_exit(125);
}

/* ------------------------------------------------------------------ what a call does */

static bool read_memory(pid_t pid, uint64_t at, void *to, size_t length)
{
	struct iovec own = {.iov_base = to, .iov_len = length};
	struct iovec its = {.iov_base = (void *)(uintptr_t)at, .iov_len = length};

	return process_vm_readv(pid, &own, 1, &its, 1, 0) == (ssize_t)length;
}

static void path_of(pid_t pid, int fd, char path[256])
{
	char name[64];
	ssize_t length;

	snprintf(name, sizeof(name), "/proc/%d/fd/%d", pid, fd);
	length = readlink(name, path, 255);
	path[length < 0 ? 0 : length] = '\0';
}

/* What a failure of these means is another matter: nothing of a policy or a tap is in them. */
static bool is_change_of_bpf(unsigned int command)
{
	switch (command) {
	case BPF_MAP_CREATE:
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_DELETE_ELEM:
	case BPF_PROG_LOAD:
	case BPF_OBJ_PIN:
	case BPF_PROG_ATTACH:
	case BPF_PROG_DETACH:
	case BPF_PROG_TEST_RUN:
	case BPF_MAP_UPDATE_BATCH:
	case BPF_MAP_DELETE_BATCH:
	case BPF_LINK_CREATE:
	case BPF_LINK_UPDATE:
	case BPF_LINK_DETACH:
	case BPF_PROG_BIND_MAP:
		return true;
	default:
		return false;
	}
}

static const char *name_of_bpf(unsigned int command)
{
	static const char *const names[] = {
		[BPF_MAP_CREATE] = "MAP_CREATE",
		[BPF_MAP_UPDATE_ELEM] = "MAP_UPDATE_ELEM",
		[BPF_MAP_DELETE_ELEM] = "MAP_DELETE_ELEM",
		[BPF_PROG_LOAD] = "PROG_LOAD",
		[BPF_OBJ_PIN] = "OBJ_PIN",
		[BPF_PROG_TEST_RUN] = "PROG_TEST_RUN",
		[BPF_MAP_UPDATE_BATCH] = "MAP_UPDATE_BATCH",
		[BPF_MAP_DELETE_BATCH] = "MAP_DELETE_BATCH",
		[BPF_LINK_CREATE] = "LINK_CREATE",
		[BPF_LINK_UPDATE] = "LINK_UPDATE",
		[BPF_LINK_DETACH] = "LINK_DETACH",
	};

	return command < sizeof(names) / sizeof(names[0]) && names[command] ? names[command] : "?";
}

/* A request that is no question; other sockets are the clients'. */
static bool is_netlink_change(pid_t pid, uint64_t buffer, uint64_t length, uint16_t *type)
{
	struct nlmsghdr header;

	if (length < sizeof(header) || !read_memory(pid, buffer, &header, sizeof(header)) ||
	    header.nlmsg_len > length || header.nlmsg_len < sizeof(header) ||
	    !(header.nlmsg_flags & NLM_F_REQUEST))
		return false;
	*type = header.nlmsg_type;
	/* linux/rtnetlink.h: NEW, DEL, GET, SET. */
	return header.nlmsg_type >= NLMSG_MIN_TYPE &&
	       (header.nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP && (header.nlmsg_type & 3) != 2;
}

static bool is_message_change(pid_t pid, uint64_t at, uint16_t *type)
{
	struct msghdr message;
	struct iovec part;

	return read_memory(pid, at, &message, sizeof(message)) && message.msg_iovlen > 0 &&
	       read_memory(pid, (uint64_t)(uintptr_t)message.msg_iov, &part, sizeof(part)) &&
	       is_netlink_change(pid, (uint64_t)(uintptr_t)part.iov_base, part.iov_len, type);
}

static bool is_change(const struct tracer *own, pid_t pid, const struct user_regs_struct *regs,
		      char *what, size_t room)
{
	const char *name = "?";
	char path[256] = "";
	uint16_t type = 0;

	for (unsigned int i = 0; i < CALLS; i++)
		if (calls[i].number == (int)regs->orig_rax)
			name = calls[i].name;
	switch (regs->orig_rax) {
	case SYS_bpf:
		snprintf(what, room, "bpf(%s)", name_of_bpf((unsigned int)regs->rdi));
		return is_change_of_bpf((unsigned int)regs->rdi);
	case SYS_write:
	case SYS_pwrite64:
	case SYS_writev:
		path_of(pid, (int)regs->rdi, path);
		snprintf(what, room, "%s(%.120s)", name, path);
		return strncmp(path, own->state_dir, strlen(own->state_dir)) == 0;
	case SYS_fsync:
	case SYS_fdatasync:
	case SYS_ftruncate:
		path_of(pid, (int)regs->rdi, path);
		snprintf(what, room, "%s(%.120s)", name, path);
		return true;
	case SYS_openat:
		snprintf(what, room, "openat(O_CREAT)");
		return regs->rdx & O_CREAT;
	case SYS_sendto:
		snprintf(what, room, "sendto(netlink)");
		return is_netlink_change(pid, regs->rsi, regs->rdx, &type);
	case SYS_sendmsg:
		snprintf(what, room, "sendmsg(netlink)");
		return is_message_change(pid, regs->rsi, &type);
	default:
		snprintf(what, room, "%s", name);
		return true;
	}
}

/* ------------------------------------------------------------------ the tracer */

/* Whether it is about a file of the state directory, which the others that are pinned are not. */
static bool is_of_disk(const struct tracer *own, pid_t pid, const struct user_regs_struct *regs)
{
	const size_t length = strlen(own->state_dir);
	char path[256] = "";

	switch (regs->orig_rax) {
	case SYS_bpf:
	case SYS_sendto:
	case SYS_sendmsg:
		return false;
	case SYS_rename:
	case SYS_unlink:
	case SYS_mkdir:
		return read_memory(pid, regs->rdi, path, length) &&
		       memcmp(path, own->state_dir, length) == 0;
	default:
		path_of(pid, (int)regs->rdi, path);
		return strncmp(path, own->state_dir, length) == 0;
	}
}

static void refuse(const struct tracer *own, pid_t pid, struct user_regs_struct *regs)
{
	if (own->action == TRACER_FAIL_DISK && !is_of_disk(own, pid, regs))
		return;
	/* seccomp(2): -1 is no system call, and what rax holds is what it returns. */
	regs->orig_rax = (unsigned long long)-1;
	regs->rax = (unsigned long long)-own->error;
	ptrace(PTRACE_SETREGS, pid, NULL, regs);
}

static void seccomp_stop(struct tracer *own, pid_t pid)
{
	struct user_regs_struct regs;
	char what[sizeof(own->what)];

	if (!own->armed || ptrace(PTRACE_GETREGS, pid, NULL, &regs) ||
	    !is_change(own, pid, &regs, what, sizeof(what)))
		return;
	own->count++;
	if (own->action == TRACER_FAIL_DISK && own->hit) {
		refuse(own, pid, &regs);
		return;
	}
	if (own->count != own->target)
		return;
	memcpy(own->what, what, sizeof(what));
	own->hit = 1;
	if (own->action == TRACER_KILL) {
		kill(own->pid, SIGKILL);
		return;
	}
	refuse(own, pid, &regs);
}

static void trace(struct tracer *own)
{
	for (;;) {
		int status = 0, signal = 0;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			_exit(0);
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (pid == own->pid) {
				own->pid = -1;
				_exit(0);
			}
			continue;
		}
		if (!WIFSTOPPED(status))
			continue;
		if (status >> 8 == (SIGTRAP | (PTRACE_EVENT_SECCOMP << 8)))
			seccomp_stop(own, pid);
		else if (status >> 16 == 0 && WSTOPSIG(status) != SIGTRAP &&
			 WSTOPSIG(status) != SIGSTOP)
			signal = WSTOPSIG(status);
		ptrace(PTRACE_CONT, pid, NULL, signal);
	}
}

static void run(const char *const *argv, const char *log)
{
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
		_exit(126);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	install_filter();
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

static void trace_one(struct tracer *own, const char *const *argv, const char *log)
{
	int status;
	pid_t pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pid = fork();
	if (pid == 0)
		run(argv, log);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		_exit(1);
	ptrace(PTRACE_SETOPTIONS, pid, NULL,
	       PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
	own->pid = pid;
	ptrace(PTRACE_CONT, pid, NULL, 0);
	trace(own);
}

/* ------------------------------------------------------------------ for tests */

struct tracer *tracer_new(void)
{
	struct tracer *own =
		mmap(NULL, sizeof(*own), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (own == MAP_FAILED)
		fail_msg("mmap: %s", strerror(errno));
	return own;
}

void tracer_start(struct tracer *own, const char *const *argv, const char *log)
{
	pid_t tracer;

	own->pid = 0;
	tracer = fork();
	if (tracer < 0)
		fail_msg("fork: %s", strerror(errno));
	if (tracer == 0)
		trace_one(own, argv, log);
	own->tracer = tracer;
}

void tracer_arm(struct tracer *own, enum tracer_action action, int error, unsigned int target)
{
	own->action = action;
	own->error = error;
	own->count = 0;
	own->target = target;
	own->hit = 0;
	own->what[0] = '\0';
	__atomic_store_n(&own->armed, 1, __ATOMIC_RELEASE);
}

void tracer_disarm(struct tracer *own)
{
	own->armed = 0;
}

bool tracer_runs(const struct tracer *own)
{
	return own->tracer && own->pid >= 0;
}

void tracer_wait(struct tracer *own)
{
	if (own->tracer)
		waitpid(own->tracer, NULL, 0);
	own->tracer = 0;
}

void tracer_kill(struct tracer *own)
{
	if (!own->tracer)
		return;
	while (own->pid == 0)
		usleep(1000);
	if (own->pid > 0)
		kill(own->pid, SIGKILL);
	tracer_wait(own);
}
