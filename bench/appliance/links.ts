/** What addresses and routes cost in the kernel, by either of the ways that `@astara/kernel` knows. */
import type { Kernel, Netns, NetOperation } from '@astara/kernel/contract.ts';

export interface LinkTimes {
  readonly kernel: Kernel['name'];
  /** How many addresses, and how many routes. */
  readonly count: number;
  /** Milliseconds. */
  readonly addAddresses: number;
  /** One more where `count` are; median. */
  readonly addOneAddress: number;
  readonly listAddresses: number;
  readonly addRoutes: number;
  readonly addOneRoute: number;
  readonly listRoutes: number;
  readonly removeAll: number;
}

/** In a namespace of its own, named after the process, which is gone afterwards. */
export async function measureLinks(kernel: Kernel, count: number): Promise<LinkTimes> {
  const name = `bench-links-${process.pid}`;
  await kernel.createNetns(name);
  const netns = await kernel.open(name);
  try {
    return await measure(kernel.name, netns, count);
  } finally {
    netns.close();
    await kernel.deleteNetns(name);
  }
}

async function measure(kernel: Kernel['name'], netns: Netns, count: number): Promise<LinkTimes> {
  await netns.change([
    { op: 'veth-add', name: 'here', mtu: 1500, peer: { name: 'there', netns: null, mac: 'fa:16:3e:00:00:02' } },
    { op: 'link-set', ifname: 'here', up: true },
    { op: 'link-set', ifname: 'there', up: true },
    { op: 'address-add', ifname: 'here', cidr: '192.0.2.1/24' },
  ]);
  const numbers = Array.from({ length: count }, (_, index) => index);
  const more = Array.from({ length: 21 }, (_, index) => count + index);
  const change = (operations: readonly NetOperation[]) => timed(() => netns.change(operations));
  return {
    kernel,
    count,
    addAddresses: await change(numbers.map(address)),
    addOneAddress: await median(more, (number) => change([address(number)])),
    listAddresses: await timed(() => netns.addresses()),
    addRoutes: await change(numbers.map(route)),
    addOneRoute: await median(more, (number) => change([route(number)])),
    listRoutes: await timed(() => netns.routes()),
    removeAll: await change([
      ...numbers.map((number) => ({ ...route(number), op: 'route-delete' as const })),
      ...numbers.map((number) => ({ ...address(number), op: 'address-delete' as const })),
    ]),
  };
}

function address(number: number) {
  return { op: 'address-add', ifname: 'here', cidr: `10.${host(number)}/32` } as const;
}

function route(number: number) {
  return { op: 'route-replace', destination: `11.${host(number)}/32`, via: '192.0.2.2' } as const;
}

function host(number: number): string {
  return `${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function median(numbers: readonly number[], measure: (number: number) => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (const number of numbers) times.push(await measure(number));
  return times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
}
