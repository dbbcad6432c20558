"""How an app gives a file its inputs and takes its outputs with LiteRT, as lines of the languages of apps.

A `case` has `description`, `batch`, and `inputs` and `outputs`, names in the order of the file.
"""

import math

from keras_vit.export.app.preparation import fields_in_javascript

ARRAYS = {  # the arrays of a type, and in Kotlin the end of the methods' names
    "kotlin": {
        "float32": ("FloatArray", "Float"),
        "int32": ("IntArray", "Int"),
        "int64": ("LongArray", "Long"),
    },
    "swift": {"float32": "Float", "int32": "Int32", "int64": "Int64", "int8": "Int8", "bool": "Bool"},
    "javascript": {"float32": "Float32Array", "int32": "Int32Array"},
}
GREY = "19595 * {} + 38470 * {} + 7471 * {} + 32768"  # of red, green and blue, times 65536: ITU-R BT.601
BYTES = {"kotlin": ("ByteArray", "Int8"), "swift": "UInt8", "javascript": "Uint8Array"}  # of other types


def give_photo(language: str, case) -> str:
    """Returns lines that give a photo, prepared by the lines of `preparation`."""
    (tensor,) = case.description.inputs
    return _PHOTO[language](tensor, case)


def give_arrays(language: str, case) -> str:
    """Returns lines that give arrays of zeros, in place of the app's own values."""
    known = {tensor.name: tensor for tensor in case.description.inputs}
    lines = []
    for place, name in enumerate(case.inputs):
        tensor, shape = known[name], (case.batch, *known[name].shape)
        comment = f"{name}: {tensor.dtype}, {' x '.join(map(str, shape))}"
        lines.append(_ARRAY[language](place, tensor, shape, comment))
    before, after = {
        "javascript": ("const inputs = [ // your values instead of zeros", ["];"]),
        "python": ("inputs = {  # your values instead of zeros", ["}"]),
    }.get(language, ("// Your values instead of zeros, in the order of the file.", []))
    return "\n".join([before, *lines, *after])


def take(language: str, case) -> str:
    """Returns lines that name the outputs: `scores` where there is one."""
    known, lines = {tensor.name: tensor for tensor in case.description.outputs}, []
    for place, name in enumerate(case.outputs):
        if name in known:
            variable = "scores" if len(known) == 1 else f"output{place}"
            comment = "" if len(known) == 1 else f"  {'#' if language == 'python' else '//'} {name}"
            lines.append(_TAKEN[language](variable, place, known[name], case) + comment)
    return "\n".join(lines)


def _kotlin_photo(tensor, case):
    number = "value(it).toFloat()" if tensor.dtype == "float32" else "value(it).toByte()"
    if tensor.scale is not None:
        number = f"(Math.round(value(it) / {tensor.scale}f) + ({tensor.zero_point})).toByte()"
    array, end = _of("kotlin", tensor.dtype)
    count, value = (
        "3 * WIDTH * HEIGHT",
        "pixels[place / 3] shr (16 - place % 3 * 8) and 255  // red, green, blue",
    )
    if tensor.shape[-1] == 1:
        grey = GREY.format("(it shr 16 and 255)", "(it shr 8 and 255)", "(it and 255)")
        count, value = "WIDTH * HEIGHT", f"pixels[place].let {{ ({grey}) shr 16 }}  // grey"
    return (
        "val photo = forModel(frame.toBitmap(), frame.imageInfo.rotationDegrees)  // a CameraX ImageProxy\n"
        "val pixels = IntArray(WIDTH * HEIGHT)\n"
        "photo.getPixels(pixels, 0, WIDTH, 0, 0, WIDTH, HEIGHT)\n"
        f"fun value(place: Int) = {value}\n"
        f"inputs[0].write{end}({array}({count}) {{ {number} }})"
    )


