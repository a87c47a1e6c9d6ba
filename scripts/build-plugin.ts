import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');
/** The plugins, each bundled on its own: a gateway may have one without the other. */
const NAMES = ['metering-and-billing', 'entitlement-enforcement'] as const;
type PluginName = (typeof NAMES)[number];

/** What the HTTP client of the plugin needs; so its server asks for the same. */
const LEAST_NODE = '22.19';

/** What a build wrote. */
export interface BuiltPlugin {
  /** The folder for `kong-js-pluginserver -d`; absolute, as Kong needs it. */
  readonly pluginDir: string;
  readonly version: string;
  /** esbuild's account of what went into the bundle. */
  readonly metafile: Metafile;
}

/**
 * Runs before anything of the bundle does: an old Node would fail at some first request, or only at the first event,
 * with a message that says nothing of versions. Written for any Node.
 */
function nodeCheck(what: string): string {
  const [major, minor] = LEAST_NODE.split('.');
  return [
    '(function () {',
    "  var node = process.versions.node.split('.').map(Number);",
    `  if (node[0] < ${major} || (node[0] === ${major} && node[1] < ${minor})) {`,
    `    throw new Error('${what} needs Node ${LEAST_NODE} or newer; this is Node ' + process.versions.node);`,
    '  }',
    '})();',
  ].join('\n');
}

/** Bundles the plugin into one CommonJS file that kong-pdk's plugin server can load. Overwrites what is there. */
export async function buildPlugin(pluginDir: string, name: PluginName = 'metering-and-billing'): Promise<BuiltPlugin> {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const { metafile } = await build({
    entryPoints: [join(ROOT, 'plugin', name, 'index.ts')],
    outfile: join(pluginDir, 'index.js'),
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    define: {
      PLUGIN_VERSION: JSON.stringify(version),
      // Leaves undici's second, experimental HTTP parser out, a quarter of the bundle; undici's own build does the same.
      esbuildDetection: '1',
    },
    banner: { js: nodeCheck(`The plugin ${name}`) },
    metafile: true,
    logLevel: 'warning',
  });
  // Files of an ES module package are ES modules, unless a package.json nearer by says otherwise.
  await mkdir(pluginDir, { recursive: true });
  await writeFile(join(pluginDir, 'package.json'), `${JSON.stringify({ type: 'commonjs' })}\n`);
  return { pluginDir, version, metafile };
}

/**
 * Bundles our plugin server, with its command line, into one CommonJS file that needs nothing beside it.
 * @returns esbuild's account of what went into it
 */
export async function buildPluginServer(file: string): Promise<Metafile> {
  const { metafile } = await build({
    stdin: {
      contents: "import { main } from './plugin/host/main.ts'; void main(process.argv.slice(2));",
      resolveDir: ROOT,
    },
    outfile: file,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    banner: { js: nodeCheck('The plugin server') },
    metafile: true,
    logLevel: 'warning',
  });
  return metafile;
}

if (import.meta.main) {
  for (const name of NAMES) {
    const { pluginDir, version } = await buildPlugin(join(ROOT, 'dist', 'plugin', name), name);
    console.log(`Built ${name} ${version} into ${pluginDir}`);
  }
  const server = join(ROOT, 'dist', 'plugin-server', 'kong-plugin-server.cjs');
  await buildPluginServer(server);
  console.log(`Built their server into ${server}`);
}
