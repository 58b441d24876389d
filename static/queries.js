// The keyboard in the list of queries and in a conversation. The pages work without it.
"use strict";

(() => {
  const typing = () => document.activeElement && document.activeElement.matches("input:not([type=checkbox]):not([type=radio]), textarea, select");
  const rows = [...document.querySelectorAll("#queries tbody tr")];
  let here = -1;
  document.querySelector(".is-asked")?.scrollIntoView({ block: "center" });

  function go(step) {
    if (!rows.length) return;
    if (here >= 0) rows[here].classList.remove("is-here");
    here = Math.min(Math.max(here + step, 0), rows.length - 1);
    rows[here].classList.add("is-here");
    rows[here].scrollIntoView({ block: "nearest" });
  }

  function tick(row) {
    const box = row && row.querySelector("input[name=query]:not(:disabled)");
    if (box) { box.checked = !box.checked; count(); }
  }

  function count() {
    const note = document.getElementById("ticked");
    const ticked = document.querySelectorAll("input[name=query]:checked").length;
    if (note) note.textContent = ticked ? note.dataset.words.replace("{count}", ticked) : "";
  }

  document.addEventListener("keydown", (event) => {
    const talk = document.querySelector("[data-talk]");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && talk && talk.contains(document.activeElement)) {
      event.preventDefault();
      const first = talk.querySelector("[data-first]");
      if (first) talk.requestSubmit(first);
      return;
    }
    if (event.key === "Escape" && typing()) { document.activeElement.blur(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || typing()) return;
    const key = event.key.toLowerCase(), row = rows[here];
    const link = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (link) { event.preventDefault(); link.click(); return; }
    if (key === "r" && talk) { event.preventDefault(); document.getElementById("talk-text").focus(); return; }
    if (!rows.length) return;
    if (key === "j") go(1);
    else if (key === "k") go(-1);
    else if (key === "x") tick(row);
    else if (key === "enter" && row && document.activeElement === document.body) location.href = row.dataset.href;
    else if (key === "o" && row) location.href = row.dataset.form || row.dataset.href;
    else return;
    event.preventDefault();
  });

  document.addEventListener("change", (event) => {
    if (event.target.id === "tick-all") {
      for (const box of document.querySelectorAll("input[name=query]:not(:disabled)")) box.checked = event.target.checked;
    }
    count();
  });
})();
