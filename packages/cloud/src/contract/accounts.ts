import { randomUUID } from 'node:crypto';
import type { Who } from './step.ts';
import { demand, login, type Target } from './target.ts';

export const prefix = 'contract';

const roles = { admin: 'admin', member: 'member', stranger: 'member' } as const;

type Known = keyof typeof roles;

/** Projects and users of a run's own, so that nothing that is there already shows in an answer. */
export class Accounts {
  /** What scenarios call them: `member.project`, `member.user`, `member.password`, …. */
  readonly names: Readonly<Record<string, string>>;
  readonly projectIds: readonly string[];
  readonly #target: Target;
  readonly #tokens: Readonly<Record<Known, string>>;
  readonly #users: readonly string[];

  private constructor(target: Target, names: Record<string, string>, tokens: Record<Known, string>) {
    this.#target = target;
    this.names = names;
    this.#tokens = tokens;
    const values = (what: string) => Object.keys(roles).map((who) => names[`${who}.${what}`] ?? '');
    this.projectIds = values('project');
    this.#users = values('user');
  }

  static async make(target: Target): Promise<Accounts> {
    const { identityUrl } = target;
    const token = await login(identityUrl, target.admin);
    const ids = await roleIds(target, token);
    const names: Record<string, string> = {};
    const tokens: Record<string, string> = {};
    const run = randomUUID().slice(0, 8);
    for (const [who, role] of Object.entries(roles)) {
      const name = `${prefix}-${who}-${run}`;
      const password = `${prefix}-${randomUUID()}`;
      const project = await made(target, token, 'project', { name, domain_id: 'default' });
      const user = await made(target, token, 'user', { name, domain_id: 'default', password });
      await demand(`${identityUrl}/v3/projects/${project}/users/${user}/roles/${ids[role] ?? ''}`, 'PUT', token);
      tokens[who] = await login(identityUrl, { user: name, password, project: name });
      const mine = { project, user, password, name };
      for (const [what, value] of Object.entries(mine)) names[`${who}.${what}`] = value;
    }
    return new Accounts(target, names, tokens as Record<Known, string>);
  }

  /** undefined: without a token. */
  token(who: Who): string | undefined {
    if (who === 'nobody') return undefined;
    return who === 'forger' ? 'gAAAAA-forged' : this.#tokens[who];
  }

  get admin(): string {
    return this.#tokens.admin;
  }

  async remove(): Promise<void> {
    await removeAccounts(this.#target, { users: this.#users, projects: this.projectIds });
  }
}

interface Ids {
  readonly users: readonly string[];
  readonly projects: readonly string[];
}

/** Of runs that were killed. */
export async function leftAccounts({ identityUrl, admin }: Target): Promise<Ids> {
  const token = await login(identityUrl, admin);
  const ids = async (kind: string) => {
    const answer = await demand(`${identityUrl}/v3/${kind}`, 'GET', token);
    const all = answer[kind] as readonly { name: string; id: string }[];
    return all.filter(({ name }) => name.startsWith(`${prefix}-`)).map(({ id }) => id);
  };
  return { users: await ids('users'), projects: await ids('projects') };
}

export async function removeAccounts({ identityUrl, admin }: Target, { users, projects }: Ids): Promise<void> {
  const token = await login(identityUrl, admin);
  for (const id of users) await demand(`${identityUrl}/v3/users/${id}`, 'DELETE', token);
  for (const id of projects) await demand(`${identityUrl}/v3/projects/${id}`, 'DELETE', token);
}

async function roleIds({ identityUrl }: Target, token: string): Promise<Readonly<Record<string, string>>> {
  const answer = await demand(`${identityUrl}/v3/roles`, 'GET', token);
  return Object.fromEntries((answer.roles as { name: string; id: string }[]).map(({ name, id }) => [name, id]));
}

async function made({ identityUrl }: Target, token: string, kind: string, body: object): Promise<string> {
  const answer = await demand(`${identityUrl}/v3/${kind}s`, 'POST', token, { [kind]: body });
  return (answer[kind] as { id: string }).id;
}
