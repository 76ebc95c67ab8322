import { planWhole, type Service, type Whole } from '../service.ts';
import { desiredDhcp } from './desired.ts';
import { DhcpRunner, type DhcpState, dhcpState } from './runner.ts';

export const dhcpService: Service<DhcpState | undefined, Whole<DhcpState | undefined>, DhcpRunner> = {
  name: 'dhcp',
  reads: ['networks', 'metadata', 'dns_forwarders', 'dhcp_lease_duration'],
  compile: (config, { runDirInside }) => dhcpState(desiredDhcp(config), runDirInside),
  plan: (before, after) => planWhole(before, after, same),
  open: (context) => new DhcpRunner(context),
};

function same(a: DhcpState | undefined, b: DhcpState | undefined): boolean {
  if (a === b || a === undefined || b === undefined) return a === b;
  const [x, y] = [a.files, b.files];
  return x.conf === y.conf && x.hosts === y.hosts && x.options === y.options && x.names === y.names;
}
