import { createHash } from 'node:crypto';
import type { ServerRow } from '../../store/rows.ts';
import type { Store } from '../../store/store.ts';
import { flavors } from '../catalog.ts';
import { portsOf } from '../server-view.ts';

/** A directory of the metadata service has entries, a file has text. */
export type Document = string | { readonly [name: string]: Document };

/** Versions that are answered alike. */
const EC2_VERSIONS = ['1.0', '2009-04-04', 'latest'];
const OPENSTACK_VERSIONS = ['2012-08-10', '2018-08-27', '2020-10-14', 'latest'];

/** All that a server may ask about itself, as a tree. */
export function documents(store: Store, row: ServerRow): Document {
  const userData = row.user_data === null ? {} : { 'user-data': decode(row.user_data) };
  const ec2 = { 'meta-data': ec2Data(store, row), ...userData };
  const openstack = {
    'meta_data.json': JSON.stringify(metaData(store, row)),
    'network_data.json': JSON.stringify(networkData(store, row)),
    'vendor_data.json': '{}',
    'vendor_data2.json': '{}',
    password: '',
    ...(row.user_data === null ? {} : { user_data: decode(row.user_data) }),
  };
  return {
    ...Object.fromEntries(EC2_VERSIONS.map((version) => [version, ec2])),
    openstack: Object.fromEntries(OPENSTACK_VERSIONS.map((version) => [version, openstack])),
  };
}

const decode = (base64: string) => Buffer.from(base64, 'base64').toString('utf8');

const hostname = ({ name }: ServerRow) => `${name.toLowerCase().replaceAll(/[^a-z0-9.-]+/g, '-')}.novalocal`;

function metaData(store: Store, row: ServerRow): Record<string, unknown> {
  const key = publicKey(store, row);
  return {
    uuid: row.id,
    name: row.name,
    hostname: hostname(row),
    launch_index: 0,
    availability_zone: 'nova',
    project_id: row.project_id,
    // The same at every reading; nothing secret is made from it here.
    random_seed: createHash('sha512').update(row.id).digest('base64'),
    devices: [],
    dedicated_cpus: [],
    ...(Object.keys(row.metadata).length === 0 ? {} : { meta: row.metadata }),
    ...(key === undefined
      ? {}
      : { public_keys: { [key.name]: key.data }, keys: [{ name: key.name, type: 'ssh', data: key.data }] }),
  };
}

function networkData(store: Store, row: ServerRow): Record<string, unknown> {
  const ports = portsOf(store, row);
  const links = ports.map((port) => ({
    id: `tap${port.id.slice(0, 11)}`,
    vif_id: port.id,
    type: 'bridge',
    mtu: store.networks.get(port.network_id)?.mtu ?? null,
    ethernet_mac_address: port.mac_address,
  }));
  const networks = ports.flatMap((port, at) =>
    port.fixed_ips.map(({ subnet_id }) => {
      const subnet = store.subnets.get(subnet_id);
      const type = subnet?.ip_version === 6 ? (subnet.ipv6_address_mode ?? 'ipv6') : 'ipv4_dhcp';
      return { id: `network${at}`, type, link: `tap${port.id.slice(0, 11)}`, network_id: port.network_id };
    }),
  );
  return { links, networks, services: [] };
}

function ec2Data(store: Store, row: ServerRow): Document {
  const ports = portsOf(store, row);
  const ipv4 = ports
    .flatMap(({ fixed_ips }) => fixed_ips.map(({ ip_address }) => ip_address))
    .find((ip) => !ip.includes(':'));
  const floating = ports.flatMap(({ id }) => store.floatingIps.by('port', id)).at(0)?.floating_ip_address;
  const groups = new Set(ports.flatMap(({ security_groups }) => security_groups));
  const key = publicKey(store, row);
  return {
    'ami-id': ec2Id('ami', row.image_id),
    'ami-launch-index': '0',
    hostname: hostname(row),
    'instance-action': 'none',
    'instance-id': ec2Id('i', row.id),
    'instance-type': flavors.find(({ id }) => id === row.flavor_id)?.name ?? row.flavor_id,
    'local-hostname': hostname(row),
    'local-ipv4': ipv4 ?? '',
    placement: { 'availability-zone': 'nova' },
    'public-hostname': hostname(row),
    'public-ipv4': floating ?? '',
    'reservation-id': `r-${row.id.slice(0, 8)}`,
    'security-groups': [...groups].map((id) => store.securityGroups.get(id)?.name ?? id).join('\n'),
    ...(key === undefined ? {} : { 'public-keys': { '0': { 'openssh-key': key.data } } }),
  };
}

/** Nova counts its servers; here the first eight digits of the UUID do. */
const ec2Id = (prefix: string, uuid: string) => `${prefix}-${uuid.slice(0, 8)}`;

function publicKey(store: Store, row: ServerRow): { readonly name: string; readonly data: string } | undefined {
  const key = row.key_name === null ? undefined : store.keypairs.get(`${row.user_id}/${row.key_name}`);
  return key === undefined ? undefined : { name: key.name, data: key.public_key };
}
