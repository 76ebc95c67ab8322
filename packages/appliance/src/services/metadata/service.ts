import { canonicalJson } from '@astara/model/digest.ts';
import { planWhole, type Service, type Whole } from '../service.ts';
import { MetadataProxy } from './proxy.ts';
import { desiredMetadata, type MetadataState } from './state.ts';

export const metadataService: Service<MetadataState | undefined, Whole<MetadataState | undefined>, MetadataProxy> = {
  name: 'metadata',
  reads: ['networks', 'metadata', 'tenant_id'],
  compile: desiredMetadata,
  plan: (before, after) => planWhole(before, after, (a, b) => a === b || comparable(a) === comparable(b)),
  open: (context) => new MetadataProxy(context),
};

function comparable(state: MetadataState | undefined): string {
  if (state === undefined) return '';
  const clients = [...state.clients].map(([address, all]) => [
    address,
    ...all.map(({ instanceId, tenantId, arrivesAt }) => [instanceId, tenantId, ...arrivesAt]),
  ]);
  const ports = [...state.ports].map(([port, { instanceId, tenantId }]) => [port, instanceId, tenantId]);
  return canonicalJson([state.endpoint, state.cacheSeconds, state.requestsPerSecond, clients, ports]);
}
