/**
 * charon says in its log only why a tunnel does not come up. What is recognised is told in words of ours: the log's own hold what
 * the peer has sent.
 */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/MAC mismatched|calculated HASH does not match|could not decrypt payloads/, 'the pre-shared keys differ'],
  [/AUTHENTICATION_FAILED/, 'the peer refuses our authentication: key, certificate or identity'],
  [/no shared key found/, 'there is no pre-shared key for the identity that the peer shows'],
  [
    /no trusted .*public key found|no issuer certificate found/,
    'the certificate of the peer is signed by nobody we trust',
  ],
  [/subject certificate invalid|certificate .*(not valid|expired)/, 'the certificate of the peer is not valid now'],
  [
    /constraint.* (failed|requires)|identity .* (not confirmed|does not match)/,
    'the identity of the peer is another one',
  ],
  [/no matching peer config|INVALID_ID_INFORMATION/, 'the ends disagree about identities or subnets'],
  [
    /TS_UNACCEPTABLE|traffic selectors? .*unacceptable|no acceptable traffic selectors/,
    'the ends disagree about subnets',
  ],
  [/NO_PROPOSAL_CHOSEN|no acceptable .*(proposal|algorithm)/, 'the ends have no algorithms in common'],
  [/giving up after \d+ retransmits|peer not responding/, 'the peer does not answer'],
  [/unable to install|installing .* failed|unable to add/, 'what was agreed upon cannot be had on this machine'],
];

/** Why, when this line of the log tells it. */
export function failureOf(line: string): string | undefined {
  return reasons.find(([pattern]) => pattern.test(line))?.[1];
}
