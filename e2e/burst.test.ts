import { expect, test } from 'vitest';
import { configured, metric, ruleset } from './lib/astara.ts';
import { Scene } from './lib/scene.ts';
import { routed } from './lib/topology.ts';
import { waitFor } from './lib/wait.ts';

/** As fast as Neutron takes them; how a burst within one second is coalesced is tested with the engine (reconciler/). */
test('31 changes asked for at once: fewer applies than changes, and the last word counts', async () => {
  await using scene = new Scene('burst');
  const { cloud } = scene;
  const { networks, router } = await routed(scene, 'r', { cidrs: ['10.81.0.0/24'] });
  const [network] = networks;
  if (network === undefined) throw new Error('no network');
  const { id } = await configured(router.id);
  const applies = () => metric('astara_convergence_seconds_count', { kind: 'router' });
  await waitFor('quiet', async () => {
    const before = await applies();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return before === (await applies());
  });
  const before = await applies();
  const routes = (n: number) => [{ destination: `172.30.${n}.0/24`, nexthop: '10.81.0.99' }];
  await Promise.all(Array.from({ length: 30 }, (_, n) => cloud.setRoutes(router, routes(n))));
  await cloud.setRoutes(router, routes(200));
  const inForce = () => scene.external.exec(['ip', '-n', `astara-${id}`, 'route']);
  await waitFor('the last route to be in force', async () => /172\.30\.200\.0\/24/.test(await inForce()));
  expect((await inForce()).match(/172\.30\./g)).toHaveLength(1);
  expect((await applies()) - before).toBeLessThan(31);
  expect(await ruleset(id)).toContain('table inet astara');
});
