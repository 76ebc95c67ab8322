import { v2 } from '@astara/model/appliance/api/operations-v2.ts';
import { errors } from '../../errors.ts';
import type { ApplianceEvent, EventLog } from '../../events.ts';
import type { Serve } from '../serve.ts';

/** Listeners of one appliance. */
const MAX_LISTENERS = 16;
/** ms */
const HEARTBEAT = 15_000;
/** Bytes that wait for a listener: one that does not read is sent away, and may come back with its last id. */
const MAX_WAITING = 256 * 1024;

/** Events as they happen (WHATWG HTML §9.2, server-sent events). */
export function eventRoutes(serve: Serve): void {
  serve(v2.events, ({ appliance: { events }, headers }, reply) => {
    const first = firstEvents(events, headers['last-event-id']);
    if (events.listeners >= MAX_LISTENERS) {
      throw errors.make('APPLIANCE_LISTENERS_FULL', { count: events.listeners });
    }
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    const send = (text: string) => {
      if (raw.writableLength > MAX_WAITING) raw.destroy();
      else raw.write(text);
    };
    send(`: astara-appliance\n\n${first}`);
    const heartbeat = setInterval(() => send(':\n\n'), HEARTBEAT);
    heartbeat.unref();
    const unsubscribe = events.subscribe({
      next: (event) => send(eventText(events.epoch, event)),
      end: () => raw.end(),
    });
    raw.on('close', () => {
      clearInterval(heartbeat);
      unsubscribe();
    });
    return undefined;
  });
}

/** What one who was away has missed; who was never here has missed nothing. */
function firstEvents(events: EventLog, lastEventId: string | string[] | undefined): string {
  if (lastEventId === undefined) return '';
  const [, epoch, number] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(String(lastEventId)) ?? [];
  if (epoch === undefined) {
    throw errors.make('APPLIANCE_PARAMETER_REFUSED', { name: 'Last-Event-ID', reason: 'it is no id of ours' });
  }
  const known = epoch === events.epoch;
  const kept = events.since(known ? Number(number) : 0);
  const next = kept[0]?.id ?? events.last + 1;
  const gap = known
    ? next > Number(number) + 1 && 'more has happened than is kept'
    : 'the agent was started anew, or the id is of another appliance';
  const missed = gap === false ? '' : `event: gap\ndata: ${JSON.stringify({ reason: gap })}\n\n`;
  return missed + kept.map((event) => eventText(events.epoch, event)).join('');
}

function eventText(epoch: string, { id, event, time, data }: ApplianceEvent): string {
  return `id: ${epoch}-${id}\nevent: ${event}\ndata: ${JSON.stringify({ time, ...data })}\n\n`;
}
