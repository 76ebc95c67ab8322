import type { AstaraError } from '@astara/model/error.ts';
import { type Foreign, readAssignments, type SourceFile } from './assignments.ts';
import type { Environment } from './environment.ts';
import { configErrors } from './errors.ts';
import { defaultOf, defaultText, expand } from './expand.ts';
import type { Config, OptionSpec, OptionValue, Section } from './option.ts';
import { acceptedText, parseValue } from './value.ts';

export interface Compiled<Sections extends readonly Section[]> {
  /** Undefined when there are problems. */
  readonly config: Config<Sections> | undefined;
  readonly problems: readonly AstaraError[];
  /** Worth a debug line: what was read over, and why. */
  readonly notes: readonly string[];
  /** Variables of the environment that set something. */
  readonly variables: readonly string[];
}

/** Text → configuration. Later files win over earlier ones, the environment over all. Collects every problem and throws none. */
export function compile<const Sections extends readonly Section[]>(
  sections: Sections,
  files: readonly SourceFile[],
  foreign: Foreign = {},
  environment: Environment = {},
): Compiled<Sections> {
  const { raws, problems: found, notes, variables } = readAssignments(sections, files, foreign, environment);
  const known = new Map(sections.map((section) => [section.section, section]));
  const problems = [...found];
  const values: Record<string, Record<string, OptionValue>> = {};
  for (const { section, options } of sections) {
    const own: Record<string, OptionValue> = {};
    for (const [name, spec] of Object.entries(options)) {
      const value = compileOption(section, name, spec);
      if (value !== undefined) own[name] = value;
    }
    values[section] = own;
  }
  return { config: problems.length === 0 ? (values as Config<Sections>) : undefined, problems, notes, variables };

  function compileOption(section: string, name: string, spec: OptionSpec): OptionValue | undefined {
    const raw = raws.get(`${section}.${name}`);
    if (raw === undefined || (raw.text === '' && spec.required)) {
      if (spec.required) {
        const file = files.at(-1)?.file ?? '/etc/astara/astara.conf';
        const params = { section, name, file, because: '', accepted: acceptedText(spec) };
        problems.push(configErrors.make('CONFIG_MISSING', params));
        return undefined;
      }
      if (spec.default === null) return null;
      if (typeof defaultOf(spec) !== 'string') return parsedDefault(spec);
    }
    const place = raw?.place ?? 'default';
    const text = expand({ section, name, spec, place }, known, raws);
    if (typeof text !== 'string') {
      problems.push(text);
      return undefined;
    }
    const parsed = parseValue(spec, text);
    if (parsed.ok) return parsed.value;
    const { problem } = parsed;
    problems.push(configErrors.make('CONFIG_VALUE', { place, section, name, problem, accepted: acceptedText(spec) }));
    return undefined;
  }
}

function parsedDefault(spec: OptionSpec): OptionValue {
  const parsed = parseValue(spec, defaultText(spec));
  if (!parsed.ok) throw new TypeError(`a declared default ${parsed.problem}`);
  return parsed.value;
}
