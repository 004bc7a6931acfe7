# aivault - one non-recursive Makefile. `make help` lists the targets.
# SPDX-License-Identifier: Apache-2.0

VERSION  := 0.1.0
VARIANT  ?= release
BUILDDIR ?= build
PREFIX   ?= /usr/local
DESTDIR  ?=
PYTHON   ?= /usr/bin/python3
V        ?= 0
Q        := $(if $(filter 0,$(V)),@)

B := $(BUILDDIR)/$(VARIANT)
H := $(BUILDDIR)/host

# ---- toolchain and flags --------------------------------------------------------------------
ifeq ($(VARIANT),fuzz)
CC := clang
AR := ar
else
CC ?= cc
AR := gcc-ar
endif
WERROR   ?=
WARN     := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
            -Wformat=2 $(if $(WERROR),-Werror)
CPPFLAGS_ALL := -Isrc -D_GNU_SOURCE -DAV_VERSION='"$(VERSION)"' -DAV_VARIANT='"$(VARIANT)"'
HARDEN   := -fstack-protector-strong -fPIE -fno-strict-aliasing
HLINK    := -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed

SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_release := -O2 -g -D_FORTIFY_SOURCE=2 -flto=auto
OPT_dev     := -O1 -g -DAV_DEV=1
OPT_asan    := -O1 -g $(SAN) -DAV_SANITIZED=1
OPT_tsan    := -O1 -g -fsanitize=thread -DAV_SANITIZED=1
OPT_fuzz    := -O1 -g $(SAN) -fsanitize=fuzzer-no-link -DAV_SANITIZED=1 -DAV_FUZZ=1
OPT_cov     := -O0 -g --coverage
OPT := $(OPT_$(VARIANT))
ifeq ($(OPT),)
$(error VARIANT=$(VARIANT) is not one of release dev asan tsan fuzz cov)
endif
CFLAGS_ALL := -std=c11 $(WARN) $(HARDEN) $(OPT) $(CFLAGS)
LDFLAGS_ALL := $(HLINK) $(OPT) $(LDFLAGS)

# ---- packages from outside (vendor/README.md); a missing one is named -------------------------
PKG_CONFIG ?= pkg-config
GOALS_WITHOUT_PKGS := deps help clean format dist
ifneq ($(if $(MAKECMDGOALS),$(filter-out $(GOALS_WITHOUT_PKGS),$(MAKECMDGOALS)),all),)
PKG_MISSING := $(shell for p in libcurl openssl libuv zlib sqlite3 libsodium libcjson lua5.4; do \
                 $(PKG_CONFIG) --exists $$p 2>/dev/null || printf '%s ' $$p; done; \
                 [ -f vendor/.llhttp/usr/share/llhttp/llhttp.c ] || \
                 [ -f /usr/share/llhttp/llhttp.c ] || \
                 $(PKG_CONFIG) --exists libllhttp 2>/dev/null || printf 'llhttp ')
