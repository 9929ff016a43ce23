// Completions of conditions in CEL. Fetched when a field that bears `data-complete` first gets the focus; the attribute names the
// signal that the condition is about, or, as `form`, the choice in the field's form that does. The server says what may follow
// the caret (`/search/completions`); choosing puts it in, as if it had been typed.
(() => {
  const script = document.currentScript;
  const first = document.activeElement;
  script.remove();
  const style = document.createElement('link');
  Object.assign(style, { rel: 'stylesheet', href: '/hands.css' });
  if (!document.querySelector('link[href="/hands.css"]')) document.head.append(style);

  /** The field, its open list with what is in it, and the option that is chosen. */
  let field = null;
  let list = null;
  let found = { from: 0, items: [] };
  let active = -1;
  let asked = 0;
  let timer = 0;

  const signalOf = (target) => {
    if (target.dataset.complete !== 'form') return target.dataset.complete;
    return new FormData(target.form).get('signal') || 'spans';
  };

  function close() {
    clearTimeout(timer);
    asked += 1;
    list?.remove();
    list = null;
    active = -1;
    field?.setAttribute('aria-expanded', 'false');
    field?.removeAttribute('aria-activedescendant');
  }

  function dress(target) {
    if (field === target) return;
    close();
    field = target;
    for (const [name, value] of Object.entries({ role: 'combobox', 'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-haspopup': 'listbox' })) {
      target.setAttribute(name, value);
    }
  }

  function choose(index) {
    active = index;
    [...list.children].forEach((option, i) => option.setAttribute('aria-selected', String(i === index)));
    const option = list.children[index];
    if (option) {
      field.setAttribute('aria-activedescendant', option.id);
      option.scrollIntoView({ block: 'nearest' });
    } else {
      field.removeAttribute('aria-activedescendant');
    }
  }

  function take(index) {
    const { insert } = found.items[index];
    let end = field.selectionStart;
    // The quotation mark and the bracket that the text has already are not put in twice.
    for (let length = insert.length; length > 0; length -= 1) {
      const tail = insert.slice(-length);
      if (/^["'\]]+$/.test(tail) && field.value.startsWith(tail, end)) {
        end += length;
        break;
      }
    }
    close();
    field.setRangeText(insert, found.from, end, 'end');
    field.dispatchEvent(new InputEvent('input', { bubbles: true }));
  }

  function show(answer) {
    found = answer;
    list?.remove();
    list = null;
    active = -1;
    if (!answer.items.length) return close();
    list = document.createElement('ul');
    Object.assign(list, { id: 'completions', className: 'completions', role: 'listbox' });
    list.setAttribute('role', 'listbox');
    list.setAttribute('aria-label', 'Completions');
    answer.items.forEach(({ label, detail }, index) => {
      const option = document.createElement('li');
      option.id = `completion-${index}`;
      option.setAttribute('role', 'option');
      option.setAttribute('aria-selected', 'false');
      const [name, small] = [document.createElement('span'), document.createElement('small')];
      name.textContent = label;
      small.textContent = detail;
      option.append(name, small);
      // Before the field loses the focus.
      option.addEventListener('pointerdown', (event) => {
        event.preventDefault();
        take(index);
      });
      list.append(option);
    });
    field.after(list);
    field.setAttribute('aria-expanded', 'true');
    field.setAttribute('aria-controls', 'completions');
  }

  function ask() {
    clearTimeout(timer);
    const number = (asked += 1);
    const target = field;
    const caret = target.selectionStart;
    if (caret !== target.selectionEnd) return close();
    const query = new URLSearchParams({ signal: signalOf(target), text: target.value.slice(0, caret) });
    timer = setTimeout(async () => {
      const answer = await fetch(`/search/completions?${query}`).catch(() => null);
      if (!answer?.ok || number !== asked) return;
      const read = await answer.json();
      if (number === asked && document.activeElement === target) show(read);
    }, 120);
  }

  const of = (event) => event.target.closest?.('[data-complete]');
  document.addEventListener('focusin', (event) => of(event) && dress(of(event)));
  document.addEventListener('focusout', (event) => of(event) && close());
  document.addEventListener('input', (event) => {
    if (!of(event)) return;
    dress(of(event));
    ask();
  });
  document.addEventListener(
    'keydown',
    (event) => {
      if (!of(event)) return;
      dress(of(event));
      const done = () => {
        event.preventDefault();
        event.stopPropagation();
      };
      if (event.key === ' ' && event.ctrlKey) {
        done();
        ask();
      } else if (!list) {
        return;
      } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
        done();
        const count = found.items.length;
        choose(event.key === 'ArrowDown' ? (active + 1) % count : (active <= 0 ? count : active) - 1);
      } else if ((event.key === 'Enter' || event.key === 'Tab') && active >= 0) {
        done();
        take(active);
      } else if (event.key === 'Escape') {
        done();
        close();
      }
    },
    true,
  );
  if (first?.matches('[data-complete]')) {
    dress(first);
    // Typed while this was on its way.
    if (first.value !== first.defaultValue) ask();
  }
})();
