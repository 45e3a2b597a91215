// JSON Schema and the C decoders give the same verdict on every example and on every mutant of a
// valid one; an example lies in the folder that the verdict says.
//   node corpus.mjs FOLDER     FOLDER: an empty one, for the mutants
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { Complaints, build, filesBelow, loadSchemas, source } from "./tools.mjs";

const folder = process.argv[2];
const complaints = new Complaints();
const schemas = loadSchemas();
const typeOf = (path) => basename(dirname(dirname(path)));

function program(name, files, ...args) {
  return execFileSync(join(build, "tests/contracts", name), args, {
    input: files.map((file) => `${file}\n`).join(""),
    maxBuffer: 1 << 30,
    stdio: ["pipe", "pipe", "inherit"],
  }).toString();
}

/** Documents by name, as verdict.c names them. */
function* documents(files) {
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    if (!file.endsWith(".jsonl")) yield { file, name: file, text };
    else
      for (const [index, line] of text.trimEnd().split("\n").entries())
        yield { file, name: `${file}:${index + 1}`, text: line };
  }
}

/** Compares verdicts; calls `each` with what both said. */
function compare(files, each) {
  const said = program("verdict", files).trimEnd().split("\n");
  let index = 0;
  for (const { file, name, text } of documents(files)) {
    const [verdict, about, reason] = said[index++].split("\t");
    if (about !== name) throw new Error(`verdict speaks of ${about}, not of ${name}`);
    const validate = schemas.get(typeOf(file));
    const good = validate(JSON.parse(text));
    const errors = good ? [] : [...validate.errors];
    if (good !== (verdict === "valid"))
      complaints.add(
        `${relative(source, name)}: C says ${verdict} ${reason}, JSON Schema says ` +
          `${good ? "valid" : JSON.stringify(errors[0])}\n  ${text.slice(0, 400)}`,
      );
    each({ file, good, errors, text });
  }
  if (index !== said.length) throw new Error("verdict and the corpus differ in number");
}

// --- examples --------------------------------------------------------------------

const examples = filesBelow(join(source, "contracts/examples"));
const counts = new Map([...schemas.keys()].map((type) => [type, { valid: 0, invalid: 0 }]));
for (const file of examples)
  if (!schemas.has(typeOf(file))) complaints.add(`${relative(source, file)}: no such schema`);
compare(
  examples.filter((file) => schemas.has(typeOf(file))),
  ({ file, good, errors }) => {
    const expected = basename(dirname(file));
    counts.get(typeOf(file))[expected] += 1;
    const where = relative(source, file);
    if (good !== (expected === "valid")) complaints.add(`${where}: judged ${good ? "valid" : "invalid"}`);
    if (errors.length > 1)
      complaints.add(`${where}: more than one fault: ${errors.map((e) => `${e.instancePath} ${e.message}`).join(", ")}`);
  },
);
for (const [type, { valid, invalid }] of counts)
  if (valid < 2 || invalid < 3) complaints.add(`${type}: ${valid} valid and ${invalid} invalid examples are too few`);

// --- mutants ---------------------------------------------------------------------

program("mutate", examples.filter((file) => basename(dirname(file)) === "valid"), folder);
const verdicts = { valid: 0, invalid: 0 };
compare(filesBelow(folder), ({ good }) => (verdicts[good ? "valid" : "invalid"] += 1));
if (verdicts.valid < 1000 || verdicts.invalid < 10000)
  complaints.add(`too few mutants: ${verdicts.valid} valid, ${verdicts.invalid} invalid`);
complaints.sum(
  `${schemas.size} schemas, ${examples.length} examples, ` +
    `${verdicts.valid} valid and ${verdicts.invalid} invalid mutants: judged twice`,
);
