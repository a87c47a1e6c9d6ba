// The two files of undici that transport.ts imports, with the types that undici gives to the same things.
declare module 'undici/lib/dispatcher/pool.js' {
  import type { Pool } from 'undici';

  const UndiciPool: typeof Pool;
  export = UndiciPool;
}

declare module 'undici/lib/api/api-request.js' {
  import type { Dispatcher } from 'undici';

  function request(this: Dispatcher, options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData>;
  export = request;
}
