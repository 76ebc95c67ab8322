import { createHash } from 'node:crypto';
import { digest } from '@astara/model/digest.ts';
import { baseChains, FLOWTABLE, offloadChain, offloadRules } from './chains.ts';
import { versionOf } from './intervals.ts';
import type { Addresses, Ports, Rule, Verdict } from './nodes.ts';
import { protocolNumbers } from './protocols.ts';
import {
  type Book,
  type Chain,
  counterTypes,
  type Elements,
  type FirewallState,
  limitTypes,
  mapTypes,
  type SetName,
  setNames,
  setTypes,
} from './state.ts';

/** What tells a rule from others when it is read back: nft lists it in words of its own. */
export function keyOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

function keyed(text: string): string {
  return `${text} comment "${keyOf(text)}"`;
}

const types: Readonly<Record<string, string>> = { ...setTypes, ...limitTypes, ...mapTypes };
/** Those with interface names, which are quoted. */
const named = new Set(setNames.filter((name) => types[name]?.startsWith('ifname')));
const limits = new Set<SetName>(Object.keys(limitTypes) as SetName[]);

const declarations = [
  ...Object.entries({ ...setTypes, ...limitTypes, ...counterTypes }).map(
    ([name, type]) => `  set ${name} { type ${type}; }`,
  ),
  ...Object.entries(mapTypes).map(([name, type]) => `  map ${name} { type ${type}; }`),
].join('\n');

/** nft 1.0.6: a rule needs a newline before `}`. */
const chains = baseChains
  .map(({ name, hook, rules }) => {
    const kind =
      hook === undefined
        ? []
        : [`type ${hook.type} hook ${hook.hook} priority ${hook.priority}; policy ${hook.policy};`];
    return `  chain ${name} {\n${[...kind, ...rules.map(keyed)].map((line) => `    ${line}\n`).join('')}  }`;
  })
  .join('\n');

/** An empty set whose name tells which chains the table has: how a later release knows whether they are its own. */
export const SHAPE = `shape_${digest(declarations + chains).slice(0, 12)}`;

/** Replaces the table, whatever was there, in one transaction. */
export function renderTable(after: FirewallState): string {
  const tenants = [...after.chains.keys()].map((name) => `  chain ${name} {\n  }\n`).join('');
  return [
    'add table inet astara',
    'delete table inet astara',
    `table inet astara {`,
    `  set ${SHAPE} { type mark; }`,
    // nft 1.0.6 fills interval maps as soon as it makes them: what their elements refer to must be there.
    ...[...after.counters].map((name) => `  counter ${name} {\n  }`),
    declarations,
    `  chain ${offloadChain} {\n  }`,
    `${tenants}${chains}\n}`,
    ...[...after.books].map(([name, book]) => addBook(name, book)),
    ...[...after.chains].map(([name, chain]) => addRules(name, chain)),
    ...setNames.map((name) => command('add', name, after.elements[name])),
  ].join('\n');
}

/**
 * Leads from one state to the other in one transaction; empty when nothing differs. What is referred to is made before, and taken
 * away after, what refers to it.
 */
export function renderChange(before: FirewallState, after: FirewallState): string {
  const gone = setNames.map((name) => {
    const elements = difference(before.elements[name], after.elements[name]);
    return command('delete', name, new Map([...elements].map(([key]) => [key, ''])));
  });
  const come = setNames.map((name) => command('add', name, difference(after.elements[name], before.elements[name])));
  const oldChains = [...before.chains.keys()].filter((name) => !after.chains.has(name));
  const newChains = [...after.chains.keys()].filter((name) => !before.chains.has(name));
  const changed = [...after.chains].filter(([name, { keys, rules }]) => {
    return rules !== undefined && !sameList(before.chains.get(name)?.keys ?? [], keys);
  });
  const emptied = [...changed.map(([name]) => name).filter((name) => before.chains.has(name)), ...oldChains];
  return [
    ...gone,
    ...[...after.counters]
      .filter((name) => !before.counters.has(name))
      .map((name) => `add counter inet astara ${name}\n`),
    ...newChains.map((name) => `add chain inet astara ${name}\n`),
    ...emptied.map((name) => `flush chain inet astara ${name}\n`),
    ...bookChanges(before.books, after.books),
    ...changed.map(([name, chain]) => addRules(name, chain)),
    // One that was only found, and is made again by a revert: nobody knows what it said, and an empty group lets everything through.
    ...newChains
      .filter((name) => after.chains.get(name)?.rules === undefined)
      .map((name) => `add rule inet astara ${name} drop\n`),
    ...come,
    ...oldChains.map((name) => `delete chain inet astara ${name}\n`),
    ...[...before.books.keys()]
      .filter((name) => !after.books.has(name))
      .map((name) => `delete set inet astara ${name}\n`),
    ...[...before.counters]
      .filter((name) => !after.counters.has(name))
      .map((name) => `delete counter inet astara ${name}\n`),
    ...forgotten(before.elements.fip_in, after.elements.fip_in),
  ].join('');
}

/** The flowtable and what fills it; without devices they are taken away. */
export function renderOffload(before: readonly string[], after: readonly string[]): string {
  if (sameList(before, after)) return '';
  const devices = after.map((name) => `"${name}"`).join(', ');
  return [
    ...(before.length === 0
      ? []
      : [`flush chain inet astara ${offloadChain}`, `delete flowtable inet astara ${FLOWTABLE}`]),
    ...(after.length === 0
      ? []
      : [
          `add flowtable inet astara ${FLOWTABLE} { hook ingress priority 0; devices = { ${devices} }; }`,
          ...offloadRules.map((rule) => `add rule inet astara ${offloadChain} ${keyed(rule)}`),
        ]),
    '',
  ].join('\n');
}

