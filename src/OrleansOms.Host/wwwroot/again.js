// A page that could not be made: asks every few seconds whether it can be, and only then is replaced. Asked for without
// what follows a #: with it the browser would only look for that place on this page.
(() => {
  'use strict';
  const pauseMs = 3000, [page] = location.href.split('#');
  const look = async () => {
    try {
      const answer = await fetch(page, { cache: 'no-store', headers: { Accept: 'text/html' } });
      if (answer.status !== 429 && answer.status !== 503) return location.replace(page);
    } catch { /* still away */ }
    setTimeout(look, pauseMs);
  };
  setTimeout(look, pauseMs);
})();
