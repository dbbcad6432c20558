// The engine, and files that stay: a service worker keeps what was loaded once.

import { loadAndCompile, loadLiteRt } from "@litertjs/core";

const LONGEST_WAIT = 5000; // milliseconds for the service worker, without which the page works online

let kept = false;

/** Loads the page's model. Returns [description, model]. */
export async function loadModel() {
  if (!globalThis.WebAssembly) throw new Error("This browser has no WebAssembly, which the model needs. Update it.");
  await keepFiles();
  const seen = Boolean(navigator.serviceWorker?.controller); // what is loaded from here on
  const response = await fetch("keras-vit.json");
  if (!response.ok) throw new Error(`keras-vit.json is missing (${response.status}). Write the page again.`);
  const description = await response.json();
  await loadLiteRt(new URL("litert/wasm/", location.href).href);
  const file = await fetch(description.file);
  if (!file.ok) throw new Error(`${description.file} is missing (${file.status}). Write the page again.`);
  const model = await loadAndCompile(new Uint8Array(await file.arrayBuffer()), { accelerator: "wasm" });
  kept = seen && Boolean(await caches.match(description.file));
  return [description, model];
}

async function keepFiles() {
  if (!navigator.serviceWorker) return; // http other than localhost
  const controlled = new Promise((resolve) => {
    if (navigator.serviceWorker.controller) resolve();
    navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true });
  });
  const waited = new Promise((resolve) => setTimeout(resolve, LONGEST_WAIT));
  await navigator.serviceWorker.register("sw.js").catch(() => {});
  await Promise.race([controlled, waited]);
}

/** Whether the page works without a network. */
export const isKept = () => kept;

/** Shows an error where a person looks for it. */
export function fail(error) {
  const place = document.getElementById("error");
  place.textContent = error.message || String(error);
  place.hidden = false;
  document.getElementById("status").hidden = true;
}
