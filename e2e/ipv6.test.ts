import { expect, test } from 'vitest';
import { EXTERNAL_ADDRESS_6 } from './lib/external.ts';
import { Scene } from './lib/scene.ts';

test('machines make their IPv6 addresses from the router, and reach each other and the outside', async () => {
  await using scene = new Scene('ipv6');
  const { cloud } = scene;
  const router = await cloud.createRouter('r');
  const left = await cloud.createNetwork('left');
  const right = await cloud.createNetwork('right');
  for (const [network, cidr] of [
    [left, '2001:db8:61::/64'],
    [right, '2001:db8:62::/64'],
  ] as const) {
    const subnet = await cloud.createSlaacSubnet(network, cidr);
    await cloud.addInterface(router, { subnet_id: subnet.id });
  }
  await cloud.setGateway(router, await cloud.external());
  const a = await scene.vm('a', left);
  const b = await scene.vm('b', right);
  expect(await a.slaac()).toBe(`${a.address(6)}/64`);
  expect(await b.slaac()).toBe(`${b.address(6)}/64`);
  expect(await a.exec(['cat', '/proc/sys/net/ipv6/conf/eth0/mtu'])).toBe(`${left.mtu}\n`);
  await a.reaches(b.address(6) ?? '');

  // Out and back: IPv6 is routed, not translated.
  const info = (await cloud.get('router', router)).external_gateway_info?.external_fixed_ips ?? [];
  const via = info.find(({ ip_address }) => ip_address.includes(':'))?.ip_address ?? '';
  await scene.external.exec(['ip', '-6', 'route', 'replace', '2001:db8:61::/64', 'via', via]);
  try {
    await a.reaches(EXTERNAL_ADDRESS_6);
    await scene.external.serveHttp(8_086);
    const { body } = await a.httpGet(`http://[${EXTERNAL_ADDRESS_6}]:8086/`);
    expect(JSON.parse(body).peer).toBe(a.address(6));
    // And in, as with Neutron's own agent: security groups are what protects a machine.
    expect((await scene.external.ping(a.address(6) ?? '')).received).toBeGreaterThan(0);
  } finally {
    await scene.external.exec(['ip', '-6', 'route', 'delete', '2001:db8:61::/64']);
  }
});

test('IPv4 and IPv6 on one network: both from the one router', async () => {
  await using scene = new Scene('dual');
  const { cloud } = scene;
  const router = await cloud.createRouter('r');
  const network = await cloud.createNetwork('n');
  const v4 = await cloud.createSubnet(network, '10.63.0.0/24');
  const v6 = await cloud.createSlaacSubnet(network, '2001:db8:63::/64');
  await cloud.addInterface(router, { subnet_id: v4.id });
  await cloud.addInterface(router, { subnet_id: v6.id });
  const vm = await scene.vm('a', network);
  expect((await vm.dhcp()).address).toBe(`${vm.address(4)}/24`);
  expect(await vm.slaac()).toBe(`${vm.address(6)}/64`);
  await vm.reaches('10.63.0.1');
  await vm.reaches(v6.gateway_ip ?? '');
});
