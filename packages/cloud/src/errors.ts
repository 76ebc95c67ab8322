import { defineErrors } from '@astara/model/error.ts';

/** Errors of the cloud itself. What its API answers is a Fault (`api/fault.ts`), worded as OpenStack words it. */
export const cloudErrors = defineErrors({
  CLOUD_FILE: {
    message: 'the file {file} cannot be used: {reason}',
    remedy: 'If another cloud has it (database is locked), end that one, or give this one a file of its own.',
    retry: 'operator',
    radius: 'cluster',
  },
  CLOUD_IP: {
    message: '{command}: {reason}',
    remedy:
      'Nothing to do if it goes away: the devices are compared again twice a second. If it stays, try the command.',
    retry: 'retry',
    radius: 'provider',
  },
  CLOUD_NOT_OURS: {
    message: 'the namespace {netns} exists, and this cloud did not make it',
    remedy: 'Delete it (ip netns delete {netns}), or give the cloud another name for it.',
    retry: 'operator',
    radius: 'provider',
  },
  CLOUD_LISTEN: {
    message: '{what} cannot listen on {host}:{port}: {reason}',
    remedy:
      'If another cloud has the address (EADDRINUSE), end that one, or give this one another: [cloud] bind_port, metadata_port.',
    retry: 'operator',
    radius: 'cluster',
  },
  CLOUD_NO_MACHINE: {
    message: 'server {id} has no machine to run a program in: {reason}',
    remedy: 'Start the server, or run the cloud as root and without simulation.',
    retry: 'operator',
    radius: 'instance',
  },
  CLOUD_BUSYBOX: {
    message: 'machines need busybox with {applets}: {reason}',
    remedy: 'Install it: apt-get install busybox (or busybox-static). Or run the cloud with simulated machines.',
    retry: 'operator',
    radius: 'provider',
  },
});

/** Says which address it was that could not be had. */
export function cannotListen(what: string, host: string, port: number): (error: unknown) => never {
  return (error) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw cloudErrors.make('CLOUD_LISTEN', { what, host, port, reason }, { cause: error });
  };
}
