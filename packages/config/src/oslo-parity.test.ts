import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseIni } from './ini.ts';
import { substitute } from './substitute.ts';

/** oslo.config itself, where Debian's python3-oslo.config is installed: it is what operators' files were written for. */
const PYTHON = '/usr/bin/python3';
const hasOslo = spawnSync(PYTHON, ['-c', 'import oslo_config.iniparser']).status === 0;

const PARSE = `
import json, sys
from oslo_config import iniparser
class P(iniparser.BaseParser):
    def __init__(self): self.out, self.section = [], None
    def new_section(self, s): self.section = s
    def assignment(self, k, v):
        if not self.section: raise iniparser.ParseError('', 0, '')
        self.out.append([self.section, k, chr(10).join(v)])
def parse(text):
    p = P()
    try: p.parse(text.split(chr(10)))
    except iniparser.ParseError: return None
    return p.out
print(json.dumps([parse(t) for t in json.load(sys.stdin)]))
`;
const SUBSTITUTE = `
import json, sys
from oslo_config import cfg
T = cfg.ConfigOpts.Template
def sub(t): return T(t.replace(r'\\$', '$$')).safe_substitute({'a': 'A', 's.b': 'B'})
print(json.dumps([sub(t) for t in json.load(sys.stdin)]))
`;

function python(code: string, input: readonly string[]): unknown[] {
  const { stdout, stderr, status } = spawnSync(PYTHON, ['-c', code], {
    input: JSON.stringify(input),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

describe.skipIf(!hasOslo)('oslo.config itself (skipped: python3-oslo.config is not installed)', () => {
  test('reads the same assignments from the same text', () => {
    const piece = fc.constantFrom(
      '[',
      ']',
      'a',
      'b = ',
      ' ',
      '\t',
      '=',
      ':',
      '#',
      ';',
      '"',
      "'",
      '\n',
      '\n\n',
      ',',
      '$',
    );
    const line = fc.constantFrom('[s]', 'a = 1', 'a: "x"', ' more', '# c', '  # c', '', 'b =', "c = 'y'", '[t');
    const text = fc
      .array(
        fc.oneof(
          line,
          fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
        ),
      )
      .map((lines) => `[s]\n${lines.join('\n')}`);
    const texts = fc.sample(text, 3000);
    const theirs = python(PARSE, texts);
    for (const [index, sample] of texts.entries()) {
      const { assignments, errors } = parseIni(sample);
      const ours = errors.length > 0 ? null : assignments.map(({ section, name, value }) => [section, name, value]);
      expect(ours, JSON.stringify(sample)).toEqual(theirs[index]);
    }
  });

  test('fills the same variables', () => {
    const piece = fc.constantFrom('$', '\\', '{', '}', 'a', 's.b', '.', '$a', '\u0024{s.b}', '$$', '\\$', ' ', 'x');
    const texts = fc.sample(
      fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
      3000,
    );
    const theirs = python(SUBSTITUTE, texts);
    const known: Record<string, string> = { a: 'A', 's.b': 'B' };
    for (const [index, sample] of texts.entries()) {
      const ours = substitute(
        sample,
        (variable) => known[variable],
        () => undefined,
      );
      expect(ours, JSON.stringify(sample)).toBe(theirs[index]);
    }
  });
});
