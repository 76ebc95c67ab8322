import type { AstaraError } from '@astara/model/error.ts';
import { type Environment, readVariables, variableName } from './environment.ts';
import { configErrors } from './errors.ts';
import { type Ini, parseIni } from './ini.ts';
import { nearest } from './nearest.ts';
import type { OptionSpec, Section } from './option.ts';

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

/** What the files and the environment say, by `section.option`, before anything is made of it. */
export interface Assignments {
  readonly raws: ReadonlyMap<string, Raw>;
  readonly problems: readonly AstaraError[];
  /** Worth a debug line: what was read over, and why. */
  readonly notes: readonly string[];
  /** Variables of the environment that set something. */
  readonly variables: readonly string[];
}

export interface Raw {
  readonly text: string;
  /** `file:line`, or `environment variable OS_SECTION__OPTION` */
  readonly place: string;
}

/** Reads the files in order, later ones over earlier ones and the environment over all, and finds what nobody knows. */
export function readAssignments(
  sections: readonly Section[],
  files: readonly SourceFile[],
  foreign: Foreign,
  environment: Environment,
): Assignments {
  const problems: AstaraError[] = [];
  const notes: string[] = [];
  const variables: string[] = [];
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
    for (const { section, name, value, line } of ini.assignments) {
      assign(normalise(section), name, { text: value, place: `${file}:${line}` });
    }
  }
  for (const { variable, section, isKnown, name, value } of readVariables(environment, sectionNames)) {
    const place = `environment variable ${variable}`;
    if (isKnown) {
      if (assign(section, name, { text: value, place })) variables.push(variable);
    } else {
      // It may well be another service's: no error.
      const near = nearest(section, sectionNames);
      if (near !== undefined) notes.push(`${place}: read over; did you mean ${variableName(near, name)}?`);
    }
  }

  return { raws, problems, notes, variables };

  /** Whether it is for us. */
  function assign(sectionName: string, name: string, raw: Raw): boolean {
    const { place } = raw;
    const section = known.get(sectionName);
    const spec = section === undefined ? undefined : findOption(section, name);
    if (spec !== undefined) {
      raws.set(`${sectionName}.${spec.name}`, raw);
      if (spec.name !== name) notes.push(`${place}: [${sectionName}] ${name} is now called ${spec.name}`);
    } else if (section?.ignored?.includes(name)) {
      notes.push(`${place}: [${sectionName}] ${name} is for other OpenStack programs: read over`);
    } else if (section !== undefined && !others.get(sectionName)?.includes(name)) {
      problems.push(unknownOption(place, section, name));
    }
    return spec !== undefined;
  }

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
}

/** Section names are the same in any case, but for DEFAULT (as in oslo.config). */
export function normalise(section: string): string {
  return section === 'DEFAULT' ? section : section.toLowerCase();
}

function findOption(section: Section, name: string): (OptionSpec & { name: string }) | undefined {
  for (const [key, spec] of Object.entries(section.options)) {
    if (key === name || spec.aliases?.includes(name)) return { ...spec, name: key };
  }
  return undefined;
}
