import { randomBytes, randomUUID } from 'node:crypto';
import type { Attachment, InstanceSpec } from '@astara/model/instance.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sameAttachments } from '../lifecycle/situation.ts';
import type { Provider } from './provider.ts';

export interface Subject {
  readonly provider: Provider;
  /** Removes all that was made. */
  dispose(): Promise<void>;
}

/** What every provider does. `deadline`: ms for one operation. */
export function providerConformance(name: string, make: () => Promise<Subject>, deadline = 15_000): void {
  describe(`provider ${name}`, () => {
    let subject: Subject;
    beforeEach(async () => {
      subject = await make();
    });
    afterEach(() => subject.dispose());

    const time = () => AbortSignal.timeout(deadline);
    const ids = async () => (await subject.provider.list(time())).map(({ id }) => id).sort();

    test('makes an instance, lists it, and leaves nothing when it destroys it', async () => {
      const { provider } = subject;
      expect(await ids()).toEqual([]);
      const { id, spec } = someInstance(2);
      const made = await provider.ensure(id, spec, time());
      expect(made).toMatchObject({ id, resource: spec.resource, state: 'running', applied: null });
      expect(sameAttachments(made.attachments, spec.attachments)).toBe(true);
      expect(Date.parse(made.created_at)).not.toBeNaN();
      expect(await provider.list(time())).toEqual([made]);
      await provider.destroy(id, time());
      expect(await ids()).toEqual([]);
    });

    test('an instance without interfaces', async () => {
      const { id, spec } = someInstance(0);
      expect(await subject.provider.ensure(id, spec, time())).toMatchObject({ state: 'running', attachments: [] });
    });

    test('ensuring what is there changes nothing', async () => {
      const { provider } = subject;
      const { id, spec } = someInstance(2);
      const first = await provider.ensure(id, spec, time());
      expect(await provider.ensure(id, spec, time())).toEqual(first);
      expect(await ids()).toEqual([id]);
    });

    test('converges the interfaces: one more, one less, all others', async () => {
      const { provider } = subject;
      const { id, spec } = someInstance(2);
      const { created_at } = await provider.ensure(id, spec, time());
      const [first] = spec.attachments;
      const extra = someAttachment();
      for (const attachments of [[...spec.attachments, extra], first ? [first] : [], [extra]]) {
        const view = await provider.ensure(id, { ...spec, attachments }, time());
        expect(sameAttachments(view.attachments, attachments)).toBe(true);
        expect(view.created_at).toBe(created_at);
        expect(await provider.list(time())).toEqual([view]);
      }
    });

    test('destroying what is not there is fine', async () => {
      await subject.provider.destroy(randomUUID(), time());
    });

    test('what was destroyed can be made again', async () => {
      const { provider } = subject;
      const { id, spec } = someInstance(1);
      await provider.ensure(id, spec, time());
      await provider.destroy(id, time());
      expect(await provider.ensure(id, spec, time())).toMatchObject({ state: 'running', applied: null });
    });

    test('many at once', async () => {
      const { provider } = subject;
      const instances = Array.from({ length: 6 }, () => someInstance(1));
      await Promise.all(instances.map(({ id, spec }) => provider.ensure(id, spec, time())));
      expect(await ids()).toEqual(instances.map(({ id }) => id).sort());
      await Promise.all(instances.map(({ id }) => provider.destroy(id, time())));
      expect(await ids()).toEqual([]);
    });

    test('an operation whose time is up before it begins does not begin', async () => {
      const { id, spec } = someInstance(1);
      const over = AbortSignal.abort(new DOMException('over', 'TimeoutError'));
      await expect(subject.provider.ensure(id, spec, over)).rejects.toThrow();
      await expect(subject.provider.list(over)).rejects.toThrow();
      expect(await ids()).toEqual([]);
    });
  });
}

function someInstance(ports: number): { id: string; spec: InstanceSpec } {
  const id = randomUUID();
  return {
    id,
    spec: { resource: { kind: 'router', id }, attachments: Array.from({ length: ports }, someAttachment) },
  };
}

function someAttachment(): Attachment {
  const port_id = randomUUID();
  return {
    port_id,
    network_id: randomUUID(),
    mac_address: `fa:16:3e:${[...randomBytes(3)].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`,
    mtu: 1450,
    ifname: `qr-${port_id.slice(0, 11)}`,
    plug: 'bridge',
  };
}
