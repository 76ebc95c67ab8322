import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestCloud } from './cloud.ts';

/** Whether this machine has the client (Debian: python3-openstackclient). */
export const hasOpenstack = spawnSync('openstack', ['--version']).status === 0;

/**
 * The `openstack` client as Debian ships it, with a clouds.yaml for users of a test's cloud. Of each user's commands one process
 * takes one after the other at its prompt: to start it costs more than a second, a command tens of milliseconds.
 */
export class OpenstackClient {
  readonly #dir: string;
  readonly #prompts = new Map<string, Prompt>();

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
  run(command: string, user = 'admin'): Promise<string> {
    const prompt = this.#prompts.get(user) ?? new Prompt(this.#dir, user);
    this.#prompts.set(user, prompt);
    return prompt.run(command);
  }

  async json(command: string, user?: string) {
    return JSON.parse(await this.run(`${command} -f json`, user));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#prompts.values()].map((prompt) => prompt.close()));
  }
}

/** Milliseconds for one command. */
const patience = 30_000;

class Prompt {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<unknown>;
  #last: Promise<unknown> = Promise.resolve();
  #commands = 0;
  #out = '';
  #err = '';
  #heard = () => {};

  constructor(dir: string, user: string) {
    const env = { PATH: process.env.PATH, HOME: dir, OS_CLOUD: user, PYTHONUNBUFFERED: '1' };
    this.#child = spawn('openstack', [], { cwd: dir, env });
    this.#exited = once(this.#child, 'exit');
    this.#child.stdin.on('error', () => undefined); // a client that has ended does not read; its exit code is told
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#out += text;
      this.#heard();
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#err += text;
      this.#heard();
    });
    void this.#exited.then(() => this.#heard());
  }

  run(command: string): Promise<string> {
    const result = this.#last.then(() => this.#run(command));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    this.#child.stdin.end();
    await this.#exited;
  }

  /** Nothing tells where a command's output ends: behind it come two whose answers are known, one on each stream. */
  async #run(command: string): Promise<string> {
    this.#commands += 1;
    const mark = `end${this.#commands}`;
    const answer = `${mark}_auth_type="password"\n`;
    const complaint = `No recognized column names in ['${mark}']`;
    this.#child.stdin.write(`${command}\nconfiguration show -f shell --prefix ${mark}_ -c auth_type\n`);
    this.#child.stdin.write(`configuration show -c ${mark}\n`);
    await this.#until(() => this.#out.includes(answer) && lineOf(this.#err, complaint) !== undefined, command);
    const said = this.#err.slice(0, this.#err.indexOf(complaint)).trim();
    const written = this.#out.slice(0, this.#out.indexOf(answer)).trim();
    this.#out = '';
    this.#err = '';
    if (said !== '') throw new Error(`openstack ${command}: ${said}`);
    return written;
  }

  async #until(condition: () => boolean, command: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (why: string) => reject(new Error(`openstack ${command}: ${why}: ${this.#err}`));
    const timer = setTimeout(() => fail('no end'), patience);
    this.#heard = () => {
      if (condition()) resolve();
      else if (this.#child.exitCode !== null) fail(`exit code ${this.#child.exitCode}`);
    };
    this.#heard();
    await promise.finally(() => clearTimeout(timer));
  }
}

/** The whole line that holds the text, once its end has come. */
const lineOf = (all: string, text: string) =>
  all
    .split('\n')
    .slice(0, -1)
    .find((line) => line.includes(text));
