import { existsSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { type InstanceView, netnsName, tapName } from '@astara/model/instance.ts';
import { run } from './exec.ts';
import { waitFor } from './wait.ts';

/** Astara on this host, looked at from outside: its agent's API, its metrics, and what is in the kernel. */

const RUN_DIR = '/run/astara';
const METRICS = 'http://127.0.0.1:44250/metrics';

/** Every instance that the agent has. */
export async function instances(): Promise<InstanceView[]> {
  return JSON.parse(await unixGet(join(RUN_DIR, 'agent.sock'), '/v1/instances')) as InstanceView[];
}

export async function instanceOf(resourceId: string): Promise<InstanceView | undefined> {
  return (await instances()).find(({ resource }) => resource.id === resourceId);
}

/** Resolves when the resource has a running, configured instance. */
export function configured(resourceId: string, timeout = 30_000): Promise<InstanceView> {
  const look = async () => {
    const instance = await instanceOf(resourceId);
    return instance?.state === 'running' && instance.applied !== null ? instance : undefined;
  };
  return waitFor(`an instance of ${resourceId} to be configured`, look, { timeout });
}

/** What an instance consists of on this host, to be looked for again when it should be gone. */
export interface Traces {
  readonly instanceId: string;
  readonly taps: readonly string[];
  readonly pids: readonly string[];
}

export async function traces({ id, attachments }: InstanceView): Promise<Traces> {
  const pids = await run(['ip', 'netns', 'pids', netnsName(id)]);
  return { instanceId: id, taps: attachments.map(({ port_id }) => tapName(port_id)), pids: pids.trim().split('\n') };
}

/** Which of them are there: empty when nothing of the instance is left. */
export async function remains({ instanceId, taps, pids }: Traces): Promise<string[]> {
  const netns = join('/run/netns', netnsName(instanceId));
  const directory = join(RUN_DIR, 'instances', instanceId);
  return [
    ...(existsSync(netns) ? [netns] : []),
    ...(existsSync(directory) ? [`${directory}: ${readdirSync(directory).join(' ')}`] : []),
    ...taps.filter((tap) => existsSync(join('/sys/class/net', tap))),
    ...pids.filter((pid) => existsSync(join('/proc', pid))).map((pid) => `process ${pid}`),
  ];
}

/** nftables of an instance, as text. */
export function ruleset(instanceId: string): Promise<string> {
  return run(['ip', 'netns', 'exec', netnsName(instanceId), 'nft', 'list', 'ruleset']);
}

/** Sum of a metric's samples whose labels contain `labels`; 0 when there are none. */
export async function metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
  const text = await (await fetch(METRICS)).text();
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  let sum = 0;
  for (const line of text.split('\n')) {
    const match = /^(\w+)(\{.*\})? (\S+)$/.exec(line);
    if (match?.[1] === name && wanted.every((label) => match[2]?.includes(label))) sum += Number(match[3]);
  }
  return sum;
}

function unixGet(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, timeout: 5_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => {
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`${path}: ${response.statusCode} ${body}`));
      });
    });
    call.on('timeout', () => call.destroy(new Error(`${path}: no answer`)));
    call.on('error', reject);
    call.end();
  });
}
