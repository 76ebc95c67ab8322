import type { Body, Context } from './resource.ts';

export interface Answer {
  readonly status: number;
  /** Absent: none. */
  readonly body?: unknown;
}

/** What the API does besides Resources: `quotas/:project`, `agents/:id/l3-routers`. */
export interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below `/v2.0/`; a word that begins with a colon is a parameter. */
  readonly path: string;
  /** Neutron's rule that allows it to administrators only, such as `rule:get_l3-routers`; absent: everybody may. */
  readonly adminRule?: string;
  /** Runs inside one transaction. `body` is the whole body of the request, `{}` if it has none. */
  run(context: Context, parameters: Readonly<Record<string, string>>, body: Body): Answer;
}
