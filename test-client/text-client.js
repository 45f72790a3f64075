'use strict';

// Puts the page together: the parts are in text-client/, each in a file by its name.

const choices = new Choices();
const session = new Session();
const log = new EventLog();
const api = new Api(session, choices, log);
const link = new Link(session, choices, api, log);
const chat = new Chat(api, session);
const outbox = new Outbox(link);
const resume = new Resume(link, chat);
const typing = new Typing(link);
const reads = new Reads(link, chat, byId('scroll'));
const sound = new Sound();

const bar = new BarView({ link, choices, sound });
const entry = new EntryView(api);
const people = new PeopleView({ chat, typing, session });
const messages = new MessagesView({ chat, outbox, reads });
const thread = new ThreadView({ chat, outbox, typing, messages });
const logView = new LogView(log);

const complain = (problem) => bar.notify(problem.message);

// What the server says.
link.on('receive_message', ({ message }) => chat.receive(message));
link.on('message_sent', ({ message, tempId }) => chat.receive(outbox.identify(message, tempId)));
link.on('message_read_receipt', (receipt) => chat.receiveReceipt(receipt));
link.on('user_status', (status) => chat.receiveStatus(status));
link.on('token_expiring', () => renewToken());
link.on('server_shutdown', () => bar.notify('The server is going down. Keep writing: your messages wait here until it is back.'));
outbox.acknowledged.listen((message) => chat.receive(message));
chat.stored.listen((message) => outbox.settle(message));
link.connected.listen(() => refreshAll());
link.stateChanged.listen(({ name, detail }) => {
  if (name === 'refused' && session.pasted) bar.notify(`${detail}. Leave, and paste another token.`);
});

// What the person does.
entry.signedIn.listen((account, isNew) => {
  session.start(account);
  enter();
  if (isNew) people.showNextStep(session.me);
});
entry.tokenGiven.listen(({ token, receiverId }) => {
  session.start({ token });
  enter(receiverId);
});
people.chosen.listen((peerId) => openConversation(peerId));
thread.left.listen(() => leaveConversation());
thread.failed.listen(complain);
bar.loggedOut.listen(() => logOut());
choices.changed.listen(() => { if (session.active) link.open(); });

chat.arrived.listen((message, conversation) => {
  typing.end(message.sender._id);
  thread.noteArrival(conversation);
  sound.play();
  bar.showSounds();
  setText(byId('announcer'), `${displayName(chat.person(message.sender._id))}: ${message.content}`);
});

document.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape' && chat.openId && byId('back').offsetParent) leaveConversation();
});
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible' && link.up) chat.loadInbox().catch(() => {});
});
window.addEventListener('beforeunload', (event) => {
  if (outbox.pending) event.preventDefault();
});

const FRESH = 2000;
let fetchedAt = 0;
const openKept = new Kept('sessionStorage', 'waggle.open', null);

/** Shows the chat of the person this tab is. What is there already is fetched first, so that connecting resumes from it. */
async function enter(receiverId = null) {
  showView();
  logView.restore();
  await recognize();
  await Promise.allSettled([chat.loadPeople(), chat.loadInbox()]);
  fetchedAt = Date.now();
  if (!session.active) return;
  if (receiverId) openConversation(receiverId);
  link.open();
}

/** A pasted token does not say the name; a refused one is told by the connection itself. */
async function recognize() {
  await api.me().then(({ user }) => session.recognize(user), () => {});
}

function showView() {
  byId('entry').hidden = session.active;
  byId('chat').hidden = !session.active;
  document.body.dataset.view = session.active ? 'chat' : 'entry';
  document.body.dataset.pane = chat.openId ? 'thread' : 'list';
  bar.showSession(session);
}

session.changed.listen(() => {
  bar.showSession(session);
  if (session.active) people.showMe(session.me);
});

function openConversation(peerId) {
  openKept.value = peerId;
  chat.show(peerId).catch(complain);
}

function leaveConversation() {
  const peerId = chat.openId;
  openKept.value = null;
  chat.leave();
  document.querySelector(`[data-user-id="${CSS.escape(peerId)}"]`)?.focus();
}

/** After a connect: presence, badges and receipts that changed since they were fetched. */
function refreshAll() {
  if (Date.now() - fetchedAt < FRESH) return;
  Promise.all([chat.loadPeople(), chat.loadInbox(), chat.loadNewest()]).catch(complain);
}

async function renewToken() {
  if (session.pasted) return bar.notify('This token expires within a minute. Paste a new one to stay connected.');
  try {
    await api.refresh();
    await link.request('refresh_token', { token: session.token });
  } catch (problem) {
    complain(problem);
  }
}

async function logOut() {
  if (!session.pasted) await api.logout().catch(() => {});
  leave();
}

function leave() {
  link.close();
  typing.reset();
  outbox.clear();
  resume.reset();
  openKept.value = null;
  chat.leave();
  chat.reset();
  people.reset();
  session.end();
  showView();
}

/** The link from a mail brings a token to choose a new password with; that will end every login session, this one too. */
function takeResetToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get('reset-token');
  if (!token) return;
  history.replaceState(null, '', location.pathname + location.search);
  if (session.active) leave();
  entry.showReset(token);
}

showView();
window.addEventListener('hashchange', () => takeResetToken());
takeResetToken();
if (session.active) {
  people.showMe(session.me);
  enter(openKept.value);
}
