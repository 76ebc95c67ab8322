import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './exec.ts';

/** The lab that `./run lab` keeps: where its files are, and its services by name. */
export const LAB_DIRECTORY = process.env.ASTARA_LAB ?? '/var/lib/astara/lab';
export const LAB_HOST = 'lab1';
/** What signs metadata requests: all passwords of the lab are the same. */
export const LAB_PASSWORD = 'labpass';
export const TRANSPORT_URL = `rabbit://openstack:${LAB_PASSWORD}@127.0.0.1:5672/`;

const script = join(import.meta.dirname, '../../lab/lab.sh');

export type Profile = 'control' | 'stock' | 'astara';
export type Service =
  | 'rabbitmq'
  | 'mariadb'
  | 'keystone'
  | 'neutron-server'
  | 'linuxbridge'
  | 'l3'
  | 'dhcp'
  | 'metadata'
  | 'nova-metadata'
  | 'astara-agent'
  | 'astara-orchestrator';

const lab = (...args: string[]) => run([script, ...args], { timeout: 300_000 });

/** The profile that is up, or undefined. */
export function profile(): Profile | undefined {
  try {
    return readFileSync(join(LAB_DIRECTORY, 'profile'), 'utf8').trim() as Profile;
  } catch {
    return undefined;
  }
}

export const up = (wanted: Profile) => lab('up', wanted);

/** neutron-l3-agent's announcements: as shipped, or costing nothing. */
export const setGarp = (mode: 'real' | 'instant') => lab('garp', mode);

/** Resolves when the service answers again (an agent: when Neutron has heard from it). */
export const start = (service: Service) => lab('service', 'start', service);
/** Does not wait until it answers: what it needs may not be there yet. */
export const launch = (service: Service) => lab('service', 'launch', service);
/** SIGTERM, and what does not end within 5 s is killed. */
export const stop = (service: Service) => lab('service', 'stop', service);
export const restart = (service: Service) => lab('service', 'restart', service);
/** The orchestrator with another `[dhcp] mode`; the next restart has the lab's own (`router`) again. */
export const restartWithDhcp = (mode: 'router' | 'port') =>
  run([script, 'service', 'restart', 'astara-orchestrator'], {
    timeout: 300_000,
    env: { ...process.env, LAB_DHCP_MODE: mode },
  });
/** SIGKILL. Of an astara program only itself, of the others the whole session. */
export const kill = (service: Service) => lab('service', 'kill', service);
/** SIGSTOP and SIGCONT. */
export const pause = (service: Service) => lab('service', 'pause', service);
export const resume = (service: Service) => lab('service', 'resume', service);

/** Of the service's first process. */
export function pidOf(service: Service): number {
  return Number(readFileSync(join(LAB_DIRECTORY, 'run', `${service}.pid`), 'utf8'));
}

export const logOf = (service: Service) => join(LAB_DIRECTORY, 'logs', `${service}.log`);
