import { type Spread, say, spread } from '../lib/report.ts';
import type { BenchAgent } from './agent.ts';
import { type Floor, floor } from './floor.ts';
import { router } from './router.ts';

export interface Applies {
  readonly floatingIps: number;
  /** ms, from the request's first byte to the answer's last: everything at once, one floating IP more, and nothing new. */
  readonly full: Spread;
  readonly one: Spread;
  readonly same: Spread;
  readonly floor: Floor;
}

/** What it costs to have so many floating IPs, through the API of an appliance that the agent serves. */
export async function applies(agent: BenchAgent, floatingIps: number, repeat: number): Promise<Applies> {
  const full: number[] = [];
  const one: number[] = [];
  const same: number[] = [];
  for (let round = 0; round < repeat; round += 1) {
    const id = await agent.instance(['qg', 'qr']);
    let generation = 1;
    await agent.push(id, router(generation, 0));
    const push = async (count: number) => {
      generation += 1;
      return (await agent.push(id, router(generation, count))).ms;
    };
    if (floatingIps > 0) full.push(await push(floatingIps));
    for (let more = 1; more <= 5; more += 1) one.push(await push(floatingIps + more));
    same.push(await push(floatingIps + 5));
    await agent.remove(id);
  }
  const result = {
    floatingIps,
    full: spread(full),
    one: spread(one),
    same: spread(same),
    floor: await floor(floatingIps, repeat),
  };
  say(JSON.stringify(result));
  return result;
}
