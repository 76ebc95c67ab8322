import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileCloud } from '@astara/openstack/cloud.ts';
import { Neutron } from '@astara/openstack/neutron.ts';
import { Session } from '@astara/openstack/session.ts';
import type { CloudReady, FromOrchestrator, ToOrchestrator } from './messages.ts';

const children = new URL('.', import.meta.url).pathname;

type Heard<Type extends FromOrchestrator['type']> = Extract<FromOrchestrator, { type: Type }>;

/** A message of the child that has this type; rejects when it ends before. */
function message<T>(child: ChildProcess, type: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const heard = (got: unknown) => {
      if ((got as { type: string }).type !== type) return;
      child.off('message', heard).off('exit', ended);
      resolve(got as T);
    };
    const ended = (code: number | null) => reject(new Error(`a child ended (exit ${code}) before it said '${type}'`));
    child.on('message', heard).on('exit', ended);
  });
}

/** The cloud with its routers, in a process of its own. */
export class CloudSide {
  readonly neutron: Neutron;
  readonly routers: CloudReady['routers'];
  readonly authUrl: string;
  readonly #child: ChildProcess;
  readonly #session: Session;
  readonly #moved = new Set<string>();

  private constructor(child: ChildProcess, ready: CloudReady, password: string) {
    this.#child = child;
    this.routers = ready.routers;
    this.authUrl = ready.authUrl;
    const parameters = {
      auth_url: ready.authUrl,
      username: 'admin',
      password,
      project_name: 'admin',
      interface: 'public',
    };
    this.#session = new Session(compileCloud(parameters, 'the bench', (name) => name));
    this.neutron = new Neutron(this.#session);
  }

  static async start(transportUrl: string, password: string, routers: number): Promise<CloudSide> {
    const child = fork(join(children, 'cloud-process.ts'), [transportUrl, password, String(routers)]);
    return new CloudSide(child, await message<CloudReady>(child, 'ready'), password);
  }

  /** Which of the router's two ports gets the floating IP now: the other one. */
  move(router: string): 0 | 1 {
    if (this.#moved.delete(router)) return 0;
    this.#moved.add(router);
    return 1;
  }

  async stop(): Promise<void> {
    await this.#session.close();
    this.#child.disconnect();
    await once(this.#child, 'exit');
  }
}

/** The orchestrator on its simulated host, in a process of its own. */
export class OrchestratorSide {
  readonly #child: ChildProcess;

  constructor(dir: string, transportUrl: string, authUrl: string, password: string, routers: number) {
    const file = join(dir, 'astara.conf');
    const text = `[DEFAULT]
host = scale
run_dir = ${dir}
transport_url = ${transportUrl.replaceAll('$', '$$')}
[keystone]
auth_url = ${authUrl}
username = astara
password = ${password}
project_name = service
[api]
bind_port = 44270
[metadata]
enabled = false
`;
    writeFileSync(file, text, { mode: 0o600 });
    const options = { execArgv: ['--expose-gc', '--max-semi-space-size=2'] };
    this.#child = fork(join(children, 'orchestrator-process.ts'), [file, String(routers)], options);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  tell(order: ToOrchestrator): void {
    this.#child.send(order);
  }

  hear<Type extends FromOrchestrator['type']>(type: Type): Promise<Heard<Type>> {
    return message<Heard<Type>>(this.#child, type);
  }

  onApplied(heard: (router: string, at: number) => void): void {
    this.#child.on('message', (got: FromOrchestrator) => {
      if (got.type === 'applied') heard(got.router, got.at);
    });
  }

  async stop(): Promise<void> {
    this.tell({ type: 'stop' });
    await once(this.#child, 'exit');
  }
}
