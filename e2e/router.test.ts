import { expect, test } from 'vitest';
import { configured, remains, traces } from './lib/astara.ts';
import { EXTERNAL_ADDRESS } from './lib/external.ts';
import { Scene } from './lib/scene.ts';
import { gatewayAddress, leased, routed } from './lib/topology.ts';
import { waitFor } from './lib/wait.ts';

test('east-west between two subnets, SNAT out, floating IP in, and hairpin', async () => {
  await using scene = new Scene('router');
  const { networks, router } = await routed(scene, 'r', { cidrs: ['10.41.0.0/24', '10.42.0.0/24'] });
  const [left, right] = networks;
  if (left === undefined || right === undefined) throw new Error('no networks');
  const a = await leased(scene, 'a', left);
  const b = await leased(scene, 'b', right);

  await a.reaches(b.address() ?? '');

  await a.reaches(EXTERNAL_ADDRESS);
  await scene.external.serveHttp(8_081);
  const gateway = gatewayAddress(await scene.cloud.get('router', router));
  const out = await a.httpGet(`http://${EXTERNAL_ADDRESS}:8081/`);
  expect(JSON.parse(out.body).peer).toBe(gateway);

  const floating = await scene.cloud.createFloatingIp({ port_id: b.port.id });
  await scene.external.reaches(floating.floating_ip_address);
  await b.serveHttp(8_080);
  const seen = JSON.parse((await scene.external.httpGet(`http://${floating.floating_ip_address}:8080/`)).body);
  expect(seen).toMatchObject({ peer: EXTERNAL_ADDRESS, local: b.address() });
  // b leaves as its floating IP
  expect(JSON.parse((await b.httpGet(`http://${EXTERNAL_ADDRESS}:8081/`)).body).peer).toBe(
    floating.floating_ip_address,
  );
  // hairpin: a neighbour, and the machine itself, through the floating IP
  expect(JSON.parse((await a.httpGet(`http://${floating.floating_ip_address}:8080/`)).body).local).toBe(b.address());
  expect(JSON.parse((await b.httpGet(`http://${floating.floating_ip_address}:8080/`)).body).local).toBe(b.address());

  await waitFor(
    'the floating IP to be ACTIVE',
    async () => (await scene.cloud.get('floatingip', floating)).status === 'ACTIVE',
  );
});

test('a floating IP moved to another port: old flows are cut, new ones arrive there', async () => {
  await using scene = new Scene('fipmove');
  const { networks } = await routed(scene, 'r', { cidrs: ['10.43.0.0/24'] });
  const [network] = networks;
  if (network === undefined) throw new Error('no network');
  const a = await leased(scene, 'a', network);
  const b = await leased(scene, 'b', network);
  await a.serveEcho(7_000);
  await b.serveEcho(7_000);
  const floating = await scene.cloud.createFloatingIp({ port_id: a.port.id });
  await scene.external.reaches(floating.floating_ip_address);
  const old = await scene.external.openFlow(floating.floating_ip_address, 7_000);

  await scene.cloud.updateFloatingIp(floating, b.port);
  await b.serveHttp(7_001);
  const local = async () => {
    const { body } = await scene.external.httpGet(`http://${floating.floating_ip_address}:7001/`, {}, 1_000);
    return JSON.parse(body).local === b.address();
  };
  await waitFor('the floating IP to lead to b', local);
  expect(await old.roundTrip(2_000)).toBe(false);
  const fresh = await scene.external.openFlow(floating.floating_ip_address, 7_000);
  expect(await fresh.roundTrip()).toBe(true);

  await scene.cloud.updateFloatingIp(floating, null);
  const gone = async () => (await scene.external.ping(floating.floating_ip_address, { count: 1 })).received === 0;
  await waitFor('the floating IP to lead nowhere', gone);
  expect(await fresh.roundTrip(2_000)).toBe(false);
});

test('extra routes lead to a machine that routes; without them packets do not arrive', async () => {
  await using scene = new Scene('routes');
  const { networks, router } = await routed(scene, 'r', { cidrs: ['10.44.0.0/24', '10.45.0.0/24'] });
  const [left, right] = networks;
  if (left === undefined || right === undefined) throw new Error('no networks');
  const client = await leased(scene, 'a', left);
  const hop = await leased(scene, 'b', right, { port_security_enabled: false, security_groups: [] });
  await hop.exec(['ip', 'address', 'add', '172.31.5.1/24', 'dev', 'lo']);

  await scene.cloud.setRoutes(router, [{ destination: '172.31.5.0/24', nexthop: hop.address() ?? '' }]);
  await client.reaches('172.31.5.1');
  await scene.cloud.setRoutes(router, []);
  await waitFor('the route to be gone', async () => (await client.ping('172.31.5.1', { count: 1 })).received === 0);
});

