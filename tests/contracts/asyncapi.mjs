// contracts/asyncapi.yaml is sound, and says what the schemas, `contracts[]` and the services'
// tables say: the same messages, exchanges, queues, senders and receivers.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Complaints, build, filesBelow, loadSchemas, newAjv, require, source } from "./tools.mjs";

const { Parser, fromFile } = require("@asyncapi/parser");
const { parse } = require("yaml");
const complaints = new Complaints();
const path = join(source, "contracts/asyncapi.yaml");

const parser = new Parser();
const { document, diagnostics } = await fromFile(parser, path).parse();
for (const { severity, code, message, path: where } of diagnostics)
  if (severity <= 1 || !document) complaints.add(`${code}: ${where.join(".")}: ${message}`);

// --- sets of words, compared -----------------------------------------------------

function compare(what, described, real) {
  for (const one of described) if (!real.has(one)) complaints.add(`${what}: only in asyncapi.yaml: ${one}`);
  for (const one of real) if (!described.has(one)) complaints.add(`${what}: not in asyncapi.yaml: ${one}`);
  if (real.size === 0) complaints.add(`${what}: none at all`);
}

const tables = execFileSync(join(build, "tests/contracts/catalogue")).toString().trim().split("\n");
const real = (kind, pick) =>
  new Set(tables.map((line) => line.split(" ")).filter(([first]) => first === kind).map((words) => pick(words).join(" ")));

const api = parse(readFileSync(path, "utf8"));
const last = (reference) => reference.$ref.split("/").at(-1);
const messagesOf = (channel) => Object.keys(channel.messages);
const channels = Object.entries(api.channels);
const amqp = (channel) => channel.bindings.amqp;
const isExchange = ([, channel]) => amqp(channel).is === "routingKey";

compare(
  "virtual hosts",
  new Set([
    ...channels.map(([, c]) => (amqp(c).exchange ?? amqp(c).queue).vhost),
    ...Object.values(api.servers).map((server) => server.pathname?.slice(1)),
  ]),
  real("vhost", ([, name]) => [name]),
);
compare("messages", new Set(Object.keys(api.components.messages)), real("contract", ([, type]) => [type]));
compare(
  "schemas",
  new Set(Object.keys(api.components.messages)),
  new Set([...loadSchemas().keys()].filter((name) => name !== "envelope")),
);
compare(
  "examples",
  new Set([...Object.keys(api.components.messages), "envelope"]),
  new Set(readdirSync(join(source, "contracts/examples"))),
);
compare(
  "what each exchange carries",
  new Set(
    channels.filter(isExchange).flatMap(([, c]) => messagesOf(c).map((type) => `${type} ${amqp(c).exchange.name}`)),
  ),
  real("contract", ([, type, exchange]) => [type, exchange]),
);
compare(
  "queues",
  new Set(channels.filter((c) => !isExchange(c)).map(([, c]) => amqp(c).queue.name)),
  real("queue", ([, , name]) => [name]),
);
compare(
  "what each queue brings",
  new Set(channels.filter((c) => !isExchange(c)).flatMap(([name, c]) => messagesOf(c).map((type) => `${name} ${type}`))),
  real("receive", ([, , queue, type]) => [queue, type]),
);

const operations = Object.entries(api.operations).map(([name, operation]) => ({
  service: name.split(".")[0],
  action: operation.action,
  channel: api.channels[last(operation.channel)],
  types: operation.messages.map(last),
  name,
}));
const words = (action, place) =>
  new Set(
    operations
      .filter((operation) => operation.action === action)
      .flatMap(({ service, channel, types }) => types.map((type) => `${service} ${place(amqp(channel))} ${type}`)),
  );
compare("senders", words("send", (b) => b.exchange?.name), real("send", ([, service, exchange, type]) => [service, exchange, type]));
compare("receivers", words("receive", (b) => b.queue?.name), real("receive", ([, service, queue, type]) => [service, queue, type]));

for (const [name, channel] of channels)
  for (const [key, reference] of Object.entries(channel.messages))
    if (last(reference) !== key) complaints.add(`channel ${name}: ${key} is ${last(reference)}`);
for (const [type, message] of Object.entries(api.components.messages)) {
  const { properties } = message.payload.allOf[1];
  const said = [message.name, message.bindings.amqp.messageType, properties.type.const, properties.data.$ref];
  if (said.join() !== [type, type, type, `./schemas/${type}.json`].join())
    complaints.add(`message ${type} speaks of ${said.join(", ")}`);
}

// --- the described payloads are schemas that work --------------------------------

// The envelope example must be a message as described, through the references of the file itself.
const ajv = newAjv();
for (const file of filesBelow(join(source, "contracts/schemas")))
  ajv.addSchema(JSON.parse(readFileSync(file, "utf8")), `schemas/${file.split("/").at(-1)}`);
for (const [type, message] of Object.entries(api.components.messages)) {
  const payload = JSON.parse(JSON.stringify(message.payload).replaceAll('"./schemas/', '"schemas/'));
  const validate = ajv.compile(payload);
  const envelope = JSON.parse(readFileSync(join(source, "contracts/examples/envelope/valid/fact.json"), "utf8"));
  for (const verdict of ["valid", "invalid"])
    for (const file of filesBelow(join(source, "contracts/examples", type, verdict))) {
      const event = { ...envelope, type, data: JSON.parse(readFileSync(file, "utf8")) };
      if (validate(event) !== (verdict === "valid")) complaints.add(`${file}: judged otherwise within its envelope`);
      if (validate({ ...event, type: "another.type" })) complaints.add(`${type}: takes another type too`);
    }
}
complaints.sum(
  `${Object.keys(api.components.messages).length} messages, ${channels.length} channels, ` +
    `${operations.length} operations: as in the schemas, the catalogue and the services' tables`,
);
