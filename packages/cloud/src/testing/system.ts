import type { Context } from '../api/resource.ts';
import type { Store } from '../store/store.ts';

/** Runs work in a transaction on behalf of nobody; notifications are dropped. */
export function systemOf(store: Store): <T>(work: (context: Context) => T) => T {
  const caller = { userId: '', projectId: '', isAdmin: true, requestId: 'req-test', timestamp: 0 };
  return (work) => store.transaction(() => work({ store, caller, notify: () => undefined }));
}
