import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./oslo_peer.py', import.meta.url));

/** What the peer answered: `result`, or the class and message of the exception it caught. */
export interface PeerAnswer {
  readonly result?: unknown;
  readonly error?: string;
  /** For RemoteError: the class that the server named. */
  readonly remote?: string;
  readonly message?: string;
}

/** A process with Debian's python3-oslo.messaging, see `oslo_peer.py`. */
export class OsloPeer {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<PeerAnswer>>();
  #next = 0;

  constructor(url: string, exchange: string, overrides: Readonly<Record<string, unknown>>) {
    // Debian's python, whatever else is in the PATH.
    this.#process = spawn('/usr/bin/python3', [script, url, exchange, JSON.stringify(overrides)], {
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (!this.#process.stdout) throw new Error('the peer has no output');
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      const { id, ...answer } = JSON.parse(line);
      this.#waiting.get(id)?.resolve(answer);
      this.#waiting.delete(id);
    });
    this.#process.once('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the oslo peer ended with ${code}`));
    });
  }

  do(
    kind: 'serve' | 'call' | 'cast' | 'notify' | 'listen' | 'heard',
    command: Readonly<Record<string, unknown>>,
  ): Promise<PeerAnswer> {
    const id = this.#next++;
    const answer = Promise.withResolvers<PeerAnswer>();
    this.#waiting.set(id, answer);
    this.#process.stdin?.write(`${JSON.stringify({ id, do: kind, ...command })}\n`);
    return answer.promise;
  }

  close(): void {
    this.#process.removeAllListeners('exit');
    this.#process.kill('SIGKILL');
  }
}
