import type { InstanceSpec, InstanceView } from '@astara/model/instance.ts';

/**
 * *Where* instances run. Knows nothing of routers. Every implementation passes `conformance.ts`.
 * All operations are idempotent and end by the signal's deadline; errors are AstaraErrors with a retry class.
 */
export interface Provider {
  readonly name: string;

  /** All instances of ours, also those that nobody asks for any more. */
  list(signal: AbortSignal): Promise<InstanceView[]>;
  /** The instance exists, runs, and has exactly the spec's attachments afterwards; what it served meanwhile goes on. */
  ensure(id: string, spec: InstanceSpec, signal: AbortSignal): Promise<InstanceView>;
  /** Nothing of it is left afterwards: namespaces, devices, processes, files. Absent already: fine. */
  destroy(id: string, signal: AbortSignal): Promise<void>;
}
