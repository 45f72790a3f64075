'use strict';

/** What the server has the pages know: the currency, and where maps get their background. */
class PageConfig {
  loaded = new Signal();
  tileUrl = null;
  #money = PageConfig.#format('USD');

  async load(api) {
    const { tileUrl, currency } = await api.pageConfig();
    this.tileUrl = tileUrl;
    this.#money = PageConfig.#format(currency);
    this.loaded.fire();
  }

  /** An amount of money in words; a dash where nobody said one. */
  money(amount) {
    return Number.isFinite(amount) ? this.#money.format(amount) : '–';
  }

  static #format(currency) {
    return new Intl.NumberFormat(undefined, { style: 'currency', currency });
  }
}
