"""What the tests in a real browser share: a page of their own, what it must not do, and a server to open it from."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Request

PHONE = {"width": 390, "height": 844}
ANSWER_MS = 20_000
_TEXTS = frozenset((".html", ".css", ".js", ".svg", ".json", ".xml", ".txt"))
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # a container's 64 MB of it stop a tab dead
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--font-render-hinting=none",  # text is as wide on every machine
    "--force-color-profile=srgb",
)


def chromium() -> str:
    """Return where Chromium lies; whoever needs it fails without it, no test is skipped."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = os.environ.get("CHROME_PATH") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise FileNotFoundError("no Chromium found: run tools/install_browser.sh, or your package manager")
    return found


@contextlib.contextmanager
def page_in(browser: Browser, **options: Any) -> Iterator[Page]:
    """Open a page in a context of its own; whatever is asked of it is answered in time or fails."""
    context = browser.new_context(**{"viewport": PHONE, "reduced_motion": "reduce", **options})
    context.set_default_timeout(ANSWER_MS)
    try:
        yield context.new_page()
    finally:
        context.close()


def faults(page: Page, origin: str) -> list[str]:
    """Return a list that fills with whatever a page must not do: errors, refusals, requests that leave `origin`."""
    seen: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            seen.append(f"{page.url} said: {message.text}")

    def on_failed(request: Request) -> None:
        # A picture still on its way when the test goes on to the next page is aborted: that is no fault of the site's.
        if request.failure != "net::ERR_ABORTED":
            seen.append(f"{page.url} failed to load {request.url}: {request.failure}")

    def on_request(request: Request) -> None:
        if not request.url.startswith(origin):
            seen.append(f"{page.url} asked {request.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: seen.append(f"{page.url} threw: {error}"))
    page.on("requestfailed", on_failed)
    page.on("request", on_request)
    return seen


@contextlib.contextmanager
def served(folder: Path, at: str = "/", port: int = 0, *, compressed: bool = False) -> Iterator[str]:
    """Serve a site below a path, and its 404.html for what is not there; yields the address of its home page."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def translate_path(self, path: str) -> str:
            inside = path.removeprefix(at) if path.startswith(at) else "outside-of-the-site"
            return super().translate_path(f"/{inside}")

        def do_GET(self) -> None:
            file = Path(self.translate_path(self.path))
            file = file / "index.html" if file.is_dir() else file
            if not (compressed and file.is_file() and file.suffix in _TEXTS):
                return super().do_GET()
            content = gzip.compress(file.read_bytes(), mtime=0)
            self.send_response(http.HTTPStatus.OK)
            self.send_header("Content-Type", self.guess_type(str(file)))
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            return self.wfile.write(content) and None

        def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
            if code != http.HTTPStatus.NOT_FOUND:
                return super().send_error(code, message, explain)
            page = (folder / "404.html").read_bytes()
            self.send_response(code)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            return self.wfile.write(page) and None

        def log_message(self, *arguments: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *arguments: object) -> None:
            pass  # the browser hung up, being done with the page

    with Server(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{at}"
        finally:
            server.shutdown()
