import { planWhole, type Service, type Whole } from '../service.ts';
import { desiredRa } from './desired.ts';
import { renderRa } from './render.ts';
import { RaRunner, type RaState } from './runner.ts';

export const raService: Service<RaState, Whole<RaState>, RaRunner> = {
  name: 'ra',
  reads: ['networks'],
  compile(config) {
    const advertised = desiredRa(config);
    return advertised.length === 0 ? undefined : renderRa(advertised);
  },
  plan: (before, after) => planWhole(before, after, (a, b) => a === b),
  open: (context) => new RaRunner(context),
};
