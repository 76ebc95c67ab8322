import type { AstaraError } from '@astara/model/error.ts';
import { normalise, type Raw } from './assignments.ts';
import { configErrors } from './errors.ts';
import type { OptionSpec, Section } from './option.ts';
import { substitute } from './substitute.ts';
import { acceptedText } from './value.ts';

/** An option, for values and messages. */
export interface Subject {
  readonly section: string;
  readonly name: string;
  readonly spec: OptionSpec;
  /** Where its value was set. */
  readonly place: string;
}

/** The option's text with its variables filled in, or why that cannot be. */
export function expand(
  { section, name, spec, place }: Subject,
  known: ReadonlyMap<string, Section>,
  raws: ReadonlyMap<string, Raw>,
): string | AstaraError {
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
          ? fill(normalise(first), rest.join('.'), inner)
          : (fill(sectionOf, variable, inner) ?? fill('DEFAULT', variable, inner));
      },
      (variable) => {
        // A stray $ in a password reads like a variable: it must not be repeated.
        const shown = spec.secret === true ? 'a $variable' : `$${variable}`;
        failed ??= configErrors.make('CONFIG_VARIABLE', { place, section, name, variable: shown });
      },
    );
  };
  const text = fill(section, name, []) ?? '';
  return failed ?? text;
}

function optionNamed(section: Section | undefined, name: string): OptionSpec | undefined {
  return section !== undefined && Object.hasOwn(section.options, name) ? section.options[name] : undefined;
}

export function defaultOf(spec: OptionSpec): string | number | boolean | readonly string[] | null | undefined {
  return typeof spec.default === 'function' ? spec.default() : spec.default;
}

/** The default as a file would hold it. */
export function defaultText(spec: OptionSpec): string {
  const value = defaultOf(spec);
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? value.join(',') : String(value);
}
