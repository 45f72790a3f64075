'use strict';

/** The ways into a room: making one, joining one by its id or by a link, and being invited. */
class JoinView {
  /** A room this person has made or joined. */
  entered = new Signal();
  #api;
  #invitation;

  constructor({ api, invitation }) {
    this.#api = api;
    this.#invitation = invitation;
    prepareDialog('create-room', 'new-room');
    prepareDialog('join-room', 'find-room');
    prepareDialog('invited');
    onSubmit('create-room-form', async ({ name, description, isPrivate }) => {
      const { room } = await api.createRoom({ name, description: description || undefined, isPrivate: isPrivate !== undefined });
      this.#enter('create-room', room);
    });
    onSubmit('join-room-form', async ({ where }) => {
      const found = Invitation.of(where);
      if (!found) throw new Problem('This is neither an id nor an invite link.', { details: [{ field: 'where', message: 'An id has 24 digits; a link is an address with “room” in it.' }] });
      this.#enter('join-room', (await api.joinRoom(found.room, found.invite)).room);
    });
    onSubmit('invited-form', async () => {
      const { room, invite } = invitation.pending;
      this.#enter('invited', (await api.joinRoom(room, invite)).room);
    });
    byId('invited').addEventListener('close', () => invitation.done());
    byId('invited-decline').addEventListener('click', () => byId('invited').close());
    this.showWaiting();
  }

  /** Says on the way in that an invite is waiting. */
  showWaiting() {
    byId('entry-note').hidden = !this.#invitation.pending;
  }

  /** Offers what the link in the address was about. */
  async offer() {
    if (!this.#invitation.pending) return;
    const { room: id, invite } = this.#invitation.pending;
    clearErrors(byId('invited-form'));
    try {
      const { room } = await this.#api.room(id, { invite });
      if (room.role) return this.#enter('invited', room);
      this.#describe(room.name, [room.isPrivate ? 'A private room' : 'A public room', plural(room.memberCount, 'member')].join(' · '), room.description);
    } catch (problem) {
      this.#describe('An invite', 'This invite does not lead to a room.', '', problem);
    }
    byId('invited').showModal();
  }

  #describe(title, words, description, problem = null) {
    setText(byId('invited-title'), title);
    setText(byId('invited-words'), words);
    setText(byId('invited-description'), description ?? '');
    byId('invited-accept').hidden = problem !== null;
    setText(byId('invited-decline'), problem ? 'Close' : 'Not now');
    if (problem) showProblem(byId('invited-form'), problem);
  }

  #enter(dialogId, room) {
    this.#invitation.done();
    byId(dialogId).close();
    this.entered.fire(room);
  }
}
