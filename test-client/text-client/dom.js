'use strict';

// How the page writes to the document: text goes in as text, never as markup.

const byId = (id) => document.getElementById(id);

/** Makes an element; children may be elements, strings or null. */
function make(tag, { className, text, data = {}, attrs = {} } = {}, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(data)) element.dataset[name] = value;
  for (const [name, value] of Object.entries(attrs)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Puts `wanted` into `parent` in this order, moving only what is out of place. */
function arrange(parent, wanted) {
  let next = parent.firstChild;
  for (const element of wanted) {
    if (element === next) next = next.nextSibling;
    else parent.insertBefore(element, next);
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows a person's initial in one of eight colours that stays theirs. */
function paintAvatar(element, person) {
  element.dataset.hue = hueOf(person._id);
  setText(element, (displayName(person)[0] ?? '?').toUpperCase());
}

function hueOf(id) {
  return String([...id].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) >>> 0, 7) % 8);
}

function displayName(person) {
  return person.name || person.username || `User ${person._id.slice(-6)}`;
}

/** Who is typing, in words. */
function typingWords(names) {
  if (names.length === 1) return `${names[0]} is typing`;
  if (names.length === 2) return `${names[0]} and ${names[1]} are typing`;
  return `${names[0]}, ${names[1]} and ${plural(names.length - 2, 'other')} are typing`;
}

const plural = (count, word) => `${count} ${word}${count === 1 ? '' : 's'}`;

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const preciseFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 });
const dayFormat = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const dateFormat = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

const momentFormat = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' });

const dateTime = (time) => momentFormat.format(new Date(time));
const clockTime = (time) => clockFormat.format(new Date(time));
const preciseTime = (time) => preciseFormat.format(new Date(time));
const dayKey = (time) => new Date(time).toDateString();

function dayName(time) {
  const day = dayKey(time);
  const now = Date.now();
  if (day === dayKey(now)) return 'Today';
  if (day === dayKey(now - 86_400_000)) return 'Yesterday';
  return dayFormat.format(new Date(time));
}

const shortTime = (time) => (dayKey(time) === dayKey(Date.now()) ? clockTime(time) : dateFormat.format(new Date(time)));

/** A random id; works on plain-http addresses too, where `crypto.randomUUID` is missing. */
function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Copies to the clipboard; on plain-http addresses through a selection, as the clipboard API is missing there. */
async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = make('textarea', { className: 'sr-only', text });
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

/** Lets a button do what cannot be undone only when it is pressed again, within a moment. */
function actOnSecondClick(button, question, act) {
  const label = [...button.childNodes];
  let timer = null;
  const calm = () => {
    clearTimeout(timer);
    timer = null;
    button.replaceChildren(...label);
    button.removeAttribute('data-armed');
  };
  button.addEventListener('click', () => {
    if (timer !== null) {
      calm();
      act();
      return;
    }
    button.textContent = question;
    button.dataset.armed = '';
    timer = setTimeout(calm, 4000);
  });
}

/** Lets a copy button say that it did, for a moment. */
function copyOnClick(button, textOf) {
  const label = button.textContent;
  let timer;
  button.addEventListener('click', async () => {
    const done = await copyText(textOf()).then(() => 'Copied', () => 'Not allowed');
    button.textContent = done;
    clearTimeout(timer);
    timer = setTimeout(() => { button.textContent = label; }, 1500);
  });
}
