import type { Secret } from './secret.ts';

/**
 * An option is declared once; reading, checking, the sample file and the reference page come from the declaration.
 *
 * What a type means, in the file → once compiled:
 * - `string`   one line of text → string, or {@link Secret} with `secret`
 * - `path`     an absolute path → string
 * - `integer`  → number
 * - `number`   decimals allowed → number
 * - `boolean`  true/false, yes/no, on/off, 1/0 → boolean
 * - `duration` seconds, decimals allowed → **milliseconds**
 * - `list`     separated by commas or lines → string[]
 */
export type OptionSpec = (
  | Typed<'string', string>
  | Typed<'path', string>
  | Typed<'integer', number>
  | Typed<'number', number>
  | Typed<'boolean', boolean>
  | Typed<'duration', number>
  | Typed<'list', readonly string[]>
) &
  OptionFacts;

type Typed<Type extends string, Value> = {
  readonly type: Type;
} & (
  | {
      /** As written in the file (durations in seconds; text may hold $variables). `null`: unset, unless somebody sets it. */
      readonly default: Value | null | (() => Value);
      readonly required?: never;
    }
  | { readonly required: true; readonly default?: never }
);

interface OptionFacts {
  /** For operators: what it does, in plain sentences. */
  readonly description: string;
  readonly unit?: string;
  /** Compiled to a {@link Secret}. Text only. */
  readonly secret?: true;
  /** Takes effect on SIGHUP, without a restart. */
  readonly mutable?: true;
  /** Of a number: the least and greatest, in the unit of the file. Of text: how long, in characters. */
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly string[];
  /** What text, or each item of a list, must look like; `text` completes “Set … to …”. */
  readonly accepts?: { readonly text: string; readonly test: (value: string) => boolean };
  /** Stands for a computed default in the sample and the reference. */
  readonly defaultText?: string;
  /** Older names that are still read. */
  readonly aliases?: readonly string[];
}

interface Values {
  string: string;
  path: string;
  integer: number;
  number: number;
  boolean: boolean;
  duration: number;
  list: readonly string[];
}

type Plain<Spec extends OptionSpec> = Spec extends { readonly secret: true }
  ? Secret
  : Spec extends { readonly choices: readonly (infer Choice)[] }
    ? Choice
    : Values[Spec['type']];

/** The compiled value of an option. */
export type ValueOf<Spec extends OptionSpec> = Spec extends { readonly default: null }
  ? Plain<Spec> | null
  : Plain<Spec>;

export type OptionValue = string | number | boolean | readonly string[] | Secret | null;

export interface Section<
  Name extends string = string,
  Options extends Readonly<Record<string, OptionSpec>> = Readonly<Record<string, OptionSpec>>,
> {
  readonly section: Name;
  readonly description: string;
  readonly options: Options;
  /** Options of other OpenStack programs in a section we share with them: read over, with a note. */
  readonly ignored?: readonly string[];
}

/** The compiled configuration: `config.l3.report_interval`. Every value is present, under the name it has in the file. */
export type Config<Sections extends readonly Section[]> = {
  readonly [S in Sections[number] as S['section']]: {
    readonly [Name in keyof S['options']]: ValueOf<S['options'][Name]>;
  };
};

/** Declares a section; see {@link OptionSpec}. */
export function defineOptions<const Name extends string, const Options extends Readonly<Record<string, OptionSpec>>>(
  section: Section<Name, Options>,
): Section<Name, Options> {
  return Object.freeze(section);
}
