"""Posts each event to a web server, as the JSON document that the console has of it."""

import json

import web
from wit_world import exports
from wit_world.exports.plugin import Description, Grants

SCHEMA = {
    "type": "object",
    "required": ["url"],
    "properties": {
        "url": {
            "type": "string",
            "title": "URL",
            "description": "What is called: https://example.org/events",
            "x-cofferdam": "host",
        }
    },
}


def read(settings):
    """The settings, once they are known to be right."""
    url = json.loads(settings).get("url")
    if not isinstance(url, str) or not web.parse(url):
        raise web.invalid("/url", "must be an address such as https://example.org/events")
    return url


class Plugin(exports.Plugin):
    """What the console shows, and whether the settings work."""

    def describe(self):
        return Description(
            id="post-py",
            name="Post (Python)",
            version="0.1.0",
            summary="Posts each event to a web server.",
            author="Cofferdam",
            homepage=None,
            settings_schema=json.dumps(SCHEMA),
            grants=Grants.NETWORK,
        )

    def check(self, settings):
        with web.send("OPTIONS", read(settings)).success() as answer:
            return f"{answer.authority} answers"


class Notifier(exports.Notifier):
    """Something that tells people, or other programs, what happened."""

    def notify(self, settings, event):
        headers = [("content-type", "application/json"), ("x-event", event.kind)]
        content = event.document.encode()
        with web.send("POST", read(settings), headers, content=content) as answer:
            return f"{answer.authority} answered {answer.success().status}"
