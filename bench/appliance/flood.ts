import { loadLibraries } from '@astara/kernel/netlink/libc.ts';

/**
 * Sends one UDP datagram to each of so many ports of an address, each a flow of its own, as fast as it can. Arguments: address,
 * flows. Prints the seconds. To be started inside a network namespace.
 */
const [address = '', flows = '0'] = process.argv.slice(2);
const { libc } = await loadLibraries();
const AF_INET = 2;
const SOCK_DGRAM = 2;
const PORTS = 60_000;
const data = Buffer.alloc(18);
const target = Buffer.alloc(16);
target.writeUInt16LE(AF_INET, 0);
Buffer.from(address.split('.').map(Number)).copy(target, 4);

const begun = performance.now();
let sent = 0;
while (sent < Number(flows)) {
  // Every socket has a source port of its own.
  const socket = libc.socket(AF_INET, SOCK_DGRAM, 0);
  for (let port = 0; port < PORTS && sent < Number(flows); port += 1) {
    target.writeUInt16BE(1024 + port, 2);
    if (libc.sendto(socket, data, data.length, 0, target, target.length) < 0)
      throw new Error(`sendto: errno ${libc.errno()}`);
    sent += 1;
  }
  libc.close(socket);
}
console.log((performance.now() - begun) / 1000);
