/* Questions as form fields: how they are drawn, read and marked. */
(() => {
  "use strict";
  const LONGEST = 5000; // characters of a free text: as many as the server takes
  const escape = (text) =>
    String(text).replace(/[&<>"']/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[one]);

  const field = (number, question, inside, words) => {
    const optional = question.required ? "" : ` <span class="optional">(${escape(words("optional"))})</span>`;
    const role = ["choice", "rating"].includes(question.kind) ? ' role="radiogroup"' : "";
    const must = role && question.required ? ' aria-required="true"' : "";
    return (
      `<fieldset class="question ${question.kind}" id="q${number}" data-name="${escape(question.name)}" ` +
      `aria-describedby="q${number}-said"${role}${must}>` +
      `<legend dir="auto">${escape(question.prompt)}${optional}</legend>` +
      `${inside}<p class="said" id="q${number}-said" dir="auto" hidden></p></fieldset>`
    );
  };

  const option = (type, name, value, shown, className = "option") =>
    `<label class="${className}"><input type="${type}" name="${escape(name)}" value="${escape(value)}">` +
    `<span dir="auto">${escape(shown)}</span></label>`;

  const drawn = {
    choice: (question) =>
      `<div class="options">${question.options.map(([value, shown]) => option("radio", question.name, value, shown)).join("")}</div>`,
    parts: (question) => {
      const short = question.options.every(([, shown]) => shown.length <= 24);
      const boxes = question.options.map(([value, shown]) => option("checkbox", question.name, value, shown));
      return `<div class="options${short ? " side-by-side" : ""}">${boxes.join("")}</div>`;
    },
    rating: (question, number, words) => {
      const [low, high] = question.ends || ["", ""];
      const meaning = (point) => (point === 1 ? low : point === question.points ? high : "");
      const points = Array.from({ length: question.points }, (_, at) => {
        const name = meaning(at + 1) ? ` aria-label="${escape(words("lowest", { point: at + 1, meaning: meaning(at + 1) }))}"` : "";
        return (
          `<label class="point"><input type="radio" name="${escape(question.name)}" value="${at + 1}"${name}>` +
          `<span>${at + 1}</span></label>`
        );
      });
      const end = (point) => `<span dir="auto">${escape(words("lowest", { point, meaning: meaning(point) }))}</span>`;
      const ends = low || high ? `<p class="ends" aria-hidden="true">${low ? end(1) : "<span></span>"}${high ? end(question.points) : ""}</p>` : "";
      return `<div class="points points-${question.points}">${points.join("")}</div>${ends}`;
    },
    text: (question, number) =>
      `<textarea name="${escape(question.name)}" rows="4" dir="auto" aria-labelledby="q${number}-label"></textarea>`,
    number: (question, number) =>
      `<input type="text" inputmode="decimal" maxlength="20" name="${escape(question.name)}" aria-labelledby="q${number}-label">`,
    agree: (question) => option("checkbox", question.name, "yes", question.prompt),
  };

  function html(questions, words) {
    return questions
      .map((question, number) => {
        const inside = drawn[question.kind](question, number, words);
        if (question.kind === "agree")
          return (
            `<div class="question agree" id="q${number}" data-name="${escape(question.name)}">${inside}` +
            `<p class="said" id="q${number}-said" dir="auto" hidden></p></div>`
          );
        return field(number, question, inside, words).replace("<legend ", `<legend id="q${number}-label" `);
      })
      .join("");
  }

  const inputs = (block) => [...block.querySelectorAll("input, textarea")];
  const block = (root, number) => root.querySelector(`#q${number}`);

  /** A typed number, with a comma or a point; NaN for what is none. */
  const typed = (text) => (/^[+-]?(\d+([.,]\d*)?|[.,]\d+)$/.test(text) ? Number(text.replace(",", ".")) : NaN);

  function response(question, fields) {
    const ticked = fields.filter((one) => one.checked).map((one) => one.value);
    switch (question.kind) {
      case "choice":
        return ticked.length ? ticked[0] : null;
      case "rating":
        return ticked.length ? Number(ticked[0]) : null;
      case "parts":
        return ticked;
      case "agree":
        return ticked.length ? true : null;
      case "number": {
        const text = fields[0].value.trim();
        return text === "" ? null : typed(text);
      }
      default:
        return fields[0].value;
    }
  }

  function problem(question, value, words) {
    if (value === null || value === "" || (question.kind === "text" && !value.trim()) || (Array.isArray(value) && !value.length)) {
      if (!question.required) return "";
      return words({ text: "write", number: "number", parts: "chooseOne", agree: "agree" }[question.kind] || "choose");
    }
    if (question.kind === "number" && !Number.isFinite(value)) return words("number");
    if (question.kind === "text" && value.length > LONGEST) return words("tooLong", { most: LONGEST });
    return "";
  }

  /** @returns {{responses: Object, problems: Object}} both by the name of the question. */
  function read(root, questions, words) {
    const responses = {};
    const problems = {};
    questions.forEach((question, number) => {
      const value = response(question, inputs(block(root, number)));
      responses[question.name] = value;
      const said = problem(question, value, words);
      if (said) problems[question.name] = said;
    });
    return { responses, problems };
  }

  /** Put answers back into the fields. */
  function restore(root, questions, responses) {
    questions.forEach((question, number) => {
      const value = responses[question.name];
      if (value === undefined || value === null) return;
      for (const one of inputs(block(root, number))) {
        if (one.type === "radio") one.checked = one.value === String(value);
        else if (one.type === "checkbox") one.checked = value === true || (Array.isArray(value) && value.includes(one.value));
        else one.value = String(value);
      }
    });
  }

  /** Say something below a question: `kind` is "problem", "right" or "wrong"; "" takes it away. */
  function say(root, questions, name, text, kind) {
    const number = questions.findIndex((question) => question.name === name);
    if (number < 0) return;
    const place = block(root, number);
    const said = place.querySelector(".said");
    said.textContent = text;
    said.hidden = !text;
    said.className = `said ${kind}`;
    place.classList.toggle("faulty", kind === "problem" || kind === "wrong");
    for (const one of inputs(place)) {
      if (kind === "problem" || kind === "wrong") one.setAttribute("aria-invalid", "true");
      else one.removeAttribute("aria-invalid");
      if (place.tagName === "DIV" || ["TEXTAREA"].includes(one.tagName) || one.type === "text") one.setAttribute("aria-describedby", said.id);
    }
  }

  const quiet = (root, questions) => questions.forEach((question) => say(root, questions, question.name, "", ""));

  function focusFirst(root, questions, names) {
    const number = questions.findIndex((question) => names.includes(question.name));
    if (number < 0) return;
    const fields = inputs(block(root, number));
    (fields.find((one) => one.checked) || fields[0]).focus();
  }

  /** Who ticks the answer that there is none unticks the parts, and the other way round. */
  function alone(ticked) {
    if (ticked.type !== "checkbox" || !ticked.checked || !ticked.closest(".question.parts")) return;
    for (const other of inputs(ticked.closest(".question.parts")))
      if (other !== ticked && (other.value === "none" || ticked.value === "none")) other.checked = false;
  }

  /** Let marks go as soon as their question is answered anew; `then` is called when none is left. */
  function forgive(root, questions, then) {
    root.querySelector("form")?.addEventListener("input", (event) => {
      const place = event.target.closest(".question.faulty");
      alone(event.target);
      if (!place) return;
      say(root, questions, place.dataset.name, "", "");
      if (!root.querySelector(".question.faulty")) then();
    });
  }

  const lock = (root) => root.querySelectorAll(".question input, .question textarea").forEach((one) => (one.disabled = true));

  const shown = (question, value) => (question.options || []).find(([one]) => one === value)?.[1] ?? value;

  window.saywhy = Object.assign(window.saywhy || {}, {
    escape,
    questions: { html, read, restore, say, quiet, forgive, focusFirst, lock, shown },
  });
})();
