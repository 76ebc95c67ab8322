import { chmod, chown, readFile, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { errors } from '../errors.ts';

/** sockaddr_un holds 108 bytes with the final NUL. */
const PATH_MAX = 107;

/** Makes way for a socket at `path`: a stale one is removed; a live one is another agent's, and ours must not start. */
export async function claimSocket(path: string): Promise<void> {
  if (Buffer.byteLength(path) > PATH_MAX) {
    throw errors.make('AGENT_SOCKET_FAILED', { socket: path, reason: `a path of more than ${PATH_MAX} bytes` });
  }
  if (await answers(path)) throw errors.make('AGENT_ALREADY_RUNNING', { socket: path });
  await removeSocket(path);
}

export async function removeSocket(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
  }
}

/** root and this group may connect, nobody else. */
export async function protectSocket(path: string, gid: number): Promise<void> {
  await chown(path, 0, gid);
  await chmod(path, 0o660);
}

/** Group id by name, as getent(1) knows it in /etc/group. */
export async function groupId(option: string, group: string): Promise<number> {
  const lines = (await readFile('/etc/group', 'utf8')).split('\n').map((line) => line.split(':'));
  const gid = lines.find(([name]) => name === group)?.[2];
  if (gid === undefined) throw errors.make('AGENT_GROUP_UNKNOWN', { option, group });
  return Number(gid);
}

function answers(path: string): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.on('connect', () => {
    socket.destroy();
    resolve(true);
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    // ENOTSOCK: a plain file is in the way. Nobody answers there either.
    if (['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'].includes(error.code ?? '')) resolve(false);
    else reject(errors.make('AGENT_SOCKET_FAILED', { socket: path, reason: error.message }, { cause: error }));
  });
  return promise;
}
