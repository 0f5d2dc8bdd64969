"""The catalogue: what ships is right, and a mistake is placed."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import pytest

from quitboard.catalogue import COLUMNS, catalogue_sha256, in_force, load_catalogue, parse_catalogue
from quitboard.errors import SettingsError
from quitboard.records import Role

ROW = {
    "kind": "no_helmet",
    "name_ko": "헬멧 미착용",
    "name_en": "No helmet",
    "vehicles": "scooter",
    "enabled": "yes",
    "law_article": "Article 50(4)",
    "fine_krw": "20000",
    "penalty_kind": "fine",
    "valid_from": "2021-05-13",
    "valid_to": "",
    "camera_visible": "yes",
    "exceptions": "",
    "source": "act",
}


def sheet(*rows: dict[str, str], header: tuple[str, ...] = COLUMNS) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([{**ROW, **row}[name] for name in COLUMNS] for row in rows)
    return text.getvalue()


def test_the_shipped_catalogue_holds_the_seven_enabled_kinds() -> None:
    enabled = [rule.kind for rule in load_catalogue() if rule.enabled]
    assert enabled == [
        "no_helmet", "passenger_no_helmet", "two_up", "sidewalk", "crosswalk_riding", "wrong_way", "parking",
    ]  # fmt: skip


def test_a_row_is_read_whole() -> None:
    (rule,) = parse_catalogue(sheet({"vehicles": "scooter motorcycle", "valid_to": "2024-12-31"}))
    assert rule.vehicles == (Role.SCOOTER, Role.MOTORCYCLE)
    assert (rule.fine_krw, rule.valid_from, rule.valid_to) == (20000, date(2021, 5, 13), date(2024, 12, 31))
    assert rule.enabled
    assert rule.camera_visible


@pytest.mark.parametrize(
    ("day", "fine"),
    [
        (date(2021, 5, 12), None),
        (date(2021, 5, 13), 20000),
        (date(2024, 2, 29), 20000),
        (date(2024, 3, 1), 30000),
    ],
)
def test_the_row_in_force_on_the_day_counts(day: date, fine: int | None) -> None:
    rules = parse_catalogue(
        sheet({"valid_to": "2024-02-29"}, {"valid_from": "2024-03-01", "fine_krw": "30000"}),
    )
    assert [rule.fine_krw for rule in in_force(rules, day)] == ([fine] if fine else [])


@pytest.mark.parametrize(
    ("row", "column", "says"),
    [
        ({"vehicles": "scoter"}, "vehicles", "Did you mean 'scooter'"),
        ({"vehicles": "scooter, bicycle"}, "vehicles", "'scooter,'"),
        ({"vehicles": "scooter scooter"}, "vehicles", "twice"),
        ({"vehicles": ""}, "vehicles", "empty"),
        ({"enabled": "true"}, "enabled", "yes, no"),
        ({"camera_visible": "Yes"}, "camera_visible", "Did you mean 'yes'"),
        ({"valid_from": "13.5.2021"}, "valid_from", "2021-05-13"),
        ({"valid_from": "2021-02-30"}, "valid_from", "no date"),
        ({"valid_from": "20210513"}, "valid_from", "no date"),
        ({"valid_to": "2020-01-01"}, "valid_to", "ends before"),
        ({"fine_krw": "20,000"}, "fine_krw", "20000"),
        ({"fine_krw": "-1"}, "fine_krw", "no amount"),
        ({"kind": "No helmet"}, "kind", "small letters"),
        ({"kind": "no_helmt"}, "kind", "Did you mean 'no_helmet'"),
        ({"name_ko": " "}, "name_ko", "empty"),
        ({"kind": "signal"}, "enabled", "later version"),
        ({"kind": "speeding"}, "enabled", "later version"),
        ({"camera_visible": "no"}, "enabled", "no camera can see"),
    ],
)
def test_a_mistake_names_file_line_and_column(row: dict[str, str], column: str, says: str) -> None:
    good = {"kind": "two_up"}
    with pytest.raises(SettingsError) as caught:
        parse_catalogue(sheet(good, row), "rules.csv")
    assert caught.value.where == f"rules.csv, line 3, column {column}"
    assert says in str(caught.value)


def test_two_rows_of_a_kind_must_not_be_in_force_on_one_day() -> None:
    with pytest.raises(SettingsError, match="in line 2"):
        parse_catalogue(sheet({"valid_to": "2024-03-01"}, {"valid_from": "2024-03-01"}))


def test_a_disabled_kind_may_be_anything() -> None:
    (rule,) = parse_catalogue(sheet({"kind": "loud_music", "enabled": "no", "camera_visible": "no"}))
    assert not rule.enabled


def test_the_line_is_right_after_a_cell_of_two_lines() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_catalogue(sheet({"source": "act\nof 2021"}, {"kind": "two_up", "enabled": "maybe"}), "rules.csv")
    assert caught.value.where == "rules.csv, line 4, column enabled"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        (";".join(COLUMNS), "semicolons"),
        (",".join(COLUMNS).replace("name_ko", "name_kr"), "Did you mean 'name_ko'"),
        (",".join(COLUMNS[:-1]), "without the column source"),
        (",".join((*COLUMNS, "kind")), "there twice"),
        (",".join(COLUMNS) + "\nno_helmet,x", "2 cells for 13 columns"),
        (",".join(COLUMNS) + '\n"no_helmet', "not CSV"),
    ],
)
def test_a_sheet_of_another_shape_is_refused(text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=r"rules\.csv") as caught:
        parse_catalogue(text, "rules.csv")
    assert says in str(caught.value)


def test_columns_may_stand_in_any_order() -> None:
    text = sheet({})
    turned = "\n".join(",".join(reversed(line.split(","))) for line in text.splitlines())
    assert parse_catalogue(turned) == parse_catalogue(text)


def test_a_file_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rules.csv"
    path.write_bytes(b"\xef\xbb\xbf" + sheet({}).replace("\n", "\r\n").replace("\r\r", "\r").encode())
    assert load_catalogue(path) == parse_catalogue(sheet({}))


def test_another_encoding_is_named_with_its_cure(tmp_path: Path) -> None:
    path = tmp_path / "rules.csv"
    path.write_bytes(sheet({}).encode("cp949"))
    with pytest.raises(SettingsError, match="CSV UTF-8"):
        load_catalogue(path)


def test_a_missing_file_is_a_settings_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.csv"):
        load_catalogue(tmp_path / "none.csv")


def test_the_hash_follows_what_rows_say_and_not_how_they_are_quoted() -> None:
    text = sheet({})
    assert catalogue_sha256(parse_catalogue(text)) == catalogue_sha256(
        parse_catalogue(text.replace("no_helmet", '"no_helmet"'))
    )
    assert catalogue_sha256(parse_catalogue(text)) != catalogue_sha256(parse_catalogue(sheet({"fine_krw": "1"})))
