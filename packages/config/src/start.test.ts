import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** A program as ours are, run for real. */
const PROGRAM = `
  import { defineOptions } from '${import.meta.dirname}/option.ts';
  import { loadOrExit } from '${import.meta.dirname}/start.ts';
  const sections = [defineOptions({ section: 'DEFAULT', description: 'd', options: {
    port: { type: 'integer', default: 1, min: 1, description: 'd' },
    password: { type: 'string', required: true, secret: true, description: 'd' },
  } })];
  const { config, files } = loadOrExit({ name: 'at-config', does: 'is a test', version: '1.2', sections });
  console.log(JSON.stringify({ config, files: files.length }));
`;

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'at-config-'));
  writeFileSync(join(dir, 'program.ts'), PROGRAM);
  writeFileSync(join(dir, 'good.conf'), '[DEFAULT]\nport = 2\npassword = s3cret\n');
  writeFileSync(join(dir, 'bad.conf'), '[DEFAULT]\nprot = 2\nport = 0\n');
  writeFileSync(join(dir, 'binary.conf'), Buffer.from([0xff, 0xfe, 0x00]));
  mkdirSync(join(dir, 'conf.d'));
  writeFileSync(join(dir, 'conf.d', '20.conf'), '[DEFAULT]\nport = 20\n');
  writeFileSync(join(dir, 'conf.d', '10.conf'), '[DEFAULT]\nport = 10\n');
  writeFileSync(join(dir, 'conf.d', '30.conf.bak'), 'port = 30\n');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function run(...args: string[]) {
  return runIn({}, ...args);
}

function runIn(environment: Readonly<Record<string, string>>, ...args: string[]) {
  const argv = [join(dir, 'program.ts'), ...args.map((arg) => arg.replace('@', `${dir}/`))];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...environment },
  });
  return { status, stdout: stdout.replaceAll(dir, ''), stderr: stderr.replaceAll(dir, '') };
}

describe('loadOrExit', () => {
  test('files and directories, the last one wins', () => {
    const password = '***';
    expect(JSON.parse(run('--config-file', '@good.conf').stdout)).toEqual({
      config: { DEFAULT: { port: 2, password } },
      files: 1,
    });
    const both = run('--config-file=@good.conf', '--config-dir', '@conf.d');
    expect(JSON.parse(both.stdout)).toEqual({ config: { DEFAULT: { port: 20, password } }, files: 3 });
    const reversed = run('--config-dir', '@conf.d', '--config-file', '@good.conf');
    expect(JSON.parse(reversed.stdout).config.DEFAULT.port).toBe(2);
  });

  test('everything that is wrong, with what to do, and exit code 2', () => {
    const { status, stdout, stderr } = run('--config-file', '@bad.conf');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toBe(
      [
        'error: /bad.conf:2: there is no option [DEFAULT] prot',
        'what to do: Did you mean port?',
        'error: /bad.conf:3: [DEFAULT] port is "0", less than 1',
        'what to do: Set [DEFAULT] port to a whole number of at least 1.',
        'error: [DEFAULT] password is not set',
        'what to do: Add `password = …` to [DEFAULT] of /bad.conf: a line of text.',
        '',
      ].join('\n'),
    );
  });

  test.each([
    ['@none.conf', 'cannot read the configuration file /none.conf: it does not exist'],
    ['@conf.d', 'cannot read the configuration file /conf.d: it is a directory'],
    ['@binary.conf', 'cannot read the configuration file /binary.conf: it is not UTF-8 text'],
  ])('%s cannot be read', (file, message) => {
    const { status, stderr } = run('--config-file', file);
    expect(status).toBe(2);
    expect(stderr).toMatch(new RegExp(`^error: ${message}\nwhat to do: Check that the path is right[^\n]*\n$`));
  });

  test('--check-config', () => {
    const good = run('--check-config', '--config-file', '@good.conf');
    expect(good).toEqual({ status: 0, stdout: 'the configuration is valid (/good.conf)\n', stderr: '' });
    expect(run('--check-config', '--config-file', '@bad.conf').status).toBe(2);
    expect(run('--check-config', '--config-dir', '@none').stderr).toContain('/none: it does not exist');
  });

  test('the environment goes before the files', () => {
    const check = ['--check-config', '--config-file', '@good.conf'];
    expect(runIn({ OS_DEFAULT__PORT: '7', OS_AUTH_URL: 'x', OS_NOVA__PORT: '0' }, ...check)).toEqual({
      status: 0,
      stdout: 'the configuration is valid (/good.conf, OS_DEFAULT__PORT)\n',
      stderr: '',
    });
    const set = runIn({ OS_DEFAULT__PASSWORD: 's3cret', OS_DEFAULT__PORT: '7' }, '--config-dir', '@conf.d');
    expect(JSON.parse(set.stdout).config).toEqual({ DEFAULT: { port: 7, password: '***' } });
    expect(runIn({ OS_DEFAULT__PROT: '7' }, ...check)).toEqual({
      status: 2,
      stdout: '',
      stderr:
        'error: environment variable OS_DEFAULT__PROT: there is no option [DEFAULT] prot\nwhat to do: Did you mean port?\n',
    });
  });

  test('other arguments', () => {
    expect(run('--version')).toMatchObject({ status: 0, stdout: 'at-config 1.2\n' });
    expect(run('-h').stdout).toContain('at-config: is a test');
    const wrong = run('--confgi-file', 'x');
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toContain("Unknown option '--confgi-file'");
    expect(run('--config-file').status).toBe(2);
    expect(run('stray').status).toBe(2);
  });
});
