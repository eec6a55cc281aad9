"""Settings from the environment, one class; a bad value fails at start with the variable's name.

Only entry points (the Celery application, the web application, the command line) call load(); everything else is passed
values. What belongs to a network comes from its metadata.json, not from here.
"""

import json
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL

from emotion_timeline.errors import ModelError, SettingsError
from emotion_timeline.labels import Labels, Network
from emotion_timeline.labels import read as read_labels

_REPOSITORY = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Every setting, its unit, its bounds and its default; the environment variable is TIMELINE_ and the name."""

    model_config = SettingsConfigDict(env_prefix="TIMELINE_", frozen=True, extra="ignore", env_ignore_empty=True)

    data_dir: Path = Field(Path("data"), description="Folder for recordings, and for the embedded database and queue.")
    database_url: str = Field("", description="SQLAlchemy URL of the database. Empty: SQLite in the data folder.")
    broker_url: str = Field("", description="Celery URL of the queue. Empty: files in the data folder.")
    models_dir: Path = Field(_REPOSITORY / "models", description="Folder that holds the networks.")
    model: str = Field(
        default_factory=lambda data: _promoted(data.get("models_dir")),
        pattern=r"^[A-Za-z0-9._-]+$",
        description="Folder under the models folder that is served. Empty: the one that its served.txt names.",
    )
    labels: Labels | None = Field(
        None,
        description="Whose labels timelines have, unless asked otherwise: ferplus or fer2013. Empty: ferplus where the "
        "network has learnt them.",
    )
    detector_path: Path | None = Field(
        None, description="Another YuNet ONNX file for face detection. Empty: the packaged one."
    )
    persons: bool = Field(
        True,
        description="Whether faces that look alike are one person within a recording. off: no embeddings are made, and "
        "who comes back is another face.",
    )
    threads: int | None = Field(None, ge=1, le=256, description="Processor threads of one worker process. Empty: all.")
    segment_s: float = Field(20.0, ge=0.5, le=600, description="Length of a unit of work, in seconds of video.")
    lease_s: float = Field(
        60.0, ge=1, le=3600, description="Seconds without a sign of life after which work is given to another."
    )
    stall_s: float = Field(
        300.0, ge=5, le=86400, description="Seconds without a new frame after which an analysis is killed."
    )
    max_attempts: int = Field(
        3, ge=1, le=20, description="Times that a piece of work may stop its process before the video fails."
    )
    sweep_s: float = Field(10.0, ge=0.2, le=600, description="Seconds between two looks for lost or abandoned work.")
    network_wait_s: float = Field(
        300.0,
        ge=0,
        le=604800,
        description="Seconds that a recording waits for a worker that has its network.",
    )
    task_time_limit_s: int = Field(
        21600, ge=60, le=604800, description="Seconds after which a piece of work that does not end is killed."
    )
    max_upload_bytes: int = Field(8 * 1024**3, ge=1, description="Largest accepted recording, in bytes.")
    upload_life_s: float = Field(
        604800.0, ge=60, le=31536000, description="Seconds that an upload waits to be continued before it is removed."
    )
    min_free_bytes: int = Field(512 * 1024**2, ge=0, description="Disk space that uploads leave free, in bytes.")
    probe_timeout_s: float = Field(60.0, ge=1, le=3600, description="Seconds that checking an upload may take.")
    probe_memory_bytes: int = Field(
        2 * 1024**3, ge=1536 * 1024**2, description="Memory that checking an upload may take, in bytes."
    )
    webhook_private_addresses: bool = Field(
        False, description="Whether webhooks may go to addresses of private networks and of this machine."
    )

    hosts: str = Field(
        "",
        pattern=r"^[A-Za-z0-9.:_\[\], -]*$",
        description="Names, separated by commas, by which the service is reached beside localhost; others are refused.",
    )

    @property
    def host_names(self) -> frozenset[str]:
        """What `hosts` names, in lower case and without brackets."""
        return frozenset(name.strip().strip("[]").rstrip(".").lower() for name in self.hosts.split(",")) - {""}

    @property
    def resolved_database_url(self) -> str | URL:
        """SQLAlchemy URL with its driver."""
        if not self.database_url:  # in parts: a folder's name may have what means something in a URL
            return URL.create("sqlite", database=str(self.data_dir.resolve() / "timeline.db"))
        for plain in ("postgresql://", "postgres://"):
            if self.database_url.startswith(plain):
                return "postgresql+psycopg://" + self.database_url.removeprefix(plain)
        return self.database_url

    @property
    def resolved_broker_url(self) -> str:
        """Celery broker URL."""
        return self.broker_url or "filesystem://localhost"

    @property
    def recordings_dir(self) -> Path:
        """Where uploaded recordings lie, named by the video's id."""
        return self.data_dir.resolve() / "recordings"

    @property
    def model_dir(self) -> Path:
        """Folder of the served network."""
        return self.models_dir / self.model

    def recording(self, video_id: str) -> Path:
        """Path of a video's recording."""
        return self.recordings_dir / video_id

    @property
    def derived_dir(self) -> Path:
        """Where what was made from recordings lies, in a folder for each video."""
        return self.data_dir.resolve() / "derived"

    def derived(self, video_id: str) -> Path:
        """Folder of what was made from a video's recording."""
        return self.derived_dir / video_id


def _promoted(models_dir: Path | None) -> str:
    """The folder that training.promote made the served one; nothing where models_dir itself can't be used."""
    if models_dir is None:
        return ""
    path = models_dir / "served.txt"
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingsError(
            f"{path} should name the folder of the network to serve, but can't be read ({exc}). "
            "Restore it, or set TIMELINE_MODELS_DIR, or TIMELINE_MODEL to one that is there."
        ) from exc


def load() -> Settings:
    """Read the settings from the environment.

    Raises:
        SettingsError: naming each variable whose value can't be used, and why.
    """
    try:
        return Settings()
    except ValidationError as exc:
        faults = [
            f"TIMELINE_{'.'.join(map(str, e['loc'])).upper()} is {e['input']!r}: {e['msg']}" for e in exc.errors()
        ]
        raise SettingsError("; ".join(faults) + ". Correct the environment and start again.") from exc


def served_version(model_dir: Path, labels: Labels | None = None) -> str:
    """Version of what the network in a folder makes now, without loading it.

    Args:
        model_dir: the folder.
        labels: whose labels are asked for; see Network.chosen.

    Raises:
        ModelError: no usable metadata.json, or the network doesn't give those labels.
    """
    network = served_network(model_dir)
    return network.version_by(network.chosen(labels))


def served_network(model_dir: Path) -> Network:
    """What is known of the network in a folder, without loading it.

    Raises:
        ModelError: no usable metadata.json.
    """
    path = model_dir / "metadata.json"
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return Network(str(fields["version"]), read_labels(fields.get("labels", ["fer2013"])))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise ModelError(
            f"{path} was expected to describe a network but can't be used ({exc}). "
            "Restore it, or set TIMELINE_MODEL to another folder under the models folder."
        ) from exc
