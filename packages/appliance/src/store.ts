import { linkSync, mkdirSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { validateConfig } from '@astara/model/appliance/rules.ts';
import type { Log } from './log.ts';
import { readIfPresent, writeAtomically } from './state-file.ts';

/** A configuration that is or was in force. */
export interface Revision {
  readonly generation: number;
  readonly etag: string;
  /** When it came into force: RFC 3339, UTC. */
  readonly applied_at: string;
}

/** The configuration in force is given up for the one before it unless it is confirmed in time. */
export interface Pending {
  /** Of the configuration to be confirmed. */
  readonly etag: string;
  /** RFC 3339, UTC. */
  readonly confirm_by: string;
  /** To go back to; null: there was none. */
  readonly previous: Revision | null;
}

const KEPT = 10;

/**
 * What outlives the process: the configuration in force, those before it, and whether it is still to be confirmed. Files hold
 * secrets and are for root only. What is written is whole, or it is as before.
 */
export class ConfigStore {
  readonly #path: string;
  readonly #history: string;
  readonly #pending: string;
  readonly #log: Log;
  /** Whether there may be a file of what is pending. */
  #mayPend = true;
  #hasHistory = false;

  /** `path`: of the configuration in force; everything else lies beside it. */
  constructor(path: string, log: Log) {
    this.#path = path;
    this.#history = join(dirname(path), 'history');
    this.#pending = join(dirname(path), 'pending.json');
    this.#log = log;
  }

  /** The configuration in force; undefined when there is none, or when this release cannot read it. */
  read(): { readonly config: ApplianceConfig; readonly applied_at: string } | undefined {
    const stored = this.#json(this.#path);
    if (!isRecord(stored)) return undefined;
    // Up to release 0.1 the file was the configuration alone.
    const old = !('config' in stored);
    const config = this.#valid(old ? stored : stored.config, this.#path);
    const applied_at = old ? new Date().toISOString() : String(stored.applied_at);
    return config === undefined ? undefined : { config, applied_at };
  }

  /** `config` is in force from now on; the one `before` it goes into the history. */
  write(config: ApplianceConfig, revision: Revision, before: Revision | undefined, pending: Pending | undefined): void {
    if (before !== undefined && before.etag !== revision.etag) this.#archive(before);
    if (pending !== undefined) {
      this.#mayPend = true;
      writeAtomically(this.#pending, JSON.stringify(pending), 0o600);
    }
    writeAtomically(this.#path, JSON.stringify({ applied_at: revision.applied_at, config }), 0o600);
    if (pending === undefined) this.confirm();
  }

  /** Nothing is in force any more. */
  clear(): void {
    rmSync(this.#path, { force: true });
    this.confirm();
  }

  /** What `etag` waits for, if it does. */
  pending(etag: string): Pending | undefined {
    const stored = this.#json(this.#pending);
    // One of another etag is left of an apply that did not come to its end.
    return isRecord(stored) && stored.etag === etag ? (stored as unknown as Pending) : undefined;
  }

  confirm(): void {
    if (this.#mayPend) rmSync(this.#pending, { force: true });
    this.#mayPend = false;
  }

  /** Those that were in force before, the latest first. */
  history(): Revision[] {
    return this.#files().map((file) => file.revision);
  }

  /** A configuration of the history. */
  find(etag: string): ApplianceConfig | undefined {
    const file = this.#files().find(({ revision }) => revision.etag === etag);
    if (file === undefined) return undefined;
    const stored = this.#json(file.path);
    return isRecord(stored) ? this.#valid(stored.config, file.path) : undefined;
  }

  /** A second name for the file is enough: it is replaced, never written again. */
  #archive({ applied_at, generation, etag }: Revision): void {
    const name = join(this.#history, `${applied_at}_${generation}_${etag}.json`);
    // Not `recursive`: on a read-only disk Node says ENOENT then.
    if (!this.#hasHistory) unlessThere(() => mkdirSync(this.#history, { mode: 0o700 }));
    this.#hasHistory = true;
    unlessThere(() => linkSync(this.#path, name));
    // Not rmSync: it costs several times as much.
    for (const { path } of this.#files().slice(KEPT)) unlinkSync(path);
  }

  #files(): { readonly path: string; readonly revision: Revision }[] {
    let names: string[];
    try {
      names = readdirSync(this.#history);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    return names
      .sort()
      .reverse()
      .flatMap((name) => {
        const [, applied_at, generation, etag] = /^([\dTZ:.-]+)_(\d+)_([0-9a-f]{64})\.json$/.exec(name) ?? [];
        if (applied_at === undefined || etag === undefined) return [];
        return [{ path: join(this.#history, name), revision: { generation: Number(generation), etag, applied_at } }];
      });
  }

  #json(path: string): unknown {
    const text = readIfPresent(path);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text);
    } catch (error) {
      this.#log.error({ err: error, path }, 'file is not JSON, going on without it');
      return undefined;
    }
  }

  #valid(input: unknown, path: string): ApplianceConfig | undefined {
    const validated = validateConfig(input);
    if (validated.ok) return validated.value;
    this.#log.error({ errors: validated.errors.slice(0, 5), path }, 'configuration is not valid, going on without it');
    return undefined;
  }
}

function unlessThere(make: () => void): void {
  try {
    make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
