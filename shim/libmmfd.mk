# SPDX-License-Identifier: GPL-2.0
# shim/libmmfd.mk - libmmfd and its examples; part of the Makefile.
#
# Needs gcc only.

MMFD_SONAME := libmmfd.so.0
MMFD_SHARED := $(OUT)/libmmfd.so.$(VERSION)

MMFD_SRC := $(wildcard libmmfd/*.c)
MMFD_OBJ := $(MMFD_SRC:%.c=$(OUT)/obj/%.o)
MMFD_PIC := $(MMFD_SRC:%.c=$(OUT)/obj/%.pic.o)

# Static, so that they run in an initramfs.
MMFD_EXAMPLES := $(patsubst %.c,$(OUT)/%,$(wildcard examples/mmfd-*.c))

MMFD_BUILT := $(MMFD_SHARED) $(OUT)/libmmfd.a $(OUT)/libmmfd.pc $(MMFD_EXAMPLES)
MMFD_UAPI  := ../kernel-ns/overlay/include/uapi/linux/mmfd.h

MMFD_UNIT := $(patsubst ../tests/unit/%.c,$(OUT)/unit/%,$(wildcard ../tests/unit/mmfd-*.c))

# Code for other address spaces: nothing but the instructions that are written.
MMFD_GUEST_CFLAGS := -fno-stack-protector -fcf-protection=none -fno-tree-vectorize \
	-fno-tree-loop-distribute-patterns -fno-jump-tables

.PHONY: install-mmfd

all: $(MMFD_BUILT)

$(MMFD_OBJ) $(MMFD_PIC): | $(OUT)/uapi/linux/mmfd.h

$(OUT)/uapi/linux/mmfd.h: $(MMFD_UAPI)
	$(Q)mkdir -p $(@D)
	$(Q)cp $< $@

$(OUT)/libmmfd.a: $(MMFD_OBJ)
	$(say) AR $(@F)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(MMFD_SHARED): $(MMFD_PIC) libmmfd.map
	$(say) LD $(@F)
	$(Q)$(CC) $(LDFLAGS) -shared -Wl,-soname,$(MMFD_SONAME) \
		-Wl,--version-script=libmmfd.map -Wl,-z,defs -o $@ \
		$(MMFD_PIC) -pthread
	$(Q)ln -sf $(@F) $(OUT)/$(MMFD_SONAME)
	$(Q)ln -sf $(MMFD_SONAME) $(OUT)/libmmfd.so

$(OUT)/examples/%: examples/%.c $(wildcard examples/*.h include/mmfd.h include/mmfd/*.h) \
		$(OUT)/libmmfd.a
	$(say) CCLD $(@F)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(MMFD_GUEST_CFLAGS) -static -o $@ $< \
		$(OUT)/libmmfd.a -pthread

# The header of the kernel, for where the system's headers are older.
define mmfd_pc
sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' \
	-e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@VERSION@|$(VERSION)|' libmmfd.pc.in
endef

$(OUT)/libmmfd.pc: libmmfd.pc.in Makefile libmmfd.mk
	$(Q)$(mmfd_pc) > $@

$(OUT)/unit/mmfd-%: ../tests/unit/mmfd-%.c ../tests/unit/check.h ../tests/unit/mmfd-guest.h \
		$(OUT)/libmmfd.a
	$(say) CCLD $(@F)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -static -o $@ $< $(OUT)/libmmfd.a -pthread

install-mmfd: $(MMFD_BUILT)
	$(Q)install -d $(DESTDIR)$(LIBDIR)/pkgconfig \
		$(DESTDIR)$(INCLUDEDIR)/mmfd/uapi/linux \
		$(DESTDIR)$(MANDIR)/man2 $(DESTDIR)$(MANDIR)/man7
	$(Q)install -m 644 $(MMFD_SHARED) $(DESTDIR)$(LIBDIR)/
	$(Q)ln -sf $(notdir $(MMFD_SHARED)) $(DESTDIR)$(LIBDIR)/$(MMFD_SONAME)
	$(Q)ln -sf $(MMFD_SONAME) $(DESTDIR)$(LIBDIR)/libmmfd.so
	$(Q)install -m 644 $(OUT)/libmmfd.a $(DESTDIR)$(LIBDIR)/
	$(Q)install -m 644 include/mmfd.h $(DESTDIR)$(INCLUDEDIR)/
	$(Q)install -m 644 include/mmfd/compat.h $(DESTDIR)$(INCLUDEDIR)/mmfd/
	$(Q)install -m 644 $(MMFD_UAPI) $(DESTDIR)$(INCLUDEDIR)/mmfd/uapi/linux/
	$(Q)install -m 644 man/*.2 $(DESTDIR)$(MANDIR)/man2/
	$(Q)install -m 644 man/*.7 $(DESTDIR)$(MANDIR)/man7/
	$(Q)$(mmfd_pc) > $(DESTDIR)$(LIBDIR)/pkgconfig/libmmfd.pc
