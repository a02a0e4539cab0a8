// Posts each event to a web server, as the JSON document that the console has of it.

import { close, invalid, parse, send, success } from "./http.js";

const schema = {
  type: "object",
  required: ["url"],
  properties: {
    url: {
      type: "string",
      title: "URL",
      description: "What is called: https://example.org/events",
      "x-cofferdam": "host",
    },
  },
};

/** The settings, once they are known to be right. */
function read(text) {
  const { url } = JSON.parse(text);
  if (typeof url !== "string" || !parse(url)) {
    throw invalid("/url", "must be an address such as https://example.org/events");
  }
  return { url };
}

/** What the console shows, and whether the settings work. */
export const plugin = {
  describe() {
    return {
      id: "post-js",
      name: "Post (JavaScript)",
      version: "0.1.0",
      summary: "Posts each event to a web server.",
      author: "Cofferdam",
      homepage: undefined,
      settingsSchema: JSON.stringify(schema),
      grants: { network: true },
    };
  },

  check(settings) {
    const answer = success(send("OPTIONS", read(settings).url));
    close(answer);
    return `${answer.authority} answers`;
  },
};

/** Something that tells people, or other programs, what happened. */
export const notifier = {
  notify(settings, event) {
    const bytes = new TextEncoder().encode(event.document);
    const headers = { "content-type": "application/json", "x-event": event.kind };
    const answer = success(send("POST", read(settings).url, { headers, bytes }));
    close(answer);
    return `${answer.authority} answered ${answer.status}`;
  },
};
