# SPDX-License-Identifier: Apache-2.0
#
# BPF objects and the skeletons that carry them inside the daemon.  An object
# NAME.bpf.c becomes NAME.skel.h, with the skeleton NAME_bpf ('-' is '_').

bpf_programs = \
	bpf/direct.bpf.c \
	bpf/events.bpf.c \
	bpf/hint.bpf.c \
	bpf/inject.bpf.c \
	bpf/opened.bpf.c \
	bpf/ovn-xdp.bpf.c \
	bpf/sink.bpf.c
bpf_headers = \
	bpf/abi.h \
	bpf/acl-maps.h \
	bpf/acl-packet.h \
	bpf/acl.h \
	bpf/count.h \
	bpf/decide.h \
	bpf/endpoint.h \
	bpf/flow-far.h \
	bpf/flow-learn.h \
	bpf/flow-maps.h \
	bpf/flow-near.h \
	bpf/flow-nic.h \
	bpf/flow-parse.h \
	bpf/flow-sent.h \
	bpf/flow-tc.h \
	bpf/flow-xdp.h \
	bpf/flow.h \
	bpf/guard.h \
	bpf/maps.h \
	bpf/mode.h \
	bpf/opened-maps.h \
	bpf/opened.h \
	bpf/parse.h \
	bpf/reason.def \
	bpf/redirect.h \
	bpf/rewrite.h \
	bpf/sent.h \
	bpf/tag.h \
	bpf/transport.h

bpf_objects = $(bpf_programs:.bpf.c=.bpf.o)
bpf_skeletons = $(bpf_programs:.bpf.c=.skel.h)
BUILT_SOURCES += $(bpf_skeletons)
CLEANFILES += $(bpf_skeletons) $(bpf_objects) $(bpf_programs:.bpf.c=.bpf.d)
EXTRA_DIST += $(bpf_programs) $(bpf_headers)

BPF_CFLAGS = \
	-target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Wno-sign-compare \
	-Wno-missing-field-initializers -Wno-unused-parameter $(BPF_WERROR)

SUFFIXES += .bpf.c .bpf.o .skel.h
.bpf.c.bpf.o:
	$(AM_V_CC)$(MKDIR_P) $(@D) && \
	$(CLANG) $(BPF_CFLAGS) -I $(srcdir) $(LIBBPF_CFLAGS) $(BPF_CPPFLAGS) \
	  -MMD -MP -MF $(@:.o=.d) -MT $@ -c $< -o $@

# "gen object" drops the debugging sections and keeps BTF.
.bpf.o.skel.h:
	$(AM_V_GEN)$(BPFTOOL) gen object $(@:.skel.h=.bpf.tmp) $< && \
	$(BPFTOOL) gen skeleton $(@:.skel.h=.bpf.tmp) \
	  name `basename $(@:.skel.h=) | tr - _`_bpf >$@.tmp && \
	rm -f $(@:.skel.h=.bpf.tmp) && mv -f $@.tmp $@

.SECONDARY: $(bpf_objects)
-include $(bpf_programs:.bpf.c=.bpf.d)
