import { defineErrors } from '@astara/model/error.ts';

/** Errors of the cloud itself. What its API answers is a Fault (`api/fault.ts`), worded as OpenStack words it. */
export const cloudErrors = defineErrors({
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
});
