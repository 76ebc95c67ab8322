import { connect } from 'node:net';

/** `idle.ts ADDRESS COUNT`: opens connections from this address, sends nothing, and says how many were closed. */

const [localAddress = '', count = '0'] = process.argv.slice(2);
let closed = 0;
for (let index = 0; index < Number(count); index += 1) {
  const socket = connect({ host: '169.254.169.254', port: 80, localAddress });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed += 1;
    console.log(`closed ${closed}`);
  });
}
