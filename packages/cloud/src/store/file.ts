import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { cloudErrors } from '../errors.ts';
import type { Change } from './journal.ts';
import type { Store } from './store.ts';
import type { Row } from './table.ts';

/** Of the format of the file. */
const version = 1;

/**
 * Keeps a store in an SQLite file: what is there is loaded, and each transaction is written before it holds. A process that is killed
 * leaves whole transactions; so does a write that fails, for then the transaction is undone.
 */
export class StoreFile {
  readonly #database: DatabaseSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;

  /** Throws CLOUD_FILE. To be made when all other finishers are in the store: what they change after it would be lost. */
  constructor(path: string, store: Store) {
    this.#database = openDatabase(path);
    this.#put = this.#database.prepare(
      'INSERT INTO rows (kind, id, body) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body',
    );
    this.#delete = this.#database.prepare('DELETE FROM rows WHERE kind = ? AND id = ?');
    this.#load(store);
    store.beforeCommit((changes) => this.#write(changes));
  }

  close(): void {
    this.#database.close();
  }

  #load(store: Store): void {
    const tables = store.tables();
    // In the order in which they were made.
    for (const { kind, id, body } of this.#database
      .prepare('SELECT kind, id, body FROM rows ORDER BY rowid')
      .iterate()) {
      const row: Row = JSON.parse(String(body));
      tables.get(String(kind))?.restore(String(id), row);
    }
  }

  #write(changes: readonly Change[]): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const { table, before, after } of changes) {
        if (after !== undefined) this.#put.run(table, after.id, JSON.stringify(after));
        else if (before !== undefined) this.#delete.run(table, before.id);
      }
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    // With WAL a commit costs one write without waiting for the disk; only a power failure can lose the last ones.
    // Locked: a second cloud on the same file would overwrite what the first one knows.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    const found = database.prepare('PRAGMA user_version').get()?.user_version;
    if (found !== 0 && found !== version) {
      throw new Error(`it has the format ${String(found)}, and this program writes ${version}`);
    }
    database.exec(`
      CREATE TABLE IF NOT EXISTS rows (kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id));
      PRAGMA user_version = ${version};
    `);
    return database;
  } catch (error) {
    database?.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw cloudErrors.make('CLOUD_FILE', { file: path, reason }, { cause: error });
  }
}
