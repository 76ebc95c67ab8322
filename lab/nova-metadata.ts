/**
 * Stands in for Nova's metadata service: checks the signature as Nova does and answers with what it was asked.
 * Arguments: address, port. Environment: METADATA_SECRET.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';

const [address, port] = process.argv.slice(2);
const secret = process.env.METADATA_SECRET ?? '';

const server = createServer((request, response) => {
  const reply = (status: number, body: object) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
  };
  if (request.url === '/healthcheck') return reply(200, { status: 'ok' });
  if (!signed(request.headers)) return reply(403, { error: 'the signature does not match the instance id' });
  reply(200, {
    instance_id: request.headers['x-instance-id'],
    tenant_id: request.headers['x-tenant-id'],
    path: request.url,
    headers: request.headers,
  });
});

function signed(headers: IncomingHttpHeaders): boolean {
  const given = Buffer.from(String(headers['x-instance-id-signature'] ?? ''));
  const wanted = Buffer.from(
    createHmac('sha256', secret)
      .update(String(headers['x-instance-id'] ?? ''))
      .digest('hex'),
  );
  return headers['x-instance-id'] !== undefined && given.length === wanted.length && timingSafeEqual(given, wanted);
}

server.listen(Number(port), address);
