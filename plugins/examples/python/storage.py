"""Puts each backup on a web server that takes PUT: nginx, Apache, any server with DAV."""

import json

import web
from wit_world import exports
from wit_world.exports.plugin import Description, Grants
from wit_world.imports import artifact, sink
from wit_world.imports.cofferdam_plugin_types import Receipt

SCHEMA = {
    "type": "object",
    "required": ["url"],
    "properties": {
        "url": {
            "type": "string",
            "title": "Folder's URL",
            "description": "Where the files go: https://files.example.org/backups",
            "x-cofferdam": "host",
        }
    },
}


def read(settings):
    """The settings, once they are known to be right."""
    url = json.loads(settings).get("url")
    if not isinstance(url, str) or not web.parse(url):
        raise web.invalid("/url", "must be an address such as https://files.example.org/backups")
    return url.rstrip("/")


class Plugin(exports.Plugin):
    """What the console shows, and whether the settings work."""

    def describe(self):
        return Description(
            id="web-server-py",
            name="Web server (Python)",
            version="0.1.0",
            summary="Puts each backup on a web server that takes PUT.",
            author="Cofferdam",
            homepage=None,
            settings_schema=json.dumps(SCHEMA),
            grants=Grants.NETWORK,
        )

    def check(self, settings):
        with web.send("OPTIONS", read(settings)).success() as answer:
            return f"{answer.authority} answers"


class Storage(exports.Storage):
    """A place that keeps backups."""

    def store(self, settings, backup):
        location = f"{read(settings)}/{backup.filename}"
        sidecar = backup.sidecar.encode()
        with web.send("PUT", f"{location}.json", content=sidecar) as answer:
            answer.success()
        size = artifact.size()
        with artifact.open(0, None) as stream:
            with web.send("PUT", location, stream=stream, length=size) as answer:
                answer.success()
        return Receipt(location=location, bytes_stored=size, note=None)

    def open(self, settings, location, offset, length):
        read(settings)
        last = "" if length is None else offset + length - 1
        headers = [("range", f"bytes={offset}-{last}")]
        with web.send("GET", location, headers).success() as answer:
            with sink.begin(None) as output:
                answer.pass_body(output)

    def remove(self, settings, location):
        read(settings)
        for url in (f"{location}.json", location):
            with web.send("DELETE", url) as answer:
                if answer.status != 404:
                    answer.success()

    def list(self, settings, cursor):
        raise web.permanent("a web server has no list of its files")
