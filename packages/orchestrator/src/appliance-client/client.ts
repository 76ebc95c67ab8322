import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { configEtag } from '@astara/model/appliance/etag.ts';
import type { InstanceView } from '@astara/model/instance.ts';
import { errors } from '../errors.ts';
import { isRecord, remoteError } from './remote-error.ts';
import { type Answer, isTimeout, parseJson, UnixJson } from './unix-json.ts';

/** The appliances of all instances, as the reconciler uses them. */
export interface Appliances {
  /**
   * Puts `config` in force and resolves when it is. Errors: those the appliance answered with, APPLIANCE_UNREACHABLE,
   * APPLIANCE_TIMEOUT, APPLIANCE_BAD_ANSWER.
   */
  push(view: InstanceView, config: ApplianceConfig, signal: AbortSignal): Promise<Applied>;
  close(): void;
}

export interface Applied {
  readonly generation: number;
  readonly etag: string;
  /** What the appliance says it changed; undefined when it does not say. */
  readonly changes: number | undefined;
  /** What is in force only in part, in words. */
  readonly warnings: readonly string[];
}

/** ms. Most appliances are spoken to rarely, and connecting to a unix socket takes 0.1 ms. */
const idle = 10_000;

const operation = 'PUT /v2/config';
/** Without the self-check, which would hold up the next push of a resource whose gateway does not answer. */
const path = '/v2/config?check=false';

/** Appliances behind the unix sockets of this host. A connection each, which is closed when it is not used or the instance goes. */
export class SocketAppliances implements Appliances {
  readonly #http = new UnixJson({ sockets: 1, idle });

  async push(
    { appliance_socket: socket }: InstanceView,
    config: ApplianceConfig,
    signal: AbortSignal,
  ): Promise<Applied> {
    let answer: Answer;
    try {
      answer = await this.#http.send({ socket, method: 'PUT', path, body: config, signal });
    } catch (cause) {
      if (isTimeout(cause)) throw errors.make('APPLIANCE_TIMEOUT', { operation }, { cause });
      if (signal.aborted) throw cause;
      throw errors.make('APPLIANCE_UNREACHABLE', { socket, reason: String(cause) }, { cause });
    }
    if (answer.status < 200 || answer.status > 299) {
      const error = remoteError(answer.text, answer.status);
      throw error ?? badAnswer(`status ${answer.status}: ${answer.text.slice(0, 200)}`);
    }
    return applied(config, parseJson(answer.text));
  }

  close(): void {
    this.#http.close();
  }
}

/** It must say itself what it has in force now: otherwise the next look would find a difference, for ever. */
function applied(config: ApplianceConfig, body: unknown): Applied {
  const etag = configEtag(config);
  const { generation = 0 } = config;
  if (!isRecord(body)) throw badAnswer('no JSON object');
  if (body.etag !== etag) throw badAnswer(`etag ${String(body.etag)} in force after a push of ${etag}`);
  const { changes, warnings } = body;
  return {
    generation,
    etag,
    changes: Array.isArray(changes) ? changes.length : undefined,
    warnings: Array.isArray(warnings) ? warnings.map(String) : [],
  };
}

function badAnswer(reason: string): Error {
  return errors.make('APPLIANCE_BAD_ANSWER', { operation, reason });
}
