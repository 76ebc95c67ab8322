import { hostname } from 'node:os';
import type { Foreign } from '@astara/config/assignments.ts';
import { agentDescription, agentSocket, commonDefaults, defaultDescription } from '@astara/config/common-options.ts';
import { configErrors } from '@astara/config/errors.ts';
import { type Config, defineOptions } from '@astara/config/option.ts';
import type { AstaraError } from '@astara/model/error.ts';
import { ipVersion } from '@astara/model/ip.ts';
import { rabbitSection } from './options-rabbit.ts';

const port = { type: 'integer', min: 1, max: 65535 } as const;
const hostName = {
  text: 'a host name or an IP address',
  test: (text: string) => /^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/.test(text) || ipVersion(text) !== undefined,
};
const httpUrl = { text: 'a URL that begins with http:// or https://', test: isHttpUrl };

/** The most that `[queue] workers` may be. */
export const MAX_WORKERS = 256;

/** What `astara-orchestrator` reads from the configuration. */
export const orchestratorSections = [
  defineOptions({
    section: 'DEFAULT',
    description: defaultDescription,
    options: {
      host: {
        type: 'string',
        default: hostname,
        defaultText: "the machine's host name",
        accepts: {
          text: 'a name of letters, digits, dots, dashes and underscores',
          test: (name) => /^[A-Za-z0-9._-]{1,255}$/.test(name),
        },
        description:
          'Name of this network node in Neutron: that of its L3 and DHCP agents. It must be the `host` of the L2 agent on this machine.',
      },
      transport_url: {
        type: 'string',
        required: true,
        secret: true,
        accepts: {
          text: 'rabbit://user:password@host:5672/ (several brokers: user:password@host:port, separated by commas)',
          test: (url) => /^(rabbit|kombu|amqps?):\/\/[^\s]+$/.test(url),
        },
        description: "The message bus: the value of neutron-server's transport_url.",
      },
      control_exchange: {
        type: 'string',
        default: 'neutron',
        min: 1,
        max: 127,
        description: "The exchange of neutron-server's RPC and notifications: its control_exchange.",
      },
      rpc_response_timeout: {
        type: 'duration',
        default: 60,
        min: 1,
        max: 3600,
        description: "How long an answer of neutron-server's is awaited.",
      },
      ...commonDefaults,
    },
  }),
  rabbitSection,
  defineOptions({
    section: 'oslo_messaging_notifications',
    description: "Neutron's notifications; the names are oslo.messaging's.",
    options: {
      topics: {
        type: 'list',
        default: ['notifications'],
        accepts: { text: 'topic names', test: (topic) => /^[A-Za-z0-9._-]{1,200}$/.test(topic) },
        description:
          "Topics that neutron-server publishes to: its own [oslo_messaging_notifications] topics. Astara listens to each one's `info` on a queue of its own.",
      },
    },
    ignored: ['driver', 'transport_url', 'retry'],
  }),
  defineOptions({
    section: 'notifications',
    description: 'Listening to notifications, which makes changes take effect sooner. Everything works without them.',
    options: {
      enabled: {
        type: 'boolean',
        default: true,
        description:
          'Listen. neutron-server must have [oslo_messaging_notifications] driver = messagingv2 to send any.',
      },
    },
  }),
  defineOptions({
    section: 'keystone',
    description:
      'Who we are to OpenStack: a cloud of clouds.yaml, or auth_url with a user or an application credential. With neither set, the OS_* variables of the environment are used.',
    options: {
      cloud: {
        type: 'string',
        default: null,
        description:
          'Name of a cloud in clouds.yaml, looked for in the working directory, ~/.config/openstack and /etc/openstack.',
      },
      auth_url: { type: 'string', default: null, accepts: httpUrl, description: 'Where Keystone is.' },
      username: { type: 'string', default: null, description: 'User; it needs the admin role in its project.' },
      password: { type: 'string', default: null, secret: true, description: 'Password of the user.' },
      project_name: { type: 'string', default: null, description: 'Project to work in.' },
      user_domain_name: { type: 'string', default: 'Default', min: 1, description: 'Domain of the user.' },
      project_domain_name: { type: 'string', default: 'Default', min: 1, description: 'Domain of the project.' },
      application_credential_id: {
        type: 'string',
        default: null,
        description: 'Application credential to use in place of a user and a project.',
      },
      application_credential_secret: {
        type: 'string',
        default: null,
        secret: true,
        description: 'Secret of the application credential.',
      },
      region_name: {
        type: 'string',
        default: null,
        description: 'Region whose endpoints are used. Needed when the catalog has several.',
      },
      interface: {
        type: 'string',
        choices: ['internal', 'public', 'admin'],
        default: null,
        defaultText: '`internal`; with a cloud of clouds.yaml, what that says, or `public`',
        description: 'Which endpoints of the catalog are used.',
      },
      network_endpoint_override: {
        type: 'string',
        default: null,
        accepts: httpUrl,
        description: "URL of Neutron, in place of the catalog's.",
      },
      cafile: {
        type: 'path',
        default: null,
        description: "File of the authorities that sign OpenStack's certificates, PEM.",
      },
      insecure: {
        type: 'boolean',
        default: false,
        description: 'Do not check certificates. Whoever is between us and Keystone can then read the password.',
      },
    },
  }),
  defineOptions({ section: 'agent', description: agentDescription, options: { socket: agentSocket } }),
  defineOptions({
    section: 'api',
    description: 'The HTTP API for operators, with /metrics and /healthcheck.',
    options: {
      bind_host: { type: 'string', default: '127.0.0.1', accepts: hostName, description: 'Address to listen on.' },
      bind_port: { ...port, default: 44250, description: 'Port to listen on.' },
    },
  }),
  defineOptions({
    section: 'l3',
    description: 'Being the L3 agent of this host.',
    options: {
      enabled: { type: 'boolean', default: true, description: 'Serve routers.' },
      interface_driver: {
        type: 'string',
        choices: ['linuxbridge', 'openvswitch'],
        default: 'linuxbridge',
        description:
          'The L2 agent of this host, which wires the interfaces of the instances; also those that [dhcp] makes.',
      },
      report_interval: {
        type: 'duration',
        default: 30,
        min: 1,
        max: 3600,
        mutable: true,
        description:
          "How often the agents report to Neutron. Less than half of neutron-server's agent_down_time, or they seem dead.",
      },
      availability_zone: {
        type: 'string',
        default: 'nova',
        min: 1,
        max: 255,
        description: 'Availability zone of the agents.',
      },
      resync_interval: {
        type: 'duration',
        default: 300,
        min: 5,
        max: 86_400,
        mutable: true,
        description: 'How often everything is compared with Neutron, in case a message was lost.',
      },
      sync_page_size: {
        type: 'integer',
        default: 256,
        min: 32,
        max: 4096,
        unit: 'routers',
        description:
          'Most routers asked for in one sync_routers. It shrinks by itself, not below 32, while Neutron is slow.',
      },
    },
  }),
  defineOptions({
    section: 'dhcp',
    description: 'Being the DHCP agent of this host.',
    options: {
      enabled: { type: 'boolean', default: true, description: 'Serve DHCP and DNS.' },
      mode: {
        type: 'string',
        choices: ['router', 'port'],
        default: 'router',
        description:
          "router: where a router of this host serves a network, its instance answers on the router's own address, and no DHCP port is made. port: Neutron's usual way, a DHCP port and an instance for each network.",
      },
      lease_duration: {
        type: 'integer',
        default: 86_400,
        min: 120,
        max: 4_294_967_295,
        unit: 'seconds',
        description: 'How long a lease is valid.',
      },
      dnsmasq_dns_servers: {
        type: 'list',
        default: [],
        accepts: { text: 'IP addresses', test: (text) => ipVersion(text) !== undefined },
        description:
          "Where queries for other names than the networks' own are sent. Empty: to the resolvers of the host.",
      },
      domain: {
        type: 'string',
        default: 'openstacklocal',
        accepts: {
          text: 'a DNS domain',
          test: (name) => name.length <= 253 && /^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?)+$/.test(name),
        },
        description: 'DNS domain of the ports of networks that have none of their own.',
      },
    },
  }),
  defineOptions({
    section: 'metadata',
    description: 'Metadata for virtual machines: 169.254.169.254 through the appliance to Nova.',
    options: {
      enabled: { type: 'boolean', default: true, description: 'Answer metadata requests.' },
      socket: {
        type: 'path',
        default: '$run_dir/metadata.sock',
        max: 107,
        description: 'Unix socket on which the orchestrator takes the requests that the agent passes on.',
      },
      nova_metadata_host: {
        type: 'string',
        default: '127.0.0.1',
        accepts: hostName,
        description: "Where Nova's metadata service is.",
      },
      nova_metadata_port: { ...port, default: 8775, description: "Port of Nova's metadata service." },
      nova_metadata_protocol: {
        type: 'string',
        choices: ['http', 'https'],
        default: 'http',
        description: "Protocol of Nova's metadata service.",
      },
      metadata_proxy_shared_secret: {
        type: 'string',
        default: '',
        secret: true,
        description: "Signs the requests: the value of Nova's [neutron] metadata_proxy_shared_secret.",
      },
    },
  }),
  defineOptions({
    section: 'queue',
    description: 'The work on instances.',
    options: {
      workers: {
        type: 'integer',
        default: 8,
        min: 1,
        max: MAX_WORKERS,
        unit: 'resources',
        mutable: true,
        description: 'How many resources are worked on at the same time.',
      },
      backoff_base: {
        type: 'duration',
        default: 0.1,
        min: 0.01,
        max: 60,
        mutable: true,
        description: 'Pause after the first failure of a resource; it doubles with each further one, with jitter.',
      },
      backoff_max: {
        type: 'duration',
        default: 10,
        min: 1,
        max: 3600,
        mutable: true,
        description: 'The longest such pause.',
      },
    },
  }),
  defineOptions({
    section: 'health',
    description: 'Watching the instances.',
    options: {
      interval: {
        type: 'duration',
        default: 3,
        min: 0.5,
        max: 3600,
        mutable: true,
        description: 'How often the instances are looked at; one that died is made again after this long at the most.',
      },
    },
  }),
] as const;

