// Tables that are filtered, sorted and paged in the browser. Texts enter the page as text nodes only.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const ROWS = { images: 100, classes: 25, flips: 25 }; // in the document at a time, so that thousands cost no more than these
  const COLUMNS = {
    images: [
      { name: "image", kind: "link" }, { name: "status", filter: "choice" }, { name: "class" }, { name: "seen as" },
      { name: "turned into" }, { name: "distance", kind: "number", filter: "most" },
      { name: "pixels needed" }, { name: "queries", kind: "number" },
      { name: "kinds of weather that turn it", kind: "number" }, { name: "survives PNG" }, { name: "survives JPEG" },
      { name: "remark" }, { name: "path" },
    ],
    classes: [
      { name: "class" }, { name: "images", kind: "number" }, { name: "wrong from the start", kind: "number" },
      { name: "not attacked", kind: "number" }, { name: "attacked", kind: "number" }, { name: "turned", kind: "number" },
      { name: "turned, %", kind: "number" }, { name: "95% interval" }, { name: "smallest distance", kind: "number" },
      { name: "median distance", kind: "number" },
    ],
    flips: [{ name: "class" }, { name: "turned into" }, { name: "images", kind: "number" }],
  };
  const collator = new Intl.Collator("en", { numeric: true });
  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const plain = (cell) => (Array.isArray(cell) ? cell[0] : cell);

  function build(host) {
    const name = host.dataset.table, noun = host.dataset.noun;
    // columns in which no row holds anything say nothing
    const used = COLUMNS[name].map((column, place) => ({ ...column, place }))
      .filter(({ place }) => data[name].some((row) => plain(row[place]) !== null && plain(row[place]) !== ""));
    const texts = data[name].map((row) => row.map(plain).join("\n").toLowerCase());
    const all = data[name].map((row, place) => place);
    const state = { text: "", choices: {}, most: {}, sort: null, down: false, page: 0 };
    const body = make("tbody"), status = make("p", { className: "soft" });
    status.setAttribute("role", "status");
    const previous = make("button", { type: "button", textContent: "Previous" });
    const next = make("button", { type: "button", textContent: "Next" });
    const size = ROWS[name];
    let shown = all;

    function filtered() {
      const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
      return all.filter((row) =>
        words.every((word) => texts[row].includes(word)) &&
        Object.entries(state.choices).every(([place, value]) => !value || data[name][row][place] === value) &&
        Object.entries(state.most).every(([place, value]) =>
          value === null || (data[name][row][place] !== null && data[name][row][place] <= value)));
    }
    function sorted(rows) {
      if (state.sort === null) return rows;
      const sign = state.down ? -1 : 1, value = (row) => plain(data[name][row][state.sort]);
      const empty = (one) => one === null || one === "";
      return [...rows].sort((first, second) => {
        const a = value(first), b = value(second);
        if (empty(a) || empty(b)) return empty(a) - empty(b) || first - second; // what is empty comes last either way
        return sign * (typeof a === "number" ? a - b : collator.compare(a, b)) || first - second;
      });
    }
    function draw() {
      const last = Math.max(0, Math.ceil(shown.length / size) - 1);
      state.page = Math.min(state.page, last);
      const from = state.page * size, rows = shown.slice(from, from + size);
      body.replaceChildren(...rows.map((row) => make("tr", {}, ...used.map((column, first) => {
        const cell = data[name][row][column.place];
        const element = make(first ? "td" : "th", column.kind === "number" ? { className: "number" } : {});
        if (!first) element.scope = "row";
        if (Array.isArray(cell)) element.append(make("a", { href: `#${cell[1]}` }, make("bdi", { textContent: cell[0] })));
        else if (cell !== null && cell !== "") element.append(typeof cell === "number" ? cell.toLocaleString("en") : make("bdi", { textContent: cell }));
        return element;
      }))));
      status.textContent = shown.length
        ? `${(from + 1).toLocaleString("en")} to ${(from + rows.length).toLocaleString("en")} of ${shown.length.toLocaleString("en")} ${noun}` +
          (shown.length < all.length ? `, chosen from ${all.length.toLocaleString("en")}` : "")
        : `None of the ${all.length.toLocaleString("en")} ${noun}.`;
      previous.disabled = state.page === 0;
      next.disabled = state.page >= last;
    }
    function update() { state.page = 0; shown = sorted(filtered()); draw(); }

    const filters = make("div", { className: "filters" });
    const search = make("input", { type: "search", autocomplete: "off" });
    search.addEventListener("input", () => { state.text = search.value; update(); });
    filters.append(make("label", {}, `Find ${noun} with`, search));
    for (const column of used) {
      if (column.filter === "choice") {
        const values = [...new Set(data[name].map((row) => row[column.place]))];
        const select = make("select", {}, make("option", { value: "", textContent: "any" }), ...values.map((value) => make("option", { value, textContent: value })));
        select.addEventListener("change", () => { state.choices[column.place] = select.value; update(); });
        filters.append(make("label", {}, column.name[0].toUpperCase() + column.name.slice(1), select));
      } else if (column.filter === "most") {
        const input = make("input", { type: "number", min: "0", step: "any" });
        input.addEventListener("input", () => { state.most[column.place] = input.value === "" ? null : Number(input.value); update(); });
        filters.append(make("label", {}, `${column.name[0].toUpperCase() + column.name.slice(1)} at most`, input));
      }
    }
    const heads = used.map((column) => {
      const button = make("button", { type: "button", textContent: column.name });
      const head = make("th", { scope: "col", className: column.kind === "number" ? "number" : "" }, button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        state.down = state.sort === column.place && !state.down;
        state.sort = column.place;
        for (const other of heads) other.setAttribute("aria-sort", "none");
        head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
        update();
      });
      return head;
    });
    const caption = make("caption", { id: `${name}-caption`, textContent: host.dataset.caption });
    const scroll = make("div", { className: "scroll", tabIndex: 0 }, make("table", {}, caption, make("thead", {}, make("tr", {}, ...heads)), body));
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-labelledby", caption.id);
    previous.addEventListener("click", () => { state.page -= 1; draw(); });
    next.addEventListener("click", () => { state.page += 1; draw(); });
    previous.setAttribute("aria-label", `Previous ${noun}`);
    next.setAttribute("aria-label", `Next ${noun}`);
    host.append(filters, make("div", { className: "pager" }, previous, next, status), scroll);
    draw();
  }
  for (const host of document.querySelectorAll("[data-table]")) build(host);
  // on paper everything is open
  addEventListener("beforeprint", () => { for (const one of document.querySelectorAll("details")) one.open = true; });
})();
