/** What became of a variable: its text, that there is no such option, or that it leads back to itself. */
export type Lookup = (variable: string) => string | undefined;

/**
 * Fills `$name`, `${name}` and `${section.name}`; `$$` and `\$` stand for a dollar sign, and a dollar sign in front of
 * anything else stands for itself (oslo.config's rules, which are those of Python's string.Template).
 * A variable that `lookup` does not know is handed to `unknown`.
 */
export function substitute(text: string, lookup: Lookup, unknown: (variable: string) => void): string {
  return text
    .replaceAll('\\$', '$$$$')
    .replace(
      /\$(?:\$|([_a-z][._a-z0-9]*)|\{([_a-z][._a-z0-9]*)\})/gi,
      (whole, named: string | undefined, braced: string | undefined) => {
        const variable = named ?? braced;
        if (variable === undefined) return '$';
        const value = lookup(variable);
        if (value === undefined) unknown(variable);
        return value ?? whole;
      },
    );
}
