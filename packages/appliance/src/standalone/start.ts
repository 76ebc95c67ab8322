import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '@astara/config/errors.ts';
import type { Running } from '@astara/config/run-program.ts';
import { openKernel } from '@astara/kernel/open.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { validateConfig } from '@astara/model/appliance/rules.ts';
import type { Logger } from 'pino';
import { createApi } from '../api/api.ts';
import { Appliance } from '../appliance.ts';
import { errors } from '../errors.ts';
import { checkHost } from './checks.ts';
import { MachineHome } from './machine-home.ts';
import { type MachineConfig, usesTls } from './options.ts';
import { claimSocket, credentials, serve } from './serve.ts';

/** Adopts what runs on this machine, or begins with everything closed, and serves the API. What runs outlives it. */
export async function start({ appliance: options }: MachineConfig, log: Logger): Promise<Running<MachineConfig>> {
  const [first, ...rest] = checkHost();
  if (first !== undefined) throw new ConfigError([first, ...rest]);
  const stateFile = join(options.state_dir, 'applied.json');
  const firstConfig = options.first_config === null || existsSync(stateFile) ? undefined : read(options.first_config);
  if (usesTls(options)) credentials(options);
  makeDirectory(options.run_dir, 0o755);
  makeDirectory(options.state_dir, 0o700);
  await claimSocket(options.socket);
  const slower = (reason: unknown) =>
    log.warn({ err: reason }, 'kernel by the programs of iproute2: slower than netlink');
  const kernel = await openKernel(options.kernel, slower, 'own');
  const netns = await kernel.open(null);
  const home = new MachineHome(netns, options.run_dir);
  const appliance = await Appliance.adopt(home, { stateFile, log });
  const api = createApi({ resolve: () => appliance, log });
  const stop = async () => {
    await api.close();
    await appliance.close();
    netns.close();
  };
  try {
    if (firstConfig !== undefined) await appliance.apply(firstConfig);
    await api.ready();
    const listening = await serve(options, (request, response) => api.routing(request, response));
    const { listen, port, socket } = options;
    log.info({ listen, port, socket, applied: appliance.applied }, 'appliance serves');
    return {
      reload() {
        try {
          listening.reload();
        } catch (error) {
          log.error({ err: error }, 'certificates are not usable, the old ones stay in use');
        }
      },
      async stop() {
        await listening.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A configuration from a file. */
function read(file: string): ApplianceConfig {
  const failed = (reason: string, cause?: unknown) => errors.make('MACHINE_FIRST_CONFIG', { file, reason }, { cause });
  let input: unknown;
  try {
    input = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw failed(cause instanceof Error ? cause.message : String(cause), cause);
  }
  const validated = validateConfig(input);
  if (validated.ok) return validated.value;
  const reasons = validated.errors.slice(0, 10).map(({ field, message }) => `${field} ${message}`);
  throw failed(reasons.join('; '));
}

function makeDirectory(directory: string, mode: number): void {
  try {
    mkdirSync(directory, { recursive: true, mode });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw errors.make('MACHINE_STATE_DIR', { directory, reason }, { cause });
  }
}
