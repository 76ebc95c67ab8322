import { spawn } from 'node:child_process';
import { cloudErrors } from '../errors.ts';

const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/**
 * Runs `ip` on the devices of a namespace (null: our own) and answers what it printed. For what `@astara/kernel` does not know:
 * bridges, aliases. Rejects with CLOUD_IP and what `ip` said.
 */
export async function ip(netns: string | null, args: readonly string[], input = ''): Promise<string> {
  const argv = [...(netns === null ? [] : ['-n', netns]), ...args];
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const fail = (reason: string, cause?: unknown) => {
    const command = `ip ${argv.join(' ')}${input === '' ? '' : `: ${input.trim().replaceAll('\n', '; ')}`}`;
    reject(cloudErrors.make('CLOUD_IP', { command, reason }, { cause }));
  };
  const child = spawn('ip', argv, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => undefined); // a program that fails early does not read; its exit code says why
  child.stdin.end(input);
  child.on('error', (cause) => fail(cause.message, cause));
  child.on('close', (code) => (code === 0 ? resolve(stdout) : fail(stderr.trim() || `exit code ${code}`)));
  return promise;
}

/** Each line by itself: one that fails does not keep the others from being done, but rejects in the end. */
export async function ipBatch(netns: string | null, lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await ip(netns, ['-force', '-batch', '-'], `${lines.join('\n')}\n`);
}

/** Names of the devices that carry this alias. */
export async function aliased(netns: string | null, alias: string): Promise<string[]> {
  const links = JSON.parse((await ip(netns, ['-json', 'link', 'show'])) || '[]') as {
    readonly ifname: string;
    readonly ifalias?: string;
  }[];
  return links.filter(({ ifalias }) => ifalias === alias).map(({ ifname }) => ifname);
}
