import {
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { errors } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { readIfPresent, writeAtomically } from '../../state-file.ts';
import { type Check, type Health, type Known, known, type Runner, type RunnerContext } from '../service.ts';
import { type FileState, KERNEL_HOSTNAME, ZONES } from './render.ts';

export type IdentityState = ReadonlyMap<string, FileState>;
/** These paths are to be so. */
export type IdentityChange = readonly (readonly [path: string, state: FileState])[];

/**
 * The files of a machine of its own. In a namespace of a host it touches nothing: files, and the name of the machine, are the
 * host's, so whatever is asked for counts as being there.
 */
export class IdentityRunner implements Runner<IdentityState, IdentityChange> {
  readonly #root: string | undefined;
  readonly #log: Log;

  constructor({ home, log }: RunnerContext) {
    this.#root = home.root;
    this.#log = log;
  }

  async adopt(): Promise<void> {}

  async observe(wanted: IdentityState, former: IdentityState | undefined): Promise<Known<IdentityState>> {
    const root = this.#root;
    if (root === undefined) return known(wanted);
    const paths = new Set([...wanted.keys(), ...(former?.keys() ?? [])]);
    return known(new Map([...paths].map((path) => [path, look(join(root, path))])));
  }

  async execute(change: IdentityChange): Promise<void> {
    const root = this.#root;
    if (root === undefined) return;
    for (const [path, state] of change) this.#make(root, path, state);
    this.#log.info({ files: change.map(([path]) => path) }, 'identity of the machine changed');
  }

  async health(): Promise<Health> {
    const own = this.#root !== undefined;
    return own
      ? { wanted: true, running: true }
      : {
          wanted: false,
          running: false,
          detail: { left_out: 'hostname and identity: the files are those of the host' },
        };
  }

  async check(state: IdentityState): Promise<readonly Check[]> {
    const found = await this.observe(state, undefined);
    if (found.unknown || this.#root === undefined) return [];
    return [...state].map(([path, wanted]) => ({
      name: `${path} is as it should be`,
      ok: sameFile(found.value.get(path), wanted),
    }));
  }

  async release(): Promise<void> {}

  #make(root: string, path: string, state: FileState): void {
    const here = join(root, path);
    if (state.kind === 'absent') {
      rmSync(here, { force: true });
    } else if (state.kind === 'link') {
      if (state.target.startsWith(ZONES) && !existsSync(join(root, state.target))) {
        throw errors.make('APPLIANCE_TIME_ZONE_MISSING', { file: state.target }, { field: '/identity/time_zone' });
      }
      rmSync(`${here}.tmp`, { force: true });
      symlinkSync(state.target, `${here}.tmp`);
      renameSync(`${here}.tmp`, here);
    } else if (path === KERNEL_HOSTNAME) {
      writeFileSync(here, state.text);
    } else {
      makeParent(here);
      writeAtomically(here, state.text, state.mode);
    }
  }
}

export function sameFile(a: FileState | undefined, b: FileState): boolean {
  if (a?.kind === 'file' && b.kind === 'file') return a.text === b.text;
  if (a?.kind === 'link' && b.kind === 'link') return a.target === b.target;
  return a?.kind === b.kind;
}

function look(path: string): FileState {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return { kind: 'absent' };
  if (found.isSymbolicLink()) return { kind: 'link', target: readlinkSync(path) };
  return { kind: 'file', text: readIfPresent(path) ?? '', mode: found.mode & 0o777 };
}

/** `.ssh` is its owner's alone, or sshd will not read it. */
function makeParent(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
}
