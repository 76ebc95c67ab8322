import { describeMessaging } from '../testing/conformance.ts';
import { LocalBus } from './bus.ts';

describeMessaging('within one process', async () => {
  const bus = new LocalBus();
  return {
    connect: (options) => bus.connect('test', options),
    depths: async () => bus.depths,
    down: () => bus.disconnect(),
    up: () => bus.reconnect(),
    remove: async () => undefined,
  };
});
