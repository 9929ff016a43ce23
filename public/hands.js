// The palette of commands (Ctrl-K) and the sheet of keys (?). Fetched when one of them is asked for and run anew each time;
// `data-open` of the script's element says which. Both read from the page what it can do: links of the navigation, and
// whatever bears `data-key`. So neither can name a key that the page does not know.
(() => {
  const script = document.currentScript;
  const asked = script.dataset.open;
  script.remove();
  const open = document.getElementById('hands');
  if (open) {
    open.close();
    if (open.dataset.open === asked) return;
  }

  const element = (tag, attributes, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };
  const dialog = element('dialog', { id: 'hands', class: `hands ${asked}`, 'data-open': asked });
  const shut = () => dialog.close();
  // Closing gives the focus back to where it was. A dialog that is left closed would keep the id.
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (event) => event.target === dialog && shut());
  // Keys pressed in here mean nothing to the page below.
  dialog.addEventListener('keydown', (event) => {
    const isPalette = (event.ctrlKey || event.metaKey) && event.key === 'k';
    if (isPalette || (asked === 'sheet' && event.key === '?')) {
      event.preventDefault();
      shut();
    }
    event.stopPropagation();
  });
  const show = () => {
    if (document.getElementById('hands')) return;
    document.body.append(dialog);
    dialog.showModal();
  };
  // Unstyled it would jump. Without its style it still works.
  const styled = (then) => {
    if (document.querySelector('link[href="/hands.css"]')) return then();
    const style = element('link', { rel: 'stylesheet', href: '/hands.css' });
    style.onload = style.onerror = then;
    document.head.append(style);
  };

  const pages = [...document.querySelectorAll('.nav ul a')].map((link) => ({
    kind: 'Page',
    name: link.textContent.trim(),
    href: link.getAttribute('href'),
    key: link.dataset.key,
  }));
  const deeds = [...document.querySelectorAll('.topbar [data-key]')].map((target) => ({
    kind: 'Command',
    name: target.dataset.does || target.getAttribute('aria-label') || target.title,
    run: () => (target.matches('input') ? target.focus() : target.click()),
    key: target.dataset.key,
  }));

  styled(asked === 'sheet' ? sheet : palette);

  function sheet() {
    const rows = [
      ...[...deeds, ...pages].map(({ key, name }) => [key, name]),
      ['j k', 'Next and previous row'],
      ['Enter', 'Open the row'],
      // The waterfall listens itself, wherever it is shown.
      ...(document.querySelector('.wf') ? [['h l', 'Fold and unfold the selected span'], ['z Z', 'Zoom to the selected span, and out']] : []),
    ];
    const keys = (text) => text.split(' ').flatMap((key, i) => (i ? [' ', element('kbd', {}, key)] : [element('kbd', {}, key)]));
    const close = element('button', { type: 'button', class: 'button' }, 'Close');
    close.addEventListener('click', shut);
    dialog.setAttribute('aria-labelledby', 'hands-title');
    dialog.append(
      element('h2', { id: 'hands-title' }, 'Keyboard'),
      element('dl', {}, ...rows.map(([key, what]) => element('div', {}, element('dt', {}, ...keys(key)), element('dd', {}, what)))),
      close,
    );
    show();
  }

  function palette() {
    const more = [
      { kind: 'Page', name: 'Agents', href: '/agents' },
      { kind: 'Page', name: 'New objective', href: '/slo-editor' },
    ];
    const commands = [...pages, ...more, ...deeds.filter((deed) => deed.key !== 'Ctrl K')];
    const field = element('input', {
      type: 'text', role: 'combobox', 'aria-label': 'Command or name', placeholder: 'A page, a command, or a part of a name',
      'aria-expanded': 'true', 'aria-controls': 'hands-list', 'aria-autocomplete': 'list', autocomplete: 'off', spellcheck: 'false',
    });
    const list = element('div', { id: 'hands-list', role: 'listbox', 'aria-label': 'Commands and names' });
    const status = element('p', { role: 'status', class: 'visually-hidden' });
    let chosen = 0;
    let question = new AbortController();

    const options = () => [...list.children];
    const choose = (at) => {
      const all = options();
      chosen = (at + all.length) % all.length;
      all.forEach((option, i) => option.setAttribute('aria-selected', String(i === chosen)));
      field.setAttribute('aria-activedescendant', all[chosen].id);
      all[chosen].scrollIntoView({ block: 'nearest' });
    };
    const optionOf = ({ kind, name, href, rel, key, run }, at) => {
      // A link is a link, so that the page takes its click as it takes every other; where the server redirects it must not.
      const face = href ? { href, ...(rel && { rel }) } : { type: 'button' };
      const option = element(href ? 'a' : 'button', { ...face, role: 'option', id: `hands-${at}`, tabindex: '-1' }, element('span', {}, name));
      option.append(...(key ? [element('kbd', {}, key)] : []), element('small', {}, kind));
      option.addEventListener('click', () => {
        shut();
        run?.();
      });
      return option;
    };
    const tell = (found, text, first) => {
      const part = text.toLowerCase();
      const entries = [...commands.filter((entry) => entry.name.toLowerCase().includes(part)), ...found];
      if (text) entries.push({ kind: 'Search', name: text, href: `/search?q=${encodeURIComponent(text)}`, rel: 'external' });
      list.replaceChildren(...entries.map(optionOf));
      status.textContent = `${entries.length} found`;
      choose(first);
    };
    const ask = async () => {
      question.abort();
      question = new AbortController();
      const { signal } = question;
      const text = field.value.trim();
      tell([], text, 0);
      if (!text) return;
      try {
        const answer = await fetch(`/search/suggestions?q=${encodeURIComponent(text)}`, { signal });
        if (!answer.ok) throw new Error(String(answer.status));
        const found = await answer.json();
        if (!signal.aborted) tell(found, text, chosen);
      } catch {
        if (!signal.aborted) status.textContent = 'Names cannot be looked up now';
      }
    };
    field.addEventListener('input', ask);
    field.addEventListener('keydown', (event) => {
      const moves = { ArrowDown: chosen + 1, ArrowUp: chosen - 1 };
      if (event.key in moves) choose(moves[event.key]);
      else if (event.key === 'Enter') options()[chosen].click();
      else return;
      event.preventDefault();
    });
    dialog.addEventListener('close', () => question.abort());
    dialog.setAttribute('aria-label', 'Commands');
    dialog.append(field, list, status);
    tell([], '', 0);
    show();
    field.focus();
  }
})();
