// Judges recorded exchanges. node exchanges.mjs [--cover] FILE...   (see validate-openapi)
import { readFileSync } from "node:fs";
import { Api } from "./openapi.mjs";
import { Complaints } from "./tools.mjs";

const files = process.argv.slice(2).filter((name) => name !== "--cover");
const api = new Api();
const complaints = new Complaints();
let count = 0;
for (const file of files)
  for (const [index, line] of readFileSync(file, "utf8").split("\n").entries()) {
    if (line.trim() === "") continue;
    count += 1;
    const exchange = JSON.parse(line);
    for (const complaint of api.judge(exchange))
      complaints.add(
        `${file}:${index + 1}: ${exchange.method} ${exchange.path} ${exchange.status}: ${complaint}\n` +
          `  ${String(exchange.body).slice(0, 300)}`,
      );
  }
if (count === 0) complaints.add("no exchange was recorded: nothing has been judged");
if (process.argv.includes("--cover"))
  for (const what of api.unseen()) console.log(`not seen: ${what}`);
complaints.sum(`${count} exchanges judged; ${api.unseen().length} of ${api.declared().length} answers not seen`);
