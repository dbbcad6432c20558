// Keeps every file of the page that was loaded, for when there is no network.

const VERSION = "0"; // of the page's content, written by the export
const CACHE = `keras-vit ${self.registration.scope} ${VERSION}`;
// Loaded before this worker sees it, written by the export; the rest is kept as it comes.
const EARLY = ["./"];
const FRESH = { cache: "no-cache" }; // asks the server: the browser may still have an earlier page's files

self.addEventListener("install", (event) => {
  self.skipWaiting();
  const requests = EARLY.map((file) => new Request(file, FRESH));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(requests)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(removeOthers().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET" && event.request.url.startsWith(self.registration.scope)) {
    event.respondWith(answer(event.request));
  }
});

async function answer(request) {
  const cache = await caches.open(CACHE);
  const place = request.url.replace(/index\.html(?=[?#]|$)/, ""); // the same page as "./"
  const kept = await cache.match(place, { ignoreSearch: true, ignoreVary: true });
  if (kept) return kept;
  const response = await fetch(request, FRESH);
  if (response.ok) await cache.put(place, response.clone()).catch(() => {}); // without room it works online
  return response;
}

async function removeOthers() {
  const own = `keras-vit ${self.registration.scope} `;
  const names = (await caches.keys()).filter((name) => name.startsWith(own) && name !== CACHE);
  await Promise.all(names.map((name) => caches.delete(name)));
}
