"""Open Graph pictures: what a link to this site shows elsewhere. Drawn from figures, never from a person.

One each for the first page, the statistics, every kind and every place, in every language; made once and kept by what
they say. Only a site that knows its address has them, for nobody else can be told where they lie.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from quitboard.files import resource, sha256_bytes, write_bytes
from quitboard.site import home
from quitboard.site.facets import segment
from quitboard.site.figures import FEWEST, Share
from quitboard.site.pages import Page
from quitboard.site.statistics import kinds_with_rates
from quitboard.site.view import View

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

FOLDER = "assets/og"
SIZE_PX = (1200, 630)
"""The size that every reader of Open Graph knows; ogp.me names none."""

_RECIPE = "1"
"""Changes with the way pictures are drawn."""

_FONT = "fonts/whole.woff2"
_MARGIN, _INNER = 72, 1200 - 2 * 72
_ASPHALT, _INK, _SOFT, _PAINT, _OFF = "#1a1f24", "#f4f5f6", "#c3cad1", "#ffc72e", "#4b545d"
_REGULAR, _BOLD = 500, 800
_HEADLINE_PX = (64, 54, 46, 38)  # the first that fits into three lines
_DOTS_A_ROW, _DOT_ROWS = 25, 4
_MOST_BARS = 4

Files = Mapping[str, tuple[Path, str]]
"""Site path -> (file that lies ready, SHA-256)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    label: str
    value: str
    share: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What a picture says. It is drawn from nothing else."""

    kicker: str
    headline: str  # ** marks what stands out
    basis: str
    source: str
    share: Share | None = None  # of a hundred dots, so many are painted
    bars: tuple[Bar, ...] = ()


def name_of(view: View, page: Page) -> str:
    """Return which picture stands for a page, by its file name without suffix. A case has its kind's."""
    match page.template, page.about:
        case "violation", (number,):
            return f"kind-{segment(view.facts.data.violations[number].kind)}"
        case "statistics", (kind,):
            return f"kind-{segment(kind)}"
        case "statistics", ():
            return "statistics"
        case "place", (camera_id,):
            return f"place-{segment(camera_id)}"
        case "list", (selection, _) if selection.place:
            return f"place-{segment(selection.place)}"
        case "list", (selection, _) if selection.kind:
            return f"kind-{segment(selection.kind)}"
    return "home"


def site_path(language: str, name: str) -> str:
    return f"{FOLDER}/{language}/{name}.png"


def said(view: View) -> Iterator[tuple[str, Picture]]:
    """Yield what each picture says in one language, by its name."""
    facts, words = view.facts, view.words
    source = words("og.source", title=view.title, day=words.date(view.as_of)) if view.as_of else view.title
    hero = home.hero(view)
    week = facts.latest_week()
    of_week = facts.share_of(facts.headline, window=week) if facts.headline and hero.state == "rate" else None
    if of_week and facts.headline and not (of_week.known and of_week.count):
        of_week = facts.share_of(facts.headline)
    yield "home", Picture(kicker=hero.kicker, headline=hero.headline, basis=hero.basis, source=source, share=of_week)
    span = words.span(facts.period.first, facts.period.last) if facts.period else ""
    rates = [(kind, facts.share_of(kind)) for kind in kinds_with_rates(facts)]
    known = sorted(((kind, found) for kind, found in rates if found.known), key=lambda item: -item[1].value)
    yield (
        "statistics",
        Picture(
            kicker=span,
            headline=words("og.statistics"),
            basis="",
            source=source,
            bars=tuple(
                Bar(label=view.kind_name(kind), value=view.percent(found), share=found)
                for kind, found in known[:_MOST_BARS]
            ),
        ),
    )
    for kind in facts.kinds:
        found = facts.share_of(kind)
        yield f"kind-{segment(kind)}", _rate(view, kind, found, (view.kind_name(kind), span), source)
    for place in facts.data.places:
        kind, about = facts.headline or "", (view.place_name(place.id), view.area_name(place.id))
        at_place = facts.share_at.get((kind, place.id), Share(count=0, base=0))
        yield f"place-{segment(place.id)}", _rate(view, kind, at_place, about, source)


