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

const NFT_CTX_OUTPUT_JSON = 1 << 4;
const MFD_CLOEXEC = 1;
const EINTR_TRIES = 10;

const library = new Serial();

/** Makes a context; must be called inside the namespace. It is freed by the one call that uses it. */
export function openNft(nftables: Libnftables, asked: Asked): NftPointer {
  const context = nftables.create(0);
  if (context === null) throw refused(asked, 'ENOMEM', 'libnftables gave no context');
  nftables.bufferOutput(context);
  nftables.bufferError(context);
  return context;
}

export interface NftLibraries {
  readonly libc: Libc;
  readonly nftables: Libnftables;
}

export async function runNft(
  libraries: NftLibraries,
  context: NftPointer,
  script: string,
  asked: Asked,
): Promise<void> {
  await execute(libraries, context, script, asked, ({ error }) => {
    if (error !== undefined) throw nftFailure(asked, error);
  });
}

export function listNft(
  libraries: NftLibraries,
  context: NftPointer,
  what: string,
  asked: Asked,
): Promise<NftJson | undefined> {
  libraries.nftables.setOutputFlags(context, NFT_CTX_OUTPUT_JSON);
  return execute(libraries, context, `list ${what}\n`, asked, ({ error, output }) => {
    if (error === undefined) return parseNftJson(output(), asked);
    if (errnoInText(error) === 'ENOENT') return undefined;
    throw nftFailure(asked, error);
  });
}

interface Ended {
  /** The error's text; undefined when all went well. */
  readonly error: string | undefined;
  readonly output: () => string;
}

/** Runs the script, hands over how it ended, and frees the context. */
function execute<T>(
  { libc, nftables }: NftLibraries,
  context: NftPointer,
  script: string,
  asked: Asked,
  judge: (ended: Ended) => T,
): Promise<T> {
  return library.run(async () => {
    // From a file, because for a buffer the library's errors show the wrong line.
    const file = libc.memfd('nft', MFD_CLOEXEC);
    try {
      if (file < 0) throw refused(asked, errnoName(libc.errno()));
      writeFileSync(file, script);
      const error = await attempt(nftables, context, Buffer.from(`/proc/self/fd/${file}\0`));
      return judge({ error, output: () => nftables.output(context) });
    } finally {
      if (file >= 0) closeSync(file);
      nftables.free(context);
    }
  });
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
