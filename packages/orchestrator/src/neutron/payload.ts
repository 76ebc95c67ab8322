/** What came over the bus, looked at with care. */

export function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A list of ids, or of objects that have one. */
export function ids(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.map((item: unknown) => textOf(item) ?? textOf(objectOf(item)?.id)).filter((id) => id !== undefined);
}

/** An object of Neutron's inside a message: its shape is Neutron's word, that it has an id and a revision is checked. */
export function neutronObject<T extends { readonly id: string; readonly revision_number: number }>(
  container: unknown,
  key: string,
): T | undefined {
  const found = objectOf(objectOf(container)?.[key]);
  if (found === undefined || typeof found.id !== 'string' || typeof found.revision_number !== 'number')
    return undefined;
  return found as unknown as T;
}
