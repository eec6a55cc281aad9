"""What the HTTP API answers, as pydantic models: they make the JSON, and they stand in the API's description.

Each resource has its own in web/<resource>/schemas.py; here is what several share. Times are seconds from a recording's
first frame.
"""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Body(BaseModel):
    """A JSON object that is answered, with these fields and no others."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def of(cls, source: object, /, **more: Any) -> Self:
        """Build it from an object whose attributes bear the fields' names.

        Args:
            source: a row, for instance.
            more: fields that it lacks, or that are told in another way.
        """
        return cls(**{name: getattr(source, name) for name in cls.model_fields if name not in more}, **more)


def rounded(decimals: int) -> AfterValidator:
    """Round a number to so many decimals."""
    return AfterValidator(lambda value: round(value, decimals))


Timestamp = Annotated[float, rounded(6)]
Probability = Annotated[float, rounded(6)]
Box = Annotated[list[Annotated[float, rounded(2)]], Field(description="x, y, width, height in pixels as displayed")]


class Network(Body):
    """The network of an analysis."""

    name: str
    version: str


class ClipRange(Body):
    """The stretch of a recording that is analysed; the end is exclusive."""

    start_s: float | None
    end_s: float | None


class Failure(Body):
    """Why something failed."""

    code: str
    message: str


class SelfLink(Body):
    """Its own address."""

    self: str
