import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compile } from './compile.ts';
import { type Config, defineOptions, type OptionSpec, type OptionValue } from './option.ts';
import { renderConfig } from './render.ts';
import { Secret } from './secret.ts';

const sections = [
  defineOptions({
    section: 'DEFAULT',
    description: 'd',
    options: {
      host: { type: 'string', default: () => 'here', description: 'd' },
      run_dir: { type: 'path', default: '/run/x', description: 'd' },
      url: { type: 'string', required: true, secret: true, description: 'd' },
    },
  }),
  defineOptions({
    section: 'all',
    description: 'd',
    options: {
      integer: {
        type: 'integer',
        default: 5,
        min: 1,
        max: 9,
        unit: 'apples',
        aliases: ['old_integer'],
        description: 'd',
      },
      number: { type: 'number', default: 0.5, description: 'd' },
      boolean: { type: 'boolean', default: true, description: 'd' },
      duration: { type: 'duration', default: 1.5, min: 0, description: 'd' },
      list: { type: 'list', default: ['a', 'b'], description: 'd' },
      choice: { type: 'string', choices: ['one', 'two'], default: 'one', description: 'd' },
      path: { type: 'path', default: '$run_dir/sock', description: 'd' },
      maybe: { type: 'integer', default: null, description: 'd' },
      text: { type: 'string', default: '', description: 'd' },
      password: { type: 'string', default: null, secret: true, description: 'd' },
    },
    ignored: ['theirs'],
  }),
] as const;
const URL_LINE = '[DEFAULT]\nurl = rabbit://u:s3cret@h/\n';

function read(text: string, foreign = {}) {
  return compile(sections, [{ file: 'f', text: `${URL_LINE}${text}` }], foreign);
}
function problem(text: string, foreign = {}) {
  const { problems, config } = read(text, foreign);
  expect(problems).toHaveLength(1);
  expect(config).toBeUndefined();
  const [{ code, message, remedy } = { code: '', message: '', remedy: '' }] = problems;
  return { code, message, remedy };
}

