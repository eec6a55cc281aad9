"""What a request brings: one declaration for queries, forms and JSON, and one plain sentence for each fault."""

from enum import StrEnum
from typing import Any, ClassVar

import pytest
from pydantic import Field

from web.http.problems import Problem
from web.http.validation import Flag, Given, JsonBody, Seconds, Texts, WholeNumber, validated

LONG = "`name` was expected to be text of up to 1,000 characters"
OBJECT = "A JSON object with any of `start_s`, `limit` was expected, sent as application/json."


class Order(StrEnum):
    UP = "up"
    DOWN = "down"
    ASIDE = "aside"


class Query(Texts):
    limit: WholeNumber = Field(5, ge=1, le=200)
    start_s: Seconds = 0
    hidden: Flag = False
    order: Order = Order.UP
    name: str = Field("", max_length=1000)


class Change(JsonBody):
    codes: ClassVar = {"start_s": "bad_time"}
    start_s: Seconds
    limit: WholeNumber | None = Field(None, ge=1, title="lines, or null")


@pytest.mark.parametrize(
    ("model", "values", "code", "sentence"),
    [
        (Query, {"limit": "0"}, "bad_limit", "`limit` was expected to be a whole number from 1 to 200, but is '0'."),
        (Query, {"limit": "1_"}, "bad_limit", "`limit` was expected to be a whole number from 1 to 200, but is '1_'."),
        (Query, {"start_s": "nan"}, "bad_start_s", "`start_s` was expected to be a number from 0 on, but is 'nan'."),
        (Query, {"hidden": "yes"}, "bad_hidden", "`hidden` was expected to be 0 or 1, but is 'yes'."),
        (Query, {"order": ""}, "bad_order", "`order` was expected to be one of up, down, aside, but is ''."),
        (Query, {"name": "x" * 1001}, "bad_name", f"{LONG}, but is '{'x' * 39}."),
        (Change, {}, "bad_time", "`start_s` was expected to be a number from 0 on, but is missing."),
        (Change, {"start_s": "1"}, "bad_time", "`start_s` was expected to be a number from 0 on, but is '1'."),
        (Change, {"start_s": True}, "bad_time", "`start_s` was expected to be a number from 0 on, but is true."),
        (Change, {"start_s": []}, "bad_time", "`start_s` was expected to be a number from 0 on, but is a list."),
        (Change, {"start_s": 1, "limit": 0}, "bad_limit", "`limit` was expected to be lines, or null, but is 0."),
        (Change, {"start_s": 1, "x": 1}, "unknown_field", "There is no 'x' here; known are `start_s`, `limit`."),
        (Change, [], "bad_body", OBJECT),
        (
            Query,
            {"limit": "x", "hidden": "2"},
            "bad_limit",
            "`limit` was expected to be a whole number from 1 to 200, but is 'x'. "
            "`hidden` was expected to be 0 or 1, but is '2'.",
        ),
    ],
)  # fmt: skip
def test_each_fault_is_told_in_one_sentence(model: type[Given], values: Any, code: str, sentence: str) -> None:
    with pytest.raises(Problem) as refused:
        validated(model, values)
    assert (refused.value.status, refused.value.code, str(refused.value)) == (400, code, sentence)


def test_texts_stand_for_numbers_in_queries_and_forms_only() -> None:
    query = validated(Query, {"limit": "20", "start_s": " 1.5e1 ", "hidden": "1", "else": "x"})
    assert (query.limit, query.start_s, query.hidden) == (20, 15.0, True)
    assert validated(Change, {"start_s": "2.5", "limit": "3"}, strict=False) == Change(start_s=2.5, limit=3)
    assert validated(Change, {"start_s": 2}).start_s == 2.0
