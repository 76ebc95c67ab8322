import { expect, test } from 'vitest';
import { compare } from './compare.ts';

const entry = (body: unknown) => [{ step: 'GET /', status: 200, body }];

test('every difference is found, with its place', () => {
  const real = { same: 1, changed: 1, gone: null, list: [{ a: 1 }], short: [1] };
  const cloud = { same: 1, changed: 2, more: 1, list: [{ a: 2 }], short: [] };
  expect(compare('s', entry(real), entry(cloud))).toEqual([
    { where: 's: GET /: body.changed', real: 1, cloud: 2 },
    { where: 's: GET /: body.gone', real: null, cloud: '(absent)' },
    { where: 's: GET /: body.list.0.a', real: 1, cloud: 2 },
    { where: 's: GET /: body.short', real: [1], cloud: [] },
    { where: 's: GET /: body.more', real: '(absent)', cloud: 1 },
  ]);
  expect(compare('s', entry(real), entry(real))).toEqual([]);
});

test('a step that is missing is different', () => {
  expect(compare('s', entry(1), [])).toHaveLength(1);
});

test('numbers may differ, but not what they stand for', () => {
  const real = [...entry({ port: '<id-1>', other: '<id-2>' }), ...entry('<id-2>')];
  expect(compare('s', real, [...entry({ port: '<id-4>', other: '<id-5>' }), ...entry('<id-5>')])).toEqual([]);
  expect(compare('s', real, [...entry({ port: '<id-4>', other: '<id-5>' }), ...entry('<id-4>')])).toHaveLength(1);
});
