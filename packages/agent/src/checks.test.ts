import { expect, test } from 'vitest';
import { checkHost } from './checks.ts';

const everything = 'CapEff:\tffffffffffffffff';

test('this machine has all that is needed', () => {
  expect(checkHost()).toEqual([]);
});

test('a missing program is named with its Debian package', () => {
  const problems = checkHost('/nonexistent', everything);
  expect(problems.map((problem) => problem.message)).toContain('the program catatonit is not installed');
  const bird = problems.find((problem) => problem.message.includes(' bird '));
  expect(bird?.remedy).toContain('apt-get install bird2');
});

test('missing capabilities are named', () => {
  const [problem] = checkHost(undefined, 'CapEff:\tffffffffff7fdfff');
  expect(problem?.message).toBe('the agent lacks CAP_NET_RAW, CAP_SYS_NICE');
});
