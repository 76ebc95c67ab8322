import { afterEach, expect } from 'vitest';
import { HaWorld, type MemberOptions } from './ha-world.ts';

/** Makes, for each test that asks, a {@link HaWorld} that has settled and answers; it is gone after the test. */
export function haLab(): (count: number, options?: MemberOptions) => Promise<HaWorld> {
  let lab: HaWorld | undefined;
  afterEach(async () => {
    await lab?.destroy();
    lab = undefined;
  });
  return async (count, options = {}) => {
    lab = await HaWorld.create(count, options);
    await lab.settle();
    expect(await lab.world.eventuallyPings('client', '198.51.100.1')).toBe(true);
    expect(await lab.world.eventuallyPings('client', '2001:db8::1')).toBe(true);
    return lab;
  };
}
