'use strict';

// A map, and nothing else: of one order (`map.html?order=…`), of one driver (`map.html?driver=…`), or of all drivers. Whoever is
// logged in on the test page is so here.

/** A tab that was opened from the test page shares its refresh token, which is good for one use: it is left to that page. */
class MapSession extends Session {
  #own = new Kept('sessionStorage', 'waggle.session.own', null);

  get refreshToken() { return this.#own.value === this.me?._id ? super.refreshToken : undefined; }

  /** Somebody has logged in here. */
  startOwn(answer) {
    this.#own.value = answer.user._id;
    this.start(answer);
  }
}

const session = new MapSession();
const choices = new Choices();
const log = new EventLog();
const api = new Api(session, choices, log);
const config = new PageConfig();

const asked = new URLSearchParams(location.search);
const Page = asked.get('order') ? OrderPage : asked.get('driver') ? DriverPage : FleetPage;
const page = new Page(asked.get('order') || asked.get('driver'), { session, choices, log, api, config });

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
  page.link.close();
  setText(byId('login-title'), page.prompt);
  byId('entry').hidden = false;
  page.element.hidden = true;
}

async function enter() {
  byId('entry').hidden = true;
  page.element.hidden = false;
  complain(null);
  try {
    const [{ user }] = await Promise.all([api.me(), config.load(api)]);
    session.recognize(user);
    await page.enter(user);
  } catch (problem) {
    if (problem.status === 401 || problem.status === 403) showEntry();
    if (problem.status !== 401) complain(problem);
  }
}

page.link.stateChanged.listen(showState);
page.complained.listen(complain);
byId('theme').addEventListener('click', () => theme.toggle());
onSubmit('login', async ({ identity, password }) => {
  const who = identity.includes('@') ? { email: identity } : { username: identity };
  session.startOwn(await api.login({ ...who, password }));
  enter();
});

if (session.active) enter();
else showEntry();
