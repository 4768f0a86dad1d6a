#!/usr/bin/env bash
# Makes nfcapd.v2, and the same with nfdump's compressions: flows of our own exporters as nfcapd of nfdump 1.7 stores
# them. Needs nfdump and python3. The receiving time is the moment of the run, everything else is fixed.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 export_flows.py "$folder"
mv "$folder"/nfcapd.2* nfcapd.v2
for compression in 1 2 3; do
  names=(none lzo bz2 lz4)
  cp nfcapd.v2 "$folder/nfcapd"
  nfdump -J "$compression" -r "$folder/nfcapd" > "$folder/log"
  mv "$folder/nfcapd" "nfcapd.${names[compression]}"
done
