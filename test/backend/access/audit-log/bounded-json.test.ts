import { expect, test } from 'vitest';
import { toBoundedJson } from '../../../../backend/access/audit-log/bounded-json.ts';
import { parseJsonText } from '../../../../backend/platform/json.ts';
import { redact } from '../../../../backend/platform/redact.ts';

test.each([
  [
    { token: 'a', access_token: 'b', 'X-Api-Key': 'c', client_secret: ['d'], Authorization: 'Bearer e' },
    {
      token: '[redacted]',
      access_token: '[redacted]',
      'X-Api-Key': '[redacted]',
      client_secret: '[redacted]',
      Authorization: '[redacted]',
    },
  ],
  [
    { token_type: 'input', input_per_token: '0.1', key: 'k', has_secret: true },
    {
      token_type: 'input',
      input_per_token: '0.1',
      key: 'k',
      has_secret: true,
    },
  ],
  [
    { password: null, secret: false },
    { password: null, secret: false },
  ],
  [
    ['see https://user:pass@host/x', 'spat_0123456789abcdef'],
    ['see https://[redacted]@host/x', '[redacted]'],
  ],
])('redacts %j', (value, expected) => {
  expect(redact(value)).toEqual(expected);
});

test('numbers stay as they were written', async () => {
  const text = '{"amount":12345678901234567890.123,"n":1e400}';
  expect(await toBoundedJson(parseJsonText(text))).toBe(text);
});

test('of what is too large the largest members make way', async () => {
  const value = { id: 'x', name: 'plan', phases: 'p'.repeat(900), labels: 'l'.repeat(50) };
  expect(await toBoundedJson(value, 1100)).toBe(JSON.stringify(value));
  expect(JSON.parse((await toBoundedJson(value, 200)) ?? '')).toEqual({ ...value, phases: { omitted_bytes: 912 } });
  const small = (await toBoundedJson(value, 40)) ?? '';
  expect(JSON.parse(small)).toEqual({ omitted_bytes: JSON.stringify(value).length });
  expect(JSON.parse((await toBoundedJson(['a'.repeat(99)], 50)) ?? '')).toEqual({ omitted_bytes: 103 });
});
