import { destination, type Logger, pino } from 'pino';

/** JSON lines on stdout. */
export function createLogger(level: string): Logger {
  return pino(
    {
      name: 'astara-orchestrator',
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination({ dest: 1, sync: true }),
  );
}
