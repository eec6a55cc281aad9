"""The tidy timeline as a CSV that Excel opens by a double click.

Excel takes a CSV for the encoding of an old Windows unless it begins with a byte order mark, and reads numbers and
separators as the language of its system has them: where a number has a decimal comma, cells are parted by semicolons.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Self

from babel import Locale, UnknownLocaleError
from babel.numbers import get_decimal_symbol
from sqlalchemy.orm import Session

from emotion_timeline.db.tables import Video
from emotion_timeline.exports.dictionary import EXCEL, TEXT_COLUMNS
from emotion_timeline.exports.tidy import lines, timeline

_BYTE_ORDER_MARK = "\ufeff"
_SEMICOLON_BESIDE_POINT = ("CH", "LI")  # where Windows parts cells by semicolons though numbers have a decimal point


@dataclass(frozen=True, slots=True)
class Notation:
    """How a language writes numbers and lists.

    Attributes:
        decimal: between a number's whole and its fraction.
        separator: between the cells of a row.
    """

    decimal: str
    separator: str

    @classmethod
    def of(cls, language: str) -> Self:
        """That of a language.

        Args:
            language: its tag by BCP 47, such as en, de or fr-CA.

        Raises:
            ValueError: nobody knows it.
        """
        try:
            locale = Locale.parse(language, sep="-")
        except (UnknownLocaleError, ValueError) as exc:
            raise ValueError(f"{language!r} is no language that is known.") from exc
        decimal = "," if get_decimal_symbol(locale) == "," else "."
        semicolon = decimal == "," or locale.territory in _SEMICOLON_BESIDE_POINT
        return cls(decimal, ";" if semicolon else ",")


def excel_lines(session: Session, video: Video, notation: Notation) -> Iterator[str]:
    """The tidy CSV for Excel; see tidy.csv_lines."""
    is_number = [name not in TEXT_COLUMNS for name in EXCEL.header]
    rows = (
        [cell.replace(".", notation.decimal) if number else cell for cell, number in zip(row, is_number, strict=True)]
        for row in timeline(session, video)
    )
    return chain([_BYTE_ORDER_MARK], lines(EXCEL.header, rows, separator=notation.separator))
