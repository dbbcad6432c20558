"""How to use a run on the hub, with its own names in the programs."""

KERAS = """\
## Use it

In a shell, with labels, thresholds and calibrated probabilities as they were trained:

```bash
keras-vit predict {source} photo.jpg
```

### Keras

```python
import keras
from huggingface_hub import hf_hub_download
from PIL import Image

import keras_vit  # registers the layers

model = keras.saving.load_model(hf_hub_download("{repository}", "model.keras"), compile=False)
prepare = keras_vit.pretrained.preprocessing("{source}")
pixels = prepare(Image.open("photo.jpg").convert("{mode}"))
outputs = model.predict(pixels.reshape(1, *model.input_shape[1:]), verbose=0)
```
"""
SOURCE = """
`keras_vit.pretrained.load("{source}", num_classes=5)` has the weights and a new head, and a recipe with
`model={model} pretrained={source}` trains it.
"""
LITERT = """
### Python, LiteRT alone

```python
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from huggingface_hub import hf_hub_download

answer = Interpreter(hf_hub_download("{repository}", "export/{file}")).get_signature_runner()
pixels = np.zeros({shape}, "{dtype}")  # a photo, {words}, RGB in [0, 255]
print(answer({input}=pixels)["{output}"])
```
"""
APPS = """
### Android

MediaPipe Tasks (`com.google.mediapipe:tasks-vision`) loads the file as it is, from `src/main/assets`. It
stretches what it gets to the input's size: pass the part of the upright photo that the model was trained on.
That is {words}.

```kotlin
val options = ImageClassifier.ImageClassifierOptions.builder()
    .setBaseOptions(BaseOptions.builder().setModelAssetPath("{file}").build())
    .build()
val result = ImageClassifier.createFromOptions(context, options).classify(BitmapImageBuilder(bitmap).build())
```

### iOS

```swift
let options = ImageClassifierOptions()
options.baseOptions.modelAssetPath = Bundle.main.path(forResource: "{stem}", ofType: "tflite")!
let result = try ImageClassifier(options: options).classify(image: try MPImage(uiImage: photo))
```

`keras-vit export RUN --app DIR` writes both as whole projects with a camera.

### Browser

```js
import {{ loadAndCompile, loadLiteRt, Tensor }} from "@litertjs/core";
await loadLiteRt("node_modules/@litertjs/core/wasm/");
const address = "https://huggingface.co/{repository}/resolve/main/export/{file}";
const model = await loadAndCompile(address, {{ accelerator: "wasm" }});
const outputs = await model.run([new Tensor(pixels, {shape_js})]);
```

`keras-vit export RUN --web DIR` writes a page with a camera that does it all.
"""
PLAIN = """\
## Use it

```python
import keras
from huggingface_hub import hf_hub_download

import keras_vit  # registers the layers

model = keras.saving.load_model(hf_hub_download("{repository}", "model.keras"), compile=False)
```
"""
TEXT = """\
## Use it

```python
from huggingface_hub import snapshot_download

from keras_vit.training import generate

print(generate(snapshot_download("{repository}"), 3))
```

For phones, `export/{file}` has the signatures `score`, `step` and `generate`; `keras-vit generate FILE` uses
them as an app does.
"""
PAIRS = """\
## Use it

```python
from huggingface_hub import snapshot_download

from keras_vit.training import answer

print(answer(snapshot_download("{repository}"), ["a source"]))
```

For phones, `export/{file}` has the signatures `encode` and `step`; `keras-vit predict FILE "a source"` uses
them as an app does.
"""


def usage(repository, recipe, rows, model, kind) -> str:
    """Returns the section of a model card on how to use a run's files."""
    file = rows[0]["file"]
    inputs, outputs = model.get("inputs") or [{}], model.get("outputs") or [{}]
    known = {"repository": repository, "source": f"hf://{repository}", "file": file}
    preprocessing = model.get("preprocessing")
    if not inputs[0]:
        return {"pairs": PAIRS}.get(kind, TEXT).format(**known)
    if not preprocessing:
        return PLAIN.format(**known)
    from keras_vit.io.preprocessing import Preprocessing

    words = Preprocessing.from_json(preprocessing, "export.json").words
    shape = (rows[0]["batch_size"], *inputs[0]["shape"])
    known |= {
        "model": recipe.model,
        "words": words,
        "stem": file.removesuffix(".tflite"),
        "mode": "L" if model.get("grey") else "RGB",
        "shape": shape,
        "shape_js": list(shape),
        "input": inputs[0]["name"],
        "output": outputs[0]["name"],
        "dtype": rows[0]["input_dtype"],
    }
    is_float = rows[0]["input_dtype"] != "int8"  # int8 has a scale, which the programs would have to know
    parts = [KERAS, SOURCE, *([LITERT, APPS] if is_float else [])]
    return "".join(parts).format(**known)
