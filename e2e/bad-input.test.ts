import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ended, execute } from './lib/exec.ts';

/** Every start that cannot go well ends with code 2, the name of what is wrong and what to do, and nothing half-started. */
const repository = join(import.meta.dirname, '..');
const program = { agent: 'packages/agent/src/main.ts', orchestrator: 'packages/orchestrator/src/main.ts' } as const;

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'astara-bad-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function start(which: keyof typeof program, ini: string, wrap: readonly string[] = []): Promise<Ended> {
  const file = join(directory, 'astara.conf');
  await writeFile(file, ini);
  const argv = [...wrap, process.execPath, join(repository, program[which]), '--config-file', file];
  return execute(argv, { timeout: 30_000 });
}

const good = () => `[DEFAULT]
host = bad-input
run_dir = ${join(directory, 'run')}
transport_url = rabbit://openstack:labpass@127.0.0.1:5672/
[keystone]
auth_url = http://127.0.0.1:5000/v3
username = astara
password = labpass
project_name = service
user_domain_name = Default
project_domain_name = Default
[agent]
socket = ${join(directory, 'run/agent.sock')}
`;

interface Case {
  readonly name: string;
  readonly which: keyof typeof program;
  readonly ini: () => string;
  readonly says: readonly RegExp[];
  readonly wrap?: readonly string[];
}

const cases: readonly Case[] = [
  {
    name: 'an unknown option',
    which: 'orchestrator',
    ini: () => `${good()}[dhcp]\nmoed = router\n`,
    says: [/moed/, /mode/],
  },
  {
    name: 'a wrong value',
    which: 'orchestrator',
    ini: () => `${good()}[dhcp]\nmode = both\n`,
    says: [/\[dhcp\] mode/, /router/],
  },
  { name: 'an unknown section', which: 'agent', ini: () => `${good()}[dhpc]\nmode = router\n`, says: [/dhpc/] },
  {
    name: 'an unreachable Keystone',
    which: 'orchestrator',
    ini: () => good().replace('5000', '5999'),
    says: [/127\.0\.0\.1:5999/, /auth_url/],
  },
  {
    name: 'a wrong password',
    which: 'orchestrator',
    ini: () => good().replace('password = labpass', 'password = hunter2'),
    says: [/password/],
  },
  {
    name: 'a missing program',
    which: 'agent',
    ini: good,
    wrap: ['unshare', '--mount', 'sh', '-c', 'mount --bind /dev/null "$(command -v catatonit)" && exec "$@"', 'sh'],
    says: [/catatonit/, /apt|package/i],
  },
  {
    name: 'a missing capability',
    which: 'agent',
    ini: good,
    wrap: ['setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin', '--'],
    says: [/CAP_NET_ADMIN/],
  },
];

describe.each(cases)('$name ($which)', ({ which, ini, says, wrap }) => {
  test('exit code 2, named, with a remedy', async () => {
    const ended = await start(which, ini(), wrap);
    expect(ended.code).toBe(2);
    for (const pattern of says) expect(ended.stderr + ended.stdout).toMatch(pattern);
    expect(ended.stderr + ended.stdout).not.toContain('hunter2');
    expect((await execute(['test', '-S', join(directory, 'run/agent.sock')])).code).not.toBe(0);
  });
});

test('a configuration file that is not there', async () => {
  const argv = [process.execPath, join(repository, program.agent), '--config-file', '/nonexistent.conf'];
  const ended = await execute(argv);
  expect(ended.code).toBe(2);
  expect(ended.stderr).toContain('/nonexistent.conf');
});
