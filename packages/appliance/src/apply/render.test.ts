import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { desiredFirewall } from '../services/firewall/desired.ts';
import { renderTable } from '../services/firewall/render.ts';
import { anyConfig } from '../testing/arbitrary.ts';
import { run } from '../testing/world.ts';

describe('what is rendered', () => {
  it('has no line that a text of a tenant could have made', () => {
    fc.assert(
      fc.property(anyConfig, (config) => {
        expect(renderTable(desiredFirewall(config).elements)).toMatch(/^[\w\s{}"@:;,.=/-]*$/);
      }),
      { numRuns: 1_500 },
    );
  });

  it('is accepted by nft', async () => {
    await fc.assert(
      fc.asyncProperty(anyConfig, async (config) => {
        const nft = await run('nft', ['-c', '-f', '-'], { input: renderTable(desiredFirewall(config).elements) });
        expect(nft).toMatchObject({ status: 0, stderr: '' });
      }),
      { numRuns: 40 },
    );
  });
});
