"""A training set as tar files: small enough to travel, the same bytes for the same content.

A shard holds `<name>.jpg` with `<name>.txt` (boxes in YOLO's format) for each picture, and `manifest.csv`, which says
what each picture labels. Pictures in a set are what they are, nothing is anonymised: a network cannot learn heads from
filled ones. So this is the one place that writes such pictures, into folders that only their owner may read and that
git does not see; a set is never part of a bundle, a board's media or a site.
"""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2

from quitboard import files
from quitboard.errors import NothingUsable
from quitboard.records import ROLES, Picture, Role

MOST_BYTES = 60_000_000
"""A shard is smaller, so that a set can travel in parts."""
MANIFEST = "manifest.csv"
_WARNING = "These pictures are not anonymised. They are for training on this machine alone: never publish them.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A picture as it lies in a shard."""

    name: str  # unique in its set, with its extension
    picture: bytes
    labels: str
    labelled: frozenset[Role]


def jpeg(picture: Picture, quality: int) -> bytes:
    """Return a BGR picture as JPEG; `quality` 0-100."""
    done, content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise NothingUsable("a picture cannot be encoded", where=f"{picture.shape}", todo="Leave it out")
    return bytes(content.tobytes())


def private_folder(folder: Path) -> Path:
    """Make a folder for pictures that are not anonymised: for its owner alone, unseen by git."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, content in ((".gitignore", "*\n"), ("NOT_ANONYMISED.txt", _WARNING)):
        if not (folder / name).is_file():
            files.write_text(folder / name, content)
    return folder


def pack(rows: Iterable[Packed]) -> bytes:
    """Return a shard: a tar without times, owners or any order but the given one."""
    content = io.BytesIO()
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("path", "labelled_classes"))
    with tarfile.open(fileobj=content, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for row in rows:
            _add(tar, f"images/{row.name}", row.picture)
            _add(tar, f"labels/{PurePosixPath(row.name).stem}.txt", row.labels.encode())
            writer.writerow((f"images/{row.name}", ",".join(role for role in ROLES if role in row.labelled)))
        _add(tar, MANIFEST, table.getvalue().encode())
    return content.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def read(shards: Sequence[Path]) -> Iterator[Packed]:
    """Yield the pictures of shards in their order.

    Raises:
        NothingUsable: a shard is damaged.
    """
    for path in shards:
        try:
            with tarfile.open(path) as tar:
                members = {member.name: member for member in tar.getmembers() if member.isfile()}
                rows = csv.DictReader(io.StringIO(_content(tar, members[MANIFEST]).decode()))
                for row in rows:
                    name = PurePosixPath(row["path"]).name
                    yield Packed(
                        name=name,
                        picture=_content(tar, members[f"images/{name}"]),
                        labels=_content(tar, members[f"labels/{PurePosixPath(name).stem}.txt"]).decode(),
                        labelled=frozenset(role for role in ROLES if role in row["labelled_classes"].split(",")),
                    )
        except (tarfile.TarError, KeyError, UnicodeDecodeError, EOFError) as error:
            raise NothingUsable(
                f"the shard is damaged ({error})", where=path.name, todo="Delete it and prepare the set again"
            ) from None


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None, "only files are asked for"
    return file.read()


def unpack(shards: Sequence[Path], folder: Path) -> list[Path]:
    """Lay the pictures of shards out as a set in YOLO's format and return their paths, in order.

    Done once: a folder that is complete says so with its `data.yaml`, and is left alone.

    Raises:
        NothingUsable: a shard is damaged.
    """
    done = folder / "data.yaml"
    if done.is_file():
        with (folder / MANIFEST).open(encoding="utf-8") as file:
            return [folder / row["path"] for row in csv.DictReader(file)]
    private_folder(folder)
    paths, table = [], io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("path", "labelled_classes"))
    for part in ("images", "labels"):
        (folder / part).mkdir(exist_ok=True)
    for row in read(shards):
        path = files.child_of(folder, f"images/{row.name}")
        path.write_bytes(row.picture)
        (folder / "labels" / f"{path.stem}.txt").write_text(row.labels)
        writer.writerow((f"images/{row.name}", ",".join(role for role in ROLES if role in row.labelled)))
        paths.append(path)
    files.write_text(folder / MANIFEST, table.getvalue())
    files.write_text(done, data_yaml(folder, ".", "."))
    return paths


def data_yaml(folder: Path, train: str, val: str) -> str:
    """Return the `data.yaml` that ultralytics reads."""
    names = "".join(f"  {number}: {role}\n" for number, role in enumerate(ROLES))
    return f"path: {folder.resolve()}\ntrain: {train}\nval: {val}\nnames:\n{names}"
