"""What an app does with the numbers of an output, as lines of the languages of apps."""

from keras_vit.export.model.description import OutputDescription

HALF = 0.5  # the least value of a label that holds where no threshold is recorded
NONE = "none of these"
COMMENT = {"kotlin": "//", "swift": "//", "javascript": "//", "python": "#"}

_CATEGORIES = {  # as MediaPipe gives them, the best first
    "kotlin": {
        "best": "val best = found.first()\nval answer = @BEST@",
        "name": "best.categoryName()",
        "score": "best.score()",
        "choice": 'if ({score} < {least}f) "{none}" else {name}',
        "labels": (
            "{thresholds}\n"
            "val held = found.filter {{ it.score() >= thresholds[it.index()] }}.map {{ it.categoryName() }}"
        ),
        "numbers": "val numbers = found.associate {{ it.categoryName() to it.score() }}",
    },
    "swift": {
        "best": "let best = found[0]\nlet answer = @BEST@",
        "name": "best.categoryName!",
        "score": "best.score",
        "choice": '{score} < {least} ? "{none}" : {name}',
        "labels": (
            "{thresholds}\n"
            "let held = found.filter {{ $0.score >= thresholds[$0.index] }}.map {{ $0.categoryName! }}"
        ),
        "numbers": "let numbers = found.map {{ ($0.categoryName!, $0.score) }}",
    },
    "python": {
        "best": "best = found[0]\nanswer = @BEST@",
        "name": "best.category_name",
        "score": "best.score",
        "choice": '"{none}" if {score} < {least} else {name}',
        "labels": (
            "{thresholds}\nheld = [one.category_name for one in found if one.score >= thresholds[one.index]]"
        ),
        "numbers": "numbers = {{one.category_name: one.score for one in found}}",
    },
}
_SCORES = {  # a row of numbers, in the order of the labels
    "kotlin": {
        "names": 'val labels = context.assets.open("labels.txt").bufferedReader().readLines()',
        "best": "val best = scores.indices.maxByOrNull {{ scores[it] }}!!\nval answer = @BEST@",
        "name": "labels[best]",
        "number": "best",
        "score": "scores[best]",
        "choice": 'if ({score} < {least}f) "{none}" else {name}',
        "yes": "val answer = scores[0] > {half}f",
        "labels": "{thresholds}\nval held = scores.indices.filter {{ scores[it] >= thresholds[it] }}",
        "held": ".map {{ labels[it] }}",
        "numbers": "val numbers = labels.zip(scores.toList())",
    },
    "swift": {
        "names": (
            'let file = Bundle.main.url(forResource: "labels", withExtension: "txt")!\n'
            "let text = try String(contentsOf: file, encoding: .utf8)\n"
            'let labels = text.split(separator: "\\n").map(String.init)'
        ),
        "best": "let best = scores.indices.max {{ scores[$0] < scores[$1] }}!\nlet answer = @BEST@",
        "name": "labels[best]",
        "number": "best",
        "score": "scores[best]",
        "choice": '{score} < {least} ? "{none}" : {name}',
        "yes": "let answer = scores[0] > {half}",
        "labels": "{thresholds}\nlet held = scores.indices.filter {{ scores[$0] >= thresholds[$0] }}",
        "held": ".map {{ labels[$0] }}",
        "numbers": "let numbers = zip(labels, scores)",
    },
    "javascript": {
        "names": 'const labels = (await (await fetch("labels.txt")).text()).trimEnd().split("\\n");',
        "best": "const best = scores.indexOf(Math.max(...scores));\nconst answer = @BEST@;",
        "name": "labels[best]",
        "number": "best",
        "score": "scores[best]",
        "choice": '{score} < {least} ? "{none}" : {name}',
        "yes": "const answer = scores[0] > {half};",
        "labels": "{thresholds};\nconst held = [...scores.keys()].filter((i) => scores[i] >= thresholds[i])",
        "held": ".map((i) => labels[i])",
        "numbers": "const numbers = labels.map((label, i) => [label, scores[i]]);",
    },
    "python": {
        "names": 'labels = open("labels.txt", encoding="utf-8").read().splitlines()',
        "best": "best = int(scores.argmax())\nanswer = @BEST@",
        "name": "labels[best]",
        "number": "best",
        "score": "scores[best]",
        "choice": '"{none}" if {score} < {least} else {name}',
        "yes": "answer = bool(scores[0] > {half})",
        "labels": "{thresholds}\nheld = [{one} for i in range(len(scores)) if scores[i] >= thresholds[i]]",
        "held": "",
        "numbers": "numbers = dict(zip(labels, scores.tolist(), strict=True))",
    },
}
_THRESHOLDS = {
    "kotlin": "val thresholds = floatArrayOf({values})",
    "swift": "let thresholds: [Float] = [{values}]",
    "javascript": "const thresholds = [{values}]",
    "python": "thresholds = [{values}]",
}


def of_categories(language: str, output: OutputDescription) -> str:
    """Returns lines that make the answer of `found`, MediaPipe's categories.

    >>> output = OutputDescription("probabilities", (3,), "float32", "classification", none_below=0.6)
    >>> print(of_categories("python", output))
    best = found[0]
    answer = "none of these" if best.score < 0.6 else best.category_name
    """
    words = _CATEGORIES[language]
    if output.task == "labels":
        return words["labels"].format(thresholds=_thresholds(language, output))
    if output.task == "regression":
        return words["numbers"].format()
    return _chosen(words["best"].format(), words, output.none_below, words["name"])


def of_scores(language: str, output: OutputDescription, named: bool) -> str:
    """Returns lines that make the answer of `scores`, a row of numbers; `named` ones have a `labels.txt`."""
    words = _SCORES[language]
    names = [words["names"]] if named else []
    if output.task == "labels":
        one = "labels[i]" if named else "i"
        held = words["labels"].format(thresholds=_thresholds(language, output), one=one)
        held += words["held"].format() if named else ""
        return "\n".join([*names, held + (";" if language == "javascript" else "")])
    if output.task == "classification" and output.shape == (1,):
        return words["yes"].format(half=f"{HALF:g}")
    if output.task == "classification":
        name = words["name"] if named else words["number"]
        return "\n".join([*names, _chosen(words["best"].format(), words, output.none_below, name)])
    if output.task == "regression" and named:
        return "\n".join([*names, words["numbers"]])
    return f"{COMMENT[language]} {_meaning(output)}"


def _chosen(lines, words, least, name):
    choice = name
    if least is not None:
        choice = words["choice"].format(score=words["score"], least=f"{least:.9g}", none=NONE, name=name)
    return lines.replace("@BEST@", choice)


def _thresholds(language, output):
    values = output.thresholds or (HALF,) * output.shape[-1]
    suffix = "f" if language == "kotlin" else ""
    return _THRESHOLDS[language].format(values=", ".join(f"{value:.9g}{suffix}" for value in values))


def _meaning(output):
    size = " x ".join(map(str, output.shape)) or "1"
    return f"{size} numbers: {output.task or 'what the model returns'}"
