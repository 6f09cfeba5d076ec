/* The backend of a page without a server of ours: answers are judged and kept in the browser, and handed to JATOS or downloaded. */
(() => {
  "use strict";
  const bundle = window.saywhyBundle;
  const inJatos = typeof jatos !== "undefined";
  const KEY = `saywhy answers ${location.pathname} ${bundle.study}`;
  const BATCH = "saywhy"; // what is shared between the participants of a JATOS batch

  class Refusal extends Error {
    constructor(status, reply) {
      super(reply.error || "");
      this.status = status;
      this.reply = reply;
    }
  }

  class Unreached extends Error {}

  /* SHA-256, since browsers offer theirs over https alone. */
  const K = [];
  const FIRST = [];
  {
    const part = (x) => Math.floor((x - Math.floor(x)) * 2 ** 32) >>> 0;
    for (let n = 2; K.length < 64; n++) {
      let prime = true;
      for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
      if (!prime) continue;
      if (FIRST.length < 8) FIRST.push(part(Math.sqrt(n)));
      K.push(part(Math.cbrt(n)));
    }
  }

  function sha256(text) {
    const bytes = new TextEncoder().encode(text);
    const padded = new Uint8Array(((bytes.length + 72) >> 6) << 6);
    padded.set(bytes);
    padded[bytes.length] = 0x80;
    const view = new DataView(padded.buffer);
    view.setUint32(padded.length - 4, bytes.length * 8);
    const turn = (x, n) => (x >>> n) | (x << (32 - n));
    const hash = Uint32Array.from(FIRST);
    const w = new Uint32Array(64);
    for (let at = 0; at < padded.length; at += 64) {
      for (let i = 0; i < 16; i++) w[i] = view.getUint32(at + 4 * i);
      for (let i = 16; i < 64; i++) {
        const s0 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ (w[i - 15] >>> 3);
        const s1 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ (w[i - 2] >>> 10);
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
      }
      let [a, b, c, d, e, f, g, h] = hash;
      for (let i = 0; i < 64; i++) {
        const t1 = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i]) >>> 0;
        const t2 = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) >>> 0;
        [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) >>> 0, c, b, a, (t1 + t2) >>> 0];
      }
      [a, b, c, d, e, f, g, h].forEach((one, i) => (hash[i] += one));
    }
    return Array.from(hash, (one) => one.toString(16).padStart(8, "0")).join("");
  }

  /* What is kept in the browser. */
  let memory = null; // where the browser keeps nothing
  const kept = {
    read() {
      try {
        return JSON.parse(localStorage.getItem(KEY)) || memory;
      } catch {
        return memory;
      }
    },
    write(mine) {
      memory = mine;
      try {
        localStorage.setItem(KEY, JSON.stringify(mine));
      } catch {
        /* a reload begins anew */
      }
    },
    drop() {
      memory = null;
      try {
        localStorage.removeItem(KEY);
      } catch {
        /* there is none */
      }
    },
  };

  const LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"; // without those that are taken for each other
  const among = (most) => crypto.getRandomValues(new Uint32Array(1))[0] % most;
  const code = () => Array.from({ length: 10 }, () => LETTERS[among(LETTERS.length)]).join("");
  const now = () => new Date().toISOString();

  const ready = inJatos ? new Promise((resolve) => jatos.onLoad(resolve)) : Promise.resolve();

  /** The address's parameters: JATOS takes them off the address. */
  const given = () => ({ ...Object.fromEntries(new URLSearchParams(location.search)), ...(inJatos ? jatos.urlQueryParameters || {} : {}) });

  async function cellFor(participant) {
    const names = Object.keys(bundle.cells);
    const wanted = given().cell;
    if (wanted !== undefined) {
      if (names.includes(wanted)) return wanted;
      throw new Refusal(403, { error: `This study has no cell ${wanted}.` });
    }
    if (!inJatos) return names[among(names.length)];
    for (;;) {
      const places = jatos.batchSession.get(BATCH) || {};
      const since = Date.now() - bundle.leaveAfter * 60000;
      const counts = Object.fromEntries(names.map((name) => [name, 0]));
      for (const [cell, begun, complete] of Object.values(places)) if (cell in counts && (complete || begun > since)) counts[cell]++;
      const fewest = Math.min(...Object.values(counts));
      const least = names.filter((name) => counts[name] === fewest);
      const cell = least[among(least.length)];
      try {
        await jatos.batchSession.set(BATCH, { ...places, [participant]: [cell, Date.now(), 0] });
        return cell;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100 + among(400))); // somebody else came in between
      }
    }
  }

  async function completedInBatch(mine) {
    if (!inJatos) return;
    for (let number = 0; number < 5; number++) {
      try {
        return await jatos.batchSession.set(BATCH, { ...(jatos.batchSession.get(BATCH) || {}), [mine.participant]: [mine.cell, Date.now(), 1] });
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100 + among(400)));
      }
    }
  }

  function stepsOf(mine) {
    const pooled = (number) => bundle.pool[number];
    return bundle.cells[mine.cell]
      .find((way) => way.seed === mine.seed)
      .steps.map((step) => ({ ...step, html: pooled(step.html), text: pooled(step.text), questions: pooled(step.questions), right: pooled(step.right) }));
  }

  /** Whether the answers are complete, and only the debriefing is left to read. */
  const onlyDebriefing = (mine) => mine.status === "active" && mine.done && stepsOf(mine).slice(mine.done).every((step) => step.phase === "debriefing");

  function completion(mine) {
    if (mine.status !== "complete" && mine.status !== "screened out" && !onlyDebriefing(mine)) return null;
    const part = bundle.completion;
    const own = mine.status === "screened out" ? part.screened : part.code;
    if (!own && (!part.url || part.url.includes("{code}"))) return null;
    return { code: own, url: part.url && part.url.replace("{code}", encodeURIComponent(own || "")) };
  }

  const told = (mine) => ({ done: mine.done, status: mine.status, completion: completion(mine) });
  const results = (mine) => ({ format: "saywhy-study-answers", version: 1, study: bundle.study, ...mine });

  async function handOver(mine) {
    if (!inJatos) return;
    try {
      await jatos.submitResultData(results(mine));
    } catch {
      throw new Unreached();
    }
  }

  function judged(mine, step, responses) {
    const isRight = (name, known) => {
      const question = step.questions.find((one) => one.name === name);
      const hash = (value) => sha256(`${bundle.salt}|${step.phase}|${step.name}|${name}|${typeof value === "string" ? value : JSON.stringify(value)}`);
      const value = responses[name];
      if (question.kind !== "parts") return known.right.includes(hash(value));
      return JSON.stringify((value || []).map(hash).sort()) === JSON.stringify(known.right);
    };
    return Object.entries(step.right).map(([name, known]) => {
      const correct = isRight(name, known);
      return { question: name, correct, expected: step.feedback ? known.expected : null, message: known.said[correct ? 1 : 0] };
    });
  }

  const backend = {
    async join(link, key, token) {
      await ready;
      let mine = kept.read();
      if (token) {
        const another = inJatos && mine && mine.link.jatos_result !== String(jatos.studyResultId ?? ""); // a run of its own
        if (!mine || mine.participant !== token || another) throw new Refusal(401, {});
      } else {
        const participant = code();
        const cell = await cellFor(participant);
        const ways = bundle.cells[cell];
        const { cell: _, ...rest } = given();
        const all = { ...link, ...rest, ...(inJatos ? { jatos_result: String(jatos.studyResultId ?? "") } : {}) };
        mine = {
          participant,
          cell,
          seed: ways[among(ways.length)].seed,
          link: all,
          status: "active",
          started: now(),
          finished: null,
          done: 0,
          answers: [],
        };
        kept.write(mine);
      }
      return { participant: mine.participant, token: mine.participant, title: bundle.title, language: bundle.language, steps: stepsOf(mine), ...told(mine) };
    },

    async answer(number, responses, seconds) {
      const mine = kept.read();
      if (!mine) throw new Refusal(410, {});
      const before = mine.answers.filter((one) => one.step === number);
      const last = before[before.length - 1];
      if (last && JSON.stringify(last.responses) === JSON.stringify(responses)) {
        await handOver(mine); // it may be that only this failed
        return { ...told(mine), ...last.reply };
      }
      const steps = stepsOf(mine);
      if (mine.status !== "active" || number !== mine.done) throw new Refusal(409, { done: mine.done });
      const step = steps[number];
      const feedback = judged(mine, step, responses);
      const failed = step.phase === "comprehension" && feedback.some((one) => !one.correct);
      const tries = before.length + 1;
      if (!failed) mine.done = number + 1;
      if (failed && tries >= step.tries) mine.status = "screened out";
      if (mine.done === steps.length) mine.status = "complete";
      if (mine.status !== "active") mine.finished = now();
      const reply = { accepted: !failed, feedback, problems: {}, tries };
      mine.answers.push({ step: number, responses, seconds, tries, accepted: !failed, submitted: now(), reply });
      kept.write(mine);
      await handOver(mine);
      if (mine.status === "complete") await completedInBatch(mine);
      return { ...reply, ...told(mine) };
    },

    async state() {
      const mine = kept.read();
      if (!mine) throw new Refusal(410, {});
      return told(mine);
    },

    async withdraw() {
      kept.drop();
      if (inJatos) {
        const abort = jatos.abortStudyWithoutRedirect || jatos.abortStudyAjax;
        await Promise.resolve(abort.call(jatos, "withdrawn")).catch(() => {
          throw new Unreached();
        });
      }
      return { done: 0, status: "withdrawn", completion: null };
    },

    /** What comes below the last words. */
    parting(main, status, words) {
      if (status !== "complete" && status !== "screened out") return;
      if (inJatos) {
        const end = jatos.endStudyWithoutRedirect || jatos.endStudyAjax;
        Promise.resolve(end.call(jatos)).catch((error) => console.error(error));
        return;
      }
      const mine = kept.read();
      const text = document.createElement("p");
      text.textContent = words("downloadText");
      const link = document.createElement("a");
      link.id = "download";
      link.className = "jspsych-btn";
      link.textContent = words("download");
      link.download = `answers-${mine.participant}.json`;
      link.href = URL.createObjectURL(new Blob([JSON.stringify(results(mine), null, 1)], { type: "application/json" }));
      main.append(text, link);
    },
  };

  window.saywhy = Object.assign(window.saywhy || {}, { backend, Refusal, Unreached, sha256 });
})();
