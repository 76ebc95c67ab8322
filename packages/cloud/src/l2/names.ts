/** Names of devices, cut as Neutron's Linux bridge agent cuts them. A tap's name is in `@astara/model/instance.ts`. */

export function bridgeName(networkId: string): string {
  return `brq${networkId.slice(0, 11)}`;
}

/** The leg of an external network's bridge, on the host and in the namespace that stands for the internet. */
export function legName(networkId: string): string {
  return `ext${networkId.slice(0, 11)}`;
}
