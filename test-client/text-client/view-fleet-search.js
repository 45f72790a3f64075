'use strict';

/** Finds a driver by username, name or number: a field with the best matches below it. */
class FleetSearch {
  static MOST = 8;
  /** Milliseconds after which it is looked again for whom nobody was found, as the list may not be whole yet. */
  static AGAIN = 500;

  /** A driver was picked. */
  picked = new Signal();
  #fleet;
  #input = byId('fleet-search');
  #list = byId('fleet-found');
  #found = [];
  #active = 0;

  constructor({ fleet }) {
    this.#fleet = fleet;
    this.#input.addEventListener('input', () => this.#look());
    this.#input.addEventListener('focus', () => this.#look());
    this.#input.addEventListener('blur', () => this.#close());
    this.#input.addEventListener('keydown', (event) => this.#onKey(event));
    setInterval(() => { if (!this.#list.hidden && !this.#found.length) this.#look(); }, FleetSearch.AGAIN);
    // A press would take the focus away, and with it the list, before it is a click.
    this.#list.addEventListener('pointerdown', (event) => event.preventDefault());
  }

  #look() {
    this.#found = this.#fleet.find(this.#input.value, FleetSearch.MOST);
    this.#active = 0;
    this.#render();
  }

  #onKey(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Escape') this.#close();
    else if (event.key === 'Enter') this.#pick(this.#found[this.#active]);
    else if (steps && this.#found.length) {
      this.#active = (this.#active + steps + this.#found.length) % this.#found.length;
      this.#render();
    } else return;
    event.preventDefault();
  }

  #pick(driver) {
    if (!driver) return;
    this.#input.value = '';
    this.#close();
    this.picked.fire(driver);
  }

  #close() {
    this.#found = [];
    this.#render();
  }

  #render() {
    const isOpen = this.#input.value.trim() !== '' && document.activeElement === this.#input;
    const rows = this.#found.map((driver, index) => this.#row(driver, index));
    const nobody = make('li', { className: 'find__none', text: 'Nobody by that name or number', attrs: { role: 'option', 'aria-disabled': 'true' } });
    this.#list.replaceChildren(...(rows.length || !isOpen ? rows : [nobody]));
    this.#list.hidden = !isOpen;
    this.#input.setAttribute('aria-expanded', String(isOpen));
    if (rows.length) this.#input.setAttribute('aria-activedescendant', rows[this.#active].id);
    else this.#input.removeAttribute('aria-activedescendant');
  }

  #row(driver, index) {
    const row = make('li', {
      className: 'find__row',
      data: { testid: 'fleet-result', username: driver.username, number: driver.number },
      attrs: { id: `fleet-found-${index}`, role: 'option', 'aria-selected': String(index === this.#active) },
    }, make('span', { className: 'find__name', text: driver.label }),
    make('span', { className: 'find__more', text: `${driver.username} · ${driver.number} · ${DRIVER_STATUS_WORDS[driver.status] ?? driver.status}` }));
    row.addEventListener('click', () => this.#pick(driver));
    return row;
  }
}
