import { writeSync } from 'node:fs';
import { networkRow } from '../network/plain-rows.ts';
import { StoreFile } from '../store/file.ts';
import { Store } from '../store/store.ts';

/** To be killed: makes two networks of the same name in each transaction, and says how many pairs there are. */
const store = new Store();
new StoreFile(process.argv[2] ?? '', store);
for (let pair = store.networks.size / 2 + 1; ; pair += 1) {
  store.transaction(() => {
    for (let each = 0; each < 2; each += 1) store.networks.put(networkRow({ name: `pair-${pair}` }));
  });
  writeSync(1, `${pair}\n`);
}
