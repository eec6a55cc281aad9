"""What can go wrong, one type for each thing that a caller handles differently.

TimelineError            every message is a plain sentence that a user may read
├── SettingsError        an environment variable has a value that can't be used
├── VideoError           the recording itself: refused, or not decodable; permanent, retrying does not help
├── ModelError           the network's files are missing, damaged or of another version
├── LeaseLost            another worker owns this piece of work now; the result must not be written
├── Stopped              the analysis was asked to stop (cancelled, deleted, or the worker is shutting down)
├── NotFound             no such video
├── Conflict             the video is not in a state that allows the request
└── KeyReused            an idempotency key came again with another request
"""


class TimelineError(Exception):
    """Base of all errors that this product raises on purpose."""


class SettingsError(TimelineError):
    """A setting is missing or out of bounds; the message names it."""


class VideoError(TimelineError):
    """A recording that can't be analysed.

    Args:
        code: short, stable, snake_case name of the fault, for programs.
        message: one plain sentence for people: what was expected, what was found, what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message


class InputError(TimelineError):
    """A file that a person gave is not what it should be; the message says what was expected and found."""


class ModelError(TimelineError):
    """The network can't be loaded."""


class LeaseLost(TimelineError):
    """The lease on a piece of work went to someone else."""


class Stopped(TimelineError):
    """The analysis was asked to stop before its end."""


class NotFound(TimelineError):
    """No such video."""


class Conflict(TimelineError):
    """The video is not in a state that allows what was asked."""


class KeyReused(TimelineError):
    """An idempotency key was used for another request before."""
