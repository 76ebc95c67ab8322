import { randomUUID } from 'node:crypto';
import type { StandardRow } from '../store/rows.ts';
import type { Table } from '../store/table.ts';

/** Now, as Neutron writes it: `YYYY-MM-DDTHH:MM:SSZ`. */
export function timestamp(at: number = Date.now()): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

/** What every new row has. */
export function newStandard(projectId: string, description = ''): StandardRow {
  const now = timestamp();
  return {
    id: randomUUID(),
    project_id: projectId,
    description,
    tags: [],
    created_at: now,
    updated_at: now,
    revision_number: 0,
  };
}

/** Puts the changed row, one revision later. An empty patch says that something changed that belongs to the row: its subnets, its rules. */
export function revise<R extends StandardRow>(table: Table<R>, row: R, patch: Partial<R> = {}): R {
  return table.put({ ...row, ...patch, updated_at: timestamp(), revision_number: row.revision_number + 1 });
}
