import { operations } from '@astara/model/appliance/api/openapi.ts';

const paths = [...new Set(operations.map(({ path }) => path))].map((path) => {
  const methods = operations
    .filter((operation) => operation.path === path)
    .flatMap(({ method, answer }) => {
      const streams = 'media' in answer && answer.media === 'text/event-stream';
      return method === 'GET' && !streams ? ['GET', 'HEAD'] : [method];
    });
  const pattern = path
    .replace(/\/$/, '')
    .split(/\{\w+\}/)
    .map((part) => part.replaceAll('.', '\\.'))
    .join('[^/]+');
  return { pattern: new RegExp(`^${pattern}/?$`), methods: [...methods, 'OPTIONS'].join(', ') };
});

/** The methods of a path, as `Allow` has them (RFC 9110 §10.2.1); undefined when there is no such path. */
export function allowed(url: string): string | undefined {
  const [path = ''] = url.split('?');
  return paths.find(({ pattern }) => pattern.test(path))?.methods;
}
