import { constants } from 'node:os';
import { AstaraError, defineErrors, type ErrorSpec } from '@astara/model/error.ts';

/** Errors of the kernel room. `{operation}` and `{object}` say what was asked, `{errno}` is the kernel's own name for the refusal. */
const specs = {
  KERNEL_EXISTS: {
    message: '{operation} {object}: it is there already ({errno}{detail})',
    remedy:
      'Nothing to do: the state is read again and the difference applied. If it repeats, something else makes the same object.',
    retry: 'retry',
    radius: 'appliance',
    status: 409,
  },
  KERNEL_ABSENT: {
    message: '{operation} {object}: it is not there ({errno}{detail})',
    remedy:
      'Nothing to do: the state is read again and the difference applied. If it repeats, something else removes the object.',
    retry: 'retry',
    radius: 'appliance',
    status: 404,
  },
  KERNEL_BUSY: {
    message: '{operation} {object}: the kernel was busy or out of memory ({errno}{detail})',
    remedy: 'Nothing to do if it goes away. If it stays, look at free memory, at open files (ulimit -n) and at dmesg.',
    retry: 'retry',
    radius: 'appliance',
    status: 503,
  },
  KERNEL_REFUSED: {
    message: '{operation} {object}: the kernel refused ({errno}{detail})',
    remedy:
      'The request does not fit the state of the namespace, e.g. a next hop that no address reaches. Compare it with `ip netns exec`.',
    retry: 'retry',
    radius: 'appliance',
    status: 422,
  },
  KERNEL_NOT_PERMITTED: {
    message: '{operation} {object}: not permitted ({errno}{detail})',
    remedy:
      'The program needs CAP_NET_ADMIN, CAP_SYS_ADMIN and CAP_NET_RAW: run it as root, or give its systemd unit AmbientCapabilities= with these three.',
    retry: 'operator',
    radius: 'provider',
    status: 500,
  },
  KERNEL_NFT: {
    message: '{operation} {object}: nothing was applied: {detail}',
    remedy: 'The script does not fit the rule set in the kernel. Compare it with `nft list ruleset` in the namespace.',
    retry: 'retry',
    radius: 'appliance',
    status: 422,
  },
  KERNEL_BAD_INPUT: {
    message: '{operation} {object}: {detail}',
    remedy:
      'A name or an address that the kernel could never take was passed on: this is a mistake in Astara, please report it.',
    retry: 'terminal',
    radius: 'appliance',
    status: 400,
  },
  KERNEL_CLOSED: {
    message: '{operation} {object}: the handle is closed',
    remedy: 'A handle was used after it was closed: this is a mistake in Astara, please report it.',
    retry: 'terminal',
    radius: 'appliance',
  },
  KERNEL_UNSUPPORTED: {
    message: '{operation} {object}: cannot be done with the programs of iproute2',
    remedy:
      'Install koffi (an optional npm dependency of Astara) and libnftables1, and leave the kernel backend on `auto` or `netlink`.',
    retry: 'operator',
    radius: 'provider',
    status: 501,
  },
  KERNEL_PROGRAM_MISSING: {
    message: 'the program `{program}` is not installed',
    remedy: 'Install it: apt-get install {package}',
    retry: 'operator',
    radius: 'provider',
  },
  KERNEL_LIBRARY_MISSING: {
    message: 'the library {library} cannot be loaded: {detail}',
    remedy: 'Install it ({install}), or set the kernel backend to `iproute2`.',
    retry: 'operator',
    radius: 'provider',
  },
} as const satisfies Record<string, ErrorSpec>;

export type KernelErrorCode = keyof typeof specs;

export const kernelErrors = defineErrors<KernelErrorCode>(specs);

/** What was asked of the kernel, as the errors name it. */
export interface Asked {
  /** e.g. `address-add` */
  readonly operation: string;
  /** e.g. `192.0.2.1/32 on qg-1 in astara-…` */
  readonly object: string;
}

