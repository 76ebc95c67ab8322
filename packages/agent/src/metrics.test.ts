import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';

test('docs/reference/agent-metrics.md is the generated one', async () => {
  const metrics = await createMetrics().registry.getMetricsAsJSON();
  const rows = metrics.map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |`);
  const page = `# Metrics of astara-agent

<!-- Generated from packages/agent/src/metrics.ts; a test holds it. -->

\`GET /metrics\` on the agent's socket, in Prometheus' text format. All durations are in seconds.

| metric | type | meaning |
|--|--|--|
${rows.join('\n')}
`;
  await expect(page).toMatchFileSnapshot('../../../docs/reference/agent-metrics.md');
});
