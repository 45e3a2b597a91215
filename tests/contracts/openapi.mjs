// Judges recorded HTTP exchanges by contracts/openapi.yaml; README.md says what a record looks like.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { newAjv, require, source } from "./tools.mjs";

const { parse } = require("yaml");
const METHODS = ["get", "put", "post", "delete", "patch"];

/** A schema that a client may read leniently, this judge reads strictly: a member that is not
 *  described is a fault of the description or of the edge. */
function closed(schema) {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== "object") return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]));
  if (schema.type === "object" && schema.properties && schema.additionalProperties === undefined)
    copy.additionalProperties = false;
  return copy;
}

export class Api {
  #document = parse(readFileSync(join(source, "contracts/openapi.yaml"), "utf8"));
  #ajv = newAjv({ strictTypes: false });
  #validators = new Map();
  #seen = new Set();

  constructor() {
    this.#ajv.addVocabulary(["components"]);
    this.#ajv.addSchema({ components: { schemas: closed(this.#document.components.schemas) } }, "api");
  }

  #resolve(node) {
    while (node?.$ref) {
      node = node.$ref.slice(2).split("/").reduce((at, name) => at[name], this.#document);
    }
    return node;
  }

  #check(schema, value) {
    const key = JSON.stringify(schema);
    if (!this.#validators.has(key)) {
      const local = JSON.parse(key.replaceAll('"$ref":"#/', '"$ref":"api#/'));
      this.#validators.set(key, this.#ajv.compile(closed(local)));
    }
    const validate = this.#validators.get(key);
    if (validate(value)) return [];
    return validate.errors.map((e) => `${e.instancePath || "(whole)"} ${e.message} ${JSON.stringify(e.params)}`);
  }

  /** Every operation with every status, as "GET /v1/orders 200". */
  declared() {
    return Object.entries(this.#document.paths).flatMap(([path, item]) =>
      METHODS.filter((method) => item[method]).flatMap((method) =>
        Object.keys(item[method].responses).map((status) => `${method.toUpperCase()} ${path} ${status}`),
      ),
    );
  }

  /** What of declared() no exchange has shown yet. */
  unseen() {
    return this.declared().filter((what) => !this.#seen.has(what));
  }

  #match(path) {
    const segments = path.split("?")[0].split("/");
    const fits = (template) => {
      const parts = template.split("/");
      return parts.length === segments.length && parts.every((part, i) => (part.startsWith("{") ? segments[i] !== "" : part === segments[i]));
    };
    const template = Object.keys(this.#document.paths).find(fits);
    return template && { template, item: this.#document.paths[template] };
  }

  /** The complaints about one exchange; none: it is as described. */
  judge(exchange) {
    const { method, path, status } = exchange;
    const match = this.#match(path);
    if (!match) return this.#judgeUnknown(exchange, 404);
    if (method === "OPTIONS") return status === 204 && headerOf(exchange, "allow") ? [] : ["OPTIONS is 204 with Allow"];
    const operation = match.item[(method === "HEAD" ? "GET" : method).toLowerCase()];
    if (!operation) return this.#judgeUnknown(exchange, 405);
    const response = this.#resolve(operation.responses[String(status)]);
    if (!response) return [`status ${status} is not declared for ${method} ${match.template}`];
    this.#seen.add(`${method} ${match.template} ${status}`);
    return [
      ...this.#judgeHeaders(exchange, response.headers ?? {}),
      ...this.#judgeBody(exchange, response.content),
      ...this.#judgeRequest(exchange, operation),
    ];
  }

  /** No such path, or no such method on it: 404, or 405 with Allow. */
  #judgeUnknown(exchange, expected) {
    if (exchange.status !== expected) return [`not described, so it must be ${expected}, not ${exchange.status}`];
    const content = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
    const complaints = this.#judgeBody(exchange, content);
    if (expected === 405 && !headerOf(exchange, "allow")) complaints.push("405 without Allow");
    return complaints;
  }

  #judgeHeaders(exchange, headers) {
    return Object.entries(headers).flatMap(([name, reference]) => {
      const header = this.#resolve(reference);
      const value = headerOf(exchange, name);
      if (value === undefined) return header.required ? [`header ${name} is missing`] : [];
      return this.#check(header.schema, value).map((complaint) => `header ${name}: ${complaint}`);
    });
  }

  #judgeBody(exchange, content) {
    if (exchange.method === "HEAD") return exchange.body ? ["HEAD with a body"] : [];
    const type = (headerOf(exchange, "content-type") ?? "").split(";")[0].trim().toLowerCase();
    const media = content?.[type];
    if (!media) return [`content type '${type}' is not declared`];
    if (!type.endsWith("json")) return this.#check(media.schema, exchange.body);
    let value;
    try {
      value = JSON.parse(exchange.body);
    } catch (error) {
      return [`the body is not JSON: ${error.message}`];
    }
    const complaints = this.#check(media.schema, value).map((complaint) => `body: ${complaint}`);
    if (type === "application/problem+json" && value.status !== exchange.status)
      complaints.push(`the problem says ${value.status}, the answer ${exchange.status}`);
    return complaints;
  }

  /** What was accepted must have been a request as described. */
  #judgeRequest(exchange, operation) {
    const body = this.#resolve(operation.requestBody);
    if (exchange.status >= 300 || !body || exchange.request_body === undefined) return [];
    if (exchange.request_body === "") return body.required ? ["accepted without a body"] : [];
    const schema = body.content["application/json"].schema;
    let value;
    try {
      value = JSON.parse(exchange.request_body);
    } catch {
      return ["accepted, though the request is not JSON"];
    }
    return this.#check(schema, value).map((complaint) => `accepted, though in the request ${complaint}`);
  }
}

/** Header names compare without case; several of one name are joined by commas. */
function headerOf(exchange, name) {
  const values = Object.entries(exchange.headers ?? {})
    .filter(([other]) => other.toLowerCase() === name.toLowerCase())
    .flatMap(([, value]) => value);
  return values.length ? values.join(", ") : undefined;
}
