import { closeSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Subject } from '../conformance.ts';
import { inNetns } from './world.ts';

const TABLE = `table inet astara {
  map fip { type ipv4_addr : ipv4_addr; elements = { 203.0.113.1 : 10.0.0.1 }; }
  chain pre { type nat hook prerouting priority -100; policy accept; ip daddr @blocked drop; }
  set blocked { type ipv4_addr; }
}`;

export function nftTests(subject: Subject): void {
  test('a transaction is all or nothing', async () => {
    const netns = await subject.world.netns();
    await netns.nft('table inet astara { map fip { type ipv4_addr : ipv4_addr; }; }');
    const failing = netns.nft(`add element inet astara fip { 203.0.113.2 : 10.0.0.2 }
      add rule inet astara no_such_chain accept`);
    await expect(failing).rejects.toMatchObject({ code: 'KERNEL_NFT', errno: 'ENOENT' });
    await expect(failing).rejects.toThrow(/no_such_chain/);
    expect(await inNetns(netns.name, 'nft', 'list', 'table', 'inet', 'astara')).not.toContain('203.0.113.2');
    await netns.nft('add element inet astara fip { 203.0.113.3 : 10.0.0.3 }');
    expect(await inNetns(netns.name, 'nft', 'list', 'table', 'inet', 'astara')).toContain('203.0.113.3 : 10.0.0.3');
  });

  test('a syntax error is told in words, and the handle works on', async () => {
    const netns = await subject.world.netns();
    await expect(netns.nft('table inet astara { chains }')).rejects.toThrow(/syntax error/);
    await netns.nft(TABLE);
    expect(await inNetns(netns.name, 'nft', 'list', 'tables')).toBe('table inet astara\n');
  });

  test('lists as JSON, and undefined for what is not there', async () => {
    const netns = await subject.world.netns();
    await netns.nft(TABLE);
    const { nftables } = (await netns.nftList('table inet astara')) ?? { nftables: [] };
    expect(nftables[0]).toHaveProperty('metainfo');
    expect(nftables).toContainEqual({ table: expect.objectContaining({ family: 'inet', name: 'astara' }) });
    expect(nftables).toContainEqual({
      map: expect.objectContaining({ name: 'fip', elem: [['203.0.113.1', '10.0.0.1']] }),
    });
    expect(await netns.nftList('table inet no_such')).toBeUndefined();
    expect(await netns.nftList('map inet astara no_such')).toBeUndefined();
    expect((await netns.nftList('ruleset'))?.nftables.length).toBeGreaterThan(3);
    await expect(netns.nftList('nonsense')).rejects.toMatchObject({ code: 'KERNEL_NFT' });
    // What others did in between is seen.
    await inNetns(netns.name, 'nft', 'delete', 'table', 'inet', 'astara');
    expect(await netns.nftList('table inet astara')).toBeUndefined();
  });

  test('an empty namespace has an empty rule set', async () => {
    const netns = await subject.world.netns();
    const { nftables } = (await netns.nftList('ruleset')) ?? { nftables: [] };
    expect(nftables.filter((object) => !('metainfo' in object))).toEqual([]);
  });

  test('ten thousand elements in one transaction', async () => {
    const netns = await subject.world.netns();
    await netns.nft(TABLE);
    const elements = Array.from({ length: 10_000 }, (_, index) => {
      const low = `${index >> 8}.${index & 255}`;
      return `198.18.${low} : 10.1.${low}`;
    });
    await netns.nft(`add element inet astara fip { ${elements.join(', ')} }`);
    const list = await netns.nftList('map inet astara fip');
    const map = list?.nftables.find((object) => 'map' in object)?.map;
    expect(map).toMatchObject({ elem: { length: 10_001 } });
  });

  test('in a process with more than a thousand open files', async () => {
    const netns = await subject.world.netns();
    const files = Array.from({ length: 1500 }, () => openSync('/dev/null', 'r'));
    try {
      await netns.nft(TABLE);
      const late = await subject.world.netns();
      await Promise.all([netns, late].map((each) => each.nft('add table inet late')));
      expect(await inNetns(late.name, 'nft', 'list', 'tables')).toBe('table inet late\n');
      expect((await netns.nftList('table inet late'))?.nftables).toHaveLength(2);
    } finally {
      for (const file of files) closeSync(file);
    }
  });

  test('changes of several namespaces at once, with children ending meanwhile', async () => {
    const handles = await Promise.all(Array.from({ length: 6 }, () => subject.world.netns()));
    for (const netns of handles) await netns.nft(TABLE);
    await Promise.all(
      handles.map(async (netns, index) => {
        for (let round = 0; round < 20; round++) {
          await Promise.all([
            netns.nft(`add element inet astara fip { 198.18.${index}.${round} : 10.1.${index}.${round} }`),
            round % 5 === 0 ? inNetns(null, 'true') : undefined,
          ]);
        }
      }),
    );
    for (const [index, netns] of handles.entries()) {
      const text = await inNetns(netns.name, 'nft', 'list', 'map', 'inet', 'astara', 'fip');
      expect(text.match(/198\.18\.\d+/g)).toEqual(Array.from({ length: 20 }, () => `198.18.${index}`));
    }
  });
}
