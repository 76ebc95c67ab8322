import type { FastifyInstance } from 'fastify';
import { baseOf } from '../../api/server.ts';
import { type Image, images } from '../catalog.ts';
import { NovaFault } from '../fault.ts';
import { ok, type Route, type Served, serveRoutes } from './ask.ts';

/** As much of Glance's v2 API as it takes to list the images and to find one: `/image/`, `/image/v2/images`. */
export function serveGlance(app: FastifyInstance, served: Served): void {
  for (const path of ['/image', '/image/', '/image/versions']) {
    app.get(path, (request) => {
      const links = [{ rel: 'self', href: `${baseOf(request)}/image/v2/` }];
      return { versions: [{ id: 'v2.0', status: 'CURRENT', links }] };
    });
  }
  serveRoutes(app, '/image/v2', routes, served);
}

const routes: readonly Route[] = [
  {
    method: 'GET',
    path: '/images',
    run: ({ query }) => {
      const name = query.get('name');
      const ids = query.get('id')?.replace(/^in:/, '').split(',');
      const found = query.has('marker')
        ? []
        : images.filter((image) => (name === null || image.name === name) && (ids?.includes(image.id) ?? true));
      return ok({ images: found.map(view), first: '/v2/images', schema: '/v2/schemas/images' });
    },
  },
  {
    method: 'GET',
    path: '/images/:id',
    run: ({ params }) => {
      const image = images.find(({ id }) => id === params.id);
      if (image === undefined) throw new NovaFault(404, `No image found with ID ${params.id}`);
      return ok(view(image));
    },
  },
];

function view({ id, name, size, created_at }: Image): Record<string, unknown> {
  return {
    id,
    name,
    size,
    virtual_size: null,
    status: 'active',
    visibility: 'public',
    protected: false,
    disk_format: 'raw',
    container_format: 'bare',
    min_disk: 0,
    min_ram: 0,
    checksum: null,
    owner: null,
    os_hidden: false,
    tags: [],
    created_at,
    updated_at: created_at,
    self: `/v2/images/${id}`,
    file: `/v2/images/${id}/file`,
    schema: '/v2/schemas/image',
  };
}
