import { readFileSync } from 'node:fs';

/** The host end of a port's veth pair. */
export interface Tap {
  /** Index of the other end, in the namespace where that is. */
  readonly peer: number;
  readonly mtu: number;
  readonly up: boolean;
}

const IFF_UP = 1;

/** From sysfs: one device by name, without a dump of all. Undefined when there is none. */
export function readTap(name: string): Tap | undefined {
  try {
    const read = (file: string) => Number(readFileSync(`/sys/class/net/${name}/${file}`, 'utf8'));
    return { peer: read('iflink'), mtu: read('mtu'), up: (read('flags') & IFF_UP) !== 0 };
  } catch (cause) {
    // EINVAL and ENODEV: it went between two reads.
    if (['ENOENT', 'EINVAL', 'ENODEV'].includes((cause as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw cause;
  }
}
