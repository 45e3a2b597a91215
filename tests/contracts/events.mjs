// Every valid example of a message within an envelope, a line each, as its service writes it: without
// members of tomorrow and with integers written as integers.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { filesBelow, loadSchemas, source } from "./tools.mjs";

const examples = join(source, "contracts/examples");
const envelope = JSON.parse(readFileSync(join(examples, "envelope/valid/fact.json"), "utf8"));
const types = [...loadSchemas().keys()].filter((type) => type !== "envelope");

/** Only what the schema names; JSON.stringify does the rest. */
function known(value, schema, common) {
  if (schema.$ref) return known(value, common.$defs[schema.$ref.split("/").at(-1)], common);
  if (schema.items) return value.map((one) => known(one, schema.items, common));
  if (!schema.properties) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => schema.properties[name])
      .map(([name, member]) => [name, known(member, schema.properties[name], common)]),
  );
}

const schemaOf = (name) => JSON.parse(readFileSync(join(source, "contracts/schemas", `${name}.json`), "utf8"));
const common = schemaOf("common");
for (const type of types)
  for (const file of filesBelow(join(examples, type, "valid"))) {
    const data = known(JSON.parse(readFileSync(file, "utf8")), schemaOf(type), common);
    console.log(JSON.stringify({ ...envelope, type, data }));
  }
