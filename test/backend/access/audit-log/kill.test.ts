import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSqliteReader } from '../../../../backend/platform/db/sqlite.ts';

test.each([
  ['before', 0],
  ['after', 1],
])(
  'a process that is killed %s its change is stored leaves an entry whose outcome is unknown',
  async (moment, stored) => {
    const folder = mkdtempSync(join(tmpdir(), 'audit-'));
    const path = join(folder, 'control.sqlite');
    const child = spawn(process.execPath, ['test/backend/access/audit-log/dying-process.ts', path, moment], {
      stdio: 'inherit',
    });
    const signal = await new Promise((resolve) => child.once('exit', (_code, by) => resolve(by)));
    expect(signal).toBe('SIGKILL');
    const db = openSqliteReader(path);
    const entries = db.prepare('SELECT operation_id, token_name, outcome, status, request FROM audit_log').all();
    expect(entries).toEqual([
      {
        operation_id: 'create-tax-code',
        token_name: 'ops',
        outcome: 'unknown',
        status: null,
        request: '{"name":"VAT","app_mappings":[],"key":"vat"}',
      },
    ]);
    expect(db.prepare("SELECT count(*) AS stored FROM tax_codes WHERE key = 'vat'").get()).toEqual({ stored });
    db.close();
    rmSync(folder, { recursive: true });
  },
);
