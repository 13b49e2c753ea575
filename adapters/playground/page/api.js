// The playground's HTTP API. Every request that changes something carries a key, so that it acts once.

const BASE = "/playground/api";

export class Problem extends Error {
  constructor(code, body = {}) {
    super(code);
    this.code = code;
    this.body = body;
  }
}

async function ask(method, path, body) {
  const options = { method, headers: {} };
  if (method !== "GET") options.headers["Idempotency-Key"] = key();
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(BASE + path, options);
  } catch {
    // The answer may have been lost on the way: the same key asks for the same answer.
    await new Promise((resolve) => setTimeout(resolve, 400));
    response = await fetch(BASE + path, options).catch(() => {
      throw new Problem("offline");
    });
  }
  let answer;
  try {
    answer = await response.json();
  } catch {
    throw new Problem("other");
  }
  if (response.ok) return answer;
  throw new Problem(answer.error ?? "other", answer);
}

function key() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const get = (path) => ask("GET", path);
export const post = (path, body) => ask("POST", path, body);
export const patch = (path, body) => ask("PATCH", path, body);
export const put = (path) => ask("PUT", path);
export const remove = (path) => ask("DELETE", path);

// Live updates for one persona. `heard` gets (kind, data); `connected` gets true or false.
export function listen(persona, heard, connected) {
  const stream = new EventSource(`${BASE}/events?persona=${persona}`);
  for (const kind of ["ready", "message", "clock", "activity"]) {
    stream.addEventListener(kind, (event) => heard(kind, JSON.parse(event.data)));
  }
  stream.addEventListener("open", () => connected(true));
  stream.addEventListener("error", () => connected(false));
  return stream;
}
