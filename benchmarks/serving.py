"""Servers of their own processes, and browsers that talk to them over HTTP.

python -m benchmarks.serving ours|floor URL FOLDER PORT
"""

import http.client
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

from app import create_app
from benchmarks import clinic, design, floor
from serve import Server


class Browser:
    """One signed-in person who keeps her connection open."""

    def __init__(self, port: int, name: str) -> None:
        self.port, self.cookie, self.revisions = port, "", {}
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.token = self.token_of("/sign-in")
        status, _ = self.post("/sign-in", {"username": name, "password": clinic.PASSWORD})
        assert status in (302, 303), f"sign-in answered {status}"

    def ask(self, method: str, address: str, body: str | None = None) -> tuple[int, str]:
        """One request, on a new connection when the server closed the old one."""
        headers = {"Cookie": self.cookie, "Host": f"127.0.0.1:{self.port}"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        for last in (False, True):
            try:
                self.connection.request(method, address, body, headers)
                answer = self.connection.getresponse()
                text = answer.read().decode()
                break
            except (http.client.RemoteDisconnected, ConnectionError):
                self.connection.close()
                if last:
                    raise
        for line in answer.headers.get_all("Set-Cookie") or ():
            self.cookie = line.split(";", 1)[0]
        return answer.status, text

    def get(self, address: str) -> str:
        """A page."""
        status, text = self.ask("GET", address)
        assert status == 200, f"{address} answered {status}"
        return text

    def post(self, address: str, fields: dict[str, str]) -> tuple[int, str]:
        """Post with the session's token."""
        return self.ask("POST", address, urlencode({"csrf_token": self.token, **fields}))

    def token_of(self, address: str) -> str:
        """The CSRF token that a page holds."""
        return re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', self.get(address))[0]


class Typist:
    """Somebody at one form, in ours or in the floor, who changes all 40 answers with every save."""

    def __init__(self, browser: Browser, address: str, ours: bool) -> None:
        self.browser, self.address, self.ours, self.turn = browser, address, ours, 1000
        page = browser.get(address)
        browser.token = browser.token_of(address)
        if ours:
            self.revision = int(re.findall(r'name="_revision"[^>]*value="(\d+)"', page)[0])

    def fields(self) -> dict[str, str]:
        """What she has typed now."""
        typed = design.values(self.turn)
        if not self.ours:
            return typed
        named = {f"BIG/1/{name}": value for name, value in typed.items() if name != f"I{design.ITEMS - 1:02}"}
        return {**named, "_revision": str(self.revision), "_reason": "read again from the source"}

    def open(self) -> None:
        """Open the form."""
        self.browser.get(self.address)

    def check(self) -> None:
        """The live check while she types."""
        status, text = self.browser.post(f"{self.address}/check", self.fields())
        assert status == 200, text

    def save(self) -> None:
        """Save it."""
        self.turn += 1
        status, text = self.browser.post(self.address, self.fields())
        assert status == 303, f"the save answered {status}: {text[:2000]}"
        if self.ours:
            self.revision += 1


@contextmanager
def server(kind: str, url: str, folder: Path) -> Iterator[int]:
    """A server in a process of its own; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.serving", kind, url, str(folder), str(port)])
    try:
        _await(port, process)
        yield port
    finally:
        process.send_signal(signal.SIGQUIT)  # at once: a gentle stop waits for connections that are kept open
        process.wait(20)


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not start")


def main() -> None:
    """Serve one of the two with the settings of a real installation."""
    kind, url, folder, port = sys.argv[1:]
    settings = replace(clinic.settings_for(url, Path(folder)), port=int(port))
    Server(create_app(settings) if kind == "ours" else floor.create(url), settings).run()


if __name__ == "__main__":
    main()
