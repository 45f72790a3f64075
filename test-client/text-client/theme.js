'use strict';

/** Light or dark: the system's choice until the person makes one. Loaded in the head, so that the first paint is right. */
const theme = {
  kept: new Kept('localStorage', 'waggle.theme', null),

  get current() {
    return this.kept.value ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
  },

  show() {
    document.documentElement.dataset.theme = this.current;
  },

  toggle() {
    this.kept.value = this.current === 'dark' ? 'light' : 'dark';
    this.show();
  },
};

theme.show();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => theme.show());
