import { rm } from 'node:fs/promises';
import type { Network, Port } from '@astara/openstack/neutron-types.ts';
import { run } from './exec.ts';
import { external } from './external.ts';
import { Cloud } from './openstack.ts';
import { Vm, type VmOptions } from './vm.ts';

/**
 * One test's part of the cloud: its objects in Neutron, its machines, and the end of all of them.
 *
 *     await using scene = new Scene('dhcp');
 *     const network = await scene.cloud.createNetwork('n1');
 *     const vm = await scene.vm('a', network);
 */
export class Scene {
  readonly cloud: Cloud;
  readonly external = external();
  readonly #vms: Vm[] = [];

  /** `name`: lower case letters and digits; what the scene makes is called `e2e-<name>-<pid>-…`. */
  constructor(name: string) {
    this.cloud = new Cloud(`e2e-${name}-${process.pid}`);
  }

  async vm(name: string, network: Network, options?: VmOptions): Promise<Vm> {
    const vm = await Vm.create(this.cloud, name, network, options);
    this.#vms.push(vm);
    return vm;
  }

  /** On a port that is there already, which must be bound to this host. */
  async vmOn(name: string, network: Network, port: Port): Promise<Vm> {
    const vm = await Vm.on(this.cloud, name, network, port);
    this.#vms.push(vm);
    return vm;
  }

  /** Everything of this scene goes: also machines whose making failed half way. */
  async cleanup(): Promise<void> {
    this.external.endPrograms();
    await Promise.all(this.#vms.map((vm) => vm.unplug()));
    for (const line of (await run(['ip', 'netns', 'list'])).split('\n')) {
      const [netns = ''] = line.split(' ');
      if (!netns.startsWith(`labvm-${this.cloud.prefix}-`)) continue;
      await run(['ip', 'netns', 'delete', netns]);
      await rm(`/etc/netns/${netns}`, { recursive: true, force: true });
    }
    await this.cloud.cleanup();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cleanup();
  }
}
