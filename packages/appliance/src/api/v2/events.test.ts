import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../processes.ts';
import { ApiWorld } from '../../testing/api-world.ts';

let api: ApiWorld;
const open: ClientRequest[] = [];

beforeAll(async () => {
  api = await ApiWorld.create({});
});
afterAll(async () => {
  for (const request of open) request.destroy();
  await api?.close();
});

interface Seen {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Listens as an EventSource does. */
async function listen(headers: Record<string, string> = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = get(`${api.url}/v2/events`, { headers, agent: false }, resolve).on('error', reject);
  open.push(request);
  const response = await promise;
  let text = '';
  let ended = false;
  response.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  response.on('close', () => {
    ended = true;
  });
  response.on('error', () => undefined);
  const seen = (): Seen[] =>
    text
      .split('\n\n')
      .slice(0, -1)
      .filter((block) => !block.startsWith(':'))
      .map((block) => ({
        id: /^id: (.*)$/m.exec(block)?.[1],
        event: /^event: (.*)$/m.exec(block)?.[1] ?? '',
        data: JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '{}'),
      }));
  const names = () => seen().map(({ event }) => event);
  return { response, seen, names, text: () => text, ended: () => ended, leave: () => request.destroy() };
}

describe('events', () => {
  it('come as they happen, with ids and a time', async () => {
    const listener = await listen();
    expect(listener.response.headers['content-type']).toBe('text/event-stream');
    expect(await until(() => listener.text().startsWith(':'), 1_000)).toBe(true);
    api.appliance.events.emit('something', { service: 'test', text: 'one\ntwo' });
    expect(await until(() => listener.seen().length === 1, 1_000)).toBe(true);
    const [first] = listener.seen();
    expect(first?.event).toBe('something');
    expect(first?.data).toMatchObject({ service: 'test', text: 'one\ntwo' });
    expect(Date.parse(String(first?.data.time))).toBeGreaterThan(0);
    listener.leave();
    expect(await until(() => api.appliance.events.listeners === 0, 1_000)).toBe(true);
  });

  it('that were missed come first', async () => {
    const { events } = api.appliance;
    const listener = await listen();
    events.emit('one', {});
    expect(await until(() => listener.seen().length === 1, 1_000)).toBe(true);
    const id = listener.seen()[0]?.id ?? '';
    listener.leave();
    events.emit('two', {});
    events.emit('three', {});
    const again = await listen({ 'last-event-id': id });
    events.emit('four', {});
    expect(await until(() => again.names().includes('four'), 1_000)).toBe(true);
    expect(again.names()).toEqual(['two', 'three', 'four']);
    again.leave();
  });

  it('that are lost are told of', async () => {
    const { events } = api.appliance;
    const id = `${events.epoch}-${events.last}`;
    for (let count = 0; count < 300; count += 1) events.emit('many', {});
    const late = await listen({ 'last-event-id': id });
    expect(await until(() => late.seen().length === 257, 1_000)).toBe(true);
    expect(late.names()[0]).toBe('gap');
    late.leave();
    const foreign = await listen({ 'last-event-id': '00000000-5' });
    expect(await until(() => foreign.names()[0] === 'gap', 1_000)).toBe(true);
    foreign.leave();
    const current = await listen({ 'last-event-id': `${events.epoch}-${events.last}` });
    events.emit('next', {});
    expect(await until(() => current.seen().length > 0, 1_000)).toBe(true);
    expect(current.names()).toEqual(['next']);
    current.leave();
    expect((await api.ask('GET', '/v2/events', undefined, { 'last-event-id': 'x' })).status).toBe(400);
  });

  it('have a bounded number of listeners', async () => {
    expect(await until(() => api.appliance.events.listeners === 0, 1_000)).toBe(true);
    const listeners = await Promise.all(Array.from({ length: 16 }, () => listen()));
    const refused = await api.ask('GET', '/v2/events');
    expect([refused.status, refused.body.error.code]).toEqual([503, 'APPLIANCE_LISTENERS_FULL']);
    for (const { leave } of listeners) leave();
    expect(await until(() => api.appliance.events.listeners === 0, 1_000)).toBe(true);
  });

  it('end with the appliance', async () => {
    const listener = await listen();
    expect(await until(() => api.appliance.events.listeners === 1, 1_000)).toBe(true);
    api.appliance.events.close();
    expect(await until(listener.ended, 1_000)).toBe(true);
    const late = await listen();
    expect(await until(late.ended, 1_000)).toBe(true);
  });
});