# Debian's libcjson.pc is named libcjson; lua's is lua5.4.
ifneq ($(strip $(PKG_MISSING)),)
ifeq ($(filter demo check bench soak,$(MAKECMDGOALS)),)
$(error not found: $(PKG_MISSING)- run `make deps` or install them (vendor/packages.*))
endif
endif
endif
pc = $(shell $(PKG_CONFIG) $(1) $(2) 2>/dev/null)
CURL_CFLAGS := $(call pc,--cflags,libcurl)
CURL_LIBS   := $(call pc,--libs,libcurl)
OPENSSL_LIBS := $(call pc,--libs,openssl)
UV_LIBS     := $(call pc,--libs,libuv)
ZLIB_LIBS   := $(call pc,--libs,zlib)
SQLITE_LIBS := $(call pc,--libs,sqlite3)
SODIUM_LIBS := $(call pc,--libs,libsodium)
CJSON_CFLAGS := $(call pc,--cflags,libcjson)
CJSON_LIBS  := $(call pc,--libs,libcjson)
LUA_CFLAGS  := $(call pc,--cflags,lua5.4)
# Lua is linked statically: the judge then holds no system, popen or dlopen at all.
LUA_LIBDIR  := $(call pc,--variable=libdir,lua5.4)
LUA_LIBS    := $(or $(wildcard $(LUA_LIBDIR)/liblua5.4.a /usr/lib/*/liblua5.4.a),-llua5.4) -lm

# llhttp: a system library where there is one, else the C sources that vendor/install.sh unpacks.
LLHTTP_SRC := $(firstword $(wildcard vendor/.llhttp/usr/share/llhttp /usr/share/llhttp))
LLHTTP_INC := $(firstword $(wildcard vendor/.llhttp/usr/share/include/llhttp /usr/share/include/llhttp))
ifneq ($(LLHTTP_SRC),)
LLHTTP_CFLAGS := -I$(LLHTTP_INC)
LLHTTP_LIB := $(B)/lib/libllhttp.a
LLHTTP_LIBS :=
else
LLHTTP_CFLAGS := $(call pc,--cflags,libllhttp)
LLHTTP_LIB :=
LLHTTP_LIBS := $(or $(call pc,--libs,libllhttp),-lllhttp)
endif

# ---- layers: a static library each; main.c is the program --------------------------------------
LAYERS := base http reach wire vault auth audit keeper policy broker daemon cli
CPPFLAGS_http   := $(LLHTTP_CFLAGS)
CPPFLAGS_vault  := $(CJSON_CFLAGS)
CPPFLAGS_auth   := $(CJSON_CFLAGS)
CPPFLAGS_audit  := $(CJSON_CFLAGS)
CPPFLAGS_keeper := $(CJSON_CFLAGS)
CPPFLAGS_policy := $(LUA_CFLAGS)
CPPFLAGS_broker := $(CURL_CFLAGS) $(CJSON_CFLAGS)
CPPFLAGS_cli    := $(CJSON_CFLAGS)

srcs = $(filter-out %/main.c,$(wildcard src/$(1)/*.c))
objs = $(patsubst src/%.c,$(B)/obj/%.o,$(call srcs,$(1)))
lib  = $(B)/lib/lib$(1).a
libs = $(foreach l,$(1),$(call lib,$(l)))

GEN_LUA      := $(BUILDDIR)/gen/embedded_lua.c
GEN_MANIFEST := $(BUILDDIR)/gen/builtin_manifests.c

PROGRAMS_BIN     := aivault aivaultd
PROGRAMS_LIBEXEC := aivault-broker aivault-keeper aivault-policy
BINS := $(addprefix $(B)/bin/,$(PROGRAMS_BIN)) $(addprefix $(B)/libexec/,$(PROGRAMS_LIBEXEC))

LINK_keeper := $(call libs,keeper audit auth vault wire reach http base)
LINK_broker := $(call libs,broker wire reach http base) $(LLHTTP_LIB)
LINK_policy := $(call libs,policy wire reach http base)
LINK_daemon := $(call libs,daemon wire base)
LINK_cli    := $(call libs,cli wire reach http base) $(LLHTTP_LIB)
LINK_base   := $(call libs,base)
LINK_http   := $(call libs,http base) $(LLHTTP_LIB)
LINK_reach  := $(call libs,reach http base)
LINK_wire   := $(call libs,wire reach http base)
LINK_vault  := $(LINK_keeper)
LINK_auth   := $(LINK_keeper)
LINK_audit  := $(LINK_keeper)

EXT_keeper := $(SODIUM_LIBS) $(SQLITE_LIBS) $(CJSON_LIBS) -lpthread
EXT_broker := $(UV_LIBS) $(CURL_LIBS) $(OPENSSL_LIBS) $(ZLIB_LIBS) $(CJSON_LIBS) $(LLHTTP_LIBS)
EXT_policy := $(LUA_LIBS)
EXT_daemon :=
EXT_cli    := $(CJSON_LIBS) $(LLHTTP_LIBS)
EXT_http   := $(LLHTTP_LIBS)
EXT_vault  := $(EXT_keeper)
EXT_auth   := $(EXT_keeper)
EXT_audit  := $(EXT_keeper)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all
all: $(BINS)

# ---- pattern rules ------------------------------------------------------------------------------
define LAYER_RULES
$(call lib,$(1)): $(call objs,$(1))
$(B)/obj/$(1)/%.o: src/$(1)/%.c
	@mkdir -p $$(@D)
	$$(Q)$$(if $$(filter 0,$$(V)),echo "  CC    $(VARIANT) $$<" &&) $$(CC) $$(CPPFLAGS_ALL) $(CPPFLAGS_$(1)) $$(CPPFLAGS) $$(CFLAGS_ALL) -MMD -MP -c -o $$@ $$<
endef
$(foreach l,$(LAYERS),$(eval $(call LAYER_RULES,$(l))))

$(B)/lib/%.a:
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# Not our code: our warnings are off, its strict mode is on.
LLHTTP_OBJS := $(addprefix $(B)/obj/llhttp/,api.o http.o llhttp.o)
$(B)/lib/libllhttp.a: $(LLHTTP_OBJS)
$(B)/obj/llhttp/%.o: $(LLHTTP_SRC)/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -w $(HARDEN) $(OPT) $(LLHTTP_CFLAGS) -DLLHTTP_STRICT_MODE=1 -c -o $@ $<

$(B)/obj/gen/%.o: $(BUILDDIR)/gen/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

link = $(Q)mkdir -p $(@D) && $(if $(filter 0,$(V)),echo "  LINK  $@" &&) \
       $(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(1)

$(B)/bin/aivault: $(B)/obj/cli/main.o $(LINK_cli)
	$(call link,$(EXT_cli))
$(B)/bin/aivaultd: $(B)/obj/daemon/main.o $(LINK_daemon)
	$(call link,$(EXT_daemon))
$(B)/libexec/aivault-broker: $(B)/obj/broker/main.o $(LINK_broker)
	$(call link,$(EXT_broker))
$(B)/libexec/aivault-keeper: $(B)/obj/keeper/main.o $(B)/obj/gen/builtin_manifests.o $(LINK_keeper)
	$(call link,$(EXT_keeper))
$(B)/libexec/aivault-policy: $(B)/obj/policy/main.o $(B)/obj/gen/embedded_lua.o $(LINK_policy)
	$(call link,$(EXT_policy))

# ---- tools that run while building: host flags, whatever the variant ----------------------------
HOST_CC ?= cc
HOST_FLAGS := -std=c11 -O1 -g $(CPPFLAGS_ALL) $(LUA_CFLAGS)
HOST_POLICY_SRCS := $(call srcs,policy) src/policy/main.c $(call srcs,wire) $(call srcs,reach) \
                    $(filter-out src/http/message.c,$(call srcs,http)) $(call srcs,base)
HOST_LIB_SRCS := $(call srcs,wire) $(call srcs,reach) \
                 $(filter-out src/http/message.c,$(call srcs,http)) $(call srcs,base)
LUA_INPUTS := $(sort $(wildcard lua/*.lua)) $(sort $(wildcard policies/*.lua)) \
              $(sort $(filter-out %_test.lua,$(wildcard capabilities/*.lua)))

$(H)/embed: src/tools/embed.c
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(HOST_FLAGS) -o $@ $<
$(GEN_LUA): $(H)/embed $(LUA_INPUTS)
	@mkdir -p $(@D)
	$(Q)$(H)/embed $(LUA_INPUTS) > $@.tmp && mv $@.tmp $@
# The judge of tests/e2e/test_fault_script.py: its rate_limit fails in every way there is.
FAULTY_SCRIPT := tests/e2e/faulty_rate_limit.lua
FAULTY_JUDGE  := $(B)/test/faulty/aivault-policy
$(BUILDDIR)/gen/faulty_lua.c: $(H)/embed $(LUA_INPUTS) $(FAULTY_SCRIPT)
	@mkdir -p $(@D)
	$(Q)$(H)/embed $(filter-out policies/rate_limit.lua,$(LUA_INPUTS)) \
	    policies/rate_limit.lua=$(FAULTY_SCRIPT) > $@.tmp && mv $@.tmp $@
$(FAULTY_JUDGE): $(B)/obj/policy/main.o $(B)/obj/gen/faulty_lua.o $(LINK_policy)
	$(call link,$(EXT_policy))
HOST_OBJ = $(patsubst src/%.c,$(H)/obj/%.o,$(1))
$(H)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(HOST_FLAGS) -MMD -MP -c -o $@ $<
$(H)/aivault-policy: $(call HOST_OBJ,$(HOST_POLICY_SRCS)) $(GEN_LUA)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(HOST_FLAGS) -o $@ $^ $(LUA_LIBS)
$(H)/mkmanifest: $(H)/obj/tools/mkmanifest.o $(call HOST_OBJ,$(HOST_LIB_SRCS))
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(HOST_FLAGS) -o $@ $^
$(GEN_MANIFEST): $(H)/aivault-policy $(H)/mkmanifest
	@mkdir -p $(@D)
	$(Q)$(H)/aivault-policy --emit-manifest | $(H)/mkmanifest > $@.tmp && mv $@.tmp $@

# ---- tests --------------------------------------------------------------------------------------
UNIT_SRCS := $(wildcard tests/unit/*/test_*.c)
UNIT_BINS := $(patsubst tests/unit/%.c,$(B)/test/%,$(UNIT_SRCS))
unit_layer = $(firstword $(subst /, ,$(patsubst tests/unit/%,%,$(1))))
define UNIT_RULE
$(B)/test/$(patsubst tests/unit/%.c,%,$(1)): $(1) $(LINK_$(call unit_layer,$(1))) \
    $(if $(filter keeper vault auth audit,$(call unit_layer,$(1))),$(B)/obj/gen/builtin_manifests.o) \
    $(if $(filter policy,$(call unit_layer,$(1))),$(B)/obj/gen/embedded_lua.o)
	@mkdir -p $$(@D)
	$$(Q)$$(if $$(filter 0,$$(V)),echo "  TEST  $$@" &&) $$(CC) $$(CPPFLAGS_ALL) $(CPPFLAGS_$(call unit_layer,$(1))) $$(CFLAGS_ALL) -Wno-missing-prototypes -MMD -MP -MF $$@.d $$(LDFLAGS_ALL) -o $$@ $$< $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $(EXT_$(call unit_layer,$(1))) -lcmocka
endef
$(foreach s,$(UNIT_SRCS),$(eval $(call UNIT_RULE,$(s))))

.PHONY: unit-bins
unit-bins: $(UNIT_BINS) $(FAULTY_JUDGE)
# For ThreadSanitizer: the tests of the one thread that there is beside the main ones.
.PHONY: thread-bins
thread-bins: $(B)/test/keeper/test_lock

FUZZ_SRCS := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_BINS := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(FUZZ_SRCS))
FUZZ_LAYERS := keeper audit auth vault policy broker cli daemon wire reach http base
$(B)/fuzz/%: tests/fuzz/%.c $(wildcard tests/fuzz/*.h) $(B)/obj/gen/builtin_manifests.o $(B)/obj/gen/embedded_lua.o $(call libs,$(FUZZ_LAYERS)) $(LLHTTP_LIB)
	@mkdir -p $(@D)
	$(Q)echo "  FUZZ  $@" && $(CC) $(CPPFLAGS_ALL) $(LLHTTP_CFLAGS) $(LUA_CFLAGS) $(CJSON_CFLAGS) $(CFLAGS_ALL) -Wno-missing-prototypes $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $< $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(EXT_keeper) $(EXT_broker) $(EXT_policy)
.PHONY: fuzz-bins
fuzz-bins: $(FUZZ_BINS)

FUZZ_SECONDS ?= 30
# The sanitizer build of everything, then unit, sandbox and end-to-end tests; release where the
# release binaries are what a promise is about. Closes with `N passed, N failed`.
.PHONY: check check-all
check:
	$(Q)vendor/install.sh test
	$(Q)$(MAKE) --no-print-directory VARIANT=asan all unit-bins
	$(Q)$(MAKE) --no-print-directory VARIANT=tsan thread-bins
	$(Q)$(MAKE) --no-print-directory VARIANT=release all
	$(Q)$(MAKE) --no-print-directory VARIANT=dev all
	$(Q)BUILDDIR='$(BUILDDIR)' PYTHON='$(PYTHON)' tests/tools/check.sh

.PHONY: fuzz
fuzz:
	$(Q)$(MAKE) --no-print-directory VARIANT=fuzz fuzz-bins
	$(Q)BUILDDIR='$(BUILDDIR)' tests/tools/fuzz.sh $(FUZZ_SECONDS)

.PHONY: demo
demo:
	$(Q)vendor/install.sh run
	$(Q)$(MAKE) --no-print-directory VARIANT=dev all
	$(Q)BUILDDIR='$(BUILDDIR)' PYTHON='$(PYTHON)' tests/tools/demo.sh

.PHONY: deps
deps:
	$(Q)vendor/install.sh all

.PHONY: bench
bench:
	$(Q)vendor/install.sh test
	$(Q)$(MAKE) --no-print-directory VARIANT=release all
	$(Q)BUILDDIR='$(BUILDDIR)' PYTHON='$(PYTHON)' tests/bench/bench.sh

.PHONY: soak
soak:
	$(Q)vendor/install.sh test
	$(Q)$(MAKE) --no-print-directory VARIANT=release all
	$(Q)BUILDDIR='$(BUILDDIR)' PYTHON='$(PYTHON)' tests/bench/soak.sh

.PHONY: cov
cov:
	$(Q)$(MAKE) --no-print-directory VARIANT=cov all unit-bins
	$(Q)BUILDDIR='$(BUILDDIR)' tests/tools/cov.sh

.PHONY: lint
lint:
	$(Q)BUILDDIR='$(BUILDDIR)' tests/tools/lint.sh

.PHONY: format
format:
	$(Q)clang-format -i $$(git ls-files 'src/*.[ch]' 'tests/*.[ch]')

# ---- install, packages --------------------------------------------------------------------------
MAN := $(wildcard docs/man/*.[158])
.PHONY: install uninstall
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/aivault $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 0755 $(addprefix $(B)/bin/,$(PROGRAMS_BIN)) $(DESTDIR)$(PREFIX)/bin/
	install -m 0755 $(addprefix $(B)/libexec/,$(PROGRAMS_LIBEXEC)) $(DESTDIR)$(PREFIX)/libexec/aivault/
	for m in $(MAN); do install -m 0644 $$m $(DESTDIR)$(PREFIX)/share/man/man$${m##*.}/; done
uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,$(PROGRAMS_BIN))
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/libexec/aivault/,$(PROGRAMS_LIBEXEC))
	for m in $(MAN); do rm -f $(DESTDIR)$(PREFIX)/share/man/man$${m##*.}/$$(basename $$m); done

.PHONY: dist deb
dist:
	git archive --prefix=aivault-$(VERSION)/ -o aivault-$(VERSION).tar.gz HEAD
deb: all
	BUILDDIR='$(BUILDDIR)' VERSION='$(VERSION)' tests/tools/deb.sh

.PHONY: clean help
clean:
	rm -rf $(BUILDDIR)
help:
	@echo 'make            build $(B)/{bin,libexec} (VARIANT=release|dev|asan|tsan|fuzz|cov)'
	@echo 'make deps       install what building, testing and linting need'
	@echo 'make demo       install, build, and show aivault at work in a throw-away directory'
	@echo 'make check      all tests, under AddressSanitizer and UndefinedBehaviorSanitizer'
	@echo 'make fuzz       every fuzzer for FUZZ_SECONDS ($(FUZZ_SECONDS)) each, FUZZ_JOBS (2) at a time'
	@echo 'make bench      direct, nginx and aivault side by side'
	@echo 'make soak       ten minutes of mixed work at 64 connections (SOAK_SECONDS)'
	@echo 'make cov        line coverage of the unit tests'
	@echo 'make lint       include edges, symbols, secret users, formatting, clang-tidy, Lua, shell'
	@echo 'make format     clang-format over src and tests'
	@echo 'make install    into $$(DESTDIR)$$(PREFIX); make uninstall takes it away'
	@echo 'make dist, make deb, make clean'

-include $(shell find $(B)/obj $(B)/test $(H)/obj -name '*.d' 2>/dev/null)
