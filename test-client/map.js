'use strict';

// One order on a map: `map.html?order=…`, by its id or number. Whoever is logged in on the test page is so here.

/** A tab that was opened from the test page shares its refresh token, which is good for one use: it is left to that page. */
class MapSession extends Session {
  isOwn = false;

  get refreshToken() { return this.isOwn ? super.refreshToken : undefined; }
}

const session = new MapSession();
const choices = new Choices();
const log = new EventLog();
const api = new Api(session, choices, log);
const link = new Link(session, choices, api, log);
const orders = new Orders({ link, api, session });
const follow = new Follow({ link, api, orders });
const config = new PageConfig();
new TripView({ orders, follow, config });

const wanted = new URLSearchParams(location.search).get('order');

function complain(problem) {
  setText(byId('notice-text'), problem?.message ?? '');
  byId('notice').hidden = !problem;
}

function showState({ name, detail }) {
  byId('state').dataset.state = name;
  setText(byId('state-text'), LINK_WORDS[name](detail));
  // A token that is refused is of no use: somebody has to log in.
  if (name === 'refused' && /token|Authentication/i.test(detail)) showEntry();
}

function showEntry() {
  link.close();
  byId('entry').hidden = false;
  byId('order').hidden = true;
}

function showOrder() {
  const { open } = orders;
  if (!open) return;
  document.title = `waggle · order ${open.orderNumber}`;
  setText(byId('order-name'), `Order ${open.orderNumber}`);
  setText(byId('order-status'), STATUS_WORDS[open.status]);
  Object.assign(byId('order-status'), { hidden: false }).dataset.status = open.status;
  renderSteps(byId('order-steps'), open);
}

async function enter() {
  byId('entry').hidden = true;
  byId('order').hidden = false;
  complain(null);
  try {
    if (!wanted) throw new Problem('Which order? Open this page as map.html?order= and its ID or number.');
    const [{ user }] = await Promise.all([api.me(), config.load(api)]);
    session.recognize(user);
    const { order } = await api.order(wanted);
    orders.take(order);
    orders.show(order.id);
    link.open();
  } catch (problem) {
    if (problem.status === 401) return showEntry();
    complain(problem);
  }
}

link.stateChanged.listen(showState);
orders.changed.listen(showOrder);
for (const { failed } of [orders, follow]) failed.listen(complain);
orders.told.listen((text) => complain({ message: text }));
byId('theme').addEventListener('click', () => theme.toggle());
onSubmit('login', async ({ identity, password }) => {
  const who = identity.includes('@') ? { email: identity } : { username: identity };
  session.isOwn = true;
  session.start(await api.login({ ...who, password }));
  enter();
});

if (session.active) enter();
else showEntry();
