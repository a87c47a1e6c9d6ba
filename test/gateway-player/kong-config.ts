import { Schema } from '../../plugin/metering-and-billing/schema.ts';
import type { Field } from '../../plugin/metering-and-billing/schema-language.ts';
import { applySchema } from './kong-schema.ts';

/** Which plugin entity of the gateway a configuration belongs to; by default one plugin on one service. */
export interface PluginIdentity {
  readonly pluginId?: string;
  /** The service that the plugin is limited to; `null`: the whole gateway. */
  readonly serviceId?: string | null;
  /** Kong's counter of configuration changes. */
  readonly sequence?: number;
}

const WORKSPACE_ID = '0dc6f45b-8f8d-40d2-a504-473544ee190b';
const PLUGIN_ID = '22d1cab2-e689-5a59-b17b-2f6dc46b7e7e';
const SERVICE_ID = '0a20789d-ec54-5c07-8284-b66eecb35876';

/**
 * A configuration as Kong hands it to an instance: defaults filled in, what is unset left out, and Kong's own fields
 * added. Throws what Kong would answer when it would not accept the configuration.
 */
export function kongConfig(
  given: Readonly<Record<string, unknown>>,
  identity: PluginIdentity = {},
  schema: readonly Field[] = Schema,
): Record<string, unknown> {
  const { pluginId = PLUGIN_ID, serviceId = SERVICE_ID, sequence = 4 } = identity;
  return {
    ...applySchema(schema, given),
    ...(serviceId !== null && { service_id: serviceId }),
    __plugin_id: pluginId,
    __ws_id: WORKSPACE_ID,
    __key__: `plugins:metering-and-billing::${serviceId ?? ''}:::${WORKSPACE_ID}`,
    __seq__: sequence,
  };
}
