import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { type ConfigDigests, configDigests } from '@astara/model/appliance/etag.ts';
import { type Known, known, type Service } from '../services/service.ts';

/** A service whose types are known to nobody but itself. */
export type AnyService = Service<unknown, unknown>;

/** What each service is to do, by its name: compiled from one configuration. */
export interface State {
  readonly parts: ReadonlyMap<string, Part>;
  readonly digests: ConfigDigests;
}

export interface Part {
  readonly value: unknown;
  /** What was left out because it cannot be had. */
  readonly warnings: readonly string[];
}

/** What each service was found to do, as far as somebody has looked. */
export type Found = ReadonlyMap<string, Known<unknown>>;

/**
 * Pure. Throws APPLIANCE_VALUE_REFUSED when a value cannot be expressed. Services that read nothing which differs from `former`
 * are taken from there: most changes are floating IPs, most of the configuration are ports.
 */
export function compile(
  services: readonly AnyService[],
  config: ApplianceConfig,
  runDirInside: string,
  former?: State,
): State {
  const digests = configDigests(config);
  const parts = new Map<string, Part>();
  for (const { name, reads, compile } of services) {
    const old = former?.parts.get(name);
    if (old !== undefined && reads.every((field) => former?.digests[field] === digests[field])) {
      parts.set(name, old);
      continue;
    }
    const warnings: string[] = [];
    const value = compile(config, { runDirInside, warn: (text) => warnings.push(text) });
    parts.set(name, Object.freeze({ value, warnings }));
  }
  return Object.freeze({ parts, digests });
}

export function foundOf(state: State): Found {
  return new Map([...state.parts].map(([name, { value }]) => [name, known(value)]));
}

export function warningsOf(state: State): string[] {
  return [...state.parts.values()].flatMap(({ warnings }) => warnings);
}
