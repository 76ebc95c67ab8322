import { compile } from '@astara/config/compile.ts';
import type { RabbitOptions } from '@astara/messaging/options.ts';
import { describe, expect, test } from 'vitest';
import { checkOrchestrator, foreignToOrchestrator, orchestratorSections } from './options.ts';

const TRANSPORT = 'transport_url = rabbit://neutron:s3cret@rabbit-1:5672/';

function compiled(text: string) {
  return compile(orchestratorSections, [{ file: 'astara.conf', text }], foreignToOrchestrator);
}

function problems(text: string) {
  const { config, problems: found } = compiled(`[DEFAULT]\n${TRANSPORT}\n${text}`);
  return [...found, ...(config === undefined ? [] : checkOrchestrator(config))].map((error) => error.message);
}

describe('options of the orchestrator', () => {
  test('nothing but transport_url is needed', () => {
    const { config } = compiled(`[DEFAULT]\n${TRANSPORT}`);
    expect(config?.DEFAULT.transport_url.reveal()).toBe('rabbit://neutron:s3cret@rabbit-1:5672/');
    expect(config?.l3.report_interval).toBe(30_000);
    expect(config?.agent.socket).toBe('/run/astara/agent.sock');
    expect(config?.metadata.socket).toBe('/run/astara/metadata.sock');
    expect(config?.api).toEqual({ bind_host: '127.0.0.1', bind_port: 44250 });
    expect(JSON.stringify(config)).not.toContain('s3cret');
    expect(compiled('').problems.map((error) => error.message)).toEqual(['[DEFAULT] transport_url is not set']);
  });

  test('[oslo_messaging_rabbit] is what the messaging package takes', () => {
    const { config } = compiled(
      `[DEFAULT]\n${TRANSPORT}\n[oslo_messaging_rabbit]\nrabbit_use_ssl = yes\nheartbeat_rate = 3`,
    );
    const rabbit: RabbitOptions | undefined = config?.oslo_messaging_rabbit;
    expect(rabbit).toMatchObject({ ssl: true, rabbit_transient_queues_ttl: 1800 });
  });

  test.each([
    ['cloud = lab\nauth_url = http://keystone:5000', ['[keystone] cloud cannot be combined with [keystone] auth_url']],
    [
      'auth_url = http://keystone:5000\nusername = neutron',
      [
        '[keystone] password is not set, and [keystone] auth_url needs it',
        '[keystone] project_name is not set, and [keystone] auth_url needs it',
      ],
    ],
    ['username = neutron', ['[keystone] auth_url is not set, and [keystone] username needs it']],
    [
      'auth_url = http://keystone:5000\napplication_credential_id = 1',
      ['[keystone] application_credential_secret is not set, and application_credential_id needs it'],
    ],
    ['cloud = lab', []],
    ['auth_url = http://keystone:5000\nusername = n\npassword = p\nproject_name = service', []],
  ])('[keystone] %j', (text, expected) => {
    expect(problems(`[keystone]\n${text}`)).toEqual(expected);
  });

  test('a user and password inside a URL are refused, and not shown', () => {
    expect(problems('[keystone]\nauth_url = http://neutron:s3cret@keystone:5000')).toEqual([
      'astara.conf:4: [keystone] auth_url is "http://***@keystone:5000"',
    ]);
    expect(problems('transport_url = neutron:s3cret@x')).toEqual([
      'astara.conf:3: [DEFAULT] transport_url is of a form that cannot be right (not shown: it is secret)',
    ]);
  });

  test('back-off must fit together', () => {
    expect(problems('[queue]\nbackoff_base = 30\nbackoff_max = 10')).toEqual([
      'configuration: [queue] backoff_base is more than [queue] backoff_max',
    ]);
  });
});
