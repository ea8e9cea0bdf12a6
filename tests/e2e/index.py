"""A package index of the tests' own: TLS by a certificate that nobody trusts yet, a password, and one package."""

import base64
import contextlib
import io
import ipaddress
import ssl
import threading
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PACKAGE = "parcel"


@dataclass(frozen=True, slots=True)
class Index:
    """A running index. url: with user and password. ca: file of the certificate. version: of the one package."""

    url: str
    password: str
    ca: Path
    version: str


@contextlib.contextmanager
def serve_index(address: str, folder: Path) -> Iterator[Index]:
    """Serve an index at an IP address of this machine until the body ends; its certificate is put into the folder.

    The version is new each time, so that no build cache has the package already.
    """
    password, version = uuid.uuid4().hex, f"1.{uuid.uuid4().int % 10**9}"
    server = ThreadingHTTPServer((address, 0), _handler(password, version))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_write_certificate(address, folder), folder / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"https://builder:{password}@{address}:{server.server_port}/simple"
        yield Index(url, password, folder / "ca.pem", version)
    finally:
        server.shutdown()
        server.server_close()


def _handler(password: str, version: str) -> type[BaseHTTPRequestHandler]:
    wheel = f"{PACKAGE}-{version}-py3-none-any.whl"
    pages = {f"/simple/{PACKAGE}/": f'<a href="/{wheel}">{wheel}</a>'.encode(), f"/{wheel}": _make_wheel(version)}
    expected = "Basic " + base64.b64encode(f"builder:{password}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            if self.headers.get("Authorization") != expected:
                self._answer(401, b"", {"WWW-Authenticate": "Basic"})
            elif self.path in pages:
                kind = "text/html" if self.path.endswith("/") else "application/octet-stream"
                self._answer(200, pages[self.path], {"Content-Type": kind})
            else:
                self._answer(404, b"", {})

        def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def _make_wheel(version: str) -> bytes:
    about, buffer = f"{PACKAGE}-{version}.dist-info", io.BytesIO()
    files = {
        f"{PACKAGE}.py": "",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": f"{PACKAGE}.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n",
    }
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def _write_certificate(address: str, folder: Path) -> Path:
    """Write ca.pem and key.pem: an authority, which is the server's own certificate too."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "index of the tests")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    certificate = (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return folder / "ca.pem"
