/** Runs inside a machine: GETs a URL and prints `{ status, headers, body }` as JSON. Arguments: URL, timeout (ms), `name: value`… */
import { request } from 'node:http';

const [url = '', timeout = '5000', ...headers] = process.argv.slice(2);

const outgoing = request(url, {
  headers: Object.fromEntries(headers.map((line) => line.split(/:\s*/, 2))),
  signal: AbortSignal.timeout(Number(timeout)),
});
outgoing.on('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
outgoing.on('response', async (response) => {
  let body = '';
  for await (const part of response.setEncoding('utf8')) body += part;
  console.log(JSON.stringify({ status: response.statusCode, headers: response.headers, body }));
});
outgoing.end();
