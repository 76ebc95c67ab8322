/** oslo.config's dialect of INI, as text: nothing here knows an option. */

export interface Assignment {
  readonly section: string;
  readonly name: string;
  /** Continuation lines are joined by line breaks. */
  readonly value: string;
  /** Of the name, from 1. */
  readonly line: number;
}

export interface Ini {
  /** In the order of the file; a name may come more than once, and the last one counts. */
  readonly assignments: readonly Assignment[];
  readonly sections: readonly { readonly name: string; readonly line: number }[];
  readonly errors: readonly { readonly line: number; readonly problem: string }[];
}

/**
 * Never throws: what it cannot read it reports, and goes on with the next line. As oslo.config does:
 * a comment is a line that *begins* with # or ; (there are none behind a value); an indented line continues the value
 * above, whatever it holds; a blank line ends a value; `:` separates like `=`; one pair of quotes around a value is dropped.
 */
export function parseIni(text: string): Ini {
  const assignments: Assignment[] = [];
  const sections: { name: string; line: number }[] = [];
  const errors: { line: number; problem: string }[] = [];
  let section: string | undefined;
  let current: { name: string; parts: string[]; line: number } | undefined;
  /** After a line in error its continuations are not errors of their own. */
  let skipping = false;

  const flush = () => {
    if (current === undefined) return;
    const { name, parts, line } = current;
    if (section === undefined) errors.push({ line, problem: `\`${name}\` comes before the first [section]` });
    else assignments.push({ section, name, value: parts.join('\n'), line });
    current = undefined;
  };
  const fail = (line: number, problem: string) => {
    errors.push({ line, problem });
    skipping = true;
  };

  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  for (const [index, raw] of lines.entries()) {
    const lineNumber = index + 1;
    const line = raw.trimEnd();
    if (line === '') {
      flush();
      skipping = false;
      continue;
    }
    if (line.startsWith(' ') || line.startsWith('\t')) {
      if (current !== undefined) current.parts.push(line.trimStart());
      else if (!skipping) fail(lineNumber, 'an indented line continues a value, but there is none above it');
      continue;
    }
    flush();
    skipping = false;
    if (line.startsWith('#') || line.startsWith(';')) continue;
    if (line.startsWith('[')) {
      const name = line.endsWith(']') ? line.slice(1, -1) : undefined;
      if (name === undefined) fail(lineNumber, 'a section must end with ]');
      else if (name === '') fail(lineNumber, 'a section must have a name');
      else {
        section = name;
        sections.push({ name, line: lineNumber });
      }
      continue;
    }
    const at = line.search(/[=:]/);
    if (at < 0) {
      // The line itself is not shown: it may be half of a secret.
      fail(lineNumber, 'neither a section, a comment nor `name = value`');
      continue;
    }
    const name = line.slice(0, at).trim();
    if (name === '') fail(lineNumber, 'there is no name in front of the = sign');
    else current = { name, parts: [unquote(line.slice(at + 1).trim())], line: lineNumber };
  }
  flush();
  return { assignments, sections, errors };
}

function unquote(value: string): string {
  const first = value[0];
  return (first === '"' || first === "'") && value.at(-1) === first ? value.slice(1, -1) : value;
}
