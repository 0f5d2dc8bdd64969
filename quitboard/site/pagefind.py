"""Pagefind's indexer as a function from records to files: the same records give the same bytes.

The program comes with `pagefind_bin` and is spoken to over its service protocol: requests and answers are JSON in
base64, ended by commas (github.com/Pagefind/pagefind, pagefind/src/service). Version 1.5 writes filters and sorts in
the order of a hash table that is seeded anew in every process; here they are put in order.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from quitboard.errors import UsageError

_LANGUAGE = "en"
"""One index for every language: words are stemmed as English, which leaves Hangul as it is."""

_SIGNATURE = b"pagefind_dcd"
_BATCH = 100
"""Requests sent before their answers are read: both fit into a pipe."""

_READ_BYTES = 1 << 20
_KEPT = ("fragment/", "index/", "wasm.en.", "pagefind.js", "pagefind-worker.js")
"""What the search page loads, besides what is written anew here; Pagefind's own user interfaces are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One thing to be found."""

    url: str  # given back as it is
    content: str  # the words it is found by
    filters: Mapping[str, str] = field(default_factory=dict)
    sort: Mapping[str, str] = field(default_factory=dict)


def indexed(records: Iterable[Record]) -> dict[str, bytes]:
    """Return the files of a search index over `records`, by path below its folder.

    Raises:
        UsageError: Pagefind's program is missing or failed.
    """
    with _program() as process:
        try:
            files = _files(_Service(process), records)
        except (OSError, EOFError, ValueError, KeyError) as error:
            process.kill()
            raise UsageError(
                f"Pagefind could not make the search index ({error})", todo="Install pagefind_bin again"
            ) from error
        assert process.stdin is not None
        process.stdin.close()
    return dict(_in_order(files))


def _program() -> subprocess.Popen[bytes]:
    from pagefind_bin import get_executable

    try:
        program = get_executable()
        return subprocess.Popen(
            [program, "--service"],
            cwd=program.parent,  # it looks at where it is, which may be a folder that is gone
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        raise UsageError(
            f"Pagefind's program cannot be started ({error.strerror or error})", todo="Install pagefind_bin again"
        ) from error


class _Service:
    """Requests and answers in turn."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._to, self._from = process.stdin, process.stdout
        self._rest = b""
        self._sent = 0

    def ask(self, *payloads: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the answers to some requests. Raises `EOFError` when the program ended, `ValueError` for a refusal."""
        for payload in payloads:
            self._sent += 1
            message = json.dumps({"message_id": self._sent, "payload": payload}).encode()
            self._to.write(base64.b64encode(message) + b",")
        self._to.flush()
        answers = [json.loads(base64.b64decode(self._answer()))["payload"] for _ in payloads]
        for answer in answers:
            if answer["type"] == "Error":
                raise ValueError(answer["message"])
        return answers

    def _answer(self) -> bytes:
        parts: list[bytes] = []
        while b"," not in self._rest:
            parts.append(self._rest)
            self._rest = self._from.read1(_READ_BYTES)  # type: ignore[attr-defined]
            if not self._rest:
                raise EOFError("it ended early")
        last, _, self._rest = self._rest.partition(b",")
        return b"".join([*parts, last])


def _files(service: _Service, records: Iterable[Record]) -> dict[str, bytes]:
    service.ask({"type": "NewIndex", "config": {"force_language": _LANGUAGE, "keep_index_url": True}})
    remaining = iter(records)
    while batch := [_request(record) for record in islice(remaining, _BATCH)]:
        service.ask(*batch)
    # Files are taken from memory: written by the program itself, the last of them may be cut off when it ends.
    (answer,) = service.ask({"type": "GetFiles", "index_id": 0})
    return {file["path"].removeprefix("pagefind/"): base64.b64decode(file["content"]) for file in answer["files"]}


def _request(record: Record) -> dict[str, Any]:
    return {
        "type": "AddRecord",
        "index_id": 0,
        "url": record.url,
        "content": record.content,
        "language": _LANGUAGE,
        "filters": {name: [value] for name, value in record.filters.items()},
        "sort": dict(record.sort),
    }


# --- the same bytes every time -------------------------------------------------------------------------------------


def _in_order(files: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield the files that a search page needs, with filters and sorts in order and named by what they now hold."""
    import cbor2

    renamed: dict[str, str] = {}
    for path in sorted(path for path in files if path.startswith("filter/")):
        name, values = cbor2.loads(_opened(files[path]))
        content = cbor2.dumps([name, sorted(values)])
        renamed[_stem(path)] = made = f"{_LANGUAGE}_{_short_hash(content)}"
        yield f"filter/{made}.pf_filter", _closed(content)
    (path,) = [path for path in files if path.endswith(".pf_meta")]
    version, pages, chunks, filters, sorts, fields = cbor2.loads(_opened(files[path]))
    filters = sorted([name, renamed[stem]] for name, stem in filters)
    content = cbor2.dumps([version, pages, chunks, filters, sorted(sorts), fields])
    made = f"{_LANGUAGE}_{_short_hash(content)}"
    yield f"pagefind.{made}.pf_meta", _closed(content)
    entry = json.loads(files["pagefind-entry.json"])
    entry["languages"][_LANGUAGE]["hash"] = made
    yield "pagefind-entry.json", json.dumps(entry, ensure_ascii=False, sort_keys=True).encode()
    for path in sorted(files):
        if path.startswith(_KEPT):
            yield path, files[path]


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0]


def _short_hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _opened(content: bytes) -> bytes:
    content = gzip.decompress(content)
    if not content.startswith(_SIGNATURE):
        raise UsageError(
            "this Pagefind writes its index in another form", todo="Install the pagefind_bin named in pyproject.toml"
        )
    return content[len(_SIGNATURE) :]


def _closed(content: bytes) -> bytes:
    return gzip.compress(_SIGNATURE + content, compresslevel=9, mtime=0)
