// The generated TypeScript client, compiled, reads each event and writes it again as it was.
//   node decode.mjs FOLDER EVENTS       EVENTS: JSON lines
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Complaints, source } from "./tools.mjs";

const [folder, events] = process.argv.slice(2);
const client = createRequire(join(resolve(folder), "javascript/"));
const complaints = new Complaints();
const types = new Map();
const titleOf = (type) => JSON.parse(readFileSync(join(source, "contracts/schemas", `${type}.json`), "utf8")).title;

for (const line of readFileSync(events, "utf8").trimEnd().split("\n")) {
  const event = JSON.parse(line);
  const name = `${titleOf(event.type)}Event`;
  types.set(name, (types.get(name) ?? 0) + 1);
  try {
    const read = client(`./${name}.js`)[name].unmarshal(line);
    if (read.data.constructor.name !== titleOf(event.type)) complaints.add(`${name}: its data is a ${read.data.constructor.name}`);
    if (!isDeepStrictEqual(JSON.parse(read.marshal()), event)) complaints.add(`${name}: is written otherwise: ${read.marshal()}\n  ${line}`);
  } catch (error) {
    complaints.add(`${name}: ${error.message}\n  ${line}`);
  }
}
const count = [...types.values()].reduce((sum, one) => sum + one, 0);
complaints.sum(`typescript: ${count} events of ${types.size} types read and written again`);
