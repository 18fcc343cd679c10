// The board's line to the server: opens, falls, comes back, and gives up in favour of polling.

const UNKNOWN_RUN = 4404;
const SIGNED_OUT = 4401;
const HANDSHAKES = 3;
const LONGEST_WAIT_MS = 5000;

// `on`: {have, frame, down, lost, poll}, and `around` where a page stands around it. Returns {send, close, open}.
function openLine(path, on) {
  let socket = null;
  let timer = 0;
  let tries = 0;
  let refused = 0;
  let closed = false;

  function connect() {
    const url = new URL(path, location.origin);
    url.protocol = url.protocol.replace('http', 'ws');
    let heard = false;
    socket = new WebSocket(url);
    socket.onopen = () => socket.send(JSON.stringify({have: on.have(), around: on.around?.()}));
    socket.onmessage = (event) => {
      heard = true;
      tries = refused = 0;
      on.frame(JSON.parse(event.data));
    };
    socket.onclose = async (event) => {
      if (closed) return;
      if (event.code === UNKNOWN_RUN || event.code === SIGNED_OUT) return on.lost();
      // A server that is away for a while will have its route back; one that is there has none.
      if (!heard && await serverAnswers() && ++refused >= HANDSHAKES) return on.poll();
      // A blink is mended before anybody reads of it.
      if (!closed && tries > 0) on.down();
      if (!closed) timer = setTimeout(connect, wait(tries++));
    };
  }

  connect();
  return {
    open: () => socket.readyState === WebSocket.OPEN,
    send: (message) => socket.send(JSON.stringify(message)),
    close() {
      closed = true;
      clearTimeout(timer);
      socket.close();
    },
  };
}

const wait = (tries) => Math.min(LONGEST_WAIT_MS, 250 * 2 ** tries) * (0.75 + Math.random() / 2);

async function serverAnswers() {
  try {
    await fetch('/_stcore/health', {cache: 'no-store', signal: AbortSignal.timeout(3000)});
    return true;
  } catch {
    return false;
  }
}
