import { type Flavor, flavors } from '../catalog.ts';
import { badRequest, noFlavor } from '../fault.ts';
import { linksOf } from '../server-view.ts';
import { ok, type Route } from './ask.ts';

/** What does not change: flavors, the one availability zone, the one hypervisor. `host`: its name. */
export function catalogRoutes(host: string): Route[] {
  const zone = { zoneName: 'nova', zoneState: { available: true }, hosts: null };
  const service = { active: true, available: true, updated_at: null };
  return [
    {
      method: 'GET',
      path: '/flavors',
      run: ({ url }) =>
        ok({ flavors: flavors.map(({ id, name }) => ({ id, name, links: linksOf(url, 'flavors', id) })) }),
    },
    {
      method: 'GET',
      path: '/flavors/detail',
      run: ({ url, query }) =>
        ok({ flavors: query.has('marker') ? [] : flavors.map((flavor) => flavorView(flavor, url)) }),
    },
    {
      method: 'GET',
      path: '/flavors/:id',
      run: ({ url, params }) => {
        const flavor = flavors.find(({ id }) => id === params.id);
        if (flavor === undefined) throw noFlavor(params.id ?? '');
        return ok({ flavor: flavorView(flavor, url) });
      },
    },
    { method: 'GET', path: '/flavors/:id/os-extra_specs', run: () => ok({ extra_specs: {} }) },
    { method: 'GET', path: '/os-availability-zone', run: () => ok({ availabilityZoneInfo: [zone] }) },
    {
      method: 'GET',
      path: '/os-availability-zone/detail',
      run: () => ok({ availabilityZoneInfo: [{ ...zone, hosts: { [host]: { 'nova-compute': service } } }] }),
    },
    {
      method: 'GET',
      path: '/os-hypervisors',
      run: ({ url }) => ok({ hypervisors: [hypervisorView(host, url)] }),
    },
    {
      method: 'GET',
      path: '/os-hypervisors/detail',
      run: ({ url }) => ok({ hypervisors: [hypervisorView(host, url)] }),
    },
    {
      method: 'GET',
      path: '/os-hypervisors/:id',
      run: ({ url, params }) => {
        if (params.id !== '1') throw badRequest(`Compute host ${params.id} could not be found.`);
        return ok({ hypervisor: hypervisorView(host, url) });
      },
    },
    { method: 'GET', path: '/extensions', run: () => ok({ extensions: [] }) },
  ];
}

function flavorView({ id, name, vcpus, ram, disk }: Flavor, url: string): Record<string, unknown> {
  return {
    id,
    name,
    vcpus,
    ram,
    disk,
    swap: '',
    'OS-FLV-DISABLED:disabled': false,
    'OS-FLV-EXT-DATA:ephemeral': 0,
    'os-flavor-access:is_public': true,
    rxtx_factor: 1,
    links: linksOf(url, 'flavors', id),
  };
}

/** Namespaces have no size: what is counted elsewhere is nothing here. */
function hypervisorView(host: string, url: string): Record<string, unknown> {
  return {
    id: 1,
    hypervisor_hostname: host,
    state: 'up',
    status: 'enabled',
    host_ip: '127.0.0.1',
    hypervisor_type: 'namespace',
    hypervisor_version: 1,
    service: { id: 1, host, disabled_reason: null },
    cpu_info: '',
    links: linksOf(url, 'os-hypervisors', '1'),
    ...Object.fromEntries(COUNTERS.map((name) => [name, 0])),
  };
}

const COUNTERS = [
  'vcpus',
  'vcpus_used',
  'memory_mb',
  'memory_mb_used',
  'local_gb',
  'local_gb_used',
  'free_ram_mb',
  'free_disk_gb',
  'disk_available_least',
  'current_workload',
  'running_vms',
];
