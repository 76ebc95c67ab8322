import { prefix } from './accounts.ts';
import { demand, send, type Target } from './target.ts';

type Item = Readonly<Record<string, unknown>> & { readonly id: string };

/** Removes everything that the projects have in Neutron, in an order in which it can be removed. */
export async function sweep(target: Target, token: string, projectIds: readonly string[]): Promise<void> {
  const api = `${target.networkUrl}/v2.0`;
  const list = async (path: string, key: string): Promise<Item[]> => {
    const found: Item[] = [];
    for (const project of projectIds) {
      found.push(...((await demand(`${api}/${path}?project_id=${project}`, 'GET', token))[key] as Item[]));
    }
    return found;
  };
  const remove = (path: string) => send(`${api}/${path}`, 'DELETE', undefined, { 'x-auth-token': token });

  for (const { id } of await list('floatingips', 'floatingips')) await remove(`floatingips/${id}`);
  for (const { id } of await list('routers', 'routers')) await removeRouter(api, token, id);
  for (const { id } of await list('ports', 'ports')) await remove(`ports/${id}`);
  for (const { id } of await list('networks', 'networks')) await remove(`networks/${id}`);
  for (const { id } of await list('security-groups', 'security_groups')) await remove(`security-groups/${id}`);
  for (const project of projectIds) await remove(`quotas/${project}`);
  const left = (await list('networks', 'networks')).concat(await list('routers', 'routers'));
  if (left.length > 0) throw new Error(`${prefix}: not removed: ${JSON.stringify(left)}`);
}

async function removeRouter(api: string, token: string, id: string): Promise<void> {
  const put = (path: string, body: unknown) => send(`${api}/${path}`, 'PUT', body, { 'x-auth-token': token });
  await put(`routers/${id}`, { router: { routes: [], external_gateway_info: null } });
  const { ports } = await demand(`${api}/ports?device_id=${id}`, 'GET', token);
  for (const port of ports as Item[]) await put(`routers/${id}/remove_router_interface`, { port_id: port.id });
  await send(`${api}/routers/${id}`, 'DELETE', undefined, { 'x-auth-token': token });
}
