// A photo in, answers, time and attention out.

import { Tensor } from "@litertjs/core";
import { fail, isKept, loadModel } from "./litert.js";
import { decode, prepare, seen, withChannels } from "./pixels.js";

const SHOWN = 5;
const RAMP = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]]; // dark to bright
const element = (id) => document.getElementById(id);

let description, model, size, latest;

async function start() {
  [description, model] = await loadModel();
  const input = model.getInputDetails()[0];
  size = { height: input.shape[1], width: input.shape[2], channels: input.shape[3], type: input.dtype };
  element("name").textContent = document.title = description.name;
  element("model").textContent = `${description.variant}, ${(description.bytes / 1e6).toFixed(2)} MB.`;
  await run(new Uint8ClampedArray(size.height * size.width * size.channels)); // the first run is slow
  element("status").textContent = isKept() ? "Ready, also without a network." : "Ready.";
  for (const id of ["camera", "file"]) {
    element(id).disabled = false;
    element(id).addEventListener("change", ({ target }) => {
      show(target.files[0]);
      target.value = ""; // or the same photo, chosen again, would be no change
    });
  }
  element("attention").addEventListener("change", (event) => showAttention(event.target.checked));
  listenToDrops();
  document.body.dataset.ready = "true";
}

async function run(pixels) {
  const numbers = size.type === "uint8" ? Uint8Array.from(pixels) : Float32Array.from(pixels);
  const input = new Tensor(numbers, [1, size.height, size.width, size.channels]);
  let outputs = [];
  try {
    const started = performance.now();
    outputs = await model.run([input]);
    const rows = await Promise.all(outputs.map((tensor) => tensor.data()));
    const milliseconds = performance.now() - started;
    const shapes = model.getOutputDetails().map((details) => details.shape.length);
    return { answers: rows[shapes.indexOf(2)], attention: rows[shapes.indexOf(3)], milliseconds };
  } finally {
    for (const tensor of [input, ...outputs]) tensor.delete();
  }
}

async function show(file) {
  if (!file) return;
  latest = file;
  clear();
  try {
    const photo = await decode(file, description.preprocessing.background);
    const pixels = prepare(withChannels(photo, size.channels), description.preprocessing).data;
    const result = await run(pixels);
    if (file !== latest) return; // a slow one, after which another came
    listAnswers(result);
    drawPhoto(photo);
    drawMap(result.attention, description.attention);
  } catch (error) {
    if (file === latest) fail(error);
  }
}

function clear() {
  element("error").hidden = element("stage").hidden = element("toggle").hidden = true;
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
