import { AstaraError, defineErrors } from '@astara/model/error.ts';

export const configErrors = defineErrors({
  CONFIG_INVALID: {
    message: '{count} problems in the configuration:\n{list}',
    remedy: 'Mend each of them, then check with --check-config.',
    retry: 'operator',
    radius: 'cluster',
  },
  CONFIG_ARGUMENT: {
    message: '{problem}',
    remedy: 'Run it with --help to see the arguments it takes; everything else is set in the configuration file.',
    retry: 'operator',
    radius: 'cluster',
  },
  CONFIG_FILE_UNREADABLE: {
    message: 'cannot read the configuration file {file}: {reason}',
    remedy: 'Check that the path is right and that the user this program runs as may read it.',
    retry: 'operator',
    radius: 'cluster',
  },
  CONFIG_SYNTAX: {
    message: '{place}: {problem}',
    remedy:
      'Lines are `[section]`, `name = value`, comments that begin with # or ;, or indented continuations of the value above.',
    retry: 'operator',
    radius: 'cluster',
  },
  CONFIG_UNKNOWN_SECTION: {
    message: '{place}: there is no section [{section}]',
    remedy: '{hint}',
    retry: 'operator',
    radius: 'cluster',
  },
  CONFIG_UNKNOWN_OPTION: {
    message: '{place}: there is no option [{section}] {name}',
    remedy: '{hint}',
    retry: 'operator',
    radius: 'cluster',
  },
  CONFIG_VALUE: {
    message: '{place}: [{section}] {name} {problem}',
    remedy: 'Set [{section}] {name} to {accepted}.',
    retry: 'operator',
    radius: 'cluster',
  },
  CONFIG_MISSING: {
    message: '[{section}] {name} is not set{because}',
    remedy: 'Add `{name} = …` to [{section}] of {file}: {accepted}.',
    retry: 'operator',
    radius: 'cluster',
  },
  CONFIG_CONFLICT: {
    message: '[{section}] {name} cannot be combined with {other}',
    remedy: 'Remove one of the two.',
    retry: 'operator',
    radius: 'cluster',
  },
  CONFIG_VARIABLE: {
    message: '{place}: [{section}] {name} refers to {variable}, which is no option',
    remedy: 'Name an option of the same section, of [DEFAULT], or as section.name; write $$ for a literal dollar sign.',
    retry: 'operator',
    radius: 'cluster',
  },
  CONFIG_VARIABLE_CYCLE: {
    message: '{place}: [{section}] {name} refers to itself by way of $variables',
    remedy: 'Give one of the options in the circle a value without a variable.',
    retry: 'operator',
    radius: 'cluster',
  },
});

/** Everything that is wrong with a set of configuration files at once. With one problem, it is that problem. */
export class ConfigError extends AstaraError {
  readonly problems: readonly AstaraError[];

  constructor(problems: readonly [AstaraError, ...AstaraError[]]) {
    const [first] = problems;
    if (problems.length === 1) {
      const { code, message, remedy, retry, radius } = first;
      super(code, { message: '{message}', remedy: '{remedy}', retry, radius }, { message, remedy });
    } else {
      const list = problems.map((problem) => `- ${problem.message}`).join('\n');
      super('CONFIG_INVALID', configErrors.CONFIG_INVALID, { count: problems.length, list });
    }
    this.problems = problems;
  }
}
