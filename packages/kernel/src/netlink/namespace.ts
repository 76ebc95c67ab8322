/**
 * Network namespaces by name, as iproute2 keeps them: a bind mount of the namespace on /run/netns/<name>.
 *
 * setns(2) and unshare(2) move the calling thread. The main thread goes into a namespace, makes a few synchronous calls
 * and comes back before anything else can run: no await, no callback, no new thread may happen in between.
 */
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { type Asked, errnoName, fromSystem, refused } from '../errors.ts';
import { isNamespaceFile, NETNS_DIR, removeNetnsFile } from '../netns-dir.ts';
import type { Libc } from './libc.ts';

const CLONE_NEWNET = 0x40000000;
const MS_BIND = 0x1000;
const MS_REC = 0x4000;
const MS_SHARED = 1 << 20;
const MNT_DETACH = 2;
const LOCK_EX = 2;

/** What runs inside a namespace must not be a promise: its continuation would run outside. */
export type Synchronous<T> = T extends Promise<unknown> ? never : T;

export class Namespaces {
  readonly #libc: Libc;
  /** Where this process lives, and where the thread always returns to. */
  readonly #home: number;

  constructor(libc: Libc) {
    this.#libc = libc;
    this.#home = openSync('/proc/thread-self/ns/net', 'r');
  }

  /** Runs `work` with this thread in the namespace of `fd`. */
  inside<T>(fd: number, asked: Asked, work: () => Synchronous<T>): Synchronous<T> {
    if (this.#libc.setns(fd, CLONE_NEWNET) < 0) throw this.#failure(asked);
    try {
      return work();
    } finally {
      this.#goHome();
    }
  }

  /** Makes the namespace and runs `setUp` in it before anybody can find it by name. False when it was there already. */
  create(name: string, setUp: () => void): boolean {
    const asked = { operation: 'netns-create', object: name };
    const path = `${NETNS_DIR}/${name}`;
    const lock = this.#prepareDirectory(asked);
    let mounted = false;
    try {
      if (isNamespaceFile(path)) return false;
      // Either absent, or left by somebody who died before the mount: then it is used as it is.
      writeFileSync(path, '', { mode: 0o444 });
      if (this.#libc.unshare(CLONE_NEWNET) < 0) throw this.#failure(asked);
      try {
        setUp();
        if (this.#libc.mount('/proc/thread-self/ns/net', path, null, MS_BIND, null) < 0) throw this.#failure(asked);
        mounted = true;
      } finally {
        this.#goHome();
        if (!mounted) removeNetnsFile(name);
      }
      return true;
    } catch (error) {
      if (error instanceof Error && 'syscall' in error) throw fromSystem(asked, error);
      throw error;
    } finally {
      closeSync(lock);
    }
  }

  remove(name: string): void {
    const asked = { operation: 'netns-delete', object: name };
    const path = `${NETNS_DIR}/${name}`;
    if (this.#libc.umount2(path, MNT_DETACH) < 0) {
      const errno = errnoName(this.#libc.errno());
      // EINVAL: the file is there but nothing is mounted on it.
      if (errno !== 'ENOENT' && errno !== 'EINVAL') throw refused(asked, errno);
    }
    removeNetnsFile(name);
  }

  /**
   * Makes /run/netns a shared mount, as `ip netns add` does: names made or removed here then appear and vanish in every
   * mount namespace that was copied from ours. Returns a descriptor that holds iproute2's lock on the directory.
   */
  #prepareDirectory(asked: Asked): number {
    mkdirSync(NETNS_DIR, { recursive: true, mode: 0o755 });
    const lock = openSync(NETNS_DIR, 'r');
    try {
      if (this.#libc.flock(lock, LOCK_EX) < 0) throw this.#failure(asked);
      if (this.#libc.mount('', NETNS_DIR, 'none', MS_SHARED | MS_REC, null) === 0) return lock;
      if (errnoName(this.#libc.errno()) !== 'EINVAL') throw this.#failure(asked);
      // Not a mount point yet: bind it on itself first.
      if (this.#libc.mount(NETNS_DIR, NETNS_DIR, 'none', MS_BIND | MS_REC, null) < 0) throw this.#failure(asked);
      if (this.#libc.mount('', NETNS_DIR, 'none', MS_SHARED | MS_REC, null) < 0) throw this.#failure(asked);
      return lock;
    } catch (error) {
      closeSync(lock);
      throw error;
    }
  }

  #goHome(): void {
    // A main thread left in a router's namespace would let everything after it act on the wrong network.
    if (this.#libc.setns(this.#home, CLONE_NEWNET) < 0) process.abort();
  }

  #failure(asked: Asked) {
    return refused(asked, errnoName(this.#libc.errno()));
  }
}

/** The namespace where the thread is anyway: setns(2) takes CAP_SYS_ADMIN even to stay. */
export class OwnNamespace extends Namespaces {
  override inside<T>(_fd: number, _asked: Asked, work: () => Synchronous<T>): Synchronous<T> {
    return work();
  }
}
