import { type Change, type CommitListener, Journal, type Origin } from './journal.ts';
import type {
  AgentRow,
  ApplicationCredentialRow,
  AssignmentRow,
  DhcpBindingRow,
  FloatingIpRow,
  KeypairRow,
  NetworkRow,
  PortForwardingRow,
  PortRow,
  ProjectRow,
  QuotaRow,
  RouterRow,
  SecurityGroupRow,
  SecurityGroupRuleRow,
  ServerRow,
  SubnetRow,
  UserRow,
} from './rows.ts';
import { type Indexes, type Row, Table } from './table.ts';

const one = (value: string | null): readonly string[] => (value === null || value === '' ? [] : [value]);

/** Under which the port that has an address is found. */
export const addressKey = (subnetId: string, address: string) => `${subnetId} ${address}`;

/** Under which the network of a segment is found. */
export const segmentKey = (row: Pick<NetworkRow, 'network_type' | 'physical_network' | 'segmentation_id'>) =>
  `${row.network_type} ${row.physical_network ?? ''} ${row.segmentation_id ?? ''}`;

/** All that the cloud knows. Rows change inside `transaction` only. */
export class Store {
  readonly #journal = new Journal();
  readonly #tables = new Map<string, Table<Row>>();
  readonly networks = this.#table('networks', {
    project: (row: NetworkRow) => one(row.project_id),
    /** Of each of these there is one. */
    segment: (row: NetworkRow) => [segmentKey(row)],
  });
  readonly subnets = this.#table('subnets', {
    network: (row: SubnetRow) => [row.network_id],
    project: (row: SubnetRow) => one(row.project_id),
  });
  readonly ports = this.#table('ports', {
    network: (row: PortRow) => [row.network_id],
    device: (row: PortRow) => one(row.device_id),
    host: (row: PortRow) => one(row.host_id),
    mac: (row: PortRow) => [row.mac_address],
    subnet: (row: PortRow) => [...new Set(row.fixed_ips.map((ip) => ip.subnet_id))],
    address: (row: PortRow) => row.fixed_ips.map((ip) => addressKey(ip.subnet_id, ip.ip_address)),
    group: (row: PortRow) => row.security_groups,
    project: (row: PortRow) => one(row.project_id),
  });
  readonly routers = this.#table('routers', {
    agent: (row: RouterRow) => one(row.agent_id),
    /** `none`: routers that no agent hosts. */
    hosted: (row: RouterRow) => (row.agent_id === null ? ['none'] : []),
    project: (row: RouterRow) => one(row.project_id),
  });
  readonly floatingIps = this.#table('floatingips', {
    project: (row: FloatingIpRow) => one(row.project_id),
    router: (row: FloatingIpRow) => one(row.router_id),
    lastRouter: (row: FloatingIpRow) => one(row.last_known_router_id),
    port: (row: FloatingIpRow) => one(row.port_id),
    network: (row: FloatingIpRow) => [row.floating_network_id],
  });
  readonly portForwardings = this.#table('port_forwardings', {
    floatingIp: (row: PortForwardingRow) => [row.floatingip_id],
    port: (row: PortForwardingRow) => [row.internal_port_id],
  });
  readonly securityGroups = this.#table('security_groups', { project: (row: SecurityGroupRow) => one(row.project_id) });
  readonly securityGroupRules = this.#table('security_group_rules', {
    group: (row: SecurityGroupRuleRow) => [row.security_group_id],
    project: (row: SecurityGroupRuleRow) => one(row.project_id),
    remoteGroup: (row: SecurityGroupRuleRow) => one(row.remote_group_id),
  });
  readonly agents = this.#table('agents', {
    host: (row: AgentRow) => [row.host],
    type: (row: AgentRow) => [row.agent_type],
  });
  readonly dhcpBindings = this.#table('dhcp_bindings', {
    network: (row: DhcpBindingRow) => [row.network_id],
    agent: (row: DhcpBindingRow) => [row.agent_id],
  });
  readonly servers = this.#table('servers', { project: (row: ServerRow) => one(row.project_id) });
  readonly keypairs = this.#table('keypairs', { user: (row: KeypairRow) => [row.user_id] });

  readonly quotas = this.#table<QuotaRow, Indexes<QuotaRow>>('quotas', {});
  readonly projects = this.#table('projects', { name: (row: ProjectRow) => [row.name] });
  readonly users = this.#table('users', { name: (row: UserRow) => [row.name] });
  readonly assignments = this.#table('assignments', {
    user: (row: AssignmentRow) => [row.user_id],
    project: (row: AssignmentRow) => [row.project_id],
  });
  readonly applicationCredentials = this.#table('application_credentials', {
    user: (row: ApplicationCredentialRow) => [row.user_id],
    project: (row: ApplicationCredentialRow) => [row.project_id],
  });

  /** Does all of it or nothing: what was changed is undone when `work` throws. `work` is synchronous. */
  transaction<T>(work: () => T, origin?: Origin): T {
    return this.#journal.transaction(work, origin);
  }

  /** Called after each transaction with what it changed, one change a row. */
  onCommit(listener: CommitListener): void {
    this.#journal.onCommit(listener);
  }

  /** Called at the end of each transaction, as part of it, with what it changed so far; may change rows. */
  beforeCommit(finisher: (changes: readonly Change[]) => void): void {
    this.#journal.beforeCommit(finisher);
  }

  /** Every table, by name: to save it and to load it. */
  tables(): ReadonlyMap<string, Table<Row>> {
    return this.#tables;
  }

  #table<R extends Row, I extends Indexes<R>>(name: string, indexes: I & Indexes<R>): Table<R, I> {
    const table: Table<R, I> = new Table<R, I>(name, indexes, (before, after) => {
      const id = (before ?? after)?.id ?? '';
      this.#journal.record(name, before, after, (row) => table.restore(id, row as R | undefined));
    });
    this.#tables.set(name, table as unknown as Table<Row>);
    return table;
  }
}
