"""The web side of Emotion Timeline: uploads, the HTTP API and the pages. It reads the database and never a frame.

Gunicorn runs it with threads, as "web:create_app()".
"""

from importlib.metadata import version

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from emotion_timeline.config import Settings, load, served_version
from emotion_timeline.db import workers
from emotion_timeline.db.migrations import require_current
from emotion_timeline.db.session import Database
from emotion_timeline.detectors import detector_version
from emotion_timeline.service.privacy import keep_private, make_private
from web.exports import api as exports_api
from web.faces import api as faces_api
from web.faces import pages as faces_pages
from web.http import caching, docs, formatting, malformed, problems, security, sentences
from web.http.service import Service, install, service
from web.notes import api as notes_api
from web.notes import pages as notes_pages
from web.recordings import api as recordings_api
from web.recordings import archives, selection, strip_drawing
from web.recordings import pages as recordings_pages
from web.renders import api as renders_api
from web.timeline import playback
from web.uploads import reservations, tus
from web.uploads.multipart import UploadRequest
from web.webhooks import api as webhooks_api

_SMALL_REQUEST_BYTES = 64 * 1024  # every request but an upload
_PARTS = (
    archives,
    docs,
    exports_api,
    faces_api,
    faces_pages,
    renders_api,
    notes_api,
    notes_pages,
    recordings_pages,
    playback,
    selection,
    sentences,
    strip_drawing,
    tus,
    recordings_api,
    webhooks_api,
)


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application.

    Args:
        settings: None reads the environment.

    Raises:
        SettingsError: a setting, or the database's schema, doesn't fit.
        ModelError: the served network isn't there.
    """
    settings = settings or load()
    served_version(settings.model_dir, settings.labels)  # told now, not at somebody's upload
    detector_version(settings.detector_path)
    keep_private()
    make_private(settings.data_dir)
    settings.recordings_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.resolved_database_url)
    require_current(database)
    reservations.tidy(settings, database)
    app = Flask(__name__)
    app.request_class = UploadRequest
    app.config["MAX_CONTENT_LENGTH"] = _SMALL_REQUEST_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined] # Flask's default provider has it
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    install(app.extensions, Service(settings, database, version("emotion-timeline")))
    problems.register(app)
    security.register(app)
    malformed.register(app)
    caching.register(app)
    formatting.register(app)
    for part in _PARTS:
        app.register_blueprint(part.blueprint)
    app.add_url_rule("/healthz", view_func=_healthz)
    return app


def _healthz() -> tuple[dict[str, str], int]:
    """Whether the web side works; and of the workers, which it can do without for a while, how they are."""
    try:
        with service().database.read() as session:
            return {"status": "ok", "worker": workers.state(session, service().settings.sweep_s)}, 200
    except SQLAlchemyError:
        return {"status": "database unavailable"}, 503
