'use strict';

/** The room's own page: what it is, who is in it, and what its owner does with it. */
class RoomView {
  #chat;
  #rooms;
  #api;
  #members;
  #invites;
  #key = null;

  constructor({ chat, rooms, api, members, invites }) {
    this.#chat = chat;
    this.#rooms = rooms;
    this.#api = api;
    this.#members = members;
    this.#invites = invites;
    prepareDialog('room');
    byId('room').addEventListener('close', () => { this.#key = null; });
    rooms.changed.listen((key) => { if (key === this.#key) this.#render(); });
    chat.gone.listen(({ key }) => { if (key === this.#key) byId('room').close(); });
    members.failed.listen((problem) => this.#complain(problem));
    invites.failed.listen((problem) => this.#complain(problem));
    copyOnClick(byId('room-copy-id'), () => this.#key);
    onSubmit('room-form', (form) => this.#change(form));
    actOnSecondClick(byId('room-leave'), 'Really leave?', () => this.#end((key) => api.leaveRoom(key)));
    actOnSecondClick(byId('room-delete'), 'Really delete?', () => this.#end((key) => api.deleteRoom(key)));
  }

  open(key) {
    this.#key = key;
    this.#complain(null);
    const { room } = this.#conversation;
    const form = byId('room-form');
    clearErrors(form);
    byId('room-saved').hidden = true;
    this.#fillForm(room);
    form.reset();
    this.#render();
    this.#invites.open(this.#conversation);
    byId('room').showModal();
    byId('room-scroll').scrollTop = 0;
    this.#rooms.loadMembers(this.#conversation).catch((problem) => this.#complain(problem));
  }

  get #conversation() { return this.#chat.room(this.#key); }

  #render() {
    const conversation = this.#conversation;
    const { room, role } = conversation;
    setText(byId('room-name'), room.name);
    setText(byId('room-kind'), `${room.isPrivate ? 'Private' : 'Public'} room · you are ${{ owner: 'its owner', admin: 'an admin', member: 'a member' }[role]}`);
    setText(byId('room-description'), room.description ?? '');
    byId('room-description').hidden = !room.description;
    setText(byId('room-id'), room.id);
    byId('room-settings').hidden = role !== 'owner';
    byId('room-delete').hidden = role !== 'owner';
    this.#members.render(conversation);
    this.#invites.render(conversation);
  }

  async #change({ name, description, isPrivate }) {
    byId('room-saved').hidden = true;
    const change = { name, description: description || null, isPrivate: isPrivate !== undefined };
    const conversation = this.#conversation;
    const { room } = await this.#api.changeRoom(conversation.key, change);
    conversation.takeRoom(room);
    this.#rooms.changed.fire(conversation.key);
    this.#chat.listChanged.fire();
    this.#fillForm(room);
    byId('room-saved').hidden = false;
  }

  /** As the form's defaults, to which it goes back once it was sent. */
  #fillForm({ name, description, isPrivate }) {
    const { elements } = byId('room-form');
    elements.name.defaultValue = name;
    elements.description.defaultValue = description ?? '';
    elements.isPrivate.defaultChecked = Boolean(isPrivate);
  }

  /** The membership ends by this person's own hand. */
  async #end(request) {
    const conversation = this.#conversation;
    conversation.leaving = true;
    try {
      await request(conversation.key);
      this.#chat.forget(conversation);
    } catch (problem) {
      conversation.leaving = false;
      this.#complain(problem);
    }
  }

  #complain(problem) {
    setText(byId('room-error'), problem?.message ?? '');
    byId('room-error').hidden = !problem;
    if (problem) byId('room-error').scrollIntoView({ block: 'nearest' });
  }
}
