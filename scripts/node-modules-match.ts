/** Exit 0 when node_modules holds what package-lock.json asks for, by npm's own record of the installation. Argument: the repository. */
import { readFileSync } from 'node:fs';

interface Entry {
  version?: string;
  integrity?: string;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
}

const [repository = '.'] = process.argv.slice(2);
const entries = (file: string): Record<string, Entry> =>
  JSON.parse(readFileSync(`${repository}/${file}`, 'utf8')).packages;

const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
const libc = report.header?.glibcVersionRuntime === undefined ? 'musl' : 'glibc';

/** An optional package is missed only when it names this platform: the native part of another package. */
function missed({ optional, os, cpu, libc: libcs }: Entry): boolean {
  if (!optional) return true;
  if (os === undefined && cpu === undefined) return false;
  return (
    (os?.includes(process.platform) ?? true) && (cpu?.includes(process.arch) ?? true) && (libcs?.includes(libc) ?? true)
  );
}

const installed = entries('node_modules/.package-lock.json');
const differing = Object.entries(entries('package-lock.json')).filter(([path, wanted]) => {
  if (!path.startsWith('node_modules/')) return false;
  const found = installed[path];
  if (!found) return missed(wanted);
  return found.version !== wanted.version || found.integrity !== wanted.integrity;
});
process.exitCode = differing.length === 0 ? 0 : 1;
