/** A process's environment, `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Variable {
  readonly variable: string;
  /** The name of one of the sections that were asked about, or what the variable has in its place, in lower case. */
  readonly section: string;
  readonly isKnown: boolean;
  /** Of the option, in lower case. */
  readonly name: string;
  readonly value: string;
}

/** `OS_<SECTION>__<OPTION>`, as oslo.config reads them; those with single underscores (`OS_AUTH_URL`) are none of these. */
export function readVariables(environment: Environment, sections: readonly string[]): Variable[] {
  const names = new Map(sections.map((section) => [section.toUpperCase(), section]));
  return Object.entries(environment).flatMap(([variable, value]) => {
    const [, written, option] = /^OS_([A-Z0-9_]+?)__([A-Z0-9_]+)$/.exec(variable) ?? [];
    if (written === undefined || option === undefined || value === undefined) return [];
    const section = names.get(written);
    return [
      {
        variable,
        section: section ?? written.toLowerCase(),
        isKnown: section !== undefined,
        name: option.toLowerCase(),
        value,
      },
    ];
  });
}

/** The variable that sets an option. */
export function variableName(section: string, name: string): string {
  return `OS_${section}__${name}`.toUpperCase();
}
