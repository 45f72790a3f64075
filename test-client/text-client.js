'use strict';

// Puts the page together: the parts are in text-client/, each in a file by its name.

// First of all, as it clears the address.
const invitation = new Invitation();
const choices = new Choices();
const session = new Session();
const log = new EventLog();
const api = new Api(session, choices, log);
const link = new Link(session, choices, api, log);
const chat = new Chat(api, session);
const inbox = new Inbox(api, chat);
const outbox = new Outbox(link, (roomId) => link.roomsUp && Boolean(chat.room(roomId)?.joined));
const resume = new Resume(link, chat);
const typing = new Typing(link);
const reads = new Reads(link, chat, byId('scroll'));
const rooms = new Rooms({ link, chat, api, outbox, resume, inbox });
const receipts = new Receipts({ link, chat, api, session, inbox });
const config = new PageConfig();
const orders = new Orders({ link, api, session });
const follow = new Follow({ link, api, orders });
const offers = new Offers({ link, api, orders });
const drive = new Drive(link);
const admin = new Admin({ api, session });
const sound = new Sound();

const bar = new BarView({ link, choices, sound });
const entry = new EntryView(api);
const people = new PeopleView({ chat, typing, session });
const messages = new MessagesView({ chat, outbox, reads });
const composer = new ComposerView({ chat, outbox, typing });
const head = new HeadView({ chat, rooms, link, api });
const thread = new ThreadView({ chat, outbox, typing, messages, composer });
const join = new JoinView({ api, invitation });
const membersView = new MembersView({ chat, api, rooms });
const invitesView = new InvitesView({ api, chat, choices });
const roomView = new RoomView({ chat, rooms, api, members: membersView, invites: invitesView });
const receiptsView = new ReceiptsView({ chat, receipts });
const logView = new LogView(log);
const sides = new SwitchView();
const ordersView = new OrdersView({ orders, config });
const actionsView = new ActionsView({ orders, drive });
new OrderView({ orders, config, actions: actionsView });
new TripView({ orders, follow, config });
new DriverView({ offers, orders, config, drive });
const fleet = new FleetView({ orders, api, link, config });
new PlaceView({ orders, config });
const socketsView = new SocketsView({ admin });
const bansView = new BansView({ admin });

const complain = (problem) => bar.notify(problem.message);

new News({ chat, typing, outbox, thread, sound, bar });

// What the server says.
// One-to-one messages come wrapped, those of rooms as they are.
link.on('receive_message', (event) => chat.receive(event.message ?? event));
link.on('message_sent', ({ message, tempId }) => chat.receive(outbox.identify(message, tempId)));
link.on('message_read_receipt', (receipt) => chat.receiveReceipt(receipt));
link.on('user_status', (status) => [chat.people, rooms].forEach((each) => each.receiveStatus(status)));
link.on('message_error', (problem) => composer.complain(problem));
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
  enter({ key: receiverId });
});
chat.opened.listen((key) => { if (key === null) openKept.value = null; });
people.chosen.listen((key) => openConversation(key));
head.left.listen(() => leaveConversation());
head.roomAsked.listen(() => roomView.open(chat.openId));
for (const { failed } of [thread, head, orders, follow, offers, drive]) failed.listen(complain);
orders.told.listen((text) => bar.notify(text));
orders.opened.listen((id) => { if (session.active) orderKept.value = id; });
orders.changed.listen((id) => noticeRoom(id));
actionsView.roomAsked.listen((order) => openOrderRoom(order));
sides.changed.listen((side) => {
  fleet.load();
  admin.show(side === 'admin');
});
socketsView.banAsked.listen((user) => bansView.ask(user));
messages.readsAsked.listen((message) => receiptsView.open(message));
join.entered.listen((room) => enterRoom(room));
bar.loggedOut.listen(() => logOut());
choices.changed.listen(() => { if (session.active) link.open(); });

document.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape' && !document.querySelector('dialog[open]') && chat.openId && byId('back').offsetParent) leaveConversation();
});
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible' && link.up) inbox.load().catch(() => {});
});
window.addEventListener('beforeunload', (event) => {
  if (outbox.pending) event.preventDefault();
});

/** Which order is open, so that it is so again after a reload. */
const orderKept = new Kept('sessionStorage', 'waggle.order', null);
const FRESH = 2000;
let fetchedAt = 0;
/** `{key, isRoom}` of the open conversation. */
const openKept = new Kept('sessionStorage', 'waggle.open', null);

/** Shows the chat of the person this tab is. What is there already is fetched first, so that connecting resumes from it. */
async function enter(open = null) {
  showView();
  logView.restore();
  await recognize();
  const [, listed] = await Promise.allSettled([chat.people.load(), inbox.load(), config.load(api)]);
  fetchedAt = listed.status === 'fulfilled' ? Date.now() : 0;
  if (!session.active) return;
  // A room may have been left meanwhile.
  if (open && (!open.isRoom || chat.room(open.key))) openConversation(open.key);
  orders.show(orderKept.value);
  link.open();
  await join.offer();
}

/** A pasted token does not say the name; a refused one is told by the connection itself. */
async function recognize() {
  await api.me().then(({ user }) => session.recognize(user), () => {});
}

function showView() {
  byId('entry').hidden = session.active;
  sides.render(session.active, admin.allowed);
  join.showWaiting();
  document.body.dataset.pane = chat.openId ? 'thread' : 'list';
  bar.showSession(session);
}

session.changed.listen(() => {
  bar.showSession(session);
  if (session.active) people.showMe(session.me);
  sides.render(session.active, admin.allowed);
});

function openConversation(key) {
  openKept.value = { key, isRoom: chat.conversation(key).isRoom };
  chat.show(key).catch(complain);
}

/** A driver has taken an order of this person, or they one: its room is new in the list. */
function noticeRoom(id) {
  const order = orders.listed.find((one) => one.id === id);
  if (order?.roomId && isUnderWay(order) && orders.role !== 'admin' && !chat.room(order.roomId)) inbox.loadSoon();
}

/** The room in which customer and driver talk; of an order that has ended, its history. */
async function openOrderRoom({ roomId }) {
  try {
    chat.takeRoom((await api.room(roomId)).room);
    sides.show('chat');
    openConversation(roomId);
  } catch (problem) {
    complain(problem);
  }
}

/** A room just made or joined; where its messages are is in the list of conversations. */
async function enterRoom(room) {
  chat.takeRoom(room);
  await inbox.load().catch(complain);
  if (chat.room(room.id)) openConversation(room.id);
}

function leaveConversation() {
  const key = chat.openId;
  chat.leave();
  document.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

/** After a connect: presence, badges and receipts that changed since they were fetched. Only the first one may be spared it. */
function refreshAll() {
  const fresh = Date.now() - fetchedAt < FRESH;
  fetchedAt = 0;
  if (fresh) return;
  Promise.all([chat.people.load(), inbox.load(), chat.loadNewest()]).catch(complain);
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
  inbox.reset();
  receipts.reset();
  drive.reset();
  fleet.reset();
  ordersView.reset();
  offers.reset();
  admin.reset();
  socketsView.reset();
  bansView.reset();
  orderKept.value = null;
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
  chat.leave();
  chat.reset();
  people.reset();
  session.end();
  orders.reset();
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
