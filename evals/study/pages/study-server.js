/* The backend of a page whose answers go to the study's server. */
(() => {
  "use strict";
  const PATIENCE = 20000; // milliseconds for one reply; a slower connection is tried again

  /** The server answered, and says no. */
  class Refusal extends Error {
    constructor(status, reply) {
      super(typeof reply.error === "string" ? reply.error : "");
      this.status = status;
      this.reply = reply;
    }
  }

  /** The server could not be reached, or not now: to be tried again. */
  class Unreached extends Error {
    constructor(seconds = 0) {
      super("unreached");
      this.seconds = seconds;
    }
  }

  async function call(method, path, body, token) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), PATIENCE);
    try {
      const response = await fetch(path, {
        method,
        cache: "no-store",
        credentials: "same-origin",
        referrerPolicy: "no-referrer",
        signal: stop.signal,
        headers: {
          Accept: "application/json",
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          ...(token ? { Authorization: `Bearer ${token}` } : {}),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      if (response.status >= 500 || response.status === 429 || response.status === 408)
        throw new Unreached(Number(response.headers.get("Retry-After")) || 0);
      const reply = await response.json(); // what is no JSON comes from somebody in between
      if (!response.ok && !(response.status === 422 && reply.problems)) throw new Refusal(response.status, reply);
      return reply;
    } catch (error) {
      throw error instanceof Refusal || error instanceof Unreached ? error : new Unreached();
    } finally {
      clearTimeout(timer);
    }
  }

  let token = null;
  const backend = {
    /**
     * @param key a random text: joining twice with the same one gives the same place, where a reply was lost.
     * @returns the server's reply, with the token of who takes part.
     */
    async join(link, key, known) {
      const joined = await call("POST", "api/join", { link, key }, known);
      token = joined.token || known;
      return { ...joined, token };
    },
    answer: (step, responses, seconds, attempt) => call("POST", "api/answers", { step, responses, seconds, try: attempt }, token),
    state: () => call("GET", "api/state", undefined, token),
    withdraw: () => call("POST", "api/withdraw", {}, token),
  };

  window.saywhy = Object.assign(window.saywhy || {}, { backend, Refusal, Unreached });
})();
