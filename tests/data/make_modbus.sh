#!/usr/bin/env bash
# Modbus/TCP: pymodbus on both sides; reads and writes of coils and registers, and an exception. Needs python3-pymodbus, python3-serial-asyncio.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch" || true' EXIT
cat > "$scratch/server.py" << 'PY'
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartTcpServer
block = lambda: ModbusSequentialDataBlock(0, list(range(100)))
StartTcpServer(context=ModbusServerContext(slaves=ModbusSlaveContext(di=block(), co=block(), hr=block(), ir=block()), single=True),
               address=("10.77.0.1", 502))
PY
cat > "$scratch/client.py" << 'PY'
from pymodbus.client import ModbusTcpClient
c = ModbusTcpClient("10.77.0.1")
c.connect()
c.read_coils(1, 10, slave=7)
c.read_holding_registers(4, 3, slave=7)
c.read_input_registers(8, 2, slave=7)
c.write_coil(2, True, slave=7)
c.write_register(3, 777, slave=7)
c.write_registers(10, [1, 2, 3], slave=7)
c.read_holding_registers(2000, 3, slave=7)
c.close()
PY
./in_namespaces.sh "$PWD/modbus.pcap" "/usr/bin/python3 $scratch/server.py" "/usr/bin/python3 $scratch/client.py" \
  "timeout 1 bash -c ': < /dev/tcp/10.77.0.1/502'" > "$scratch/out" 2>&1
