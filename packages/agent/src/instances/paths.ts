import { join } from 'node:path';

/** The files of one instance (docs/designs/0001). */
export interface InstancePaths {
  readonly dir: string;
  readonly record: string;
  /** Bind-mounted on /run inside the instance. */
  readonly run: string;
  readonly log: string;
  /** What its init mounts. */
  readonly fstab: string;
  readonly apiSocket: string;
  readonly applied: string;
}

export function instancesDir(runDir: string): string {
  return join(runDir, 'instances');
}

export function instancePaths(runDir: string, id: string): InstancePaths {
  const dir = join(instancesDir(runDir), id);
  return {
    dir,
    record: join(dir, 'instance.json'),
    run: join(dir, 'run'),
    log: join(dir, 'run', 'log'),
    fstab: join(dir, 'fstab'),
    apiSocket: join(dir, 'api.sock'),
    applied: join(dir, 'applied.json'),
  };
}
