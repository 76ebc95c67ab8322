import { randomBytes } from 'node:crypto';
import { ip } from '../testing/world.ts';
import { bridgePlug } from './bridge.ts';
import { plugConformance } from './conformance.ts';

plugConformance('bridge', async () => {
  const bridge = `atag-${randomBytes(4).toString('hex')}`;
  ip(null, 'link', 'add', bridge, 'type', 'bridge');
  ip(null, 'link', 'set', bridge, 'up');
  return {
    kind: 'bridge',
    plug: bridgePlug,
    agentSees: (tap) => void ip(null, 'link', 'set', tap, 'master', bridge),
    wired: () => undefined,
    remove: async () => void ip(null, 'link', 'delete', bridge),
  };
});
