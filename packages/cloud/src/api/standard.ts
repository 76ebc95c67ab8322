import type { StandardRow } from '../store/rows.ts';
import { text } from './parse.ts';
import type { Attribute } from './resource.ts';

/** Attributes that nearly every resource has. */
export const standardAttributes = {
  id: {},
  project_id: { post: true, parse: text() },
  tenant_id: { post: true, parse: text() },
  description: { post: true, put: true, parse: text(), default: '', sort: false },
  tags: { sort: false },
  created_at: {},
  updated_at: {},
  revision_number: {},
} as const satisfies Readonly<Record<string, Attribute>>;

/** How they are shown. */
export function standardView(row: StandardRow): Record<string, unknown> {
  return {
    id: row.id,
    project_id: row.project_id,
    tenant_id: row.project_id,
    description: row.description,
    tags: [...row.tags].sort(),
    created_at: row.created_at,
    updated_at: row.updated_at,
    revision_number: row.revision_number,
  };
}
