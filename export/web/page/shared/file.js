// Reports why a page opened as a file cannot run; a module would not even be loaded.

if (location.protocol === "file:") {
  document.getElementById("status").hidden = true;
  const error = document.getElementById("error");
  error.textContent = "Browsers load models over HTTP only: run `python -m http.server` in this folder and open http://localhost:8000.";
  error.hidden = false;
}
