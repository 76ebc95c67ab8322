import { randomBytes } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { canonicalIp } from '@astara/model/ip.ts';

/**
 * What can be asked of a DHCP or DNS server without changing anything in it: DHCPINFORM (RFC 2131 §4.4.3) and a relayed
 * Information-Request (RFC 8415 §18.2.6, §19), which are answered with settings and lease nothing, and a DNS query.
 */
export interface Question {
  readonly message: Buffer;
  /** What is wrong with an answer; undefined: nothing. `foreign`: it is no answer to this. */
  readonly fault: (answer: Buffer) => string | 'foreign' | undefined;
}

/** Locally administered, nobody's. */
const NOBODY = Buffer.from('0200000000fe', 'hex');
const COOKIE = 0x63825363;

/** `client`: an address of the subnet that is asked about; nobody need have it. */
export function inform(client: string): Question {
  const header = Buffer.alloc(236);
  header.set([1, 1, NOBODY.length, 0]);
  const xid = randomBytes(4);
  xid.copy(header, 4);
  addressBytes(client).copy(header, 12);
  NOBODY.copy(header, 28);
  const cookie = Buffer.alloc(4);
  cookie.writeUInt32BE(COOKIE);
  const options = Buffer.from([53, 1, 8, 55, 3, 1, 6, 15, 255]);
  return {
    message: Buffer.concat([header, cookie, options]),
    fault: (answer) => {
      if (answer.length < 243 || answer[0] !== 2 || !answer.subarray(4, 8).equals(xid)) return 'foreign';
      if (answer[240] !== 53 || answer[242] !== 5) return 'it is refused';
      return undefined;
    },
  };
}

const RELAY_FORWARD = 12;
const RELAY_REPLY = 13;
const INFORMATION_REQUEST = 11;
const REPLY = 7;
const RELAY_MESSAGE = 9;

/**
 * `link`: an address of the subnet that is asked about. As if by a relay: a client's own would make dnsmasq look for its MAC for
 * half a second, and answer nobody meanwhile.
 */
export function informationRequest(link: string): Question {
  const transaction = randomBytes(3);
  const inner = Buffer.concat([
    Buffer.from([INFORMATION_REQUEST]),
    transaction,
    v6Option(1, Buffer.concat([Buffer.from([0, 3, 0, 1]), NOBODY])),
    // DNS servers and search list.
    v6Option(6, Buffer.from([0, 23, 0, 24])),
    v6Option(8, Buffer.alloc(2)),
  ]);
  const peer = addressBytes('fe80::fe');
  return {
    message: Buffer.concat([Buffer.from([RELAY_FORWARD, 0]), addressBytes(link), peer, v6Option(RELAY_MESSAGE, inner)]),
    fault: (answer) => {
      // One option, the relayed message, begins at 34: its type, length, and then the reply.
      if (answer[0] !== RELAY_REPLY || !answer.subarray(39, 42).equals(transaction)) return 'foreign';
      return answer[38] === REPLY ? undefined : 'it is refused';
    },
  };
}

function v6Option(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value]);
}

/** For the address of a name (RFC 1035), or when there is none to ask for, who answers (CH TXT `version.bind`). */
export function query(known: { readonly name: string; readonly address: string } | undefined): Question {
  const id = randomBytes(2);
  const name = known?.name ?? 'version.bind';
  const labels = name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label, 'latin1')]));
  const [type, kind] = known === undefined ? [16, 3] : [isIPv4(known.address) ? 1 : 28, 1];
  const header = Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  id.copy(header, 0);
  return {
    message: Buffer.concat([header, ...labels, Buffer.from([0, 0, type, 0, kind])]),
    fault: (answer) => {
      if (answer.length < 12 || !answer.subarray(0, 2).equals(id)) return 'foreign';
      const code = (answer[3] ?? 0) & 15;
      if (known !== undefined && (code !== 0 || answer.readUInt16BE(6) === 0)) return `${name} is not known`;
      return undefined;
    },
  };
}

/** 4 or 16 bytes. */
function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = canonicalIp(address).split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [left, right] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0);
  return Buffer.from([...left, ...zeros, ...right].flatMap((group) => [group >> 8, group & 255]));
}
