'use strict';

/** The panel that shows the event log. */
class LogView {
  static ARROWS = { in: '↓', out: '↑', note: '·' };
  static DIRECTIONS = { in: 'received', out: 'sent', note: 'connection' };
  static WIDE = '(min-width: 1180px)';

  #log;
  #rows = new Map();
  #filter = '';
  #shown = new Kept('localStorage', 'waggle.log', matchMedia(LogView.WIDE).matches);

  constructor(log) {
    this.#log = log;
    log.added.listen((entry, dropped) => this.#add(entry, dropped));
    log.cleared.listen(() => this.#clear());
    byId('log-toggle').addEventListener('click', () => this.#show(byId('log').hidden));
    byId('log-close').addEventListener('click', () => this.#closeToToggle());
    byId('log').addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      this.#closeToToggle();
    });
    byId('log-clear').addEventListener('click', () => log.clear());
    byId('log-filter').addEventListener('input', () => this.#onFilter());
    copyOnClick(byId('log-copy'), () => JSON.stringify(log.entries.filter((entry) => this.#matches(entry)), null, 2));
  }

  /** Open where there is room for it, unless it was closed before. */
  restore() {
    this.#show(this.#shown.value && matchMedia(LogView.WIDE).matches);
  }

  #show(shown) {
    this.#shown.value = shown;
    byId('log').hidden = !shown;
    byId('log-toggle').setAttribute('aria-expanded', String(shown));
    if (shown) this.#toEnd();
  }

  #closeToToggle() {
    this.#show(false);
    byId('log-toggle').focus();
  }

  #add(entry, dropped) {
    const list = byId('log-list');
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    if (dropped) this.#drop(dropped);
    const row = this.#build(entry);
    this.#rows.set(entry.id, row);
    row.hidden = !this.#matches(entry);
    list.append(row);
    this.#showCount();
    if (atEnd) this.#toEnd();
  }

  #build(entry) {
    const { direction, name, at, payload } = entry;
    const summary = make('summary', { className: 'event__line' },
      make('span', { className: 'event__arrow', text: LogView.ARROWS[direction], attrs: { 'aria-hidden': 'true' } }),
      make('span', { className: 'sr-only', text: LogView.DIRECTIONS[direction] }),
      make('span', { className: 'event__name', text: name }),
      make('span', { className: 'event__brief', text: payload == null ? '' : JSON.stringify(payload).slice(0, 120) }),
      make('time', { className: 'event__time', text: preciseTime(at), attrs: { datetime: at } }));
    const row = make('details', { className: 'event', data: { testid: 'log-entry', direction, name } }, summary);
    row.addEventListener('toggle', () => {
      if (row.childElementCount === 1) row.append(make('pre', { className: 'event__payload', text: JSON.stringify(payload ?? null, null, 2), attrs: { tabindex: '0' } }));
    });
    return row;
  }

  #drop(entry) {
    this.#rows.get(entry.id)?.remove();
    this.#rows.delete(entry.id);
  }

  #clear() {
    this.#rows.clear();
    byId('log-list').replaceChildren();
    this.#showCount();
  }

  #onFilter() {
    this.#filter = byId('log-filter').value.trim().toLowerCase();
    for (const entry of this.#log.entries) this.#rows.get(entry.id).hidden = !this.#matches(entry);
    this.#toEnd();
  }

  #matches({ direction, name, payload }) {
    return !this.#filter || `${direction} ${name} ${JSON.stringify(payload ?? '')}`.toLowerCase().includes(this.#filter);
  }

  #showCount() {
    setText(byId('log-count'), String(this.#log.entries.length));
  }

  #toEnd() {
    const list = byId('log-list');
    list.scrollTop = list.scrollHeight;
  }
}
