"""Where one local cloud keeps its files and which port it serves."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

STATE_DIR_VARIABLE = "LOCAL_CLOUD_STATE_DIR"
PORT_VARIABLE = "LOCAL_CLOUD_PORT"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One local cloud: its state directory and its port; every path is derived from them."""

    state_dir: Path
    port: int

    @property
    def endpoint(self) -> str:
        """The one endpoint of every service. An address, not a name: SDKs then use path-style S3 requests."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def tls_dir(self) -> Path:
        """Certificates and the CA bundles made from them."""
        return self.state_dir / "tls"

    @property
    def ca(self) -> Path:
        """The local CA alone, for clients of this cloud: each connection takes 40 ms to read the machine's CAs."""
        return self.tls_dir / "ca.pem"

    @property
    def ca_bundle(self) -> Path:
        """The machine's CA certificates and the local CA."""
        return self.tls_dir / "ca-bundle.pem"

    @property
    def node_ca_certs(self) -> Path:
        """The content of the machine's NODE_EXTRA_CA_CERTS and the local CA."""
        return self.tls_dir / "node-extra-ca-certs.pem"

    @property
    def scratch_dir(self) -> Path:
        """Everything that does not outlive the server: temporary files, S3 data, builds."""
        return self.state_dir / "scratch"

    @property
    def builds_dir(self) -> Path:
        """One directory for each CodeBuild build."""
        return self.scratch_dir / "builds"

    @property
    def handle_file(self) -> Path:
        """The running server's process id, endpoint and CA paths, as JSON."""
        return self.state_dir / "cloud.json"

    @property
    def programs_dir(self) -> Path:
        """Programs that begin faster than the machine's own: see `local_cloud.warm`."""
        return self.scratch_dir / "programs"

    @property
    def log_file(self) -> Path:
        """The server's own log."""
        return self.state_dir / "server.log"


def current() -> Settings:
    """The settings of the server this process is; raises RuntimeError outside a server process."""
    try:
        return Settings(state_dir=Path(os.environ[STATE_DIR_VARIABLE]), port=int(os.environ[PORT_VARIABLE]))
    except KeyError as error:
        raise RuntimeError(
            f"{error.args[0]} is not set: this process is not a local cloud server. "
            "Start one with `python -m local_cloud serve`."
        ) from error
