import type { Channel } from 'rabbitmq-client';
import type { RabbitSession } from './rabbit-session.ts';
import type { Consumer, Delivery, Source } from './session.ts';

/** Consumers on one channel of one session. */
export class RabbitConsumer implements Consumer {
  readonly #channel: Channel;
  readonly #tags: string[] = [];

  static async start(
    session: RabbitSession,
    sources: readonly Source[],
    prefetch: number,
    receive: (delivery: Delivery) => void,
  ): Promise<RabbitConsumer> {
    const consumer = new RabbitConsumer(await session.channel());
    const channel = consumer.#channel;
    if (prefetch > 0) await channel.basicQos({ prefetchCount: prefetch });
    for (const { queue, bindings } of sources) {
      await channel.queueDeclare({ ...queue, arguments: { ...queue.arguments } });
      for (const { exchange, routingKey } of bindings) {
        await channel.exchangeDeclare({ ...exchange });
        await channel.queueBind({ queue: queue.queue, exchange: exchange.exchange, routingKey });
      }
    }
    // All queues are there before the first message is handled.
    for (const { queue } of sources) {
      const { consumerTag } = await channel.basicConsume({ queue: queue.queue }, (message) => {
        const { body, deliveryTag } = message;
        const expiration = message.expiration === undefined ? undefined : Number(message.expiration);
        receive({ queue: queue.queue, body, expiration, ack: () => acknowledge(channel, deliveryTag) });
      });
      consumer.#tags.push(consumerTag);
    }
    session.dependOn(channel);
    return consumer;
  }

  private constructor(channel: Channel) {
    this.#channel = channel;
  }

  async stop(): Promise<void> {
    for (const tag of this.#tags.splice(0)) {
      if (this.#channel.active) await this.#channel.basicCancel(tag).catch(() => undefined);
    }
  }

  async deleteQueue(queue: string): Promise<void> {
    if (this.#channel.active) await this.#channel.queueDelete({ queue }).catch(() => undefined);
  }
}

function acknowledge(channel: Channel, deliveryTag: number): void {
  if (!channel.active) return;
  channel.basicAck({ deliveryTag });
}
