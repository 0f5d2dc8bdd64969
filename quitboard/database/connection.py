"""Opening board.duckdb: created when absent, migrated in place when older, refused when newer or damaged."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quitboard.errors import DatabaseError, DiskFull, Locked
from quitboard.files import TEMPORARY_PREFIX, disk_full_named, sync_folder

Connection = Any
"""A `duckdb.DuckDBPyConnection`; duckdb is imported on opening, for it takes a quarter of a second."""

_MIGRATIONS = Path(__file__).parent / "migrations"
MEMORY_LIMIT = "512MB"
"""DuckDB's own buffers; beyond it works on disk, beside the database."""


@contextlib.contextmanager
def opened(path: Path, *, read_only: bool = False) -> Iterator[Connection]:
    """Open the database at `path` for the length of the block, at the newest schema.

    For writing, a missing file is created and an older one migrated, after a copy named `<name>.v<version>.bak`.
    Instants are UTC inside, whatever the machine's time zone.

    Raises:
        DatabaseError: missing (read-only), damaged, not a board's, or of a newer or (read-only) older version.
        Locked: another process has it open.
    """
    if read_only and not path.exists():
        raise DatabaseError("there is no database yet", where=path.name, todo="Run: quitboard ingest bundles/")
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb_errors_named(path.name):
        connection = _connected(path, read_only=read_only)
        try:
            if read_only:
                _check_version(schema_version(connection), path.name)
            else:
                connection = _migrated(connection, path)
            yield connection
        finally:
            connection.close()


def _connected(path: Path, *, read_only: bool) -> Connection:
    import duckdb

    # No extension is ever fetched: what is needed (icu, json, parquet) is part of the wheel.
    config = {"memory_limit": MEMORY_LIMIT, "threads": 2, "autoinstall_known_extensions": False}
    connection = duckdb.connect(str(path), read_only=read_only, config=config)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def schema_version(connection: Connection) -> int:
    """Return the number of the last migration that was run; 0 for an empty database.

    Raises:
        DatabaseError: it holds tables, but not a board's.
    """
    tables = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if "schema_version" in tables:
        return int(connection.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()[0])
    if tables:
        raise DatabaseError(
            "this is not a board's database", todo="Name another file in quitboard.toml, [board] database"
        )
    return 0


def newest_version() -> int:
    """Return the number of the newest migration that this QuitBoard knows."""
    return max(_migrations())


def _migrations() -> dict[int, Path]:
    return {int(path.name[:4]): path for path in sorted(_MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.sql"))}


def _check_version(version: int, name: str) -> None:
    newest = newest_version()
    if version > newest:
        raise DatabaseError(
            f"the database has schema {version}, this QuitBoard knows up to {newest}",
            where=name,
            todo="Install the newer QuitBoard that made it, or restore a backup (*.bak) beside it",
        )
    if version < newest:
        raise DatabaseError(
            f"the database has schema {version}, this QuitBoard needs {newest}",
            where=name,
            todo="Run: quitboard ingest bundles/ (it migrates, after a backup)",
        )


def _migrated(connection: Connection, path: Path) -> Connection:
    version = schema_version(connection)
    if version == newest_version():
        return connection
    if version < newest_version() and version > 0:
        connection = _backed_up(connection, path, version)
    elif version > newest_version():
        _check_version(version, path.name)
    for number, script in _migrations().items():
        if number > version:
            connection.execute("BEGIN")
            connection.execute(script.read_text("utf-8"))
            connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)")
            connection.execute("INSERT INTO schema_version VALUES (?)", [number])
            connection.execute("COMMIT")
    connection.execute("CHECKPOINT")
    return connection


def _backed_up(connection: Connection, path: Path, version: int) -> Connection:
    """Copy the database beside itself, closed so that no log is left out; return it open again."""
    import shutil

    connection.execute("CHECKPOINT")
    connection.close()
    backup = path.with_name(f"{path.name}.v{version}.bak")
    if not backup.exists():
        temporary = path.with_name(f"{TEMPORARY_PREFIX}{backup.name}")
        with disk_full_named(backup.name):
            shutil.copyfile(path, temporary)
        temporary.replace(backup)
        sync_folder(path.parent)
    return _connected(path, read_only=False)


@contextlib.contextmanager
def duckdb_errors_named(name: str) -> Iterator[None]:
    """Turn what DuckDB raises about the file into errors that say what to do; errors in our own SQL stay bugs.

    Raises:
        Locked, DiskFull, DatabaseError.
    """
    import duckdb

    try:
        yield
    except duckdb.IOException as error:
        text = str(error)
        if "lock" in text.lower():
            raise Locked(
                "another program has the database open", where=name, todo="Try again when it has finished"
            ) from None
        if re.search(r"no space left|disk quota", text, re.IGNORECASE):
            raise DiskFull(
                "the disk is full", where=name, todo="Free some space and run the same command again: it continues"
            ) from None
        if re.search(r"permission denied|read-only file system", text, re.IGNORECASE):
            raise DatabaseError(
                "the database may not be opened: permission denied",
                where=name,
                todo="Check whose the board's folder is, and whether it may be written",
            ) from None
        raise _damaged(name, text) from None
    except (duckdb.FatalException, duckdb.SerializationException, duckdb.InternalException) as error:
        raise _damaged(name, str(error)) from None
    except duckdb.OutOfMemoryException as error:
        raise DiskFull(
            f"the database found no room to work ({_first_line(str(error))})", where=name, todo="Free some disk space"
        ) from None
    except duckdb.Error as error:
        if "corrupt" not in str(error).lower():
            raise
        raise _damaged(name, str(error)) from None


def _damaged(name: str, text: str) -> DatabaseError:
    return DatabaseError(
        f"the database cannot be read ({_first_line(text)})",
        where=name,
        todo="Restore a backup, or delete it and ingest the bundles in done/ again: they hold everything but verdicts",
    )


def _first_line(text: str) -> str:
    """Return the first line of a message without the folders in it."""
    return re.sub(r'"?/[^\s"]*/([^\s"]*)"?', r"\1", text.strip().splitlines()[0])[:200]
