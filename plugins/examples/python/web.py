"""Requests over HTTP with WASI's own interfaces, which pass a backup's file on
without a byte of it coming into the component. Whatever goes wrong is raised as
a failure of the contract, which says whether it is worth trying again."""

import re

from componentize_py_types import Err, Ok
from wit_world.imports import outgoing_handler, wasi_http_types as http
from wit_world.imports.cofferdam_plugin_types import (
    Failure_Denied,
    Failure_InvalidConfig,
    Failure_NotFound,
    Failure_Permanent,
    Failure_Temporary,
    FieldError,
    TemporaryFailure,
)

CHUNK = 1 << 20

METHODS = {
    "GET": http.Method_Get,
    "PUT": http.Method_Put,
    "POST": http.Method_Post,
    "DELETE": http.Method_Delete,
    "OPTIONS": http.Method_Options,
}


def invalid(field, message):
    return Err(Failure_InvalidConfig([FieldError(field, message)]))


def denied(text):
    return Err(Failure_Denied(text))


def not_found(text):
    return Err(Failure_NotFound(text))


def permanent(text):
    return Err(Failure_Permanent(text))


def temporary(message, retry_after=None):
    return Err(Failure_Temporary(TemporaryFailure(message, retry_after)))


def parse(url):
    """Scheme, authority and path of an address, or nothing where it is none."""
    found = re.fullmatch(r"(https?)://([^/?#@\s]+)([^#\s]*)", url, re.IGNORECASE)
    return found and (found[1].lower(), found[2], found[3] or "/")


class Answer:
    """The answer to a request: its status and headers; the body is still to come.
    Used with `with`, which lets go of it."""

    def __init__(self, authority, response):
        self.authority = authority
        self.response = response
        self.status = response.status()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.response.__exit__(None, None, None)

    def header(self, name):
        with self.response.headers() as headers:
            values = headers.get(name)
        return values[0].decode() if values else None

    def success(self):
        """Itself, if its status is 2xx; otherwise raises what the status means."""
        if 200 <= self.status < 300:
            return self
        text = f"{self.authority} answered {self.status}"
        if self.status in (401, 403):
            raise denied(text)
        if self.status in (404, 410):
            raise not_found(text)
        if self.status in (408, 425, 429) or self.status >= 500:
            seconds = self.header("retry-after") or ""
            raise temporary(text, int(seconds) if seconds.isdigit() else None)
        raise permanent(text)

    def pass_body(self, output):
        """Passes the body on: all of it, as it was announced."""
        length = self.header("content-length")
        if length is None:
            raise permanent(f"{self.authority} does not say how long it is")
        with self.response.consume() as body, body.stream() as stream:
            pass_on(stream, output, int(length))


def send(method, url, headers=(), content=b"", stream=None, length=0):
    """Sends a request and waits for the answer's status and headers. The body is
    `content`, or a stream with its length."""
    scheme, authority, path = parse(url)
    size = len(content) if stream is None else length
    fields = [*headers, ("content-length", str(size))]
    request = http.OutgoingRequest(
        http.Fields.from_list([(name, value.encode()) for name, value in fields])
    )
    request.set_method(METHODS[method]())
    request.set_scheme(http.Scheme_Https() if scheme == "https" else http.Scheme_Http())
    request.set_authority(authority)
    request.set_path_with_query(path)
    body = request.body()
    try:
        waiting = outgoing_handler.handle(request, None)
    except Err as error:
        raise of_code(authority, error.value) from None
    broken = False
    with waiting:
        try:
            with body.write() as output:
                if stream is None:
                    write(content, output)
                else:
                    pass_on(stream, output, length)
        except Err:
            broken = True
        if broken:
            # A body that is let go, and not finished, never looks whole to the server.
            body.__exit__(None, None, None)
        else:
            try:
                http.OutgoingBody.finish(body, None)
            except Err as error:
                raise of_code(authority, error.value) from None
        # The answer to a broken upload says more than that it was broken.
        with waiting.subscribe() as ready:
            ready.block()
        got = waiting.get().value
    if not isinstance(got, Ok):
        raise of_code(authority, got.value)
    answer = Answer(authority, got.value)
    if broken and answer.status < 400:
        raise temporary(f"{authority} did not take all of it")
    return answer


def pass_on(stream, output, length):
    """Passes exactly so many bytes on, at the console's own speed."""
    left = length
    try:
        while left:
            left -= output.blocking_splice(stream, min(left, CHUNK))
        output.blocking_flush()
    except Err:
        raise temporary(f"the stream ended {left} bytes early") from None


def write(content, output):
    for at in range(0, len(content), 4096):
        output.blocking_write_and_flush(content[at : at + 4096])


def of_code(authority, code):
    refused = (http.ErrorCode_HttpRequestDenied, http.ErrorCode_DestinationIpProhibited)
    if isinstance(code, refused):
        return denied(f"the console does not allow a connection to {authority}")
    name = type(code).__name__.removeprefix("ErrorCode_")
    if isinstance(code, (http.ErrorCode_TlsCertificateError, http.ErrorCode_HttpRequestUriInvalid)):
        return permanent(f"{authority}: {name}")
    return temporary(f"{authority} cannot be reached: {name}")
