import { existsSync, readFileSync } from 'node:fs';
import { type Capability, capabilityMask, capabilitySets, onlyCapabilities } from './capabilities.ts';

const SETPRIV = '/usr/bin/setpriv';
/** Set for the second start. Where the kernel has capabilities that setpriv does not know of, there would be no end of starts. */
const MARK = 'ASTARA_PRIVILEGES_CUT';

/**
 * To be called before anything else is loaded: when root may do more than this, the process becomes itself once more through
 * setpriv(1), with these capabilities at most, for itself and for all it will ever start. Capabilities belong to a thread and
 * Node has begun its threads before the first line of a program runs, so that only exec reaches all of them. It costs one bare
 * start of Node; nothing when the process has been started with no more than it needs (systemd: `CapabilityBoundingSet=`).
 */
export function keepOnly(capabilities: readonly Capability[]): void {
  const again = process.env[MARK] !== undefined;
  delete process.env[MARK];
  // Others than root have been given what they have by name.
  if (again || process.geteuid?.() !== 0 || !existsSync(SETPRIV)) return;
  const { effective, bounding } = capabilitySets(readFileSync('/proc/self/status', 'latin1'));
  const needed = capabilityMask(capabilities);
  const mayCut = (effective & capabilityMask(['setpcap'])) !== 0n;
  if (!mayCut || ((effective | bounding) & ~needed) === 0n) return;
  const self = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const cut = [`--bounding-set=${onlyCapabilities(capabilities)}`, '--inh-caps=-all', '--no-new-privs', '--'];
  process.execve?.(SETPRIV, ['setpriv', ...cut, ...self], { ...process.env, [MARK]: '1' });
}
