/**
 * Adds up vitest's JSON reports: what was skipped and, alone on the last line, `N passed, N failed, N skipped`.
 * Arguments: the report files. A test file that could not even be loaded counts as one failure, and so does a report that
 * is missing, because whoever should have written it did not get that far. Why a test was skipped is in its name.
 */
import { existsSync, readFileSync } from 'node:fs';

interface Report {
  testResults: { name: string; status: string; assertionResults: { fullName: string; status: string }[] }[];
}

const total = { passed: 0, failed: 0, skipped: 0 };
const skipped: string[] = [];

for (const path of process.argv.slice(2)) {
  if (!existsSync(path)) {
    total.failed++;
    continue;
  }
  const report: Report = JSON.parse(readFileSync(path, 'utf8'));
  for (const file of report.testResults) {
    if (file.status === 'failed' && file.assertionResults.length === 0) total.failed++;
    for (const test of file.assertionResults) {
      if (test.status === 'passed' || test.status === 'failed') {
        total[test.status]++;
      } else {
        total.skipped++;
        skipped.push(`${file.name}: ${test.fullName}`);
      }
    }
  }
}

for (const name of skipped) console.log(`skipped: ${name}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
