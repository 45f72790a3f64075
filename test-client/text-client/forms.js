'use strict';

// Forms: what they send, and where they say what is wrong.

/** Lets `submit` have what was filled in; its problems are shown at the fields they are about. */
function onSubmit(formId, submit) {
  const form = byId(formId);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = form.querySelector('[type=submit]');
    clearErrors(form);
    button.disabled = true;
    try {
      await submit(valuesOf(form));
      form.reset();
    } catch (problem) {
      showProblem(form, problem);
    }
    button.disabled = false;
  });
}

/** Passwords go out as typed, everything else trimmed (a pasted token may carry `Bearer`). */
function valuesOf(form) {
  return Object.fromEntries([...new FormData(form)].map(([name, value]) =>
    [name, name === 'password' ? value : value.trim().replace(/^Bearer\s+/i, '')]));
}

function showProblem(form, problem) {
  const line = form.querySelector('.form__error');
  setText(line, problem.message);
  line.hidden = false;
  for (const { field, message } of problem.details ?? []) markField(form, field, message);
  (form.querySelector('[aria-invalid]') ?? form.querySelector('input'))?.focus();
}

function markField(form, field, message) {
  const input = form.elements[field];
  if (!input) return;
  const id = `${form.id}-${field}-error`;
  input.setAttribute('aria-invalid', 'true');
  input.setAttribute('aria-describedby', id);
  input.after(make('span', { className: 'field__error', text: message, attrs: { id } }));
}

function clearErrors(form) {
  form.querySelector('.form__error').hidden = true;
  for (const error of form.querySelectorAll('.field__error')) error.remove();
  for (const input of form.querySelectorAll('[aria-invalid]')) {
    input.removeAttribute('aria-invalid');
    input.removeAttribute('aria-describedby');
  }
}

/** Lets a dialog be opened by a button, and closed by its own; the form in it starts afresh. */
function prepareDialog(dialogId, openerId) {
  const dialog = byId(dialogId);
  dialog.querySelector('.sheet__close').addEventListener('click', () => dialog.close());
  // A click beside it.
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
  if (!openerId) return;
  byId(openerId).addEventListener('click', () => {
    const form = dialog.querySelector('form');
    form.reset();
    clearErrors(form);
    dialog.showModal();
  });
}
