import { providerConformance } from './conformance.ts';
import { SimulatedHost } from './simulated.ts';

providerConformance('simulated', async () => ({ provider: new SimulatedHost({ ensure: 2 }), dispose: async () => {} }));
