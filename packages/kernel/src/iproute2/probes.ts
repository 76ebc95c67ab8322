/** Whether somebody answers, asked by programs inside a namespace. */
import { type Asked, errnoInText, refused } from '../errors.ts';
import { run } from './programs.ts';

/** Prints milliseconds, or the errno. */
const CONNECT = `const start = performance.now();
const socket = require('node:net').connect({ host: process.argv[1], port: Number(process.argv[2]) });
socket.once('connect', () => { console.log(performance.now() - start); process.exit(0); });
socket.once('error', (error) => { console.error(error.code); process.exit(1); });`;

/** ping(8) waits this long for an answer: the signal ends it before. Seconds */
const LONG = '60';

export async function ping(netns: number | null, address: string, signal: AbortSignal, asked: Asked) {
  const { code, stdout, stderr } = await run(netns, 'ping', ['-n', '-c', '1', '-W', LONG, address], '', signal);
  const time = /time[=<]([\d.]+) ms/.exec(stdout)?.[1];
  if (time !== undefined) return Number(time);
  if (signal.aborted || (code === 1 && stderr === '')) return undefined;
  throw refused(asked, errnoInText(stderr), stderr.trim());
}

export async function connectTcp(
  netns: number | null,
  address: string,
  port: number,
  signal: AbortSignal,
  asked: Asked,
) {
  const { stdout, stderr } = await run(netns, 'node', ['-e', CONNECT, address, String(port)], '', signal);
  if (stdout !== '') return Number(stdout);
  const errno = stderr.trim();
  if (signal.aborted || errno === 'ETIMEDOUT') return undefined;
  throw refused(asked, /^E[A-Z]+$/.test(errno) ? errno : 'EIO', errno);
}
