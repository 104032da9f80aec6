#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The metrics of the fake daemon, written as the package's service writes
# them, read by Prometheus' node_exporter as it reads its text files, and
# scraped.  In a network namespace of its own, which goes with the script.

set -u

if [ "${1-}" != inside ]; then
    exec unshare --net "$0" inside
fi

tmp=${OVN_XDP_TMP:-$(mktemp -d)}
fake_server=$OVN_XDP_BUILDDIR/tests/rpc/fake-server
service=$OVN_XDP_SRCDIR/rpm/ovn-xdp-metrics.service
listen=127.0.0.1:9100
export OVN_RUNDIR=$tmp OVN_XDP_METRICS_DIR=$tmp/textfiles
# shellcheck source=tests/tap.sh
. "$OVN_XDP_SRCDIR/tests/tap.sh"
# shellcheck source=tests/rpc/metrics.sh
. "$OVN_XDP_SRCDIR/tests/rpc/metrics.sh"

for tool in prometheus-node-exporter curl metrics_python; do
    "$tool" --version >/dev/null 2>&1 || {
        echo "needs $tool"
        exit 77
    }
done
mkdir "$tmp/bin" "$OVN_XDP_METRICS_DIR"
ln -s "$(realpath "$OVN_XDP_BUILDDIR/rpc/ovn-xdpctl")" "$tmp/bin"
PATH=$tmp/bin:$PATH

# server_start [VIEW]: starts the fake daemon.
server_start() {
    coproc server { exec "$fake_server" "$tmp/ovn-xdpd.rpc" "$@"; }
    server_in=${server[1]} server_pid=${server_PID:-}
    read -r _ <&"${server[0]}"
}

# Ends it.
server_stop() {
    exec {server_in}>&-
    wait "$server_pid"
}

# write_metrics: does what the service does: its command is a shell's, too,
# but for the doubled dollar signs.
write_metrics() {
    eval "$(sed -n '/^ExecStart=/{s///;s/\$\$/$/g;p}' "$service")"
}

# scrape: leaves in $tmp/scrape what Prometheus would get.
scrape() {
    curl -sS --noproxy '*' --retry 200 --retry-connrefused --retry-delay 0 \
        --retry-max-time 20 "http://$listen/metrics" >"$tmp/scrape"
}

# same_metrics: the scrape has what the daemon says, and says it in the same
# way.
same_metrics() {
    ovn-xdpctl metrics >"$tmp/ours" && scrape &&
        "$(metrics_python)" "$OVN_XDP_SRCDIR/tests/rpc/check-scrape.py" \
            "$tmp/ours" "$tmp/scrape"
}

# scraped NAME LINE: the scrape has the line.
scraped() {
    grep -qxF -- "$2" "$tmp/scrape"
    result "$1" $?
}

# none_of_ours: the scrape has nothing of ours.
none_of_ours() {
    scrape && ! grep -q '^ovn_xdp' "$tmp/scrape"
}

ip link set lo up
prometheus-node-exporter --collector.disable-defaults --collector.textfile \
    --collector.textfile.directory="$OVN_XDP_METRICS_DIR" \
    --web.listen-address="$listen" >"$tmp/exporter.log" 2>&1 &

server_start
write_metrics
result "the metrics are written" $?
[ "$(ls -A "$OVN_XDP_METRICS_DIR")" = ovn-xdp.prom ]
result "and nothing else" $?
same_metrics
result "all of them are scraped" $?
scraped "node_exporter has nothing to complain of" \
    "node_textfile_scrape_error 0"
scraped "a counter is one" "# TYPE ovn_xdp_redirect_errors_total counter"

# Half a file is not read; the text that others read is no use here.
echo 'ovn_xdp_half{' >"$OVN_XDP_METRICS_DIR/ovn-xdp.prom.tmp"
same_metrics
result "a file that is being written does no harm" $?
scraped "it is not read at all" "node_textfile_scrape_error 0"
ovn-xdpctl metrics >"$OVN_XDP_METRICS_DIR/ovn-xdp.prom"
none_of_ours
result "OpenMetrics text is not understood" $?
scraped "but refused" "node_textfile_scrape_error 1"
write_metrics && same_metrics
result "the service mends that" $?
server_stop

# The folder's owner has another file written to, or a file made elsewhere.
rival() {
    local name=$OVN_XDP_METRICS_DIR/ovn-xdp.prom

    mkdir "$tmp/elsewhere" && echo secret >"$tmp/elsewhere/victim" &&
        ln -sf "$tmp/elsewhere/victim" "$name.tmp" &&
        ln -sfT "$tmp/elsewhere" "$name" && write_metrics &&
        [ "$(ls -A "$tmp/elsewhere")" = victim ] &&
        [ "$(cat "$tmp/elsewhere/victim")" = secret ] &&
        [ -f "$name" ] && [ ! -L "$name" ]
}
# With a link made after the first step, of which only -C is left to save it.
late_rival() {
    printf '#!/bin/sh\n' >"$tmp/bin/rm" && chmod +x "$tmp/bin/rm" &&
        ln -s "$tmp/elsewhere/victim" "$OVN_XDP_METRICS_DIR/ovn-xdp.prom.tmp"
    ! write_metrics 2>/dev/null && unlink "$tmp/bin/rm" &&
        [ "$(cat "$tmp/elsewhere/victim")" = secret ]
}
server_start
rival
result "links in the folder are not followed" $?
late_rival
result "nor is one that comes late" $?
write_metrics
result "nor is it there for long" $?
same_metrics
result "and no hindrance" $?
server_stop

for view in empty failed many; do
    server_start "$view"
    write_metrics && same_metrics
    result "another view: $view" $?
    server_stop
done

! write_metrics 2>"$tmp/error"
result "without a daemon the service fails" $?
grep -q ovn-xdpd.rpc "$tmp/error"
result "and says why" $?
none_of_ours
result "then nothing is left of the metrics" $?
scraped "which is no error" "node_textfile_scrape_error 0"
for folder in "" textfiles; do
    ! OVN_XDP_METRICS_DIR=$folder write_metrics 2>"$tmp/error" &&
        grep -q '^OVN_XDP_METRICS_DIR' "$tmp/error"
    result "'$folder' is refused as a folder" $?
done
rmdir "$OVN_XDP_METRICS_DIR"
server_start
! write_metrics 2>/dev/null
result "a folder that is missing is an error" $?
server_stop

if command -v systemd-analyze >/dev/null; then
    mkdir "$tmp/units"
    cp "$service" "${service%service}timer" "$tmp/units"
    said=$(systemd-analyze verify --man=no "$tmp"/units/* 2>&1)
    grep ovn-xdp-metrics <<<"$said"
    result "systemd finds nothing wrong with the units" $((!$?))
fi
exit "$failed"
