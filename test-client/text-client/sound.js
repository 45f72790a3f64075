'use strict';

/** A short two-note chime for an incoming message; silent until the person has touched the page, and when muted. */
class Sound {
  static NOTES = [{ pitch: 659.26, at: 0 }, { pitch: 987.77, at: 0.09 }];

  #muted = new Kept('localStorage', 'waggle.muted', false);
  #context = null;
  /** How often it sounded since the page was loaded. */
  played = 0;

  constructor() {
    const wake = () => { this.#context ??= new AudioContext(); };
    for (const gesture of ['pointerdown', 'keydown']) document.addEventListener(gesture, wake, { once: true });
  }

  get muted() {
    return this.#muted.value;
  }

  toggle() {
    this.#muted.value = !this.muted;
  }

  play() {
    if (this.muted || !this.#context) return;
    this.played++;
    this.#context.resume();
    for (const note of Sound.NOTES) this.#strike(note);
  }

  #strike({ pitch, at }) {
    const start = this.#context.currentTime + at;
    const tone = new OscillatorNode(this.#context, { type: 'sine', frequency: pitch });
    const volume = new GainNode(this.#context, { gain: 0 });
    volume.gain.linearRampToValueAtTime(0.12, start + 0.015);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.45);
    tone.connect(volume).connect(this.#context.destination);
    tone.start(start);
    tone.stop(start + 0.5);
  }
}
