"""The service with a small demo behind it, and Chromium before it; what a page must never do is noted."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
import uvicorn
from playwright.sync_api import sync_playwright

from api import create_app
from ledger.application import open_ledger
from ledger.demo import history
from ledger.settings import Settings
from ledger.times import parse_instant

DEALS = 300
UNTIL = parse_instant("2026-10-15T12:00:00Z")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Page:
    """A page, the addresses it asked for, and what it complained about."""

    page: Any
    base: str
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, **query):
        self.page.goto(self.base + "/?" + "&".join(f"{name}={value}" for name, value in query.items()))
        self.page.wait_for_selector("#chart svg")
        self.page.wait_for_load_state("networkidle")

    def redrawn(self, action):
        """Do something that moves the date or the mode; milliseconds until the picture showed it."""
        self.page.evaluate("performance.clearMeasures()")
        action()
        self.page.wait_for_function("() => performance.getEntriesByName('redrawn').length > 0")
        return self.page.evaluate("performance.getEntriesByName('redrawn')[0].duration")

    def bars(self):
        """The coloured parts of the picture, as `(colour, shape)`."""
        return self.page.eval_on_selector_all(
            "#chart .mark-rect path",
            "paths => paths.filter(p => p.getAttribute('opacity') !== '0').map(p => [p.getAttribute('fill'), p.getAttribute('d')])",
        )

    def switch(self, name, value):
        """Choose one of the two of a switch where a reader does: on its words."""
        self.page.locator(f"#{name} label", has=self.page.locator(f"[value={value}]")).click()

    def choose(self, at=0):
        """Click into the column of a slot, on the free part above its bar."""
        self.page.locator("#chart .mark-rect path[opacity='0']").nth(at).click(position={"x": 5, "y": 3}, force=True)
        self.page.wait_for_selector("#deals:not([hidden])[aria-busy=false]")


def _serve(settings):
    server = uvicorn.Server(uvicorn.Config(create_app(settings), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    return server, thread, f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """Address of a service over three years of a small company."""
    url = f"sqlite:///{tmp_path_factory.mktemp('demo') / 'sales-ledger.db'}"
    ledger = open_ledger(url)
    story = enumerate(history(deals=DEALS, years=3, seed=7, until=UNTIL), start=1)
    lines = ((number, msgspec.json.encode(line)) for number, line in story)
    refused = [outcome for outcome in ledger.append_each(lines, actor="demo", history=True) if outcome.error]
    assert not refused
    ledger.close()
    server, thread, address = _serve(Settings(database_url=url))
    yield address
    server.should_exit = True
    thread.join(timeout=20)


@pytest.fixture
def nothing(tmp_path):
    """Address of a service over an empty book."""
    server, thread, address = _serve(Settings(database_url=f"sqlite:///{tmp_path / 'empty.db'}"))
    yield address
    server.should_exit = True
    thread.join(timeout=20)


@pytest.fixture(scope="session")
def browser(chromium):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """`visit(address, width=1280, locale="en-GB")` gives a `Page` that must have nothing to complain about."""
    visited = []

    def visit(address, *, width=1280, locale="en-GB"):
        context = browser.new_context(viewport={"width": width, "height": 900}, locale=locale)
        seen = Page(context.new_page(), address)
        seen.page.on("request", lambda request: seen.asked.append(request.url))
        seen.page.on("console", lambda message: seen.complaints.append(message.text))
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        seen.page.on("requestfailed", lambda request: seen.complaints.append(f"failed: {request.url}"))
        seen.page.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective, e.blockedURI))"
        )
        visited.append(seen)
        return seen

    yield visit
    for seen in visited:
        assert seen.complaints == []
        assert all(address.startswith(seen.base) for address in seen.asked)
        seen.page.context.close()
