import { connect } from 'node:net';

const TIMEOUT = 5_000;

export interface BirdReply {
  readonly code: number;
  readonly text: string;
}

/**
 * One command to BIRD over its control socket. Every reply ends with a line `NNNN text` (a hyphen instead of the blank says
 * that more follow); the first is the greeting.
 */
export function birdCommand(socketPath: string, command: string): Promise<BirdReply> {
  const { promise, resolve, reject } = Promise.withResolvers<BirdReply>();
  const socket = connect(socketPath);
  let received = '';
  socket.setTimeout(TIMEOUT, () => socket.destroy(new Error(`BIRD did not answer within ${TIMEOUT} ms`)));
  socket.on('error', reject);
  socket.on('close', () => reject(new Error('BIRD closed the connection')));
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    const ends = [...received.matchAll(/^(\d{4}) (.*)\n/gm)];
    const last = ends[1];
    if (last === undefined) return;
    resolve({ code: Number(last[1]), text: received.slice(received.indexOf('\n') + 1).trim() });
    socket.destroy();
  });
  socket.write(`${command}\n`);
  return promise;
}
