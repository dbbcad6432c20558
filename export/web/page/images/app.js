// A photo in, answers, time and attention out.

import { Tensor } from "@litertjs/core";
import { Camera } from "./camera.js";
import { fail, isKept, loadModel, loadOnGpu, recover, warmUp } from "./litert.js";
import { decode, prepare, seen, withChannels } from "./pixels.js";

const SHOWN = 5;
const RAMP = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]]; // dark to bright
const TIMED = 5; // runs, of which the median counts
const SAME = 0.02; // how far answers of the GPU, which may calculate with 16 bits, may be from those of the CPU
const element = (id) => document.getElementById(id);

let description, model, size, latest, camera;
let last = Promise.resolve(); // the engine runs one image at a time

async function start() {
  [description, model] = await loadModel();
  const input = model.getInputDetails()[0];
  size = { height: input.shape[1], width: input.shape[2], channels: input.shape[3], type: input.dtype };
  element("name").textContent = document.title = description.name;
  element("model").textContent = `${description.variant}, ${(description.bytes / 1e6).toFixed(2)} MB.`;
  await warmUp(() => run(new Uint8ClampedArray(size.height * size.width * size.channels)));
  element("status").textContent = isKept() ? "Ready, also without a network." : "Ready.";
  for (const id of ["camera", "file"]) {
    element(id).disabled = false;
    element(id).addEventListener("change", ({ target }) => {
      show(target.files[0]);
      target.value = ""; // or the same photo, chosen again, would be no change
    });
  }
  element("attention").addEventListener("change", (event) => showAttention(event.target.checked));
  camera = new Camera(element("video"));
  element("live").disabled = false;
  element("live").addEventListener("click", toggleCamera);
  addEventListener("pagehide", stopCamera);
  listenToDrops();
  document.body.dataset.ready = "true";
  await chooseEngine();
}

/** Runs the model on the GPU where it gives the same answers there and is faster, and shows both times. */
async function chooseEngine() {
  const shown = element("engines");
  const pixels = Uint8ClampedArray.from({ length: size.height * size.width * size.channels }, (_, i) => (i * 97) % 256);
  const cpu = await timed(model, pixels);
  const onCpu = `CPU ${cpu.milliseconds.toFixed(1)} ms`;
  shown.dataset.engine = "cpu";
  let gpu;
  try {
    gpu = await loadOnGpu();
    const { milliseconds, answers } = await timed(gpu, pixels);
    const scale = Math.max(1, ...cpu.answers.map(Math.abs));
    const isSame = answers.every((value, i) => Math.abs(value - cpu.answers[i]) <= SAME * scale);
    if (!isSame) throw new Error("its answers differ");
    shown.textContent = `${onCpu}, WebGPU ${milliseconds.toFixed(1)} ms`;
    if (milliseconds < cpu.milliseconds) {
      [model, gpu] = [gpu, model];
      shown.dataset.engine = "gpu";
    }
    shown.textContent += `: runs on the ${shown.dataset.engine === "gpu" ? "GPU" : "CPU"}.`;
  } catch (error) {
    shown.textContent = `${onCpu}; WebGPU is not used: ${error.message || error}.`;
  }
  if (gpu) await inTurn(() => gpu.delete()); // the slower one
  document.body.dataset.chosen = "true";
}

/** The answers of an engine, and the median of its times. */
async function timed(engine, pixels) {
  let result = await inTurn(() => runOn(engine, pixels)); // the first run is slow
  const times = [];
  for (let i = 0; i < TIMED; i++) {
    result = await inTurn(() => runOn(engine, pixels));
    times.push(result.milliseconds);
  }
  return { ...result, milliseconds: times.sort((a, b) => a - b)[Math.floor(TIMED / 2)] };
}

const run = (pixels) => inTurn(() => runOn(model, pixels));

function inTurn(job) {
  const result = last.then(job);
  last = result.catch(() => {});
  return result;
}

async function runOn(engine, pixels) {
  const numbers = size.type === "uint8" ? Uint8Array.from(pixels) : Float32Array.from(pixels);
  const input = new Tensor(numbers, [1, size.height, size.width, size.channels]);
  let outputs = [];
  try {
    const started = performance.now();
    outputs = await engine.run([input]);
    const rows = await Promise.all(outputs.map((tensor) => tensor.data()));
    const milliseconds = performance.now() - started;
    const shapes = engine.getOutputDetails().map((details) => details.shape.length);
    return { answers: rows[shapes.indexOf(2)], attention: rows[shapes.indexOf(3)], milliseconds };
  } finally {
    for (const tensor of [input, ...outputs]) tensor.delete();
  }
}

