// What the browser must do itself: theme, clock, connection, the scan field, sounds. No page depends on it to be read.
(() => {
  'use strict';
  const root = document.documentElement;
  const year = 31536000;
  const setCookie = (name, value) => {
    document.cookie = `${name}=${encodeURIComponent(value)};path=/;samesite=lax;max-age=${value ? year : 0}`;
  };
  const keep = (key, text) => (text ? sessionStorage.setItem(key, text) : sessionStorage.removeItem(key));
  setCookie('oms.zone', Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC');

  // Light or dark: kept in a cookie, so that the server sends the page in the right one.
  const showTheme = () => {
    for (const select of document.querySelectorAll('[data-theme-choice]')) {
      const theme = root.dataset.theme || '';
      if (select.value !== theme) select.value = theme;
    }
  };
  document.addEventListener('change', e => {
    if (!e.target.matches('[data-theme-choice]')) return;
    if (e.target.value) root.dataset.theme = e.target.value; else delete root.dataset.theme;
    setCookie('oms.theme', e.target.value);
  });

  // The columns of a list: kept in a cookie too.
  document.addEventListener('change', e => {
    if (!e.target.matches('[data-column]')) return;
    const all = [...e.target.closest('fieldset').querySelectorAll('[data-column]')];
    setCookie('oms.columns', all.filter(box => !box.checked).map(box => box.dataset.column).join(','));
  });

  // "3 min ago" stays true while the page is open. The same words as Viewer.Ago.
  const many = (n, word) => (n === 1 ? `1 ${word}` : `${n} ${word}s`);
  const ago = seconds => {
    const [s, end, start] = seconds < -60 ? [-seconds, '', 'in '] : [seconds, ' ago', ''];
    if (s < 60) return 'just now';
    if (s < 3600) return `${start}${Math.floor(s / 60)} min${end}`;
    if (s < 86400) return start + many(Math.floor(s / 3600), 'hour') + end;
    if (s < 604800) return start + many(Math.floor(s / 86400), 'day') + end;
    return null;
  };
  setInterval(() => {
    for (const time of document.querySelectorAll('time[data-ago]')) {
      const words = ago((Date.now() - Date.parse(time.dateTime)) / 1000);
      if (words && time.firstChild && time.firstChild.data !== words) time.firstChild.data = words;
    }
  }, 15000);

  // The connection: a page that is not live says since when.
  const clock = () => new Date().toLocaleTimeString('en-GB');
  const banner = () => document.getElementById('components-reconnect-modal');
  let connected = true, lostAt = '', wish = null; // wish: where to go when the connection is back
  const lost = () => {
    if (connected) { connected = false; lostAt = clock(); }
    if (banner()) banner().textContent = `Reconnecting… what you see is from ${lostAt}.${scan.waitingWords()}`;
  };
  const found = () => {
    connected = true;
    if (banner()) banner().textContent = '';
    scan.again();
    wish?.();
    wish = null;
  };
  const loadAgain = async () => {
    // The server has forgotten this page (it was restarted): load it again as soon as it answers.
    for (;;) {
      try { if ((await fetch('/login', { cache: 'no-store' })).ok) break; } catch { /* still away: the banner says so */ }
      await new Promise(done => setTimeout(done, 1000));
    }
    location.reload();
  };
  document.addEventListener('components-reconnect-state-changed', e => {
    const state = e.detail && e.detail.state;
    if (state === 'hide') found();
    else if (state === 'rejected' || state === 'resume-failed') loadAgain();
    else if (state) lost();
  }, true);
  // A cable that is pulled is noticed at once, not when the next heartbeat fails.
  window.addEventListener('offline', () => lost());
  window.addEventListener('online', () => { if (!banner()?.className.includes('components-reconnect-')
    || banner().classList.contains('components-reconnect-hide')) found(); });

  // Right and wrong can be heard: one short high tone, or two low ones.
  let audio = null;
  const tone = (frequency, start, seconds, type) => {
    const [sound, volume] = [audio.createOscillator(), audio.createGain()];
    sound.type = type;
    sound.frequency.value = frequency;
    volume.gain.setValueAtTime(0.18, audio.currentTime + start);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + start + seconds);
    sound.connect(volume).connect(audio.destination);
    sound.start(audio.currentTime + start);
    sound.stop(audio.currentTime + start + seconds);
  };
  const play = kind => {
    if (!window.AudioContext || !(navigator.userActivation?.hasBeenActive ?? true)) return;
    audio ??= new AudioContext();
    if (kind === 'wrong') { tone(190, 0, 0.22, 'square'); tone(150, 0.25, 0.3, 'square'); }
    else if (kind === 'done') { tone(880, 0, 0.12, 'sine'); tone(1320, 0.12, 0.2, 'sine'); }
    else tone(1040, 0, 0.1, 'sine');
  };

  // The scan field. A scanner types and ends with Enter. What it read is kept in this tab under a name of its own and
  // handed over until the page shows that it was taken: what a page shows arrives even after a lost network. Scans wait
  // for the place where they were made; those behind one that opens another shipment are meant for that.
  const scan = {
    field: null, place: '', sent: '', asked: false, said: '',
    queue: 'oms.scans',
    all() { try { return JSON.parse(sessionStorage.getItem(this.queue) || '[]'); } catch { return []; } },
    keep(list) { keep(this.queue, list.length ? JSON.stringify(list) : ''); },
    here() { return this.all().filter(s => s.place === this.place); },
    waitingWords() {
      if (!this.field) return '';
      const n = this.here().length;
      return n ? ` Go on scanning: ${many(n, 'scan')} will be sent.` : ' You can go on scanning.';
    },
    read(text) {
      const id = [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, '0')).join('');
      this.keep([...this.all(), { id, place: this.place, text }]);
      if (connected) this.send(); else { play('right'); lost(); }
    },
    focus() { this.field?.focus({ preventScroll: true }); },
    // After every change of the page.
    look() {
      const field = document.querySelector('[data-scan]');
      if (!field) { this.field = null; this.place = ''; return; }
      const { scan: place, live, ready, said = '' } = field.dataset;
      if (field !== this.field || place !== this.place) {
        if (this.field && place === this.place && !field.value) field.value = this.field.value; // half of a scan
        if (!takesText(document.activeElement) || document.activeElement === this.field) field.focus({ preventScroll: true });
        this.take(field);
        Object.assign(this, { field, place, sent: '', asked: false, said });
      } else this.take(field);
      if (said !== this.said) {
        const [, kind, by] = said.split(' ');
        play(kind);
        if (by === 'press') this.focus();
        this.said = said;
      }
      if (live === undefined) return;
      if (ready === undefined) this.resume(); else this.send();
    },
    // In one go: what the page remembers goes into the tab, and the scan that it remembers leaves it.
    take(field) {
      const { scan: place, ready, taken, led, memory = '', carrier } = field.dataset;
      if (ready === undefined) return;
      keep(`oms.memory.${place}`, memory);
      if (carrier) keep('oms.carrier', carrier);
      const all = this.all(), done = taken ? all.find(s => s.id === taken) : null;
      if (!done) return;
      this.keep(all.filter(s => s !== done).map(s => (taken === led && s.place === done.place ? { ...s, place } : s)));
    },
    resume() {
      if (this.asked || !connected) return;
      this.asked = true;
      this.tell('resume', {
        memory: sessionStorage.getItem(`oms.memory.${this.place}`), carrier: sessionStorage.getItem('oms.carrier'),
      });
    },
    send() {
      const [next] = this.here();
      if (!connected || !next || next.id === this.sent || this.field?.dataset.ready === undefined) return;
      this.sent = next.id;
      this.tell('scan', { id: next.id, text: next.text });
    },
    tell(name, detail) { this.field.dispatchEvent(new CustomEvent(name, { bubbles: true, detail })); },
    // Nobody knows what was lost with the connection: it is handed over again.
    again() { this.sent = ''; this.asked = false; this.look(); },
  };
  const takesText = e => e instanceof HTMLElement
    && e.matches('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]');
  document.addEventListener('keydown', e => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return;
    if (scan.field && e.target === scan.field && (e.key === 'Enter' || (e.key === 'Tab' && scan.field.value && !e.shiftKey))) {
      e.preventDefault();
      const text = scan.field.value.trim();
      scan.field.value = '';
      if (text) scan.read(text);
    } else if (scan.field && !takesText(e.target) && e.key.length === 1 && e.key !== ' ') {
      scan.focus(); // the character itself lands in it
    } else if (e.key === '/' && !takesText(e.target)) {
      const search = document.querySelector('[data-slash]');
      if (search) { e.preventDefault(); search.focus(); search.select(); }
    } else if (e.key === 'Escape') {
      const open = e.target.closest?.('details[open]') || document.querySelector('details[data-popover][open]');
      if (open) { open.open = false; open.querySelector('summary')?.focus(); }
    }
  });
  // A tap beside everything gives the field its focus back.
  document.addEventListener('pointerup', e => {
    if (scan.field && !e.target.closest('a, button, input, select, textarea, summary, label') && !String(getSelection()))
      scan.focus();
    for (const open of document.querySelectorAll('details[data-popover][open]'))
      if (!open.contains(e.target)) open.open = false;
  });

  // Lists are asked for by their address; the form itself does that before the page answers.
  document.addEventListener('submit', e => {
    if (!e.target.matches('form[data-list]') || root.dataset.alive === undefined) return;
    e.preventDefault();
    const asked = new URLSearchParams([...new FormData(e.target)].map(([k, v]) => [k, v.trim()]).filter(([, v]) => v));
    const go = () => Blazor.navigateTo(`${e.target.getAttribute('action')}${asked.size ? '?' : ''}${asked}`);
    e.target.closest('details')?.removeAttribute('open');
    if (connected) go(); else wish = go;
  });

  // The page as it was served is replaced once, when it begins to answer: what was typed until then stays, and the focus.
  const typed = { fields: new Set(), focused: null };
  document.addEventListener('input', e => { if (root.dataset.alive === undefined && e.target.id) typed.fields.add(e.target); });
  document.addEventListener('focusin', e => { typed.focused = takesText(e.target) && e.target.id ? e.target : null; });
  const carryOver = () => {
    for (const field of [...typed.fields, typed.focused]) {
      const heir = field && !field.isConnected ? document.getElementById(field.id) : null;
      if (!heir || root.dataset.alive !== undefined) continue;
      if (heir.value !== field.value && typed.fields.has(field)) {
        heir.value = field.value;
        heir.dispatchEvent(new Event('change', { bubbles: true }));
      }
      if (field === typed.focused && !takesText(document.activeElement)) {
        heir.focus({ preventScroll: true });
        if (field.selectionStart !== null) heir.setSelectionRange(field.selectionStart, field.selectionEnd);
      }
      typed.fields.delete(field);
    }
  };

  window.oms = {
    alive: () => { root.dataset.alive = ''; }, // from now on the page answers
    arrived: () => { // another page: its beginning has the focus, unless someone is typing already
      if (!takesText(document.activeElement)) document.querySelector('[data-scan], h1')?.focus({ preventScroll: true });
    },
    copy: async text => { try { await navigator.clipboard.writeText(text); return true; } catch { return false; } },
    focus: selector => document.querySelector(selector)?.focus(),
  };

  // What makes the page live is large: it is read and run when the page has been drawn, and asked for again if it is lost.
  const scripts = document.currentScript.dataset.then?.split(' ') ?? [];
  const load = src => new Promise((loaded, failed) => {
    const script = document.createElement('script');
    script.setAttribute('autostart', 'false');
    Object.assign(script, { src, onload: loaded, onerror: failed });
    document.body.append(script);
  });
  const loadAll = async () => {
    for (const src of scripts) {
      while (!await load(src).then(() => true, () => false)) {
        lost();
        await new Promise(done => setTimeout(done, 1000));
      }
    }
    if (!connected) found();
  };
  const drawn = () => (document.hidden ? Promise.resolve() : Promise.race([
    new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))), new Promise(done => setTimeout(done, 500))]));

  const begin = async () => {
    showTheme();
    if (!scripts.length) return;
    const look = () => { showTheme(); carryOver(); scan.look(); };
    new MutationObserver(look).observe(document.body, {
      childList: true, subtree: true, attributeFilter: ['data-scan', 'data-live', 'data-ready', 'data-taken', 'data-memory', 'data-said'],
    });
    look();
    await drawn();
    await loadAll();
    for (const name of ['scan', 'resume']) Blazor.registerCustomEventType(name, { createEventArgs: e => e.detail });
    Blazor.start({
      circuit: { reconnectionOptions: { maxRetries: 100000, retryIntervalMilliseconds: n => (n < 10 ? 500 : 3000) } },
    });
  };
  begin();
})();
