import { Machine } from './machine.ts';

/** The rest of the internet: the gateway of network `ext` (namespace labext of the lab), outside of every router. */
export const EXTERNAL_ADDRESS = '203.0.113.1';
export const EXTERNAL_ADDRESS_6 = '2001:db8:ffff::1';

export const external = () => new Machine('labext');
