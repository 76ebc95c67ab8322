import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compile } from './compile.ts';
import type { Environment } from './environment.ts';
import { variableName } from './environment.ts';
import { defineOptions } from './option.ts';

const sections = [
  defineOptions({
    section: 'DEFAULT',
    description: 'd',
    options: {
      run_dir: { type: 'path', default: '/run/x', description: 'd' },
      url: {
        type: 'string',
        required: true,
        secret: true,
        accepts: { text: 'a:b', test: (s) => s.includes(':') },
        description: 'd',
      },
    },
  }),
  defineOptions({
    section: 'oslo_queue',
    description: 'd',
    options: {
      workers: { type: 'integer', default: 5, min: 1, max: 9, aliases: ['old_workers'], description: 'd' },
      socket: { type: 'path', default: '/s', description: 'd' },
      text: { type: 'string', default: '', description: 'd' },
      names: { type: 'list', default: [], description: 'd' },
    },
    ignored: ['theirs'],
  }),
] as const;
const foreign = { agent: '*', oslo_queue: ['kernel'] } as const;

function read(environment: Environment, text = '') {
  const files = [{ file: 'f', text: `[DEFAULT]\nurl = file:secret\n[oslo_queue]\n${text}` }];
  return compile(sections, files, foreign, environment);
}
function problems(environment: Environment) {
  return read(environment).problems.map(({ message, remedy }) => `${message} | ${remedy}`);
}

describe('the environment', () => {
  test('goes before the files, with variables of either', () => {
    const {
      config,
      problems: found,
      variables,
    } = read(
      { OS_OSLO_QUEUE__WORKERS: '7', OS_DEFAULT__RUN_DIR: '/run/y', OS_DEFAULT__URL: 'env:s3cret', PATH: '/bin' },
      'workers = 3\nsocket = $run_dir/sock\n',
    );
    expect(found).toEqual([]);
    expect(config?.oslo_queue).toMatchObject({ workers: 7, socket: '/run/y/sock' });
    expect(config?.DEFAULT.url.reveal()).toBe('env:s3cret');
    expect(variables).toEqual(['OS_OSLO_QUEUE__WORKERS', 'OS_DEFAULT__RUN_DIR', 'OS_DEFAULT__URL']);
    expect(read({ OS_OSLO_QUEUE__SOCKET: `\${DEFAULT.run_dir}/e` }).config?.oslo_queue.socket).toBe('/run/x/e');
  });

  test.each<[Environment, string]>([
    [
      { OS_OSLO_QUEUE__WORKERS: '0' },
      'environment variable OS_OSLO_QUEUE__WORKERS: [oslo_queue] workers is "0", less than 1 | Set [oslo_queue] workers to a whole number from 1 to 9.',
    ],
    [
      { OS_OSLO_QUEUE__WORKRES: '1' },
      'environment variable OS_OSLO_QUEUE__WORKRES: there is no option [oslo_queue] workres | Did you mean workers?',
    ],
    [
      { OS_OSLO_QUEUE__KERNLE: '1' },
      'environment variable OS_OSLO_QUEUE__KERNLE: there is no option [oslo_queue] kernle | Did you mean kernel?',
    ],
    [
      { OS_DEFAULT__SOCKET: '/x' },
      'environment variable OS_DEFAULT__SOCKET: there is no option [DEFAULT] socket | It belongs to [oslo_queue].',
    ],
    [
      { OS_DEFAULT__URL: 's3cret' },
      'environment variable OS_DEFAULT__URL: [DEFAULT] url is of a form that cannot be right (not shown: it is secret) | Set [DEFAULT] url to a:b.',
    ],
    [
      { OS_DEFAULT__RUN_DIR: '$url' },
      'environment variable OS_DEFAULT__RUN_DIR: [DEFAULT] run_dir refers to url, which is secret, while this option is shown in logs | Set [DEFAULT] run_dir to an absolute path.',
    ],
    [
      { OS_OSLO_QUEUE__TEXT: 'a\nb' },
      'environment variable OS_OSLO_QUEUE__TEXT: [oslo_queue] text goes on in a second line (in a file: the indented one below it), and takes one line only | Set [oslo_queue] text to a line of text.',
    ],
  ])('%j is an error that names the variable', (environment, message) => {
    expect(problems(environment)).toEqual([message]);
    expect(read(environment).config).toBeUndefined();
  });

  test.each([
    'OS_AUTH_URL',
    'OS_CLOUD',
    'OS_OSLO_QUEUE_WORKERS',
    'OS_oslo_queue__workers',
    'XOS_OSLO_QUEUE__WORKERS',
    'OS_GLANCE_STORE__WORKERS',
    'OS_AGENT__SOCKET_GROUP',
    'OS_OSLO_QUEUE__KERNEL',
    'OS___WORKERS',
    'OS_OSLO_QUEUE__',
  ])('%s is nothing to us', (variable) => {
    expect(read({ [variable]: 's3cret' })).toEqual(read({}));
  });

  test('what may be meant otherwise is noted, without its value', () => {
    const {
      notes,
      problems: found,
      variables,
    } = read({
      OS_OSLO_QUEU__WORKERS: 's3cret',
      OS_OSLO_QUEUE__THEIRS: 's3cret',
      OS_OSLO_QUEUE__OLD_WORKERS: '2',
    });
    expect(found).toEqual([]);
    expect(notes).toEqual([
      'environment variable OS_OSLO_QUEU__WORKERS: read over; did you mean OS_OSLO_QUEUE__WORKERS?',
      'environment variable OS_OSLO_QUEUE__THEIRS: [oslo_queue] theirs is for other OpenStack programs: read over',
      'environment variable OS_OSLO_QUEUE__OLD_WORKERS: [oslo_queue] old_workers is now called workers',
    ]);
    expect(variables).toEqual(['OS_OSLO_QUEUE__OLD_WORKERS']);
  });

  test('an option means the same in the environment as in a file, and wins over one', () => {
    const name = fc.constantFrom('workers', 'socket', 'text', 'names');
    // What a file's reader takes away (spaces at the ends, quotes) the environment keeps.
    const value = fc
      .oneof(
        fc.constantFrom('7', '/a', '$run_dir/b', `\${oslo_queue.workers}`, '$nobody', '$$1', 'a,b', ''),
        fc.string(),
      )
      .filter((text) => text.trim() === text && !/[\r\n]|^["']/.test(text));
    fc.assert(
      fc.property(name, value, fc.constantFrom('', '5', 'x'), (option, text, before) => {
        const environment = { [variableName('oslo_queue', option)]: text };
        const inFile = read({}, `${option} = ${text}`);
        const fromEnvironment = read(environment, before === '' ? '' : `${option} = ${before}`);
        expect(fromEnvironment.config).toEqual(inFile.config);
        const where = (message: string) => message.replace(/^(f:4|environment variable \w+): /, '');
        expect(fromEnvironment.problems.map(({ message }) => where(message))).toEqual(
          inFile.problems.map(({ message }) => where(message)),
        );
      }),
      { numRuns: 1000 },
    );
  });
});
