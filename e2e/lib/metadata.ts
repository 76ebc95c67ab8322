import { createHmac } from 'node:crypto';
import { expect } from 'vitest';
import { LAB_PASSWORD } from './lab.ts';
import type { Vm } from './vm.ts';

/** The machine gets its own metadata. Nova's stand-in answers with the headers that reached it. */
export async function expectMetadata(vm: Vm): Promise<void> {
  const answer = await vm.httpGet('http://169.254.169.254/openstack/latest/meta_data.json', {
    'X-Instance-ID': 'forged',
    'X-Tenant-ID': 'forged',
  });
  expect(answer.status).toBe(200);
  const text = answer.body.toLowerCase();
  const instance = vm.port.device_id;
  expect(text).toContain(instance.toLowerCase());
  expect(text).toContain(createHmac('sha256', LAB_PASSWORD).update(instance).digest('hex'));
  expect(text).toContain(vm.port.project_id);
  expect(text).toContain(vm.address());
  expect(text).not.toContain('forged');
}
