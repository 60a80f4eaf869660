// What the browser must do itself: theme, clock, connection, the scan field, sounds. No page depends on it to be read.
(() => {
  'use strict';
  const root = document.documentElement;
  const year = 31536000;
  const setCookie = (name, value) => {
    document.cookie = `${name}=${encodeURIComponent(value)};path=/;samesite=lax;max-age=${value ? year : 0}`;
  };
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
  let connected = true, lostAt = '';
  const lost = () => {
    if (connected) { connected = false; lostAt = clock(); }
    if (banner()) banner().textContent = `Reconnecting… what you see is from ${lostAt}.${scan.waitingWords()}`;
  };
  const found = () => {
    connected = true;
    if (banner()) banner().textContent = '';
    scan.sendWaiting();
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

  // The scan field. A scanner types and ends with Enter; what it read is handed over as one piece, in order, and waits
  // in this tab while the network is away.
  const scan = {
    field: null, page: null, id: '', key: '', sending: Promise.resolve(),
    waiting() { try { return JSON.parse(sessionStorage.getItem(this.key) || '[]'); } catch { return []; } },
    keep(list) { if (list.length) sessionStorage.setItem(this.key, JSON.stringify(list)); else sessionStorage.removeItem(this.key); },
    waitingWords() {
      if (!this.page) return '';
      const n = this.waiting().length;
      return n ? ` Go on scanning: ${many(n, 'scan')} will be sent.` : ' You can go on scanning.';
    },
    attach(field, page, key, id) {
      this.field = field; this.page = page; this.id = id; this.key = `oms.scans.${key}`;
      field.focus({ preventScroll: true });
      this.sendWaiting();
    },
    detach(id) { if (id === this.id) this.field = this.page = null; }, // the next page may have its field already
    // Each scan has a number: one whose answer was lost with the network is sent again and not counted twice.
    next() {
      const number = Number(sessionStorage.getItem('oms.scan') || 0) + 1;
      sessionStorage.setItem('oms.scan', number);
      return number;
    },
    read(text) {
      this.keep([...this.waiting(), { number: this.next(), text }]);
      if (connected) this.sendWaiting(); else { play('right'); lost(); }
    },
    sendWaiting() {
      this.sending = this.sending.then(async () => {
        while (connected && this.page) {
          const [next] = this.waiting();
          if (next === undefined) return;
          try { await this.page.invokeMethodAsync('Scanned', next.number, next.text); }
          catch { return; } // the connection is going; the scan stays first in the queue
          this.keep(this.waiting().slice(1));
        }
      });
    },
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
      scan.field.focus({ preventScroll: true }); // the character itself lands in it
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
      scan.field.focus({ preventScroll: true });
    for (const open of document.querySelectorAll('details[data-popover][open]'))
      if (!open.contains(e.target)) open.open = false;
  });

  window.oms = {
    alive: () => { root.dataset.alive = ''; }, // from now on the page answers
    play,
    attachScan: (field, page, key, id) => scan.attach(field, page, key, id),
    detachScan: id => scan.detach(id),
    focusScan: () => scan.field?.focus({ preventScroll: true }),
    copy: async text => { try { await navigator.clipboard.writeText(text); return true; } catch { return false; } },
    focus: selector => document.querySelector(selector)?.focus(),
    keep: (key, text) => (text ? sessionStorage.setItem(key, text) : sessionStorage.removeItem(key)),
    kept: key => sessionStorage.getItem(key),
  };

  const ready = () => {
    showTheme();
    if (!window.Blazor) return;
    new MutationObserver(showTheme).observe(document.body, { childList: true, subtree: true });
    Blazor.start({
      circuit: { reconnectionOptions: { maxRetries: 100000, retryIntervalMilliseconds: n => (n < 10 ? 500 : 3000) } },
    });
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', ready); else ready();
})();
