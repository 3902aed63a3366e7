"""How the app may be reached: the host names it answers to, and the start token."""

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
    """How the app may be reached."""

    names: frozenset[str]  # host names it answers to
    any_address: bool  # whether it also answers to any IP address
    start_token: str | None  # None if other machines can reach the app

    def answers_to(self, name: str) -> bool:
        """Whether the app answers to a host name. IP addresses are safe, because DNS rebinding needs a name."""
        return name in self.names or (self.any_address and is_address(name))


def access(host: str, allow_hosts: Sequence[str] = ()) -> Access:
    """How an app bound to ``host`` may be reached. Raises UserError for an invalid name in ``allow_hosts``."""
    names = LOCAL_NAMES | {host.lower()} | {_host_name(each) for each in allow_hosts}
    everywhere = host in EVERY_INTERFACE
    if everywhere:
        names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
    return Access(names, everywhere, secrets.token_urlsafe(24) if is_loopback(host) else None)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
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
            f"--allow-host {name!r} is not a host name; write it without http:// and port, such as lab.example"
        )
    return kept
