"""`build-site --serve`: what is looked at is the built site, and it follows every change."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.site.sample_board import make_board

ROOT = Path(__file__).parents[2]


@dataclass
class Served:
    board: Path
    address: str
    process: subprocess.Popen[str]

    def get(self, path: str = "", **headers: str) -> str:
        with urllib.request.urlopen(urllib.request.Request(self.address + path, headers=headers), timeout=30) as answer:
            return str(answer.read().decode())

    def news_after(self, number: int) -> str:
        """What a page that shows build `number` is told; waits for it."""
        return self.get(f".quitboard/news.js?since={number}")

    def number(self) -> int:
        found = re.search(r"watch\.js\?now=(\d+)", self.get())
        assert found
        return int(found[1])

    def settings(self, text: str) -> None:
        (self.board / "quitboard.toml").write_text(text)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    make_board(folder, weeks=1, violations=8, pictures=2)
    shutil.copy(ROOT / "data/catalogue/violations_kr.csv", folder / "catalogue.csv")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "quitboard.cli",
        "build-site",
        "--serve",
        "--port",
        str(port),
        "--board",
        str(folder),
    ]
    with subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, preexec_fn=_hear_interrupts
    ) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert f"http://127.0.0.1:{port}/" in line
            yield Served(folder, f"http://127.0.0.1:{port}/", process)
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
        finally:
            process.kill()


def _hear_interrupts() -> None:
    """Tests that run in the background of a shell inherit that Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_the_reloading_script_is_on_served_pages_and_in_no_built_file(served: Served) -> None:
    assert "/.quitboard/watch.js" in served.get()
    assert "/.quitboard/watch.js" in served.get("en/index.html")
    built = [path for path in (served.board / "site").rglob("*") if path.is_file()]
    assert not [path for path in built if b"/.quitboard/" in path.read_bytes()]
    assert served.get("assets/page.js") == (served.board / "site/assets/page.js").read_text()


def test_a_changed_setting_a_mistake_and_its_mending_are_each_told(served: Served) -> None:
    number = served.number()
    served.settings('[board]\ntitle_ko = "새 이름"\n')
    assert '"error": ""' in served.news_after(number)
    assert "새 이름" in served.get()
    number = served.number()
    served.settings('[board]\ntitel_ko = "x"\n')
    assert "Did you mean 'title_ko'?" in served.news_after(number)
    assert "새 이름" in served.get()
    number = served.number() + 1
    served.settings('[board]\ntitle_ko = "새 이름"\n')
    assert '"error": ""' in served.news_after(number)


def test_a_page_in_a_browser_loads_again_by_itself(served: Served, browser: Browser) -> None:
    page = browser.new_page()
    violations: list[str] = []
    page.on("console", lambda message: violations.append(message.text) if message.type == "error" else None)
    page.goto(served.address, wait_until="load")
    served.settings('[board]\ntitle_ko = "아침 이름"\n')
    expect(page.locator("header").first).to_contain_text("아침 이름", timeout=15_000)
    served.settings("[board\n")
    expect(page.get_by_role("alert")).to_contain_text("quitboard.toml, line 1", timeout=15_000)
    served.settings('[board]\ntitle_ko = "저녁 이름"\n')
    expect(page.locator("header").first).to_contain_text("저녁 이름", timeout=15_000)
    expect(page.get_by_role("alert")).to_have_count(0)
    assert violations == []
    page.close()


@pytest.mark.parametrize(
    ("path", "headers", "code"),
    [
        ("../quitboard.toml", {}, 404),
        ("%2e%2e/quitboard.toml", {}, 404),
        ("assets/", {}, 404),
        ("", {"Host": "evil.example"}, 421),
    ],
)
def test_nothing_but_the_site_is_served_and_only_to_this_machine(
    served: Served, path: str, headers: dict[str, str], code: int
) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        served.get(path, **headers)
    refused.value.close()
    assert refused.value.code == code


def test_a_taken_port_is_said_in_words(served: Served) -> None:
    port = served.address.rstrip("/").rpartition(":")[2]
    time.sleep(0.1)
    command = [
        sys.executable,
        "-m",
        "quitboard.cli",
        "build-site",
        "--serve",
        "--port",
        port,
        "--board",
        str(served.board),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "Give another one: --port" in done.stderr
