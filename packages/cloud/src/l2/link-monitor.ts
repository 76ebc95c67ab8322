import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Calls `changed` when a device of the namespace (null: our own) comes, goes or changes. It is a hint, which may come late, doubled
 * or never: `ip monitor` reads the kernel's notifications, and while it cannot run there are none.
 */
export class LinkMonitor {
  readonly #child: ChildProcess;
  #alive = true;

  constructor(netns: string | null, changed: () => void) {
    const argv = [...(netns === null ? [] : ['-n', netns]), '-oneline', 'monitor', 'link'];
    this.#child = spawn('ip', argv, {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#child.stdout?.on('data', changed);
    const ended = () => {
      this.#alive = false;
    };
    this.#child.on('error', ended);
    this.#child.on('exit', ended);
  }

  get alive(): boolean {
    return this.#alive;
  }

  stop(): void {
    this.#child.kill();
  }
}
