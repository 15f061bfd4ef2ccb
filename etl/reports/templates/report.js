"use strict";
(function () {
  var root = document.documentElement;
  var PAGE = 100;
  var PLAIN_NUMBER = /^[+-]?[0-9]+(?:[.,][0-9]+)?$/;
  root.classList.add("js");

  // A browser may keep nothing of a file that was opened from a disk: then the choice holds until the page is left.
  function kept(value) {
    try {
      if (value === undefined) { return window.localStorage.getItem("etl-report-theme"); }
      window.localStorage.setItem("etl-report-theme", value);
    } catch (error) { /* nothing is kept */ }
    return null;
  }

  var chosen = kept();
  if (chosen === "light" || chosen === "dark") { root.dataset.theme = chosen; }

  function setUpTheme() {
    var button = document.getElementById("theme");
    var system = window.matchMedia("(prefers-color-scheme: dark)");
    function isDark() { return root.dataset.theme ? root.dataset.theme === "dark" : system.matches; }
    function show() { button.setAttribute("aria-pressed", String(isDark())); }
    button.addEventListener("click", function () {
      root.dataset.theme = isDark() ? "light" : "dark";
      kept(root.dataset.theme);
      show();
    });
    system.addEventListener("change", show);
    show();
  }

  function copyBySelection(code) {
    var selection = window.getSelection();
    selection.removeAllRanges();
    var range = document.createRange();
    range.selectNodeContents(code);
    selection.addRange(range);
    var done = document.execCommand("copy");
    selection.removeAllRanges();
    return done;
  }

  function setUpCopying() {
    var said = document.getElementById("said");
    document.querySelectorAll("[data-copy]").forEach(function (button) {
      var timer;
      function told(text) {
        button.textContent = text;
        said.textContent = text;
        window.clearTimeout(timer);
        timer = window.setTimeout(function () { button.textContent = "Copy"; said.textContent = ""; }, 2000);
      }
      button.addEventListener("click", function () {
        var code = button.previousElementSibling;
        function bySelection() { told(copyBySelection(code) ? "Copied" : "Select it"); }
        if (navigator.clipboard && window.isSecureContext) {
          navigator.clipboard.writeText(code.textContent).then(function () { told("Copied"); }, bySelection);
        } else {
          bySelection();
        }
      });
    });
  }

  function element(name, className, text) {
    var made = document.createElement(name);
    if (className) { made.className = className; }
    if (text !== undefined) { made.textContent = text; }
    return made;
  }

  function icon(name) {
    var space = "http://www.w3.org/2000/svg";
    var svg = document.createElementNS(space, "svg");
    var use = document.createElementNS(space, "use");
    [["class", "icon"], ["width", "16"], ["height", "16"], ["aria-hidden", "true"]].forEach(function (pair) {
      svg.setAttribute(pair[0], pair[1]);
    });
    use.setAttribute("href", "#i-" + name);
    svg.appendChild(use);
    return svg;
  }

  function setUpTable() {
    var holder = document.getElementById("lines");
    if (!holder) { return; }
    var held = JSON.parse(holder.textContent);
    var lines = held.rows.map(function (one, place) {
      return {
        at: place, row: one[0], place: held.places[one[1]], cell: one[2], column: held.columns[one[3]],
        field: held.fields[one[4]], rank: one[5], kind: held.kinds[one[5]], code: held.codes[one[6]],
        value: one[7], message: one[8], hint: held.hints[one[9]], text: ""
      };
    });
    var table = document.getElementById("table");
    var body = document.getElementById("body");
    var search = document.getElementById("search");
    var status = document.getElementById("status");
    var none = document.getElementById("none");
    var pager = document.getElementById("pager");
    var filters = ["kind", "code", "field"];
    var compareTexts = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" }).compare;
    var sort = { by: "row", down: false };
    var matching = lines;
    var page = 0;

    function many(count, noun) { return count.toLocaleString("en") + " " + noun + (count === 1 ? "" : "s"); }

    function textOf(line) {
      if (!line.text) {
        line.text = [line.row, line.place, line.cell, line.column, line.field, line.kind, line.code, line.value,
          line.message].join("\n").toLocaleLowerCase();
      }
      return line.text;
    }

    function numberOf(text) { return PLAIN_NUMBER.test(text) ? Number(text.replace(",", ".")) : NaN; }

    function compareValues(one, other) {
      var a = numberOf(one.value), b = numberOf(other.value);
      if (a === a && b === b) { return a - b; }
      if (a === a || b === b) { return a === a ? -1 : 1; }
      return compareTexts(one.value, other.value);
    }

    var orders = {
      // The lines stand in the order of the rows, table by table.
      row: function (one, other) { return one.at - other.at; },
      kind: function (one, other) { return one.rank - other.rank || compareTexts(one.code, other.code); },
      value: compareValues
    };
    ["column", "field", "message"].forEach(function (name) {
      orders[name] = function (one, other) { return compareTexts(one[name], other[name]); };
    });

    function choose() {
      var words = search.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
      var wanted = filters.map(function (name) { return document.getElementById(name).value; });
      matching = lines.filter(function (line) {
        return filters.every(function (name, at) { return !wanted[at] || "=" + line[name] === wanted[at]; }) &&
          words.every(function (word) { return textOf(line).indexOf(word) >= 0; });
      });
      var order = orders[sort.by], sign = sort.down ? -1 : 1;
      matching.sort(function (one, other) { return sign * order(one, other) || one.at - other.at; });
      page = 0;
      show();
    }

    function cell(row, name, children) {
      var made = element("td", "c-" + name);
      made.setAttribute("role", "cell");
      children.forEach(function (child) { if (child) { made.append(child); } });
      row.appendChild(made);
      return made;
    }

    function rowOf(line) {
      var row = element("tr");
      row.setAttribute("role", "row");
      cell(row, "row", [
        element("span", "number", line.row.toLocaleString("en")),
        line.cell && element("span", "sub", line.cell), line.place && element("span", "sub", line.place)
      ]);
      cell(row, "column", [line.column]).dir = "auto";
      cell(row, "field", [line.field]);
      var kind = element("span", "kind " + line.kind);
      kind.append(icon(line.kind), line.kind);
      cell(row, "kind", [kind, element("span", "sub code", line.code)]);
      cell(row, "value", [line.value]).dir = "auto";
      var message = element("span", "", line.message);
      message.dir = "auto";
      cell(row, "message", [message, line.hint && element("span", "sub", line.hint)]);
      return row;
    }

    function show() {
      var pages = Math.max(1, Math.ceil(matching.length / PAGE));
      page = Math.min(Math.max(page, 0), pages - 1);
      var first = page * PAGE;
      var shown = matching.slice(first, first + PAGE);
      var made = document.createDocumentFragment();
      shown.forEach(function (line) { made.appendChild(rowOf(line)); });
      body.replaceChildren(made);
      table.hidden = !matching.length;
      none.hidden = matching.length > 0;
      pager.hidden = pages === 1;
      document.getElementById("page").textContent = "Page " + (page + 1) + " of " + pages;
      pager.querySelectorAll("button").forEach(function (button) {
        var forward = button.dataset.page === "next" || button.dataset.page === "last";
        button.disabled = forward ? page === pages - 1 : page === 0;
      });
      var told = matching.length === lines.length ? many(lines.length, "line")
        : matching.length.toLocaleString("en") + " of " + many(lines.length, "line");
      if (pages > 1) {
        told += ", " + (first + 1).toLocaleString("en") + " to " + (first + shown.length).toLocaleString("en") + " shown";
      }
      status.textContent = told;
    }

    function fill(name, label) {
      var counts = new Map();
      lines.forEach(function (line) { counts.set(line[name], (counts.get(line[name]) || 0) + 1); });
      var select = document.getElementById(name);
      Array.from(counts).sort(function (one, other) { return other[1] - one[1]; }).forEach(function (pair) {
        var option = element("option", "", label(pair[0]) + " (" + pair[1].toLocaleString("en") + ")");
        option.value = "=" + pair[0];
        select.appendChild(option);
      });
      select.addEventListener("change", choose);
    }

    fill("kind", String);
    fill("code", function (code) { return held.titles[code] ? code + ": " + held.titles[code] : code || "no code"; });
    fill("field", function (field) { return field || "the whole row"; });

    var timer;
    search.addEventListener("input", function () {
      window.clearTimeout(timer);
      timer = window.setTimeout(choose, 120);
    });
    document.getElementById("controls").addEventListener("submit", function (event) {
      event.preventDefault();
      choose();
    });
    document.getElementById("clear").addEventListener("click", function () {
      document.getElementById("controls").reset();
      choose();
      search.focus();
    });
    table.querySelectorAll("th[data-sort]").forEach(function (head) {
      head.querySelector("button").addEventListener("click", function () {
        sort = { by: head.dataset.sort, down: sort.by === head.dataset.sort && !sort.down };
        table.querySelectorAll("th[data-sort]").forEach(function (one) { one.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
        choose();
      });
    });
    pager.addEventListener("click", function (event) {
      var where = event.target.dataset.page;
      if (!where) { return; }
      page = { first: 0, previous: page - 1, next: page + 1, last: Infinity }[where];
      show();
      table.scrollIntoView({ block: "start" });
      if (event.target.disabled) { pager.querySelector("button:enabled").focus(); }
    });
    document.querySelectorAll("[data-code]").forEach(function (button) {
      var isThere = lines.some(function (line) {
        return line.code === button.dataset.code && line.field === button.dataset.field;
      });
      if (!isThere) { button.parentElement.remove(); return; }
      button.addEventListener("click", function () {
        document.getElementById("controls").reset();
        document.getElementById("code").value = "=" + button.dataset.code;
        document.getElementById("field").value = "=" + button.dataset.field;
        choose();
        document.getElementById("issues").scrollIntoView();
        search.focus({ preventScroll: true });
      });
    });
    show();
  }

  document.addEventListener("DOMContentLoaded", function () {
    setUpTheme();
    setUpCopying();
    setUpTable();
  });
})();
