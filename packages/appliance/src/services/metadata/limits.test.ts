import { beforeEach, describe, expect, it } from 'vitest';
import { Admission, BURST_OF_CLIENT } from './limits.ts';

let time = 0;
let admission: Admission;

beforeEach(() => {
  time = 0;
  admission = new Admission(() => time);
});

/** Requests that end at once; how many of `count` are let in. */
function ask(address: string, count: number, rate = 50): number {
  let admitted = 0;
  for (let index = 0; index < count; index += 1) {
    if (admission.request(address, rate) !== 'admitted') continue;
    admitted += 1;
    admission.done(address);
  }
  return admitted;
}

describe('admission', () => {
  it('lets a client ask many times at once, and then at its rate', () => {
    expect(ask('10.0.0.1', 1_000)).toBe(BURST_OF_CLIENT);
    time = 1_000;
    expect(ask('10.0.0.1', 1_000)).toBe(50);
    time = 60_000;
    expect(ask('10.0.0.1', 1_000)).toBe(BURST_OF_CLIENT);
  });

  it('gives every client its own share', () => {
    for (let host = 1; host <= 50; host += 1) expect(ask(`10.0.0.${host}`, 1_000)).toBe(BURST_OF_CLIENT);
  });

  it('passes on so many for all of them together, and then a thousand each second', () => {
    const passed = () => Array.from({ length: 5_000 }, () => admission.forward()).filter(Boolean).length;
    expect(passed()).toBe(2_000);
    time = 100;
    expect(passed()).toBe(100);
  });

  it('lets a client have so many requests under way and no more, whoever else waits', () => {
    const answers = Array.from({ length: 20 }, () => admission.request('10.0.0.1', 50));
    expect(answers.filter((answer) => answer === 'admitted')).toHaveLength(16);
    expect(answers.at(-1)).toBe('busy');
    expect(admission.request('10.0.0.2', 50)).toBe('admitted');
    admission.done('10.0.0.1');
    expect(admission.request('10.0.0.1', 50)).toBe('admitted');
  });

  it('limits the connections of a client', () => {
    const taken = Array.from({ length: 40 }, () => admission.connect('10.0.0.1'));
    expect(taken.filter(Boolean)).toHaveLength(32);
    expect(admission.connect('10.0.0.2')).toBe(true);
    admission.disconnect('10.0.0.1');
    expect(admission.connect('10.0.0.1')).toBe(true);
  });

  it('remembers a limited number of addresses, and forgets those that are quiet', () => {
    for (let host = 0; host < 4_096; host += 1) expect(admission.connect(`2001:db8::${host}`)).toBe(true);
    expect(admission.connect('2001:db8:1::1')).toBe(false);
    for (let host = 0; host < 10; host += 1) admission.disconnect(`2001:db8::${host}`);
    expect(admission.connect('2001:db8:1::1')).toBe(false);
    time = 61_000;
    expect(admission.connect('2001:db8:1::1')).toBe(true);
  });
});
