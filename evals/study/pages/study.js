/* A participant's way through the study: each step becomes a trial of jsPsych, and each answer is sent before the next begins. */
(() => {
  "use strict";
  const { backend, escape, questions, Refusal, Unreached, wordsFor, isEnglish } = window.saywhy;
  const root = document.documentElement;
  const words = wordsFor(root.lang);
  const one = (id) => document.getElementById(id);
  const title = document.title;

  const PERSONS = ["PROLIFIC_PID", "workerId", "participant"]; // what says in an address who comes, as the server reads it
  const PARTS = 8; // of an address that are told to the server, each with so many characters:
  const CHARACTERS = 200;
  const WAITS = [500, 1000, 2000, 4000, 8000, 15000]; // milliseconds between tries: short, as most gaps are, then sparing

  const DOUBLE = 350; // milliseconds in which the second click of two does not pass the next page unread

  /* What is kept in the browser: who takes part, and the last answer until it has arrived. */
  const KEY = `saywhy ${location.pathname} ${root.dataset.study}`;
  const kept = {
    read() {
      try {
        return JSON.parse(localStorage.getItem(KEY)) || {};
      } catch {
        return {};
      }
    },
    write(changes) {
      try {
        localStorage.setItem(KEY, JSON.stringify({ ...kept.read(), ...changes }));
      } catch {
        /* without storage, a reload begins anew */
      }
    },
    drop() {
      try {
        localStorage.removeItem(KEY);
      } catch {
        /* there is none */
      }
    },
  };

  let study; // what the server said when we joined
  let jsPsych;
  let done = 0; // the step that comes next
  let page = null; // the step that is shown, with its clock
  let running = false; // whether jsPsych shows pages
  let finale = null; // what the server gave for taking part, once only the debriefing is left
  let ending = null; // how the study ended
  let unsent = 0; // answers on their way

  function notice(text, kind = "") {
    one("notice").className = `notice ${kind}`;
    one("notice").hidden = !text;
    one("notice").textContent = text;
  }

  const pause = (milliseconds) =>
    new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer);
        removeEventListener("online", go);
        resolve();
      };
      const timer = setTimeout(go, milliseconds);
      addEventListener("online", go);
    });

  /** Try until the server has answered, one way or the other. */
  async function surely(call, words_while) {
    for (let number = 0; ; number++) {
      try {
        const reply = await call();
        if (number) notice("");
        return { reply, again: number > 0 };
      } catch (error) {
        if (!(error instanceof Unreached)) throw error;
        notice(words(words_while), "warning");
        await pause(Math.max(WAITS[Math.min(number, WAITS.length - 1)] * (0.75 + Math.random() / 2), (error.seconds || 0) * 1000));
      }
    }
  }

  /* The clock of a page. */
  function clock() {
    const begun = performance.now();
    let hidden = 0;
    let since = document.hidden ? begun : null;
    const turn = () => {
      if (document.hidden) since = performance.now();
      else if (since !== null) {
        hidden += performance.now() - since;
        since = null;
      }
    };
    document.addEventListener("visibilitychange", turn);
    const rounded = (milliseconds) => Math.round(milliseconds) / 1000;
    return {
      read: () => rounded(performance.now() - begun),
      hidden: () => rounded(hidden + (since === null ? 0 : performance.now() - since)),
      stop: () => document.removeEventListener("visibilitychange", turn),
    };
  }

  /** A step in the page's language: headings and what else the server says itself are English. */
  function spoken(step) {
    if (isEnglish(root.lang) || step.phase === "consent") return step;
    const [number, all] = (step.heading + step.text).match(/\d+/g) || [];
    const heading = words(`${step.phase}Heading`, { number, all });
    const text = {
      comprehension: words(step.tries === 1 ? "comprehensionOnce" : "comprehensionText", { tries: step.tries }),
      break: words("breakText", { number, all }),
    }[step.phase];
    return { ...step, heading, ...(text ? { text, html: `<p>${escape(text)}</p>` } : {}) };
  }

  /* Steps as trials. */
  function shownHtml(step) {
    const toSee = step.html || "";
    // colours and marks say nothing to a screen reader: it reads the same explanation as text instead
    const coloured = /class="[^"]*\b(heatmap|rationale)\b/.test(toSee);
    const told = coloured && step.text ? `<div class="only-read">${escape(step.text)}</div>` : "";
    return (
      `<h1 id="heading" tabindex="-1" dir="auto">${escape(step.heading || title)}</h1>` +
      (toSee ? `<div class="shown ${escape(step.phase)}" dir="auto"${told ? ' aria-hidden="true"' : ""}>${toSee}</div>${told}` : "") +
      (step.phase === "comprehension" ? instructionsAgain() : "")
    );
  }

  function instructionsAgain() {
    const texts = study.steps.filter((step) => step.phase === "instructions").map((step) => step.html);
    return texts.length ? `<details class="again"><summary>${escape(words("instructions"))}</summary><div>${texts.join("")}</div></details>` : "";
  }

  function trialOf(step) {
    const label = { consent: "begin", debriefing: "finish" }[step.phase] || "goOn";
    const common = {
      css_classes: [`phase-${step.phase}`],
      data: { step: step.number, phase: step.phase },
      on_load: () => opened(step),
      on_finish: (data) => Object.assign(data, page.result),
    };
    if (step.questions.length)
      return {
        ...common,
        type: jsPsychSurveyHtmlForm,
        preamble: shownHtml(step),
        html: questions.html(step.questions, words),
        button_label: escape(words(label)),
      };
    return { ...common, type: jsPsychHtmlButtonResponse, stimulus: shownHtml(step), choices: [escape(words(label))], button_layout: "flex", enable_button_after: DOUBLE };
  }

  const content = () => jsPsych.getDisplayElement();
  const button = () => content().querySelector("#jspsych-survey-html-form-next, #jspsych-html-button-response-btngroup button");

  function opened(step) {
    page = { step, clock: clock(), state: "open", refused: null, tries: 0, result: {} };
    running = true;
    one("study").tabIndex = -1; // jsPsych makes it a stop of the tab key, where there is nothing to do
    const heading = one("heading");
    document.title = step.heading ? `${step.heading} – ${title}` : title;
    one("progress").hidden = false;
    one("progress-bar").max = study.steps.length;
    one("progress-bar").value = step.number + 1;
    one("progress-bar").setAttribute("aria-valuetext", words("pageOf", { number: step.number + 1, all: study.steps.length }));
    one("progress-text").textContent = `${step.number + 1} / ${study.steps.length}`;
    one("leave").hidden = ["consent", "debriefing"].includes(step.phase); // what is complete is not deleted by a slip
    if (step.phase === "consent") offerToDecline();
    if (step.phase === "debriefing") giveCode(page);
    const waiting = kept.read().unsent;
    if (waiting && waiting.step === step.number && step.questions.length) {
      questions.restore(content(), step.questions, waiting.responses);
      notice(words("restored"));
    }
    questions.forgive(content(), step.questions, () => notice(""));
    scrollTo(0, 0);
    heading.focus({ preventScroll: true });
  }

  /** The code stands on the debriefing already: who closes the page there has all that is needed. */
  async function giveCode(mine) {
    if (!finale) finale = (await surely(() => backend.state(), "reconnecting")).reply.completion; // another tab was faster
    const place = content().querySelector("#jspsych-html-button-response-stimulus");
    if (!finale || page !== mine || mine.state === "gone" || !place) return;
    place.insertAdjacentHTML("beforeend", completed(finale));
    one("copy")?.addEventListener("click", copy);
  }

  function offerToDecline() {
    const refuse = document.createElement("button");
    refuse.type = "button";
    refuse.className = "quiet decline";
    refuse.id = "decline";
    refuse.textContent = words("decline");
    refuse.addEventListener("click", () => leave("declined"));
    content().append(refuse);
  }

  /* Nothing passes to jsPsych before it has arrived: this listener hears of a submitted page first. */
  function gate(event) {
    const target = event.target;
    if (!page || (event.type === "click" && !target.closest("#jspsych-html-button-response-btngroup button"))) return;
    if (page.state === "told") {
      notice("");
      page.state = "passing";
      page.clock.stop();
    }
    if (page.state === "passing") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (page.state === "open") submit(page);
  }

  function pass() {
    page.state = "passing";
    page.clock.stop();
    // a form does not hear of a second submission before the first one is over
    setTimeout(() => {
      const form = content().querySelector("form");
      if (form) form.requestSubmit();
      else button().click();
    });
  }

  async function submit(mine) {
    const { step } = mine;
    const place = content();
    const { responses, problems } = questions.read(place, step.questions, words);
    questions.quiet(place, step.questions);
    notice("");
    if (Object.keys(problems).length) return mark(step, problems);
    const same = JSON.stringify(responses);
    if (mine.refused && mine.refused.same === same) {
      questionsWrong(step, mine.refused.feedback);
      return notice(words("same"), "warning");
    }
    mine.state = "sending";
    unsent++;
    const seconds = mine.clock.read();
    const attempt = mine.tries ? mine.tries + 1 : undefined; // after a reload nobody here knows
    kept.write({ unsent: { step: step.number, responses } });
    place.setAttribute("aria-busy", "true");
    button().setAttribute("aria-disabled", "true");
    const slow = setTimeout(() => one("notice").hidden && notice(words("sending")), 800);
    try {
      const { reply, again } = await surely(() => backend.answer(step.number, responses, seconds, attempt), "resending");
      clearTimeout(slow);
      notice(again ? words("sent") : "");
      if (reply.problems && Object.keys(reply.problems).length) {
        mine.state = "open";
        return mark(step, reply.problems);
      }
      kept.write({ unsent: null });
      mine.result = { answers: responses, seconds, hidden_seconds: mine.clock.hidden(), accepted: reply.accepted };
      arrived(mine, reply, same);
    } catch (error) {
      clearTimeout(slow);
      if (error instanceof Refusal) return refused(mine, error);
      mine.state = "open";
      notice(words("failed"), "warning");
      throw error;
    } finally {
      unsent--;
      place.removeAttribute("aria-busy");
      button()?.removeAttribute("aria-disabled");
    }
  }

  function mark(step, problems) {
    const names = Object.keys(problems);
    for (const name of names) questions.say(content(), step.questions, name, problems[name], "problem");
    notice(words(names.length === 1 ? "missingOne" : "missing"), "warning");
    questions.focusFirst(content(), step.questions, names);
  }

  /** Whether no page is left: one who is complete reads the debriefing. */
  const over = (reply) => reply.status && reply.status !== "active" && !(reply.status === "complete" && reply.done < study.steps.length);

  function arrived(mine, reply, same) {
    const { step } = mine;
    finale = reply.completion || finale;
    if (over(reply)) return end(reply.status, reply.completion);
    if (!reply.accepted) {
      mine.state = "open";
      mine.refused = { same, feedback: reply.feedback || [] };
      mine.tries = reply.tries;
      const names = questionsWrong(step, mine.refused.feedback);
      notice(words("again"), "warning");
      return questions.focusFirst(content(), step.questions, names);
    }
    done = reply.done;
    if (step.feedback && reply.feedback && reply.feedback.length) return tell(mine, reply.feedback);
    pass();
  }

  function questionsWrong(step, feedback) {
    const wrong = feedback.filter((told) => !told.correct);
    for (const told of wrong) questions.say(content(), step.questions, told.question, words("wrong"), "wrong");
    return wrong.map((told) => told.question);
  }

  function tell(mine, feedback) {
    mine.state = "told";
    for (const told of feedback) {
      const question = mine.step.questions.find((asked) => asked.name === told.question);
      if (!question) continue;
      const own = told.message && isEnglish(root.lang) ? told.message : ""; // the server speaks English
      const said = own || (told.correct ? words("right") : `${words("wrong")} ${expectedIn(question, told.expected)}`);
      questions.say(content(), mine.step.questions, told.question, said, told.correct ? "right" : "wrong");
    }
    questions.lock(content());
    const first = content().querySelector(".said:not([hidden])");
    if (!first) return pass();
    notice(words("feedback"));
    first.tabIndex = -1;
    first.focus();
    button().value = words("goOn");
  }

  function expectedIn(question, expected) {
    if (expected === null || expected === undefined) return "";
    let parts = [expected];
    try {
      if (question.kind === "parts") parts = JSON.parse(expected);
    } catch {
      /* a text */
    }
    return words("expected", { answer: parts.map((part) => questions.shown(question, part)).join("; ") });
  }

  function refused(mine, refusal) {
    const { status, reply, message } = refusal;
    if (status === 409 && Number.isInteger(reply.done)) {
      kept.write({ unsent: null });
      if (reply.done <= mine.step.number) return reload(); // the server is further back: everything is read again
      done = reply.done;
      pass();
      return notice(words("elsewhere"), "warning");
    }
    if ([401, 403, 404, 409, 410].includes(status)) return end("refused", null, message, status);
    mine.state = "open";
    notice(message || words("failed"), "warning");
  }

  function reload() {
    unsent = 0;
    page.state = "gone";
    location.reload();
  }

  /** How the study ended, where another tab ended it. */
  async function look() {
    const { reply } = await surely(() => backend.state(), "reconnecting");
    end(reply.status, reply.completion);
  }

  /* Leaving. */
  function prepareLeaving() {
    const dialog = one("leaving");
    one("leave").textContent = words("withdraw");
    one("leaving-heading").textContent = words("withdrawHeading");
    one("leaving-text").textContent = words("withdrawText");
    one("leaving-no").textContent = words("withdrawNo");
    one("leaving-yes").textContent = words("withdrawYes");
    one("leave").addEventListener("click", () => dialog.showModal());
    one("leaving-no").addEventListener("click", () => dialog.close());
    one("leaving-yes").addEventListener("click", () => {
      dialog.close();
      leave("withdrawn");
    });
  }

  async function leave(how) {
    if (page) page.state = "gone";
    try {
      await surely(() => backend.withdraw(), "reconnecting");
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.status !== 410 && error.status !== 401) return end("refused", null, error.message, error.status);
    }
    kept.drop();
    end(how);
  }

  /* The end. */
  function end(status, completion = null, message = "", code = 0) {
    if (ending) return;
    ending = { status, completion, message, code };
    if (running) {
      page.state = "gone";
      page.clock.stop();
      jsPsych.abortExperiment();
    } else showEnd();
  }

  function showEnd() {
    const { status, completion, message, code } = ending;
    const [heading, text] = {
      complete: ["completeHeading", "complete"],
      "screened out": ["screenedHeading", "screened"],
      withdrawn: ["withdrawnHeading", "withdrawn"],
      declined: ["declinedHeading", "declined"],
      left: ["goneHeading", "left"],
      refused: [code === 410 ? "goneHeading" : "endedHeading", "closed"],
      failed: ["failedHeading", "failed"],
    }[status] || ["failedHeading", "failed"];
    one("progress").hidden = true;
    one("leave").hidden = true;
    notice("");
    document.title = `${words(heading)} – ${title}`;
    const main = one("study");
    main.className = "ended";
    main.innerHTML =
      `<h1 id="heading" tabindex="-1">${escape(words(heading))}</h1><p class="end" dir="auto">${escape(message || words(text))}</p>` +
      completed(completion);
    one("copy")?.addEventListener("click", copy);
    backend.parting?.(main, status, words);
    scrollTo(0, 0);
    one("heading").focus({ preventScroll: true });
  }

  function completed(completion) {
    if (!completion) return "";
    const code = completion.code
      ? `<div class="code"><label for="code">${escape(words("code"))}</label><div><input id="code" readonly value="${escape(completion.code)}">` +
        `<button type="button" class="quiet" id="copy">${escape(words("copy"))}</button></div></div>`
      : "";
    const link = /^https?:\/\//i.test(completion.url || "")
      ? `<p><a class="jspsych-btn" id="back" rel="noreferrer" href="${escape(completion.url)}">${escape(words("link"))}</a></p>`
      : "";
    return code + link;
  }

  async function copy() {
    const field = one("code");
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      notice(words("copied"));
    } catch {
      /* it is selected, to be copied by hand */
    }
  }

  /* The beginning. */
  const link = () => {
    const known = ([name]) => Number(PERSONS.includes(name));
    const given = [...new URLSearchParams(location.search)].filter(([name, value]) => /^[A-Za-z][\w-]{0,39}$/.test(name) && value);
    given.sort((a, b) => known(b) - known(a)); // who comes is told in any case
    return Object.fromEntries(given.slice(0, PARTS).map(([name, value]) => [name, value.slice(0, CHARACTERS)]));
  };
  const person = (link) => PERSONS.map((name) => link?.[name]).find(Boolean);

  function randomText() {
    return Array.from(crypto.getRandomValues(new Uint8Array(24)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  async function join() {
    const mine = link();
    let before = kept.read();
    if (person(mine) && person(before.link) && person(mine) !== person(before.link)) before = {}; // a shared computer
    const comeBack = (token) => surely(() => backend.join(before.link || mine, undefined, token), "reconnecting");
    let joined;
    if (before.token) {
      try {
        joined = (await comeBack(before.token)).reply;
      } catch (error) {
        if (!(error instanceof Refusal && error.status === 401)) throw error; // the server does not know us any more: we are new
        before = {};
      }
    }
    if (!joined) {
      const key = before.key || randomText();
      kept.drop();
      kept.write({ key, link: mine });
      joined = (await surely(() => backend.join(mine, key), "reconnecting")).reply;
      kept.write({ token: joined.token });
    }
    return joined;
  }

  async function main() {
    const place = one("study");
    place.innerHTML = `<p class="loading" role="status">${escape(words("loading"))}</p>`;
    prepareLeaving();
    one("progress-bar").setAttribute("aria-label", words("progress"));
    const contact = one("contact");
    contact.textContent = words("contact", { contact: contact.dataset.contact });
    contact.hidden = !contact.dataset.contact;
    if (typeof initJsPsych !== "function") return end("failed");
    try {
      // two tabs that open at once are one participant
      study = await (navigator.locks ? navigator.locks.request(KEY, join) : join());
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return end("refused", null, error.message, error.status);
    }
    done = study.done;
    finale = study.completion;
    if (over(study)) return end(study.status, study.completion);
    if (done >= study.steps.length) return look();
    if (done > 0) notice(words("resumed"));
    place.innerHTML = "";
    jsPsych = initJsPsych({ display_element: place, on_finish: () => {} });
    study.steps = study.steps.map(spoken);
    const timeline = study.steps.map((step) => ({
      timeline: [trialOf(step)],
      conditional_function: () => !ending && step.number >= done,
    }));
    place.addEventListener("submit", gate, true);
    place.addEventListener("click", gate, true);
    await jsPsych.run(timeline);
    running = false;
    if (ending) showEnd();
    else await look();
  }

  addEventListener("beforeunload", (event) => {
    if (unsent) event.preventDefault();
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  document.addEventListener("DOMContentLoaded", () =>
    main().catch((error) => {
      console.error(error);
      end("failed");
    })
  );
})();
