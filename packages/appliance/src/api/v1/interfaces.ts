import type { InterfaceView2016 } from '@astara/model/appliance/api/v1-answers.ts';
import type { Appliance } from '../../appliance.ts';
import { interfaces } from '../v2/interfaces.ts';
import type { VirtualNames } from './names.ts';

/** The network cards by virtual name, in order. `description`, `groups` and `media` were of ifconfig on BSD, and empty by 2016. */
export async function interfaceViews(appliance: Appliance, names: VirtualNames): Promise<InterfaceView2016[]> {
  const cards = new Map((await interfaces(appliance)).map((card) => [card.ifname, card]));
  return [...names].flatMap(([ifname, real]) => {
    const card = cards.get(real);
    if (card === undefined) return [];
    const { mac_address: lladdr, mtu, up, addresses } = card;
    const state = up ? ('up' as const) : ('down' as const);
    return [{ ifname, addresses, lladdr, mtu, state, description: '', groups: [], media: null }];
  });
}