export type OrchestratorConfig = Config<typeof orchestratorSections>;

/** What only the agent reads in the file that both share. A test holds this equal to its declarations. */
export const foreignToOrchestrator: Foreign = { agent: ['socket_group', 'kernel', 'ovs_bridge', 'ovs_db'] };

/** Combinations that cannot work. */
export function checkOrchestrator(config: OrchestratorConfig): AstaraError[] {
  const { keystone, queue } = config;
  const problems: AstaraError[] = [];
  const missing = (name: string, because: string, accepted: string) => {
    const params = { section: 'keystone', name, because, accepted, file: 'the configuration file' };
    problems.push(configErrors.make('CONFIG_MISSING', params));
  };
  const hasCredential = keystone.application_credential_id !== null;
  if (keystone.cloud !== null && keystone.auth_url !== null) {
    const params = { section: 'keystone', name: 'cloud', other: '[keystone] auth_url' };
    problems.push(configErrors.make('CONFIG_CONFLICT', params));
  } else if (keystone.auth_url !== null && !hasCredential) {
    const because = ', and [keystone] auth_url needs it';
    if (keystone.username === null) missing('username', because, 'the name of a user');
    if (keystone.password === null) missing('password', because, "the user's password");
    if (keystone.project_name === null) missing('project_name', because, 'the name of a project');
  } else if (keystone.cloud === null && keystone.auth_url === null) {
    const set = (['username', 'password', 'project_name', 'application_credential_id'] as const).find(
      (name) => keystone[name] !== null,
    );
    if (set !== undefined) missing('auth_url', `, and [keystone] ${set} needs it`, httpUrl.text);
  }
  if (hasCredential && keystone.application_credential_secret === null) {
    missing('application_credential_secret', ', and application_credential_id needs it', 'its secret');
  }
  if (queue.backoff_base > queue.backoff_max) {
    const problem = 'is more than [queue] backoff_max';
    const params = {
      place: 'configuration',
      section: 'queue',
      name: 'backoff_base',
      problem,
      accepted: 'less than that',
    };
    problems.push(configErrors.make('CONFIG_VALUE', params));
  }
  return problems;
}

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}
