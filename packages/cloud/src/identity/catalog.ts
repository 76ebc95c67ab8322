import { stableId } from './directory.ts';

/** A service and where it is, as a path behind the address of the cloud. */
export interface Service {
  readonly type: string;
  readonly name: string;
  readonly path: string;
}

export const region = 'RegionOne';
const interfaces = ['public', 'internal', 'admin'] as const;

export function serviceId(service: Service): string {
  return stableId('service', service.type);
}

export interface Endpoint {
  readonly id: string;
  readonly interface: string;
  readonly region_id: string;
  readonly region: string;
  readonly url: string;
}

/** Endpoints of a service. `base`: the address of the cloud, without a slash at the end. */
export function endpointsOf(service: Service, base: string): readonly Endpoint[] {
  return interfaces.map((one) => ({
    id: stableId('endpoint', `${service.type} ${one}`),
    interface: one,
    region_id: region,
    region,
    url: `${base}${service.path}`,
  }));
}

export function catalogOf(services: readonly Service[], base: string): unknown[] {
  return services.map((service) => ({
    id: serviceId(service),
    type: service.type,
    name: service.name,
    endpoints: endpointsOf(service, base),
  }));
}
