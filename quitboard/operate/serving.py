"""`build-site --serve`: look at the site on this machine; it is built again when anything it is made of changes.

A served page has one script more than the built file: it waits for the next build and loads the page again, or shows
why there is none. It waits by loading another script, which the pages' policy allows, as it does not allow `fetch`.
"""

from __future__ import annotations

import functools
import http.server
import json
import threading
import time
import traceback
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from quitboard.console import Talk
from quitboard.errors import Locked, QuitBoardError, UsageError
from quitboard.files import resource
from quitboard.operate import pipeline
from quitboard.operate.boards import open_board
from quitboard.settings import CAMERAS_NAME, SETTINGS_NAME

HOST = "127.0.0.1"
_LOOK_EVERY_S = 0.5
_ANSWER_AFTER_S = 20.0
_WATCH_PATH, _NEWS_PATH = "/.quitboard/watch.js", "/.quitboard/news.js"

_WATCH_JS = """\
const wait = (since) => {
  const news = document.createElement("script");
  news.src = `%s?since=${since}`;
  news.onerror = () => setTimeout(wait, 1000, since);
  document.head.append(news);
};
addEventListener("quitboard", ({ detail: { number, since, error } }) => {
  document.querySelector("#quitboard-error")?.remove();
  if (error) {
    const box = document.createElement("pre");
    box.id = "quitboard-error";
    box.setAttribute("role", "alert");
    box.textContent = error;
    Object.assign(box.style, { position: "fixed", inset: "auto 0 0 0", margin: 0, padding: "1rem", zIndex: 9,
      whiteSpace: "pre-wrap", background: "#7a1020", color: "#fff" });
    document.body.append(box);
  } else if (number > since) {
    location.reload();
    return;
  }
  wait(number);
});
const shown = Number(new URL(document.currentScript.src).searchParams.get("now"));
addEventListener("load", () => wait(shown));
"""

Stamps: TypeAlias = frozenset[tuple[Path, int, int]]
"""What files looked like at an instant: path, time of change in nanoseconds, bytes."""


@dataclass(slots=True)
class News:
    """How the last build went, for pages that wait for it. `number` grows with every build that changed something."""

    number: int = 0
    error: str = ""
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def tell(self, error: str = "") -> None:
        with self._changed:
            self.number, self.error = self.number + 1, error
            self._changed.notify_all()

    def after(self, since: int, timeout_s: float) -> None:
        """Return when there is something newer than `since`, or after a while."""
        with self._changed:
            self._changed.wait_for(lambda: self.number > since, timeout_s)


def serve(board: Path, out: Path | None, port: int, *, talk: Talk, base_url: str | None = None) -> None:
    """Build the site of the board in the folder `board`, show it, and build it again at every change until Ctrl-C.

    Raises:
        QuitBoardError: as the first build does. Later mistakes are shown on the pages and in the terminal.
        UsageError: the port cannot be used.
    """

    def build() -> bool:
        built = pipeline.build_site(open_board(board), out, talk=talk, base_url=base_url)
        return bool(built.written or built.removed)

    before = stamps(board)
    build()
    site = out or open_board(board).site
    news = News()
    with _server(site, port, news) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        talk.note(f"http://{HOST}:{server.server_address[1]}/  (built again at every change; Ctrl-C ends it)")
        try:
            _watch(before, lambda: stamps(board), build, news, talk)
        except KeyboardInterrupt:
            server.shutdown()


def stamps(board: Path) -> Stamps:
    """Return the state of all that the site of a board is made of, as far as it lies in files."""
    watched = [board / SETTINGS_NAME, board / CAMERAS_NAME, *_files_below(resource("templates"))]
    try:
        opened = open_board(board)
    except QuitBoardError:
        pass  # what it says of its parts is unreadable; the file that says it is watched
    else:
        watched += [opened.database, opened.database.with_name(f"{opened.database.name}.wal")]
        if own := opened.settings.board.catalogue:
            watched.append(board / own)
        if opened.media.is_dir():  # a picture that comes or goes changes its folder
            watched += [opened.media, *opened.media.iterdir()]
    return frozenset(_stamp(path) for path in watched)


