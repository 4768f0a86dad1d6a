#!/usr/bin/env bash
# SNMP: net-snmp's snmpd asked with versions 1, 2c and 3 (no security, authentication, encryption), and two traps to
# nobody. Needs snmp, snmpd.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch" || true' EXIT
cat > "$scratch/snmpd.conf" << 'CONF'
agentAddress udp:161
rocommunity public
rwcommunity private
rouser reader noauth
rouser guard auth
rouser vault priv
createUser reader
createUser guard SHA "password-1"
createUser vault SHA "password-1" AES "password-2"
sysDescr test agent
sysLocation rack 7
sysContact noc@example.com
sysName switch-1.example.com
CONF
export SNMP_PERSISTENT_DIR=$scratch MIBS=
server="snmpd -f -Lo -C -c $scratch/snmpd.conf -p $scratch/pid"
client="snmpget -v1 -c public 10.77.0.1 1.3.6.1.2.1.1.1.0 1.3.6.1.2.1.1.3.0
  snmpget -v1 -c public 10.77.0.1 1.3.6.1.2.1.1.99.0
  snmpget -v2c -c public 10.77.0.1 1.3.6.1.2.1.1.5.0 1.3.6.1.2.1.1.99.0
  snmpbulkget -v2c -c public -Cr3 10.77.0.1 1.3.6.1.2.1.2.2.1
  snmpset -v2c -c public 10.77.0.1 1.3.6.1.2.1.1.6.0 s attic
  snmpget -t1 -r0 -v2c -c wrong 10.77.0.1 1.3.6.1.2.1.1.5.0
  snmpget -v3 -u reader -l noAuthNoPriv 10.77.0.1 1.3.6.1.2.1.1.5.0
  snmpget -v3 -u guard -l authNoPriv -a SHA -A password-1 10.77.0.1 1.3.6.1.2.1.1.5.0
  snmpget -v3 -u vault -l authPriv -a SHA -A password-1 -x AES -X password-2 10.77.0.1 1.3.6.1.2.1.1.5.0
  snmptrap -v1 -c public 10.77.0.1 1.3.6.1.4.1.8072.2.3 10.77.0.2 6 17 12345 1.3.6.1.2.1.1.5.0 s door
  snmptrap -v2c -c public 10.77.0.1 4242 1.3.6.1.6.3.1.1.5.3 1.3.6.1.2.1.2.2.1.1.7 i 7"
./in_namespaces.sh "$PWD/snmp.pcap" "$server" "$client || true" "snmpget -t 0.5 -r 0 -v2c -c public 10.77.0.1 1.3.6.1.2.1.1.3.0" > "$scratch/out" 2>&1
