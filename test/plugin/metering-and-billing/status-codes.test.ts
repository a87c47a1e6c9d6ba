import { describe, expect, test } from 'vitest';
import { isStatusAllowed, readStatusCodeRanges } from '../../../plugin/metering-and-billing/status-codes.ts';

const PROBLEM = 'allow_status_codes must be a list of codes such as 200 and ranges such as 200-299';

const read = (value: unknown): { ranges: readonly object[]; problems: string[] } => {
  const problems: string[] = [];
  return { ranges: readStatusCodeRanges(value, problems), problems };
};

describe('allow_status_codes', () => {
  test('reads codes and ranges', () => {
    expect(read(['200', '300-399'])).toEqual({
      ranges: [
        { from: 200, to: 200 },
        { from: 300, to: 399 },
      ],
      problems: [],
    });
  });

  test('takes a range written backwards for the same range', () => {
    expect(read(['299-200']).ranges).toEqual([{ from: 200, to: 299 }]);
  });

  test.each([undefined, null, [], {}])('is no filter when it is %j', (value) => {
    const { ranges, problems } = read(value);
    expect(problems).toEqual([]);
    expect(isStatusAllowed(readStatusCodeRanges(value, problems), 500)).toBe(true);
    expect(ranges).toEqual([]);
  });

  test.each(['2xx', '200-', '-299', '200 - 299', '20', '2000', '', 200, null, {}])('refuses the code %j', (code) => {
    expect(read(['200', code]).problems).toHaveLength(1);
  });

  test.each(['200', 200, { x: '200' }])('refuses %j as a list', (value) => {
    expect(read(value).problems).toEqual(value === '200' ? [] : [PROBLEM]);
  });

  test('compares both ends as included', () => {
    const { ranges } = { ranges: readStatusCodeRanges(['200-299', '404'], []) };
    expect([199, 200, 250, 299, 300, 403, 404, 405].filter((status) => isStatusAllowed(ranges, status))).toEqual([
      200, 250, 299, 404,
    ]);
  });
});
