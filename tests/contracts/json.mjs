// json_parse against another JSON reader, this one, on seeded rubbish. What json_parse takes,
// JSON.parse must take; what it refuses, JSON.parse must refuse too, or the reason is one of those
// for which json_parse is there.
//   node json.mjs FOLDER      WARREN_SEED replays
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Complaints, build, filesBelow, source } from "./tools.mjs";

const ROUNDS = 40000;
const folder = process.argv[2];
const complaints = new Complaints();
let state = Number(process.env.WARREN_SEED ?? 1) >>> 0;
console.log(`WARREN_SEED=${state}`);

function below(limit) {
  state = (state + 0x6d2b79f5) >>> 0; // mulberry32
  let z = Math.imul(state ^ (state >>> 15), state | 1);
  z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
  return ((z ^ (z >>> 14)) >>> 0) % limit;
}

// --- rubbish: a document a line, so no line breaks in it -------------------------

const seeds = [
  ...filesBelow(join(source, "contracts/examples"))
    .filter((file) => basename(dirname(file)) === "valid" && !file.includes("fifty"))
    .map((file) => JSON.stringify(JSON.parse(readFileSync(file, "utf8")))),
  '[0,-0,1.5,-1e-7,1E+8,1e308,true,false,null,"",{},[],{"a":1,"A":2,"\\u00e4":{"a":[[]]}}]',
  '{"\\ud83d\\ude00\\n\\"\\\\\\/":"\\u0041\\b\\f\\r\\t"," ":[ 1 , 2.0e1 ] , "":{ } }',
].map((text) => Buffer.from(text));
const tokens = [
  ..."{}[],:\"\\.-+eE019 \t\r/'", "\\u", "\\u0000", "\\ud800", "\\udc00", "\\u0061", "\\x", "1e400", "1e-400", "01", "1.",
  ".5", "-", "+1", "0x1", "null", "nul", "true", "NaN", "Infinity", '"a":1,', '"a":1,"a":2', "[[[[[[[[[[[[[[[[", "]]]]]]]]]]]]]]]]",
  "9007199254740993", "0.99999999999999999999", "12345678901234567890123456789012345678901234567890123456789012345",
  "\ufeff", "\u00a0", "\u2028", "\u007f", "\u0000", "\u0001",
]
  .map((text) => Buffer.from(text))
  .concat([[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf0, 0x9f], [0xff], [0x80]].map((bytes) => Buffer.from(bytes)));

function mutate(document) {
  const at = below(document.length + 1);
  const cut = Math.min(below(12), document.length - at);
  const head = document.subarray(0, at);
  const tail = document.subarray(at + cut);
  switch (below(8)) {
    case 0: {
      const copy = Buffer.from(document);
      if (at < copy.length) copy[at] ^= 1 << below(8);
      return copy;
    }
    case 1:
      return Buffer.concat([head, tokens[below(tokens.length)], document.subarray(at)]);
    case 2:
      return Buffer.concat([head, tokens[below(tokens.length)], tail]);
    case 3:
      return Buffer.concat([head, document.subarray(0, below(40)), document.subarray(at)]);
    case 4:
      return Buffer.concat([head, tail]);
    case 5: {
      const levels = below(20);
      return Buffer.concat([Buffer.from("[".repeat(levels)), document, Buffer.from("]".repeat(levels))]);
    }
    case 6: { // a member that may be there already, its name perhaps escaped
      const open = document.indexOf("{", at) + 1;
      const twins = ['"sku":0,', '"order_id":[],', '"\\u0073ku":{},', '"dat\\u0061":null,', '"customer":"",'];
      return Buffer.concat([document.subarray(0, open), Buffer.from(twins[below(twins.length)]), document.subarray(open)]);
    }
    default:
      return below(5) ? document : head;
  }
}

const documents = [];
while (documents.length < ROUNDS) {
  let document = seeds[below(seeds.length)];
  for (let left = below(5); left > 0; left--) document = mutate(document);
  if (!document.includes(0x0a)) documents.push(document);
}

// --- both readers ----------------------------------------------------------------

const file = join(folder, "json/random/all.jsonl");
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, Buffer.concat(documents.flatMap((document) => [document, Buffer.from("\n")])));
const said = execFileSync(join(build, "tests/contracts/verdict"), [], { input: `${file}\n`, maxBuffer: 1 << 28 })
  .toString()
  .trimEnd()
  .split("\n");
if (said.length !== documents.length) throw new Error("verdict and the documents differ in number");

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
function readHere(document) {
  try {
    return [JSON.parse(decoder.decode(document))];
  } catch {
    return undefined;
  }
}
// For these json_parse is stricter, on purpose.
const stricter = [
  "two members of the same name", "NUL in a string", "half a surrogate pair", "nested too deeply",
  "a number too large", "a number with more digits than can be kept", "a number with too many digits",
];
const counts = { both: 0, neither: 0 };
for (const reason of stricter) counts[reason] = 0;
for (const [index, document] of documents.entries()) {
  const [verdict, , reason] = said[index].split("\t");
  const here = readHere(document);
  if (verdict === "valid" && here) counts.both += 1;
  else if (verdict === "invalid" && !here) counts.neither += 1;
  else {
    const why = here && stricter.find((one) => reason.includes(one));
    if (why) counts[why] += 1;
    else complaints.add(`C says ${verdict} ${reason}, JSON.parse ${here ? "takes" : "refuses"} it: ${JSON.stringify(document.toString("latin1"))}`);
  }
}
for (const [what, count] of Object.entries(counts)) if (count === 0) complaints.add(`never seen: ${what}`);
complaints.sum(`${documents.length} documents: ${JSON.stringify(counts)}`);
