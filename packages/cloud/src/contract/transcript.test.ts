import { expect, test } from 'vitest';
import { read, type Transcript, write } from './transcript.ts';

const network = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`attribute-${at}`, at]));

const transcript: Transcript = [
  { step: 'first', status: 200, body: { network }, notifications: [{ event: 'e', payload: { network } }] },
  { step: 'second', status: 200, body: [network, { inner: network }, null, 'text'] },
  { step: 'third', result: network },
];

test('what is written is read, each large object once', () => {
  const text = write(transcript);
  expect(read(text)).toEqual(transcript);
  expect(text.split('attribute-19')).toHaveLength(2);
  expect(text.trim().split('\n')).toHaveLength(3);
});
