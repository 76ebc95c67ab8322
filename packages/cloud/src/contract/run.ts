import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Accounts, leftAccounts, removeAccounts } from './accounts.ts';
import { Agents, agentHost } from './agents.ts';
import { Names, textAt } from './names.ts';
import { asSet, Normaliser } from './normalise.ts';
import { Notifications } from './notifications.ts';
import type { Call, Request, Scenario, Step } from './step.ts';
import { titleOf } from './step.ts';
import { sweep } from './sweep.ts';
import { login, send, type Target } from './target.ts';
import type { Entry, Transcript } from './transcript.ts';

const nothing = '00000000-0000-4000-8000-00000000dead';

/** What a step said and heard, before it is normalised. */
interface Raw {
  readonly requestId: string | undefined;
  readonly sent: unknown;
  readonly sorted: boolean;
  readonly outcome: Pick<Entry, 'status' | 'headers' | 'failure'>;
  readonly got: unknown;
}

/** Performs scenarios on one target, one after the other, and leaves nothing behind. */
export class Runner {
  /** Its listener's queue; the target's broker may keep it. */
  readonly notifications = new Notifications();
  readonly #target: Target;
  readonly #accounts: Accounts;
  readonly #agents: Agents;

  private constructor(target: Target, accounts: Accounts) {
    this.#target = target;
    this.#accounts = accounts;
    this.#agents = new Agents(target, accounts.admin);
  }

  static async start(target: Target): Promise<Runner> {
    const left = await leftAccounts(target);
    await sweep(target, await login(target.identityUrl, target.admin), left.projects);
    await removeAccounts(target, left);
    const runner = new Runner(target, await Accounts.make(target));
    try {
      await runner.notifications.start(target);
      await runner.#agents.start();
    } catch (error) {
      await runner.stop();
      throw error;
    }
    return runner;
  }

  async stop(): Promise<void> {
    await this.#agents.stop();
    await this.notifications.stop();
    await this.#accounts.remove();
  }

  async perform({ steps }: Scenario): Promise<Transcript> {
    await this.#agents.report();
    const names = new Names({ ...this.#accounts.names, ...this.#agents.names, nothing });
    const { networkUrl, identityUrl } = this.#target;
    const normaliser = new Normaliser(JSON.stringify(steps, spoken), [
      [`${identityUrl}/`, '<identity>/'],
      [identityUrl, '<identity>'],
      [networkUrl, '<network>'],
      ...names
        .entries()
        .filter(([name]) => /\.(name|password)$/.test(name))
        .map(swap),
    ]);
    for (const [name, value] of names.entries()) normaliser.name(value, name);
    const entries: Entry[] = [];
    const raws: Raw[] = [];
    try {
      for (const step of steps) {
        const raw = await ('call' in step ? this.#call(step, names) : this.#request(step, names));
        for (const [name, path] of Object.entries(step.save ?? {})) {
          const value = textAt(raw.got, path);
          if (value === undefined) continue;
          names.set(name, value);
          normaliser.name(value, name);
        }
        raws.push(raw);
      }
    } finally {
      await sweep(this.#target, this.#accounts.admin, this.#accounts.projectIds);
    }
    await this.#drained();
    for (const [at, raw] of raws.entries()) entries.push(this.#entry(normaliser, steps[at] as Step, raw));
    return entries;
  }

  async #request(step: Request, names: Names): Promise<Raw> {
    const { identityUrl, networkUrl } = this.#target;
    const token = this.#accounts.token(step.as);
    const sent = names.fill(step.body ?? null);
    const headers = { ...(token === undefined ? {} : { 'x-auth-token': token }), ...names.fill(step.headers ?? {}) };
    const url = `${step.service === 'identity' ? identityUrl : networkUrl}${names.fill(step.path)}`;
    const answer = await send(url, step.method, step.body === undefined ? undefined : sent, headers);
    return {
      requestId: answer.headers.get('x-openstack-request-id') ?? undefined,
      sent,
      sorted: step.path.includes('sort_key'),
      outcome: { status: answer.status, ...telling(answer.headers) },
      got: typeof answer.body === 'string' ? { text: answer.body } : { ...(answer.body as object | undefined) },
    };
  }

  async #call(step: Call, names: Names): Promise<Raw> {
    const requestId = `req-${randomUUID()}`;
    const sent = names.fill(step.args) as Readonly<Record<string, unknown>>;
    const target = { topic: step.topic, version: step.version };
    const options = { timeout: 30_000, context: { requestId, isAdmin: true } };
    const about = { requestId, sent, sorted: false };
    try {
      const result = await this.#target.messaging.call(target, step.call, sent, options);
      return { ...about, outcome: {}, got: result };
    } catch (error) {
      const { remoteClass } = error as { remoteClass?: string };
      return { ...about, outcome: { failure: remoteClass ?? String(error) }, got: undefined };
    }
  }

  /** Resolves when all that was sent before is heard: behind it in the same queues comes a call of our own. */
  async #drained(): Promise<void> {
    for (const topic of ['l3_agent', 'dhcp_agent']) {
      const target = { topic, version: '1.0', server: agentHost };
      await this.#target.messaging.call(target, 'mark', {}, { timeout: 30_000 });
    }
  }

  #entry(normaliser: Normaliser, step: Step, { requestId, sent, sorted, outcome, got }: Raw): Entry {
    const request = normaliser.normalise(sent);
    const answer = normaliser.normalise(got, { sorted, tracked: true });
    const unversioned = normaliser.normalise(got, { sorted });
    const short = (payload: unknown) => {
      if (isDeepStrictEqual(payload, request)) return '= request';
      return isDeepStrictEqual(payload, unversioned) ? '= body' : payload;
    };
    const notifications = this.notifications.heard
      .filter(({ context }) => context.requestId === requestId)
      .map(({ eventType, payload }) => ({ event: eventType, payload: short(normaliser.normalise(payload)) }));
    const casts = this.#agents.heard
      .filter((heard) => heard.requestId === requestId)
      .map(({ topic, message }) => ({
        to: topic,
        method: `${message.method} ${message.version}`,
        args: normaliser.normalise(message.args),
      }));
    const content = 'call' in step ? { result: answer } : { body: answer };
    return {
      step: titleOf(step),
      ...outcome,
      ...(isEmpty(answer) ? {} : content),
      ...(requestId === undefined || notifications.length === 0 ? {} : { notifications }),
      ...(requestId === undefined || casts.length === 0 ? {} : { casts: asSet(casts) as typeof casts }),
    };
  }
}

/** Addresses that are drawn from a pool may be its first or its last. */
const spoken = (key: string, value: unknown) => (key === 'allocation_pools' ? undefined : value);

const swap = ([name, value]: readonly [string, string]) => [value, `<${name}>`] as const;

const isEmpty = (value: unknown) => value === undefined || (isObject(value) && Object.keys(value).length === 0);
const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Headers that clients look at, but for the usual: JSON with the request's id. Of random ones, that they are there. */
function telling(headers: Headers): Pick<Entry, 'headers'> {
  const found: Record<string, string> = {};
  for (const name of ['content-type', 'www-authenticate', 'allow']) {
    const value = headers.get(name);
    if (value === null || (name === 'content-type' && value === 'application/json')) continue;
    found[name] = value.toLowerCase().replaceAll(/http:\/\/[\d.:]+/g, '<host>');
  }
  if (!headers.has('x-openstack-request-id')) found['x-openstack-request-id'] = '(absent)';
  if (headers.has('x-subject-token')) found['x-subject-token'] = '<random>';
  return Object.keys(found).length === 0 ? {} : { headers: found };
}
