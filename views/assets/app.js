// What the pages do beyond plain links and forms. Everything works without
// this file; it only saves reloads. No markup is made here: htmx fetches it.
(() => {
  "use strict";

  const root = document.documentElement;
  const body = document.body;
  const announcer = document.getElementById("announcer");
  const offline = document.getElementById("offline");
  const dialog = document.getElementById("dialog");
  root.classList.add("js");

  const say = (words) => {
    if (announcer) announcer.textContent = words ?? "";
  };

  // The tab says how far the backup on this page has come.
  const retitle = () => {
    const moving = document.querySelector("main [data-title]");
    const product = root.dataset.title.split(" · ").at(-1);
    document.title = moving ? `${moving.dataset.title} · ${product}` : root.dataset.title;
  };
  retitle();
  document.addEventListener("htmx:after:swap", retitle);

  // The stream only says what changed. Whatever shows that backup, or a list,
  // fetches itself again.
  const changed = (selector, event) => {
    for (const element of document.querySelectorAll(selector)) htmx.trigger(element, event);
  };
  const backupChanged = (id) => {
    if (/^[0-9a-f-]{36}$/.test(id)) changed(`[data-backup="${id}"]`, "changed");
  };
  const listChanged = () => changed("[hx-trigger^='listed']", "listed");

  // Never in a circle: a page that has only just been loaded stays.
  const reload = () => {
    if (performance.now() > 5000) location.reload();
  };

  // A stream that is gone for a moment is not worth a word.
  let patience = 0;
  let lost = false;
  const connectionLost = () => {
    if (patience || lost) return;
    patience = setTimeout(() => {
      patience = 0;
      lost = true;
      if (!offline) return;
      offline.hidden = false;
      say(offline.textContent);
    }, 1500);
  };
  // `all`: nobody listened for a while, so everything may have changed;
  // otherwise only what moved while this page was made, or may have: of
  // plugins and destinations nobody can tell beforehand.
  const refresh = (all) => {
    if (all) {
      changed("#live", "changed");
      listChanged();
    } else {
      changed("[data-moving]", "changed");
    }
  };
  const connectionBack = (missed) => {
    missed ||= lost;
    clearTimeout(patience);
    patience = 0;
    if (lost) {
      lost = false;
      offline.hidden = true;
      say(body.dataset.online);
    }
    refresh(missed);
  };

  // All tabs of a browser share one stream: a browser keeps six connections to
  // a console, and a stream needs one for as long as it lasts. Whichever tab
  // holds the lock listens and tells the others; when it goes, the next one
  // listens. Where a browser shares nothing (plain HTTP from another machine),
  // each tab has its own stream, while it is looked at.
  const stream = document.getElementById("stream");
  const tabs = stream && navigator.locks && window.BroadcastChannel ? new BroadcastChannel("stream") : null;
  // The console's pulse, every five seconds, is passed on like the rest: a tab
  // hears by it that whoever listens for it does, and still hears something.
  const SILENCE = 3 * 5000;
  let heard = performance.now();
  const news = {
    backup: backupChanged,
    list: listChanged,
    pulse: () => {
      if (lost || patience) connectionBack(true);
    },
    lost: connectionLost,
    back: connectionBack,
    // The page itself knows where to go; one that has only just been loaded
    // goes a little later.
    signedOut: () => setTimeout(() => location.reload(), Math.max(0, 5000 - performance.now())),
  };
  const hear = (what, more) => {
    if (what !== "lost") heard = performance.now();
    news[what]?.(more);
  };
  const tell = (what, more) => {
    hear(what, more);
    tabs?.postMessage([what, more]);
  };
  tabs?.addEventListener("message", ({ data: [what, more] }) => hear(what, more));
  setInterval(() => {
    // A stream of one's own rests while the page is not looked at.
    if (!stream || (!tabs && document.hidden)) heard = performance.now();
    else if (performance.now() - heard > SILENCE) connectionLost();
  }, 1000);

  const listen = () => htmx.trigger(stream, "listen");
  // Whether this page is older than its stream by more than its making.
  let takenOver = false;
  // By now htmx has read the page.
  document.addEventListener("DOMContentLoaded", async () => {
    if (!tabs) {
      if (stream) listen();
      return;
    }
    // What was told between the page's making and now, this tab has not heard.
    const { held } = await navigator.locks.query();
    if (held.some((lock) => lock.name === "stream")) refresh(true);
    const asked = performance.now();
    // Held until this page is left.
    navigator.locks.request("stream", () => {
      takenOver = performance.now() - asked > 1000;
      stream.setAttribute("hx-config", `${stream.getAttribute("hx-config")}, sse.pauseOnBackground:false`);
      listen();
      return new Promise(() => {});
    });
  });

  document.addEventListener("backup", (event) => tell("backup", event.detail?.data ?? ""));
  for (const list of ["backups", "plugins", "destinations"]) document.addEventListener(list, () => tell("list"));
  document.addEventListener("pulse", () => tell("pulse"));
  document.addEventListener("htmx:sse:before:connection", (event) => {
    if (event.detail?.connection?.attempt > 0) tell("lost");
  });
  document.addEventListener("htmx:sse:error", (event) => {
    tell(event.detail?.status === 401 ? "signedOut" : "lost");
  });
  document.addEventListener("htmx:sse:after:connection", (event) => {
    heard = performance.now();
    connectionBack(takenOver || event.detail?.connection?.attempt > 0);
    tabs?.postMessage(["back", true]);
  });
  // A stream that could not even begin is tried again, a little later each time.
  let delay = 1000;
  const retryStream = () => {
    tell("lost");
    setTimeout(listen, delay);
    delay = Math.min(delay * 2, 10000);
  };
  stream?.addEventListener("htmx:error", retryStream);

  // An answer that is an error is not put into the page. Signed out: the page
  // itself knows where to go, and so do those of the other tabs. Not allowed,
  // or too old a form, is this tab's own affair. A form or a link: the whole answer, as without
  // scripts. What shows a backup that is gone goes too.
  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = event.detail;
    const source = ctx?.sourceElement;
    const status = ctx?.response?.status;
    // Signed out after a click: the answer itself says where to go, and htmx
    // goes at once; a link leads there by itself.
    if (status === 401 && ctx.response.headers.has("hx-redirect")) tabs?.postMessage(["signedOut"]);
    else if (status === 401 && source?.matches("a[href]")) location.assign(source.href);
    else if (status === 401) tell("signedOut");
    else if (source === stream) retryStream();
    else if (status === 422) return;
    // Whether it was done is not known: the page as it is now says so.
    else if (status >= 500) reload();
    else if (source?.matches("form[method=post]")) source.submit();
    else if (source?.matches("a[href]")) location.assign(source.href);
    else if (source?.id === "live" && status === 404) location.assign("/backups");
  });

  // A backup that was asked for appears in the list of this page.
  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    const form = ctx?.sourceElement;
    if (!form?.matches?.("form[data-started]") || !(ctx.response?.status < 400)) return;
    say(form.dataset.started);
    form.querySelector("details[open]")?.removeAttribute("open");
    const note = form.querySelector("[name=description]");
    if (note) note.value = "";
    listChanged();
  });

  document.addEventListener("htmx:after:swap", (event) => {
    // Questions open as a dialog.
    if (dialog?.firstElementChild && !dialog.open) dialog.showModal();
    // What is wrong takes the focus, as it does on a page of its own.
    if (event.detail?.ctx?.response?.status === 422) document.querySelector(".error-summary")?.focus();
  });
  dialog?.addEventListener("close", () => dialog.replaceChildren());

  const copy = async (button) => {
    const text = button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without a secure context there is no clipboard object.
      const area = document.createElement("textarea");
      area.value = text;
      area.className = "sr";
      (dialog?.open ? dialog : body).append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      button.focus();
      if (!done) return;
    }
    button.classList.add("copied");
    say(body.dataset.copied);
    setTimeout(() => {
      button.classList.remove("copied");
      say("");
    }, 1500);
  };

  const reveal = (button) => {
    const input = document.getElementById(button.dataset.reveal);
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  };

  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("[data-copy], [data-reveal], [data-close]");
    for (const open of document.querySelectorAll("details.popover[open]")) {
      if (!open.contains(event.target)) open.removeAttribute("open");
    }
    if (!target) {
      if (event.target === dialog) dialog.close();
      return;
    }
    if (target.dataset.copy !== undefined) copy(target);
    else if (target.dataset.reveal !== undefined) reveal(target);
    else if (dialog?.open) {
      event.preventDefault();
      dialog.close();
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      for (const open of document.querySelectorAll("details.popover[open]")) {
        open.removeAttribute("open");
        open.querySelector("summary").focus();
      }
    }
    const typing = event.target.closest?.("input, select, textarea, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const search = document.querySelector("[data-search]");
      if (search) {
        event.preventDefault();
        search.focus();
      }
    }
  });

  // Fields that depend on others: each rule is a list of ways to hold, each a
  // list of tests on what a field holds now. The server judges them again.
  const held = (form, name) => {
    const fields = [...form.elements].filter((field) => field.name === name);
    if (fields[0]?.type === "checkbox") return String(fields.some((field) => field.checked));
    return fields.find((field) => field.type !== "radio" || field.checked)?.value ?? "";
  };
  const holds = (form, { all, not }) => all.every(({ field, texts, any }) => {
    const text = held(form, field);
    return texts.includes(text) || (any && text !== "");
  }) !== not;
  const depend = (form) => {
    for (const part of form.querySelectorAll("[data-when]")) {
      part.classList.toggle("when-off", !JSON.parse(part.dataset.when).some((way) => holds(form, way)));
    }
  };
  for (const kind of ["input", "change"]) {
    document.addEventListener(kind, (event) => {
      if (event.target.form?.matches(".settings-form")) depend(event.target.form);
    });
  }

  // The page of the API: a call goes out as its form says, with the token from
  // the top, and the answer is shown as text.
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-call]")) return;
    event.preventDefault();
    const query = new URLSearchParams();
    let path = form.dataset.path;
    for (const field of form.querySelectorAll("[data-place]")) {
      if (field.dataset.place === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
      else if (field.value) query.set(field.name, field.value);
    }
    const answer = form.querySelector(".answer");
    const token = document.querySelector("[name=token]").value.trim();
    const headers = { "content-type": "application/json" };
    if (token) headers.authorization = `Bearer ${token}`;
    const show = (text) => {
      answer.hidden = false;
      answer.textContent = text;
      answer.focus();
    };
    try {
      const address = query.size ? `${path}?${query}` : path;
      const response = await fetch(address, { method: form.dataset.call, headers, body: form.elements.body?.value, credentials: "omit" });
      const type = response.headers.get("content-type") ?? "";
      const text = type.includes("json") ? JSON.stringify(await response.json(), null, 2) : type || "";
      show(`${response.status} ${response.statusText}\n${text}`);
    } catch (error) {
      show(String(error));
    }
  });
})();
