/**
 * libnftables. A context opens its netlink socket when it is made, which stays in the namespace where that happens; the
 * work is done on another thread, as removing chains waits for RCU.
 *
 * A context costs 40 µs to make and 125 KiB to keep (more after a listing), so each call has its own.
 *
 * The library keeps some state per process (a list of interface names, for `iif`), so one call runs at a time. That list
 * is read on the other thread, in our own namespace: scripts must say `iifname` and `oifname`, never `iif` or `oif`.
 */
import { closeSync, writeFileSync } from 'node:fs';
import type { NftJson } from '../contract.ts';
import { type Asked, errnoInText, errnoName, refused } from '../errors.ts';
import { nftFailure, parseNftJson } from '../nft-text.ts';
import { Serial } from '../serial.ts';
import type { Libc, Libnftables, NftPointer } from './libc.ts';
import type { LowDescriptors } from './low-descriptors.ts';
import type { Synchronous } from './namespace.ts';
import { isNetfilterSocket } from './sockets.ts';

const NFT_CTX_OUTPUT_JSON = 1 << 4;
const MFD_CLOEXEC = 1;
const EINTR_TRIES = 10;
const CREATE_TRIES = 10;

const library = new Serial();

export interface NftParts {
  readonly libc: Libc;
  readonly nftables: Libnftables;
  readonly lowDescriptors: LowDescriptors;
}

/** Runs synchronous work inside the namespace. */
export type Enter = <T>(work: () => Synchronous<T>) => Synchronous<T>;

/** One transaction. */
export function runNft(parts: NftParts, enter: Enter, script: string, asked: Asked): Promise<void> {
  return execute(parts, enter, 0, script, asked, (_output, error) => {
    if (error !== undefined) throw nftFailure(asked, error);
  });
}

/** `list <what>`; undefined when it does not exist. */
export function listNft(parts: NftParts, enter: Enter, what: string, asked: Asked): Promise<NftJson | undefined> {
  return execute(parts, enter, NFT_CTX_OUTPUT_JSON, `list ${what}\n`, asked, (output, error) => {
    if (error === undefined) return parseNftJson(output(), asked);
    if (errnoInText(error) === 'ENOENT') return undefined;
    throw nftFailure(asked, error);
  });
}

/** Runs `work` when the calls made before have ended. */
export function afterNft(work: () => void): void {
  void library.run(async () => work());
}

/**
 * Runs the script and has `judge` say what came of it, from what was printed and what went wrong. The answer does not wait for the
 * context to be freed: with its socket the kernel waits for what the transaction deleted, some RCU grace periods long.
 */
function execute<T>(
  parts: NftParts,
  enter: Enter,
  flags: number,
  script: string,
  asked: Asked,
  judge: (output: () => string, error: string | undefined) => T,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const { libc, nftables, lowDescriptors } = parts;
  void library.run(async () => {
    let file: number | undefined;
    let context: NftPointer | undefined;
    try {
      // From a file, because for a buffer the library's errors show the wrong line.
      file = libc.memfd('nft', MFD_CLOEXEC);
      if (file < 0) throw refused(asked, errnoName(libc.errno()));
      writeFileSync(file, script);
      context = enter<NftPointer>(() => createContext(parts, asked));
      nftables.setOutputFlags(context, flags);
      const error = await attempt(nftables, context, Buffer.from(`/proc/self/fd/${file}\0`));
      resolve(judge(() => nftables.output(context ?? 0n), error));
    } catch (error) {
      reject(error);
    } finally {
      if (context !== undefined) await nftables.freeAsync(context);
      lowDescriptors.refill();
      if (file !== undefined && file >= 0) closeSync(file);
    }
  });
  return promise;
}

/** A context whose socket has a low descriptor, which cannot be asked of it. Must be called inside the namespace. */
function createContext({ libc, nftables, lowDescriptors }: NftParts, asked: Asked): NftPointer {
  for (let tries = 0; tries < CREATE_TRIES; tries++) {
    const fd = lowDescriptors.next();
    if (fd === undefined) break;
    const context = nftables.create(0);
    if (context === null) throw refused(asked, 'ENOMEM', 'libnftables gave no context');
    if (isNetfilterSocket(libc, fd)) {
      nftables.bufferOutput(context);
      nftables.bufferError(context);
      return context;
    }
    nftables.free(context);
  }
  throw refused(asked, 'EMFILE', 'no descriptor below 1024 is free for libnftables');
}

async function attempt(nftables: Libnftables, context: NftPointer, path: Buffer): Promise<string | undefined> {
  for (let tries = 1; ; tries++) {
    if ((await nftables.runFileAsync(context, path)) === 0) return undefined;
    const error = nftables.error(context).trim();
    // A signal (SIGCHLD) or a change by somebody else came between; nothing was applied.
    if (tries < EINTR_TRIES && errnoInText(error) === 'EINTR') continue;
    return error;
  }
}
