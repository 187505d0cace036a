# SPDX-License-Identifier: GPL-2.0
# Makefile - every command of this project; "make help" lists them.
#
# Each command installs the Debian packages it misses (as root; otherwise it
# prints the one apt-get line to run and stops). Everything made is under
# build/; downloads and compiler results are kept in ~/.cache/timens.

BUILD  ?= $(CURDIR)/build
PREFIX ?= /usr/local
V      ?= 0
KERNEL ?= patched

export V
export TIMENS_BUILD = $(abspath $(BUILD))

.DEFAULT_GOAL := help
.PHONY: help run shell check bench stress lint tree kernel uml shim helpers \
	export series check-series check-sparse check-cross install clean distclean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s%s\n", $$1, $$2 }' \
		$(MAKEFILE_LIST)

# HOST= of run and bench; bench does both without it. PEERS=no leaves out others'.
WITH_PEERS = $(if $(PEERS),--peers $(PEERS))
.PHONY: run-vm run-this bench-vm bench-this bench-both bench-traps profile-traps
ifeq ($(filter-out this vm,$(HOST)),)
run: run-$(or $(HOST),vm) ## a UML guest on its own wall clock (HOST=this: without a VM)
bench: bench-$(or $(HOST),both) ## ns and instructions of calls and jobs (HOST=this|vm: half, PEERS=no)
else
run bench:
	@echo "HOST=$(HOST): must be this or vm" >&2; exit 1
endif

run-vm: kernel uml shim helpers
	@scripts/deps vm
	@scripts/demo

run-this: uml shim helpers
	@scripts/deps guest
	@scripts/demo-this

shell: kernel uml shim helpers ## a shell in the VM (GUEST=uml: in a UML guest in it)
	@scripts/deps vm
	@scripts/run-vm --kernel $(KERNEL) --interactive \
		$(if $(filter uml,$(GUEST)),--with tests/bench:/bench -- /bench/guest-shell,-- sh -l)

.PHONY: debian debian-root
debian: debian-root uml shim helpers ## a Debian guest (MODE=seccomp, ptrace, mmfd or timens)
	@scripts/deps guest
	@$(if $(filter mmfd timens,$(MODE)),scripts/deps vm && scripts/build-kernel,:)
	@scripts/debian $(MODE)

debian-root:
	@scripts/debian-root

check: ## every test (TESTS=file.bats... for some, KERNEL=debug|kcsan: see scripts/check)
	@scripts/deps test
	@+$(MAKE) --no-print-directory check-builds
	@TEST_KERNEL=$(KERNEL) scripts/check $(TESTS)

.PHONY: check-builds
check-builds: tree shim helpers
	@[ "$$(id -u)" != 0 ] || scripts/debian-root || \
		echo "tests/debian.bats will fail" >&2
	@scripts/build-kernel $(or $(filter debug kcsan,$(KERNEL)),patched)
	@scripts/build-uml
	@scripts/build-uml smp
	@scripts/build-uml timetravel
	@scripts/build-kernel stock

bench-vm: kernel uml uml-smp uml-stock shim helpers
	@scripts/deps bench
	@scripts/bench --host vm $(WITH_PEERS)
	@scripts/bench-traps

bench-traps: kernel shim helpers ## ns and instructions to run code until it traps (mmfd)
	@scripts/deps bench
	@scripts/bench-traps

profile-traps: kernel shim helpers ## in which functions they are (WAY=mmfd-run)
	@scripts/deps bench
	@scripts/profile-traps $(or $(WAY),mmfd-run)

bench-this: uml uml-smp uml-stock shim helpers
	@scripts/deps bench
	@scripts/bench --host this $(WITH_PEERS)

bench-both: kernel uml uml-smp uml-stock shim helpers
	@scripts/deps bench
	@scripts/bench $(WITH_PEERS)
	@scripts/bench-traps

.PHONY: uml-stock uml-smp
uml-smp: tree
	@scripts/build-uml smp

uml-stock: tree
	@scripts/build-uml stock

stress: kernel uml uml-smp shim helpers ## long tests (DURATION=s SEED=n HOST=this|vm)
	@scripts/deps vm
	@scripts/deps guest
	@$(if $(filter this,$(HOST)),:,scripts/stress)
	@$(if $(filter this,$(HOST)),:,scripts/stress-mmfd)
	@scripts/stress-guest

lint: tree ## checkpatch, shellcheck, clang-format, cppcheck
	@scripts/deps lint
	@scripts/lint

tree: ## build/linux: the kernel source with our commits (FORCE=1 to redo)
	@scripts/kernel-tree

kernel: tree ## the host kernel (KERNEL=patched, stock, debug or kcsan)
	@scripts/build-kernel $(KERNEL)

uml: tree ## the UML kernel
	@scripts/build-uml

shim: ## libtimens, timens and libmmfd
	@scripts/deps shim
	@+$(MAKE) --no-print-directory -C shim OUT=$(TIMENS_BUILD)/shim all

helpers: tree shim
	@scripts/deps helpers
	@scripts/build-helpers

export: ## commits made in build/linux back to kernel-ns/ and uml-glue/
	@scripts/export-series

series: tree ## the mail-format series in build/series
	@scripts/make-series

check-series: series ## checkpatch on, and a build of, every commit
	@scripts/check-series --build

check-cross: tree ## compile what the patches touch for arm64 and 32-bit x86
	@scripts/check-cross

check-sparse: kernel uml ## sparse on the files our commits touch (SPARSE=program)
	@scripts/check-sparse $(SPARSE)

install: shim ## install libtimens, timens and libmmfd (DESTDIR= PREFIX=)
	@+$(MAKE) --no-print-directory -C shim OUT=$(TIMENS_BUILD)/shim \
		DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) install

clean: ## remove what was built; keep the kernel tree and the cache
	@scripts/clean

distclean: ## remove build/ (local commits in build/linux too)
	@scripts/clean --all
