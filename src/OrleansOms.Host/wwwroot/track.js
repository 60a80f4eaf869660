// The customer's page, live: speaks SignalR's JSON protocol over a WebSocket, and on every newer version of the order
// fetches the changed part of the page from the server. Without this script the page is complete, only not live.
(() => {
  "use strict";
  const end = "\x1e", token = document.body.dataset.token, live = document.getElementById("live");
  const address = `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/hubs/live`;
  const silenceMs = 25000, pingMs = 10000, slowestRetryMs = 30000, patienceMs = 10000, pauseMs = 1000;
  const formats = {
    day: { weekday: "long", day: "numeric", month: "long" },
    short: { day: "numeric", month: "short" },
    moment: { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
    clock: { hour: "2-digit", minute: "2-digit" },
    exact: { dateStyle: "full", timeStyle: "long" },
  };
  let socket, heard = 0, retries = 0, retry = 0, since = null, showing = null, wanted = 0;

  const write = (date, format) => new Intl.DateTimeFormat("en-GB", formats[format]).format(date);
  const shown = () => Number(document.getElementById("now").dataset.version);

  function localise(root) {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const date = new Date(time.dateTime), isThisYear = date.getFullYear() === new Date().getFullYear();
      time.textContent = write(date, time.dataset.show) + (isThisYear || time.dataset.show !== "day" ? "" : ` ${date.getFullYear()}`);
      time.title = write(date, "exact");
    }
  }

  function tell() {
    live.className = since ? "broken" : "live";
    live.textContent = since
      ? `Reconnecting… What you see is from ${write(since, "clock")}.`
      : "This page is live: changes appear by themselves.";
  }

  // Ends when the page shows this version or a newer one. An answer that does not come is given up: it would keep every
  // later one from being asked for.
  function show(version) {
    wanted = Math.max(wanted, version);
    return showing ??= catchUp().finally(() => { showing = null; });
  }

  async function catchUp() {
    while (shown() < wanted) {
      const before = shown();
      await fetchNow();
      if (shown() === before) await new Promise(done => setTimeout(done, pauseMs));
    }
  }

  async function fetchNow() {
    const answer = await fetch(`/track/${encodeURIComponent(token)}/now`, { cache: "no-store", signal: AbortSignal.timeout(patienceMs) });
    if (answer.status === 404) return location.reload();
    if (!answer.ok) throw new Error(answer.statusText);
    const part = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("now");
    if (Number(part.dataset.version) <= shown()) return;
    localise(part);
    const wasAtLink = document.activeElement?.closest("#now a");
    document.getElementById("now").replaceWith(part);
    if (wasAtLink) part.querySelector("a")?.focus({ preventScroll: true });
    document.title = part.dataset.title;
  }

  function connect() {
    clearTimeout(retry);
    const own = socket = new WebSocket(address);
    const send = message => own.readyState === WebSocket.OPEN && own.send(JSON.stringify(message) + end);
    heard = Date.now();
    const pulse = setInterval(() => {
      if (Date.now() - heard > silenceMs) own.close();
      else send({ type: 6 });
    }, pingMs);
    own.onopen = () => {
      send({ protocol: "json", version: 1 });
      send({ type: 1, invocationId: "1", target: "WatchOrder", arguments: [token] });
    };
    own.onmessage = event => {
      heard = Date.now();
      for (const record of event.data.split(end)) if (record) take(JSON.parse(record), own);
    };
    own.onclose = () => {
      clearInterval(pulse);
      if (own !== socket) return;
      since ??= new Date();
      tell();
      retry = setTimeout(connect, Math.min(slowestRetryMs, 1000 * 2 ** retries++) * (0.5 + Math.random() / 2));
    };
  }

  // Live is a page that shows what is stored, not one that has only been connected.
  function take(message, own) {
    const broken = () => own.close();
    if (message.type === 3 && message.result)
      show(message.result.version).then(() => {
        if (own !== socket || own.readyState !== WebSocket.OPEN) return;
        retries = 0;
        since = null;
        tell();
      }).catch(broken);
    else if (message.type === 1 && message.target === "orderChanged") show(message.arguments[0].version).catch(broken);
    else if (message.target === "watchEnded") location.reload(); // The link has ended; the server says so better.
    else if (message.error || message.type === 7) broken();
  }

  function hurry() {
    if (document.visibilityState === "visible" && socket?.readyState > WebSocket.OPEN) connect();
  }

  localise(document);
  addEventListener("online", hurry);
  document.addEventListener("visibilitychange", hurry);
  connect();
})();
