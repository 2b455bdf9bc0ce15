// What happens, as it happens. A browser allows six connections to a server, so of all the tabs one holds the stream
// and tells the others; when it closes, the next one takes over (the lock is the queue).

const RETRY = 1500;

/** Calls `heard(event)` for each event, and `connected(true | false)` when the stream comes up or breaks. */
export function listen({ heard, connected }) {
  const others = new BroadcastChannel("accessbot-demo");
  others.onmessage = ({ data }) => deliver(data);

  function deliver({ event, up }) {
    if (event) heard(event);
    else connected(up);
  }

  function tell(news) {
    others.postMessage(news);
    deliver(news);
  }

  navigator.locks.request("accessbot-demo-stream", () => new Promise(() => open()));

  function open() {
    const source = new EventSource("/client/events");
    // a tab that closes has not lost anything
    addEventListener("pagehide", () => source.close());
    source.onopen = () => tell({ up: true });
    source.onmessage = ({ data }) => tell({ event: JSON.parse(data) });
    source.onerror = () => {
      tell({ up: false });
      // after a refusal the browser does not try again by itself
      if (source.readyState === EventSource.CLOSED) setTimeout(open, RETRY);
    };
  }
}
