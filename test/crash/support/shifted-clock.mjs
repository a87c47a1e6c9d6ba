/** Loaded before a program: its clock is wrong by what a file says, in milliseconds, at every moment anew. */
import { readFileSync } from 'node:fs';

// biome-ignore lint/plugin: this is the machine's clock that programs see
const realNow = Date.now.bind(Date);
const file = process.env['CLOCK_SHIFT_FILE'];
Date.now = () => realNow() + Number(readFileSync(file, 'utf8'));
