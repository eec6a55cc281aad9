"""A worker's parent forks children while other threads of it use the database."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emotion_timeline.db.session import Database
from tests.services import REPOSITORY

FORKING = """
import os, signal, sys, threading
from emotion_timeline.config import load
from emotion_timeline.db.session import Database
from worker.delivery import deliver_due
from worker.sweeping import sweep_once

settings = load()
database = Database(settings.resolved_database_url)
use = {"deliver": lambda: deliver_due(settings, database), "sweep": lambda: sweep_once(settings)}[sys.argv[1]]

def use_on():
    while True:
        use()

use()  # imports what it needs
threading.Thread(target=use_on, daemon=True).start()
for _ in range(100):
    if not (child := os.fork()):
        signal.alarm(20)
        with Database(settings.resolved_database_url).write() as session:
            session.connection()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.services
@pytest.mark.parametrize("use", ["deliver", "sweep"])
def test_child_that_is_forked_while_another_thread_uses_the_database_can_write(
    database: Database, tmp_path: Path, use: str
) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    environment = {**os.environ, "TIMELINE_DATABASE_URL": url, "TIMELINE_DATA_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", FORKING, use], check=True, cwd=REPOSITORY, env=environment, timeout=200)
