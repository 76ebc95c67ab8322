import { Agent, get } from 'node:http';

/**
 * `boot.ts MACHINES [STAGES]`: machines 10.1.1.1… of this namespace boot at the same time, and each reads its metadata as
 * cloud-init does, path by path and stage by stage. Prints how many answers of each status there were.
 */

const [machines = 1, stages = 2] = process.argv.slice(2).map(Number);
const paths = [
  '/openstack',
  '/openstack/2018-08-27/meta_data.json',
  '/openstack/2018-08-27/user_data',
  '/openstack/2018-08-27/vendor_data.json',
  '/openstack/2018-08-27/network_data.json',
  '/latest/meta-data/',
  '/latest/meta-data/hostname',
  '/latest/meta-data/instance-id',
  '/latest/meta-data/public-keys/0/openssh-key',
  '/latest/user-data',
];
const statuses: Record<number, number> = {};

async function machine(address: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let stage = 0; stage < stages; stage += 1) {
    for (const path of paths) {
      const status = await read(agent, address, path);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  }
  agent.destroy();
}

function read(agent: Agent, localAddress: string, path: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const asked = get({ host: '169.254.169.254', path, agent, localAddress }, (answer) => {
    answer.resume();
    answer.on('end', () => resolve(answer.statusCode ?? 0));
  });
  asked.on('error', reject);
  return promise;
}

await Promise.all(Array.from({ length: machines }, (_, index) => machine(`10.1.1.${index + 1}`)));
console.log(JSON.stringify(statuses));
