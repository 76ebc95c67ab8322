import { agentHost } from '@astara/cloud/contract/agents.ts';
import { contract } from '@astara/cloud/contract/contract.ts';
import { record, recorded } from '@astara/cloud/contract/fixtures.ts';
import { Runner } from '@astara/cloud/contract/run.ts';
import { connectMessaging, type RabbitMessaging } from '@astara/messaging/messaging.ts';
import { Connection } from 'rabbitmq-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LAB_PASSWORD, TRANSPORT_URL } from './lib/lab.ts';

/**
 * The real Neutron answers as it was recorded; so that the unit test, which holds the cloud against the record, holds it
 * against the real one. After a change of the scenarios, or of Neutron: ASTARA_RECORD=1 ./run e2e contract
 */
const recording = process.env.ASTARA_RECORD === '1';

let messaging: RabbitMessaging;
let runner: Runner;

beforeAll(async () => {
  messaging = connectMessaging({ transportUrl: TRANSPORT_URL, connectionName: 'contract' });
  await messaging.ready(AbortSignal.timeout(30_000));
  runner = await Runner.start({
    identityUrl: 'http://127.0.0.1:5000',
    networkUrl: 'http://127.0.0.1:9696',
    admin: { user: 'admin', password: LAB_PASSWORD, project: 'admin' },
    messaging,
  });
});

afterAll(async () => {
  await runner.stop();
  await messaging.close();
  const connection = new Connection(TRANSPORT_URL.replace(/^rabbit:/, 'amqp:'));
  const queues = [runner.notifications.queue, `l3_agent.${agentHost}`, `dhcp_agent.${agentHost}`];
  for (const queue of queues) await connection.queueDelete(queue);
  await connection.close();
});

// Neutron picks addresses at random: one that was given back a moment ago may come again, which the record cannot foresee.
const again = { retry: recording ? 0 : 2 };

test.for(contract)('$name', again, async (scenario) => {
  const transcript = await runner.perform(scenario);
  if (recording) record(scenario, transcript);
  else expect(transcript).toEqual(recorded(scenario));
});
