/** One line of the table of resources. */
export interface ResourceLine {
  readonly resource: string;
  readonly state: string;
  readonly convergence: string;
  readonly where: string;
}

const columns = [
  ['RESOURCE', 'resource'],
  ['STATE', 'state'],
  ['LAST CHANGE TOOK', 'convergence'],
  ['INSTANCE', 'where'],
] as const;

/** What the person at the terminal sees: lines as things happen, then a table that is drawn again in its place. */
export class Screen {
  readonly #out: NodeJS.WriteStream;
  /** Lines of the table on the screen that the next one is drawn over. */
  #drawn = 0;
  #shown = '';

  constructor(out: NodeJS.WriteStream = process.stdout) {
    this.#out = out;
  }

  say(text: string): void {
    this.#drawn = 0;
    this.#out.write(`${text}\n`);
  }

  /** Says that `what` is done, how long it took and what came of it; a failure is said and passed on. */
  async step<T>(what: string, work: () => Promise<T>, outcome: (result: T) => string = () => ''): Promise<T> {
    const began = performance.now();
    if (this.#out.isTTY) this.#out.write(`  …  ${what}`);
    const end = (mark: string, detail: string) => {
      if (this.#out.isTTY) this.#out.write('\r\x1b[K');
      const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(5);
      this.say(`  ${mark} ${seconds} s  ${what}${detail === '' ? '' : `  ${detail}`}`);
    };
    try {
      const result = await work();
      end('ok  ', outcome(result));
      return result;
    } catch (error) {
      end('FAIL', error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  table(lines: readonly ResourceLine[]): void {
    const rows = [columns.map(([title]) => title), ...lines.map((line) => columns.map(([, key]) => line[key]))];
    const widths = columns.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
    const text = rows.map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('   ')}`.trimEnd());
    // In a file each state is written once.
    if (!this.#out.isTTY && this.#shown === text.join('\n')) return;
    if (this.#drawn > 0 && this.#out.isTTY) this.#out.write(`\x1b[${this.#drawn}A\x1b[J`);
    this.#out.write(`${text.join('\n')}\n`);
    this.#drawn = text.length;
    this.#shown = text.join('\n');
  }
}
