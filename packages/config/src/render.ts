import type { Config, OptionSpec, OptionValue, Section } from './option.ts';
import { acceptedText, formatValue } from './value.ts';

/** A program and the sections it reads, for the reference. */
export interface Reader {
  readonly program: string;
  readonly sections: readonly Section[];
}

/** The configuration in force, as a file, secrets masked. */
export function renderConfig<const Sections extends readonly Section[]>(
  sections: Sections,
  config: Config<Sections>,
): string {
  const values = config as Readonly<Record<string, Readonly<Record<string, OptionValue>>>>;
  return sections
    .map(({ section, options }) => {
      const lines = Object.entries(options).map(([name, spec]) =>
        `${name} = ${formatValue(spec, values[section]?.[name] ?? null)}`.trimEnd(),
      );
      return `[${section}]\n${lines.join('\n')}\n`;
    })
    .join('\n');
}

/** `astara.conf.sample`: every option, commented out, with its default. `whose`: what it is the configuration of. */
export function renderSample(readers: readonly Reader[], whose = 'Astara'): string {
  const parts = merged(readers).map(({ section, description, options }) => {
    const entries = [...options].map(([name, { spec }]) => {
      const facts = [
        ...(spec.required ? ['Required.'] : []),
        `Takes ${acceptedText(spec)}.`,
        ...(spec.defaultText === undefined ? [] : [`Default: ${spec.defaultText}.`]),
      ].join(' ');
      return `${comment(spec.description)}\n${comment(facts)}\n#${name} = ${sampleValue(spec)}`.trimEnd();
    });
    return `[${section}]\n${comment(description)}\n\n${entries.join('\n\n')}\n`;
  });
  const head = [
    `# The configuration of ${whose}: a sample with every option and its default.`,
    '# Generated from the declarations of the options; do not edit. A line that begins with # is a comment;',
    `# an indented line continues the value above it; $name, \${name} and \${section.name} stand for other options.`,
  ].join('\n');
  return `${head}\n\n${parts.join('\n')}`;
}

const ENVIRONMENT = `## The environment

Any option may be set by an environment variable instead, \`OS_<SECTION>__<OPTION>\` in upper case with two underscores, as with
oslo.config: \`OS_DEFAULT__DEBUG=true\`, \`OS_KEYSTONE__PASSWORD=…\`. It goes before all files. The value is as in a file, with
\`$name\`, but keeps its spaces and quotes. An option that does not exist is an error; a section that we do not have may be another
service's, and is left alone. On SIGHUP the files are read again; the environment stays as it was when the program started.`;

/** `docs/reference/configuration.md`. Who reads an option is said where there are several. */
export function renderReference(readers: readonly Reader[], intro: string): string {
  const parts = merged(readers).map(({ section, description, options, ignored }) => {
    const rows = [...options].map(([name, { spec, programs }]) =>
      [
        `\`${name}\``,
        typeText(spec),
        spec.required ? '_required_' : (spec.defaultText ?? codeOrDash(sampleValue(spec))),
        ...(readers.length === 1 ? [] : [programs.length === readers.length ? 'all' : programs.join(', ')]),
        [spec.description, ...remarks(spec)].join(' '),
      ].map(cell),
    );
    const header = ['Option', 'Takes', 'Default', ...(readers.length === 1 ? [] : ['Read by']), 'Meaning'];
    const also =
      ignored.length === 0
        ? ''
        : `\nRead over, because they are for other OpenStack programs: ${ignored.map((name) => `\`${name}\``).join(', ')}.\n`;
    return `## [${section}]\n\n${description}\n\n${table(header, rows)}${also}`;
  });
  return `${intro}\n\n${ENVIRONMENT}\n\n${parts.join('\n')}`;
}

interface MergedSection {
  readonly section: string;
  readonly description: string;
  readonly options: Map<string, { spec: OptionSpec; programs: string[] }>;
  readonly ignored: readonly string[];
}

/** Sections of all programs as one list; an option that several programs read appears once. */
function merged(readers: readonly Reader[]): MergedSection[] {
  const all = new Map<string, MergedSection>();
  for (const { program, sections } of readers) {
    for (const { section, description, options, ignored = [] } of sections) {
      const into = all.get(section) ?? { section, description, options: new Map(), ignored };
      all.set(section, into);
      for (const [name, spec] of Object.entries(options)) {
        const entry = into.options.get(name) ?? { spec, programs: [] };
        entry.programs.push(program);
        into.options.set(name, entry);
      }
    }
  }
  return [...all.values()];
}

function sampleValue(spec: OptionSpec): string {
  if (spec.required || spec.default === null || typeof spec.default === 'function') return '';
  const value = spec.default;
  // Text keeps its $variables, and a duration is declared in seconds already.
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  return formatValue(spec, value);
}

function typeText(spec: OptionSpec): string {
  if (spec.choices !== undefined && spec.type === 'string') return spec.choices.map((c) => `\`${c}\``).join(', ');
  return acceptedText(spec);
}

function remarks(spec: OptionSpec): string[] {
  return [
    ...(spec.secret ? ['Secret: never shown.'] : []),
    ...(spec.mutable ? ['Read again on SIGHUP.'] : []),
    ...(spec.aliases === undefined ? [] : [`Older name: ${spec.aliases.map((a) => `\`${a}\``).join(', ')}.`]),
  ];
}

function codeOrDash(text: string): string {
  return text === '' ? '–' : `\`${text}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return line(header) + line(header.map(() => '--')) + rows.map(line).join('');
}

function comment(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.length - 1;
    if ((lines[last] ?? '').length + word.length > 110) lines.push(word);
    else lines[last] = lines[last] === '' ? word : `${lines[last]} ${word}`;
  }
  return lines.map((line) => `# ${line}`).join('\n');
}
