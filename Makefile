# Sluice. 'make help' lists the targets.
.DEFAULT_GOAL := all
SHELL := /bin/bash
MODE ?= opt
B := build/$(MODE)
ifeq ($(MODE),opt)
BIN := bin
else
BIN := $(B)/bin
endif

ifeq ($(MODE),fuzz)
CC := clang
endif
CC ?= cc
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wvla -Wformat=2
ifeq ($(CI),true)
WARN += -Werror
endif
CFLAGS_opt := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
CFLAGS_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_san := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS_opt := -Wl,-z,relro,-z,now
LDFLAGS_fuzz := -fsanitize=fuzzer,address,undefined
LDFLAGS_san := -fsanitize=address,undefined
CPPFLAGS += -D_GNU_SOURCE -Ilib $(shell pkg-config --cflags libpq yajl 2>/dev/null)
ALL_CFLAGS = -std=c11 $(WARN) $(CFLAGS_$(MODE)) -fPIE $(CFLAGS)
ALL_LDFLAGS = $(LDFLAGS_$(MODE)) -pie -Wl,--as-needed $(LDFLAGS)
# --as-needed: a program names only the libraries that it uses, so a filter
# that touches no service links no service's library.
LDLIBS := -lyajl -lcrypto -ldnnl -lcurl -lpq -lrdkafka -lmicrohttpd -lz -lm -lpthread

PROGS := $(patsubst stages/%.c,%,$(wildcard stages/*.c))
LIB_SRC := $(wildcard lib/*.c lib/*/*.c)
LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o)
LIB := $(B)/libsluice.a

all: $(PROGS:%=$(BIN)/%) ## build every program

$(BIN)/%: $(B)/stages/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $< $(LIB) $(LDLIBS)

$(LIB): $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Programs know the newest schema at the time they were built.
MIGRATIONS := $(sort $(wildcard lib/ledger/0*.sql))
$(B)/lib/pg.o: CPPFLAGS += -DLEDGER_VERSION=$(shell expr $(firstword $(subst -, ,$(notdir $(lastword $(MIGRATIONS))))) + 0)
$(B)/lib/pg.o: $(MIGRATIONS)
# The dashboard's files are in the program.
$(B)/lib/page/assets.o: $(wildcard lib/page/*.css lib/page/*.js lib/page/*.svg lib/page/*.json)

# Test programs: t/c/NAME.c is built to $(B)/t/NAME.
TEST_C := $(patsubst t/c/%.c,$(B)/t/%,$(wildcard t/c/*.c))
$(B)/t/%: $(B)/t/c/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $< $(LIB) $(LDLIBS)

$(B)/t/%.so: t/preload/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=c11 -O2 -fPIC -shared -o $@ $< -ldl

test-programs: $(TEST_C) $(B)/t/failn.so $(B)/t/failcall.so

# Fuzz targets: t/fuzz/NAME.c is built to build/fuzz/NAME by 'make fuzz'.
FUZZ_C := $(patsubst t/fuzz/%.c,$(B)/%,$(wildcard t/fuzz/*.c))
$(B)/fuzz-%: $(B)/t/fuzz/fuzz-%.o $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $< $(LIB) $(LDLIBS)

fuzz-programs: $(FUZZ_C)

-include $(wildcard $(B)/*/*.d $(B)/*/*/*.d)

deps: ## install and fetch what is needed, said before it is done
	@SLUICE_MODEL_URL='$(SLUICE_MODEL_URL)' lib/sh/deps.sh

# What needs the installed packages is a make of its own: this one has read
# its settings before they were there.
SUB := +@$(MAKE) --no-print-directory
# On every core, unless make was told on how many.
ALL_CORES = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

# The tests' PDFs are for make deps and make check.
demo: ## start the local stack, run the sample documents through it, search them
	@SLUICE_MODEL_URL='$(SLUICE_MODEL_URL)' lib/sh/deps.sh run
	$(SUB) $(ALL_CORES) -s all
	@lib/sh/demo.sh

check: deps ## install what is missing, build, run every test with its own Kafka and PostgreSQL
	$(SUB) $(ALL_CORES) all test-programs
	t/run

check-fast: all test-programs ## the tests that need no service, in under 30 s
	t/run -f

check-san: ## the tests that need no service and the whole pipeline under ASan and UBSan
	$(SUB) MODE=san all test-programs
	t/run -s

check-san-services: ## the tests of ledger, Kafka and index under ASan and UBSan
	$(SUB) MODE=san all test-programs
	t/run -S

lint: ## shellcheck, mandoc, cppcheck
	t/lint

FUZZ_SECS ?= 20
fuzz: ## fuzz every parser for FUZZ_SECS seconds each
	$(SUB) MODE=fuzz fuzz-programs
	t/fuzz/run build/fuzz $(FUZZ_SECS)

ONLY ?=
bench: all test-programs ## figures into build/bench.ndjson; ONLY=name runs one
	t/bench/run $(ONLY)

JOBS ?=
SECS ?=
SEED ?=
chaos: all ## everything that can be broken is broken under JOBS jobs for SECS seconds; SEED repeats a schedule
	@JOBS=$(JOBS) SECS=$(SECS) SEED=$(SEED) t/chaos/run

model: ## check the models of lib/ledger/*.pml in all their states, a few minutes
	t/model lib/ledger/lease.pml FAULTS=1 PEOPLE=0 GATES=0 RETRIES=0
	t/model lib/ledger/lease.pml NJ=1 NS=1 FAULTS=1 PEOPLE=1 GATES=0 RETRIES=0
	t/model lib/ledger/lease.pml NJ=1 NS=1 FAULTS=0 PEOPLE=1
	t/model lib/ledger/publish.pml FAULTS=2

ONE ?=
faults: all test-programs ## every call of libpq, librdkafka and the system in the feeders fails once, half an hour; ONE=case/kind:n
	t/with-stack t/faults/run $(ONE)

clean: ## remove what was built
	rm -rf build
	rm -f $(PROGS:%=bin/%)

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort

.PHONY: all bench chaos check check-fast check-san check-san-services clean demo deps faults fuzz fuzz-programs help lint model test-programs
.SECONDARY:
