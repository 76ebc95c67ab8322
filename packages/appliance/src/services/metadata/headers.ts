import type { IncomingHttpHeaders } from 'node:http';
import type { MetadataClient } from './state.ts';

/** RFC 9110 §7.6.1: said to the next hop only. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What Nova and Neutron believe about who asks. Whoever reads headers as CGI variables takes `_` for `-`. */
const identity = /^x-(instance-id|tenant-id|forwarded|neutron-|metadata-provider|real-ip)/;

/** The client's request as it goes on: with our word about who it is, and none of its own. */
export function requestHeaders(
  headers: IncomingHttpHeaders,
  client: MetadataClient,
  source: string,
): Record<string, string | string[]> {
  const result = endToEnd(headers, (name) => !identity.test(name.replaceAll('_', '-')));
  result['x-instance-id'] = client.instanceId;
  result['x-tenant-id'] = client.tenantId;
  result['x-forwarded-for'] = source;
  return result;
}

export function responseHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  return endToEnd(headers, () => true);
}

function endToEnd(headers: IncomingHttpHeaders, keep: (name: string) => boolean): Record<string, string | string[]> {
  const named = new Set((headers.connection ?? '').toLowerCase().split(/\s*,\s*/));
  const result: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !hopByHop.has(name) && !named.has(name) && keep(name)) result[name] = value;
  }
  return result;
}