/** A floating IP that comes back starts to count anew. Added first, because nft refuses to delete what is not there. */
function forgotten(before: Elements, after: Elements): string[] {
  const gone = [...difference(before, after).keys()].filter((address) => !after.has(address));
  if (gone.length === 0) return [];
  const list = `{ ${gone.join(', ')} }\n`;
  return Object.keys(counterTypes).flatMap((name) => [
    `add element inet astara ${name} ${list}`,
    `delete element inet astara ${name} ${list}`,
  ]);
}

function addBook(name: string, { type, elements }: Book): string {
  const filled = elements.size === 0 ? '' : ` elements = { ${[...elements.keys()].join(', ')} };`;
  return `add set inet astara ${name} { type ${type}; flags interval;${filled} }\n`;
}

function bookChanges(before: FirewallState['books'], after: FirewallState['books']): string[] {
  return [...after].flatMap(([name, book]) => {
    const old = before.get(name);
    if (old === undefined) return [addBook(name, book)];
    const gone = [...difference(old.elements, book.elements).keys()];
    const come = [...difference(book.elements, old.elements).keys()];
    return [
      ...(gone.length === 0 ? [] : [`delete element inet astara ${name} { ${gone.join(', ')} }\n`]),
      ...(come.length === 0 ? [] : [`add element inet astara ${name} { ${come.join(', ')} }\n`]),
    ];
  });
}

function addRules(name: string, { rules = [] }: Chain): string {
  return rules.map((rule) => `add rule inet astara ${name} ${keyed(ruleText(rule))}\n`).join('');
}

export function ruleText(rule: Rule): string {
  const version = rule.version === undefined ? '' : rule.version === 4 ? 'ip' : 'ip6';
  const addressed = rule.source !== undefined || rule.destination !== undefined;
  return [
    ...(rule.inputInterface === undefined ? [] : [`iifname "${rule.inputInterface}"`]),
    ...(rule.outputInterface === undefined ? [] : [`oifname "${rule.outputInterface}"`]),
    ...(version === '' || addressed ? [] : [`meta nfproto ipv${rule.version}`]),
    ...(rule.source === undefined ? [] : [`${version} saddr ${addresses(rule.source)}`]),
    ...(rule.destination === undefined ? [] : [`${version} daddr ${addresses(rule.destination)}`]),
    ...(rule.protocol === undefined ? [] : [`meta l4proto ${rule.protocol}`]),
    ...(rule.sourcePorts === undefined ? [] : [`th sport ${ports(rule.sourcePorts)}`]),
    ...(rule.destinationPorts === undefined ? [] : [`th dport ${ports(rule.destinationPorts)}`]),
    ...(rule.translated === true ? ['ct status dnat'] : []),
    verdictText(rule.verdict, rule.protocol),
  ].join(' ');
}

function addresses(value: Addresses): string {
  return 'book' in value ? `@${value.book}` : value.prefix;
}

function ports({ first, last }: Ports): string {
  return first === last ? String(first) : `${first}-${last}`;
}

function verdictText(verdict: Verdict, protocol: number | undefined): string {
  switch (verdict.is) {
    case 'reject':
      // Clients of TCP over IPv6 wait on in spite of an ICMPv6 error (seen with Linux 6.18).
      return protocol === protocolNumbers.tcp ? 'reject with tcp reset' : 'reject with icmpx port-unreachable';
    case 'jump':
      return `jump ${verdict.chain}`;
    case 'redirect': {
      const { address, port } = verdict;
      if (versionOf(address) === 4) return `dnat ip to ${address}${port === undefined ? '' : `:${port}`}`;
      return `dnat ip6 to ${port === undefined ? address : `[${address}]:${port}`}`;
    }
    default:
      return verdict.is;
  }
}

/** A change and its undo ask for the same ones, and looking at ten thousand elements takes a millisecond. */
const differences = new WeakMap<Elements, WeakMap<Elements, Elements>>();

/** Entries of `a` that `b` does not have, or has with another value. */
function difference(a: Elements, b: Elements): Elements {
  if (a === b) return nothing;
  const known = differences.get(a)?.get(b);
  if (known !== undefined) return known;
  const result = new Map<string, string>();
  for (const [key, value] of a) if (b.get(key) !== value) result.set(key, value);
  const others = differences.get(a) ?? new WeakMap<Elements, Elements>();
  differences.set(a, others.set(b, result));
  return result;
}

const nothing: Elements = new Map();

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((entry, index) => entry === b[index]);
}

function command(verb: 'add' | 'delete', name: SetName, elements: Elements): string {
  if (elements.size === 0) return '';
  const list: string[] = [];
  for (const [key, value] of elements) list.push(elementText(name, key, value));
  return `${verb} element inet astara ${name} { ${list.join(', ')} }\n`;
}

function elementText(name: SetName, key: string, value: string): string {
  // An interface name comes first, and has no space.
  const element = named.has(name) ? key.replace(/^\S+/, '"$&"') : key;
  if (value === '') return element;
  if (!limits.has(name)) return `${element} : ${value}`;
  const [rate, burst] = value.split('/');
  return `${element} limit rate over ${rate} bytes/second burst ${burst} bytes`;
}
