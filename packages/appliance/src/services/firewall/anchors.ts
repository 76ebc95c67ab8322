import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { AnchorRule } from '@astara/model/appliance/firewall.ts';
import { networkOf } from '@astara/model/ip.ts';
import { ifname, ip, prefix } from '../../values.ts';
import { prefixSetOf, type Version, versionOf } from './intervals.ts';
import { identifier } from './names.ts';
import type { Addresses, Ports, Rule, SetId, Verdict } from './nodes.ts';
import { protocolNumbers } from './protocols.ts';
import { anchorsChain, type Book, redirectsChain } from './state.ts';

export interface TenantRules {
  readonly chains: Map<string, Rule[]>;
  readonly books: Map<string, Book>;
}

/**
 * The tenant's filter rules: a chain for each anchor, asked in their order; the first rule that matches decides. Redirects are one
 * chain, because a rule before them that matches keeps them from being asked.
 */
export function desiredAnchors(config: ApplianceConfig): TenantRules {
  const books = desiredBooks(config);
  const chains = new Map<string, Rule[]>();
  const jumps: Rule[] = [];
  const redirects: Rule[] = [];
  config.anchors?.forEach(({ name, rules }, index) => {
    const chain = identifier('anchor', name);
    jumps.push({ verdict: { is: 'jump', chain } });
    const rendered: Rule[] = [];
    rules.forEach((rule, position) => {
      const field = `/anchors/${index}/rules/${position}`;
      rendered.push(...filterRules(rule, field, books));
      // The way out is not known yet when redirects are asked.
      if (rule.direction === 'out' || typeof rule.destination_interface === 'string') return;
      redirects.push(...matches(rule, field, books).map((match) => ({ ...match, verdict: redirectOf(rule, field) })));
    });
    chains.set(chain, rendered);
  });
  const last = redirects.findLastIndex(({ verdict }) => verdict.is === 'redirect');
  chains.set(anchorsChain, jumps);
  chains.set(redirectsChain, redirects.slice(0, last + 1));
  return { chains, books };
}

function desiredBooks({ address_book = {} }: ApplianceConfig): Map<string, Book> {
  const books = new Map<string, Book>();
  for (const [name, cidrs] of Object.entries(address_book)) {
    for (const version of [4, 6] as const) {
      const checked = cidrs
        .map((cidr) => prefix(cidr, `/address_book/${name}`))
        .filter((cidr) => versionOf(cidr) === version);
      const type = version === 4 ? 'ipv4_addr' : 'ipv6_addr';
      books.set(bookName(name, version), { type, elements: prefixSetOf(checked, version) });
    }
  }
  return books;
}

function bookName(name: string, version: Version): SetId {
  return identifier('book', name, `_v${version}`);
}

function filterRules(rule: AnchorRule, field: string, books: ReadonlyMap<string, Book>): Rule[] {
  const verdict: Verdict = { is: rule.action === 'pass' ? 'accept' : 'drop' };
  if (rule.redirect === undefined) return matches(rule, field, books).map((match) => ({ ...match, verdict }));
  // Redirected already: it goes to the new destination now.
  const target = ip(rule.redirect, `${field}/redirect`);
  const { destination: _, destination_port, ...rest } = rule;
  const port = rule.redirect_port === undefined ? destination_port : String(rule.redirect_port);
  const moved = {
    ...rest,
    destination: `${target}/${versionOf(target) === 4 ? 32 : 128}`,
    ...(port === undefined ? {} : { destination_port: port }),
  };
  return matches(moved, field, books).map((match) => ({ ...match, translated: true, verdict }));
}

function redirectOf({ redirect, redirect_port }: AnchorRule, field: string): Verdict {
  if (redirect === undefined) return { is: 'return' };
  return { is: 'redirect', address: ip(redirect, `${field}/redirect`), port: redirect_port };
}

/** A rule about both IP versions is two where it names addresses. */
function matches(rule: AnchorRule, field: string, books: ReadonlyMap<string, Book>): Omit<Rule, 'verdict'>[] {
  const { interface: name, destination_interface: to, direction } = rule;
  const incoming = direction === 'out' ? undefined : name;
  const outgoing = direction === 'out' ? name : to;
  const common = {
    ...(typeof incoming === 'string' ? { inputInterface: ifname(incoming, `${field}/interface`) } : {}),
    ...(typeof outgoing === 'string' ? { outputInterface: ifname(outgoing, `${field}/interface`) } : {}),
    ...(rule.protocol === undefined ? {} : { protocol: protocolNumbers[rule.protocol] }),
    ...(rule.source_port === undefined ? {} : { sourcePorts: ports(rule.source_port) }),
    ...(rule.destination_port === undefined ? {} : { destinationPorts: ports(rule.destination_port) }),
  };
  const family = rule.family === undefined ? undefined : rule.family === 'inet' ? 4 : 6;
  const redirected = rule.redirect === undefined ? undefined : versionOf(rule.redirect);
  const unspecific = rule.source === undefined && rule.destination === undefined && redirected === undefined;
  if (unspecific) return [{ ...common, ...(family === undefined ? {} : { version: family }) }];
  return ([4, 6] as const).flatMap((version) => {
    if ((family ?? version) !== version || (redirected ?? version) !== version) return [];
    const source = addresses(rule.source, version, `${field}/source`, books);
    const destination = addresses(rule.destination, version, `${field}/destination`, books);
    if (source === 'none' || destination === 'none') return [];
    return [
      {
        ...common,
        version,
        ...(source === undefined ? {} : { source }),
        ...(destination === undefined ? {} : { destination }),
      },
    ];
  });
}

/** `none`: it names addresses, but none of this version. */
function addresses(
  text: string | undefined,
  version: Version,
  field: string,
  books: ReadonlyMap<string, Book>,
): Addresses | undefined | 'none' {
  if (text === undefined) return undefined;
  if (text.includes('/')) return versionOf(text) === version ? { prefix: prefix(networkOf(text), field) } : 'none';
  const book = bookName(text, version);
  return (books.get(book)?.elements.size ?? 0) > 0 ? { book } : 'none';
}

export function ports(text: string): Ports {
  const [first = 0, last = first] = text.split(':').map(Number);
  return { first, last };
}