test('gateway cleared and set again', async () => {
  await using scene = new Scene('gateway');
  const { networks, router } = await routed(scene, 'r', { cidrs: ['10.46.0.0/24'] });
  const [network] = networks;
  if (network === undefined) throw new Error('no network');
  const vm = await leased(scene, 'a', network);
  await vm.reaches(EXTERNAL_ADDRESS);
  await scene.cloud.setGateway(router, null);
  await waitFor('the way out to be closed', async () => (await vm.ping(EXTERNAL_ADDRESS, { count: 1 })).received === 0);
  expect((await vm.ping('10.46.0.1')).received).toBe(3);
  await scene.cloud.setGateway(router, await scene.cloud.external());
  await vm.reaches(EXTERNAL_ADDRESS);
});

test('SNAT switched off: the address of the machine is not hidden', async () => {
  await using scene = new Scene('nosnat');
  const { networks, router } = await routed(scene, 'r', { cidrs: ['10.47.0.0/24'] });
  const [network] = networks;
  if (network === undefined) throw new Error('no network');
  const vm = await leased(scene, 'a', network);
  const updated = await scene.cloud.setGateway(router, await scene.cloud.external(), { enable_snat: false });
  const via = gatewayAddress(updated);
  await scene.external.exec(['ip', 'route', 'replace', '10.47.0.0/24', 'via', via]);
  try {
    await scene.external.serveHttp(8_082);
    const unhidden = async () => {
      const { body } = await vm.httpGet(`http://${EXTERNAL_ADDRESS}:8082/`, {}, 1_000);
      return JSON.parse(body).peer === vm.address();
    };
    await waitFor('packets to leave with their own source', unhidden);
  } finally {
    await scene.external.exec(['ip', 'route', 'delete', '10.47.0.0/24']);
  }
});

test('a router that is set down forwards nothing, and works again when set up', async () => {
  await using scene = new Scene('admindown');
  const { networks, router } = await routed(scene, 'r', { cidrs: ['10.48.0.0/24', '10.49.0.0/24'] });
  const [left, right] = networks;
  if (left === undefined || right === undefined) throw new Error('no networks');
  const a = await leased(scene, 'a', left);
  const b = await leased(scene, 'b', right);
  await a.reaches(b.address() ?? '');
  await scene.cloud.update('router', router, { admin_state_up: false });
  await waitFor('the router to stop', async () => (await a.ping(b.address() ?? '', { count: 1 })).received === 0);
  await scene.cloud.update('router', router, { admin_state_up: true });
  await a.reaches(b.address() ?? '');
});

test('a deleted router leaves nothing: no namespace, tap, process or file', async () => {
  await using scene = new Scene('routerdelete');
  const { subnets, router } = await routed(scene, 'r', { cidrs: ['10.50.0.0/24'] });
  const [subnet] = subnets;
  if (subnet === undefined) throw new Error('no subnet');
  const plugged = async () => {
    const instance = await configured(router.id);
    return instance.attachments.length === 2 ? instance : undefined;
  };
  const made = await traces(await waitFor('both interfaces', plugged));
  // namespace, directory, two taps, init, dnsmasq
  expect((await remains(made)).length).toBeGreaterThanOrEqual(6);
  await scene.cloud.removeInterface(router, { subnet_id: subnet.id });
  await scene.cloud.delete('router', router);
  await waitFor('the router to be gone', async () => {
    const left = await remains(made);
    if (left.length > 0) throw new Error(left.join('; '));
    return true;
  });
});

test('two routers of one tenant, and overlapping subnets of two tenants, do not meet', async () => {
  await using scene = new Scene('overlap');
  const one = await routed(scene, 'one', { cidrs: ['10.51.0.0/24'] });
  const two = await routed(scene, 'two', { cidrs: ['10.51.0.0/24'] });
  const vms = [];
  for (const [at, { networks }] of [one, two].entries()) {
    const [network] = networks;
    const [subnet] = (at === 0 ? one : two).subnets;
    if (network === undefined || subnet === undefined) throw new Error('no network');
    const fixed_ips = [{ subnet_id: subnet.id, ip_address: '10.51.0.10' }];
    const vm = await leased(scene, `vm${at}`, network, { fixed_ips });
    await vm.serveHttp(8_080);
    const floating = await scene.cloud.createFloatingIp({ port_id: vm.port.id });
    await scene.external.reaches(floating.floating_ip_address);
    vms.push({ vm, floating });
  }
  const [first, second] = vms;
  if (first === undefined || second === undefined) throw new Error('no machines');
  // Same address, other machine: each floating IP leads to its own.
  await first.vm.exec(['ip', 'address', 'add', '192.0.2.1/32', 'dev', 'lo']);
  const reached = async (address: string) => (await scene.external.httpGet(`http://${address}:8080/`)).body;
  await scene.external.reaches(second.floating.floating_ip_address);
  await second.vm.exec(['ip', 'link', 'set', 'eth0', 'down']);
  expect(JSON.parse(await reached(first.floating.floating_ip_address)).local).toBe('10.51.0.10');
  expect((await scene.external.ping(second.floating.floating_ip_address, { count: 2 })).received).toBe(0);
});
