import type { Config2016, Rule2016 } from '@astara/model/appliance/api/v1.ts';
import type { Anchor, AnchorRule } from '@astara/model/appliance/firewall.ts';
import type { Real } from './networks.ts';

/** The tenant's rules. What is '' or null was as good as absent; `any` too. */
export function translateAnchors(anchors: NonNullable<Config2016['anchors']>, real: Real): Anchor[] {
  return anchors.map(({ name, rules }, anchor) => ({
    name,
    rules: rules.map((rule, index) => translateRule(rule, `/anchors/${anchor}/rules/${index}`, real)),
  }));
}

function translateRule(rule: Rule2016, field: string, real: Real): AnchorRule {
  const incoming = rule.interface && real(rule.interface, `${field}/interface`);
  const outgoing = rule.destination_interface && real(rule.destination_interface, `${field}/destination_interface`);
  return {
    action: rule.action,
    ...(rule.direction && { direction: rule.direction }),
    ...(incoming && { interface: incoming }),
    ...(outgoing && { destination_interface: outgoing }),
    ...(rule.family && { family: rule.family }),
    ...(rule.protocol && { protocol: rule.protocol === 'imcp' ? 'icmp' : rule.protocol }),
    ...(isSome(rule.source) && { source: rule.source }),
    ...(isSome(rule.destination) && { destination: rule.destination }),
    ...(isPort(rule.source_port) && { source_port: String(Number(rule.source_port)) }),
    ...(isPort(rule.destination_port) && { destination_port: String(Number(rule.destination_port)) }),
    ...(rule.redirect && { redirect: rule.redirect }),
    ...(isPort(rule.redirect_port) && { redirect_port: Number(rule.redirect_port) }),
  };
}

function isSome(endpoint: string | null | undefined): endpoint is string {
  return endpoint !== undefined && endpoint !== null && endpoint !== '' && endpoint.toLowerCase() !== 'any';
}

function isPort(port: number | string | null | undefined): port is number | string {
  return port !== undefined && port !== null && Number(port) !== 0;
}
