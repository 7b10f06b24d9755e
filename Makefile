# SPDX-License-Identifier: GPL-2.0-or-later
#
# tapguard: everything is built into .build/ (or .build/san with SAN=1).
#
#   make deps    install the Debian packages        make test    everything that can fail
#   make         build rulesd and sgctl             make demo    four guests, a policy, what passes and what does not
#   make verifier  what the verifier says, against its budget        make test-kernels  on other kernels (KERNELS="6.1 6.12")
#   make lint    clang-format and clang-tidy, the house rules
#   make soak    everything at once for SOAK=300 seconds, and rulesd stays as it was
#   make test-floods    a million frames of each kind of flood (FLOOD=N for others)
#   make bench   what it costs, beside nftables and others (BENCH=path for one, QUICK=1 short): table, JSON, figures
#   make kill-test    rulesd killed and refused at every system call that changes anything (POINTS=N, RANDOM=N, SCENARIOS=...)
#   make install, uninstall    PREFIX=/usr/local, DESTDIR=        make deb    .build/tapguard_VERSION_ARCHITECTURE.deb
#   make fuzz    random policies, frames and bytes against a reference, for TIME=600 seconds
#
# A new source file is picked up by its folder: bpf/*.bpf.c are BPF objects, rulesd/*.c but main.c is the library that
# both programs share, ctl/*.c is sgctl (all but main.c in a library, so that tests reach it), tests/{unit,prog,e2e}/*.c are
# one cmocka program each, tests/lib/*.c is theirs; tests/bench/bench_*.c are a program each, the rest there is theirs.

PREFIX ?= /usr/local
KERNELS ?= 6.1 6.12
CC ?= gcc
CLANG ?= clang
VERSION := 0.1.0

B := $(if $(SAN),.build/san,.build)
DEPS_PACKAGES := gcc make pkg-config clang llvm libc6-dev linux-libc-dev libbpf-dev bpftool libmnl-dev \
	libnftnl-dev libcmocka-dev libjansson-dev libmicrohttpd-dev libcurl4-openssl-dev \
	libsmartcols-dev libglib2.0-dev libsystemd-dev libseccomp-dev libcap-dev libpcap0.8-dev libncurses-dev iproute2
DEB_PACKAGES := debhelper dpkg-dev fakeroot
TEST_PACKAGES := $(DEB_PACKAGES) clang-format clang-tidy python3-jsonschema qemu-system-x86 busybox-static nftables iptables ipset \
	cpio xz-utils kmod curl jq procps iputils-ping libclang-rt-14-dev systemd lintian mandoc graphviz zsh tmux
BENCH_PACKAGES := nftables iptables ipset gnuplot-nox jq python3
LIBS := libpcap ncursesw libbpf libmnl libnftnl jansson libmicrohttpd libcurl smartcols glib-2.0 libsystemd libseccomp libcap

WARN := -Wall -Wextra -Wshadow -Wcast-qual -Wsign-compare -Wmissing-prototypes -Wstrict-prototypes \
	-Wimplicit-fallthrough -Werror
# Recursive and lazy, so that `make deps` works before pkg-config is there. Library headers are not ours to warn about.
PKG_CFLAGS = $(subst -I/,-isystem /,$(shell pkg-config --cflags $(LIBS)))
PKG_LIBS = $(shell pkg-config --libs $(LIBS))
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu11 $(CFLAGS) $(WARN) $(PKG_CFLAGS) -I. -I.build/skel -D_GNU_SOURCE \
	-DTAPGUARD_VERSION='"$(VERSION)"' -MMD -MP
ALL_LIBS = $(PKG_LIBS) -lelf -lz
ifdef SAN
ALL_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ALL_LIBS += -fsanitize=address,undefined
endif
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Wno-unused-parameter -Werror -I. \
	-I/usr/include/$(shell uname -m)-linux-gnu

