// Small comforts of the shell. Pages work without them; nothing is ever kept in the browser's storage (SEC-51).
"use strict";

// An open menu closes when the person clicks elsewhere or presses Escape.
function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
}
document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeMenus(null); });

// A form that declares a question asks it before it is sent.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// A second click must not send a form twice; the button wakes up when the page is shown again. It is put to sleep only
// after the browser has read the form, which leaves out what a sleeping button says.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || !event.target.matches("form[data-once]")) return;
  const buttons = event.target.querySelectorAll("button[type=submit]");
  setTimeout(() => buttons.forEach((button) => (button.disabled = true)));
});
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("form[data-once] button[type=submit]")) button.disabled = false;
});

// A select or date that declares it filters at once.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// A calendar button only helps to find a full date; the text beside it stays what is typed, a year or a month as well.
function openCalendar(button) {
  const text = button.parentElement.querySelector("input[type=text]"), picker = button.querySelector("input[type=date]");
  picker.value = /^\d{4}-\d{2}-\d{2}$/.test(text.value) ? text.value : "";
  picker.onchange = () => {
    text.value = picker.value;
    text.dispatchEvent(new Event("input", { bubbles: true }));
    text.focus();
  };
  try { picker.showPicker(); } catch { text.focus(); }
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-calendar]");
  if (button) openCalendar(button);
});

// Show what is typed as a password, while the box is ticked.
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-reveals]")) return;
  for (const input of event.target.form.querySelectorAll("[data-secret]")) {
    input.type = event.target.checked ? "text" : "password";
  }
});
