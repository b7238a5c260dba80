# PDAC: build, run and test. See README.md; everything lands in build/.

APP   ?= .
CPUS  ?= 4
NODES ?= 2
MEM   ?= 1G
# What the console does first: for the standard image the machine, its workload,
# and what that did.
EXEC  ?= $(if $(filter .,$(APP)),numa; run; cpu; mem)
PKGS  ?=
PEERS ?= # options of test/bench/peers/compare
TORTURE ?= 60 # seconds for each package
QEMU_ARGS ?= # more options of scripts/run-qemu.sh

image := build/$(if $(filter .,$(APP)),pdac,$(notdir $(abspath $(APP)))).elf
boot   = scripts/run-qemu.sh --kernel $(image) --cpus $(CPUS) --nodes $(NODES) --mem $(MEM) \
	$(if $(EXEC),--exec "$$EXEC") $(QEMU_ARGS)
export EXEC

.PHONY: kernel run gdb test test-long test-std torture bench-guest bench-peers vet clean qemu

# kbuild leaves the work of telling what is out of date to the go command. The
# standard image carries the files of its workload.
ifeq ($(APP),.)
kernel: archive := -archive build/workload.cpio
kernel: build/workload.cpio
endif
kernel: build/go.mod
	go run ./cmd/kbuild -o $(image) $(archive) $(APP)

build/workload.cpio: build/go.mod $(wildcard cmd/mkworkload/*.go cmd/mkarchive/*.go workload/*.go)
	go run ./cmd/mkworkload build/workload
	go run ./cmd/mkarchive -o $@ build/workload=workload

# A module of its own, so that ./... does not find the sources in there.
build/go.mod:
	@mkdir -p build
	@echo 'module build' >$@

# make reports any status of the guest but 0 as 2; run-qemu.sh tells it.
run: kernel qemu
	@$(boot)

gdb: kernel qemu
	@$(boot) --gdb

qemu:
	@scripts/install-deps.sh qemu-system-x86_64

test: qemu
	@scripts/install-deps.sh gcc # for go test -race
	@go run ./cmd/check

test-long: qemu
	@scripts/install-deps.sh gcc
	@go run ./cmd/check -long

test-std: qemu
	@go run ./test/std $(PKGS)

# What is lock-free, and its readers, under load: histograms of ages, faults that must be found.
torture:
	@scripts/torture.sh $(TORTURE)

bench-guest: qemu
	@go run ./test/bench/linux/compare -linux

# Beside others on the host, with those C libraries that are installed (Debian:
# liburcu-dev, libck-dev).
has = $(shell echo '\#include <$(1)>' | $(or $(CC),cc) -E -x c - >/dev/null 2>&1 && echo $(2))
bench-peers:
	@go run -C test/bench/peers -tags "$(call has,urcu/urcu-memb.h,liburcu) $(call has,ck_ht.h,ck)" ./compare $(PEERS)

vet:
	go vet ./...
	go vet -C test/bench/peers ./...
	go run ./cmd/kbuild -vet

clean:
	rm -rf build
