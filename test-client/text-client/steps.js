'use strict';

// How far an order is, and when it may be there: what both pages show.

/** The steps of an order in a row, with the times at which it took them. */
function renderSteps(list, order) {
  const at = (status) => order.history.findLast((entry) => entry.status === status)?.at;
  const steps = order.status === 'cancelled' ? [...ORDER_STEPS.slice(0, 1), 'cancelled'] : ORDER_STEPS;
  const now = steps.indexOf(order.status);
  list.replaceChildren(...steps.map((status, index) => {
    const isDone = index <= now;
    const step = make('li', { className: 'step', data: { testid: 'order-step', status, done: String(isDone) } },
      make('span', { className: 'step__mark', attrs: { 'aria-hidden': 'true' } }),
      make('span', { className: 'step__name', text: index === 0 ? 'Placed' : STATUS_WORDS[status] }),
      make('span', { className: 'step__time', text: isDone && at(status) ? clockTime(at(status)) : '' }));
    if (index === now) step.setAttribute('aria-current', 'step');
    return step;
  }));
}

/** When an order may be there, for who waits for it. */
function renderEta(element, order, position) {
  element.hidden = !isUnderWay(order);
  element.dataset.seconds = position?.etaSeconds ?? '';
  element.dataset.kilometres = position?.distanceLeftKm ?? '';
  setText(element, position ? etaWords(position) : 'The driver has not said yet where they are.');
}