export class KernelError extends AstaraError {
  readonly operation: string;
  readonly object: string;
  /** `EEXIST`, `ENODEV`…; empty when the kernel was not asked. */
  readonly errno: string;

  constructor(code: KernelErrorCode, asked: Asked, errno: string, detail: string, cause?: unknown) {
    super(code, specs[code], { ...asked, errno, detail }, cause === undefined ? {} : { cause });
    this.operation = asked.operation;
    this.object = asked.object;
    this.errno = errno;
  }
}

const codes: Readonly<Record<string, KernelErrorCode>> = {
  EEXIST: 'KERNEL_EXISTS',
  ENODEV: 'KERNEL_ABSENT',
  ENOENT: 'KERNEL_ABSENT',
  ESRCH: 'KERNEL_ABSENT',
  ENXIO: 'KERNEL_ABSENT',
  EADDRNOTAVAIL: 'KERNEL_ABSENT',
  EBUSY: 'KERNEL_BUSY',
  EAGAIN: 'KERNEL_BUSY',
  EINTR: 'KERNEL_BUSY',
  ENOBUFS: 'KERNEL_BUSY',
  ENOMEM: 'KERNEL_BUSY',
  EMFILE: 'KERNEL_BUSY',
  ENFILE: 'KERNEL_BUSY',
  EPERM: 'KERNEL_NOT_PERMITTED',
  EACCES: 'KERNEL_NOT_PERMITTED',
};

/** The error for an errno by name; `detail` is what the kernel said besides. */
export function refused(asked: Asked, errno: string, detail = '', cause?: unknown): KernelError {
  return new KernelError(codes[errno] ?? 'KERNEL_REFUSED', asked, errno, detail === '' ? '' : `: ${detail}`, cause);
}

export function badInput(asked: Asked, detail: string): KernelError {
  return new KernelError('KERNEL_BAD_INPUT', asked, '', detail);
}

export function closed(asked: Asked): KernelError {
  return new KernelError('KERNEL_CLOSED', asked, '', '');
}

/** An error of node:fs as ours. */
export function fromSystem(asked: Asked, cause: unknown): KernelError {
  const errno = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'EIO';
  return refused(asked, errno, '', cause);
}

const names = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));
names.set(constants.errno.EAGAIN, 'EAGAIN');
names.set(constants.errno.EOPNOTSUPP, 'EOPNOTSUPP');

/** 17 → `EEXIST` */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `E${errno}`;
}

/** glibc's words for the errnos that `ip`, `nft` and libnftables print without their names. */
const words: readonly (readonly [string, string])[] = [
  ['Operation not permitted', 'EPERM'],
  ['Permission denied', 'EACCES'],
  ['File exists', 'EEXIST'],
  ['No such file or directory', 'ENOENT'],
  ['Directory nonexistent', 'ENOENT'],
  ['No such process', 'ESRCH'],
  ['No such device', 'ENODEV'],
  ['Cannot find device', 'ENODEV'],
  ['Cannot assign requested address', 'EADDRNOTAVAIL'],
  ['ddress not found', 'EADDRNOTAVAIL'],
  ['Device or resource busy', 'EBUSY'],
  ['Resource busy', 'EBUSY'],
  ['Interrupted system call', 'EINTR'],
  ['No buffer space available', 'ENOBUFS'],
  ['Cannot allocate memory', 'ENOMEM'],
  ['Network is unreachable', 'ENETUNREACH'],
  ['Nexthop has invalid gateway', 'ENETUNREACH'],
  ['Network is down', 'ENETDOWN'],
  ['Device for nexthop is not up', 'ENETDOWN'],
  ['No route to host', 'EHOSTUNREACH'],
  ['Invalid argument', 'EINVAL'],
  ['IPv6 is disabled on this device', 'ENXIO'],
  ['Operation not supported', 'EOPNOTSUPP'],
];

/** The errno in a program's words, or `otherwise` when they hold none that we know. */
export function errnoInText(text: string, otherwise = 'EIO'): string {
  return words.find(([phrase]) => text.includes(phrase))?.[1] ?? otherwise;
}
