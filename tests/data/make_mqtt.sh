#!/usr/bin/env bash
# MQTT: mosquitto, with a subscriber and publishers of versions 3.1, 3.1.1 and 5, a will, a refused login. Needs mosquitto,
# mosquitto-clients.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch" || true' EXIT
mosquitto_passwd -c -b "$scratch/users" meter secret
printf 'listener 1883\nallow_anonymous false\npassword_file %s\nuser root\n' "$scratch/users" > "$scratch/conf"
client="mosquitto_sub -h 10.77.0.1 -V 5 -u meter -P secret -i reader -t 'plant/+/temperature' -t alarm -q 1 -C 3 -W 8 &
  sleep 0.5
  mosquitto_pub -h 10.77.0.1 -V mqttv31 -u meter -P secret -i old-sensor -t plant/1/temperature -m 21.5
  mosquitto_pub -h 10.77.0.1 -V mqttv311 -u meter -P secret -i sensor -t plant/2/temperature -m 22.5 -q 2 -r \
    --will-topic alarm --will-payload lost --will-qos 1 -k 30
  mosquitto_pub -h 10.77.0.1 -V 5 -u meter -P secret -t alarm -m fire -q 1
  mosquitto_pub -h 10.77.0.1 -V mqttv311 -u meter -P wrong -i thief -t alarm -m calm
  mosquitto_pub -h 10.77.0.1 -V 5 -u meter -P wrong -i thief -t alarm -m calm
  wait"
./in_namespaces.sh "$PWD/mqtt.pcap" "mosquitto -c $scratch/conf" "$client || true" "timeout 1 bash -c ': < /dev/tcp/10.77.0.1/1883'" > "$scratch/out" 2>&1
