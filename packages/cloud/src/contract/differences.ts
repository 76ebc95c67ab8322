import type { Difference } from './compare.ts';

/** Where the cloud differs from Neutron on purpose. This is the only place; whatever is not listed is a defect. */
interface Known {
  /** Matches `scenario: step: part.path`. */
  readonly where: RegExp;
  readonly because: string;
}

const known: readonly Known[] = [];

export interface Judged {
  /** Differences that nobody has allowed. */
  readonly unknown: readonly Difference[];
  /** What was allowed and did not occur. */
  readonly stale: readonly string[];
}

export function judge(found: readonly Difference[]): Judged {
  return {
    unknown: found.filter(({ where }) => !known.some((one) => one.where.test(where))),
    stale: known
      .filter((one) => !found.some(({ where }) => one.where.test(where)))
      .map(({ where, because }) => `${where}: ${because}`),
  };
}
