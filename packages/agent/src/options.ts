import type { Foreign } from '@astara/config/assignments.ts';
import { agentDescription, agentSocket, commonDefaults, defaultDescription } from '@astara/config/common-options.ts';
import { type Config, defineOptions } from '@astara/config/option.ts';

/** What `astara-agent` reads from the configuration. */
export const agentSections = [
  defineOptions({ section: 'DEFAULT', description: defaultDescription, options: commonDefaults }),
  defineOptions({
    section: 'agent',
    description: agentDescription,
    options: {
      socket: agentSocket,
      socket_group: {
        type: 'string',
        default: null,
        accepts: { text: 'the name of a group', test: (name) => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$/.test(name) },
        description:
          'Group whose members may connect to the sockets of the agent and of the instances, besides root; the orchestrator must be in it when it does not run as root.',
      },
      kernel: {
        type: 'string',
        choices: ['auto', 'netlink', 'iproute2'],
        default: 'auto',
        description:
          'How to speak to the kernel: by netlink and libnftables, or by the programs of iproute2 and nftables. auto takes netlink where it can be had.',
      },
      ovs_bridge: {
        type: 'string',
        default: 'br-int',
        accepts: { text: 'the name of a bridge', test: (name) => /^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/.test(name) },
        description:
          'Integration bridge of Open vSwitch, for ports that its L2 agent or OVN wires. Unused with the Linux bridge agent.',
      },
      ovs_db: {
        type: 'string',
        default: 'unix:/run/openvswitch/db.sock',
        description: 'Where ovs-vsctl finds the database of Open vSwitch.',
      },
    },
  }),
] as const;

export type AgentConfig = Config<typeof agentSections>;

/** What only the orchestrator reads in the file that both share. A test holds this equal to its declarations. */
export const foreignToAgent: Foreign = {
  DEFAULT: ['host', 'transport_url', 'control_exchange', 'rpc_response_timeout'],
  oslo_messaging_rabbit: '*',
  oslo_messaging_notifications: '*',
  notifications: '*',
  keystone: '*',
  api: '*',
  l3: '*',
  dhcp: '*',
  metadata: '*',
  queue: '*',
  health: '*',
};