def _rate(view: View, kind: str, found: Share, about: tuple[str, str], source: str) -> Picture:
    """Return what is said of a share, or that it is of too few; `about` is a name and what narrows it."""
    name, more = about
    if not found.known:
        few = view.words("figure.few_base", most=FEWEST - 1)
        return Picture(kicker=more, headline=name, basis=few, source=source)
    return Picture(
        kicker=" · ".join(filter(None, about)),
        headline=view.per_hundred(kind, found),
        basis=view.words("hero.rate_basis", basis=view.of_base(kind, found), interval=view.interval(found)),
        source=source,
        share=found,
    )


# --- the files ------------------------------------------------------------------------------------------------------


def pictures(views: Mapping[str, View], cache_dir: Path) -> Files:
    """Return the pictures' files, drawn where `cache_dir/og` does not hold them, and drop there what nothing shows.

    Raises:
        DiskFull: a picture did not fit.
    """
    folder = cache_dir / "og"
    found: dict[str, tuple[Path, str]] = {}
    for language, view in views.items():
        for name, picture in said(view) if view.base_url else ():
            file = folder / f"{_digest(picture)}.png"
            content = file.read_bytes() if file.is_file() else _drawn(file, picture)
            found[site_path(language, name)] = (file, sha256_bytes(content))
    kept = {file for file, _ in found.values()}
    for file in folder.glob("*") if folder.is_dir() else ():
        if file not in kept:
            file.unlink()
    return found