async function show(file) {
  if (!file) return;
  stopCamera();
  latest = file;
  clear();
  try {
    await answer(file, file);
  } catch (error) {
    if (file === latest) fail(error);
  }
}

/** Shows the answers for a photo or a frame, unless something else came meanwhile. */
async function answer(picture, source) {
  const photo = await decode(picture, description.preprocessing.background);
  const pixels = prepare(withChannels(photo, size.channels), description.preprocessing).data;
  const result = await run(pixels);
  if (source !== latest) return;
  listAnswers(result);
  drawPhoto(photo);
  drawMap(result.attention, description.attention);
}

async function toggleCamera() {
  if (camera.isOn) return stopCamera();
  latest = camera;
  clear();
  element("live").disabled = true;
  try {
    await camera.start((frame) => answer(frame, camera), endCamera);
    element("live").textContent = "Stop camera";
    element("classes").ariaLive = "off"; // a reader would never end
  } catch (error) {
    fail(error);
  }
  element("live").disabled = false;
}

function stopCamera() {
  if (!camera?.isOn) return;
  camera.stop();
  latest = null;
  element("live").textContent = "Live camera";
  element("classes").ariaLive = "polite";
}

function endCamera(error) {
  stopCamera();
  fail(error);
}

function clear() {
  recover();
  element("stage").hidden = element("toggle").hidden = true;
  element("classes").replaceChildren();
  element("time").textContent = "";
}

/** Draws the part of a photo that the model sees, over which the map fits. */
function drawPhoto(photo) {
  const canvas = element("photo");
  const part = seen(photo, description.preprocessing);
  [canvas.width, canvas.height] = [Math.round(part.width), Math.round(part.height)];
  canvas.getContext("2d").putImageData(photo, -Math.round(part.x), -Math.round(part.y));
  element("stage").hidden = false;
}

function drawMap(attention, grid) {
  element("toggle").hidden = !attention;
  showAttention(Boolean(attention) && element("attention").checked);
  if (!attention) return;
  const [rows, columns] = grid;
  const small = document.createElement("canvas");
  [small.width, small.height] = [columns, rows];
  const largest = Math.max(...attention);
  const image = new ImageData(columns, rows);
  attention.forEach((value, i) => image.data.set([...color(value / largest), 255], 4 * i));
  small.getContext("2d").putImageData(image, 0, 0);
  const canvas = element("map");
  [canvas.width, canvas.height] = [element("photo").width, element("photo").height];
  canvas.getContext("2d").drawImage(small, 0, 0, canvas.width, canvas.height);
  element("map").dataset.values = JSON.stringify(Array.from(attention));
}

function showAttention(shown) {
  element("stage").classList.toggle("attended", shown);
}

function color(share) {
  const place = share * (RAMP.length - 1);
  const index = Math.min(Math.floor(place), RAMP.length - 2);
  return RAMP[index].map((from, c) => from + (place - index) * (RAMP[index + 1][c] - from));
}

/** Lists classes or labels by their probability, and those that hold in bold; numbers as they are. */
function listAnswers({ answers, milliseconds }) {
  const isNumbers = description.task === "regression";
  const order = [...answers.keys()];
  if (!isNumbers) order.sort((a, b) => answers[b] - answers[a]);
  const least = description.thresholds ?? (description.task === "labels" ? order.map(() => 0.5) : null);
  const unsure = description.noneBelow != null && Math.max(...answers) < description.noneBelow;
  const holds = (index, place) => (least ? answers[index] >= least[index] : place === 0 && !unsure);
  const items = order.slice(0, isNumbers ? order.length : SHOWN).map((index, place) => {
    const item = document.createElement("li");
    if (!isNumbers) item.style.setProperty("--share", `${100 * answers[index]}%`);
    item.classList.toggle("holds", !isNumbers && holds(index, place));
    item.dataset.probability = answers[index];
    const value = isNumbers ? answers[index].toPrecision(4) : `${(100 * answers[index]).toFixed(1)} %`;
    for (const text of [description.labels[index], value]) {
      item.append(Object.assign(document.createElement("span"), { textContent: text }));
    }
    return item;
  });
  element("classes").replaceChildren(...items);
  const none = unsure ? "Probably none of these. " : least && !order.some(holds) ? "None of the labels holds. " : "";
  element("time").textContent = `${none}${milliseconds.toFixed(1)} ms on this device`;
}

function listenToDrops() {
  const place = element("drop");
  addEventListener("dragover", (event) => event.preventDefault());
  place.addEventListener("dragenter", () => place.classList.add("over"));
  place.addEventListener("dragleave", (event) => place.contains(event.relatedTarget) || place.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    show(event.dataTransfer.files[0]);
  });
}

start().catch(fail);