describe('compile', () => {
  test('defaults, every value present', () => {
    const { config, problems } = read('');
    expect(problems).toEqual([]);
    expect(config?.all).toEqual({
      integer: 5,
      number: 0.5,
      boolean: true,
      duration: 1500,
      list: ['a', 'b'],
      choice: 'one',
      path: '/run/x/sock',
      maybe: null,
      text: '',
      password: null,
    });
    expect(config?.DEFAULT.host).toBe('here');
    // What the compiler knows of the types.
    const typed: { choice: 'one' | 'two'; maybe: number | null; password: Secret | null } | undefined = config?.all;
    expect(typed?.choice).toBe('one');
  });

  test('values', () => {
    const { config } = read(
      '[ALL]\ninteger = +7\nnumber = -.5\nboolean = OFF\nduration = 0.25\nlist = x, y,,\n  z\nchoice = two\nmaybe =\ntext = " a "\npassword = p',
    );
    const { password, ...rest } = config?.all ?? { password: null };
    expect(password?.reveal()).toBe('p');
    expect(rest).toEqual({
      integer: 7,
      number: -0.5,
      boolean: false,
      duration: 250,
      list: ['x', 'y', 'z'],
      choice: 'two',
      path: '/run/x/sock',
      maybe: null,
      text: ' a ',
    });
  });

  test.each([
    ['[all]\nhost = x', 'CONFIG_UNKNOWN_OPTION', 'f:4: there is no option [all] host', 'It belongs to [DEFAULT].'],
    ['[all]\nintegre = 1', 'CONFIG_UNKNOWN_OPTION', 'f:4: there is no option [all] integre', 'Did you mean integer?'],
    ['[default]\nhost = 1', 'CONFIG_UNKNOWN_SECTION', 'f:3: there is no section [default]', 'Did you mean [DEFAULT]?'],
    ['[databases]', 'CONFIG_UNKNOWN_SECTION', 'f:3: there is no section [databases]', 'Sections are: DEFAULT, all.'],
    [
      '[all]\ninteger = ten',
      'CONFIG_VALUE',
      'f:4: [all] integer is "ten"',
      'Set [all] integer to a whole number from 1 to 9 (apples).',
    ],
    [
      '[all]\ninteger = 10',
      'CONFIG_VALUE',
      'f:4: [all] integer is "10", more than 9',
      'Set [all] integer to a whole number from 1 to 9 (apples).',
    ],
    [
      '[all]\nboolean = maybe',
      'CONFIG_VALUE',
      'f:4: [all] boolean is "maybe", neither true nor false',
      'Set [all] boolean to true or false.',
    ],
    ['[all]\nchoice = 3', 'CONFIG_VALUE', 'f:4: [all] choice is "3"', 'Set [all] choice to one of one, two.'],
    [
      '[all]\ntext = a\n b',
      'CONFIG_VALUE',
      'f:4: [all] text goes on in a second line (in a file: the indented one below it), and takes one line only',
      'Set [all] text to a line of text.',
    ],
    ['[all]\ntext = $nope', 'CONFIG_VARIABLE', 'f:4: [all] text refers to $nope, which is no option', undefined],
    [
      '[all]\npassword = s3cret$word',
      'CONFIG_VARIABLE',
      'f:4: [all] password refers to a $variable, which is no option',
      undefined,
    ],
    [
      '[all]\ntext = $text',
      'CONFIG_VARIABLE_CYCLE',
      'f:4: [all] text refers to itself by way of $variables',
      undefined,
    ],
    [
      '[all]\ntext = $url',
      'CONFIG_VALUE',
      'f:4: [all] text refers to url, which is secret, while this option is shown in logs',
      undefined,
    ],
    [
      '[DEFAULT]\nurl =',
      'CONFIG_MISSING',
      '[DEFAULT] url is not set',
      'Add `url = …` to [DEFAULT] of f: a line of text.',
    ],
    ['[all]\n[', 'CONFIG_SYNTAX', 'f:4: a section must end with ]', undefined],
  ])('%j', (text, code, message, remedy) => {
    const found = problem(text);
    expect(found).toMatchObject({ code, message });
    if (remedy !== undefined) expect(found.remedy).toBe(remedy);
    expect(JSON.stringify(found)).not.toContain('s3cret');
  });

  test('all problems at once', () => {
    const files = [
      { file: 'a', text: '[all]\ninteger = x\nfoo = 1' },
      { file: 'b', text: 'x' },
    ];
    expect(compile(sections, files).problems.map(({ code }) => code)).toEqual([
      'CONFIG_UNKNOWN_OPTION',
      'CONFIG_SYNTAX',
      'CONFIG_MISSING',
      'CONFIG_VALUE',
    ]);
  });

  test('what is for others is read over', () => {
    const { problems, notes } = read('[all]\ntheirs = 1\nold_integer = 3\nshared = 1\n[foreign]\nx = 1', {
      foreign: '*',
      all: ['shared'],
    });
    expect(problems).toEqual([]);
    expect(notes).toEqual([
      'f:4: [all] theirs is for other OpenStack programs: read over',
      'f:5: [all] old_integer is now called integer',
    ]);
  });

  test('variables', () => {
    const { config } = read(
      `host = h\n[all]\ntext = $host/\${all.integer}/$$host/\\$host/$ /\${run_dir}\npassword = a$url`,
    );
    expect(config?.all.text).toBe('h/5/$host/$host/$ //run/x');
    expect(config?.all.password?.reveal()).toBe('arabbit://u:s3cret@h/');
  });

  test('secrets are in no rendering', () => {
    const { config } = read('[all]\npassword = s3cret');
    if (config === undefined) throw new Error('not compiled');
    const shown = [renderConfig(sections, config), JSON.stringify(config), `${config.all.password}`];
    for (const text of shown) expect(text).not.toContain('s3cret');
    expect(shown[0]).toContain('password = ***');
  });

  test('any text gives a configuration or typed problems', () => {
    const word = fc.constantFrom(
      'all',
      'DEFAULT',
      'integer',
      'text',
      'url',
      '__proto__',
      'constructor',
      'toString',
      '$text',
    );
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .tuple(word, fc.oneof(word, fc.string(), fc.string({ unit: 'binary' })))
        .map(([name, value]) => `${name} = ${value}`),
      word.map((name) => `[${name}]`),
      fc.string().map((text) => `text = ${text}\${all.${text}}$${text}`),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const { config, problems } = compile(sections, [{ file: 'f', text: lines.join('\n') }], { other: '*' });
        expect(config === undefined).toBe(problems.length > 0);
        for (const { code } of problems) expect(code).toMatch(/^CONFIG_/);
      }),
      { numRuns: 1000 },
    );
  });

  test('a rendered configuration reads back the same', () => {
    const text = fc.string({ unit: 'binary' }).filter((value) => !/[\r\n]/.test(value));
    const item = text.map((value) => value.replaceAll(',', '').trim()).filter((value) => value !== '');
    const values = fc.record({
      integer: fc.integer({ min: 1, max: 9 }),
      number: fc.integer({ min: -1e9, max: 1e9 }).map((value) => value / 1000 + 0),
      boolean: fc.boolean(),
      duration: fc.nat(),
      list: fc.array(item),
      choice: fc.constantFrom('one', 'two'),
      path: text.map((value) => `/${value.replaceAll('\0', '')}`),
      maybe: fc.option(fc.integer()),
      text,
      password: fc.constant(null),
    });
    fc.assert(
      fc.property(values, (all) => {
        const config = { all } as Config<readonly [(typeof sections)[1]]>;
        const rendered = renderConfig([sections[1]], config);
        const again = compile([sections[1]], [{ file: 'f', text: rendered }]);
        expect(again.problems).toEqual([]);
        expect(again.config).toEqual(config);
      }),
      { numRuns: 500 },
    );
  });

  test('a declared default that its own rules refuse is a fault', () => {
    const spec: OptionSpec = { type: 'integer', default: 3, max: 2, description: 'd' };
    const wrong = defineOptions({ section: 's', description: 'd', options: { x: spec } });
    expect(() => compile([wrong], [])).toThrow(TypeError);
    const value: OptionValue = new Secret('x');
    expect(String(value)).toBe('***');
  });
});
