"""HTTP by urllib, with nothing else: no files, no FTP, no way back from HTTPS to HTTP."""

from __future__ import annotations

from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO
from urllib import request
from urllib.error import HTTPError
from urllib.parse import urlsplit

from grader._version import __version__
from grader.errors import UsageError
from grader.text import printable

_SCHEMES = ("https", "http")


class BrokenOffError(Exception):
    """A try ended before the file did: the next one may go on from there."""


class _Redirects(request.HTTPRedirectHandler):
    """Stays with HTTP, and with HTTPS where it began; urllib itself would follow to FTP."""

    def redirect_request(
        self, req: request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> request.Request | None:
        scheme = urlsplit(newurl).scheme
        if scheme not in _SCHEMES or (req.type == "https" and scheme == "http"):
            raise HTTPError(newurl, code, f"{msg} - redirection is not allowed to {newurl!r}", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    def http_error_302(
        self, req: request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage
    ) -> IO[bytes] | None:
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except ValueError:  # the new address is none; urllib forgets to hang up
            fp.close()
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def opener() -> request.OpenerDirector:
    """An opener that knows HTTP and nothing else: no files, no FTP."""
    director = request.OpenerDirector()
    handlers = (request.ProxyHandler, request.HTTPHandler, request.HTTPSHandler, _Redirects)
    for handler in (*handlers, request.HTTPDefaultErrorHandler, request.HTTPErrorProcessor):
        director.add_handler(handler())
    director.addheaders = [("User-Agent", f"vision-grader/{__version__}")]
    return director


def check_address(url: str) -> None:
    """Raises UsageError for anything but an address of HTTP."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in _SCHEMES and bool(parts.hostname) and (parts.port or 80) > 0
    except ValueError:
        good = False
    if not good:
        raise UsageError(f"{printable(url)}: expected an address that starts with https:// or http://.")


def read(response: HTTPResponse, size: int) -> bytes:
    """What has arrived, without waiting for all of `size`: bytes read before a stall are kept."""
    try:
        return response.read1(size)
    except (OSError, HTTPException) as e:
        raise BrokenOffError(why(e)) from None


def why(error: object) -> str:
    """What went wrong with a connection, in a few words."""
    if isinstance(error, TimeoutError):
        return "the server fell silent"
    return printable(str(getattr(error, "strerror", None) or error) or type(error).__name__)
