import { flag, integer, longInteger, many, message, one, text } from './wire-types.ts';

/** Kong's entities, with the fields that the protocol has room for: fewer than Kong stores. */
const reference = message({ id: one(1, text) });

export const CREDENTIAL = { id: one(1, text), consumer_id: one(2, text) };

export const CONSUMER = {
  id: one(1, text),
  created_at: one(2, longInteger),
  username: one(3, text),
  custom_id: one(4, text),
  tags: many(5, text),
};

export const ROUTE = {
  id: one(1, text),
  created_at: one(2, longInteger),
  updated_at: one(3, longInteger),
  name: one(4, text),
  protocols: many(5, text),
  methods: many(6, text),
  hosts: many(7, text),
  paths: many(8, text),
  headers: many(9, text),
  https_redirect_status_code: one(10, integer),
  regex_priority: one(11, integer),
  strip_path: one(12, flag),
  preserve_host: one(13, flag),
  snis: many(14, text),
  sources: many(15, text),
  destinations: many(16, text),
  tags: many(17, text),
  service: one(18, reference),
};

export const SERVICE = {
  id: one(1, text),
  created_at: one(2, longInteger),
  updated_at: one(3, longInteger),
  name: one(4, text),
  retries: one(5, integer),
  protocol: one(6, text),
  host: one(7, text),
  port: one(8, integer),
  path: one(9, text),
  connect_timeout: one(10, integer),
  write_timeout: one(11, integer),
  read_timeout: one(12, integer),
  tags: many(13, text),
  client_certificate: one(14, reference),
};

const dictionary = message({ allocated_slabs: one(1, longInteger), capacity: one(2, longInteger) });
const worker = message({ http_allocated_gc: one(1, longInteger), pid: one(2, longInteger) });

export const MEMORY_STATS = {
  lua_shared_dicts: one(1, message({ kong: one(1, dictionary), kong_db_cache: one(2, dictionary) })),
  workers_lua_vms: many(2, worker),
};
