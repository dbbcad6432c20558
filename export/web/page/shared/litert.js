// The engine, and files that stay: a service worker keeps what was loaded once.

import { getWebGpuDevice, loadAndCompile, loadLiteRt } from "@litertjs/core";

const LONGEST_WAIT = 5000; // milliseconds for the service worker, without which the page works online
const [FEWEST, MOST, LONG] = [2, 10, 500]; // runs before the first answer, and milliseconds for those past the fewest

let kept = false;
let bytes; // of the model's file

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
  bytes = new Uint8Array(await file.arrayBuffer());
  const model = await loadAndCompile(bytes, { accelerator: "wasm" });
  kept = seen && Boolean(await caches.match(description.file));
  return [description, model];
}

/** Runs the model until the browser has optimized the engine, which makes the first answers several times faster. */
export async function warmUp(run) {
  const started = performance.now();
  for (let i = 0; i < FEWEST || (i < MOST && performance.now() - started < LONG); i++) await run();
}

/** Loads the page's model once more, for the GPU. The error says why it cannot run there as a whole. */
export async function loadOnGpu() {
  if (!navigator.gpu) throw new Error("this browser has none");
  if (!getWebGpuDevice()) throw new Error("no GPU was found");
  const model = await loadAndCompile(bytes, { accelerator: "webgpu" });
  bytes = null; // it is kept for this alone
  if (model.options.accelerator === "webgpu" && model.isFullyAccelerated) return model;
  model.delete();
  throw new Error("it does not have all operators of this file");
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

/** Takes an earlier error away. */
export function recover() {
  document.getElementById("error").hidden = true;
  document.getElementById("status").hidden = false;
}
