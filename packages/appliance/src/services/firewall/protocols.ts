/** By number, because names are in /etc/protocols, which a minimal Debian does not have (IANA, Assigned Internet Protocol Numbers). */
export const protocolNumbers = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  gre: 47,
  esp: 50,
  ah: 51,
  'ipv6-icmp': 58,
  vrrp: 112,
  sctp: 132,
} as const;

/** As nft lists it, by name or by number. */
export function protocolNumber(listed: string | number): number {
  const text = String(listed).toLowerCase();
  return Object.hasOwn(protocolNumbers, text) ? protocolNumbers[text as keyof typeof protocolNumbers] : Number(text);
}
