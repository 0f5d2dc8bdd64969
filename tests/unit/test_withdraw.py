"""What names a case, and what a withdrawal says of itself."""

from __future__ import annotations

import pytest

from quitboard.errors import UsageError
from quitboard.operate.withdraw import violation_id

ID = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    "text",
    [
        ID,
        f"  {ID.upper()}\n",
        f"https://example.org/board/v/{ID}/",
        f"https://example.org/board/en/v/{ID}/index.html?from=mail&v=1#clip",
        f"http://user:pass@[::1]:8000/v/{ID}",
        f"v/{ID}/index.html",
        f"site/v/{ID}/",
        f"/srv/board/site/en/v/{ID}/index.html",
        f"file:///srv/board/site/v/{ID}/index.html",
        f"C:\\board\\site\\v\\{ID}\\index.html",
        f"https://example.org/withdrawn/{ID}/index.html",
        f"https://example.org/v/%30{ID[1:]}/",
    ],
)
def test_a_case_is_named_by_its_id_or_by_the_link_that_a_reader_pastes(text: str) -> None:
    assert violation_id(text) == ID


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "v",
        "v//",
        "../../etc/passwd",
        "v/../../etc/passwd",
        f"https://example.org/?v/{ID}/",
        f"https://example.org/#/v/{ID}/",
        f"https://example.org/w/{ID}/",
        f"v/{ID}/en/v/{'f' * 32}/",
        f"v/{ID}x/",
        f"{ID}'; DROP TABLE violation_info; --",
        f"v/{ID}%00/",
        "v/%ff%fe/",
        "http://[broken/v/" + ID,
        "a" * 65,
        "x" * 100_000,
        f"{'v/' * 50_000}{ID}/",
        "\N{FULLWIDTH DIGIT ONE}" * 32,
        "*",
        "-",
    ],
)
def test_what_names_no_case_is_refused_in_one_short_line(text: str) -> None:
    with pytest.raises(UsageError, match="names no case") as caught:
        violation_id(text)
    assert len(str(caught.value)) < 250
    assert "\n" not in str(caught.value)


def test_an_id_that_lost_its_end_is_an_id_all_the_same_so_that_the_nearest_can_be_named() -> None:
    assert violation_id(ID[:12]) == ID[:12]
