import { readFile, rename, writeFile } from 'node:fs/promises';
import { InstanceSpec } from '@astara/model/instance.ts';
import { InstanceId } from '@astara/model/scalars.ts';
import { validator } from '@astara/model/validate.ts';
import Type from 'typebox';

/**
 * `instance.json`: what the agent must remember of an instance. It is written before the thing it tells of is done, so that
 * whatever a killed agent has left can be found: only `ready` ones are adopted, all others are removed at the next start.
 */
export const InstanceRecord = Type.Object({
  version: Type.Literal(1),
  id: InstanceId,
  phase: Type.Union([Type.Literal('making'), Type.Literal('ready'), Type.Literal('removing')]),
  created_at: Type.String(),
  spec: InstanceSpec,
  /** Its init as the host sees it; `start_time` in clock ticks since boot guards against a pid used again. */
  init: Type.Union([Type.Object({ pid: Type.Integer(), start_time: Type.Integer() }), Type.Null()]),
});
export type InstanceRecord = Type.Static<typeof InstanceRecord>;
export type InitRef = NonNullable<InstanceRecord['init']>;

const validate = validator(InstanceRecord);

/** Readers see the old file or the new one, never a half. */
export async function writeRecord(path: string, record: InstanceRecord): Promise<void> {
  const draft = `${path}.new`;
  await writeFile(draft, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o640 });
  await rename(draft, path);
}

/** Undefined when there is none, or none that can be trusted: both mean that the instance is half-made. */
export async function readRecord(path: string): Promise<InstanceRecord | undefined> {
  try {
    const checked = validate(JSON.parse(await readFile(path, 'utf8')));
    return checked.ok ? checked.value : undefined;
  } catch (cause) {
    if (cause instanceof SyntaxError || (cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}
