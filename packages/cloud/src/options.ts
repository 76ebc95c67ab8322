import { hostname } from 'node:os';
import { commonDefaults, defaultDescription } from '@astara/config/common-options.ts';
import { configErrors } from '@astara/config/errors.ts';
import { type Config, defineOptions, type OptionSpec } from '@astara/config/option.ts';
import type { AstaraError } from '@astara/model/error.ts';

const name = { text: 'a name of letters, digits, dots, dashes and underscores', test: isName } as const;
const port = { type: 'integer', min: 0, max: 65535 } as const;
const bindHost = {
  type: 'string',
  default: '127.0.0.1',
  accepts: { text: 'a host name or address', test: (value: string) => /^[A-Za-z0-9.:_-]{1,255}$/.test(value) },
} as const satisfies Omit<OptionSpec, 'description'>;

/** What `astara-cloud` reads from the configuration. */
export const cloudSections = [
  defineOptions({
    section: 'DEFAULT',
    description: defaultDescription,
    options: {
      ...commonDefaults,
      host: {
        type: 'string',
        default: hostname,
        defaultText: "the machine's host name",
        accepts: name,
        description: 'Name of this server in its queues and notifications, and of the host that its servers run on.',
      },
      transport_url: {
        type: 'string',
        default: null,
        secret: true,
        accepts: {
          text: 'rabbit://user:password@host:5672/ (several brokers: user:password@host:port, separated by commas)',
          test: (url) => /^(rabbit|kombu|amqps?):\/\/[^\s]+$/.test(url),
        },
        description: 'The message bus for notifications and agents. Unset: there are neither.',
      },
      control_exchange: {
        type: 'string',
        default: 'neutron',
        min: 1,
        max: 127,
        description: 'The exchange of RPC and notifications, as the option of neutron-server.',
      },
    },
  }),
  defineOptions({
    section: 'cloud',
    description: 'The API, and what is behind it.',
    options: {
      bind_host: { ...bindHost, description: 'Address to listen on. Passwords travel unencrypted: keep it local.' },
      bind_port: { ...port, default: 9696, description: 'Port to listen on, for all services; 0: any that is free.' },
      database: {
        type: 'path',
        default: null,
        description: 'SQLite file that keeps the cloud across restarts. Unset: it is forgotten at the end.',
      },
      plane: {
        type: 'string',
        choices: ['simulated', 'devices'],
        default: 'simulated',
        description:
          'Whether ports are wired by bridges of this machine and servers are namespaces in it (devices; needs root), or both are only said to be.',
      },
      internet_addresses: {
        type: 'list',
        default: [],
        accepts: { text: 'addresses with prefix length', test: (value) => /^[0-9a-fA-F.:]+\/\d{1,3}$/.test(value) },
        description:
          'With plane = devices: what answers in the namespace that stands for the internet behind the external networks. Empty: there is none.',
      },
      internet_netns: {
        type: 'string',
        default: 'internet',
        accepts: name,
        description: 'Name of that namespace.',
      },
      metadata_host: { ...bindHost, description: "Address of Nova's metadata service." },
      metadata_port: { ...port, default: 8775, description: "Port of Nova's metadata service." },
      metadata_proxy_shared_secret: {
        type: 'string',
        default: null,
        secret: true,
        description: 'What signs requests for metadata. Unset: there is no metadata service.',
      },
    },
  }),
  defineOptions({
    section: 'identity',
    description: 'Who may use the cloud. More users and projects can be made through the API.',
    options: {
      admin_password: {
        type: 'string',
        required: true,
        secret: true,
        min: 1,
        description: 'Password of admin, who may do everything, in the project admin.',
      },
      service_password: {
        type: 'string',
        default: null,
        secret: true,
        description: 'Password of astara, an administrator in the project service. Unset: there is no such user.',
      },
      tenants: {
        type: 'list',
        default: [],
        accepts: name,
        description: 'Projects, each with a user of the same name who is a member.',
      },
      tenant_password: {
        type: 'string',
        default: null,
        secret: true,
        description: 'Password of these users. Needed when there are any.',
      },
      token_lifetime: {
        type: 'duration',
        default: 86400,
        min: 1,
        max: 31536000,
        description: 'How long a token is valid.',
      },
    },
  }),
] as const;

export type CloudConfig = Config<typeof cloudSections>;

/** What no single option can check. */
export function checkCloud({ identity }: CloudConfig): AstaraError[] {
  if (identity.tenants.length === 0 || identity.tenant_password !== null) return [];
  const params = {
    section: 'identity',
    name: 'tenant_password',
    because: ', and [identity] tenants needs it',
    accepted: 'the password of these users',
    file: 'the configuration file',
  };
  return [configErrors.make('CONFIG_MISSING', params)];
}

function isName(value: string): boolean {
  return /^[A-Za-z0-9._-]{1,64}$/.test(value);
}
