"""Headers on every answer; the refusal of foreign names, and of state changes that another site asks a browser for.

There are no cookies and no sign-in: whoever reaches the service may use it. What is left to abuse is a person's
browser, told by a foreign page to post here. Browsers say where a request comes from (Sec-Fetch-Site, else Origin);
programs such as curl send neither and are let through
(https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html).
"""

from urllib.parse import urlsplit

from flask import Flask, Request, Response, request

from web.http.hosts import require_served
from web.http.problems import Problem
from web.http.service import service

_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",  # the chart is drawn to a file by way of a blob
        "media-src 'self' blob:",  # blob: what the camera recorded, before it is sent
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # not no-referrer: that would turn the Origin of our own forms into "null"
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(self), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def register(app: Flask) -> None:
    """Guard every request and mark every answer of the application."""
    app.before_request(lambda: require_served(service().settings, request))
    app.before_request(_refuse_foreign)
    app.after_request(_add_headers)


def _refuse_foreign() -> None:
    """Raises Problem 403 before a byte of the body is read."""
    if request.method not in _SAFE_METHODS and _is_foreign(request):
        raise Problem(403, "foreign_origin", "This was asked for by a page of another site, so nothing was done.")


def _is_foreign(asked: Request) -> bool:
    site = asked.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = asked.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc != asked.host


def _add_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-cache")
    return response
