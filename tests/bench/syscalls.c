/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * syscalls.c - see syscalls.h.
 */
#include "tests/bench/syscalls.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/syscall.h>

#include "tests/lib/check.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
#include "syscalls.skel.h"
#pragma GCC diagnostic pop

#define NAME(call)                \
	{                         \
#call, SYS_##call \
	}
static const struct {
	const char *name;
	unsigned int number;
} names[] = {NAME(bpf),	       NAME(read),	NAME(write),	NAME(writev),	  NAME(recvfrom),
	     NAME(recvmsg),    NAME(sendto),	NAME(sendmsg),	NAME(poll),	  NAME(ppoll),
	     NAME(epoll_wait), NAME(epoll_ctl), NAME(futex),	NAME(fsync),	  NAME(fdatasync),
	     NAME(openat),     NAME(close),	NAME(renameat), NAME(membarrier), NAME(madvise),
	     NAME(mmap),       NAME(munmap),	NAME(clone3),	NAME(brk),	  NAME(newfstatat)};

static struct syscalls_bpf *object;

void syscalls_begin(pid_t process)
{
	object = syscalls_bpf__open_and_load();
	if (!object || syscalls_bpf__attach(object))
		fail_msg("counting system calls: %s", strerror(errno));
	object->bss->syscalls_process = (uint32_t)process;
}

static void add_name(GString *text, unsigned int number, unsigned long count, unsigned int of)
{
	unsigned int i = 0;

	while (i < G_N_ELEMENTS(names) && names[i].number != number)
		i++;
	g_string_append(text, text->len ? ", " : "");
	if (i < G_N_ELEMENTS(names))
		g_string_append_printf(text, "%s %.2f", names[i].name, (double)count / of);
	else
		g_string_append_printf(text, "number %u %.2f", number, (double)count / of);
}

unsigned long syscalls_end(unsigned int of, char **text)
{
	GString *all = g_string_new(NULL);
	unsigned long sum = 0;

	syscalls_bpf__detach(object);
	for (unsigned int number = 0; number < SYSCALLS_MAX; number++) {
		unsigned long count = object->bss->syscalls_count[number];

		sum += count;
		if (count)
			add_name(all, number, count, of);
	}
	syscalls_bpf__destroy(object);
	*text = g_string_free(all, FALSE);
	return sum;
}
