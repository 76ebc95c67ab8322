import { administration } from './scenarios/administration.ts';
import { floatingIps } from './scenarios/floating-ips.ts';
import { identity } from './scenarios/identity.ts';
import { language } from './scenarios/language.ts';
import { networks } from './scenarios/networks.ts';
import { ports } from './scenarios/ports.ts';
import { routers } from './scenarios/routers.ts';
import { securityGroups } from './scenarios/security-groups.ts';
import { subnets } from './scenarios/subnets.ts';

export const contract = [
  ...networks,
  ...subnets,
  ...ports,
  ...routers,
  ...floatingIps,
  ...securityGroups,
  ...administration,
  ...language,
  ...identity,
];
