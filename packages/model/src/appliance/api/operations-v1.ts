import type { Operation } from './operation.ts';
import { Config2016, VirtualName } from './v1.ts';
import {
  ConfigAnswer2016,
  InterfaceAnswer2016,
  InterfacesAnswer2016,
  LabelsAnswer2016,
  Status2016,
} from './v1-answers.ts';

/** The API of 2016, kept: paths, bodies and statuses. */
export const v1 = {
  welcome: {
    id: 'v1Welcome',
    method: 'GET',
    path: '/v1/base/',
    tag: 'v1',
    summary: 'Says that somebody is here',
    answer: { description: 'a sentence', media: 'text/plain' },
  },
  status: {
    id: 'v1Status',
    method: 'GET',
    path: '/v1/status/',
    tag: 'v1',
    summary: 'Whether something outside answers',
    answer: { description: 'false also where nothing is probed', schema: Status2016 },
  },
  rules: {
    id: 'v1Rules',
    method: 'GET',
    path: '/v1/firewall/rules',
    tag: 'v1',
    summary: 'The rules in force; also how an orchestrator of 2016 asks whether the appliance is alive',
    answer: { description: '`nft list table inet astara`', media: 'text/plain' },
  },
  labels: {
    id: 'v1Labels',
    method: 'POST',
    path: '/v1/firewall/labels',
    tag: 'v1',
    summary: 'Counters of the traffic labels, which begin anew',
    answer: { description: 'since they were last read', schema: LabelsAnswer2016 },
  },
  interfaces: {
    id: 'v1Interfaces',
    method: 'GET',
    path: '/v1/system/interfaces',
    tag: 'v1',
    summary: 'The network cards by virtual name',
    answer: { description: 'in order: `ge0` is the management interface', schema: InterfacesAnswer2016 },
  },
  interface: {
    id: 'v1Interface',
    method: 'GET',
    path: '/v1/system/interface/{ifname}',
    tag: 'v1',
    summary: 'One of them',
    params: { ifname: VirtualName },
    answer: { description: 'by its virtual name', schema: InterfaceAnswer2016 },
    refusals: [404],
  },
  readConfig: {
    id: 'v1ReadConfig',
    method: 'GET',
    path: '/v1/system/config',
    tag: 'v1',
    summary: 'The configuration in force',
    answer: { description: 'secrets masked', schema: ConfigAnswer2016 },
  },
  writeConfig: {
    id: 'v1WriteConfig',
    method: 'PUT',
    path: '/v1/system/config',
    tag: 'v1',
    summary: 'Puts a configuration in force',
    body: { schema: Config2016, required: true },
    answer: { description: 'it is in force', schema: ConfigAnswer2016 },
    refusals: [413, 415, 422],
  },
} as const satisfies Record<string, Operation>;
