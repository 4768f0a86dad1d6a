#!/usr/bin/env bash
# Records what a real client and a real server say to each other, in two network namespaces joined by a veth
# pair, so that nothing leaves this machine. Needs root, iproute2 and tcpdump.
#
#   in_namespaces.sh OUT.pcap SERVER-COMMAND CLIENT-COMMAND [READY-COMMAND]
#
# The server has 10.77.0.1 and fd77::1, the client 10.77.0.2 and fd77::2, both on eth0. READY-COMMAND is run in the
# client's namespace until it succeeds (20 s at most); without it the client starts when the server has had
# something to listen with. An empty SERVER-COMMAND runs none.
set -euo pipefail
out=$1 server=$2 client=$3 ready=${4:-}
ns=weir-rec-$$
trap 'kill $(jobs -p) 2>/dev/null || true; ip netns del $ns-s 2>/dev/null || true; ip netns del $ns-c 2>/dev/null || true' EXIT
ip netns add $ns-s
ip netns add $ns-c
ip -n $ns-c link add eth0 address 02:00:00:00:00:02 type veth peer name eth0 address 02:00:00:00:00:01 netns $ns-s
for side in s:1 c:2; do
  host=$ns-${side%:*} last=${side#*:}
  ip -n "$host" link set lo up
  ip netns exec "$host" sysctl -qw net.ipv6.conf.eth0.accept_dad=0
  ip -n "$host" link set eth0 up
  ip -n "$host" addr add 10.77.0."$last"/24 dev eth0
  ip -n "$host" addr add fd77::"$last"/64 dev eth0 nodad
done
if command -v ethtool > /dev/null; then
  ip netns exec $ns-s ethtool -K eth0 tx off tso off gso off gro off > /dev/null 2>&1 || true
  ip netns exec $ns-c ethtool -K eth0 tx off tso off gso off gro off > /dev/null 2>&1 || true
fi
ip netns exec $ns-c tcpdump -i eth0 -U --immediate-mode -s 0 -w "$out" 2> "$out.log" &
until grep -q listening "$out.log"; do sleep 0.05; done
if [ -n "$server" ]; then ip netns exec $ns-s bash -c "$server" & fi
if [ -n "$ready" ]; then timeout 20 ip netns exec $ns-c bash -c "until $ready; do sleep 0.1; done" > /dev/null 2>&1; fi
ip netns exec $ns-c bash -c "$client"
sleep 0.5
ip netns pids $ns-s | xargs -r kill 2> /dev/null || true
pkill -INT -P $$ tcpdump || true
wait 2> /dev/null || true
rm -f "$out.log"
