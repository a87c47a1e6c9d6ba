import * as takes from './pdk-arguments.ts';
import { CONSUMER, CREDENTIAL, MEMORY_STATS, ROUTE, SERVICE } from './pdk-entities.ts';
import * as gives from './pdk-results.ts';

/** One function of Kong's plugin development kit. */
export interface PdkCall<Args extends readonly unknown[] = readonly unknown[], Result = unknown> {
  readonly takes: takes.Takes<Args>;
  readonly gives: gives.Gives<Result>;
  /** Phases in which Kong raises an error instead of answering, so that the plugin would wait for ever. */
  readonly refusedIn: readonly string[];
  /** False when Kong ends the request on this call: no answer comes. */
  readonly isAnswered: boolean;
}

function call<Args extends readonly unknown[], Result>(
  argumentsOf: takes.Takes<Args>,
  resultOf: gives.Gives<Result>,
  refusedIn: readonly string[] = [],
): PdkCall<Args, Result> {
  return { takes: argumentsOf, gives: resultOf, refusedIn, isAnswered: true };
}

/** Kong runs the log phase in a timer, after the request: what reads or changes the request itself is not there. */
const NOT_IN_LOG = ['log'];
/** What tells of an answer that is not there yet. */
const NOT_IN_ACCESS = ['access', 'rewrite'];
const NEITHER = [...NOT_IN_LOG, ...NOT_IN_ACCESS];

const { takesNothing, takesText, takesKeyValue, takesList, takesMost, takesInteger, takesStruct } = takes;
const { givesNothing, givesText, givesInteger, givesAny, givesStruct } = gives;

/**
 * The functions that `ProtoBuf:1` can carry, under Kong's names, with the phases `log` and `access` as measured on a
 * gateway (3.9.1): everything else of the plugin development kit is unknown to Kong over this protocol.
 */
export const PDK_CALLS = {
  client: {
    get_ip: call(takesNothing, givesText, NOT_IN_LOG),
    get_forwarded_ip: call(takesNothing, givesText, NOT_IN_LOG),
    get_port: call(takesNothing, givesInteger, NOT_IN_LOG),
    get_forwarded_port: call(takesNothing, givesInteger, NOT_IN_LOG),
    get_credential: call(takesNothing, gives.givesEntity(CREDENTIAL)),
    load_consumer: call(takes.takesConsumerSpec, gives.givesEntity(CONSUMER)),
    get_consumer: call(takesNothing, gives.givesEntity(CONSUMER)),
    authenticate: call(takes.takesIdentity, givesNothing, NOT_IN_LOG),
    get_protocol: call(takes.takesFlag, givesText, NOT_IN_LOG),
  },
  ctx: {
    shared: {
      set: call(takesKeyValue, givesNothing),
      get: call(takesText, givesAny),
    },
  },
  ip: {
    is_trusted: call(takesText, gives.givesFlag),
  },
  log: {
    alert: call(takesList, givesNothing),
    crit: call(takesList, givesNothing),
    err: call(takesList, givesNothing),
    warn: call(takesList, givesNothing),
    notice: call(takesList, givesNothing),
    info: call(takesList, givesNothing),
    debug: call(takesList, givesNothing),
    set_serialize_value: call(takesKeyValue, givesNothing),
    serialize: call(takesNothing, givesText, NOT_IN_ACCESS),
  },
  nginx: {
    get_var: call(takesText, givesText, NOT_IN_LOG),
    get_tls1_version_str: call(takesNothing, givesText),
    set_ctx: call(takesKeyValue, givesText),
    get_ctx: call(takesText, givesAny),
    req_start_time: call(takesNothing, gives.givesDouble),
    get_subsystem: call(takesNothing, givesText),
  },
  node: {
    get_id: call(takesNothing, givesText),
    get_memory_stats: call(takesNothing, gives.givesEntity(MEMORY_STATS)),
  },
  request: {
    get_scheme: call(takesNothing, givesText, NOT_IN_LOG),
    get_host: call(takesNothing, givesText, NOT_IN_LOG),
    get_port: call(takesNothing, givesInteger, NOT_IN_LOG),
    get_forwarded_scheme: call(takesNothing, givesText, NOT_IN_LOG),
    get_forwarded_host: call(takesNothing, givesText, NOT_IN_LOG),
    get_forwarded_port: call(takesNothing, givesInteger, NOT_IN_LOG),
    get_http_version: call(takesNothing, gives.givesDouble, NOT_IN_LOG),
    get_method: call(takesNothing, givesText, NOT_IN_LOG),
    get_path: call(takesNothing, givesText, NOT_IN_LOG),
    get_path_with_query: call(takesNothing, givesText, NOT_IN_LOG),
    get_raw_query: call(takesNothing, givesText, NOT_IN_LOG),
    get_query_arg: call(takesText, givesText, NOT_IN_LOG),
    get_query: call(takesMost, givesStruct, NOT_IN_LOG),
    get_header: call(takesText, givesText),
    get_headers: call(takesMost, givesStruct),
    get_raw_body: call(takesNothing, gives.givesRawBody, NOT_IN_LOG),
    get_uri_captures: call(takesNothing, gives.givesUriCaptures),
  },
  response: {
    get_status: call(takesNothing, givesInteger, NOT_IN_ACCESS),
    get_header: call(takesText, givesText, NOT_IN_ACCESS),
    get_headers: call(takesMost, givesStruct, NOT_IN_ACCESS),
    get_source: call(takesNothing, givesText, NOT_IN_ACCESS),
    set_status: call(takesInteger, givesNothing, NOT_IN_LOG),
    set_header: call(takesKeyValue, givesNothing, NOT_IN_LOG),
    add_header: call(takesKeyValue, givesNothing, NOT_IN_LOG),
    clear_header: call(takesText, givesNothing, NOT_IN_LOG),
    set_headers: call(takesStruct, givesNothing, NOT_IN_LOG),
    exit: { ...call(takes.takesExit, givesNothing, NOT_IN_LOG), isAnswered: false },
  },
  router: {
    get_route: call(takesNothing, gives.givesEntity(ROUTE)),
    get_service: call(takesNothing, gives.givesEntity(SERVICE)),
  },
  service: {
    set_upstream: call(takesText, gives.givesFlag, NOT_IN_LOG),
    set_target: call(takes.takesTarget, givesNothing, NOT_IN_LOG),
    request: {
      set_scheme: call(takesText, givesNothing, NOT_IN_LOG),
      set_path: call(takesText, givesNothing, NOT_IN_LOG),
      set_raw_query: call(takesText, givesNothing, NOT_IN_LOG),
      set_method: call(takesText, givesNothing, NOT_IN_LOG),
      set_query: call(takesStruct, givesNothing, NOT_IN_LOG),
      set_header: call(takesKeyValue, givesNothing, NOT_IN_LOG),
      add_header: call(takesKeyValue, givesNothing, NOT_IN_LOG),
      clear_header: call(takesText, givesNothing, NOT_IN_LOG),
      set_headers: call(takesStruct, givesNothing, NOT_IN_LOG),
      set_raw_body: call(takes.takesBytes, givesNothing, NOT_IN_LOG),
    },
    response: {
      get_status: call(takesNothing, givesInteger, NEITHER),
      get_header: call(takesText, givesText, NEITHER),
      get_headers: call(takesMost, givesStruct, NEITHER),
      get_raw_body: call(takesNothing, gives.givesBytes, NEITHER),
    },
  },
} as const;
