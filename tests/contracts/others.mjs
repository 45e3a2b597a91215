// What strangers' tools make of the contracts before any code is generated: they compile in ajv as it comes,
// no integer is too large for what a generator takes it for, and whatever becomes a class has a name.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Complaints, filesBelow, plainAjv, require, source } from "./tools.mjs";

const { parse } = require("yaml");
const complaints = new Complaints();
const INT_MAX = 2 ** 31 - 1;
const schemas = filesBelow(join(source, "contracts/schemas")).map((file) => [
  basename(file),
  JSON.parse(readFileSync(file, "utf8")),
]);
const asyncapi = parse(readFileSync(join(source, "contracts/asyncapi.yaml"), "utf8"));
const openapi = parse(readFileSync(join(source, "contracts/openapi.yaml"), "utf8"));

// --- as it comes: strict, with its formats, and what it would only log is a fault too ---

function tryToCompile(what, compile) {
  try {
    compile();
  } catch (error) {
    complaints.add(`${what}: ${error.message}`);
  }
}

const said = (text) => complaints.add(`ajv: ${text}`);
const ajv = plainAjv({ logger: { log: said, warn: said, error: said } });
for (const [name, schema] of schemas) tryToCompile(name, () => ajv.addSchema(schema, `schemas/${name}`));
for (const [name] of schemas) tryToCompile(name, () => ajv.getSchema(`schemas/${name}`));
for (const [type, message] of Object.entries(asyncapi.components.messages))
  tryToCompile(`asyncapi.yaml: ${type}`, () =>
    ajv.compile(JSON.parse(JSON.stringify(message.payload).replaceAll('"./schemas/', '"schemas/'))),
  );
// Its conditions narrow what stands beside them, which ajv would only remark upon.
const edge = plainAjv({ strictTypes: false });
edge.addVocabulary(["components"]);
edge.addSchema({ components: { schemas: openapi.components.schemas } }, "api");
for (const name of Object.keys(openapi.components.schemas))
  tryToCompile(`openapi.yaml: ${name}`, () => edge.compile({ $ref: `api#/components/schemas/${name}` }));

// --- numbers and names ---------------------------------------------------------------

const holds = (type, schema) => [schema.type].flat().includes(type);
const isCondition = (key) => ["if", "then", "else", "not"].includes(key);

const PART = Symbol("of the class that it is a part of");

/** Calls `look` with every schema, where it is, and the name that it has from outside. */
function walk(node, where, named, look) {
  if (node === null || typeof node !== "object") return;
  look(node, where, named);
  for (const [key, child] of Object.entries(node)) {
    if (key === "examples" || isCondition(key)) continue;
    if (key === "properties" || key === "$defs")
      for (const [name, one] of Object.entries(child)) walk(one, `${where}.${key}.${name}`, undefined, look);
    else if (Array.isArray(child))
      for (const [index, one] of child.entries())
        walk(one, `${where}.${key}.${index}`, key === "allOf" && node.title ? PART : undefined, look);
    else walk(child, `${where}.${key}`, undefined, look);
  }
}

let integers = 0;
const names = new Map();
function judge(node, where, named) {
  if (holds("integer", node)) {
    integers += 1;
    const small = Math.abs(node.minimum) <= INT_MAX && Math.abs(node.maximum) <= INT_MAX;
    if (!small && node.format !== "int64") complaints.add(`${where}: may be larger than an int, and is not int64`);
    if (small && node.format === "int64") complaints.add(`${where}: is int64 and fits into an int`);
  }
  const isClass = holds("object", node) && node.properties;
  // An enumeration of openapi.yaml is named by its member, within its class.
  if (named === PART || !(isClass || (node.enum && !where.startsWith("openapi.yaml")))) return;
  const name = named ?? node.title;
  if (!name) complaints.add(`${where}: has no name`);
  else if (names.has(name)) complaints.add(`${where}: ${names.get(name)} is called ${name} too`);
  else names.set(name, where);
}

for (const [name, schema] of schemas) walk(schema, name, undefined, judge);
for (const [type, message] of Object.entries(asyncapi.components.messages))
  walk(message.payload, `asyncapi.yaml: ${type}`, undefined, judge);
names.clear(); // another world
for (const [name, schema] of Object.entries(openapi.components.schemas)) walk(schema, `openapi.yaml: ${name}`, name, judge);
for (const part of ["paths", "components"])
  for (const [key, node] of Object.entries(openapi[part]))
    if (key !== "schemas") walk(node, `openapi.yaml: ${part}.${key}`, undefined, judge);
if (integers < 15) complaints.add(`only ${integers} integers found`);
complaints.sum(`${schemas.length} schemas and ${Object.keys(openapi.components.schemas).length} components: ${integers} integers, ${names.size} named classes in openapi.yaml`);
