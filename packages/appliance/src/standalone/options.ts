import { isIP } from 'node:net';
import { commonDefaults, defaultDescription } from '@astara/config/common-options.ts';
import { type Config, defineOptions } from '@astara/config/option.ts';
import type { AstaraError } from '@astara/model/error.ts';
import { errors } from '../errors.ts';

const { debug, log_level } = commonDefaults;

/** What `astara-appliance` reads from the configuration. */
export const machineSections = [
  defineOptions({ section: 'DEFAULT', description: defaultDescription, options: { debug, log_level } }),
  defineOptions({
    section: 'appliance',
    description: 'The appliance that has a machine of its own.',
    options: {
      listen: {
        type: 'string',
        default: '127.0.0.1',
        accepts: { text: 'an IP address, or none', test: (value) => value === 'none' || isIP(value) !== 0 },
        description:
          'Address on which the API is served: by plain HTTP on a loopback address, by mutual TLS on any other (::, all of them). The firewall lets only networks of type management through to it. none: the socket alone.',
      },
      port: { type: 'integer', min: 1, max: 65_535, default: 5000, description: 'TCP port of the API.' },
      socket: {
        type: 'path',
        default: '$run_dir/api.sock',
        max: 107,
        description: 'Unix socket on which the API is served as well, for root alone.',
      },
      tls_certificate: {
        type: 'path',
        default: null,
        description:
          'The certificate that clients are shown, PEM, with those between it and its CA. Read again on SIGHUP.',
      },
      tls_key: { type: 'path', default: null, description: 'Its private key, PEM. Read again on SIGHUP.' },
      tls_client_ca: {
        type: 'path',
        default: null,
        description:
          'Whoever shows a certificate of these authorities (PEM) may do everything; nobody else is answered. Read again on SIGHUP.',
      },
      run_dir: {
        type: 'path',
        default: '/run/astara-appliance',
        max: 60,
        description: 'Files of the daemons, their sockets and logs. It must not outlive a reboot.',
      },
      state_dir: {
        type: 'path',
        default: '/var/lib/astara-appliance',
        description: 'The configuration in force and those before it; for root alone. It must outlive a reboot.',
      },
      first_config: {
        type: 'path',
        default: null,
        description:
          'A configuration (JSON, as for PUT /v2/config) that is put in force at the start when none is, such as one with the management network. Until there is one nothing is let in but loopback.',
      },
      kernel: {
        type: 'string',
        choices: ['auto', 'netlink', 'iproute2'],
        default: 'auto',
        description:
          'How to speak to the kernel: by netlink and libnftables, or by the programs of iproute2 and nftables. auto takes netlink where it can be had.',
      },
    },
  }),
] as const;

export type MachineConfig = Config<typeof machineSections>;
export type MachineOptions = MachineConfig['appliance'];

/** Plain HTTP is for those who are on the machine already. */
export function usesTls({ listen }: Pick<MachineOptions, 'listen'>): boolean {
  const loopback = listen === '::1' || (isIP(listen) === 4 && listen.startsWith('127.'));
  return listen !== 'none' && !loopback;
}

/** What no single option can check. */
export function checkMachine({ appliance }: MachineConfig): AstaraError[] {
  if (!usesTls(appliance)) return [];
  return (['tls_certificate', 'tls_key', 'tls_client_ca'] as const)
    .filter((option) => appliance[option] === null)
    .map((option) => errors.make('MACHINE_TLS_REQUIRED', { address: appliance.listen, option }));
}
