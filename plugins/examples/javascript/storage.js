// Puts each backup on a web server that takes PUT: nginx, Apache, any server with DAV.

import * as artifact from "cofferdam:plugin/artifact@0.1.0";
import * as sink from "cofferdam:plugin/sink@0.1.0";
import { close, invalid, parse, passBody, permanent, send, success } from "./http.js";

const schema = {
  type: "object",
  required: ["url"],
  properties: {
    url: {
      type: "string",
      title: "Folder's URL",
      description: "Where the files go: https://files.example.org/backups",
      "x-cofferdam": "host",
    },
  },
};

/** The settings, once they are known to be right. */
function read(text) {
  const { url } = JSON.parse(text);
  if (typeof url !== "string" || !parse(url)) {
    throw invalid("/url", "must be an address such as https://files.example.org/backups");
  }
  return { url: url.replace(/\/+$/, "") };
}

/** What the console shows, and whether the settings work. */
export const plugin = {
  describe() {
    return {
      id: "web-server-js",
      name: "Web server (JavaScript)",
      version: "0.1.0",
      summary: "Puts each backup on a web server that takes PUT.",
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

/** A place that keeps backups. */
export const storage = {
  store(settings, backup) {
    const location = `${read(settings).url}/${backup.filename}`;
    const sidecar = new TextEncoder().encode(backup.sidecar);
    close(success(send("PUT", `${location}.json`, { bytes: sidecar })));
    const stream = artifact.open(0n, undefined);
    try {
      close(success(send("PUT", location, { stream, length: artifact.size() })));
    } finally {
      stream[Symbol.dispose]();
    }
    return { location, bytesStored: artifact.size(), note: undefined };
  },

  open(settings, location, offset, length) {
    read(settings);
    const last = length === undefined ? "" : offset + length - 1n;
    const headers = { range: `bytes=${offset}-${last}` };
    const answer = success(send("GET", location, { headers }));
    const output = sink.begin(undefined);
    try {
      passBody(answer, output);
    } finally {
      output[Symbol.dispose]();
    }
  },

  remove(settings, location) {
    read(settings);
    for (const url of [`${location}.json`, location]) {
      const answer = send("DELETE", url);
      close(answer.status === 404 ? answer : success(answer));
    }
  },

  list() {
    throw permanent("a web server has no list of its files");
  },
};
