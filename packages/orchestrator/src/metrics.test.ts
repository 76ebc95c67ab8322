import { expect, test } from 'vitest';
import { createMetrics, metricSpecs, metricsPage } from './metrics.ts';

/** `vitest run -u` writes the page anew. */
test('docs/reference/metrics.md lists every metric', async () => {
  await expect(metricsPage()).toMatchFileSnapshot('../../../docs/reference/metrics.md');
});

test('each is there from the start, with its help, and read gauges are read at each scrape', async () => {
  const metrics = createMetrics();
  let reads = 0;
  metrics.beforeScrape(() => metrics.queueDelayed.set(++reads));
  await metrics.scrape();
  const text = await metrics.scrape();
  for (const { name, help } of Object.values(metricSpecs)) expect(text).toContain(`# HELP ${name} ${help}`);
  expect(text).toMatch(/^astara_queue_delayed 2$/m);
});
