import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silent } from '../../log.ts';
import { Supervisor } from '../../supervisor.ts';
import { config, network } from '../../testing/configs.ts';
import { World } from '../../testing/world.ts';
import { known, unknown } from '../service.ts';
import { RoutingRunner } from './runner.ts';
import { routingService } from './service.ts';
import type { RoutingState } from './state.ts';

let world: World;
let supervisor: Supervisor;
let runner: RoutingRunner;

function state(asn: number): NonNullable<RoutingState> {
  const given = config([network('external', 'qg-x', ['198.51.100.2/24'])], {
    bgp: { asn, neighbors: [{ address: '198.51.100.1', asn: 65_000, password: 'a secret of ours' }] },
  });
  const compiled = routingService.compile(given, { runDirInside: world.home.runDirInside, warn: () => undefined });
  if (compiled === undefined) throw new Error('there is nothing to do');
  return compiled;
}

function open(): RoutingRunner {
  return new RoutingRunner({
    home: world.home,
    supervisor,
    log: silent,
    revive: () => undefined,
    emit: () => undefined,
  });
}

beforeAll(async () => {
  world = await World.create();
  supervisor = new Supervisor();
  runner = open();
});

afterAll(async () => {
  await runner?.release();
  supervisor?.close();
  await world?.destroy();
});

describe('BIRD', () => {
  it('keeps what it had when it cannot read the new configuration, and so do its files', async () => {
    const good = state(65_001);
    await runner.execute({ kind: 'configure', to: good });
    const conf = `${good.files.conf}nonsense;\n`;
    const bad = { ...good, files: { conf, floating: 'route 10.0.0.0/8 blackhole;\n' } };
    const refusal: unknown = await runner.execute({ kind: 'configure', to: bad }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'APPLIANCE_DAEMON_REFUSED' });
    expect(String(refusal)).not.toContain('a secret');
    expect(await runner.observe(good, good)).toEqual(known(good));
    expect(readFileSync(join(world.home.runDir, 'routing', 'bird.conf'), 'utf8')).toBe(good.files.conf);
    expect((await runner.check(good)).every(({ ok }) => ok)).toBe(true);
  });

  it('does not start with what it cannot read, and the reason is told without secrets', async () => {
    await runner.execute({ kind: 'configure', to: undefined });
    const good = state(65_001);
    const bad = { ...good, files: { ...good.files, conf: `${good.files.conf}nonsense;\n` } };
    const refusal: unknown = await runner.execute({ kind: 'configure', to: bad }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'APPLIANCE_DAEMON_REFUSED' });
    expect(String(refusal)).toContain('syntax error');
    expect(String(refusal)).not.toContain('a secret');
    expect(runner.running).toBe(false);
  });

  it('is found again, and what was half done is done again', async () => {
    await runner.execute({ kind: 'configure', to: state(65_001) });
    await runner.release();
    runner = open();
    await runner.adopt(state(65_001));
    expect(runner.running).toBe(true);
    expect(await runner.observe(state(65_001), state(65_001))).toEqual(known(state(65_001)));
    // As after an agent that ended in the middle of a change.
    expect(await runner.observe(state(65_001), state(65_002))).toEqual(unknown);
  });

  it('that hangs is told, not waited for', async () => {
    const pid = (await world.home.processes()).find(({ argv }) => argv[0] === 'bird')?.pid ?? Number.NaN;
    process.kill(pid, 'SIGSTOP');
    try {
      const health = await runner.health(state(65_001));
      expect(health).toMatchObject({ wanted: true, running: true });
      expect(health.error).toContain('no answer within 1000 ms');
      expect(await runner.check(state(65_001))).toMatchObject([{ name: 'BIRD answers', ok: false }]);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect((await runner.health(state(65_001))).error).toBeUndefined();
  });

  it('that nobody wants is ended, with its files', async () => {
    await runner.release();
    runner = open();
    await runner.adopt(undefined);
    expect((await world.home.processes()).filter(({ argv }) => argv[0] === 'bird')).toEqual([]);
    expect(() => readFileSync(join(world.home.runDir, 'routing', 'bird.conf'))).toThrow('ENOENT');
  });
});
