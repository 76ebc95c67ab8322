import { ok, type Route } from './ask.ts';

const unlimited = -1;
const kinds = [
  ...['cores', 'fixed_ips', 'floating_ips', 'injected_file_content_bytes', 'injected_file_path_bytes'],
  ...['injected_files', 'instances', 'key_pairs', 'metadata_items', 'ram', 'security_group_rules'],
  ...['security_groups', 'server_group_members', 'server_groups'],
];

/** Nothing is limited; clients ask all the same. */
export function quotaRoutes(): Route[] {
  const limits = Object.fromEntries(kinds.map((kind) => [kind, unlimited]));
  const show: Route['run'] = ({ params: { project = '' } }) => ok({ quota_set: { id: project, ...limits } });
  const detail = Object.fromEntries(kinds.map((kind) => [kind, { limit: unlimited, in_use: 0, reserved: 0 }]));
  return [
    { method: 'GET', path: '/os-quota-sets/:project', run: show },
    { method: 'GET', path: '/os-quota-sets/:project/defaults', run: show },
    {
      method: 'GET',
      path: '/os-quota-sets/:project/detail',
      run: ({ params: { project = '' } }) => ok({ quota_set: { id: project, ...detail } }),
    },
  ];
}
