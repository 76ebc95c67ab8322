import { run } from '../e2e/lib/exec.ts';
import { waitFor } from '../e2e/lib/wait.ts';
import type { Screen } from './screen.ts';
import type { Tenant } from './tenant.ts';

/** Runs programs where the packets are looked at. */
export interface Places {
  /** Namespace that stands for everything outside the cloud. */
  readonly internet: string;
  /** In the server of that id; gives what the program prints. */
  exec(serverId: string, argv: readonly string[]): Promise<string>;
}

const patience = { timeout: 20_000, interval: 50 };

/** Packets, from where a user sits. Rejects at the first thing that is not so. */
export async function prove(
  screen: Screen,
  places: Places,
  tenants: readonly Tenant[],
  outside: string,
): Promise<void> {
  for (const tenant of tenants) {
    const { name, server, floatingIp } = tenant;
    const address = floatingIp.floating_ip_address;
    await screen.step(
      `${name}: its server has its address by DHCP`,
      () => leased(places, tenant),
      (ip) => ip,
    );
    await screen.step(
      `${name}: ping from the internet through the floating IP`,
      () => ping(['ip', 'netns', 'exec', places.internet], address),
      (rtt) => `${address}  ${rtt}`,
    );
    await screen.step(
      `${name}: HTTP from the internet through the floating IP`,
      () => fetched(places.internet, address, server.name),
      (body) => `“${body}”`,
    );
    await screen.step(
      `${name}: its server asks 169.254.169.254 who it is`,
      () => metadata(places, tenant),
      (body) => `“${body}”`,
    );
    await screen.step(
      `${name}: ping from its server out to the internet`,
      () => waitFor('an answer', () => places.exec(server.id, ['ping', '-c1', '-W1', outside]), patience).then(rtt),
      (time) => `${outside}  ${time}`,
    );
  }
}

/** The same address in two tenants is what a router each is for. */
function leased({ exec }: Places, { server, port }: Tenant): Promise<string> {
  const expected = port.fixed_ips[0]?.ip_address;
  return waitFor(
    `${expected} on ${server.name}`,
    async () => {
      const addresses = await exec(server.id, ['ip', '-4', '-o', 'address', 'show', 'dev', 'eth0']);
      return expected !== undefined && addresses.includes(` ${expected}/`) && expected;
    },
    patience,
  );
}

async function ping(inside: readonly string[], address: string): Promise<string> {
  return rtt(await waitFor('an answer', () => run([...inside, 'ping', '-c1', '-W1', address]), patience));
}

function rtt(output: string): string {
  return /time=([\d.]+ ms)/.exec(output)?.[1] ?? '';
}

function fetched(netns: string, address: string, expected: string): Promise<string> {
  const curl = ['ip', 'netns', 'exec', netns, 'curl', '-sS', '--noproxy', '*', '--max-time', '2', `http://${address}/`];
  return waitFor(
    `the page of ${expected}`,
    async () => {
      const body = (await run(curl)).trim();
      return body.includes(expected) && body;
    },
    patience,
  );
}

/** Through the router's instance, signed by the orchestrator, to Nova. */
function metadata({ exec }: Places, { server }: Tenant): Promise<string> {
  const url = 'http://169.254.169.254/openstack/latest/meta_data.json';
  const probe = async () => {
    const answer = JSON.parse(await exec(server.id, ['curl', '-sS', '--noproxy', '*', '--max-time', '2', url]));
    return answer.uuid === server.id && answer.name;
  };
  return waitFor(`the metadata of ${server.name}`, probe, patience);
}
