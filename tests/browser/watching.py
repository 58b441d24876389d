"""What every page must satisfy that a browser shows, noted while a test clicks through them.

A script that Playwright puts into each page, before any of ours, reports the page when it is loaded and when it is left.
So no page escapes by not being asked about.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Page

from tests.test_translations import ALLOWED, NAMES

TYPED = {
    "misread",
    "scale",
    "read",
    "again",
    "coat",
    "without",
    "with",
}  # reasons that other tests typed into the same trial
DEVICES = {"chrome", "chromium", "linux"}
PEOPLE = {"stella", "nina", "laptop", "tablet"}  # whom these tests create, beside those of the clinic
WORD = re.compile(r"(?<![\w./:-])[A-Za-z]{4,}(?![\w./:@-])")

REPORT = """
(() => {
  const SILENT = "script, style, template, code, .mono, [lang=en], option[lang]";
  function shown() {
    const texts = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) if (!walker.currentNode.parentElement.closest(SILENT)) texts.push(walker.currentNode.data);
    for (const each of document.querySelectorAll("[placeholder], [title], [aria-label]"))
      if (!each.closest(SILENT)) texts.push(each.placeholder || "", each.title, each.ariaLabel || "");
    return texts.join(" \\n ");
  }
  const report = () => window.seenByTheTest({
    address: location.pathname, language: document.documentElement.lang, text: shown(),
    stored: [...Object.keys(localStorage), ...Object.keys(sessionStorage)],
  });
  document.addEventListener("securitypolicyviolation",
    (event) => console.error(`CSP: ${event.violatedDirective} refused ${event.blockedURI}`));
  window.addEventListener("load", report);
  window.addEventListener("pagehide", report);
})();
"""


@dataclass
class Watch:
    """The pages that a browser's tabs showed, and what was wrong with them."""

    expected: list[str] = field(default_factory=list)  # beginnings of errors that a test provokes
    pages: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Watch every page of a browser context."""
        context.expose_binding("seenByTheTest", self._seen)
        context.add_init_script(REPORT)
        context.on("page", self._follow)

    def _follow(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("console", lambda message: self._said(page.url, message))

    def _said(self, address: str, message: ConsoleMessage) -> None:
        wanted = any(message.text.startswith(beginning) for beginning in self.expected)
        if message.type in ("error", "warning") and not wanted:
            self.faults.append(f"{address}: console: {message.text}")

    def _seen(self, _source: Any, page: dict[str, Any]) -> None:
        self.pages.append(page["address"])
        if page["stored"]:
            self.faults.append(f"{page['address']}: keeps {page['stored']} in the browser's storage")
        if page["language"] == "zh-CN":
            english = {word.lower() for word in WORD.findall(page["text"])} - ALLOWED - NAMES - DEVICES - PEOPLE - TYPED
            if english:
                self.faults.append(f"{page['address']}: English on a Chinese page: {sorted(english)}")
