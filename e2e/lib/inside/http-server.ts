/** Runs inside a machine: answers every request with `{ peer, local, path }` as JSON. Argument: port. Says `ready` when it listens. */
import { createServer } from 'node:http';

const server = createServer(({ socket, url }, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ peer: plain(socket.remoteAddress), local: plain(socket.localAddress), path: url }));
});

/** An IPv4 peer of a socket for both families: `::ffff:192.0.2.1`. */
const plain = (address = '') => address.replace(/^::ffff:/, '');

server.listen(Number(process.argv[2]), '::', () => console.log('ready'));
