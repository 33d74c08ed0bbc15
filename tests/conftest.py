"""Fixtures that every test may ask for: both databases, the real data, the browser."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.support import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
SHARED_STATE = pytest.StashKey[Path]()

# How long something takes tells of the machine, not of what is tested.
hypothesis.settings.register_profile("ledger", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("ledger")


def pytest_configure(config: pytest.Config) -> None:
    if "PYTHONPATH" in os.environ:  # for processes that tests start elsewhere
        paths = os.environ["PYTHONPATH"].split(os.pathsep)
        os.environ["PYTHONPATH"] = os.pathsep.join(str(Path(each).absolute()) for each in paths if each)
    inherited = getattr(config, "workerinput", {}).get("shared_state")
    config.stash[SHARED_STATE] = Path(inherited or tempfile.mkdtemp(prefix="ledger-tests-"))
    if inherited is None:
        (config.stash[SHARED_STATE] / "owner").write_text(str(os.getpid()))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    """Tell a worker of pytest-xdist where the session's processes meet."""
    node.workerinput["shared_state"] = str(node.config.stash[SHARED_STATE])


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgres.stop_shared(config.stash[SHARED_STATE])
        shutil.rmtree(config.stash[SHARED_STATE], ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by fixture what a test needs, so that `-m "not postgres"` leaves out all of it."""
    needs = {"postgres_server": "postgres", "chromium": "browser", "real_data": "real_data"}
    for item in items:
        names = getattr(item, "fixturenames", ())
        for fixture, marker in needs.items():
            if fixture in names:
                item.add_marker(marker)
        callspec = getattr(item, "callspec", None)
        if callspec is not None and callspec.params.get("database_url") == "postgres":
            item.add_marker("postgres")


@pytest.fixture(scope="session")
def shared_state(pytestconfig: pytest.Config) -> Path:
    """Folder in which the session's processes meet."""
    return pytestconfig.stash[SHARED_STATE]


@pytest.fixture(scope="session", autouse=True)
def _working_directory(shared_state: Path) -> Iterator[None]:
    """Not the repository: what belongs to a server's database is kept in the working directory by default."""
    before = Path.cwd()
    os.chdir(shared_state)
    yield
    os.chdir(before)


@pytest.fixture(scope="session")
def postgres_server(shared_state: Path) -> postgres.PostgresServer:
    """The session's PostgreSQL 18, shared by all its workers."""
    return postgres.shared(shared_state)


@pytest.fixture
def postgres_url(postgres_server: postgres.PostgresServer) -> Iterator[str]:
    """An empty PostgreSQL database of the test's own."""
    name = postgres_server.create_database()
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite file of the test's own, not yet created."""
    return f"sqlite:///{tmp_path / 'sales-ledger.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Both databases, one after the other: what asks for it is a contract of both."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real CRM sales data, which lies beside the repository, not in it."""
    default = ROOT.parent / "shared" / "data" / "crm_sales_opportunities"
    folder = Path(os.environ.get("LEDGER_REAL_DATA", default))
    if not folder.is_dir():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no real data here: set LEDGER_REAL_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser; make test has checked that there is one."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        pytest.fail("browser tests need Debian's chromium: apt-get install chromium")
    return found
