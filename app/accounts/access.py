"""From where the app may be reached: the names it answers to, and whether a start token opens it."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from synthaug.errors import UserError

EVERY_INTERFACE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - named to be recognised, not bound to
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Access:
    """The host names answered to, whether bare IP addresses are too, and the start token (None off this machine)."""

    names: frozenset[str]
    any_address: bool
    start_token: str | None

    def answers_to(self, name: str) -> bool:
        """Whether a host name is ours. A bare IP address cannot be pointed at us by somebody's DNS."""
        return name in self.names or (self.any_address and is_address(name))


def access(host: str, allow_hosts: Sequence[str] = ()) -> Access:
    """How an app bound to ``host`` may be reached. Raises UserError on a name that is none."""
    names = LOCAL_NAMES | {host.lower()} | {_host_name(each) for each in allow_hosts}
    everywhere = host in EVERY_INTERFACE
    if everywhere:
        names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
    return Access(names, everywhere, secrets.token_urlsafe(24) if is_loopback(host) else None)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    return host == "localhost" or (is_address(host) and ip_address(host).is_loopback)


def is_address(name: str) -> bool:
    """Whether a host name is an IP address."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _host_name(name: str) -> str:
    kept = name.strip().lower()
    plain = kept.replace("-", "").replace(".", "").replace("_", "")
    if not is_address(kept) and not (plain.isascii() and plain.isalnum()):
        raise UserError(
            f"--allow-host {name!r} is no host name; give it without http:// and port: lab.example"
        )
    return kept
