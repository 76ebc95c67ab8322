import { type AstaraError, type ErrorBody, fromBody } from '@astara/model/error.ts';
import { parseJson } from './unix-json.ts';

const classes: readonly unknown[] = ['retry', 'terminal', 'operator'] satisfies ErrorBody['error']['retry'][];

/** The error that a peer of ours answered with; undefined when the text is none. */
export function remoteError(text: string, status: number): AstaraError | undefined {
  const body = parseJson(text);
  if (!isRecord(body) || !isRecord(body.error)) return undefined;
  const { code, message, remedy, retry, field } = body.error;
  if (typeof code !== 'string' || typeof message !== 'string' || typeof remedy !== 'string') return undefined;
  if (!classes.includes(retry) || (field !== undefined && typeof field !== 'string')) return undefined;
  return fromBody(body as unknown as ErrorBody, status);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
