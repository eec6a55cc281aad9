"""Write the README's tables anew from the code: `python -m scripts.readme`. A test holds that nothing changes by it."""

import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from emotion_timeline import config
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.exports.tidy import CSV_COLUMNS, DATA_DICTIONARY
from emotion_timeline.labels import Labels

README = Path(__file__).resolve().parent.parent / "README.md"
_FUZZ = README.parent / "docs" / "fuzz.json"

_UNITS = {"_s": "seconds", "_bytes": "bytes"}


def columns_table() -> str:
    """The CSV's columns, in their order; the seven emotions, which mean the same, share a line."""
    rows = [(f"`{name}`", DATA_DICTIONARY[name]) for name in CSV_COLUMNS if name not in EMOTIONS[1:]]
    place = CSV_COLUMNS.index(EMOTIONS[0])
    meaning = DATA_DICTIONARY[EMOTIONS[0]].replace(EMOTIONS[0], "this one")
    rows[place] = (", ".join(f"`{name}`" for name in EMOTIONS), meaning)
    return table(("Column", "Meaning"), rows)


def labels_table() -> str:
    """What a probability means by whose labels."""
    return table(("Labels", "Meaning"), [(f"`{labels}`", labels.meaning) for labels in Labels])


def settings_table() -> str:
    """Every setting: its environment variable, default, unit and meaning."""
    prefix = config.Settings.model_config["env_prefix"]
    return table(
        ("Variable", "Default", "Unit", "Meaning"),
        [
            (f"`{prefix}{name.upper()}`", _default(field), _unit(name), str(field.description))
            for name, field in config.Settings.model_fields.items()
        ],
    )


def fuzz_figure() -> str:
    """What became of damaged files, by the latest run of benchmarks.fuzz that was recorded."""
    found = json.loads(_FUZZ.read_text(encoding="utf-8"))
    faults = f"{found['faults']} hung, crashed" if found["faults"] else "none hung, crashed"
    text = (
        f"- **Damaged files are told.** Of {found['files']:,} recordings with bits turned over, parts swapped, "
        f"repeated, taken out or cut off, {found['analysed']:,} were analysed, {found['refused']:,} refused in a "
        f"sentence, and {faults} or left a traceback (`benchmarks.fuzz`)."
    )
    return textwrap.fill(text, 118, subsequent_indent="  ", break_on_hyphens=False)


def updated(readme: str) -> str:
    """The README with each table between its two markers made anew."""
    tables = {"fuzz": fuzz_figure(), "labels": labels_table(), "columns": columns_table(), "settings": settings_table()}
    for name, table in tables.items():
        readme = filled(readme, f"<!-- {name}: made by `make readme` -->\n", table)
    return readme


def filled(document: str, marker: str, content: str) -> str:
    """The document with this between the marker, a line, and the end that follows it."""
    before, begin, rest = document.partition(marker)
    _, end, after = rest.partition("<!-- end -->")
    assert begin and end, f"the document has a place for what comes after {marker.strip()}"
    return f"{before}{begin}\n{content}\n\n{end}{after}"


def _default(field: FieldInfo) -> str:
    value: Any = None if field.default_factory else field.default
    if isinstance(value, Path) and value.is_absolute():
        value = value.relative_to(README.parent)  # the network's folder comes with the code
    if isinstance(value, bool):
        value = "on" if value else "off"  # as people write it into the environment
    return "" if value in (None, "") else f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _unit(name: str) -> str:
    return next((unit for suffix, unit in _UNITS.items() if name.endswith(suffix)), "")


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Markdown for a table."""
    rule = tuple("---" for _ in head)
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (head, rule, *rows))


def main() -> None:
    """Rewrite README.md."""
    README.write_text(updated(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
