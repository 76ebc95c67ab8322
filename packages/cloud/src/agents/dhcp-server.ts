import type { Handler, RequestContext } from '@astara/messaging/contract.ts';
import { Fault } from '../api/fault.ts';
import type { Context } from '../api/resource.ts';
import { dhcpAgent } from '../network/agents.ts';
import { dhcpOwner } from '../network/device-owners.ts';
import { networkNotFound } from '../network/faults.ts';
import type { FixedIpRequest } from '../network/fixed-ips.ts';
import { changePort, dropPort, makePort, provisioned } from '../network/ports.ts';
import type { NetworkRow, PortRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { callerOf, record, text, texts } from './arguments.ts';
import { dhcpDeviceId, reservedDhcpPort } from './dhcp-device.ts';
import type { Parts } from './parts.ts';
import { askedNetworks, portView, subnetView } from './views.ts';

/** `q-plugin` 1.10: what DHCP agents ask. */
export function dhcpHandlers({ requests, registry, scheduler, courier }: Parts): Record<string, Handler> {
  const { store } = requests;
  const run = <T>(context: RequestContext, work: (context: Context) => T) => requests.run(callerOf(context), work);

  return {
    get_active_networks_info({ args, context }) {
      const agent = registry.find(dhcpAgent, text(args.host));
      if (agent?.admin_state_up !== true) return [];
      if (registry.isAlive(agent)) courier.answering(agent, () => run(context, () => scheduler.claimNetworks(agent)));
      const networks = store.dhcpBindings
        .by('agent', agent.id)
        .flatMap(({ network_id }) => store.networks.get(network_id) ?? []);
      const all = args.enable_dhcp_filter === false;
      return networks.filter((network) => network.admin_state_up).map((network) => networkInfo(store, network, all));
    },

    get_network_info({ args }) {
      const network = store.networks.get(text(args.network_id));
      return network === undefined ? null : networkInfo(store, network, false);
    },

    create_dhcp_port({ args, context }) {
      const asked = portOf(args.port);
      return portAction(store, asked, () =>
        run(context, (context) =>
          makePort(context, {
            network_id: text(asked.network_id),
            project_id: text(asked.project_id ?? asked.tenant_id ?? ''),
            name: text(asked.name ?? ''),
            admin_state_up: asked.admin_state_up !== false,
            device_id: text(asked.device_id ?? ''),
            device_owner: dhcpOwner,
            host_id: text(args.host),
            ...fixedIpsOf(asked),
            ...(typeof asked.mac_address === 'string' ? { mac_address: asked.mac_address } : {}),
          }),
        ),
      );
    },

    update_dhcp_port({ args, context }) {
      const host = text(args.host);
      const asked = portOf(args.port);
      const port = store.ports.get(text(args.port_id));
      const networkId = text(asked.network_id);
      // Another agent has it.
      const takeable = [reservedDhcpPort, dhcpDeviceId(networkId, host)];
      if (port === undefined || !takeable.includes(port.device_id)) return null;
      const agent = registry.find(dhcpAgent, host);
      if (store.dhcpBindings.get(`${networkId}/${agent?.id}`) === undefined) throw networkNotFound(networkId);
      const patch = {
        host_id: host,
        ...fixedIpsOf(asked),
        ...(asked.device_id === undefined ? {} : { device_id: text(asked.device_id) }),
      };
      return portAction(store, asked, () => run(context, (context) => changePort(context, port, patch)));
    },

    get_dhcp_port({ args }) {
      const id = text(args.port_id);
      const port = store.ports.get(id);
      if (port === undefined) throw new Fault(404, 'PortNotFound', `Port ${id} could not be found.`);
      return portView(port);
    },

    release_dhcp_port({ args, context }) {
      const networkId = text(args.network_id);
      run(context, (context) => {
        for (const port of store.ports.by('device', text(args.device_id)))
          if (port.network_id === networkId) dropPort(context, port);
      });
      return null;
    },

    dhcp_ready_on_ports({ args, context }) {
      run(context, (context) => {
        for (const id of texts(args.port_ids)) {
          const port = store.ports.get(id);
          if (port !== undefined) provisioned(context, port, 'DHCP');
        }
      });
      return null;
    },

    get_networks: ({ args }) => askedNetworks(store, args),
  };
}

/** `all`: with the subnets that want no DHCP. */
function networkInfo(store: Store, network: NetworkRow, all: boolean): Record<string, unknown> {
  const subnets = store.subnets.by('network', network.id).filter((subnet) => all || subnet.enable_dhcp);
  return {
    id: network.id,
    project_id: network.project_id,
    tenant_id: network.project_id,
    admin_state_up: network.admin_state_up,
    // In one order: agents number them by it.
    subnets: subnets.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map((subnet) => subnetView(store, subnet)),
    non_local_subnets: [],
    ports: store.ports.by('network', network.id).map((port) => portView(port)),
    mtu: network.mtu,
  };
}

const portOf = (value: unknown) => record(record(value).port);

function fixedIpsOf(asked: Readonly<Record<string, unknown>>): { readonly fixed_ips?: FixedIpRequest[] } {
  if (!Array.isArray(asked.fixed_ips)) return {};
  return {
    fixed_ips: asked.fixed_ips.map((item: unknown) => {
      const { subnet_id, ip_address } = record(item);
      return {
        ...(subnet_id === undefined ? {} : { subnet_id: text(subnet_id) }),
        ...(ip_address === undefined ? {} : { ip_address: text(ip_address) }),
      };
    }),
  };
}

const gone = ['NetworkNotFound', 'SubnetNotFound', 'InvalidInput'];

/** An agent is behind at times: a port for what is gone is no port, not an error. */
function portAction(store: Store, asked: Readonly<Record<string, unknown>>, act: () => PortRow) {
  try {
    return portView(act());
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const [first] = fixedIpsOf(asked).fixed_ips ?? [];
    const full = error.type === 'IpAddressGenerationFailure' && store.subnets.get(first?.subnet_id ?? '') === undefined;
    if (gone.includes(error.type) || full) return null;
    throw error;
  }
}
