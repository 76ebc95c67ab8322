import { openKernel } from '@astara/kernel/open.ts';
import type { PlugKind } from '@astara/model/instance.ts';
import { pino } from 'pino';
import type { Host } from '../instances/host.ts';
import { bridgePlug } from '../plugging/bridge.ts';
import type { Plug } from '../plugging/plug.ts';
import { temporaryRunDir } from './world.ts';

export const silentLog = pino({ level: 'silent' });

/** A host with the real kernel and a run_dir of its own. Without Open vSwitch, unless a plug for it is given. */
export async function testHost(plugs: Partial<Record<PlugKind, Plug>> = {}): Promise<Host> {
  const kernel = await openKernel('auto');
  return {
    runDir: temporaryRunDir(),
    kernel,
    netns: await kernel.open(null),
    plugs: { bridge: bridgePlug, ovs: { ...bridgePlug, kind: 'ovs' }, ...plugs },
    log: silentLog,
  };
}