def _swift_photo(tensor, case):
    before, values = "", "forModel(photo)"
    if tensor.shape[-1] == 1:
        grey = GREY.format("pixels[3 * $0]", "pixels[3 * $0 + 1]", "pixels[3 * $0 + 2]")
        before = (
            "let pixels = forModel(photo).map(Int.init)\n"
            f"let grey = (0..<width * height).map {{ UInt8(({grey}) >> 16) }}\n"
        )
        values = "grey"
    data = f"Data({values})"
    if tensor.dtype == "float32":
        data = f"{values}.map(Float.init).withUnsafeBytes {{ Data($0) }}"
    elif tensor.scale is not None:
        number = f"(Float($0) / {tensor.scale}).rounded() + ({tensor.zero_point})"
        data = f"Data({values}.map {{ UInt8(bitPattern: Int8({number})) }})"
    return f"{before}try interpreter.copy({data}, toInputAt: 0)"


def _javascript_photo(tensor, case):
    return (
        f"const fields = {fields_in_javascript(case.preprocessing)};\n"
        "const photo = await decode(file, fields.background); // of an <input type=file>\n"
        f"const image = prepare(withChannels(photo, {tensor.shape[-1]}), fields);\n"
        f"const numbers = {_of('javascript', tensor.dtype)}.from(image.data);\n"
        f"const inputs = [new Tensor(numbers, {[1, *tensor.shape]})];"
    )


def _python_photo(tensor, case):
    values = 'for_model(Image.open("photo.jpg"))[None]'
    if tensor.shape[-1] == 1:
        values = 'np.array(Image.fromarray(for_model(Image.open("photo.jpg"))).convert("L"))[None, ..., None]'
    if tensor.scale is not None:
        values = f"(np.round({values} / {tensor.scale}) + ({tensor.zero_point}))"
    values += "" if tensor.dtype == "uint8" else f'.astype("{tensor.dtype}")'
    return f'inputs = {{"{tensor.name}": {values}}}'


_PHOTO = {
    "kotlin": _kotlin_photo,
    "swift": _swift_photo,
    "javascript": _javascript_photo,
    "python": _python_photo,
}


def _kotlin_array(place, tensor, shape, comment):
    array, end = _of("kotlin", tensor.dtype)
    return f"inputs[{place}].write{end}({array}({math.prod(shape)}))  // {comment}"


def _swift_array(place, tensor, shape, comment):
    zeros = f"[{_of('swift', tensor.dtype)}](repeating: 0, count: {math.prod(shape)})"
    return f"try interpreter.copy({zeros}.withUnsafeBytes {{ Data($0) }}, toInputAt: {place})  // {comment}"


def _javascript_array(place, tensor, shape, comment):
    zeros = f"new {_of('javascript', tensor.dtype)}({math.prod(shape)})"
    return f"  new Tensor({zeros}, {list(shape)}), // {comment}"


def _python_array(place, tensor, shape, comment):
    return f'    "{tensor.name}": np.zeros({shape}, "{tensor.dtype}"),  # {comment}'


_ARRAY = {
    "kotlin": _kotlin_array,
    "swift": _swift_array,
    "javascript": _javascript_array,
    "python": _python_array,
}


def _kotlin_taken(variable, place, tensor, case):
    _, end = _of("kotlin", tensor.dtype)
    real = "" if tensor.scale is None else f".map {{ (it - ({tensor.zero_point})) * {tensor.scale}f }}"
    return f"val {variable} = outputs[{place}].read{end}(){real}"


def _swift_taken(variable, place, tensor, case):
    real = "" if tensor.scale is None else f".map {{ (Float($0) - ({tensor.zero_point})) * {tensor.scale} }}"
    values = f"Array($0.bindMemory(to: {_of('swift', tensor.dtype)}.self))"
    return f"let {variable} = try interpreter.output(at: {place}).data.withUnsafeBytes {{ {values} }}{real}"


def _javascript_taken(variable, place, tensor, case):
    return f"const {variable} = await outputs[{place}].data();"


def _python_taken(variable, place, tensor, case):
    values = f'outputs["{tensor.name}"]' + ("[0]" if case.batch == 1 else "")
    if tensor.scale is not None:
        values = f"({values}.astype(float) - ({tensor.zero_point})) * {tensor.scale}"
    return f"{variable} = {values}"


_TAKEN = {
    "kotlin": _kotlin_taken,
    "swift": _swift_taken,
    "javascript": _javascript_taken,
    "python": _python_taken,
}


def _of(language, dtype):
    return ARRAYS[language].get(dtype, BYTES[language])
