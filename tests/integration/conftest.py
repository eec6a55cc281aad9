"""A service of either kind with one worker that lives as long as a module's tests: to start one takes ten seconds."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from emotion_timeline.config import Settings
from tests.databases import postgres_database
from tests.services import QUICK, Service


@pytest.fixture(scope="module", params=["embedded", "servers"])
def lasting_service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """On SQLite and files, and on PostgreSQL and Redis, in turn."""
    with ExitStack() as stack:
        servers: dict[str, Any] = {}
        if request.param == "servers":
            server, template = map(request.getfixturevalue, ("postgres_maintenance_url", "migrated_postgres"))
            servers["database_url"] = stack.enter_context(postgres_database(server, template))
            servers["broker_url"] = request.getfixturevalue("redis_url").removesuffix("/0") + "/1"  # of its own
        settings = Settings(
            data_dir=tmp_path_factory.mktemp("lasting"), webhook_private_addresses=True, **QUICK, **servers
        )
        service = Service(settings)
        stack.callback(service.close)
        service.start_worker()
        yield service


@pytest.fixture
def running(lasting_service: Service) -> Iterator[Service]:
    """A service whose worker waits for work; for tests that don't harm it."""
    yield lasting_service
    lasting_service.renew()
