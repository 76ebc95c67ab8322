import type { ChildProcess } from 'node:child_process';

/** A TCP connection to an echo server, held open by a socat inside a machine. */
export class Flow {
  readonly #child: ChildProcess;
  #received = '';
  #sent = 0;
  #closed = false;
  #wake: () => void = () => {};

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#received += text;
      this.#wake();
    });
    child.stdin?.on('error', () => {});
    child.once('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  /** True once the connection has ended, from whichever side. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Sends a word and waits for it to come back; false when it does not within `timeout` milliseconds, or the flow has ended. */
  async roundTrip(timeout = 5_000): Promise<boolean> {
    const word = `word-${++this.#sent}\n`;
    this.#child.stdin?.write(word);
    const deadline = performance.now() + timeout;
    while (!this.#received.includes(word)) {
      const left = deadline - performance.now();
      if (this.#closed || left <= 0) return false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return true;
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
