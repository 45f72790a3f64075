'use strict';

/** Loads the Socket.IO client that speaks `parser`: the server's own when served, the vendored file when opened as a file. */
const loadClient = (() => {
  const folder = Choices.openedAsFile ? 'socket.io' : '/socket.io';
  const files = {
    common: Choices.openedAsFile ? `${folder}/socket.io.min.js` : `${folder}/socket.io.js`,
    msgpack: `${folder}/socket.io.msgpack.min.js`,
  };
  const loaded = {};

  function load(parser) {
    return new Promise((resolve, reject) => {
      const script = make('script', { attrs: { src: files[parser] } });
      script.addEventListener('load', () => resolve(window.io));
      script.addEventListener('error', () => reject(new Problem(`Could not load ${files[parser]}.`)));
      document.head.append(script);
    });
  }

  return (parser) => {
    loaded[parser] ??= load(parser).catch((problem) => {
      delete loaded[parser];
      throw problem;
    });
    return loaded[parser];
  };
})();
