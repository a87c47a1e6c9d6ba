import { describe, expect, test } from 'vitest';
import { fingerprint, readConfig } from '../../../plugin/metering-and-billing/config.ts';
import { kongConfig } from '../../gateway-player/index.ts';

const TOKEN = 'spat_not-for-the-log';
const REQUIRED = { ingest_endpoint: 'https://meter.example/v3/openmeter/events', api_token: TOKEN };

const DEFAULTS = {
  metering: {
    meterApiRequests: true,
    meterAiTokenUsage: true,
    subject: { source: 'consumer', field: 'username' },
    attributes: [],
    allowStatusCodes: [],
  },
  delivery: {
    endpoint: REQUIRED.ingest_endpoint,
    token: TOKEN,
    timeoutMs: 10_000,
    keepaliveMs: 60_000,
    sslVerify: true,
    queue: {
      maxBatchSize: 1,
      maxCoalescingDelayMs: 1000,
      maxEntries: 10_000,
      maxBytes: undefined,
      initialRetryDelayMs: 10,
      maxRetryDelayMs: 60_000,
      maxRetryTimeMs: 60_000,
      concurrencyLimit: 1,
      failureThreshold: 0,
      breakerCooldownMs: 60_000,
    },
  },
  warnings: [],
};

describe('a configuration', () => {
  test('as Kong sends it has the documented defaults', () => {
    expect(readConfig(kongConfig(REQUIRED))).toEqual({ config: DEFAULTS });
  });

  test('with everything left out that Kong leaves out has the same defaults', () => {
    expect(readConfig(REQUIRED)).toEqual({ config: DEFAULTS });
    const nulls = { subject: null, attributes: null, allow_status_codes: null, queue: null, timeout: null };
    expect(readConfig({ ...REQUIRED, ...nulls, meter_api_requests: null })).toEqual({ config: DEFAULTS });
  });

  test('is read in full, seconds as milliseconds', () => {
    const { config } = readConfig(
      kongConfig({
        ...REQUIRED,
        meter_api_requests: false,
        subject: { look_up_value_in: 'header', field: 'X-Customer' },
        attributes: [{ source: 'query', look_up_value_in: 'plan', event_property_name: 'plan' }],
        allow_status_codes: ['200-299'],
        timeout: 2500,
        keepalive: 0,
        ssl_verify: false,
        queue: {
          max_batch_size: 100,
          max_coalescing_delay: 0.25,
          max_entries: 50,
          max_bytes: 1_000_000,
          initial_retry_delay: 0.001,
          max_retry_delay: 2.5,
          max_retry_time: -1,
          concurrency_limit: -1,
          failure_threshold: 3,
          breaker_cooldown: 0.5,
        },
      }),
    );
    expect(config).toEqual({
      metering: {
        meterApiRequests: false,
        meterAiTokenUsage: true,
        subject: { source: 'header', field: 'x-customer' },
        attributes: [{ source: 'query', name: 'plan', property: 'plan' }],
        allowStatusCodes: [{ from: 200, to: 299 }],
      },
      delivery: {
        endpoint: REQUIRED.ingest_endpoint,
        token: TOKEN,
        timeoutMs: 2500,
        keepaliveMs: 0,
        sslVerify: false,
        queue: {
          maxBatchSize: 100,
          maxCoalescingDelayMs: 250,
          maxEntries: 50,
          maxBytes: 1_000_000,
          initialRetryDelayMs: 1,
          maxRetryDelayMs: 2500,
          maxRetryTimeMs: 0,
          concurrencyLimit: -1,
          failureThreshold: 3,
          breakerCooldownMs: 500,
        },
      },
      warnings: [],
    });
  });

  test('that meters nothing is a warning', () => {
    const { config } = readConfig(kongConfig({ ...REQUIRED, meter_api_requests: false, meter_ai_token_usage: false }));
    expect(config?.warnings).toEqual([
      'meter_api_requests and meter_ai_token_usage are both false: nothing is metered',
    ]);
  });

  test.each([
    [{ ingest_endpoint: 'ftp://meter.example' }, 'ingest_endpoint must be an http:// or https:// URL'],
    [{ ingest_endpoint: undefined }, 'ingest_endpoint must be an http:// or https:// URL'],
    [{ ingest_endpoint: '/v3/openmeter/events' }, 'ingest_endpoint must be an http:// or https:// URL'],
    [{ timeout: 0 }, 'timeout must be greater than 0'],
    [{ timeout: '10' }, 'timeout must be a number'],
    [{ keepalive: -1 }, 'keepalive must not be negative'],
    [{ ssl_verify: 'no' }, 'ssl_verify must be a boolean'],
    [{ meter_api_requests: 1 }, 'meter_api_requests must be a boolean'],
    [{ queue: [] }, 'queue must be a record'],
    [{ queue: { max_batch_size: 0 } }, 'queue.max_batch_size must be between 1 and 1000000'],
    [{ queue: { max_batch_size: 1.5 } }, 'queue.max_batch_size must be an integer'],
    [{ queue: { max_entries: Number.NaN } }, 'queue.max_entries must be a number'],
    [{ queue: { max_coalescing_delay: 3601 } }, 'queue.max_coalescing_delay must be between 0 and 3600'],
    [{ queue: { concurrency_limit: 2 } }, 'queue.concurrency_limit must be one of -1, 1'],
    [{ queue: { max_bytes: 0 } }, 'queue.max_bytes must be an integer greater than 0'],
    [{ subject: { look_up_value_in: 'header' } }, 'subject.field is required when the subject is a header'],
    [
      { allow_status_codes: ['2xx'] },
      'allow_status_codes must be a list of codes such as 200 and ranges such as 200-299',
    ],
  ])('with %j cannot work', (change, problem) => {
    expect(readConfig({ ...REQUIRED, ...change })).toEqual({ problems: [problem] });
  });

  test.each(['', undefined, 'two words', 'line\nbreak', 'ümlaut'])('with the token %j cannot work', (token) => {
    const { problems } = readConfig({ ...REQUIRED, api_token: token });
    expect(problems).toEqual([
      'api_token must be a token without blanks (an unresolved vault reference leaves it empty)',
    ]);
  });

  test.each([undefined, null, 'text', 7, []])('%j is none', (raw) => {
    expect(readConfig(raw)).toEqual({ problems: ['the configuration is not an object'] });
  });

  test('that cannot work says so without its values', () => {
    const secret = 'hunter2 ';
    const wrong = {
      api_token: secret,
      ingest_endpoint: `ftp://${secret}`,
      timeout: secret,
      queue: { max_bytes: secret },
    };
    expect(JSON.stringify(readConfig({ ...wrong, subject: { look_up_value_in: secret } }))).not.toContain('hunter2');
  });
});

describe('the fingerprint of a configuration', () => {
  const config = kongConfig(REQUIRED, { sequence: 1 });

  test("is the same whatever Kong's own fields and the order are", () => {
    const again = Object.fromEntries(Object.entries(kongConfig(REQUIRED, { sequence: 2, pluginId: 'p' })).reverse());
    expect(fingerprint(again)).toBe(fingerprint(config));
  });

  test('differs for another configuration, but does not depend on the token', () => {
    expect(fingerprint(kongConfig({ ...REQUIRED, timeout: 1 }))).not.toBe(fingerprint(config));
    expect(fingerprint(kongConfig({ ...REQUIRED, api_token: 'another' }))).toBe(fingerprint(config));
  });
});
