import type { Writer } from 'protobufjs/minimal.js';
import { anyValue, listFields, structFields } from './json-wire-values.ts';
import { CONSUMER, CREDENTIAL } from './pdk-entities.ts';
import { bytes, flag, integer, message, one, text, type ValuesOf, writeFields } from './wire-types.ts';

/** Writes the arguments of a call as the message that Kong expects. @throws TypeError when they cannot be written */
export type Takes<Args extends readonly unknown[]> = (writer: Writer, ...args: Args) => void;

export const takesNothing: Takes<[]> = () => undefined;

export const takesText: Takes<[value: string]> = (writer, value) => one(1, text).write(writer, value);

export const takesInteger: Takes<[value: number]> = (writer, value) => one(1, integer).write(writer, value);

export const takesFlag: Takes<[value?: boolean]> = (writer, value = false) => one(1, flag).write(writer, value);

/**
 * How many headers or arguments at most; 100 is Kong's own default. It has to be said: a message without a number
 * means 0, which Kong refuses.
 */
export const takesMost: Takes<[max?: number]> = (writer, max = 100) => takesInteger(writer, max);

export const takesBytes: Takes<[value: string | Uint8Array]> = (writer, value) => one(1, bytes).write(writer, value);

export const takesKeyValue: Takes<[key: string, value: unknown]> = (writer, key, value) => {
  one(1, text).write(writer, key);
  one(2, anyValue).write(writer, value);
};

export const takesList: Takes<unknown[]> = (writer, ...values) => writeFields(writer, listFields, { values });

export const takesStruct: Takes<[values: Readonly<Record<string, unknown>>]> = (writer, fields) =>
  writeFields(writer, structFields, { fields });

export const takesTarget: Takes<[host: string, port: number]> = (writer, host, port) => {
  one(1, text).write(writer, host);
  one(2, integer).write(writer, port);
};

export const takesConsumerSpec: Takes<[id: string, byUsername?: boolean]> = (writer, id, byUsername = false) => {
  one(1, text).write(writer, id);
  one(2, flag).write(writer, byUsername);
};

export const takesExit: Takes<
  [status: number, body?: string | Uint8Array, headers?: Readonly<Record<string, unknown>>]
> = (writer, status, body, headers) => {
  const fields = { body: one(2, bytes), headers: one(3, message(structFields)) };
  one(1, integer).write(writer, status);
  writeFields(writer, fields, {
    ...(body !== undefined && { body }),
    ...(headers !== undefined && { headers: { fields: headers } }),
  });
};

export const takesIdentity: Takes<
  [consumer?: ValuesOf<typeof CONSUMER> | null, credential?: ValuesOf<typeof CREDENTIAL> | null]
> = (writer, consumer, identity) =>
  writeFields(
    writer,
    { consumer: one(1, message(CONSUMER)), credential: one(2, message(CREDENTIAL)) },
    { ...(consumer && { consumer }), ...(identity && { credential: identity }) },
  );
