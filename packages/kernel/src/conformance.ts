/** One body of tests for every implementation of the {@link Kernel} contract, against the real kernel. */
import { afterEach, beforeAll, beforeEach, describe } from 'vitest';
import { linkTests } from './conformance/links.ts';
import { modelTests } from './conformance/model.ts';
import { multipathTests } from './conformance/multipath.ts';
import { neighbourTests } from './conformance/neighbours.ts';
import { netnsTests } from './conformance/netns.ts';
import { nftTests } from './conformance/nft.ts';
import { wireTests } from './conformance/wire.ts';
import { World } from './conformance/world.ts';
import type { Kernel } from './contract.ts';

export interface Features {
  /** Whether sockets can be made inside a namespace. */
  readonly listenTcp: boolean;
  /** Whether many random cases can be afforded. */
  readonly fast: boolean;
}

/** What is under test, new for each test. */
export interface Subject {
  readonly kernel: Kernel;
  readonly world: World;
  readonly features: Features;
}

export function conformance(name: Kernel['name'], open: () => Promise<Kernel>, features: Features): void {
  describe(`kernel: ${name}`, () => {
    let kernel: Kernel;
    let world: World;
    const subject: Subject = {
      get kernel() {
        return kernel;
      },
      get world() {
        return world;
      },
      features,
    };
    beforeAll(async () => {
      kernel = await open();
    });
    beforeEach(() => {
      world = new World(kernel);
    });
    afterEach(() => world.dispose());

    describe('namespaces', () => netnsTests(subject));
    describe('links, addresses, routes', () => linkTests(subject));
    describe('several next hops', () => multipathTests(subject));
    describe('neighbours', () => neighbourTests(subject));
    describe('nftables', () => nftTests(subject));
    describe('on the wire', () => wireTests(subject));
    describe('model', () => modelTests(subject));
  });
}
