import type { Answer } from '../api/operation.ts';
import { forbidden } from './fault.ts';
import type { Token } from './tokens.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** A request of somebody with a valid token. */
export interface Asked {
  readonly token: Token;
  readonly isAdmin: boolean;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Fields;
  /** `http://…/identity/v3` */
  readonly self: string;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  run(asked: Asked): Answer;
}

export function requireAdmin({ isAdmin }: Pick<Asked, 'isAdmin'>, action: string): void {
  if (!isAdmin) throw forbidden(`identity:${action}`);
}

/** A list, filtered by whatever attributes the query names. */
export function listAnswer(
  { query, self }: Pick<Asked, 'query' | 'self'>,
  plural: string,
  rows: readonly object[],
): Answer {
  const filters = [...query].filter(([name]) => rows.some((row) => Object.hasOwn(row, name)));
  const kept = rows.filter((row) => filters.every(([name, value]) => matches((row as Fields)[name], value)));
  const shown = kept.map((row) => ({
    ...row,
    links: { self: `${self}/${plural}/${String((row as Fields).id)}` },
  }));
  return {
    status: 200,
    body: { [plural]: shown, links: { next: null, self: `${self}/${plural}`, previous: null } },
  };
}

const matches = (value: unknown, wanted: string) =>
  typeof value === 'boolean' ? value === !/^(false|0)$/i.test(wanted) : String(value) === wanted;
