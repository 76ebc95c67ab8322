import { expect, test } from 'vitest';
import { compile } from './compile.ts';
import { defineOptions } from './option.ts';
import { applyMutable } from './reload.ts';

test('mutable options take effect, the others are named', () => {
  const section = defineOptions({
    section: 's',
    description: 'd',
    options: {
      debug: { type: 'boolean', default: false, mutable: true, description: 'd' },
      list: { type: 'list', default: ['a'], description: 'd' },
      port: { type: 'integer', default: 1, description: 'd' },
      password: { type: 'string', default: 'a', secret: true, description: 'd' },
    },
  });
  const read = (text: string) => {
    const { config } = compile([section], [{ file: 'f', text: `[s]\n${text}` }]);
    if (config === undefined) throw new Error('does not compile');
    return config;
  };
  const { config, changed, needsRestart } = applyMutable(
    [section],
    read(''),
    read('debug = yes\nport = 2\nlist = a\npassword = b'),
  );
  expect(config.s).toMatchObject({ debug: true, port: 1 });
  expect(changed).toEqual(['[s] debug']);
  expect(needsRestart).toEqual(['[s] port', '[s] password']);
});
