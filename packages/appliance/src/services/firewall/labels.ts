import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { prefix } from '../../values.ts';
import { type Interval, intervalOf, intervalText, partition, type Version, versionOf } from './intervals.ts';
import { identifier } from './names.ts';

export interface LabelElements {
  readonly label_in4: Map<string, string>;
  readonly label_in6: Map<string, string>;
  readonly label_out4: Map<string, string>;
  readonly label_out6: Map<string, string>;
  /** Counter → the labels that it counts for: more than one where their prefixes overlap. */
  readonly labels: Map<string, readonly string[]>;
}

export const labelDirections = ['in', 'out'] as const;

/** Counters of what is exchanged with the prefixes of each label. */
export function desiredLabels({ labels = {} }: ApplianceConfig): LabelElements {
  const found: Record<Version, (Interval & { readonly owner: string })[]> = { 4: [], 6: [] };
  for (const [name, cidrs] of Object.entries(labels)) {
    for (const cidr of cidrs) {
      found[versionOf(cidr)].push({ ...intervalOf(prefix(cidr, `/labels/${name}`)), owner: name });
    }
  }
  const elements: LabelElements = {
    label_in4: new Map(),
    label_in6: new Map(),
    label_out4: new Map(),
    label_out6: new Map(),
    labels: new Map(),
  };
  for (const version of [4, 6] as const) {
    for (const part of partition(found[version])) {
      const owners = [...part.owners].sort();
      for (const direction of labelDirections) {
        const counter = identifier('label', owners.join(' '), `_${direction}`);
        elements[`label_${direction}${version}`].set(intervalText(part, version), counter);
        elements.labels.set(counter, owners);
      }
    }
  }
  return elements;
}
