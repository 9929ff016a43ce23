// What a log line or an event says as JSON, in place of its text; asked once more, the text again. Fetched when a link that
// bears `data-json` is clicked and run anew each time; the link that was clicked bears `data-json="asked"`. It leads to the REST
// API, which gives what came from one sender at one instant: mostly one record, else those with this body.
(async () => {
  document.currentScript.remove();
  const link = document.querySelector('[data-json="asked"]');
  if (!link) return;
  link.dataset.json = '';
  const full = link.closest('.log-full');
  const shown = full.querySelector('.log-json');
  if (shown) {
    shown.remove();
    link.textContent = 'As JSON';
    return;
  }

  // A whole number beyond 2^53 stays as it was sent, in browsers that can.
  const whole = (_, value, context) =>
    typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) && JSON.rawJSON && context?.source
      ? JSON.rawJSON(context.source)
      : value;
  try {
    const answer = await fetch(link.href);
    if (!answer.ok) throw new Error(answer.statusText);
    const { items } = JSON.parse(await answer.text(), whole);
    const said = full.querySelector('pre').textContent;
    const own = items.length > 1 ? items.filter((item) => item.body === said) : items;
    const records = own.length ? own : items;
    const pre = document.createElement('pre');
    pre.className = 'log-json';
    pre.tabIndex = 0;
    pre.textContent = JSON.stringify(records.length === 1 ? records[0] : records, null, 2);
    full.prepend(pre);
    link.textContent = 'As text';
  } catch {
    // The server's own words are better than ours.
    location.assign(link.href);
  }
})();
