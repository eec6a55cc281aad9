"""Parameters that several resources take in their query."""

from pydantic import Field

from web.http.validation import Flag, Texts, WholeNumber


class Paging(Texts):
    """A page of a list."""

    limit: WholeNumber = Field(50, ge=1, le=200, description="How many at most.")
    offset: WholeNumber = Field(0, ge=0, le=2**31 - 1, description="How many to leave out.")


class Hidden(Texts):
    """Whether hidden faces are wanted."""

    hidden: Flag = Field(False, description="1: hidden faces, too.")
