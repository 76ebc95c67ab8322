import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kernel } from '@astara/kernel/contract.ts';
import { openKernel } from '@astara/kernel/open.ts';

/** A namespace that is the host of bridges and machines, and a folder for what they keep. */
export class TestHost {
  readonly kernel: Kernel;
  readonly netns: string;
  readonly runDir: string;

  private constructor(kernel: Kernel, netns: string, runDir: string) {
    this.kernel = kernel;
    this.netns = netns;
    this.runDir = runDir;
  }

  static async make(): Promise<TestHost> {
    const kernel = await openKernel('auto');
    const netns = `cloud-host-${randomBytes(3).toString('hex')}`;
    await kernel.createNetns(netns);
    return new TestHost(kernel, netns, mkdtempSync(join(tmpdir(), 'cloud-host-')));
  }

  /** What is in it must be gone. */
  async remove(): Promise<void> {
    await this.kernel.deleteNetns(this.netns);
    rmSync(this.runDir, { recursive: true, force: true });
  }
}
