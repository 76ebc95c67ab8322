import { openApi, operations } from '@astara/model/appliance/api/openapi.ts';
import type { Operation } from '@astara/model/appliance/api/operation.ts';
import { describe, expect, it } from 'vitest';
import { createApi } from './api.ts';

type Json = Readonly<Record<string, unknown>>;

const document = openApi('0.1.0');
const paths = document.paths as Readonly<Record<string, Readonly<Record<string, Json>>>>;

/** Every value of the document with this key. */
function all(value: unknown, key: string): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [...(name === key ? [inner] : []), ...all(inner, key)]);
}

function resolves(pointer: string): boolean {
  const parts = pointer.replace(/^#\//, '').split('/');
  return parts.reduce<unknown>((value, part) => (value as Json | undefined)?.[part], document) !== undefined;
}

/** Fastify's own account of its routes: a tree, four characters a level. HEAD comes with GET. */
function routes(tree: string): string[] {
  const path: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', part = '', methods = ''] = /^([│├└─ ]*)(\/\S*) \((.*)\)$/.exec(line) ?? [];
    if (part === '') return [];
    path.splice(indent.length / 4 - 1, path.length, part);
    const url = path.join('').replace(/:(\w+)/g, '{$1}');
    return methods
      .split(', ')
      .filter((method) => method !== 'HEAD')
      .map((method) => `${method} ${url}`);
  });
}

describe('the OpenAPI document', () => {
  it('is the committed one', async () => {
    const text = `${JSON.stringify(document, undefined, 2)}\n`;
    await expect(text).toMatchFileSnapshot('../../../../docs/reference/appliance-openapi.json');
  });

  it('has every route, and every route is in it', async () => {
    const app = createApi({ resolve: () => undefined });
    await app.ready();
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/(.)\/$/, '$1')}`),
    );
    expect(routes(app.printRoutes({ commonPrefix: false })).sort()).toEqual(described.sort());
    expect(described).toHaveLength(operations.length);
  });

  it('refers to nothing that is not there', () => {
    const references = all(document, '$ref').map(String);
    expect(references.length).toBeGreaterThan(50);
    expect(references.filter((reference) => !resolves(reference))).toEqual([]);
    const used = new Set(references.map((reference) => reference.split('/').at(-1)));
    const { schemas } = document.components as { schemas: Json };
    expect(Object.keys(schemas).filter((name) => !used.has(name))).toEqual([]);
  });

  it('names each operation once, and every parameter of its path', () => {
    const ids = all(document.paths, 'operationId');
    expect(new Set(ids).size).toBe(operations.length);
    for (const { path, params } of operations as readonly Operation[]) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(Object.keys(params ?? {}), path).toEqual(named);
    }
    for (const methods of Object.values(paths)) {
      for (const operation of Object.values(methods)) {
        expect(operation.summary).toBeTruthy();
        expect(Object.keys(operation.responses as Json)).toEqual(expect.arrayContaining(['200', '400', '404', '500']));
      }
    }
  });

  it('shows where secrets are, so that generated clients hide them too', () => {
    const text = JSON.stringify(document);
    expect(text.match(/"writeOnly":true/g)?.length).toBeGreaterThanOrEqual(3);
    expect(all(document, 'format')).toContain('password');
  });

  it('closes every object of a request: what has no name in the schema is refused', () => {
    const { schemas } = document.components as { schemas: Readonly<Record<string, Json>> };
    const open: string[] = [];
    const look = (schema: unknown, place: string): void => {
      if (typeof schema !== 'object' || schema === null) return;
      const { type, additionalProperties } = schema as Json;
      if (type === 'object' && additionalProperties !== false) open.push(place);
      for (const [key, inner] of Object.entries(schema)) look(inner, `${place}/${key}`);
    };
    for (const name of ['ApplianceConfig', 'Config2016']) look(schemas[name], name);
    const used = [
      'Network',
      'Vpn',
      'Bgp',
      'FirewallGroup',
      'Network2016',
      'IpsecConnection2016',
      'Labels',
      'AddressBook',
    ];
    for (const [name, schema] of Object.entries(schemas)) {
      if (!/Answer|Status|View/.test(name)) look(schema, name);
    }
    expect(Object.keys(schemas)).toEqual(expect.arrayContaining(used));
    expect(open).toEqual([]);
  });
});
