import { until } from '../processes.ts';
import type { World } from './world.ts';

/** Servers that tell each client who it is, and clients. IPv4 and IPv6, TCP and UDP. */

export type Transport = 'TCP' | 'UDP';

/** Answers `<client> <own port>` on these ports. */
export async function serve(world: World, host: string, transport: Transport, ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    for (const version of [4, 6]) {
      const only = version === 6 ? ',ipv6only=1' : '';
      const listen = `${transport}${version}-LISTEN:${port},fork,reuseaddr${only}`;
      // A program that ends before it has read what was sent to it takes its answer along.
      const read = transport === 'UDP' ? 'read question; ' : '';
      await world.background(host, ['socat', '-T3', listen, `SYSTEM:${read}echo $SOCAT_PEERADDR $SOCAT_SOCKPORT`]);
    }
    const kind = transport === 'TCP' ? '-Hltn' : '-Hlun';
    const listening = async () => {
      const { stdout } = await world.exec(host, ['ss', kind, `sport = :${port}`]);
      return stdout.trim().split('\n').length === 2;
    };
    if (!(await until(listening, 5_000))) throw new Error(`no server on ${host} port ${port}`);
  }
}

/** What the server answers; empty when TCP does not connect within a second, or nothing comes for three. */
export async function ask(
  world: World,
  host: string,
  address: string,
  port: number,
  options: { transport?: Transport; source?: string } = {},
): Promise<string> {
  const { transport = 'TCP', source } = options;
  const v6 = address.includes(':');
  const bracketed = (text: string) => (text.includes(':') ? `[${text}]` : text);
  const target = [
    `${transport}${v6 ? 6 : 4}:${bracketed(address)}:${port}`,
    ...(source === undefined ? [] : [`bind=${bracketed(source)}`]),
    ...(transport === 'TCP' ? ['connect-timeout=1'] : []),
  ].join(',');
  // A server of TCP that closes with something unread resets the connection, and its answer may be lost.
  const input = transport === 'UDP' ? '?\n' : '';
  const { stdout } = await world.exec(host, ['socat', '-t3', '-T3', '-', target], { input });
  // socat writes IPv6 addresses in full and in brackets.
  return stdout.trim().replace(/\[([0-9a-f:]+)\]/, (_, text: string) =>
    text
      .split(':')
      .map((part) => Number.parseInt(part, 16).toString(16))
      .join(':')
      .replace(/(:0)+:/, '::'),
  );
}
