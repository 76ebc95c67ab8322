import type { Cloud } from './cloud.ts';
import { OpenStackError } from './errors.ts';

/** Keystone's catalog, as it comes with a token. */
export type Catalog = readonly CatalogService[];

export interface CatalogService {
  readonly type: string;
  readonly name?: string;
  readonly endpoints: readonly {
    readonly url: string;
    readonly interface: string;
    readonly region_id?: string | null;
    readonly region?: string | null;
  }[];
}

/** The URL of a service type, without a slash at its end. */
export function pickEndpoint(catalog: Catalog, type: string, cloud: Cloud): string {
  const override = cloud.endpointOverrides[type];
  if (override !== undefined) return override;
  const all = catalog
    .filter((service) => service.type === type)
    .flatMap(({ endpoints }) => endpoints)
    .map(({ url, interface: side, region_id, region }) => ({ url, side, region: region_id ?? region ?? '' }));
  const fits = all.filter(
    ({ side, region }) => side === cloud.interface && (cloud.region === null || region === cloud.region),
  );
  const [first] = fits;
  if (first === undefined) {
    const available = [...new Set(all.map(({ side, region }) => `${side} in ${region || 'no region'}`))];
    throw new OpenStackError('OPENSTACK_ENDPOINT_MISSING', {
      interface: cloud.interface,
      service: type,
      region: cloud.region === null ? '' : ` in region ${cloud.region}`,
      available: available.length === 0 ? 'none at all' : available.join(', '),
      options: `${cloud.nameOf('region_name')} and ${cloud.nameOf('interface')}`,
    });
  }
  const regions = new Set(fits.map(({ region }) => region));
  if (regions.size > 1) {
    throw new OpenStackError('OPENSTACK_REGION_AMBIGUOUS', {
      service: type,
      available: [...regions].sort().join(', '),
      options: cloud.nameOf('region_name'),
    });
  }
  return first.url.replace(/\/+$/, '');
}
