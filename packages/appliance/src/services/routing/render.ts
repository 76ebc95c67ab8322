import { join } from 'node:path';
import type { RoutingNode } from './nodes.ts';
import { renderBgp, renderFloating } from './render-bgp.ts';
import { renderRa } from './render-ra.ts';

/** Files of a BIRD. */
export interface RoutingFiles {
  /** Holds secrets. */
  readonly conf: string;
  /** Included by it. */
  readonly floating: string;
}

export const fileNames = { conf: 'bird.conf', floating: 'floating.conf' } as const;

/** `directory`: where the files will be, as BIRD sees it. */
export function renderRouting({ routerId, ra, bgp }: RoutingNode, directory: string): RoutingFiles {
  const paths = bgp?.maximumPaths ?? 1;
  const conf = [
    'log stderr { warning, error, fatal, bug };\n',
    `router id ${routerId};\n`,
    // For people at birdc, and for us whatever the time zone.
    'timeformat protocol "%FT%T%z";\n',
    'graceful restart wait 30;\n',
    'protocol device at_device {\n  scan time 60;\n}\n',
    // Without BGP too: they remove what an earlier BIRD has left in the kernel.
    ...[4, 6].map((version) => kernel(version, paths)),
    bgp === undefined ? '' : renderBgp(bgp, join(directory, fileNames.floating)),
    ra.length === 0 ? '' : renderRa(ra),
  ];
  return Object.freeze({ conf: conf.join(''), floating: renderFloating(bgp) });
}

/** Metric 2000: behind routes of the configuration, which have 0 (IPv4) and 1024 (IPv6, the kernel's word for 0). */
function kernel(version: number, paths: number): string {
  const merge = paths > 1 ? `  merge paths yes limit ${paths};\n` : '';
  const channel = `  ipv${version} { import none; export where source = RTS_BGP; };\n`;
  return `protocol kernel at_kernel${version} {\n  scan time 60;\n  metric 2000;\n  graceful restart yes;\n${merge}${channel}}\n`;
}
