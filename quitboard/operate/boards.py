"""A board: the folder with its settings, cameras, catalogue, database, media and site."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from quitboard import catalogue
from quitboard.errors import SettingsError
from quitboard.files import resource, write_bytes
from quitboard.records import Camera, Rule
from quitboard.settings import CAMERAS_NAME, SETTINGS_NAME, Settings, load_cameras, load_settings

SHIPPED_CATALOGUE = "data/catalogue/violations_kr.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A board's settings, read once, and where its parts lie."""

    folder: Path
    settings: Settings
    cameras: tuple[Camera, ...]
    rules: tuple[Rule, ...]

    @property
    def database(self) -> Path:
        return self.folder / self.settings.board.database

    @property
    def media(self) -> Path:
        return self.folder / self.settings.board.media

    @property
    def bundles(self) -> Path:
        return self.folder / self.settings.board.bundles

    @property
    def site(self) -> Path:
        return self.folder / self.settings.board.site


def open_board(folder: Path) -> Board:
    """Read a board; a folder without settings is a board with the defaults.

    Raises:
        SettingsError: settings, cameras or catalogue are wrong, with file and line.
    """
    if not folder.is_dir():
        raise SettingsError("no such folder", where=str(folder), todo=f"Make it with: quitboard init {folder}")
    settings = load_settings(folder / SETTINGS_NAME)
    own = settings.board.catalogue
    if own and not (folder / own).is_file():
        raise SettingsError(
            f"the catalogue {own} is not there",
            where=SETTINGS_NAME,
            todo='Put it back, or set catalogue = "" for the one that ships',
        )
    return Board(
        folder=folder,
        settings=settings,
        cameras=load_cameras(folder / CAMERAS_NAME),
        rules=catalogue.load_catalogue(folder / own if own else resource(SHIPPED_CATALOGUE)),
    )


def init(folder: Path) -> list[str]:
    """Make a board's files where they are missing and return the names of those made; never overwrites."""
    sources = {
        SETTINGS_NAME: resource("data/board") / SETTINGS_NAME,
        CAMERAS_NAME: resource("data/board") / CAMERAS_NAME,
        "catalogue.csv": resource(SHIPPED_CATALOGUE),
    }
    made = [name for name in sources if not (folder / name).exists()]
    for name in made:
        write_bytes(folder / name, sources[name].read_bytes())
    return made
