"""How a recording is to be analysed, as forms and other clients write it: texts, all of them optional."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from emotion_timeline.clip import Clip
from emotion_timeline.errors import VideoError
from emotion_timeline.labels import Labels
from emotion_timeline.turning import TURNS, Rotation
from web.http.problems import Problem
from web.http.validation import Given, Seconds, number_as_written, validated

ROTATE = "degrees clockwise by which the pictures are turned first, besides what the file says"
_DEGREES = {str(turn): turn for turn in TURNS}
LABELS = "whose labels to give: FER+'s raters', or FER2013's own; without it as the server is set"


class Options(Given):
    """How to analyse a recording.

    Attributes:
        sample_hz: frames per second to analyse; None for all.
        clip_start_s: start of the stretch to analyse, in seconds from the first frame; None for the recording's.
        clip_end_s: its end, exclusive; None for the recording's.
        labels: whose labels to give; None for what the settings say.
        rotate: degrees clockwise by which pictures are turned first.
    """

    codes: ClassVar[Mapping[str, str]] = {"clip_start_s": "bad_clip", "clip_end_s": "bad_clip"}

    sample_hz: Annotated[float, Field(gt=0, le=1000), number_as_written] | SkipJsonSchema[None] = Field(
        None, description="frames per second to analyse; without it all"
    )
    clip_start_s: Annotated[Seconds | SkipJsonSchema[None], AfterValidator(lambda start_s: start_s or None)] = Field(
        None,
        title="a time in seconds from the first frame",
        description="analyse from this time on; without it from the start",
    )
    clip_end_s: Seconds | SkipJsonSchema[None] = Field(
        None,
        title="a time in seconds from the first frame",
        description="analyse up to this time; without it to the end",
    )

    labels: Labels | SkipJsonSchema[None] = Field(None, description=LABELS)
    rotate: Annotated[Rotation, BeforeValidator(lambda text: _DEGREES.get(text, text))] = Field(0, description=ROTATE)

    @model_validator(mode="after")
    def _check_clip(self) -> Self:
        try:
            _ = self.clip
        except VideoError as exc:
            raise Problem(400, exc.code, exc.message) from exc
        return self

    @property
    def clip(self) -> Clip:
        """The stretch."""
        return Clip(self.clip_start_s, self.clip_end_s)


def read(texts: Mapping[str, str]) -> Options:
    """The options in a form.

    Args:
        texts: by name; an empty one was not wished for.

    Raises:
        Problem: 400, naming the one that can't be used, or that isn't known.
    """
    wished = {name: text.strip() for name, text in texts.items() if text.strip() or name not in Options.model_fields}
    return validated(Options, wished)
