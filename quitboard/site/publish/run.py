"""`publish` and `take_back`: the same steps at every target, safe to be cut off at any of them and run again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from quitboard.errors import DamageFound, NothingUsable, TargetRefused
from quitboard.files import sha256_bytes
from quitboard.site.generations import locked_target
from quitboard.site.output import read_old, read_sums
from quitboard.site.publish.plan import Plan, guard, plan, stage_of
from quitboard.site.publish.target import IN_DOUBT, Contents, Target, generation_of

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many of it are done, and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a publish did or, with `dry_run`, would do."""

    target: str
    generation: str
    plan: Plan
    dry_run: bool

    @property
    def is_unchanged(self) -> bool:
        return not self.plan.puts and not self.plan.deletes and not self.plan.settled

    def as_plain(self) -> dict[str, object]:
        """Return what `--json` prints; the steps one by one with `dry_run` alone."""
        plain: dict[str, object] = {
            "target": self.target,
            "generation": self.generation,
            "dry_run": self.dry_run,
            "put": self.plan.put_count,
            "deleted": self.plan.delete_count,
            "unchanged": self.plan.unchanged,
        }
        return plain | {"steps": self.plan.lines()} if self.dry_run else plain


def publish(
    site: Path,
    target: Target,
    *,
    allow_delete: bool = False,
    dry_run: bool = False,
    withdrawn: Collection[str] = (),
    before_writing: Callable[[str], None] = lambda _generation: None,
    progress: Progress = lambda _what, _done, _total: None,
) -> Outcome:
    """Make a target hold what a built site holds, no more and no less.

    Args:
        allow_delete: also where that deletes more than a fifth of what is published.
        dry_run: only say what would happen; nothing is written.
        withdrawn: beginnings of paths that may not be published again.
        before_writing: called with the generation's name when it is sure that something will be written.

    Raises:
        NothingUsable: there is no site.
        DamageFound: the site is not as `build-site` made it. Nothing that differs was sent.
        TargetRefused: the target said no, or too much would be deleted, or the site shows what was withdrawn.
        Locked: somebody else is publishing there, or building the site.
    """
    with locked_target(site) as held:
        sums = _whole(held)
        _refuse_withdrawn(sums, tuple(withdrawn), site.name)
        if target.most_bytes is not None:
            _refuse_heavy(held, sums, target.most_bytes, target.name)
        contents = _reader(held, sums)
        try:
            published = target.read()
            doubtful = {path for path, digest in published.sums.items() if digest == IN_DOUBT and path in sums}
            steps = plan(published.sums, sums, settled=target.matching(doubtful, contents) if doubtful else ())
            outcome = Outcome(target=target.name, generation=generation_of(sums), plan=steps, dry_run=dry_run)
            if published.finished and published.generation == outcome.generation:
                return outcome
            if not allow_delete:
                guard(published.sums, steps, where=target.name)
            if not dry_run:
                before_writing(outcome.generation)
                _carry_out(steps, target, sums, contents, progress)
        finally:
            target.close()
    return outcome


def _carry_out(steps: Plan, target: Target, sums: dict[str, str], contents: Contents, progress: Progress) -> None:
    count = steps.put_count + steps.delete_count
    done = 0

    def put(path: str) -> None:
        nonlocal done
        done += 1
        progress(path, done, count)

    target.begin(sums)
    for _, paths in steps.puts:
        target.put(paths, contents, put)
    target.written()
    for stage, paths in steps.deletes:
        progress(f"deleting {stage.name.lower()}", done, count)
        target.delete(paths)
        done += len(paths)
    target.refresh()
    target.finish()


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """What was taken back: nothing of it is there any longer, the target says. `caveats` is what nobody can promise."""

    target: str
    paths: tuple[str, ...]
    caveats: tuple[str, ...]


def take_back(target: Target, paths: Collection[str]) -> TakenBack:
    """Delete files of a published site at once: media first, then what shows them; then ask the target to be sure.

    It neither waits for a lock nor needs a built site. The pages that are left point to what is gone until the next
    `publish`. Run again, it does what is left to do.

    Args:
        paths: as in the site, for example `media/ab/….jpg` and `v/…/index.html`; those that are not there do no harm.

    Raises:
        TargetRefused: a file is still there, or the target said no.
        Locked: all is gone, but somebody else who is publishing may bring it back: run it again.
    """
    ordered = sorted(set(paths), key=lambda path: (stage_of(path), path))
    try:
        target.take_away(ordered)
        published = target.read()
        if any(path in published.sums for path in ordered):
            target.begin({path: digest for path, digest in published.sums.items() if path not in set(ordered)})
            target.take_away(ordered)  # again: now that nobody else can bring it back
            target.written()
            target.refresh()
            target.finish()
        else:
            target.refresh()
        left = [path for path in ordered if target.holds(path)]
    finally:
        target.close()
    if left:
        raise TargetRefused(
            f"{len(left)} of {len(ordered)} files are still there, for example {left[0]}", where=target.name,
            todo="Run the same command again; if they stay, delete them there by hand",
        )  # fmt: skip
    return TakenBack(target=target.name, paths=tuple(ordered), caveats=target.caveats)


def _whole(site: Path) -> dict[str, str]:
    sums = read_sums(site)
    if not sums:
        raise NothingUsable("there is no site to publish", where=site.name, todo="Run: quitboard build-site")
    if not read_old(site).whole:
        raise DamageFound("the site was changed since it was built", where=site.name, todo="Run: quitboard build-site")
    return sums


def _reader(site: Path, sums: dict[str, str]) -> Contents:
    def contents(path: str) -> bytes:
        content = (site / path).read_bytes()
        if sha256_bytes(content) != sums[path]:
            raise DamageFound(
                "the file is not what was built", where=f"{site.name}/{path}", todo="Run: quitboard build-site"
            )
        return content

    return contents


def _refuse_withdrawn(sums: Collection[str], withdrawn: tuple[str, ...], where: str) -> None:
    shown = next((path for path in sums if path.startswith(withdrawn)), None) if withdrawn else None
    if shown is not None:
        raise TargetRefused(
            f"this site was built before a withdrawal: {shown} was taken back", where=where,
            todo="Run: quitboard build-site",
        )  # fmt: skip


def _refuse_heavy(site: Path, sums: Collection[str], most_bytes: int, where: str) -> None:
    weights: Counter[str] = Counter()
    for path in sums:
        weights[PurePosixPath(path).suffix or path] += (site / path).stat().st_size
    if weights.total() > most_bytes:
        heaviest = ", ".join(f"{suffix} {weight / 1e6:.0f} MB" for suffix, weight in weights.most_common(3))
        raise TargetRefused(
            f"the site weighs {weights.total() / 1e6:.0f} MB, and {most_bytes / 1e6:.0f} MB fit there; "
            f"most of it: {heaviest}",
            where=where,
            todo="Let pictures leave sooner ([site] evidence_days) and build again, or publish to S3 or a folder",
        )
