// Clients made of the contracts, as strangers would make them, into a folder:
//   node generate.mjs FOLDER
//     FOLDER/typescript  from asyncapi.yaml, a class a message, compiled to FOLDER/javascript
//     FOLDER/client.py   from the schemas
//     FOLDER/java, FOLDER/csharp   from asyncapi.yaml; nothing here runs them, so it is looked at that whatever may
//                        be larger than an int is a long there
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Complaints, require, source } from "./tools.mjs";

const { Parser, fromFile } = require("@asyncapi/parser");
const { CSharpGenerator, JavaGenerator, TS_COMMON_PRESET, TypeScriptGenerator } = require("@asyncapi/modelina");
const { InputData, JSONSchemaInput, JSONSchemaStore, quicktype } = require("quicktype-core");
const ts = require("typescript");
const folder = process.argv[2];
const complaints = new Complaints();
const schemaFolder = join(source, "contracts/schemas");
const schemas = new Map(
  readdirSync(schemaFolder).map((name) => [name, JSON.parse(readFileSync(join(schemaFolder, name), "utf8"))]),
);

// --- TypeScript, Java, C#: from asyncapi.yaml --------------------------------------

const { document } = await fromFile(new Parser(), join(source, "contracts/asyncapi.yaml")).parse();
const marshalling = { preset: TS_COMMON_PRESET, options: { marshalling: true } };
const languages = [
  ["typescript", "ts", new TypeScriptGenerator({ presets: [marshalling] }), { exportType: "named", moduleSystem: "ESM" }],
  ["java", "java", new JavaGenerator(), { packageName: "neighbour" }],
  ["csharp", "cs", new CSharpGenerator(), { namespace: "Neighbour" }],
];
const made = new Map(); // the text of each class, by language and name
for (const [language, suffix, generator, options] of languages) {
  mkdirSync(join(folder, language), { recursive: true });
  for (const { modelName, result } of await generator.generateCompleteModels(document, options)) {
    if (/anonymous/i.test(modelName)) complaints.add(`${language}: a class without a name: ${modelName}`);
    writeFileSync(join(folder, language, `${modelName}.${suffix}`), result);
    made.set(`${language} ${modelName}`, result);
  }
}

const files = [...made.keys()].filter((key) => key.startsWith("typescript ")).map((key) => join(folder, "typescript", `${key.split(" ")[1]}.ts`));
const program = ts.createProgram(files, {
  strict: true,
  target: ts.ScriptTarget.ES2020,
  module: ts.ModuleKind.CommonJS,
  outDir: join(folder, "javascript"),
});
const { diagnostics } = program.emit();
for (const { file, messageText } of [...ts.getPreEmitDiagnostics(program), ...diagnostics])
  complaints.add(`typescript: ${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
writeFileSync(join(folder, "javascript/package.json"), '{"type":"commonjs"}\n');

// --- Python: from the schemas ------------------------------------------------------

class Store extends JSONSchemaStore {
  async fetch(address) {
    return schemas.get(address.split("/").at(-1));
  }
}
const input = new JSONSchemaInput(new Store());
for (const [name, { title }] of schemas)
  if (name !== "common.json") await input.addSource({ name: title, uris: [`file:///schemas/${name}`], isConverted: true });
const inputData = new InputData();
inputData.addInput(input);
const python = await quicktype({ inputData, lang: "python", rendererOptions: { "python-version": "3.7", "nice-property-names": "false" } });
writeFileSync(join(folder, "client.py"), python.lines.join("\n"));

// --- what may be larger than an int is a long ----------------------------------------

const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
const follow = (schema) => (schema.$ref ? follow(schemas.get("common.json").$defs[schema.$ref.split("/").at(-1)]) : schema);
let longs = 0;
function look(schema) {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const { format, type, items } = follow(property);
    if (type === "object") look(follow(property));
    if (items) look(follow(items));
    if (format !== "int64") continue;
    longs += 1;
    for (const language of ["java", "csharp"])
      if (!new RegExp(`private [Ll]ong\\??( | \\w+ )${camel(name)};`).test(made.get(`${language} ${schema.title}`)))
        complaints.add(`${language}: ${schema.title}.${name} is no long`);
  }
}
for (const [name, schema] of schemas) if (name !== "common.json") look(schema);
if (longs < 20) complaints.add(`only ${longs} large integers`);
complaints.sum(`${made.size} classes in three languages, and client.py; ${longs} times a long is a long`);
