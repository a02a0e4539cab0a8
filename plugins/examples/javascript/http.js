// Requests over HTTP with WASI's own interfaces, which pass a backup's file on
// without a byte of it coming into the component. Whatever goes wrong is thrown
// as a `failure` of the contract, which says whether it is worth trying again.

import { handle } from "wasi:http/outgoing-handler@0.2.12";
import { Fields, OutgoingBody, OutgoingRequest } from "wasi:http/types@0.2.12";

const CHUNK = 1n << 20n;

export const invalid = (field, message) => ({ tag: "invalid-config", val: [{ field, message }] });
export const denied = (text) => ({ tag: "denied", val: text });
export const notFound = (text) => ({ tag: "not-found", val: text });
export const permanent = (text) => ({ tag: "permanent", val: text });
export const temporary = (message, retryAfter) => ({ tag: "temporary", val: { message, retryAfter } });

/** Scheme, authority and path of an address, or nothing where it is none. */
export function parse(url) {
  const found = /^(https?):\/\/([^/?#@\s]+)([^#\s]*)$/i.exec(url);
  return found && { scheme: found[1].toUpperCase(), authority: found[2], path: found[3] || "/" };
}

/**
 * Sends a request and waits for the answer's status and headers. The body is
 * bytes, or an `input-stream` with its length. `close` the answer.
 */
export function send(method, url, { headers = {}, bytes = new Uint8Array(), stream, length } = {}) {
  const { scheme, authority, path } = parse(url) ?? {};
  const size = stream ? length : BigInt(bytes.length);
  const fields = { ...headers, "content-length": String(size) };
  const encoded = Object.entries(fields).map(([name, value]) => [name, new TextEncoder().encode(value)]);
  const request = new OutgoingRequest(Fields.fromList(encoded));
  request.setMethod({ tag: method.toLowerCase() });
  request.setScheme({ tag: scheme });
  request.setAuthority(authority);
  request.setPathWithQuery(path);
  const body = request.body();
  const answer = attempt(authority, () => handle(request, undefined));
  let broken = null;
  try {
    const output = body.write();
    try {
      stream ? pass(stream, output, length) : write(bytes, output);
    } finally {
      output[Symbol.dispose]();
    }
  } catch (error) {
    broken = error;
  }
  // A body that is dropped, and not finished, never looks whole to the server.
  if (broken) body[Symbol.dispose]();
  else attempt(authority, () => OutgoingBody.finish(body, undefined));
  // The answer to a broken upload says more than that it was broken.
  answer.subscribe().block();
  const got = answer.get();
  if (got.val.tag === "err") throw ofCode(authority, got.val.val);
  const response = got.val.val;
  const status = response.status();
  if (broken && status < 400) throw temporary(`${authority} did not take all of it`);
  return { authority, response, status, header: (name) => header(response, name) };
}

/** The same answer, if its status is 2xx; otherwise throws what the status means. */
export function success(answer) {
  const { authority, status } = answer;
  if (status >= 200 && status < 300) return answer;
  const text = `${authority} answered ${status}`;
  if (status === 401 || status === 403) throw denied(text);
  if (status === 404 || status === 410) throw notFound(text);
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const seconds = Number(answer.header("retry-after"));
    throw temporary(text, Number.isInteger(seconds) && seconds > 0 ? seconds : undefined);
  }
  throw permanent(text);
}

/** Lets go of an answer whose body nobody wants. */
export function close(answer) {
  answer.response[Symbol.dispose]();
}

/** Passes the answer's body on: all of it, as it was announced. */
export function passBody(answer, output) {
  const length = answer.header("content-length");
  if (length === undefined) throw permanent(`${answer.authority} does not say how long it is`);
  const body = answer.response.consume();
  const input = body.stream();
  try {
    pass(input, output, BigInt(length));
  } finally {
    input[Symbol.dispose]();
    body[Symbol.dispose]();
    close(answer);
  }
}

/** Passes exactly so many bytes on, at the console's own speed. */
export function pass(input, output, length) {
  let left = length;
  try {
    while (left > 0n) left -= output.blockingSplice(input, left < CHUNK ? left : CHUNK);
    output.blockingFlush();
  } catch {
    throw temporary(`the stream ended ${left} bytes early`);
  }
}

function write(bytes, output) {
  for (let at = 0; at < bytes.length; at += 4096) {
    output.blockingWriteAndFlush(bytes.subarray(at, at + 4096));
  }
}

function header(response, name) {
  const headers = response.headers();
  const value = headers.get(name)[0];
  headers[Symbol.dispose]();
  return value && new TextDecoder().decode(value);
}

/** What an import throws is an error with the contract's value in `payload`. */
function attempt(authority, work) {
  try {
    return work();
  } catch (error) {
    throw error.payload ? ofCode(authority, error.payload) : error;
  }
}

function ofCode(authority, code) {
  switch (code.tag) {
    case "HTTP-request-denied":
    case "destination-IP-prohibited":
      return denied(`the console does not allow a connection to ${authority}`);
    case "TLS-certificate-error":
    case "HTTP-request-URI-invalid":
      return permanent(`${authority}: ${code.tag}`);
    default:
      return temporary(`${authority} cannot be reached: ${code.tag}`);
  }
}
