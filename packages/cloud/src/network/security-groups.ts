import { networkOf } from '@astara/model/ip.ts';
import { Fault } from '../api/fault.ts';
import { boolean, text } from '../api/parse.ts';
import type { Context, Resource } from '../api/resource.ts';
import { standardAttributes, standardView } from '../api/standard.ts';
import type { SecurityGroupRow, SecurityGroupRuleRow } from '../store/rows.ts';
import { groupNotFoundMessage } from './faults.ts';
import { newStandard, revise } from './touch.ts';

type RulePart = Partial<SecurityGroupRuleRow> & Pick<SecurityGroupRuleRow, 'direction' | 'ethertype'>;

const defaultName = 'default';
const alreadyDefault = () =>
  new Fault(409, 'SecurityGroupDefaultAlreadyExists', 'Default security group already exists.');

export function securityGroupResource(): Resource<SecurityGroupRow> {
  return {
    singular: 'security_group',
    plural: 'security_groups',
    path: 'security-groups',
    attributes: {
      ...standardAttributes,
      name: { post: true, put: true, parse: text(), default: '' },
      stateful: { post: true, put: true, parse: boolean, default: true },
      security_group_rules: { filter: false, sort: false },
      shared: {},
    },
    notFound: { type: 'SecurityGroupNotFound', message: groupNotFoundMessage },
    list: (context) => {
      ensureDefault(context);
      return context.store.securityGroups.all();
    },
    get: ({ store }, id) => store.securityGroups.get(id),
    view: ({ store }, row) => ({
      ...standardView(row),
      name: row.name,
      stateful: row.stateful,
      shared: false,
      security_group_rules: store.securityGroupRules
        .by('group', row.id)
        .map((rule) => ({ ...ruleView(rule), tags: [...rule.tags] })),
    }),
    create: (context, body) => {
      const { name, project_id, description, stateful } = body as unknown as SecurityGroupRow;
      ensureDefault(context);
      if (name === defaultName) {
        // With the project's first group comes its default one.
        defaultGroup(context, project_id);
        throw alreadyDefault();
      }
      return makeGroup(context, project_id, name, { description, stateful });
    },
    update: ({ store }, row, body) => {
      if (row.name === defaultName && body.name !== undefined && body.name !== defaultName) {
        throw new Fault(409, 'SecurityGroupCannotUpdateDefault', 'Updating default security group not allowed.');
      }
      if (row.name !== defaultName && body.name === defaultName) throw alreadyDefault();
      return revise(store.securityGroups, row, body as Partial<SecurityGroupRow>);
    },
    remove: (context, row) => {
      const { store, caller } = context;
      if (store.ports.count('group', row.id) > 0) {
        throw new Fault(409, 'SecurityGroupInUse', `Security Group ${row.id} in use.`);
      }
      if (row.name === defaultName && !caller.isAdmin) {
        const message = 'Insufficient rights for removing default security group.';
        throw new Fault(409, 'SecurityGroupCannotRemoveDefault', message);
      }
      for (const index of ['group', 'remoteGroup'] as const) {
        for (const rule of store.securityGroupRules.by(index, row.id)) store.securityGroupRules.delete(rule.id);
      }
      store.securityGroups.delete(row.id);
    },
    retag: ({ store }, row, tags) => void revise(store.securityGroups, row, { tags }),
  };
}

/** The project's group that its ports get; it is made when first needed. */
export function defaultGroup(context: Context, projectId: string): SecurityGroupRow {
  const { store } = context;
  // The cloud's own ports have no project, and are never many.
  const groups = projectId === '' ? store.securityGroups.all() : store.securityGroups.by('project', projectId);
  const found = groups.find((row) => row.name === defaultName && row.project_id === projectId);
  if (found !== undefined) return found;
  const group = makeGroup(context, projectId, defaultName, { description: 'Default security group', stateful: true });
  for (const ethertype of ['IPv4', 'IPv6'] as const) {
    makeRule(context, group, { direction: 'ingress', ethertype, remote_group_id: group.id });
  }
  return group;
}

/** Adds the rule to its group. */
export function makeRule({ store }: Context, group: SecurityGroupRow, rule: RulePart): SecurityGroupRuleRow {
  return store.securityGroupRules.put({
    security_group_id: group.id,
    protocol: null,
    port_range_min: null,
    port_range_max: null,
    remote_ip_prefix: null,
    remote_group_id: null,
    ...newStandard(group.project_id),
    ...rule,
  });
}

export function ruleView(row: SecurityGroupRuleRow): Record<string, unknown> {
  const { tags: _, ...standard } = standardView(row);
  return {
    ...standard,
    security_group_id: row.security_group_id,
    ethertype: row.ethertype,
    direction: row.direction,
    protocol: row.protocol,
    port_range_min: row.port_range_min,
    port_range_max: row.port_range_max,
    remote_ip_prefix: row.remote_ip_prefix,
    remote_address_group_id: null,
    normalized_cidr: row.remote_ip_prefix === null ? null : networkOf(row.remote_ip_prefix),
    remote_group_id: row.remote_group_id,
  };
}

function ensureDefault(context: Context): void {
  const { projectId } = context.caller;
  if (projectId !== '') defaultGroup(context, projectId);
}

function makeGroup(
  context: Context,
  projectId: string,
  name: string,
  rest: Pick<SecurityGroupRow, 'description' | 'stateful'>,
): SecurityGroupRow {
  const group = { ...newStandard(projectId), revision_number: 1, name, ...rest };
  context.store.securityGroups.put(group);
  for (const ethertype of ['IPv4', 'IPv6'] as const) makeRule(context, group, { direction: 'egress', ethertype });
  return group;
}
