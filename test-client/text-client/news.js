'use strict';

/** Tells the person what others did: a message that came, a room that is theirs no more. */
class News {
  #chat;
  #typing;
  #outbox;
  #thread;
  #sound;
  #bar;

  constructor({ chat, typing, outbox, thread, sound, bar }) {
    this.#chat = chat;
    this.#typing = typing;
    this.#outbox = outbox;
    this.#thread = thread;
    this.#sound = sound;
    this.#bar = bar;
    chat.arrived.listen((message, conversation) => this.#onArrived(message, conversation));
    chat.gone.listen((conversation, reason) => this.#onGone(conversation, reason));
  }

  #onArrived(message, conversation) {
    const sender = message.sender._id;
    this.#typing.end(conversation.key, sender);
    this.#thread.noteArrival(conversation);
    this.#sound.play();
    this.#bar.showSounds();
    const where = conversation.isRoom ? ` in ${conversation.room.name}` : '';
    setText(byId('announcer'), `${displayName(this.#chat.person(sender))}${where}: ${message.content}`);
  }

  #onGone({ key, room: { name, orderId }, leaving }, reason) {
    this.#outbox.abandon(key);
    if (leaving) return;
    if (orderId) return this.#bar.notify(`The room “${name}” is closed: its order has ended, or has another driver.`);
    this.#bar.notify(reason === 'closed' ? `The room “${name}” was deleted.` : `You were removed from the room “${name}”.`);
  }
}