def _files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _stamp(path: Path) -> tuple[Path, int, int]:
    try:
        status = path.stat()
    except OSError:
        return path, 0, 0
    return path, status.st_mtime_ns, status.st_size


def _watch(before: Stamps, look: Callable[[], Stamps], build: Callable[[], bool], news: News, talk: Talk) -> None:
    """Build whenever what is looked at has changed and stands still again. Ends with a KeyboardInterrupt."""
    last = before
    while True:
        time.sleep(_LOOK_EVERY_S)
        now = look()
        if now == before or now != last:
            last = now
            continue
        try:
            changed = build()
        except Locked:
            continue  # somebody ingests or builds: look again
        except Exception as error:  # whatever is wrong in a template or a setting, it is shown
            news.tell(_worded(error))
            talk.note(f"not built: {news.error}")
        else:
            if changed or news.error:
                news.tell()
        before = now


def _worded(error: Exception) -> str:
    """Return what is wrong and where: the line of a template, when the fault lies in one."""
    if isinstance(error, QuitBoardError):
        return str(error)
    templates = resource("templates")
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    places.append((str(getattr(error, "filename", None) or ""), getattr(error, "lineno", None)))
    inside = [(Path(name), line) for name, line in places if Path(name).is_relative_to(templates)]
    said = f"{type(error).__name__}: {error}"
    return f"{inside[-1][0].relative_to(templates.parent)}, line {inside[-1][1]}: {said}" if inside else said


# --- what browsers are told ---------------------------------------------------------------------------------------


def _server(site: Path, port: int, news: News) -> http.server.ThreadingHTTPServer:
    try:
        return http.server.ThreadingHTTPServer((HOST, port), functools.partial(_Handler, news, directory=str(site)))
    except OSError as error:
        raise UsageError(
            f"port {port} cannot be used ({error.strerror})", todo="Give another one: --port 8001"
        ) from None


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the built files as they are, pages with one script more."""

    def __init__(self, news: News, /, *arguments: object, **options: object) -> None:
        self._news = news
        super().__init__(*arguments, **options)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        address = urllib.parse.urlsplit(self.path)
        if urllib.parse.urlsplit(f"//{self.headers['Host']}").hostname not in (HOST, "localhost"):
            self.send_error(421)  # somebody else's name leads here
        elif address.path == _WATCH_PATH:
            self._give(_WATCH_JS.replace("%s", _NEWS_PATH).encode(), "text/javascript")
        elif address.path == _NEWS_PATH:
            since = urllib.parse.parse_qs(address.query).get("since", ["0"])[0]
            self._news_after(int(since) if since.isdecimal() else 0)
        elif page := self._page(address.path):
            shown = self._news.number - bool(self._news.error)
            script = f'<script src="{_WATCH_PATH}?now={shown}" defer></script></body>'
            self._give(page.read_bytes().replace(b"</body>", script.encode(), 1), "text/html")
        else:
            super().do_GET()

    def _page(self, path: str) -> Path | None:
        file = Path(self.translate_path(path))
        if path.endswith("/"):
            file /= "index.html"
        return file if file.suffix == ".html" and file.is_file() else None

    def _news_after(self, since: int) -> None:
        self._news.after(since, _ANSWER_AFTER_S)
        detail = {"number": self._news.number, "since": since, "error": self._news.error}
        told = json.dumps({"detail": detail}).replace("<", "\\u003c")
        self._give(f'dispatchEvent(new CustomEvent("quitboard", {told}));'.encode(), "text/javascript")

    def _give(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def list_directory(self, path: object) -> None:
        del path
        self.send_error(404)

    def log_message(self, *arguments: object) -> None:
        """Say nothing: the terminal tells of builds."""
