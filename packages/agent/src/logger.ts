import { destination, type Logger, pino } from 'pino';

/** JSON lines on stdout. Errors carry their code, what they say and the cause, never a request's body. */
export function createLogger(level: string): Logger {
  return pino(
    {
      name: 'astara-agent',
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination({ dest: 1, sync: true }),
  );
}
