// A page that could not be made: asks every few seconds whether it can be, and only then is replaced.
(() => {
  'use strict';
  const pauseMs = 3000;
  const look = async () => {
    try {
      if (![429, 503].includes((await fetch(location.href, { cache: 'no-store', headers: { Accept: 'text/html' } })).status)) return location.replace(location.href);
    } catch { /* still away */ }
    setTimeout(look, pauseMs);
  };
  setTimeout(look, pauseMs);
})();