BPF_SRC := $(wildcard bpf/*.bpf.c)
SKEL := $(BPF_SRC:bpf/%.bpf.c=.build/skel/%.skel.h)
LIB_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(filter-out rulesd/main.c,$(wildcard rulesd/*.c)))
CTL_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(filter-out ctl/main.c,$(wildcard ctl/*.c)))
AGENT := .build/vm/agent
TALKER := .build/vm/talker
TESTLIB_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/lib/*.c))
TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*.c tests/prog/*.c tests/e2e/*.c))
PROGRAMS := $(if $(wildcard ctl/main.c),$(B)/sgctl) $(if $(wildcard rulesd/main.c),$(B)/rulesd)
C_FILES = $(shell git ls-files -co --exclude-standard '*.c' '*.h')

.PHONY: all deps test-deps tests test test-san soak kill-test bench bench-programs test-floods test-kernels fuzz fuzz-programs demo lint format verifier install uninstall deb clean
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PROGRAMS)

tests: all $(TESTS) $(BENCHES) $(B)/tests/kill/kill $(AGENT) $(TALKER)

deps:
	@tests/install-packages $(DEPS_PACKAGES)

test-deps:
	@tests/install-packages $(DEPS_PACKAGES) $(TEST_PACKAGES)

.build/bpf/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

.build/skel/%.skel.h: .build/bpf/%.bpf.o
	@mkdir -p $(@D)
	bpftool gen skeleton $< name $*_bpf > $@

# Objects live in $(B)/obj: $(B)/rulesd and $(B)/sgctl are the programs.
$(B)/obj/%.o: %.c | $(SKEL)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c $< -o $@

$(B)/libtapguard.a: $(LIB_OBJ)
	rm -f $@
	$(AR) rcs $@ $^

# rulesd has no use for what sgctl needs, as libcurl; and nothing writes where functions of libraries are found.
PROGRAM_LDFLAGS := -Wl,--as-needed -Wl,-z,relro -Wl,-z,now

$(B)/rulesd: $(B)/obj/rulesd/main.o $(B)/libtapguard.a
	@mkdir -p $(@D)
	$(CC) $(PROGRAM_LDFLAGS) $(LDFLAGS) -o $@.tmp $^ $(ALL_LIBS) && mv $@.tmp $@

$(B)/libsgctl.a: $(CTL_OBJ)
	rm -f $@
	$(AR) rcs $@ $^

$(B)/sgctl: $(B)/obj/ctl/main.o $(B)/libsgctl.a $(B)/libtapguard.a
	$(CC) $(PROGRAM_LDFLAGS) $(LDFLAGS) -o $@.tmp $^ $(ALL_LIBS) && mv $@.tmp $@

# An archive, so that a test links only what it uses of it.
$(B)/libtests.a: $(TESTLIB_OBJ)
	rm -f $@
	$(AR) rcs $@ $^

$(B)/tests/%: $(B)/obj/tests/%.o $(B)/libtests.a $(B)/libsgctl.a $(B)/libtapguard.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(ALL_LIBS) -lcmocka

# tests/bench: programs on the library of the tests; their own BPF programs (references) are no part of the product.
BENCHES := $(patsubst tests/bench/%.c,$(B)/tests/bench/%,$(wildcard tests/bench/bench_*.c))
BENCH_LIB_OBJ := $(patsubst %.c,$(B)/obj/%.o, \
	$(filter-out $(wildcard tests/bench/bench_*.c tests/bench/*.bpf.c),$(wildcard tests/bench/*.c)))
BENCH_SKEL := $(patsubst tests/bench/%.bpf.c,.build/bench/skel/%.skel.h,$(wildcard tests/bench/*.bpf.c))

.build/bench/bpf/%.bpf.o: tests/bench/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

# Named, not a pattern alone: make prefers a rule for objects without prerequisites that it would have to find out about.
$(BENCH_SKEL): .build/bench/skel/%.skel.h: .build/bench/bpf/%.bpf.o
	@mkdir -p $(@D)
	bpftool gen skeleton $< name $*_bpf > $@

$(B)/obj/tests/bench/%.o: ALL_CFLAGS += -I.build/bench/skel
$(B)/obj/tests/bench/%.o: tests/bench/%.c | $(SKEL) $(BENCH_SKEL)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c $< -o $@

$(B)/libbench.a: $(BENCH_LIB_OBJ)
	rm -f $@
	$(AR) rcs $@ $^

$(B)/tests/bench/%: $(B)/obj/tests/bench/%.o $(B)/libbench.a $(B)/libtests.a $(B)/libsgctl.a $(B)/libtapguard.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(ALL_LIBS) -lm -lpthread -lcmocka

bench-programs: all $(BENCHES)

# tests/kill: one program, on the library of the tests.
KILL := $(B)/tests/kill/kill

$(KILL): $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/kill/*.c)) $(B)/libtests.a $(B)/libsgctl.a $(B)/libtapguard.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(ALL_LIBS) -lcmocka

# Every call of every scenario killed and failed, and RANDOM kills at random times; SCENARIOS="apply patch" runs these only; OLDER=PATH of a
# rulesd of an older version for the scenario migrate; JOBS=N processes share the points (all CPUs).
kill-test: test-deps
	@$(MAKE) --no-print-directory -j$(shell nproc) all $(KILL)
	@JOBS='$(JOBS)' tests/kill/run --points $(or $(POINTS),0) --random $(or $(RANDOM),100) $(if $(OLDER),--older $(OLDER)) $(SCENARIOS)

bench:
	@tests/install-packages $(DEPS_PACKAGES) $(BENCH_PACKAGES)
	@$(MAKE) --no-print-directory -j$(shell nproc) bench-programs
	@BENCH='$(BENCH)' tests/bench/run

# tests/fuzz: the differential test, its reference, and libFuzzer's programs (clang, with sanitizers of their own).
F := .build/fuzz
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,$(F)/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_REFERENCE := $(wildcard tests/fuzz/reference/*.c)
FUZZ_DIFF_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(FUZZ_REFERENCE) \
	$(filter-out $(wildcard tests/fuzz/fuzz_*.c),$(wildcard tests/fuzz/*.c)))
# The parsers and pure parts: no BPF object, no kernel.
FUZZ_LIB := $(patsubst %.c,$(F)/obj/%.o,$(filter-out rulesd/main.c rulesd/bpf_%.c,$(wildcard rulesd/*.c)) \
	$(filter-out ctl/import_print.c,$(wildcard ctl/import_*.c ctl/export_aws*.c ctl/assertion*.c ctl/reach*.c)) \
	$(patsubst %,ctl/%.c,capture endpoint frame offline policy_files units) \
	$(FUZZ_REFERENCE) tests/lib/reference.c tests/lib/sources.c)
# The last: bpf/parse.bpf.h built natively reads unaligned, as BPF may, and is no stranger to void pointers.
FUZZ_CFLAGS = $(filter-out -Werror,$(ALL_CFLAGS)) -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all \
	-fsanitize=fuzzer-no-link,address,undefined -Wno-unused -Wno-unused-parameter -Wno-cast-qual \
	-Wno-sign-compare -Werror

$(F)/differential: $(FUZZ_DIFF_OBJ) $(B)/libtests.a $(B)/libsgctl.a $(B)/libtapguard.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(ALL_LIBS) -lcmocka

$(F)/obj/%.o: %.c | $(SKEL)
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -c $< -o $@

$(F)/obj/tests/fuzz/fuzz_frame.o $(F)/obj/ctl/frame.o: FUZZ_CFLAGS += -fno-sanitize=alignment

$(F)/libpure.a: $(FUZZ_LIB)
	rm -f $@
	$(AR) rcs $@ $^

$(F)/fuzz_%: $(F)/obj/tests/fuzz/fuzz_%.o $(F)/libpure.a
	$(CLANG) -fsanitize=fuzzer,address,undefined $(FUZZ_LDFLAGS) -o $@ $^ $(ALL_LIBS)

# The engine without a kernel: it has bpffs_prepare of its own.
$(F)/fuzz_api: FUZZ_LDFLAGS = -Wl,--allow-multiple-definition

fuzz-programs: $(F)/differential $(FUZZ_TARGETS)

fuzz: test-deps
	@$(MAKE) --no-print-directory -j$(shell nproc) fuzz-programs
	@TIME=$(or $(TIME),600) tests/fuzz/run

# Static: it runs in guests that have no libraries, and in namespaces on the host.
$(AGENT): $(wildcard tests/vm/agent/*.[ch]) rulesd/cleanup.h
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -g $(WARN) $(PKG_CFLAGS) -I. -D_GNU_SOURCE -static -Wl,--no-warnings -o $@ \
		$(filter %.c,$^) $(shell pkg-config --static --libs glib-2.0)

$(TALKER): tests/vm/talker/main.c rulesd/cleanup.h
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -g $(WARN) $(PKG_CFLAGS) -I. -D_GNU_SOURCE -static -Wl,--no-warnings -o $@ $<

test: test-deps
	@$(MAKE) --no-print-directory -j$(shell nproc) all tests bench-programs
	@tests/run

# A million frames of each kind; in `make test` there are fewer.
test-floods: test-deps
	@$(MAKE) --no-print-directory -j$(shell nproc) all tests
	@FLOOD=$(or $(FLOOD),1000000) $(B)/tests/e2e/test_floods

# What the verifier says of every program, against tests/verifier.budget.
verifier: deps
	@$(MAKE) --no-print-directory -j$(shell nproc) .build/tests/prog/verifier
	@.build/tests/prog/verifier

# All tests that need a kernel, on other kernels, in virtual machines; STEPS='prog/verifier' runs these only (tests/vm/kernels has the rest).
test-kernels: test-deps
	@$(MAKE) --no-print-directory -j$(shell nproc) all tests
	@tests/vm/kernels $(KERNELS)

# rulesd and sgctl with ASan, UBSan and LSan under the end-to-end tests (TESTS='test_api ...' for some): about twenty minutes.
test-san: test-deps
	@$(MAKE) --no-print-directory SAN=1 -j$(shell nproc) all tests
	@tests/san/run

soak: test-deps
	@$(MAKE) --no-print-directory -j$(shell nproc) all
	@SOAK=$(or $(SOAK),300) tests/soak/run

demo: test-deps
	@$(MAKE) --no-print-directory -j$(shell nproc) all $(AGENT)
	@tests/vm/demo $(or $(GUESTS),qemu)


# clang-tidy reads what is made of the BPF objects.
lint: $(SKEL) $(BENCH_SKEL)
	@tests/lint

# clang-format 14 takes several passes to settle long macros.
format:
	@for pass in 1 2 3 4 5 6; do clang-format -i $(C_FILES); done

# SOURCE:DESTINATION:MODE of all that `make install` installs; `make uninstall` removes exactly that.
BINDIR ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
DATADIR ?= $(PREFIX)/share
DOCDIR ?= $(DATADIR)/doc/tapguard
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
ZSHDIR ?= $(DATADIR)/zsh/site-functions
MADE := .build/install
EXAMPLES := $(shell find schemas/examples -type f)
INSTALLED := \
	.build/sgctl:$(BINDIR)/sgctl:755 \
	.build/rulesd:$(SBINDIR)/rulesd:755 \
	ctl/sgctl.1:$(DATADIR)/man/man1/sgctl.1:644 \
	rulesd/rulesd.8:$(DATADIR)/man/man8/rulesd.8:644 \
	rulesd/tapguard-policy.5:$(DATADIR)/man/man5/tapguard-policy.5:644 \
	$(MADE)/sgctl.bash:$(DATADIR)/bash-completion/completions/sgctl:644 \
	$(MADE)/sgctl.zsh:$(ZSHDIR)/_sgctl:644 \
	$(MADE)/tapguard.service:$(UNITDIR)/tapguard.service:644 \
	rulesd/tapguard.sysusers:$(SYSUSERSDIR)/tapguard.conf:644 \
	$(foreach f,$(wildcard schemas/*.json),$(f):$(DATADIR)/tapguard/$(f):644) \
	$(foreach f,$(EXAMPLES),$(f):$(DOCDIR)/$(f:schemas/%=%):$(if $(shell test -x $(f) && echo x),755,644))
installed_field = $(word $(2),$(subst :, ,$(1)))
# Of ours alone: the others are everybody's.
INSTALLED_FOLDERS = $(DESTDIR)$(DATADIR)/tapguard $(DESTDIR)$(DOCDIR)

$(MADE)/sgctl.%: .build/sgctl
	@mkdir -p $(@D)
	.build/sgctl completion $* > $@

# Made anew each time: it has PREFIX in it.
.PHONY: $(MADE)/tapguard.service
$(MADE)/tapguard.service: rulesd/tapguard.service.in
	@mkdir -p $(@D)
	sed 's|@SBINDIR@|$(SBINDIR)|' $< > $@

install: all $(MADE)/sgctl.bash $(MADE)/sgctl.zsh $(MADE)/tapguard.service
	@set -e; $(foreach f,$(INSTALLED),install -D -m $(call installed_field,$(f),3) \
		$(call installed_field,$(f),1) "$(DESTDIR)$(call installed_field,$(f),2)";)

uninstall:
	@rm -f $(foreach f,$(INSTALLED),"$(DESTDIR)$(call installed_field,$(f),2)")
	@for folder in $(INSTALLED_FOLDERS); do \
		[ ! -d "$$folder" ] || find "$$folder" -depth -type d -empty -delete; done

# The Debian package, built the usual way in a copy of the tree, where .debian is debian.
DEB_TREE := .build/deb/tapguard-$(VERSION)
DEB = .build/tapguard_$(VERSION)_$(shell dpkg --print-architecture).deb

deb:
	@tests/install-packages $(DEPS_PACKAGES) $(DEB_PACKAGES)
	@rm -rf .build/deb && mkdir -p $(DEB_TREE)
	@git ls-files -co --exclude-standard | while IFS= read -r file; do [ ! -e "$$file" ] || echo "$$file"; done | \
		grep -vE '^tests/(data|bench|fuzz)/' | xargs -d '\n' cp --parents -t $(DEB_TREE)
	@mv $(DEB_TREE)/.debian $(DEB_TREE)/debian
	@[ "$$(dpkg-parsechangelog -l $(DEB_TREE)/debian/changelog -S Version)" = $(VERSION) ] || \
		{ echo "deb: .debian/changelog is not of version $(VERSION)"; exit 1; }
	@cd $(DEB_TREE) && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS DEB_BUILD_OPTIONS="parallel=$(shell nproc) $(DEB_BUILD_OPTIONS)" \
		dpkg-buildpackage -b -us -uc >../build.log 2>&1 || { tail -n 50 ../build.log; exit 1; }
	@cp .build/deb/*.deb .build/deb/*.changes .build/
	@echo $(DEB)

clean:
	rm -rf .build

-include $(shell find .build -path .build/deb -prune -o -type f -name '*.d' -print 2>/dev/null)
