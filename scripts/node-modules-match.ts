/** Exit 0 when node_modules holds what package-lock.json asks for, by npm's own record of the installation. Argument: the repository. */
import { readFileSync } from 'node:fs';

interface Entry {
  version?: string;
  integrity?: string;
  optional?: boolean;
}

const [repository = '.'] = process.argv.slice(2);
const entries = (file: string): Record<string, Entry> =>
  JSON.parse(readFileSync(`${repository}/${file}`, 'utf8')).packages;

const installed = entries('node_modules/.package-lock.json');
const differing = Object.entries(entries('package-lock.json')).filter(([path, wanted]) => {
  if (!path.startsWith('node_modules/')) return false;
  const found = installed[path];
  if (!found) return !wanted.optional; // for another platform
  return found.version !== wanted.version || found.integrity !== wanted.integrity;
});
process.exitCode = differing.length === 0 ? 0 : 1;
