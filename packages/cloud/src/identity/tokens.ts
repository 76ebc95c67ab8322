import { randomBytes } from 'node:crypto';
import type { Store } from '../store/store.ts';
import { type Role, rolesOf, withImplied } from './directory.ts';

/** Who bears it, and for which project; without one it opens nothing but the way to one. */
export interface Token {
  readonly id: string;
  readonly userId: string;
  readonly projectId: string | undefined;
  readonly system: boolean;
  readonly methods: readonly string[];
  readonly auditId: string;
  /** Milliseconds since the epoch. */
  readonly issued: number;
  readonly expires: number;
  /** Of an application credential, which may have fewer than its user. */
  readonly roleIds: readonly string[] | undefined;
  readonly applicationCredentialId: string | undefined;
}

export type TokenRequest = Pick<Token, 'userId' | 'projectId' | 'methods'> &
  Partial<Pick<Token, 'system' | 'expires' | 'roleIds' | 'applicationCredentialId'>>;

/** Tokens live in memory only: after a restart clients ask for new ones, as they do when one has expired. */
export class Tokens {
  readonly #store: Store;
  /** Milliseconds. */
  readonly #lifetime: number;
  readonly #tokens = new Map<string, Token>();

  constructor(store: Store, lifetime: number) {
    this.#store = store;
    this.#lifetime = lifetime;
  }

  issue(request: TokenRequest): Token {
    const issued = Date.now();
    const token: Token = {
      id: `gAAAAAB${randomBytes(48).toString('base64url')}`,
      auditId: randomBytes(16).toString('base64url'),
      issued,
      expires: issued + this.#lifetime,
      system: false,
      roleIds: undefined,
      applicationCredentialId: undefined,
      ...request,
    };
    this.#forgetExpired(issued);
    this.#tokens.set(token.id, token);
    return token;
  }

  /** undefined: there is none, it has expired, or its user or project is gone or disabled. */
  find(id: string): Token | undefined {
    const token = this.#tokens.get(id);
    if (token === undefined || token.expires <= Date.now()) return undefined;
    if (this.#store.users.get(token.userId)?.enabled !== true) return undefined;
    const { projectId } = token;
    if (projectId !== undefined && this.#store.projects.get(projectId)?.enabled !== true) return undefined;
    if (projectId !== undefined && this.rolesOf(token).length === 0) return undefined;
    return token;
  }

  revoke(id: string): void {
    this.#tokens.delete(id);
  }

  rolesOf(token: Token): readonly Role[] {
    if (token.roleIds !== undefined) return withImplied(token.roleIds);
    if (token.projectId !== undefined) return rolesOf(this.#store, token.userId, token.projectId);
    if (!token.system) return [];
    return withImplied(this.#store.assignments.by('user', token.userId).map((row) => row.role_id));
  }

  /** The oldest are first. */
  #forgetExpired(now: number): void {
    for (const [id, token] of this.#tokens) {
      if (token.expires > now) return;
      this.#tokens.delete(id);
    }
  }
}
