import { Socket } from 'node:net';
import type { Instances, StartedInstance } from './answers.ts';
import type { Ending } from './ending.ts';
import { createHost } from './host.ts';
import type { HostedPlugin } from './plugin-module.ts';
import { plainError, type Reports } from './reports.ts';
import { createRequests, type Requests } from './requests.ts';
import { startInstance } from './serve-alone.ts';
import type { ToFirst, ToWorker } from './worker-messages.ts';

/** Serves the connections that the first process hands over, with the instances that it knows. */
export function serveAsWorker(plugin: HostedPlugin, ending: Ending, reports: Reports): void {
  const started = new Map<number, StartedInstance>();
  const requests = createRequests<number | undefined>();
  const host = createHost({ plugin, instances: sharedInstances(started, requests), reports });

  function open({ request, id, configJson, startedAtSeconds }: ToWorker & { kind: 'open' }): void {
    try {
      started.set(id, startInstance(plugin, configJson, startedAtSeconds));
    } catch (error) {
      reports.instanceFailed(error);
    }
    tell({ kind: 'done', request, isDone: started.has(id) });
  }

  process.on('message', (message: ToWorker, connection: unknown) => {
    switch (message.kind) {
      case 'open':
        return open(message);
      case 'close':
        return tell({ kind: 'done', request: message.request, isDone: started.delete(message.id) });
      case 'answer':
        return requests.answer(message.request, message.id);
      case 'serve':
        tell({ kind: 'arrived' });
        // Not there when Kong has closed it on the way.
        if (!(connection instanceof Socket)) return tell({ kind: 'ended' });
        connection.on('close', () => tell({ kind: 'ended' }));
        return host.serve(connection);
    }
  });
  ending.onRequest(() => host.stop());
  tell({ kind: 'ready' });
}

function sharedInstances(
  started: ReadonlyMap<number, StartedInstance>,
  requests: Requests<number | undefined>,
): Instances {
  return {
    find: (id) => started.get(id),
    async start(configJson) {
      const id = await requests.send((request) => tell({ kind: 'start', request, configJson }));
      if (id === undefined) throw plainError('a worker could not start the instance');
      return id;
    },
    close: async (id) => (await requests.send((request) => tell({ kind: 'stop', request, id }))) !== undefined,
  };
}

/** Once the first process is gone, this one ends as well, and nobody waits for what it had to say. */
function tell(message: ToFirst): void {
  // Without somebody who takes the error, a message too late would end the process before it has flushed.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}
