import { readFileSync } from 'node:fs';
import { type About, capabilities } from '@astara/model/appliance/api/about.ts';
import { openApi } from '@astara/model/appliance/api/openapi.ts';
import { v2 } from '@astara/model/appliance/api/operations-v2.ts';
import { services } from '../../services/services.ts';
import { BODY_LIMIT, DEPTH_LIMIT } from '../body.ts';
import type { Serve } from '../serve.ts';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** What this is, for people and for programs. */
export function aboutRoutes(serve: Serve): void {
  const document = openApi(version);

  serve(
    v2.about,
    (): About => ({
      name: 'astara-appliance',
      version,
      api: ['v1', 'v2'],
      capabilities: [...capabilities],
      services: services.map(({ name }) => name),
      limits: { body_bytes: BODY_LIMIT, body_depth: DEPTH_LIMIT },
    }),
  );

  serve(v2.openapi, () => document);
}
