import { CURL, type RecordedUsage } from './recorded-usage-shape.ts';

/** The one authenticated request whose Consumer had no custom_id. */
export const WITHOUT_CUSTOM_ID = '1478926d225210278a4c0b159f3c5260';

const OK_SERVICE = {
  route_id: 'f4b6b39f-d924-5460-8466-398ea7908ac0',
  route_name: 'ok-r',
  service_id: '96e1bdc9-62bb-5417-a655-3ce6ad654677',
  service_name: 'ok',
  service_port: 9100,
  service_protocol: 'http',
};
const DEMO_SERVICE = {
  route_id: 'b8613a05-2540-5613-a77c-008d3263ece6',
  route_name: 'demo-route',
  service_id: '0a20789d-ec54-5c07-8284-b66eecb35876',
  service_name: 'demo-svc',
  service_port: 9100,
  service_protocol: 'http',
};

function demo(requestId: string, time: string): RecordedUsage {
  return {
    requestId,
    time,
    username: 'alice',
    apiRequest: {
      ...CURL,
      ...DEMO_SERVICE,
      request_method: 'GET',
      request_size_bytes: 107,
      request_uri: '/demo/x',
      response_http_status: 200,
      response_size_bytes: 944,
      upstream_status: 200,
    },
  };
}

/** Requests that ended in unusual ways. */
export const EDGE_CASES: readonly RecordedUsage[] = [
  // No route matched: no service, no route, no try.
  {
    requestId: '5234c36d7d3b1e76d15a1e2762e6f27c',
    time: '2026-11-21T02:30:24.228Z',
    apiRequest: {
      ...CURL,
      request_method: 'GET',
      request_size_bytes: 86,
      request_uri: '/nope',
      response_http_status: 404,
      response_size_bytes: 359,
    },
  },
  // Key-auth refused: no Consumer, and the upstream was not asked.
  {
    requestId: '92d93f10db745d206d74253159262067',
    time: '2026-11-21T02:30:24.303Z',
    apiRequest: {
      ...CURL,
      ...OK_SERVICE,
      request_method: 'GET',
      request_size_bytes: 95,
      request_uri: '/ok/x',
      response_http_status: 401,
      response_size_bytes: 362,
    },
  },
  {
    requestId: 'ef8a987c0145045b7e79907a22154f35',
    time: '2026-11-21T02:30:24.273Z',
    apiRequest: {
      ...CURL,
      ...OK_SERVICE,
      request_method: 'GET',
      request_size_bytes: 82,
      request_uri: '/ok/x',
      response_http_status: 401,
      response_size_bytes: 377,
    },
  },
  // The upstream itself answered 503.
  {
    requestId: '65f88d14613f0207f81cf824c658d25b',
    time: '2026-11-21T02:30:24.314Z',
    username: 'alice',
    apiRequest: {
      ...CURL,
      ...OK_SERVICE,
      request_method: 'GET',
      request_size_bytes: 104,
      request_uri: '/ok/fail',
      response_http_status: 503,
      response_size_bytes: 1075,
      upstream_status: 503,
    },
  },
  // The API key travelled in the query string.
  {
    requestId: 'dbe4e209db780c1b37071a583e221304',
    time: '2026-11-21T02:30:24.336Z',
    username: 'alice',
    apiRequest: {
      ...CURL,
      ...OK_SERVICE,
      request_method: 'GET',
      request_size_bytes: 99,
      request_uri: '/ok/q',
      response_http_status: 200,
      response_size_bytes: 1054,
      upstream_status: 200,
    },
  },
  // Three tries, none of which found a listening upstream: "502, 502, 502".
  {
    requestId: 'e983c236f34afa06363848080de5bc54',
    time: '2026-11-21T02:30:24.396Z',
    apiRequest: {
      ...CURL,
      request_method: 'GET',
      request_size_bytes: 82,
      request_uri: '/down',
      response_http_status: 502,
      response_size_bytes: 430,
      route_id: '3821a438-87f6-5bca-95d1-6e5ce4e12d00',
      route_name: 'down-r',
      service_id: '879f8eea-c7b1-5795-ad9f-01b4fa13ff88',
      service_name: 'down',
      service_port: 9199,
      service_protocol: 'http',
      upstream_status: 502,
    },
  },
  // The client went away before the upstream answered: status 499, nothing sent, upstream_status "-".
  {
    requestId: 'b723d42e90e1fb68dc8e9906d42f267c',
    time: '2026-11-21T02:30:24.433Z',
    apiRequest: {
      ...CURL,
      request_method: 'GET',
      request_size_bytes: 90,
      request_uri: '/slowsvc/slow',
      response_http_status: 499,
      response_size_bytes: 0,
      route_id: '9f78fe85-f922-57ec-a32b-af74fb20d6bf',
      route_name: 'slow-r',
      service_id: '0a2913b5-5bc2-57dc-a95f-05eecb456a10',
      service_name: 'slow',
      service_port: 9100,
      service_protocol: 'http',
    },
  },
  // Answered by the request-termination plugin.
  {
    requestId: '67258025a76a8e631192661cb9594313',
    time: '2026-11-21T02:30:24.689Z',
    apiRequest: {
      ...CURL,
      request_method: 'GET',
      request_size_bytes: 82,
      request_uri: '/term',
      response_http_status: 418,
      response_size_bytes: 198,
      route_id: 'd4950924-42f9-5214-89aa-972626969c89',
      route_name: 'term-r',
      service_id: '9ccc2d33-8af2-5a02-a43a-8226a98e4956',
      service_name: 'anon',
      service_port: 9100,
      service_protocol: 'http',
    },
  },
  {
    requestId: '24a6ac59e3ec84431b40361013314556',
    time: '2026-11-21T02:30:24.939Z',
    username: 'alice',
    apiRequest: {
      ...CURL,
      ...OK_SERVICE,
      request_method: 'POST',
      request_size_bytes: 5176,
      request_uri: '/ok/post',
      response_http_status: 200,
      response_size_bytes: 1137,
      upstream_status: 200,
    },
  },
  // A malformed request: no user agent, nothing matched.
  {
    requestId: 'e431891e99b9c60a3646940b760bc92e',
    time: '2026-11-21T02:30:24.974Z',
    apiRequest: {
      client_ip: '127.0.0.1',
      request_host: 'a',
      request_method: 'GET',
      request_size_bytes: 25,
      request_uri: '/',
      response_http_status: 400,
      response_size_bytes: 303,
    },
  },
];

/** Requests whose log entries were recorded on the plugin socket. */
export const SOCKET_RECORDINGS: readonly RecordedUsage[] = [
  demo('1241ae52f620917729ded05c653a733c', '2026-11-21T01:59:12.457Z'),
  demo('1e4db10fc486bb6588de41765d6bb029', '2026-11-21T01:59:12.781Z'),
  demo('75e3102e77dc447f2b325c7bc3cf1b69', '2026-11-21T01:59:14.792Z'),
  demo('84192c3fe426d93edeacf30746920240', '2026-11-21T01:59:15.133Z'),
  {
    requestId: WITHOUT_CUSTOM_ID,
    time: '2026-11-21T02:28:41.263Z',
    username: 'alice',
    apiRequest: {
      ...CURL,
      request_method: 'GET',
      request_size_bytes: 113,
      request_uri: '/one/x',
      response_http_status: 200,
      response_size_bytes: 916,
      route_id: '4726a05a-d550-537e-9fc3-a07c7a1188c7',
      route_name: 'r1',
      service_id: '356ebaf8-b7af-5cba-99a1-f392e34730ab',
      service_name: 's1',
      service_port: 9100,
      service_protocol: 'http',
      upstream_status: 200,
    },
  },
];
