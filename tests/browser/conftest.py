"""A clinic that answers on a port, a browser, and people who sign in with it."""

import os
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from werkzeug.serving import make_server

from tests import chromium
from tests.chromium import LAPTOP
from tests.clinic import PASSWORD, Clinic, clinic

if TYPE_CHECKING:  # playwright need not be installed where these tests are skipped
    from playwright.sync_api import Browser, BrowserContext, Page

    from tests.browser.watching import Watch

__all__ = ["clinic"]
SignIn = Callable[..., "Page"]


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Chromium; where there is none the test is skipped, in CI it fails."""
    reason = chromium.why_not()
    if reason:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"Chromium is missing: {reason}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        launched = started.chromium.launch(executable_path=chromium.EXECUTABLE, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def server(clinic: Clinic) -> Iterator[str]:
    """The address of the clinic's application."""
    made = make_server("127.0.0.1", 0, clinic.app, threaded=True)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{made.port}"
    made.shutdown()
    thread.join()


@pytest.fixture
def watch(browser: "Browser") -> "Iterator[Watch]":
    """Notes what is wrong with any page; at the end of the test there must be nothing."""
    from tests.browser.watching import Watch

    noted = Watch()
    yield noted
    assert noted.pages, "no page was watched"
    assert noted.faults == []


@pytest.fixture
def sign_in(browser: "Browser", server: str, watch: "Watch") -> Iterator[SignIn]:
    """Sign somebody in, with a browser of her own: `sign_in("mona", size=TABLET)`; Chinese unless told otherwise."""
    contexts: list[BrowserContext] = []

    def open_for(
        name: str, *, password: str = PASSWORD, language: str = "zh-CN", size: tuple[int, int] = LAPTOP
    ) -> "Page":
        viewport = {"width": size[0], "height": size[1]}
        context = browser.new_context(viewport=viewport, locale="zh-CN", base_url=server, accept_downloads=True)
        contexts.append(context)
        watch.over(context)
        page = context.new_page()
        page.goto("/sign-in")
        page.fill("[name=username]", name)
        page.fill("[name=password]", password)
        page.press("[name=password]", "Enter")
        page.wait_for_url(lambda address: "sign-in" not in address)
        if page.locator("html").get_attribute("lang") != language:
            page.click(".lang button")
            page.wait_for_selector(f"html[lang='{language}']")
        return page

    yield open_for
    for context in contexts:
        for page in context.pages:
            page.wait_for_load_state()
            page.evaluate("window.dispatchEvent(new Event('pagehide'))")  # the last page is reported as well
        context.close()
