import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiWorld } from '../../testing/api-world.ts';
import { config, network } from '../../testing/configs.ts';
import { createMetrics } from './metrics.ts';

it('docs/reference/appliance-metrics.md is the generated one', async () => {
  const metrics = await createMetrics().registry.getMetricsAsJSON();
  const rows = metrics.map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |`);
  const page = `# Metrics of an appliance

<!-- Generated from packages/appliance/src/api/v2/metrics.ts by \`npx vitest run packages/appliance --update\`; a test holds it. -->

\`GET /metrics\` on the socket of the appliance, in Prometheus' text format. Counters of interfaces begin anew with the interface, those
of labels when an orchestrator of 2016 reads them (\`POST /v1/firewall/labels\`). \`direction\` of an interface is \`rx\` or \`tx\`; of a
label or a floating IP, \`in\` is from outside.

| metric | type | meaning |
|--|--|--|
${rows.join('\n')}
`;
  await expect(page).toMatchFileSnapshot('../../../../../docs/reference/appliance-metrics.md');
});

describe('a scrape', () => {
  let api: ApiWorld;

  beforeAll(async () => {
    api = await ApiWorld.create({ ext: 'qg-x' });
  });
  afterAll(() => api?.close());

  /** Metric with its labels → value. */
  async function scraped(query = ''): Promise<ReadonlyMap<string, number>> {
    const { status, headers, text } = await api.ask('GET', `/metrics${query}`);
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => {
        const space = line.lastIndexOf(' ');
        return [line.slice('astara_appliance_'.length, space), Number(line.slice(space + 1))];
      }),
    );
  }

  it('tells of now', async () => {
    const before = await scraped();
    expect(before.get('service_wanted{service="dhcp"}')).toBe(0);
    expect(before.has('generation')).toBe(true);
    const floating_ips = [{ floating_ip: '198.51.100.5', fixed_ip: '10.1.0.5' }];
    const wanted = config([network('external', 'qg-x', ['198.51.100.2/24'])], { generation: 5, floating_ips });
    expect((await api.ask('PUT', '/v2/config?confirm=600', wanted)).status).toBe(200);
    const after = await scraped();
    expect(after.get('generation')).toBe(5);
    expect(after.get('confirmation_pending')).toBe(1);
    expect(after.get('service_running{service="link"}')).toBe(1);
    expect(after.get('events_total{event="applied"}')).toBe(1);
    expect(after.get('last_apply_seconds')).toBeGreaterThan(0);
    expect(after.get('applied_timestamp_seconds')).toBeCloseTo(Date.now() / 1000, -2);
    expect(after.get('interface_bytes_total{interface="qg-x",direction="tx"}')).toBeGreaterThanOrEqual(0);
    expect(after.get('conntrack_limit')).toBeGreaterThan(0);
    const address = 'floating_ip_bytes_total{floating_ip="198.51.100.5",direction="in"}';
    expect(after.has(address)).toBe(false);
    expect((await scraped('?floating_ips=true')).get(address)).toBe(0);
  });
});
