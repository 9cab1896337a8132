"""Sending to an address that somebody else named, without being led to our own doorstep.

The name is resolved once, every address that it stands for is looked at, and the connection goes to
exactly that address. Redirects are not followed. Private, loopback, link-local and other addresses
that are not of the public internet are refused, in whatever way they are wrapped into IPv6.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from consent.errors import Refused

SECONDS: Final = 10.0
READ_AT_MOST: Final = 4_096
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_NOT_OF_IT: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
        "2001:db8::/32",  # documentation, as the next
        "3fff::/20",
    )
)
_RELAYS: Final = IPv4Network("192.88.99.0/24")  # anycast of 6to4, which is no more
_NO_PORTS: Final = frozenset({0, 19, 22, 23, 25, 53, 110, 143, 389, 465, 587, 993, 995})


@dataclass(frozen=True, slots=True)
class Reply:
    """What the other side said. `retry_after` is in seconds, 0 where it did not say."""

    status: int
    retry_after: int = 0


class NotSent(Exception):
    """The message did not arrive, or nobody knows: why, in words for a log."""


def check_address(url: str) -> SplitResult:
    """An address that may be called, taken apart. Raises `Refused` (`webhook_url`).

    What its name stands for is looked at when something is sent: that can change at any time.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _bad(_("This is not an address.")) from error
    home = _may_stay_home()
    if parts.scheme != "https" and not (home and parts.scheme == "http"):
        raise _bad(_("The address begins with https://."))
    if not parts.hostname or parts.username or parts.password or parts.fragment:
        raise _bad(_("The address has a host, and neither a password nor a fragment."))
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > 500:
        raise _bad(_("The address has at most 500 ASCII characters."))
    if port is not None and (port in _NO_PORTS or (port < 1024 and port not in (80, 443))):
        raise _bad(_("This port is not for webhooks."))
    try:
        literal = ip_address(parts.hostname)
    except ValueError:
        literal = None
    if literal is not None and not _may_be_called(literal):
        raise _bad(_("This address is not on the public internet."))
    return parts


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
    """Send one POST, in ten seconds at most; any answer is a `Reply`. Raises `NotSent`."""
    try:
        parts = check_address(url)
    except Refused as refused:
        raise NotSent(refused.sentence) from refused
    host = parts.hostname or ""
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    wire = _connect(host, port)
    # A timeout counts each read by itself; this one counts the whole.
    end = threading.Timer(SECONDS, _shut, [wire])
    end.start()
    try:
        if secure:
            wire = ssl.create_default_context().wrap_socket(wire, server_hostname=host)
        line = http.client.HTTPConnection(host, port)
        line.sock = wire
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        line.request("POST", target, body=body, headers=dict(headers))
        answer = line.getresponse()
        answer.read(READ_AT_MOST)
        return Reply(answer.status, _seconds(answer.getheader("Retry-After")))
    except (OSError, http.client.HTTPException) as error:
        raise NotSent(f"{type(error).__name__}: {error}"[:300]) from error
    finally:
        end.cancel()
        wire.close()


def _connect(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotSent("the name of the host is not known") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not all(_may_be_called(ip_address(a.split("%")[0])) for a in addresses):
        raise NotSent("the host is not on the public internet")
    problem: OSError | None = None
    for address in addresses[:4]:
        try:
            return socket.create_connection((address, port), timeout=SECONDS / 2)
        except OSError as error:
            problem = error
    raise NotSent(f"no connection: {problem}"[:300])


def _shut(wire: socket.socket) -> None:
    try:
        wire.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _may_stay_home() -> bool:
    """Tests and the demo have their other side on this machine."""
    return bool(getattr(settings, "WEBHOOKS_MAY_STAY_HOME", False))


def _may_be_called(address: IPv4Address | IPv6Address) -> bool:
    """Only what the public internet routes by itself.

    Of IPv6 that is 2000::/3 (RFC 4291 and the IANA registry): outside it lie site-local addresses
    and every prefix that a network may translate into IPv4 (mapped, compatible, translated,
    64:ff9b::/96); inside it the tunnels that carry an IPv4 address are left out, wherever it leads.
    """
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return _may_be_called(address.ipv4_mapped)  # the same address, as a socket spells it
    if address.is_loopback:
        return _may_stay_home()
    if isinstance(address, IPv6Address):
        if address not in _GLOBAL_UNICAST or any(address in net for net in _NOT_OF_IT):
            return False
    elif address in _RELAYS:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _seconds(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else 0


def _bad(sentence: object) -> Refused:
    return Refused("webhook_url", str(sentence), field="url")
