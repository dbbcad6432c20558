// Keeps every file of the page that was loaded, for when there is no network.

const VERSION = "0"; // of the page's content, written by the export
const CACHE = `keras-vit ${self.registration.scope} ${VERSION}`;
// Loaded before this worker sees it, written by the export; the rest is kept as it comes.
const EARLY = ["./"];

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(EARLY)));
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
  const kept = await cache.match(request, { ignoreSearch: true });
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok) await cache.put(request, response.clone());
  return response;
}

async function removeOthers() {
  const own = `keras-vit ${self.registration.scope} `;
  const names = (await caches.keys()).filter((name) => name.startsWith(own) && name !== CACHE);
  await Promise.all(names.map((name) => caches.delete(name)));
}
