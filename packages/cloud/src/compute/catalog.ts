/** What servers can be made of. It is the same in every cloud: machines are namespaces, and sizes are only shown. */

export interface Flavor {
  readonly id: string;
  readonly name: string;
  readonly vcpus: number;
  /** MiB */
  readonly ram: number;
  /** GiB */
  readonly disk: number;
}

export const flavors: readonly Flavor[] = [
  { id: '1', name: 'tiny', vcpus: 1, ram: 64, disk: 1 },
  { id: '2', name: 'small', vcpus: 1, ram: 512, disk: 1 },
];

export interface Image {
  readonly id: string;
  readonly name: string;
  /** Bytes */
  readonly size: number;
  readonly created_at: string;
}

export const images: readonly Image[] = [
  {
    id: '6a0f4e0e-5f5b-4b4f-8d7a-3c1de8a5c0de',
    name: 'cirros',
    size: 1_048_576,
    created_at: '2024-01-01T00:00:00Z',
  },
];
