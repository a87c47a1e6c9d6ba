import { describe, expect, test } from 'vitest';
import { defaultNode } from '../../../delivery/names.ts';
import { readConfig } from '../../../plugin/delivery/config.ts';

const GIB = 1024 ** 3;

describe("the plugin server's environment", () => {
  test('says nothing: a spool below the prefix, and no metrics', () => {
    expect(readConfig({})).toEqual({
      config: {
        spool: {
          dir: '/usr/local/kong/metering-spool',
          maxBytes: GIB,
          syncMs: 20,
          full: 'drop_newest',
          catchUpEventsPerSecond: 10_000,
          deadLetterMaxBytes: GIB / 16,
        },
        node: defaultNode(),
        metrics: undefined,
        requestsLog: undefined,
      },
      problems: [],
    });
    expect(readConfig({ KONG_PREFIX: '/kong_prefix' }).config.spool?.dir).toBe('/kong_prefix/metering-spool');
  });

  test('says everything', () => {
    const { config, problems } = readConfig({
      METERING_SPOOL: 'on',
      METERING_SPOOL_DIR: '/var/spool/metering',
      METERING_SPOOL_MAX_BYTES: '1048576',
      METERING_SPOOL_SYNC_MS: '0',
      METERING_SPOOL_FULL: 'drop_oldest',
      METERING_CATCH_UP_EVENTS_PER_SECOND: '500',
      METERING_DEAD_LETTER_MAX_BYTES: '65536',
      METERING_NODE: 'gw-1.example',
      METERING_METRICS: '9542',
      METERING_REQUESTS_LOG: '/var/log/kong/requests.log',
      METERING_REQUESTS_LOG_INTERVAL_MS: '1000',
    });
    expect(problems).toEqual([]);
    expect(config).toEqual({
      spool: {
        dir: '/var/spool/metering',
        maxBytes: 1_048_576,
        syncMs: 0,
        full: 'drop_oldest',
        catchUpEventsPerSecond: 500,
        deadLetterMaxBytes: 65_536,
      },
      node: 'gw-1.example',
      metrics: { host: '127.0.0.1', port: 9542 },
      requestsLog: { path: '/var/log/kong/requests.log', intervalMs: 1000 },
    });
  });

  test('has empty settings, which count as none', () => {
    const names = ['METERING_SPOOL', 'METERING_SPOOL_DIR', 'METERING_NODE', 'METERING_METRICS', 'KONG_PREFIX'];
    expect(readConfig(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(readConfig({}));
  });

  test('is wrong everywhere: all mistakes are told, no value is quoted, and the defaults hold', () => {
    const wrong = {
      METERING_SPOOL: 'secret',
      METERING_SPOOL_MAX_BYTES: '1000',
      METERING_SPOOL_SYNC_MS: '-secret',
      METERING_SPOOL_FULL: 'drop_all',
      METERING_CATCH_UP_EVENTS_PER_SECOND: '0',
      METERING_DEAD_LETTER_MAX_BYTES: '1e9',
      METERING_NODE: 'a node with secrets',
      METERING_METRICS: 'everywhere',
      METERING_REQUESTS_LOG: 'requests.log',
      METERING_REQUESTS_LOG_INTERVAL_MS: '10',
    };
    const { config, problems } = readConfig(wrong);
    expect(config).toEqual(readConfig({}).config);
    expect(problems).toEqual([
      'METERING_SPOOL must be on or off',
      'METERING_SPOOL_MAX_BYTES must be a whole number from 1048576 to 1099511627776',
      'METERING_SPOOL_SYNC_MS must be a whole number from 0 to 10000',
      'METERING_SPOOL_FULL must be drop_newest or drop_oldest',
      'METERING_CATCH_UP_EVENTS_PER_SECOND must be a whole number from 1 to 1000000',
      'METERING_DEAD_LETTER_MAX_BYTES must be a whole number from 65536 to 1099511627776',
      'METERING_NODE must have 1 to 128 letters, digits or . : @ _ -',
      'METERING_METRICS must be a port, host:port or off',
      'METERING_REQUESTS_LOG_INTERVAL_MS must be a whole number from 100 to 3600000',
      'METERING_REQUESTS_LOG must be an absolute path',
    ]);
  });

  test('turns the spool off', () => {
    expect(readConfig({ METERING_SPOOL: 'off' }).config.spool).toBeUndefined();
    const { config, problems } = readConfig({ METERING_SPOOL: 'off', METERING_REQUESTS_LOG: '/requests.log' });
    expect([config.requestsLog, problems]).toEqual([
      undefined,
      ['METERING_REQUESTS_LOG has no effect with METERING_SPOOL=off'],
    ]);
  });

  test.each([
    ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
    ['localhost:9542', { host: 'localhost', port: 9542 }],
    ['[::1]:9542', { host: '::1', port: 9542 }],
    ['off', undefined],
    ['70000', undefined],
    ['host:', undefined],
  ])('serves metrics at %s', (value, expected) => {
    expect(readConfig({ METERING_METRICS: value }).config.metrics).toEqual(expected);
  });
});
