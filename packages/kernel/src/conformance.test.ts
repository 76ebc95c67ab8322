import { conformance } from './conformance.ts';
import { openKernel } from './open.ts';

for (const name of ['netlink', 'iproute2'] as const) {
  conformance(name, () => openKernel(name), { listenTcp: name === 'netlink', fast: name === 'netlink' });
}
