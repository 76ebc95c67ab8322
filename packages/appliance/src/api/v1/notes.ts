import type { Invalid } from '@astara/model/validate.ts';

/** What a translation learns on its way: what cannot be said today, and where the parts of today's configuration come from. */
export class Notes {
  readonly errors: Invalid[] = [];
  /** JSON pointer of today → of 2016. */
  readonly #origins = new Map<string, { readonly sent: string; readonly alike: boolean }>();

  fail(field: string, message: string): void {
    this.errors.push({ field, message });
  }

  /** `today` was made of the field `sent`: whatever is wrong within it, that field is. */
  made(today: string, sent: string): this {
    this.#origins.set(today, { sent, alike: false });
    return this;
  }

  /** `today` is what `sent` was; within it fields are named alike. */
  moved(today: string, sent: string): this {
    this.#origins.set(today, { sent, alike: true });
    return this;
  }

  /** Errors of today's configuration, of the fields that were sent. A field of which nothing was noted has its name of 2016. */
  asSent(errors: readonly Invalid[]): Invalid[] {
    return errors.map(({ field, message }) => {
      for (let end = field.length; end > 0; end = field.lastIndexOf('/', end - 1)) {
        const origin = this.#origins.get(field.slice(0, end));
        if (origin !== undefined) return { field: origin.sent + (origin.alike ? field.slice(end) : ''), message };
      }
      return { field, message };
    });
  }
}
