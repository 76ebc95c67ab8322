import type { Identity } from '@astara/model/appliance/identity.ts';
import type { Metadata } from '@astara/model/appliance/metadata.ts';
import fc from 'fast-check';

/** A public key that is what it says; not one that anybody has. */
export const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBDOLtjBkDuqXW8uO0HkwHdmYuPYyIcQWDAkTEqLYkrH who@where';

const hostile = fc.string({ unit: 'binary', maxLength: 30 });

/** Mostly good, now and then anything at all: for renderers, which must refuse what they cannot express. */
function mostly(values: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...values) }, hostile);
}

export const anyIdentity: fc.Arbitrary<Identity> = fc.record(
  {
    time_zone: mostly(['UTC', 'Europe/Berlin', '../../etc/shadow', 'Etc/GMT+1']),
    authorized_keys: fc.array(mostly([publicKey, `${publicKey}\nssh-rsa AAAA`]), { maxLength: 3 }),
    nameservers: fc.array(mostly(['192.0.2.1', '::1', '1.1.1.1\nsearch x']), { maxLength: 3 }),
    search_domains: fc.array(mostly(['a.test', 'a b', 'x\noptions rotate']), { maxLength: 6 }),
  },
  { requiredKeys: [] },
);

/** As the API may let it in. */
export const validIdentity: fc.Arbitrary<Identity> = fc.record(
  {
    time_zone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/Argentina/Ushuaia'),
    authorized_keys: fc.array(fc.constantFrom(publicKey, publicKey.replace(/ who.*/, '')), { maxLength: 3 }),
    nameservers: fc.array(fc.constantFrom('192.0.2.1', '::1', '2001:DB8::53'), { maxLength: 3 }),
    search_domains: fc.array(fc.constantFrom('a.test', 'Example.org.', 'localdomain'), { maxLength: 6 }),
  },
  { requiredKeys: [] },
);

export const validMetadata: fc.Arbitrary<Metadata> = fc.record(
  {
    endpoint: fc.constantFrom('unix:/run/astara/metadata.sock', 'http://192.0.2.1:8775', 'http://[2001:db8::1]'),
    cache_seconds: fc.integer({ min: 0, max: 300 }),
    requests_per_second: fc.integer({ min: 1, max: 10_000 }),
  },
  { requiredKeys: ['endpoint'] },
);
