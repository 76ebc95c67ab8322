import { execFile, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestCloud } from './cloud.ts';

/** Whether this machine has the client (Debian: python3-openstackclient). */
export const hasOpenstack = spawnSync('openstack', ['--version']).status === 0;

/** The `openstack` client as Debian ships it, with a clouds.yaml for users of a test's cloud. Each command is a process. */
export class OpenstackClient {
  readonly #dir: string;

  constructor({ cloud, dir }: TestCloud, users: readonly string[]) {
    this.#dir = dir;
    const auth = (user: string) => ({
      auth_url: `${cloud.url}/identity/v3`,
      username: user,
      password: 'secret',
      project_name: user,
      user_domain_name: 'Default',
      project_domain_name: 'Default',
    });
    const clouds = Object.fromEntries(users.map((user) => [user, { auth: auth(user) }]));
    // JSON is YAML.
    writeFileSync(join(dir, 'clouds.yaml'), JSON.stringify({ clouds }));
  }

  /** What it writes; rejects with what it says when it fails. */
  async run(command: string, user = 'admin'): Promise<string> {
    const env = { PATH: process.env.PATH, HOME: this.#dir, OS_CLOUD: user };
    const options = { cwd: this.#dir, env, timeout: 60_000 };
    return (await promisify(execFile)('openstack', command.split(' '), options)).stdout.trim();
  }

  async json(command: string, user?: string) {
    return JSON.parse(await this.run(`${command} -f json`, user));
  }
}
