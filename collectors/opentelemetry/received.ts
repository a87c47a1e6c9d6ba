import type { PartialSuccess } from './otlp-messages.ts';

export type Format = 'json' | 'protobuf';

/** What has become of one request. Only `taken` has been stored, and all of it is on disk. */
export type Received =
  | ({ readonly kind: 'taken' } & PartialSuccess)
  | { readonly kind: 'invalid'; readonly message: string }
  | { readonly kind: 'too large'; readonly message: string }
  | { readonly kind: 'busy'; readonly message: string };
