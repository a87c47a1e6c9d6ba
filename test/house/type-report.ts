/**
 * A program for the test beside it: compiles the whole tree once and prints what was found, as JSON. A process of its own,
 * since the compiler holds its thread for as long as it works.
 *
 *     echo '[…changes]' | node test/house/type-report.ts
 */
import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import ts from 'typescript';
import { findTruthinessTests, type TruthinessTest } from '../../lint/truthiness.ts';

/** Another text for a source, and the file in which the compiler is to say that something is missing. */
export interface Change {
  file: string;
  from: string;
  to: string;
  at: string;
}

export interface TypeReport {
  /** "file: message" */
  errors: string[];
  /** What was compiled. */
  files: string[];
  truthinessTests: TruthinessTest[];
  /** What is said of the files named by `at` when all changes are made. */
  errorsOfChanges: string[];
}

const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');

function textOf({ file, messageText }: ts.Diagnostic): string {
  const name = file === undefined ? 'tsconfig.json' : relative('.', file.fileName);
  return `${name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
}

/** What is compiled already serves again, but for the changed texts. */
function compileChanged(old: ts.Program, changes: readonly Change[]): string[] {
  const texts = new Map(changes.map((change) => [resolve(change.file), changedText(change)]));
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, languageVersion, ...rest) => {
    const text = texts.get(resolve(name));
    if (text !== undefined) return ts.createSourceFile(name, text, languageVersion, true);
    return old.getSourceFile(name) ?? getSourceFile(name, languageVersion, ...rest);
  };
  const program = ts.createProgram([...new Set(changes.map(({ at }) => resolve(at)))], options, host, old);
  return changes.flatMap(({ at }) => program.getSemanticDiagnostics(program.getSourceFile(resolve(at)))).map(textOf);
}

function changedText({ file, from, to }: Change): string {
  const text = readFileSync(file, 'utf8');
  if (text.split(from).length !== 2) throw new Error(`${file} does not have this text once: ${from}`);
  return text.replace(from, to);
}

const changes: Change[] = JSON.parse(readFileSync(0, 'utf8'));
const program = ts.createProgram(fileNames, options);
const report: TypeReport = {
  errors: ts.getPreEmitDiagnostics(program).map(textOf),
  files: fileNames.map((name) => relative('.', name)),
  truthinessTests: findTruthinessTests(program, () => true),
  errorsOfChanges: compileChanged(program, changes),
};
process.stdout.write(JSON.stringify(report));
