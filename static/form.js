// The form page: live checks, drafts, rows, keyboard and signing in again. The server judges; this only shows the
// verdict without moving the cursor. The page works without it, and nothing is kept in the browser's storage.
"use strict";

(() => {
  const form = document.getElementById("crf");
  if (!form || form.dataset.readonly) return;
  const words = JSON.parse(document.getElementById("crf-words").textContent);
  const CHECK_AFTER = 350, DRAFT_AFTER = 4000;
  let dirty = form.dataset.restored === "yes", leaving = false, running = null, checkTimer = null, draftTimer = null;

  const at = (path) => form.querySelector(`[data-path="${CSS.escape(path)}"]`);
  const controls = () => [...form.querySelectorAll("input, select, textarea, button[type=submit]")]
    .filter((each) => !each.disabled && each.type !== "hidden" && each.tabIndex >= 0 && each.offsetParent !== null
      && !each.closest("details:not([open])"));

  // ---- talking to the server ----
  function body(extra) {
    const data = new FormData(form);
    for (const input of form.querySelectorAll("input[type=file]")) {
      data.delete(input.name);
      if (input.dataset.sha) data.append(input.name, input.dataset.sha);
      else if (input.dataset.kept) data.append(input.name, input.dataset.kept);
    }
    for (const [name, value] of Object.entries(extra || {})) data.append(name, value);
    return data;
  }

  async function post(address, extra, signal) {
    const sent = () => fetch(address, { method: "POST", body: body(extra), signal, redirect: "manual",
      headers: { "X-Requested-With": "fetch", Accept: "application/json, text/html" } });
    let answer = await sent();
    if (answer.type === "opaqueredirect" || answer.status === 401 || (answer.status === 400 && await isLost())) {
      await signInAgain();
      answer = await sent();
    }
    return answer;
  }

  // A refused token may only mean that the session ended.
  async function isLost() {
    const answer = await fetch(form.dataset.address, { redirect: "manual", headers: { "X-Requested-With": "fetch" } });
    return answer.type === "opaqueredirect" || answer.status === 401;
  }

  // ---- the live check ----
  function schedule() {
    clearTimeout(checkTimer);
    checkTimer = setTimeout(check, CHECK_AFTER);
    if (!draftTimer) draftTimer = setTimeout(keepDraft, DRAFT_AFTER);
  }

  async function check() {
    if (running) running.abort();
    const mine = running = new AbortController();
    try {
      const answer = await post(form.dataset.check, {}, mine.signal);
      if (answer.ok && mine === running) show(await answer.json());
    } catch (error) { if (error.name !== "AbortError") setNote(words.offline); }
  }

  function show(verdict) {
    for (const [paths, hide] of [[verdict.hidden, true], [verdict.shown, false]]) {
      for (const path of paths) {
        const element = at(path);
        if (element && !(hide && element.contains(document.activeElement))) setHidden(element, hide);
      }
    }
    for (const section of form.querySelectorAll("[data-group]")) {
      const items = [...section.querySelectorAll("[data-path]")];
      for (const row of section.querySelectorAll("[data-row]")) {
        const own = [...row.querySelectorAll("[data-path]")];
        if (own.length) row.hidden = own.every((each) => each.dataset.off);
      }
      if (items.length && !section.dataset.always) section.hidden = items.every((each) => each.dataset.off);
    }
    for (const [path, text] of Object.entries(verdict.derived)) {
      const output = form.querySelector(`output[data-derived="${CSS.escape(path)}"]`);
      if (output && output.textContent !== text) output.textContent = text;
    }
    showFindings(verdict);
    for (const element of form.querySelectorAll(".is-changed")) element.classList.remove("is-changed");
    for (const path of verdict.corrected) at(path)?.classList.add("is-changed");
    const reason = document.getElementById("reason-box");
    if (reason && reason.dataset.always !== "yes") reason.hidden = !verdict.corrected.length;
    if (verdict.redraw.length) redraw(verdict.redraw);
  }

  function setHidden(element, hide) {
    if (hide) element.dataset.off = "yes"; else delete element.dataset.off;
    if (element.matches("td")) element.querySelector(".cell").hidden = hide; else element.hidden = hide;
  }

  function showFindings(verdict) {
    const typed = {};
    for (const input of form.querySelectorAll("input[name^='_override/']")) typed[input.name] = input;
    const wanted = new Map();
    for (const finding of verdict.findings) {
      const place = finding.paths.find((path) => form.querySelector(`[data-says="${CSS.escape(path)}"]`)) || "";
      wanted.set(place, [...(wanted.get(place) || []), finding]);
    }
    for (const says of form.querySelectorAll("[data-says]")) {
      const here = wanted.get(says.dataset.says) || [];
      const key = JSON.stringify(here.map((each) => [each.check, each.severity, each.text]));
      if (says.dataset.key === key || (!here.length && !says.children.length)) continue;
      says.dataset.key = key;
      if (says.contains(document.activeElement) && document.activeElement.name in typed && here.some((each) => `_override/${each.check}` === document.activeElement.name)) continue;
      says.replaceChildren(...here.map((each) => sayElement(each, typed)));
    }
    const tones = ["hard", "protected", "soft"];
    for (const element of form.querySelectorAll("[data-path]")) element.classList.remove("is-wanted", ...tones.map((tone) => `has-${tone}`));
    for (const finding of verdict.findings) {
      const tone = finding.severity === "cross" ? "soft" : finding.severity;
      if (tones.includes(tone)) for (const path of finding.paths) at(path)?.classList.add(`has-${tone}`);
    }
    for (const path of verdict.missing_required) at(path)?.classList.add("is-wanted");
    showCounts(verdict);
  }

  function sayElement(finding, typed) {
    const element = document.getElementById(`say-${finding.severity}`).content.firstElementChild.cloneNode(true);
    element.querySelector("[data-text]").textContent = finding.text;
    const box = element.querySelector("input");
    if (box) {
      box.name = `_override/${finding.check}`;
      box.value = typed[box.name]?.value || finding.override || "";
    }
    return element;
  }

  function showCounts(verdict) {
    const counts = { hard: 0, protected: 0, soft: 0, open: verdict.missing_required.length };
    for (const finding of verdict.findings) {
      const tone = finding.severity === "cross" ? "soft" : finding.severity;
      if (tone in counts) counts[tone] += 1;
    }
    for (const [name, count] of Object.entries(counts)) {
      const chip = document.getElementById(`count-${name}`);
      if (chip) { chip.hidden = !count; chip.querySelector("[data-count]").textContent = count; }
    }
  }

  // ---- drafts ----
  async function keepDraft() {
    clearTimeout(draftTimer);
    draftTimer = null;
    if (!dirty || leaving) return true;
    try {
      const answer = await post(form.dataset.draft);
      if (answer.ok) setNote(words.kept.replace("{time}", new Date().toTimeString().slice(0, 5)));
      return answer.ok;
    } catch { setNote(words.offline); return false; }
  }

  function setNote(text) { document.getElementById("draft-note").textContent = text; }

  function markDirty() {
    dirty = true;
    document.getElementById("savebar").classList.add("is-dirty");
    schedule();
  }

  // ---- rows ----
  async function redraw(groups, extra) {
    const answer = await post(form.dataset.address, extra || { _redraw: "1" });
    if (!answer.ok) return false;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const group of groups) {
      const fresh = page.getElementById(`g-${group}`), old = document.getElementById(`g-${group}`);
      if (fresh && old && !old.contains(document.activeElement)) old.replaceWith(document.importNode(fresh, true));
      else if (fresh && old) old.querySelector("[data-rows]").replaceWith(document.importNode(fresh.querySelector("[data-rows]"), true));
    }
    return true;
  }

  async function addRow(button) {
    const group = button.value;
    button.blur();
    if (!await redraw([group], { _add: group })) return;
    const rows = document.getElementById(`g-${group}`).querySelectorAll("[data-row]");
    rows[rows.length - 1]?.querySelector("input:not([type=hidden]), select, textarea")?.focus();
    markDirty();
  }

  // ---- answers and the reason for their absence ----
  function setMissing(select) {
    const holder = select.closest("[data-path]");
    const given = select.value !== "";
    holder.classList.toggle("is-missing", given);
    holder.querySelector(".why-text").textContent = given ? select.selectedOptions[0].textContent : "";
    if (given) {
      select.closest("details").open = false;
      for (const input of holder.querySelectorAll(".q-control input, .q-control select, .q-control textarea, .cell-control input, .cell-control select")) {
        if (input.type === "radio" || input.type === "checkbox") input.checked = false;
        else if (input.type !== "file" && !input.name.endsWith("~missing")) input.value = "";
      }
    }
  }

  form.addEventListener("click", (event) => {
    const undo = event.target.closest("[data-answer]");
    if (undo) {
      const holder = undo.closest("[data-path]"), select = holder.querySelector("select[name$='~missing']");
      select.value = "";
      setMissing(select);
      holder.querySelector("input:not([type=hidden]), select:not([name$='~missing']), textarea")?.focus();
      markDirty();
    }
    const mine = event.target.closest("[data-take]");
    if (mine) takeTheirs(mine);
    const add = event.target.closest("button[name=_add]");
    if (add) { event.preventDefault(); addRow(add); }
  });

  form.addEventListener("toggle", (event) => {
    if (!event.target.matches?.("details.missing")) return;
    if (!event.target.open) return;
    if (event.target.dataset.lazy) fillWhy(event.target);
    for (const other of form.querySelectorAll("details.missing[open]")) if (other !== event.target) other.open = false;
    event.target.querySelector("select").focus();
  }, true);

  // Long forms bring the list of reasons once, not a thousand times.
  function fillWhy(details) {
    const panel = document.getElementById("why-panel").content.cloneNode(true);
    panel.querySelector("select").name = `${details.dataset.lazy}~missing`;
    panel.querySelector("select").setAttribute("aria-label", panel.querySelector("label").textContent);
    delete details.dataset.lazy;
    details.append(panel);
  }

  function takeTheirs(button) {
    const values = JSON.parse(button.dataset.values), path = button.dataset.take;
    for (const input of form.querySelectorAll(`[name="${CSS.escape(path)}"]`)) {
      if (input.type === "radio" || input.type === "checkbox") input.checked = values.includes(input.value);
      else if (input.type !== "file") input.value = values[0] || "";
    }
    const missing = form.querySelector(`[name="${CSS.escape(path)}~missing"]`);
    if (missing) { missing.value = button.dataset.missing; setMissing(missing); }
    button.closest("tr").querySelector(".theirs").classList.add("picked");
    markDirty();
  }

  // ---- what she types ----
  form.addEventListener("input", (event) => {
    const field = event.target;
    if (field.closest(".terms") && field.dataset.dictionary) searchTerms(field);
    markDirty();
  });
  form.addEventListener("change", async (event) => {
    const field = event.target;
    if (field.name?.endsWith("~missing")) setMissing(field);
    if (field.type === "file") {
      delete field.dataset.sha;
      if (field.files[0] && window.crypto?.subtle) {
        const hash = await crypto.subtle.digest("SHA-256", await field.files[0].arrayBuffer());
        field.dataset.sha = [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      }
    }
    markDirty();
  });

  form.addEventListener("keydown", (event) => {
    const field = event.target;
    if (event.key === "Enter" && field.matches("input:not([type=submit])") && !event.isComposing) {
      event.preventDefault();
      if (field.closest(".terms")?.querySelector("ul:not([hidden])")) return pickTerm(field);
      const all = controls().filter((each) => each === field || each.type !== "radio" || each.name !== field.name);
      all[all.indexOf(field) + 1]?.focus();
    } else if (field.type === "radio" && /^[1-9]$/.test(event.key)) {
      const option = form.querySelectorAll(`input[type=radio][name="${CSS.escape(field.name)}"]:not([value=""])`)[Number(event.key) - 1];
      if (option) { option.click(); option.focus(); }
    } else if (field.type === "radio" && (event.key === "Delete" || event.key === "Backspace")) {
      event.preventDefault();
      form.querySelector(`input[type=radio][name="${CSS.escape(field.name)}"][value=""]`)?.click();
    } else if (field.dataset.dictionary) moveTerm(event);
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
      event.preventDefault();
      form.requestSubmit(form.querySelector("button[data-save]"));
    }
  });

  // ---- terms of a dictionary ----
  let termTimer = null;
  function searchTerms(field) {
    clearTimeout(termTimer);
    const list = field.parentElement.querySelector("ul");
    termTimer = setTimeout(async () => {
      const address = `${form.dataset.terms}?dictionary=${encodeURIComponent(field.dataset.dictionary)}&q=${encodeURIComponent(field.value)}`;
      const answer = await fetch(address, { headers: { "X-Requested-With": "fetch" } });
      if (!answer.ok || !field.value) { list.hidden = true; return; }
      list.replaceChildren(...(await answer.json()).map((term, index) => {
        const line = document.createElement("li"), code = document.createElement("span");
        line.setAttribute("role", "option");
        line.setAttribute("aria-selected", index === 0);
        line.dataset.code = term.code;
        line.append(term.label, code);
        code.textContent = term.code;
        line.addEventListener("mousedown", (event) => { event.preventDefault(); takeTerm(field, line); });
        return line;
      }));
      list.hidden = !list.children.length;
    }, 150);
  }
  function moveTerm(event) {
    const list = event.target.parentElement.querySelector("ul");
    if (event.key === "Escape") list.hidden = true;
    if (list.hidden || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
    event.preventDefault();
    const lines = [...list.children], now = lines.findIndex((each) => each.getAttribute("aria-selected") === "true");
    const next = Math.min(lines.length - 1, Math.max(0, now + (event.key === "ArrowDown" ? 1 : -1)));
    lines.forEach((each, index) => each.setAttribute("aria-selected", index === next));
    lines[next].scrollIntoView({ block: "nearest" });
  }
  function pickTerm(field) {
    const line = field.parentElement.querySelector("li[aria-selected=true]");
    if (line) takeTerm(field, line);
  }
  function takeTerm(field, line) {
    field.value = line.dataset.code;
    field.closest("[data-path]").querySelector(".term-name").textContent = line.firstChild.textContent;
    field.parentElement.querySelector("ul").hidden = true;
    markDirty();
  }
  form.addEventListener("focusout", (event) => {
    const list = event.target.closest?.(".terms")?.querySelector("ul");
    if (list) setTimeout(() => { list.hidden = true; }, 150);
  });

  // ---- saving: first make sure that the session still holds, so that nothing typed is lost ----
  form.addEventListener("submit", async (event) => {
    if (leaving || event.submitter?.name === "_add") return;
    event.preventDefault();
    const button = event.submitter;
    leaving = true;
    clearTimeout(checkTimer);
    try {
      const answer = await post(form.dataset.draft);
      if (!answer.ok && answer.status >= 500) throw new Error("draft");
    } catch { leaving = false; setNote(words.offline); return; }
    form.requestSubmit(button);
  });
  window.addEventListener("beforeunload", (event) => { if (dirty && !leaving) event.preventDefault(); });
  window.addEventListener("pageshow", () => { leaving = false; });

  // ---- signing in again on the same page ----
  let asking = null;
  function signInAgain() {
    if (!asking) asking = askAgain().finally(() => { asking = null; });
    return asking;
  }
  function askAgain() {
    const dialog = document.getElementById("again"), inner = dialog.querySelector("form");
    dialog.showModal();
    inner.querySelector("[name=password]").focus();
    return new Promise((resolve) => {
      inner.onsubmit = async (event) => {
        event.preventDefault();
        const said = inner.querySelector("[data-said]");
        said.textContent = "";
        const token = readToken(await (await fetch(form.dataset.signin)).text());
        const data = new FormData(inner);
        data.set("csrf_token", token);
        await fetch(form.dataset.signin, { method: "POST", body: data });
        const page = await fetch(form.dataset.address, { redirect: "manual", headers: { "X-Requested-With": "fetch" } });
        inner.querySelector("[name=password]").value = "";
        if (!page.ok) { said.textContent = words.refused; return; }
        const fresh = readToken(await page.text());
        for (const input of document.querySelectorAll("input[name=csrf_token]")) input.value = fresh;
        dialog.close();
        resolve();
      };
    });
  }
  function readToken(text) {
    const page = new DOMParser().parseFromString(text, "text/html");
    return page.querySelector("input[name=csrf_token]")?.value || "";
  }

  if (dirty) markDirty();
  const wrong = form.querySelector(".has-hard, .is-error");
  const answers = ".q-control input, .q-control select, .q-control textarea, .cell-control input, .cell-control select";
  const first = [...(wrong || form).querySelectorAll(answers)].find((each) => each.offsetParent !== null);
  if (wrong) { wrong.scrollIntoView({ block: "center" }); first?.focus({ preventScroll: true }); } else if (form.dataset.fresh) first?.focus({ preventScroll: true });
})();
