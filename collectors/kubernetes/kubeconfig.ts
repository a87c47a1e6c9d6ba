import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { at, listAt, textAt } from './json.ts';

/** How to reach an API server, and as whom; texts of PEM. */
export interface Access {
  readonly server: URL;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
  readonly serverName?: string;
  readonly isVerified: boolean;
}

/** Where the kubelet puts what a pod may reach the API with. It renews the token there, long before it expires. */
export interface InCluster {
  readonly apiServer: string;
  readonly tokenFile: string;
  readonly caFile: string;
}

/** @throws Error for the operator, without anything that is secret */
export function inClusterAccess({ apiServer, tokenFile, caFile }: InCluster): Access {
  return {
    server: new URL(apiServer),
    ca: readText(caFile),
    token: checkedToken(readText(tokenFile).trim()),
    isVerified: true,
  };
}

/**
 * Reads the current, or the named, context of a kubeconfig: certificates and tokens, as files or in place. Commands (`exec`)
 * are not run: they would be somebody else's programs with our rights.
 * @throws Error for the operator, without anything that is secret
 */
export function kubeconfigAccess(file: string, context: string | undefined): Access {
  const config: unknown = parse(readText(file), { maxAliasCount: 100 });
  const named = (list: string, name: string | undefined): unknown =>
    listAt(config, list).find((one) => name !== undefined && at(one, 'name') === name);
  const wanted = context ?? textAt(config, 'current-context');
  const chosen = at(named('contexts', wanted), 'context');
  if (chosen === undefined) throw new Error(`${file} has no context ${wanted ?? 'that is current'}`);
  const cluster = at(named('clusters', textAt(chosen, 'cluster')), 'cluster');
  const user = at(named('users', textAt(chosen, 'user')), 'user');
  const server = textAt(cluster, 'server');
  if (server === undefined || !URL.canParse(server)) throw new Error(`${file} names no server for this context`);
  for (const key of ['exec', 'auth-provider', 'username']) {
    if (at(user, key) !== undefined)
      throw new Error(`${file}: users with ${key} are not supported; use a token or a certificate`);
  }
  if (at(cluster, 'proxy-url') !== undefined) throw new Error(`${file}: proxy-url is not supported`);
  const folder = dirname(file);
  const ca = pem(cluster, 'certificate-authority', folder);
  const cert = pem(user, 'client-certificate', folder);
  const key = pem(user, 'client-key', folder);
  const tokenFile = textAt(user, 'tokenFile');
  const token = tokenFile === undefined ? textAt(user, 'token') : readText(resolve(folder, tokenFile)).trim();
  const serverName = textAt(cluster, 'tls-server-name');
  return {
    server: new URL(server),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(token !== undefined && { token: checkedToken(token) }),
    ...(serverName !== undefined && { serverName }),
    isVerified: at(cluster, 'insecure-skip-tls-verify') !== true,
  };
}

function pem(block: unknown, name: string, folder: string): string | undefined {
  const data = textAt(block, `${name}-data`);
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  const file = textAt(block, name);
  return file === undefined ? undefined : readText(resolve(folder, file));
}

function checkedToken(token: string): string {
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new Error('the token of the API server has characters that a header cannot carry');
  return token;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`${file} cannot be read (${code ?? 'unknown reason'})`);
  }
}
