import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseIni } from './ini.ts';

function values(text: string): Record<string, string> {
  return Object.fromEntries(
    parseIni(text).assignments.map(({ section, name, value }) => [`${section}.${name}`, value]),
  );
}

describe('INI', () => {
  test.each([
    ['an assignment', '[a]\nx = 1', { 'a.x': '1' }],
    ['a colon', '[a]\nx: 1', { 'a.x': '1' }],
    ['whichever comes first separates', '[a]\nx = http://h:1\ny: a=b', { 'a.x': 'http://h:1', 'a.y': 'a=b' }],
    ['comments', '# c\n[a]\n; c\nx = 1 # no comment', { 'a.x': '1 # no comment' }],
    ['quotes', '[a]\nx = " 1 "\ny = \'"\'\nz = "a', { 'a.x': ' 1 ', 'a.y': '"', 'a.z': '"a' }],
    ['continuation', '[a]\nx = 1,\n    2,\n\t3\n\ny = 4', { 'a.x': '1,\n2,\n3', 'a.y': '4' }],
    ['an indented comment is a continuation, too', '[a]\nx = 1\n  # 2', { 'a.x': '1\n# 2' }],
    ['the last one counts', '[a]\nx = 1\n[b]\nx = 2\n[a]\nx = 3', { 'a.x': '3', 'b.x': '2' }],
    ['line ends of other systems', '\uFEFF[a]\r\nx = 1\r\n 2\r\n', { 'a.x': '1\n2' }],
    ['nothing', '[a]\nx =\n', { 'a.x': '' }],
  ])('%s', (_name, text, expected) => {
    const ini = parseIni(text);
    expect(ini.errors).toEqual([]);
    expect(values(text)).toEqual(expected);
  });

  test.each([
    ['[a', 'a section must end with ]'],
    ['[]', 'a section must have a name'],
    ['[a]\nx', 'neither a section, a comment nor `name = value`'],
    ['[a]\n= 1', 'there is no name in front of the = sign'],
    ['[a]\n  1', 'an indented line continues a value, but there is none above it'],
    ['x = 1', '`x` comes before the first [section]'],
  ])('%j', (text, problem) => {
    expect(parseIni(text).errors).toEqual([{ line: text.split('\n').length, problem }]);
  });

  test('goes on after an error, and one error is one error', () => {
    const ini = parseIni('[a]\nhunter2\n  more\n  more\nx = 1\n[b\ny = 2');
    expect(ini.errors.map(({ line }) => line)).toEqual([2, 6]);
    expect(ini.errors[0]?.problem).not.toContain('hunter2');
    expect(ini.assignments).toHaveLength(2);
  });

  test('never throws', () => {
    const line = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[ \t]?[[\]=:#;a-z"']{0,8}$/));
    fc.assert(fc.property(fc.array(line), (lines) => void parseIni(lines.join('\n'))));
  });
});
