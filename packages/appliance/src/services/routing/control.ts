import { connect } from 'node:net';
import { errors } from '../../errors.ts';

/** More is no answer of ours to read. Bytes */
const LONGEST = 4 * 1024 * 1024;

export interface BirdReply {
  /** Below 8000: done. */
  readonly code: number;
  /** Without the codes in front of its lines. */
  readonly lines: readonly string[];
}

/**
 * One command to BIRD over its control socket (BIRD's programmer's guide, `cli`). Rejects with APPLIANCE_DAEMON_SILENT when there is
 * no answer within `timeout` ms.
 */
export function birdCommand(socketPath: string, command: string, timeout = 5_000): Promise<BirdReply> {
  const { promise, resolve, reject } = Promise.withResolvers<BirdReply>();
  const fail = (reason: string, cause?: Error) => {
    clearTimeout(timer);
    socket.destroy();
    reject(errors.make('APPLIANCE_DAEMON_SILENT', { daemon: 'bird', reason }, { cause }));
  };
  // The whole of it: a BIRD that sends a little every now and then is no better.
  const timer = setTimeout(() => fail(`no answer within ${timeout} ms`), timeout);
  const socket = connect(socketPath);
  let received = '';
  socket.on('error', (cause) => fail(cause.message, cause));
  socket.on('close', () => fail('it closed the connection'));
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    if (received.length > LONGEST) return fail('its answer does not end');
    if (!received.endsWith('\n')) return;
    const reply = parseReply(received);
    if (reply === undefined) return;
    clearTimeout(timer);
    resolve(reply);
    socket.destroy();
  });
  socket.write(`${command}\n`);
  return promise;
}

/**
 * A reply to the first command; undefined while it is incomplete. Lines begin with `NNNN-`, the last of a reply with `NNNN `, and
 * those of the same code as the line before with a blank alone. The greeting comes first.
 */
export function parseReply(received: string): BirdReply | undefined {
  const all = received.split('\n');
  const greeting = all.findIndex((line) => last.test(line));
  const end = all.findIndex((line, index) => index > greeting && last.test(line));
  if (greeting < 0 || end < 0) return undefined;
  const lines = all.slice(greeting + 1, end + 1).map((line) => line.replace(/^(\d{4}[- ]| )/, ''));
  return { code: Number(all[end]?.slice(0, 4)), lines };
}

const last = /^\d{4} /;
