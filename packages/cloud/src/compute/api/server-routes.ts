import type { Answer } from '../../api/operation.ts';
import type { Context } from '../../api/resource.ts';
import type { ServerRow } from '../../store/rows.ts';
import { badRequest, NovaFault } from '../fault.ts';
import type { Hypervisor } from '../hypervisor.ts';
import { parseServer, stringsOf } from '../server-request.ts';
import { addressesOf, briefView, createdView, interfaceView, portsOf, serverView } from '../server-view.ts';
import type { Servers } from '../servers.ts';
import { type Ask, ok, type Route } from './ask.ts';

/** `/servers` and what is below it. */
export function serverRoutes(servers: Servers, hypervisor: Hypervisor): Route[] {
  const read = (view: (context: Context, row: ServerRow, ask: Ask) => unknown) => (ask: Ask) =>
    ok(ask.run((context) => view(context, servers.get(context, ask.params.id ?? ''), ask)));
  const change = (status: number, work: (context: Context, row: ServerRow, ask: Ask) => unknown) => (ask: Ask) => {
    const body = ask.run((context) => work(context, servers.get(context, ask.params.id ?? ''), ask));
    return { status, ...(body === undefined ? {} : { body }) };
  };
  const put = change(200, (context, row, ask) => {
    const given = ask.body.server as { readonly name?: unknown } | undefined;
    if (typeof given?.name !== 'string')
      throw badRequest("Invalid input for field/attribute server. 'name' is missing.");
    return { server: serverView(context, servers.change(context, row, { name: given.name }), ask.url) };
  });
  return [
    {
      method: 'GET',
      path: '/servers',
      run: (ask) => ok({ servers: list(servers, ask, (_, row) => briefView(row, ask.url)) }),
    },
    {
      method: 'GET',
      path: '/servers/detail',
      run: (ask) => ok({ servers: list(servers, ask, (context, row) => serverView(context, row, ask.url)) }),
    },
    {
      method: 'POST',
      path: '/servers',
      run: (ask) => {
        const request = parseServer(ask.body);
        const server = ask.run((context) => createdView(context, servers.create(context, request), ask.url));
        return { status: 202, body: { server } };
      },
    },
    {
      method: 'GET',
      path: '/servers/:id',
      run: read((context, row, { url }) => ({ server: serverView(context, row, url) })),
    },
    { method: 'PUT', path: '/servers/:id', run: put },
    { method: 'DELETE', path: '/servers/:id', run: change(204, (context, row) => servers.remove(context, row)) },
    { method: 'POST', path: '/servers/:id/action', run: (ask) => act(servers, hypervisor, ask) },
    {
      method: 'GET',
      path: '/servers/:id/ips',
      run: read(({ store }, row) => ({ addresses: addressesOf(store, portsOf(store, row)) })),
    },
    {
      method: 'GET',
      path: '/servers/:id/os-interface',
      run: read(({ store }, row) => ({ interfaceAttachments: portsOf(store, row).map(interfaceView) })),
    },
    { method: 'GET', path: '/servers/:id/os-volume_attachments', run: read(() => ({ volumeAttachments: [] })) },
    {
      method: 'GET',
      path: '/servers/:id/os-security-groups',
      run: read((context, row, { url }) => ({ security_groups: serverView(context, row, url).security_groups })),
    },
    { method: 'GET', path: '/servers/:id/metadata', run: read((_, { metadata }) => ({ metadata })) },
    {
      method: 'POST',
      path: '/servers/:id/metadata',
      run: change(200, (context, row, { body }) => {
        const metadata = { ...row.metadata, ...stringsOf(body.metadata) };
        servers.change(context, row, { metadata });
        return { metadata };
      }),
    },
    {
      method: 'DELETE',
      path: '/servers/:id/metadata/:key',
      run: change(204, (context, row, { params }) => {
        const { [params.key ?? '']: gone, ...metadata } = row.metadata;
        if (gone === undefined) throw new NovaFault(404, 'Metadata item was not found');
        servers.change(context, row, { metadata });
      }),
    },
  ];
}

function list(servers: Servers, ask: Ask, view: (context: Context, row: ServerRow) => unknown): unknown[] {
  const { query } = ask;
  const name = query.get('name');
  const pattern = name === null ? undefined : regexOf(name);
  const status = query.get('status')?.toUpperCase();
  const allProjects = /^(1|true)$/i.test(query.get('all_tenants') ?? '');
  return ask.run((context) => {
    const rows = servers
      .list(context, allProjects)
      .filter((row) => pattern?.test(row.name) ?? true)
      .filter((row) => status === undefined || row.status === status);
    const marker = query.get('marker');
    const after = marker === null ? 0 : rows.findIndex(({ id }) => id === marker) + 1;
    if (marker !== null && after === 0) throw badRequest(`marker [${marker}] not found`);
    const limit = query.get('limit');
    const end = limit === null ? undefined : after + Math.max(0, Number(limit));
    return rows.slice(after, end).map((row) => view(context, row));
  });
}

/** Nova matches names as the database's regular expressions. */
function regexOf(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw badRequest('The name is not a regular expression.');
  }
}

async function act(servers: Servers, hypervisor: Hypervisor, ask: Ask): Promise<Answer> {
  const id = ask.params.id ?? '';
  const find = (context: Context) => servers.get(context, id);
  const [action] = Object.keys(ask.body);
  switch (action) {
    case 'os-start':
      ask.run((context) => servers.start(context, find(context)));
      return { status: 202 };
    case 'os-stop':
      ask.run((context) => servers.stop(context, find(context)));
      return { status: 202 };
    case 'os-getConsoleOutput': {
      ask.run(find);
      const { length } = (ask.body[action] ?? {}) as { readonly length?: unknown };
      const lines = length === undefined || length === null ? undefined : Number(length);
      if (lines !== undefined && !Number.isInteger(lines))
        throw badRequest(`Invalid input for field/attribute length. Value: ${length}.`);
      return ok({ output: await hypervisor.console(id, lines === -1 ? undefined : lines) });
    }
    default:
      ask.run(find);
      throw badRequest(`There is no such action: ${action}`);
  }
}
