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

// A second click must not send a form twice; the button wakes up when the page is shown again.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || !event.target.matches("form[data-once]")) return;
  for (const button of event.target.querySelectorAll("button[type=submit]")) button.disabled = true;
});
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("form[data-once] button[type=submit]")) button.disabled = false;
});

// A select or date that declares it filters at once.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// Show what is typed as a password, while the box is ticked.
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-reveals]")) return;
  for (const input of event.target.form.querySelectorAll("[data-secret]")) {
    input.type = event.target.checked ? "text" : "password";
  }
});
