import { TestBroker } from './testing/broker.ts';
import { describeMessaging } from './testing/conformance.ts';
import { quick } from './testing/peers.ts';

describeMessaging('on RabbitMQ', async () => {
  const broker = await TestBroker.start();
  return {
    connect: ({ missingConsumerTimeout, ...options } = {}) =>
      quick(broker, options, { kombu_missing_consumer_retry_timeout: (missingConsumerTimeout ?? 60_000) / 1000 }),
    depths: async () => {
      const lines = (await broker.ctl('list_queues', 'name', 'messages', '--no-table-headers')).trim().split('\n');
      return new Map(lines.map((line) => line.split('\t')).map(([queue = '', count]) => [queue, Number(count)]));
    },
    down: () => broker.kill(),
    up: () => broker.boot(),
    remove: () => broker.remove(),
  };
});
