import { v1 } from '@astara/model/appliance/api/operations-v1.ts';
import { Config2016 } from '@astara/model/appliance/api/v1.ts';
import { validator } from '@astara/model/validate.ts';
import type { Appliance } from '../../appliance.ts';
import { errors } from '../../errors.ts';
import { InvalidConfigError } from '../error-answer.ts';
import type { Serve } from '../serve.ts';
import { reachability } from '../v2/reachability.ts';
import { labelCounters } from '../v2/traffic.ts';
import { interfaceViews } from './interfaces.ts';
import { type VirtualNames, virtualNames } from './names.ts';
import { translate } from './translate.ts';
import { configView } from './view.ts';

const valid2016 = validator(Config2016);

/** The API of 2016. */
export function v1Routes(serve: Serve): void {
  serve(v1.welcome, () => 'Astara appliance API service is active');

  serve(v1.status, async ({ appliance }) => {
    const { v4, v6 } = await reachability(appliance);
    return { v4: v4 === true, v6: v6 === true };
  });

  serve(v1.rules, ({ appliance }) => appliance.home.run(['nft', 'list', 'table', 'inet', 'astara']));

  serve(v1.labels, async ({ appliance }) => {
    const labels = await labelCounters(appliance, { reset: true });
    return {
      labels: labels.map((label) => ({
        ...label,
        total_packets: label.packets_in + label.packets_out,
        total_bytes: label.bytes_in + label.bytes_out,
      })),
    };
  });

  serve(v1.interfaces, async ({ appliance }) => ({
    interfaces: await interfaceViews(appliance, await names(appliance)),
  }));

  serve(v1.interface, async ({ appliance, params: { ifname } }) => {
    const all = await interfaceViews(appliance, await names(appliance));
    const found = all.find((candidate) => candidate.ifname === ifname);
    if (found === undefined) throw errors.make('APPLIANCE_NOT_FOUND', { what: `interface ${ifname}` });
    return { interface: found };
  });

  serve(v1.readConfig, async ({ appliance }) => configView(appliance.config(), await names(appliance)));

  serve(v1.writeConfig, async ({ appliance, body }) => {
    const validated = valid2016(body);
    if (!validated.ok) throw new InvalidConfigError(validated.errors);
    const [service] = Object.keys(validated.value.services ?? {});
    if (service !== undefined)
      throw errors.make('APPLIANCE_SERVICE_UNKNOWN', { service }, { field: `/services/${service}` });
    const virtual = await names(appliance);
    const translated = translate(validated.value, { names: virtual, generation: appliance.applied?.generation ?? 0 });
    if (!translated.ok) throw new InvalidConfigError(translated.errors);
    await appliance.apply(translated.value);
    return configView(appliance.config(), virtual);
  });
}

async function names(appliance: Appliance): Promise<VirtualNames> {
  const management = appliance.config()?.networks.find(({ network_type }) => network_type === 'management');
  return virtualNames(await appliance.home.netns.links(), management?.interface.ifname);
}
