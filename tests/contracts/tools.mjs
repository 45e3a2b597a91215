// The tools lie in the build tree (see ./install), the scripts in the source tree: this is where
// the two meet. Runs on Debian 12's Node 18.
import { createRequire } from "node:module";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const source = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
export const build = resolve(process.env.WARREN_BUILD ?? join(source, "build/check"));
export const require = createRequire(join(build, "contract-tools", "package.json"));

const Ajv = require("ajv/dist/2020").default;
const addFormats = require("ajv-formats").default;

/** Every file below a folder, as paths, in order. */
export function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    });
}

/** The schema for a judge who minds the comment "distinct by sku": no two elements of the array have the
 *  same `sku`. Schemas say it in a comment, for a keyword of ours would be an error to others. */
function minded(schema) {
  if (Array.isArray(schema)) return schema.map(minded);
  if (schema === null || typeof schema !== "object") return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, minded(value)]));
  const distinct = /^distinct by (\w+)$/.exec(schema.$comment ?? "");
  return distinct ? { ...copy, "x-distinct-by": distinct[1] } : copy;
}

/** Ajv as strangers make it. */
export function plainAjv(options = {}) {
  const ajv = new Ajv(options);
  addFormats(ajv);
  return ajv;
}

/** Ajv that judges all that the contracts say. */
export function newAjv(options = {}) {
  const ajv = plainAjv({ strict: true, strictRequired: false, allErrors: true, ...options });
  ajv.addFormat("int64", true); // for generators: all that it could say `type` and `maximum` say
  for (const name of ["addSchema", "compile"]) {
    const method = ajv[name].bind(ajv);
    ajv[name] = (schema, ...rest) => method(minded(schema), ...rest);
  }
  ajv.addKeyword({
    keyword: "x-distinct-by",
    type: "array",
    schemaType: "string",
    errors: false,
    error: { message: "must have distinct elements" },
    validate: (member, elements) => {
      const keys = elements.map((element) => element?.[member]).filter((key) => key !== undefined);
      return new Set(keys).size === keys.length;
    },
  });
  return ajv;
}

/** The schemas of contracts/schemas as validators, by name: "order.placed", "envelope", ... */
export function loadSchemas() {
  const ajv = newAjv();
  const folder = join(source, "contracts/schemas");
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  for (const name of names) ajv.addSchema(JSON.parse(readFileSync(join(folder, name), "utf8")), name);
  return new Map(
    names
      .filter((name) => name !== "common.json")
      .map((name) => [name.slice(0, -".json".length), ajv.getSchema(name)]),
  );
}

/** Collects complaints; the process ends with 1 when there are any. */
export class Complaints {
  count = 0;
  add(text) {
    this.count += 1;
    if (this.count <= 50) console.log(text);
    process.exitCode = 1;
  }
  /** Says how it went, in one line. */
  sum(what) {
    console.log(this.count === 0 ? what : `${what}; ${this.count} complaints`);
  }
}
