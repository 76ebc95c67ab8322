import { createHash, generateKeyPairSync } from 'node:crypto';
import { timestamp } from '../../network/touch.ts';
import type { KeypairRow } from '../../store/rows.ts';
import { badRequest, NovaFault, noKeypair } from '../fault.ts';
import { type Ask, ok, type Route } from './ask.ts';

/** `/os-keypairs`: each user's own. They are shown in metadata; nobody logs in to a machine with them. */
export function keypairRoutes(): Route[] {
  const find = ({ caller, params, run }: Ask): KeypairRow => {
    const row = run(({ store }) => store.keypairs.get(`${caller.userId}/${params.name}`));
    if (row === undefined) throw noKeypair(params.name ?? '');
    return row;
  };
  return [
    {
      method: 'GET',
      path: '/os-keypairs',
      run: ({ caller, run }) => {
        const rows = run(({ store }) => store.keypairs.by('user', caller.userId));
        return ok({ keypairs: rows.map((row) => ({ keypair: briefView(row) })) });
      },
    },
    {
      method: 'GET',
      path: '/os-keypairs/:name',
      run: (ask) => {
        const row = find(ask);
        const rest = { id: 1, created_at: row.created_at, updated_at: null, deleted: false, deleted_at: null };
        return ok({ keypair: { ...briefView(row), user_id: row.user_id, ...rest } });
      },
    },
    { method: 'POST', path: '/os-keypairs', run: create },
    {
      method: 'DELETE',
      path: '/os-keypairs/:name',
      run: (ask) => {
        const { id } = find(ask);
        ask.run(({ store }) => store.keypairs.delete(id));
        return { status: 202 };
      },
    },
  ];
}

const briefView = ({ name, public_key, fingerprint }: KeypairRow) => ({ name, public_key, fingerprint });

function create({ caller, body, run }: Ask) {
  const { name, public_key: given } = (body.keypair ?? {}) as {
    readonly name?: unknown;
    readonly public_key?: unknown;
  };
  if (typeof name !== 'string' || !/^[\w @.-]{1,255}$/.test(name))
    throw badRequest('Keypair data is invalid: Invalid name');
  if (given !== undefined && typeof given !== 'string')
    throw badRequest('Keypair data is invalid: failed to generate fingerprint');
  const made = given === undefined ? newKey() : undefined;
  const publicKey = given ?? made?.publicKey ?? '';
  const row: KeypairRow = {
    id: `${caller.userId}/${name}`,
    name,
    user_id: caller.userId,
    public_key: publicKey,
    fingerprint: fingerprintOf(publicKey),
    created_at: timestamp(),
  };
  run(({ store }) => {
    if (store.keypairs.get(row.id) !== undefined) throw new NovaFault(409, `Key pair '${name}' already exists.`);
    store.keypairs.put(row);
  });
  const secret = made === undefined ? {} : { private_key: made.privateKey };
  return ok({ keypair: { ...briefView(row), user_id: row.user_id, ...secret } });
}

function fingerprintOf(publicKey: string): string {
  const [, blob] = publicKey.trim().split(/\s+/);
  if (blob === undefined) throw badRequest('Keypair data is invalid: failed to generate fingerprint');
  const digest = createHash('md5').update(Buffer.from(blob, 'base64')).digest('hex');
  return digest.match(/../g)?.join(':') ?? '';
}

/** RSA, as Nova makes it; the public key in OpenSSH's form (RFC 4253 §6.6). */
function newKey(): { readonly publicKey: string; readonly privateKey: string } {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { e = '', n = '' } = publicKey.export({ format: 'jwk' });
  const positive = (value: string) => Buffer.concat([Buffer.from([0]), Buffer.from(value, 'base64url')]);
  const parts = [Buffer.from('ssh-rsa'), Buffer.from(e, 'base64url'), positive(n)].map((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return Buffer.concat([length, part]);
  });
  return {
    publicKey: `ssh-rsa ${Buffer.concat(parts).toString('base64')} Generated-by-Nova`,
    privateKey: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
  };
}
