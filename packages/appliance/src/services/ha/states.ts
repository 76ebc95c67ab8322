import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';

/** keepalived.conf(5), `vrrp_notify_fifo`. */
export const vrrpStates = ['MASTER', 'BACKUP', 'FAULT'] as const;
export type VrrpState = (typeof vrrpStates)[number];

export interface InstanceState {
  readonly state: VrrpState;
  /** ISO 8601 */
  readonly since: string;
}

/** By instance. */
export type InstanceStates = ReadonlyMap<string, InstanceState>;

/** Of all instances together: they move together, so what differs is on its way. */
export function routerState(states: InstanceStates): VrrpState | undefined {
  const all = [...states.values()].map(({ state }) => state);
  if (all.length === 0) return undefined;
  if (all.includes('FAULT')) return 'FAULT';
  return all.every((state) => state === 'MASTER') ? 'MASTER' : 'BACKUP';
}

/** `INSTANCE "router4" MASTER 100`; undefined for other lines, such as those of groups. */
export function parseNotice(line: string): { readonly instance: string; readonly state: VrrpState } | undefined {
  const match = /^INSTANCE "([\w-]+)" (\w+) \d+$/.exec(line);
  const state = vrrpStates.find((each) => each === match?.[2]);
  return match?.[1] === undefined || state === undefined ? undefined : { instance: match[1], state };
}

/**
 * What keepalived writes to its FIFO, in order. Both ends are open for both directions: what it says while nobody reads waits for
 * the next agent, and there is no end when it closes the FIFO for a moment, as it does when it reads its configuration again.
 */
export class NotifyFifo {
  #socket: Socket | undefined;
  readonly #hear: (line: string) => void;

  constructor(hear: (line: string) => void) {
    this.#hear = hear;
  }

  /** False when there is none. The directory is the daemon's: it must not lead us anywhere else. */
  open(path: string): boolean {
    this.close();
    const descriptor = openFifo(path);
    if (descriptor === undefined) return false;
    const socket = new Socket({ fd: descriptor, readable: true, writable: false });
    this.#socket = socket;
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = (lines.pop() ?? '').slice(-256);
      for (const line of lines) this.#hear(line);
    });
    socket.on('error', () => this.close());
    socket.unref();
    return true;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }
}

function openFifo(path: string): number | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (fstatSync(descriptor).isFIFO()) return descriptor;
  closeSync(descriptor);
  return undefined;
}
