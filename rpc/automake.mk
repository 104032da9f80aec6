# SPDX-License-Identifier: Apache-2.0
#
# The JSON-RPC server (in the library, linked by the daemon) and its client.

rpc_librpc_a_SOURCES = \
	rpc/conn.c \
	rpc/conn.h \
	rpc/error.c \
	rpc/error.h \
	rpc/frame.c \
	rpc/frame.h \
	rpc/handlers.c \
	rpc/handlers.h \
	rpc/jsonrpc.c \
	rpc/jsonrpc.h \
	rpc/limits.h \
	rpc/listen.c \
	rpc/listen.h \
	rpc/method-acl.c \
	rpc/method-endpoint.c \
	rpc/method-feature.c \
	rpc/method-flow.c \
	rpc/method-explain.c \
	rpc/method-interface.c \
	rpc/method-metrics.c \
	rpc/method-rpc.c \
	rpc/method-stats.c \
	rpc/method-status.c \
	rpc/method.def \
	rpc/methods.c \
	rpc/methods.h \
	rpc/openmetrics.c \
	rpc/openmetrics.h \
	rpc/params.c \
	rpc/params.h \
	rpc/result.c \
	rpc/result.h \
	rpc/server.c \
	rpc/server.h \
	rpc/utf8.c \
	rpc/utf8.h
noinst_LIBRARIES += rpc/librpc.a

bin_PROGRAMS += rpc/ovn-xdpctl
rpc_ovn_xdpctl_SOURCES = \
	rpc/client.c \
	rpc/client.h \
	rpc/complete.c \
	rpc/complete.h \
	rpc/grid.c \
	rpc/grid.h \
	rpc/ovn-xdpctl.c \
	rpc/print.c \
	rpc/print.h \
	rpc/print-acl.c \
	rpc/print-endpoint.c \
	rpc/print-feature.c \
	rpc/print-flow.c \
	rpc/print-explain.c \
	rpc/print-interface.c \
	rpc/print-metrics.c \
	rpc/print-stats.c \
	rpc/print-status.c \
	rpc/writer.c \
	rpc/writer.h

# Not plugin/libplugin.a: the client needs neither libbpf nor the skeletons.
rpc_ovn_xdpctl_SOURCES += \
	plugin/paths.c \
	plugin/paths.h \
	plugin/reason.c \
	plugin/reason.h
rpc_ovn_xdpctl_LDADD = rpc/librpc.a $(OVS_LDADD) $(JSON_C_LIBS)

dist_man_MANS += rpc/ovn-xdpctl.8
dist_bashcompletion_DATA += rpc/completions/ovn-xdpctl
