// Plain JavaScript, no dependencies: this file must load on any Node, to say what is missing instead of crashing later.
const NEEDED_MAJOR = 24;

/** Ends the process with exit code 1 and a sentence when it runs on a Node that cannot run the TypeScript sources. */
export function requireNode(major = Number(process.versions.node.split('.')[0])) {
  if (major >= NEEDED_MAJOR) return;
  process.stderr.write(
    `This program needs Node ${NEEDED_MAJOR} or newer and was started with Node ${process.versions.node}.\n` +
      'Start it through npm ("npm start", "npm run demo", "npm test"): npm scripts use the Node that "npm ci" installs.\n',
  );
  process.exit(1);
}
