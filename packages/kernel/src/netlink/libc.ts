/**
 * The few functions of glibc and libnftables that we call, through koffi. This is the only file that knows koffi.
 *
 * `…Async` runs on one of libuv's threads: for calls that can wait for the kernel (RTNL, RCU), so that the main thread
 * does not. Such a thread is always in the namespace that the process started in, so only calls whose namespace is
 * decided by a descriptor may go there.
 */
import type { KoffiFunc } from 'koffi';
import { kernelErrors } from '../errors.ts';

type Koffi = typeof import('koffi');

/** What a system call returned, and errno when that was -1. */
export interface Answer {
  readonly result: number;
  readonly errno: number;
}

export interface Libc {
  errno(): number;
  setns(fd: number, kind: number): number;
  unshare(flags: number): number;
  mount(source: string | null, target: string, type: string | null, flags: number, data: null): number;
  umount2(target: string, flags: number): number;
  flock(fd: number, operation: number): number;
  socket(domain: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, name: number, value: Buffer, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: Buffer, length: Buffer): number;
  bind(fd: number, address: Buffer, length: number): number;
  listen(fd: number, backlog: number): number;
  connect(fd: number, address: Buffer, length: number): number;
  close(fd: number): number;
  memfd(name: string, flags: number): number;
  nameToIndex(ifname: string): number;
  send(fd: number, data: Buffer, length: number, flags: number): number;
  sendto(fd: number, data: Buffer, length: number, flags: number, address: Buffer, addressLength: number): number;
  recv(fd: number, data: Buffer, length: number, flags: number): number;
  sendAsync(fd: number, data: Buffer): Promise<Answer>;
  /** For sockets whose close waits for an RCU grace period (AF_PACKET): one at a time, so that others do not wait too. */
  closeAsync(fd: number): Promise<Answer>;
}

/** An `nft_ctx *`. */
export type NftPointer = bigint;

export interface Libnftables {
  create(flags: number): NftPointer | null;
  free(context: NftPointer): void;
  /** For one that has run a transaction: closing its socket waits for the kernel. */
  freeAsync(context: NftPointer): Promise<void>;
  bufferOutput(context: NftPointer): number;
  bufferError(context: NftPointer): number;
  setOutputFlags(context: NftPointer, flags: number): void;
  output(context: NftPointer): string;
  error(context: NftPointer): string;
  /** `path` ends with a NUL byte. */
  runFileAsync(context: NftPointer, path: Buffer): Promise<number>;
}

/** libnftables keeps whole messages (64 KiB) on its stack; koffi gives a thread 128 KiB unless told. Pages not used are not allocated. */
const ASYNC_STACK = 4 << 20;

/** At most this many calls (and one close) wait on libuv's, usually four, threads: files and DNS need some too. */
const THREADS = 2;

export async function loadLibraries(): Promise<{ libc: Libc; nftables: Libnftables }> {
  const koffi = await importKoffi();
  if (koffi.config().async_stack_size !== ASYNC_STACK) koffi.config({ async_stack_size: ASYNC_STACK });
  return { libc: loadLibc(koffi), nftables: loadLibnftables(koffi) };
}

async function importKoffi(): Promise<Koffi> {
  try {
    return (await import('koffi')).default as unknown as Koffi;
  } catch (cause) {
    throw kernelErrors.make(
      'KERNEL_LIBRARY_MISSING',
      { library: 'koffi', detail: String(cause), install: 'npm install koffi' },
      { cause },
    );
  }
}

function load(koffi: Koffi, file: string, debianPackage: string) {
  try {
    return koffi.load(file);
  } catch (cause) {
    throw kernelErrors.make(
      'KERNEL_LIBRARY_MISSING',
      { library: file, detail: String(cause), install: `apt-get install ${debianPackage}` },
      { cause },
    );
  }
}

/** Lets at most `free` calls onto libuv's threads at once. */
function gate(free: number) {
  const waiting: (() => void)[] = [];
  return <T>(start: (done: (error: unknown, value: T) => void) => void): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const run = () =>
        start((error, value) => {
          if (error === null || error === undefined) resolve(value);
          else reject(error);
          const next = waiting.shift();
          if (next === undefined) free++;
          else next();
        });
      if (free > 0) {
        free--;
        run();
      } else waiting.push(run);
    });
}

const onThread = gate(THREADS);
const onClosingThread = gate(1);

function loadLibc(koffi: Koffi): Libc {
  const lib = load(koffi, 'libc.so.6', 'libc6');
  const send = lib.func('int64 send(int, const void *, size_t, int)') as KoffiFunc<Libc['send']>;
  const close = lib.func('int close(int)') as KoffiFunc<Libc['close']>;
  const answer = (done: (error: unknown, value: Answer) => void) => (error: unknown, result: number) =>
    done(error, { result, errno: result < 0 ? koffi.errno() : 0 });
  return {
    errno: () => koffi.errno(),
    setns: lib.func('int setns(int, int)'),
    unshare: lib.func('int unshare(int)'),
    mount: lib.func('int mount(const char *, const char *, const char *, unsigned long, const void *)'),
    umount2: lib.func('int umount2(const char *, int)'),
    flock: lib.func('int flock(int, int)'),
    socket: lib.func('int socket(int, int, int)'),
    setsockopt: lib.func('int setsockopt(int, int, int, const void *, uint32_t)'),
    getsockopt: lib.func('int getsockopt(int, int, int, void *, void *)'),
    bind: lib.func('int bind(int, const void *, uint32_t)'),
    listen: lib.func('int listen(int, int)'),
    connect: lib.func('int connect(int, const void *, uint32_t)'),
    close,
    memfd: lib.func('int memfd_create(const char *, unsigned int)'),
    nameToIndex: lib.func('unsigned int if_nametoindex(const char *)'),
    send,
    sendto: lib.func('int64 sendto(int, const void *, size_t, int, const void *, uint32_t)'),
    recv: lib.func('int64 recv(int, void *, size_t, int)'),
    sendAsync: (fd, data) => onThread<Answer>((done) => send.async(fd, data, data.length, 0, answer(done))),
    closeAsync: (fd) => onClosingThread<Answer>((done) => close.async(fd, answer(done))),
  };
}

function loadLibnftables(koffi: Koffi): Libnftables {
  const lib = load(koffi, 'libnftables.so.1', 'libnftables1');
  const run = lib.func('int nft_run_cmd_from_filename(void *, const void *)') as KoffiFunc<
    (context: NftPointer, path: Buffer) => number
  >;
  const free = lib.func('void nft_ctx_free(void *)') as KoffiFunc<(context: NftPointer) => void>;
  return {
    create: lib.func('void *nft_ctx_new(uint32_t)'),
    free,
    freeAsync: (context) => onThread<void>((done) => free.async(context, done)),
    bufferOutput: lib.func('int nft_ctx_buffer_output(void *)'),
    bufferError: lib.func('int nft_ctx_buffer_error(void *)'),
    setOutputFlags: lib.func('void nft_ctx_output_set_flags(void *, unsigned int)'),
    output: lib.func('const char *nft_ctx_get_output_buffer(void *)'),
    error: lib.func('const char *nft_ctx_get_error_buffer(void *)'),
    runFileAsync: (context, path) => onThread<number>((done) => run.async(context, path, done)),
  };
}