def _digest(picture: Picture) -> str:
    text = json.dumps([_RECIPE, _font_sha256(), dataclasses.asdict(picture)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@cache
def _font_sha256() -> str:
    return sha256_bytes((resource("templates") / _FONT).read_bytes())


def _drawn(file: Path, picture: Picture) -> bytes:
    content = draw(picture)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(file, content)
    return content


# --- drawing --------------------------------------------------------------------------------------------------------


def draw(picture: Picture) -> bytes:
    """Return a PNG of `SIZE_PX`; the same picture gives the same bytes."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", SIZE_PX, _ASPHALT)
    brush = ImageDraw.Draw(image)
    y = _line(brush, _MARGIN - 12, picture.kicker, 30, _SOFT) + 18
    y = _headline(brush, y, picture.headline) + 10
    y = _line(brush, y, picture.basis, 28, _SOFT) + 34
    if picture.bars:
        _bars(image, y, picture.bars)
    elif picture.share is not None:
        _dots(image, y, picture.share)
    _road(brush)
    _line(brush, SIZE_PX[1] - 58, picture.source, 26, _SOFT)
    return _png(image)


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@cache
def _font(size_px: int, weight: int) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    font = ImageFont.truetype(resource("templates") / _FONT, size_px, layout_engine=ImageFont.Layout.BASIC)
    font.set_variation_by_axes([weight])
    return font


def _line(brush: ImageDraw.ImageDraw, y: float, text: str, size_px: int, fill: str) -> float:
    """Write one line, cut off where it is too long; return where the next begins."""
    font = _font(size_px, _REGULAR)
    brush.text((_MARGIN, y), _cut(font, " ".join(text.split()), _INNER), fill, font)
    return y + size_px * 1.35 if text else y


def _cut(font: ImageFont.FreeTypeFont, text: str, width: float) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"


def _headline(brush: ImageDraw.ImageDraw, y: float, text: str) -> float:
    """Write the headline in the largest size that takes three lines; return where the next line begins."""
    for size_px in _HEADLINE_PX:
        font = _font(size_px, _BOLD)
        rows = _wrapped(font, text)
        if len(rows) <= 3:
            break
    for row in rows[:3]:
        x = float(_MARGIN)
        for piece, stands_out in row:
            brush.text((x, y), piece, _PAINT if stands_out else _INK, font)
            x += font.getlength(piece)
        y += size_px * 1.28
    return y


def _wrapped(font: ImageFont.FreeTypeFont, text: str) -> list[list[tuple[str, bool]]]:
    """Return the lines of a text, each as pieces with whether they stand out. Lines break at spaces."""
    rows: list[list[tuple[str, bool]]] = [[]]
    width = 0.0
    for word in _words(text):
        length = sum(font.getlength(piece) for piece, _ in word)
        space = font.getlength(" ") if rows[-1] else 0.0
        if rows[-1] and width + space + length > _INNER:
            rows.append([])
            width = space = 0.0
        if space:
            rows[-1].append((" ", False))
        rows[-1].extend(word)
        width += space + length
    return rows


def _words(text: str) -> list[list[tuple[str, bool]]]:
    """Return the words of a text with `**marks**`, each as pieces: "**31명**이" is one word of two pieces."""
    words: list[list[tuple[str, bool]]] = [[]]
    for number, part in enumerate(text.split("**")):
        for position, piece in enumerate(part.split(" ")):
            if position:
                words.append([])
            if piece:
                words[-1].append((piece, bool(number % 2)))
    return [word for word in words if word]


def _dots(image: Image.Image, y: float, share: Share) -> None:
    """Draw a hundred riders as dots, as many painted as the share says."""
    painted = max(1, round(share.value * 100)) if share.count else 0
    step = min(_INNER / _DOTS_A_ROW, (SIZE_PX[1] - 96 - y) / _DOT_ROWS)
    radius = step * 0.34
    for number in range(_DOTS_A_ROW * _DOT_ROWS):
        column, row = divmod(number, _DOT_ROWS)
        x, centre = _MARGIN + radius + column * _INNER / _DOTS_A_ROW, y + step * (row + 0.5)
        _disc(image, x, centre, radius, _PAINT if number < painted else _OFF)


def _bars(image: Image.Image, y: float, bars: tuple[Bar, ...]) -> None:
    """Draw shares as points with their 95 % intervals on one scale from nothing."""
    from PIL import ImageDraw

    brush = ImageDraw.Draw(image)
    top = max(bar.share.high for bar in bars)
    step = min(88.0, (SIZE_PX[1] - 100 - y) / len(bars))
    label_px, left, right = 30, _MARGIN + 430, SIZE_PX[0] - _MARGIN - 130
    for number, bar in enumerate(bars):
        middle = y + step * (number + 0.5)
        font = _font(label_px, _REGULAR)
        brush.text((_MARGIN, middle), _cut(font, bar.label, 410), _INK, font, anchor="lm")
        low, high, point = (
            left + (right - left) * part / top for part in (bar.share.low, bar.share.high, bar.share.value)
        )
        brush.line((left, middle, right, middle), _OFF, 2)
        brush.line((low, middle, high, middle), _PAINT, 8)
        _disc(image, point, middle, 13, _PAINT)
        brush.text((SIZE_PX[0] - _MARGIN, middle), bar.value, _INK, _font(label_px, _BOLD), anchor="rm")


def _disc(image: Image.Image, x: float, y: float, radius: float, fill: str) -> None:
    """Paint a disc with soft edges."""
    mask = _disc_mask(round(radius * 2))
    image.paste(fill, (round(x - radius), round(y - radius)), mask)


@cache
def _disc_mask(diameter: int) -> Image.Image:
    from PIL import Image, ImageDraw

    large = Image.new("L", (diameter * 4, diameter * 4))
    ImageDraw.Draw(large).ellipse((0, 0, diameter * 4 - 1, diameter * 4 - 1), 255)
    return large.resize((diameter, diameter), Image.Resampling.BOX)


def _road(brush: ImageDraw.ImageDraw) -> None:
    """Draw the lane line that the site's head has, above the source."""
    y = SIZE_PX[1] - 76
    for x in range(_MARGIN, SIZE_PX[0] - _MARGIN, 60):
        brush.rectangle((x, y, x + 32, y + 5), _PAINT)
