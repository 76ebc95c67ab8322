import type { AstaraError } from '@astara/model/error.ts';
import { configErrors } from './errors.ts';
import { type Ini, parseIni } from './ini.ts';
import { nearest } from './nearest.ts';
import type { Config, OptionSpec, OptionValue, Section } from './option.ts';
import { substitute } from './substitute.ts';
import { acceptedText, parseValue } from './value.ts';

export interface SourceFile {
  /** For messages. */
  readonly file: string;
  readonly text: string;
}

/**
 * What else may stand in a file that several programs read: whole sections (`*`), or single options of a section.
 * They are read over; the program that they are for checks them.
 */
export type Foreign = Readonly<Record<string, '*' | readonly string[]>>;

export interface Compiled<Sections extends readonly Section[]> {
  /** Undefined when there are problems. */
  readonly config: Config<Sections> | undefined;
  readonly problems: readonly AstaraError[];
  /** Worth a debug line: what was read over, and why. */
  readonly notes: readonly string[];
}

interface Raw {
  readonly text: string;
  readonly place: string;
}

/** Text → configuration. Later files win over earlier ones. Collects every problem and throws none. */
export function compile<const Sections extends readonly Section[]>(
  sections: Sections,
  files: readonly SourceFile[],
  foreign: Foreign = {},
): Compiled<Sections> {
  const problems: AstaraError[] = [];
  const notes: string[] = [];
  const raws = new Map<string, Raw>();
  const known = new Map(sections.map((section) => [section.section, section]));
  const others = new Map(Object.entries(foreign));
  const sectionNames = [...new Set([...known.keys(), ...others.keys()])];

  for (const { file, text } of files) {
    const ini = parseIni(text);
    for (const { line, problem } of ini.errors) {
      problems.push(configErrors.make('CONFIG_SYNTAX', { place: `${file}:${line}`, problem }));
    }
    checkSections(file, ini);
    for (const { section: written, name, value, line } of ini.assignments) {
      const sectionName = normalise(written);
      const place = `${file}:${line}`;
      const section = known.get(sectionName);
      const spec = section === undefined ? undefined : findOption(section, name);
      if (spec !== undefined) {
        raws.set(`${sectionName}.${spec.name}`, { text: value, place });
        if (spec.name !== name) notes.push(`${place}: [${sectionName}] ${name} is now called ${spec.name}`);
      } else if (section?.ignored?.includes(name)) {
        notes.push(`${place}: [${sectionName}] ${name} is for other OpenStack programs: read over`);
      } else if (section !== undefined && !others.get(sectionName)?.includes(name)) {
        problems.push(unknownOption(place, section, name));
      }
    }
  }

  const values = compileValues();
  return { config: problems.length === 0 ? (values as Config<Sections>) : undefined, problems, notes };

  function checkSections(file: string, ini: Ini): void {
    for (const { name, line } of ini.sections) {
      if (sectionNames.includes(normalise(name))) continue;
      const near = nearest(name, sectionNames);
      const hint = near === undefined ? `Sections are: ${sectionNames.join(', ')}.` : `Did you mean [${near}]?`;
      const place = `${file}:${line}`;
      problems.push(configErrors.make('CONFIG_UNKNOWN_SECTION', { place, section: name, hint }));
    }
  }

  function unknownOption(place: string, section: Section, name: string): AstaraError {
    const elsewhere = sections.find((other) => Object.hasOwn(other.options, name));
    const near = nearest(name, [...Object.keys(section.options), ...(others.get(section.section) ?? [])]);
    const hint =
      elsewhere !== undefined
        ? `It belongs to [${elsewhere.section}].`
        : near !== undefined
          ? `Did you mean ${near}?`
          : `See the options of [${section.section}] in docs/reference/configuration.md.`;
    return configErrors.make('CONFIG_UNKNOWN_OPTION', { place, section: section.section, name, hint });
  }

  function compileValues(): Record<string, Record<string, OptionValue>> {
    const result: Record<string, Record<string, OptionValue>> = {};
    for (const { section, options } of sections) {
      const values: Record<string, OptionValue> = {};
      for (const [name, spec] of Object.entries(options)) {
        const value = compileOption(section, name, spec);
        if (value !== undefined) values[name] = value;
      }
      result[section] = values;
    }
    return result;
  }

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
    const text = expand(section, name, spec, place);
    if (text === undefined) return undefined;
    const parsed = parseValue(spec, text);
    if (parsed.ok) return parsed.value;
    const { problem } = parsed;
    problems.push(configErrors.make('CONFIG_VALUE', { place, section, name, problem, accepted: acceptedText(spec) }));
    return undefined;
  }

  /** The option's text with its variables filled in; a problem is noted and gives undefined. */
  function expand(section: string, name: string, spec: OptionSpec, place: string): string | undefined {
    let failed: AstaraError | undefined;
    const fill = (sectionOf: string, nameOf: string, path: readonly string[]): string | undefined => {
      const key = `${sectionOf}.${nameOf}`;
      if (path.includes(key)) {
        failed ??= configErrors.make('CONFIG_VARIABLE_CYCLE', { place, section, name });
        return '';
      }
      const optionOf = optionNamed(known.get(sectionOf), nameOf);
      if (optionOf?.secret === true && spec.secret !== true) {
        const problem = `refers to ${nameOf}, which is secret, while this option is shown in logs`;
        failed ??= configErrors.make('CONFIG_VALUE', { place, section, name, problem, accepted: acceptedText(spec) });
        return '';
      }
      const text = raws.get(key)?.text ?? (optionOf === undefined ? undefined : defaultText(optionOf));
      if (text === undefined) return undefined;
      return substitute(
        text,
        (variable) => {
          const [first = '', ...rest] = variable.split('.');
          const inner = [...path, key];
          return rest.length > 0
            ? fill(first === 'DEFAULT' ? first : first.toLowerCase(), rest.join('.'), inner)
            : (fill(sectionOf, variable, inner) ?? fill('DEFAULT', variable, inner));
        },
        (variable) => {
          // A stray $ in a password reads like a variable: it must not be repeated.
          const shown = spec.secret === true ? 'a $variable' : `$${variable}`;
          failed ??= configErrors.make('CONFIG_VARIABLE', { place, section, name, variable: shown });
        },
      );
    };
    const text = fill(section, name, []);
    if (failed !== undefined) problems.push(failed);
    return failed === undefined ? text : undefined;
  }
}

/** Section names are the same in any case, but for DEFAULT (as in oslo.config). */
function normalise(section: string): string {
  return section === 'DEFAULT' ? section : section.toLowerCase();
}

function findOption(section: Section, name: string): (OptionSpec & { name: string }) | undefined {
  for (const [key, spec] of Object.entries(section.options)) {
    if (key === name || spec.aliases?.includes(name)) return { ...spec, name: key };
  }
  return undefined;
}

function optionNamed(section: Section | undefined, name: string): OptionSpec | undefined {
  return section !== undefined && Object.hasOwn(section.options, name) ? section.options[name] : undefined;
}

function defaultOf(spec: OptionSpec): string | number | boolean | readonly string[] | null | undefined {
  return typeof spec.default === 'function' ? spec.default() : spec.default;
}

/** The default as a file would hold it. */
function defaultText(spec: OptionSpec): string {
  const value = defaultOf(spec);
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? value.join(',') : String(value);
}

function parsedDefault(spec: OptionSpec): OptionValue {
  const parsed = parseValue(spec, defaultText(spec));
  if (!parsed.ok) throw new TypeError(`a declared default ${parsed.problem}`);
  return parsed.value;
}
