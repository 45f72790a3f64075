'use strict';

/** The invite in the page's address: taken out of it at once, and kept in this tab until it is answered. */
class Invitation {
  #kept = new Kept('sessionStorage', 'waggle.invitation', null);

  constructor() {
    const invitation = Invitation.of(location.href);
    if (!invitation) return;
    this.#kept.value = invitation;
    const address = new URL(location.href);
    for (const name of ['invite', 'room']) address.searchParams.delete(name);
    history.replaceState(null, '', address);
  }

  /** `{room, invite}`; null when there is none. */
  get pending() { return this.#kept.value; }

  done() {
    this.#kept.value = null;
  }

  /** The link to pass on. */
  static link(server, room, invite) {
    const address = new URL(`${server}/`);
    address.searchParams.set('invite', invite);
    address.searchParams.set('room', room);
    return address.href;
  }

  /** What a link, or the bare id of a room, leads to; null for anything else. */
  static of(text) {
    if (/^[0-9a-f]{24}$/i.test(text)) return { room: text };
    const { searchParams } = URL.canParse(text) ? new URL(text) : { searchParams: new URLSearchParams() };
    const [room, invite] = [searchParams.get('room'), searchParams.get('invite')];
    return room && { room, invite: invite ?? undefined };
  }
}
