import type { ChildProcess } from 'node:child_process';

export interface PingOptions {
  /** Default 3. */
  readonly count?: number;
  /** Seconds between two packets. Default 0.2. */
  readonly interval?: number;
  /** Bytes of payload; with it, packets must not be fragmented. */
  readonly size?: number;
}

export interface PingResult {
  readonly sent: number;
  readonly received: number;
  /** The longest run of packets in a row that were not answered. */
  readonly lostMax: number;
}

export function pingCommand(address: string, { count, interval = 0.2, size }: PingOptions): string[] {
  return [
    ...['ping', '-n', '-W', '1', '-i', String(interval)],
    ...(count === undefined ? [] : ['-c', String(count)]),
    ...(size === undefined ? [] : ['-M', 'do', '-s', String(size)]),
    address,
  ];
}

/** From iputils' output: a line with `icmp_seq=N … time=` per answer, a summary at the end. */
export function parsePing(output: string): PingResult {
  const sent = Number(/(\d+) packets transmitted/.exec(output)?.[1] ?? 0);
  const answered = new Set(Array.from(output.matchAll(/icmp_seq=(\d+) .*time=/g), ([, seq]) => Number(seq)));
  let lostMax = 0;
  let lost = 0;
  for (let seq = 1; seq <= sent; seq++) {
    lost = answered.has(seq) ? 0 : lost + 1;
    lostMax = Math.max(lostMax, lost);
  }
  return { sent, received: answered.size, lostMax };
}

/** A ping that runs until it is stopped. */
export class Pinger {
  readonly #child: ChildProcess;
  #output = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
  }

  /** Answers so far. */
  get received(): number {
    return parsePing(this.#output).received;
  }

  /** Ends it. A packet that is still under way counts as lost. */
  stop(): Promise<PingResult> {
    return new Promise((resolve) => {
      this.#child.once('close', () => resolve(parsePing(this.#output)));
      this.#child.kill('SIGINT');
    });
  }
}
